//! The modules of the viewer that read files, compiled alone, and what its fuzz targets share.

// A fuzzer may write its files as it likes.
#![allow(clippy::disallowed_methods)]

#[path = "../../src/annotate/mod.rs"]
pub mod annotate;
#[path = "../../src/atomic_file.rs"]
pub mod atomic_file;
#[path = "../../src/data/mod.rs"]
pub mod data;
#[path = "../../src/metrics/mod.rs"]
pub mod metrics;
#[path = "../../src/text/mod.rs"]
pub mod text;
mod memory;
mod zip;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, OnceLock};
use std::time::Duration;

use data::Limit;
pub use memory::bounded;
pub use zip::zip;

/// What a file may take of memory while it is fuzzed.
pub const LIMIT: Limit = Limit(64 << 20);

/// Processor time within which a file has to be answered, sanitizer and all.
const LONGEST: Duration = Duration::from_secs(10);

/// Writes `bytes` as `name` into a folder of its own and hands it to `load`. A panic that leaves the loader is a finding; one that the
/// loader catches, because a decoder of somebody else's made it, is none.
pub fn with_file(name: &str, bytes: &[u8], load: impl FnOnce(&Path)) {
    let path = folder().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("a folder");
    }
    std::fs::write(&path, bytes).expect("a file");
    watched(|| load(&path));
}

/// Runs `load`. A panic that leaves it is a finding, and so is too much time.
pub fn watched(load: impl FnOnce()) {
    static LAST: Mutex<String> = Mutex::new(String::new());
    static QUIET: Once = Once::new();
    // libFuzzer's own hook ends the process at every panic, those that are caught too.
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            if let Ok(mut last) = LAST.lock() {
                *last = panic.to_string();
            }
        }));
    });
    let start = processor_time();
    if catch_unwind(AssertUnwindSafe(load)).is_err() {
        eprintln!("the loader panicked: {}", LAST.lock().map(|last| last.clone()).unwrap_or_default());
        std::process::abort();
    }
    let taken = processor_time().saturating_sub(start);
    if taken > LONGEST {
        eprintln!("the loader took {} s", taken.as_secs());
        std::process::abort();
    }
}

/// What this thread has had of a processor, which a machine with other work gives it late; nothing where the system does not say.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// A folder of this process, in memory where the system has such a place.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        root.join(format!("himix-fuzz-{}", std::process::id()))
    })
}
