//! The log file, its predecessor, and its last lines in memory.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name of the current log file.
pub const FILE: &str = "himix.log";
/// The name of the previous log file.
pub const OLD_FILE: &str = "himix.old.log";
/// The size in bytes at which a new file is started.
const MOST_BYTES: u64 = 1 << 20;
/// The number of lines that are kept in memory.
const LINES: usize = 60;

static TAIL: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// The last lines of the log, the oldest first, including lines of earlier runs.
pub fn tail() -> Vec<String> {
    lines().iter().cloned().collect()
}

fn lines() -> MutexGuard<'static, VecDeque<String>> {
    TAIL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remember(text: &str) {
    let mut lines = lines();
    lines.extend(text.lines().map(str::to_owned));
    let surplus = lines.len().saturating_sub(LINES);
    lines.drain(..surplus);
}

/// Writes a log of limited size. Failures are not reported, because a full disk is no reason to stop.
pub struct LogFile {
    folder: PathBuf,
    file: Option<File>,
    bytes: u64,
    most: u64,
}

impl LogFile {
    /// Continues the log in `folder`.
    pub fn open(folder: &Path) -> Self {
        let mut log = Self { folder: folder.to_owned(), file: None, bytes: 0, most: MOST_BYTES };
        let _ = fs::create_dir_all(folder);
        if let Ok(end) = end_of(&folder.join(FILE)) {
            remember(&end);
        }
        log.reopen();
        log
    }

    fn reopen(&mut self) {
        let path = self.folder.join(FILE);
        self.file = OpenOptions::new().create(true).append(true).open(&path).ok();
        self.bytes = self.file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
    }

    /// Replaces the previous file by the current one and starts a new file.
    fn rotate(&mut self) {
        self.file = None;
        let _ = fs::rename(self.folder.join(FILE), self.folder.join(OLD_FILE));
        self.reopen();
    }
}

/// Writes one event, which arrives in one call.
impl Write for LogFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        remember(&String::from_utf8_lossy(bytes));
        if self.bytes > 0 && self.bytes + bytes.len() as u64 > self.most {
            self.rotate();
        }
        if let Some(file) = &mut self.file
            && file.write_all(bytes).is_ok()
        {
            self.bytes += bytes.len() as u64;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns the last complete lines of a file.
fn end_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let start = length.saturating_sub(200 * LINES as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(if start == 0 { text } else { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_of_limited_size_with_the_newest_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = folder.path().join("log");
        let mut log = LogFile { most: 100, ..LogFile::open(&here) };
        for number in 0..50 {
            log.write_all(format!("event {number:02}\n").as_bytes()).expect("never fails");
        }
        let read = |name: &str| fs::read_to_string(here.join(name)).expect("a file");
        let (old, new) = (read(OLD_FILE), read(FILE));
        assert!(old.len() <= 100 && new.len() <= 100, "{} {}", old.len(), new.len());
        assert_eq!(fs::read_dir(&here).expect("a folder").count(), 2);
        assert!((old + &new).ends_with("event 47\nevent 48\nevent 49\n") && new.starts_with("event "));
        // The next run goes on with the file and knows its last lines.
        lines().clear();
        drop(log);
        let mut log = LogFile::open(&here);
        assert_eq!(tail().last().map(String::as_str), Some("event 49"));
        log.write_all(b"again\n").expect("never fails");
        assert_eq!(read(FILE), new + "again\n");
        for _ in 0..LINES {
            log.write_all(b"more\n").expect("never fails");
        }
        assert_eq!((tail().len(), tail()[0].as_str()), (LINES, "more"));
        // A log that cannot be written stops nothing: here its folder would lie in a file.
        LogFile::open(&here.join(FILE).join("log")).write_all(b"lost\n").expect("never fails");
        assert_eq!(tail().last().map(String::as_str), Some("lost"));
    }
}
