//! The file of a journal, which is appended to and now and then replaced by a shorter one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::format::{JournalError, Record, SavedIn, Seal, Tail, encode_to};
use super::identity::{ImageIdentity, journal_path};
use super::lock::{CaseLock, Holder};
use super::replay::{Replayed, header, replay};
use super::snapshot::file_content;
use crate::annotate::Annotation;
use crate::data::{DataError, Limit, write};

/// The journal is replaced by a shorter one if it has grown to this many times its length after the last replacement.
const GROWTH: u64 = 4;
/// A journal shorter than this is not replaced, in bytes.
const SMALL: u64 = 1 << 20;
/// The number of journals that are kept aside of one case.
const MOST_ASIDE: usize = 99;
/// A longer file is not read, in bytes. A journal is replaced by a shorter one long before.
const LONGEST: u64 = 1 << 30;
/// What is wrong with a longer one.
const TOO_LONG: &str = "it is too long for an annotation";

/// The journal of the case that this window has the lock of.
#[derive(Debug)]
pub struct JournalFile {
    path: PathBuf,
    image: ImageIdentity,
    /// The file, to append to; `None` if there is none yet or it has to be written as a whole.
    file: Option<File>,
    /// The length of its valid part, in bytes.
    end: u64,
    seal: Seal,
    /// The length after it was last written as a whole, in bytes.
    base: u64,
    /// Whether it has changes after the case was last closed.
    is_open: bool,
    /// Keeps others from writing. It is dropped last, when the file is closed.
    _lock: CaseLock,
}

/// The reason why a journal is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another window has the case. The number of its process, if that is known.
    InUse(Option<u32>),
    /// The journal is of a later version of the program, which would lose what this one does not know.
    Newer(String),
    /// The journal cannot be read or written now.
    Failed(String),
}

/// What there is of a case.
#[derive(Debug)]
pub struct OpenedJournal {
    /// The journal, or why it is not written.
    pub journal: Result<JournalFile, Refusal>,
    /// Its content; `None` if there is none.
    pub content: Option<Replayed>,
    /// A former journal that was kept aside because it is damaged or does not fit.
    pub aside: Option<PathBuf>,
    /// The journal of another content that was in the same place.
    pub former: Option<PathBuf>,
}

/// The annotation after the records that are appended together with it.
#[derive(Clone, Debug)]
pub struct JournalState {
    /// The annotation.
    pub annotation: Annotation,
    /// The file in which it was saved last; `None` if it never was.
    pub file: Option<SavedIn>,
}

/// Opens the journal of an image in `folder`, and takes the lock of the case. Nothing is created but the lock. A journal of
/// the same content is taken over if its image is not in its place any more.
pub fn open(folder: &Path, image: ImageIdentity, limit: Limit) -> OpenedJournal {
    let stem = image.stem();
    let path = journal_path(folder, &stem);
    // If it cannot be created, the lock says why.
    let _ = fs::create_dir_all(folder);
    let lock = match CaseLock::take(&path.with_extension("lock")) {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(Holder(process))) => Err(Refusal::InUse(process)),
        Err(error) => Err(Refusal::Failed(unwritable(&path)(error).to_string())),
    };
    if lock.is_ok() && !path.exists() {
        take_moved(folder, &image, &path);
    }
    let former = former(folder, &image);
    let none = |journal| OpenedJournal { journal, content: None, aside: None, former: former.clone() };
    let failed = |error: DataError| Refusal::Failed(error.to_string());
    let bytes = match read(&path) {
        Ok(bytes) if !bytes.is_empty() => bytes,
        Ok(_) | Err(DataError::Missing { .. }) => {
            return none(lock.map(|lock| JournalFile::new(path, image, lock)));
        }
        // Without its content it must not be written.
        Err(error) => return none(Err(lock.err().unwrap_or_else(|| failed(error)))),
    };
    match replay(&bytes, image.shape, limit) {
        Ok(content) => {
            let lock = match lock {
                Ok(lock) => lock,
                Err(refusal) => return OpenedJournal { content: Some(content), ..none(Err(refusal)) },
            };
            let mut journal = JournalFile::new(path, image, lock);
            let aside = match content.tail {
                Tail::Damaged => match journal.copy_aside() {
                    Ok(aside) => Some(aside),
                    Err(error) => {
                        return OpenedJournal { content: Some(content), ..none(Err(failed(error))) };
                    }
                },
                Tail::None | Tail::Torn => None,
            };
            journal.resume(&content, bytes.len());
            OpenedJournal { journal: Ok(journal), content: Some(content), aside, former }
        }
        Err(error @ JournalError::Newer(_)) => none(Err(Refusal::Newer(error.to_string()))),
        Err(_) => {
            let journal = lock.map(|lock| JournalFile::new(path, image, lock));
            match journal.map(|mut journal| journal.copy_aside().map(|aside| (journal, aside))) {
                Ok(Ok((journal, aside))) => OpenedJournal { aside: Some(aside), ..none(Ok(journal)) },
                Ok(Err(error)) => none(Err(failed(error))),
                Err(refusal) => none(Err(refusal)),
            }
        }
    }
}

impl JournalFile {
    fn new(path: PathBuf, image: ImageIdentity, lock: CaseLock) -> Self {
        Self { path, image, file: None, end: 0, seal: Seal::default(), base: 0, is_open: false, _lock: lock }
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the image that the journal belongs to.
    pub fn image(&self) -> &ImageIdentity {
        &self.image
    }

    /// Returns the checksum of the last record, which identifies the content.
    pub fn seal(&self) -> Seal {
        self.seal
    }

    /// Goes on from the valid part of a file with `length` bytes. If it cannot be cut or opened, the first append writes
    /// it as a whole.
    fn resume(&mut self, content: &Replayed, length: usize) {
        let open = OpenOptions::new().append(true).open(&self.path);
        let cut = open.and_then(|file| {
            if content.end < length {
                file.set_len(content.end as u64)?;
            }
            Ok(file)
        });
        (self.end, self.seal) = (content.end as u64, content.seal);
        self.file = cut.ok();
        self.is_open = content.steps_since_closed > 0;
        // The next replacement comes when it is due, and makes this the shorter one.
        self.base = 0;
    }

    /// Appends records, and returns when they are on the disk. `state` is the annotation after them. If this fails,
    /// nothing of them counts, and they can be appended again.
    ///
    /// # Errors
    /// Returns [`DataError::Unwritable`].
    pub fn append(&mut self, records: &[Record], state: &JournalState) -> Result<(), DataError> {
        let is_closed = records.last() == Some(&Record::Closed);
        if is_closed && state.file.is_none() && state.annotation.labels().next().is_none() {
            return self.remove();
        }
        if is_closed && records.len() == 1 && !self.is_open {
            // It was only looked at.
            return Ok(());
        }
        // A file that was deleted would take what is appended without keeping it.
        let is_there = fs::metadata(&self.path).is_ok_and(|data| data.len() == self.end);
        let Some(file) = self.file.as_mut().filter(|_| is_there) else {
            return self.write(state, is_closed);
        };
        let (mut bytes, mut seal) = (Vec::new(), self.seal);
        for record in records {
            seal = encode_to(&mut bytes, seal, record).map_err(unwritable(&self.path))?;
        }
        if self.end + bytes.len() as u64 > LONGEST {
            return self.write(state, is_closed);
        }
        if let Err(error) = file.write_all(&bytes).and_then(|()| file.sync_data()) {
            // What was written of it would stand before what is appended next.
            if file.set_len(self.end).is_err() {
                self.file = None;
            }
            return Err(unwritable(&self.path)(error));
        }
        (self.end, self.seal, self.is_open) = (self.end + bytes.len() as u64, seal, !is_closed);
        if self.end > SMALL.max(self.base.saturating_mul(GROWTH)) {
            // The records are kept; if the disk is too full for another file, the journal goes on growing.
            let _ = self.write(state, is_closed);
        }
        Ok(())
    }

    /// Writes the journal as a whole, in place of the former one. A former one that this window did not write is kept aside.
    fn write(&mut self, state: &JournalState, is_closed: bool) -> Result<(), DataError> {
        self.replace(state, is_closed, |path, bytes| write::durably(path, |out| out.write_all(bytes)))
    }

    /// Does the same by `put`, which writes a file durably or leaves it as it is. If it fails, the former file goes on.
    pub(super) fn replace(
        &mut self,
        state: &JournalState,
        is_closed: bool,
        put: impl FnOnce(&Path, &[u8]) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let length = fs::metadata(&self.path).map(|data| data.len()).ok();
        if length.is_some_and(|length| length != self.end) {
            self.copy_aside()?;
        }
        let header = self.image.header(state.file.clone());
        let content = file_content(&header, &state.annotation, !state.annotation.is_dirty());
        let (mut bytes, mut seal) = content.map_err(unwritable(&self.path))?;
        if is_closed {
            seal = encode_to(&mut bytes, seal, &Record::Closed).map_err(unwritable(&self.path))?;
        }
        if bytes.len() as u64 > LONGEST {
            return Err(unwritable(&self.path)(TOO_LONG));
        }
        if let Some(folder) = self.path.parent() {
            // If this fails, the write that follows says why.
            let _ = fs::create_dir_all(folder);
        }
        // Windows does not replace a file that is open.
        let was_appended_to = self.file.take().is_some();
        if let Err(error) = put(&self.path, &bytes) {
            if was_appended_to {
                self.go_on();
                // Not at every stroke is it tried again.
                self.base = self.end;
            }
            return Err(error);
        }
        (self.end, self.seal, self.base) = (bytes.len() as u64, seal, bytes.len() as u64);
        self.is_open = !is_closed;
        self.go_on();
        Ok(())
    }

    /// Opens the file to append to its valid part. If this fails, the next append writes it as a whole.
    fn go_on(&mut self) {
        self.file = OpenOptions::new().append(true).open(&self.path).ok();
    }

    /// Deletes the file, because there is nothing to keep. If this fails, it stays as it is.
    fn remove(&mut self) -> Result<(), DataError> {
        let was_appended_to = self.file.take().is_some();
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                if was_appended_to {
                    self.go_on();
                }
                return Err(unwritable(&self.path)(error));
            }
            _ => (self.end, self.seal, self.base, self.is_open) = (0, Seal::default(), 0, false),
        }
        Ok(())
    }

    /// Keeps a copy of the file as it is under another name, which it returns. The file is written as a whole afterwards.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read or the copy cannot be written.
    pub fn copy_aside(&mut self) -> Result<PathBuf, DataError> {
        let stem = self.image.stem();
        let name = |number| self.path.with_file_name(format!("{stem}.{number}.{}", super::EXTENSION));
        let free = (1..=MOST_ASIDE).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(MOST_ASIDE));
        let mut from = File::open(&self.path).map_err(unwritable(&self.path))?;
        let mut length = 0;
        write::durably(&free, |out| io::copy(&mut from, out).map(|copied| length = copied))?;
        (self.file, self.end) = (None, length);
        Ok(free)
    }
}

/// Reads a journal or a saved annotation.
///
/// # Errors
/// Returns an error if the file cannot be read, or is too long.
pub fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes));
    let reason = match read {
        Ok(_) if bytes.len() as u64 <= LONGEST => return Ok(bytes),
        Ok(_) => TOO_LONG.to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(DataError::Missing { path: path.to_owned() });
        }
        Err(error) => error.to_string(),
    };
    Err(DataError::Unreadable { path: path.to_owned(), reason })
}

/// Makes the error of a file that cannot be written.
fn unwritable<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> DataError {
    move |error| DataError::writing(path, error)
}

/// The journals in `folder`, as pairs of path and file name without an extension.
fn journals(folder: &Path) -> impl Iterator<Item = (PathBuf, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|end| end == super::EXTENSION)).filter_map(|path| {
        let stem = path.file_stem()?.to_str()?.to_owned();
        Some((path, stem))
    })
}

/// Renames the journal of an image that has been moved or renamed, if nobody has it open.
fn take_moved(folder: &Path, image: &ImageIdentity, path: &Path) {
    for (known, _) in journals(folder).filter(|(_, stem)| image.is_moved(stem)) {
        let Ok(header) = read(&known).map(|bytes| header(&bytes)) else { continue };
        let is_gone = header.is_ok_and(|header| !Path::new(&header.image).exists());
        if is_gone && let Ok(Ok(_lock)) = CaseLock::take(&known.with_extension("lock")) {
            // If it cannot be renamed, it stays where it is, and the image has a new one.
            if fs::rename(&known, path).is_ok() {
                return;
            }
        }
    }
}

/// The journal of another content that was in the place of the image.
fn former(folder: &Path, image: &ImageIdentity) -> Option<PathBuf> {
    journals(folder).find(|(_, stem)| image.is_changed(stem)).map(|(path, _)| path)
}
