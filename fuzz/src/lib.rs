//! The room `data` of the viewer, compiled alone, and what its fuzz targets share.

#[path = "../../src/data/mod.rs"]
pub mod data;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Once, OnceLock};

use data::Limit;

/// What a file may take of memory while it is fuzzed.
pub const LIMIT: Limit = Limit(64 << 20);

/// Writes `bytes` as `name` into a folder of its own and hands it to `load`. A panic that leaves the loader is a finding; one that the
/// loader catches, because a decoder of somebody else's made it, is none.
pub fn with_file(name: &str, bytes: &[u8], load: impl FnOnce(&Path)) {
    static QUIET: Once = Once::new();
    // libFuzzer's own hook ends the process at every panic, those that are caught too.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    let path = folder().join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("a folder");
    }
    std::fs::write(&path, bytes).expect("a file");
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| load(&path))) {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        eprintln!("the loader panicked: {}", text.unwrap_or("no reason given"));
        std::process::abort();
    }
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
