//! The allocator of the whole program.
//!
//! A prediction allocates and frees tensors of megabytes, a training step of hundreds of megabytes. If each of them
//! came from the system, a fifth of the time would go into clearing pages. This allocator keeps freed memory for the
//! next tensor and returns what has not been used for some seconds, which is longer than a training step.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds for which freed memory is kept.
const KEEP_MS: i64 = 10_000;
/// Address space that is reserved at once, in KiB; larger tensors would bypass the allocator. Reserving takes no
/// memory.
const RESERVE_KIB: i64 = 4 << 20;

/// Number of `mi_option_purge_delay` in mimalloc 2 and 3; the Rust binding has no name for it.
const PURGE_DELAY: i32 = 15;
/// Number of `mi_option_arena_reserve` in mimalloc 2 and 3.
const ARENA_RESERVE: i32 = 23;

/// Tells the allocator to keep memory between tensors. It must be called once, at the start of `main`.
#[allow(unsafe_code)]
pub fn keep_between_tensors() {
    // SAFETY: the function only stores a number in a table of options; both numbers lie within it, and any value is
    // allowed. It is a foreign function and therefore unsafe to call; there is no safe binding.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, KEEP_MS as _);
        libmimalloc_sys::mi_option_set(ARENA_RESERVE, RESERVE_KIB as _);
    }
}
