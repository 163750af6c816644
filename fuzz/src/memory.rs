//! The memory that a loader takes, counted by the address sanitizer's hooks: what Rust, C and C++ take alike.

use super::LIMIT;

/// What a loader may take beside what a file may: tables and buffers of decoders.
const BESIDE: i64 = 16 << 20;

#[cfg(fuzzing)]
mod hooks {
    use std::ffi::c_void;
    use std::sync::Once;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

    unsafe extern "C" {
        fn __sanitizer_install_malloc_and_free_hooks(
            taken: extern "C" fn(*const c_void, usize),
            freed: extern "C" fn(*const c_void),
        ) -> i32;
        fn __sanitizer_get_allocated_size(pointer: *const c_void) -> usize;
        fn __sanitizer_print_stack_trace();
    }

    static LIVE: AtomicI64 = AtomicI64::new(0);
    static ALLOWED: AtomicI64 = AtomicI64::new(i64::MAX);
    static IS_HELD: AtomicBool = AtomicBool::new(false);
    static START: AtomicI64 = AtomicI64::new(0);
    static PEAK: AtomicI64 = AtomicI64::new(0);

    extern "C" fn taken(_: *const c_void, size: usize) {
        let live = LIVE.fetch_add(size as i64, Relaxed) + size as i64;
        PEAK.fetch_max(live, Relaxed);
        let allowed = ALLOWED.load(Relaxed);
        if IS_HELD.load(Relaxed) && live > allowed {
            // What follows takes memory, too.
            IS_HELD.store(false, Relaxed);
            eprintln!("the loader takes {} MiB more than it may; the last {size} bytes:", (live - allowed) >> 20);
            // SAFETY: prints, and is made to be called from anywhere.
            unsafe { __sanitizer_print_stack_trace() };
            std::process::abort();
        }
    }

    extern "C" fn freed(pointer: *const c_void) {
        if !pointer.is_null() {
            // SAFETY: the sanitizer calls this for memory that is still its own.
            LIVE.fetch_sub(unsafe { __sanitizer_get_allocated_size(pointer) } as i64, Relaxed);
        }
    }

    pub fn hold(most: i64) {
        static INSTALL: Once = Once::new();
        // SAFETY: both functions are what the sanitizer's interface asks for, and stay.
        INSTALL.call_once(|| assert_ne!(unsafe { __sanitizer_install_malloc_and_free_hooks(taken, freed) }, 0));
        let live = LIVE.load(Relaxed);
        START.store(live, Relaxed);
        PEAK.store(live, Relaxed);
        ALLOWED.store(live + most, Relaxed);
        IS_HELD.store(true, Relaxed);
    }

    pub fn release() {
        IS_HELD.store(false, Relaxed);
        if super::is_told() {
            eprintln!("peak: {} KiB", (PEAK.load(Relaxed) - START.load(Relaxed)) >> 10);
        }
    }
}

/// Whether the most memory that was taken is written for every file.
#[cfg(fuzzing)]
fn is_told() -> bool {
    static IS_TOLD: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *IS_TOLD.get_or_init(|| std::env::var_os("HIMIX_FUZZ_PEAK").is_some())
}

/// Runs `load` and ends the process where it takes more memory than [`LIMIT`] allows.
pub fn bounded<T>(load: impl FnOnce() -> T) -> T {
    #[cfg(fuzzing)]
    hooks::hold(LIMIT.0 as i64 + BESIDE);
    #[cfg(not(fuzzing))]
    let _ = (LIMIT, BESIDE);
    let done = load();
    #[cfg(fuzzing)]
    hooks::release();
    done
}
