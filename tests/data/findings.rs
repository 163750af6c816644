//! Files that were found by fuzzing: each must give an image, or an error that names it, without a panic and in time.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use himix::data::{Limit, open};

/// The memory limit for a file, as for the fuzzer.
const LIMIT: Limit = Limit(64 << 20);
/// The time limit for one file. One that hangs the loader takes longer on any machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Returns the files that were found for one loader, at least `least` of them.
fn found(loader: &str, least: usize) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings").join(loader);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(files.len() >= least, "{} files in {}", files.len(), folder.display());
    files
}

/// Runs `load` on a separate thread, so that a loader that hangs fails instead of hanging the tests.
fn in_time(path: &Path, load: impl FnOnce(&Path) -> Option<String> + Send + 'static) {
    let (answer, wait) = mpsc::channel();
    let file = path.to_owned();
    let thread = std::thread::spawn(move || {
        let said = load(&file);
        let _ = answer.send(());
        said
    });
    let is_done = wait.recv_timeout(LONGEST) != Err(mpsc::RecvTimeoutError::Timeout);
    assert!(is_done, "{} is not answered", path.display());
    let said = thread.join().unwrap_or_else(|_| panic!("{} makes the loader panic", path.display()));
    if let Some(error) = said {
        let name = path.file_name().expect("a name").to_string_lossy();
        assert!(error.contains(&*name) && !error.contains('\n'), "{error}");
    }
}

fn scan(path: &Path) -> Option<String> {
    match open::open(path, LIMIT, &|_, _| true) {
        Ok(scan) => {
            let slice = scan.slice(scan.slices / 2);
            let seen = scan.first_display_window(&slice);
            let _ = slice.windowed(seen.window, seen.is_inverted);
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn pictures() {
    found("picture", 1).iter().for_each(|path| in_time(path, scan));
}

#[test]
fn dicom() {
    found("dicom", 1).iter().for_each(|path| in_time(path, scan));
}
