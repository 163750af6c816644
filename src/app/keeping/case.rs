//! The journal of one case, as the window sees it: what waits to be written, and what the storage thread answered.

use std::path::Path;
use std::time::{Duration, Instant};

use super::Access;
use super::merge::merged;
use crate::annotate::journal::{ImageIdentity, JournalState, Record, Refusal, SavedIn, Seal};
use crate::annotate::{Annotation, Edit, Source};
use crate::data::KnownFile;
use crate::engine::jobs::{AppendToJournal, CaseOpened, IdentifyImage, OpenJournal, SharedJournal};
use crate::engine::{Engine, Pending, Ticket};

/// What could not be written or opened is tried again after this time.
const AGAIN: Duration = Duration::from_secs(3);
/// A case whose last changes this program is still writing is tried again after this time.
const SOON: Duration = Duration::from_millis(100);

/// A case.
pub(super) struct Case {
    /// The ticket of its image.
    pub image: Ticket,
    /// The name of its image.
    pub name: String,
    /// The image.
    pub identity: Option<ImageIdentity>,
    /// What becomes of changes.
    pub access: Access,
    /// The file in which the annotation is saved; `None` if it never was.
    pub file: Option<KnownFile>,
    /// The revision of the annotation when it was opened. Later ones are changes of this window.
    pub entered: u64,
    /// The annotation at the end, if the case was closed.
    pub last: Option<Annotation>,
    source: Source,
    shape: [usize; 3],
    /// The journal; `None` if it is not open.
    journal: Option<SharedJournal>,
    /// What the journal had when it was opened; `None` before the first answer.
    known: Option<Seal>,
    /// The records that are not acknowledged.
    waiting: Vec<Record>,
    identifying: Pending<(), ImageIdentity>,
    opening: Pending<(), CaseOpened>,
    /// The number of records that are being written.
    writing: Pending<usize, ()>,
    next_try: Option<Instant>,
    /// Whether the user was told that changes cannot be written.
    is_told: bool,
}

/// What happened to a case since the last frame.
pub(super) enum Happened {
    /// Its image is known.
    Identified,
    /// Its journal was opened for the first time.
    Opened(Box<CaseOpened>),
    /// This program has not given up its journal yet.
    HeldHere,
    /// Another window had it, which wrote more or was closed.
    Followed(Box<CaseOpened>),
    /// A journal with another content was kept aside.
    KeptAside(std::path::PathBuf),
    /// Changes can be kept no more, for this reason.
    Failed(String),
    /// Changes are kept again.
    Recovered,
}

impl Case {
    pub fn new(image: Ticket, name: String, source: Source, shape: [usize; 3]) -> Self {
        Self {
            image,
            name,
            identity: None,
            access: Access::Opening,
            file: None,
            entered: 0,
            last: None,
            source,
            shape,
            journal: None,
            known: None,
            waiting: Vec::new(),
            identifying: Pending::default(),
            opening: Pending::default(),
            writing: Pending::default(),
            next_try: None,
            is_told: false,
        }
    }

    /// Returns the case as the open one again, after it was closed and before its last changes were written.
    pub fn opened_again(mut self, image: Ticket) -> (Self, Annotation) {
        self.image = image;
        self.waiting.retain(|record| *record != Record::Closed);
        let last = self.last.take().unwrap_or_else(|| Annotation::new(self.shape));
        (self, last)
    }

    /// Whether another case is about the same image, so that its last changes have to be taken over. What is being written
    /// is not: with its last record the journal is closed, and takes nothing more.
    pub fn has_unwritten_of(&self, image: &ImageIdentity) -> bool {
        let is_writing = self.writing.pending().is_some();
        let is_stuck = (self.next_try.is_some() && !is_writing) || self.journal.is_none();
        is_stuck && self.identity.as_ref().is_some_and(|own| own.stem() == image.stem())
    }

    pub fn record(&mut self, edits: &[Edit]) {
        if self.access != Access::Unkept && !edits.is_empty() {
            self.waiting.push(Record::Edits(edits.to_vec()));
        }
    }

    /// Records that the annotation was saved in its file. `is_current` says that it was not changed since.
    pub fn record_saved(&mut self, is_current: bool) {
        if let Some(file) = self.saved_in().filter(|_| self.access != Access::Unkept) {
            self.waiting.push(Record::Saved { file, is_current });
        }
    }

    /// Forgets what was recorded, because it was about an annotation that another one has replaced.
    pub fn forget_records(&mut self) {
        self.waiting.clear();
    }

    /// Closes the case with its last annotation. Returns whether anything is left to be written.
    pub fn close(&mut self, last: Annotation) -> bool {
        let is_kept = match self.access {
            Access::Kept | Access::Opening | Access::Failing(_) => {
                self.journal.is_some() || !self.waiting.is_empty()
            }
            Access::ReadOnly(_) | Access::Unkept => false,
        };
        if is_kept {
            self.waiting.push(Record::Closed);
            self.last = Some(last);
        }
        is_kept
    }

    pub fn is_written(&self) -> bool {
        self.waiting.is_empty() && !matches!(self.access, Access::Opening)
    }

    /// Returns the reason why changes cannot be written; `None` if there are none, or if they can.
    pub fn failing(&self) -> Option<&str> {
        match &self.access {
            Access::Failing(reason) if !self.waiting.is_empty() => Some(reason),
            _ => None,
        }
    }

    pub fn until_next_try(&self) -> Option<Duration> {
        Some(self.next_try?.saturating_duration_since(Instant::now()))
    }

    pub fn try_again(&mut self) {
        if self.next_try.is_some() {
            self.next_try = Some(Instant::now());
        }
    }

    fn saved_in(&self) -> Option<SavedIn> {
        let file = self.file.as_ref()?;
        SavedIn::new(file.path(), file.content()?)
    }

    /// Takes the answers of the threads.
    pub fn take_answers(&mut self) -> Vec<Happened> {
        let mut happened = Vec::new();
        match self.identifying.take() {
            Some(Ok(identity)) => {
                self.identity = Some(identity);
                self.next_try = None;
                happened.push(Happened::Identified);
            }
            Some(Err(failure)) => self.failed(failure.message()),
            None => {}
        }
        match self.opening.take() {
            Some(Ok(opened)) => self.opened(opened, &mut happened),
            Some(Err(failure)) => self.failed(failure.message()),
            None => {}
        }
        match self.writing.take() {
            Some(Ok(())) => {
                let count = self.writing.asked().copied().unwrap_or_default();
                self.waiting.drain(..count.min(self.waiting.len()));
                self.next_try = None;
                self.access = Access::Kept;
            }
            Some(Err(failure)) => self.failed(failure.message()),
            None => {}
        }
        // Who only looks at images need not know of a folder that cannot be written to.
        match self.failing().map(str::to_owned) {
            Some(reason) if !self.is_told => {
                self.is_told = true;
                happened.push(Happened::Failed(reason));
            }
            None if self.is_told && self.is_written() => {
                self.is_told = false;
                happened.push(Happened::Recovered);
            }
            _ => {}
        }
        happened
    }

    /// Returns whether there is nothing left to do for a case that was closed.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty()
    }

    fn opened(&mut self, mut opened: CaseOpened, happened: &mut Vec<Happened>) {
        let seal = opened.content.as_ref().map_or_else(Seal::default, |content| content.seal);
        let is_first = self.known.is_none();
        let was_read_only = matches!(self.access, Access::ReadOnly(_));
        let is_news = is_first || (was_read_only && (self.known != Some(seal) || opened.journal.is_ok()));
        match &opened.journal {
            Ok(journal) => {
                self.journal = Some(journal.clone());
                // With something to write, a failure is over when that is written.
                if !matches!(self.access, Access::Failing(_)) || self.waiting.is_empty() {
                    self.access = Access::Kept;
                }
                self.next_try = None;
            }
            // This program has not given it up yet.
            Err(Refusal::InUse(Some(process))) if *process == std::process::id() => {
                self.next_try = Some(Instant::now() + SOON);
                happened.push(Happened::HeldHere);
                return;
            }
            Err(Refusal::InUse(process)) => {
                let process = process.map(|process| format!(" (process {process})")).unwrap_or_default();
                let reason = format!(
                    "This image is open in another HiMix window{process}. Its annotation can be changed there, and is shown here."
                );
                self.access = Access::ReadOnly(reason);
                self.next_try = Some(Instant::now() + AGAIN);
            }
            Err(Refusal::Newer(reason)) => {
                self.access = Access::ReadOnly(reason.clone());
                self.next_try = None;
            }
            Err(Refusal::Failed(reason)) => self.failed(Some(reason.clone())),
        }
        // What could not be read is not known to be nothing: it counts when it can be read.
        let is_known = !matches!(opened.journal, Err(Refusal::Failed(_))) || opened.content.is_some();
        if !is_known {
            return;
        }
        if is_first || was_read_only {
            self.known = Some(seal);
        }
        if let Some(last) = self.last.take_if(|_| is_first) {
            self.last = Some(self.end_of_closed(last, &opened));
        }
        match is_news {
            true if is_first => happened.push(Happened::Opened(Box::new(opened))),
            true => happened.push(Happened::Followed(Box::new(opened))),
            false => happened.extend(opened.aside.take().map(Happened::KeptAside)),
        }
    }

    /// The end of a case that was closed before its journal was open: what was drawn is added to what there was.
    fn end_of_closed(&mut self, last: Annotation, opened: &CaseOpened) -> Annotation {
        if matches!(self.access, Access::ReadOnly(_)) {
            self.waiting.clear();
        }
        let Some(content) = opened.content.as_ref().filter(|_| opened.journal.is_ok()) else { return last };
        let (merged, edits) = merged(&content.annotation, &last);
        self.waiting = vec![Record::Edits(edits), Record::Closed];
        merged
    }

    /// Notes that something failed for this reason; `None` if it was cancelled.
    fn failed(&mut self, reason: Option<String>) {
        self.next_try = Some(Instant::now() + AGAIN);
        if let Some(reason) = reason {
            self.access = Access::Failing(reason);
        }
    }

    /// Asks the threads for what comes next. `live` is the annotation of an open case.
    pub fn ask(&mut self, engine: &Engine, folder: Option<&Path>, live: &Annotation) {
        if self.next_try.is_some_and(|next| next > Instant::now()) {
            return;
        }
        let is_asked = self.identifying.pending().is_some()
            || self.opening.pending().is_some()
            || self.writing.pending().is_some();
        if is_asked {
            return;
        }
        // If a thread is busy, the next frame tries again.
        match (&self.identity, &self.journal) {
            (None, _) => {
                let job = IdentifyImage { source: self.source.clone(), shape: self.shape };
                let _ = engine.ask(&mut self.identifying, (), job);
            }
            (Some(image), None) => {
                let Some(folder) = folder else {
                    self.access = Access::Unkept;
                    return self.waiting.clear();
                };
                let is_over = self.known.is_some() && self.next_try.is_none();
                if !is_over {
                    // The first content is taken as it is, and so is what another window wrote.
                    let known = self.known.filter(|_| !matches!(self.access, Access::ReadOnly(_)));
                    let job = OpenJournal { folder: folder.to_owned(), image: image.clone(), known };
                    let _ = engine.ask(&mut self.opening, (), job);
                }
            }
            (Some(_), Some(journal)) if !self.waiting.is_empty() => {
                let annotation = self.last.as_ref().unwrap_or(live).clone();
                let state = JournalState { annotation, file: self.saved_in() };
                let job = AppendToJournal { journal: journal.clone(), records: self.waiting.clone(), state };
                let _ = engine.ask(&mut self.writing, self.waiting.len(), job);
            }
            (Some(_), Some(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::annotate::{Label, journal};
    use crate::data::Limit;
    use crate::engine::trainer;

    const SHAPE: [usize; 3] = [4, 3, 1];

    #[test]
    fn what_is_being_written_is_not_taken_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::start(Arc::new(|_, _| Err("there is no model".into())), trainer(), Arc::new(|| ()))
            .expect("threads start");
        let image = ImageIdentity::of_sample("Two foci", SHAPE);
        let opened = journal::open(folder.path(), image.clone(), Limit::default()).journal.expect("nobody has it");
        let journal: SharedJournal = Arc::new(Mutex::new(Some(opened)));
        let mut annotation = Annotation::new(SHAPE);
        let (_, edit) = annotation.add_label(Label::new("lesion", [1, 2, 3])).expect("a new name");
        annotation.apply(std::slice::from_ref(&edit)).expect("it fits");

        let mut case = Case::new(1, "a.png".into(), Source::Files("a.png".into(), Vec::new()), SHAPE);
        (case.identity, case.journal, case.access) = (Some(image.clone()), Some(journal.clone()), Access::Kept);
        case.record(&[edit]);
        assert!(case.close(annotation.clone()), "there is something to write");
        case.failed(Some("the disk is full".into()));
        assert!(case.has_unwritten_of(&image), "it waits for its next try");
        case.try_again();
        let held = journal.lock().expect("nobody panicked");
        case.ask(&engine, Some(folder.path()), &annotation);
        assert!(!case.has_unwritten_of(&image), "its last record is on its way");
        drop(held);
        while case.writing.pending().is_some() {
            case.take_answers();
            std::thread::yield_now();
        }
        assert!(case.is_done(), "{:?}", case.failing());
        assert!(journal.lock().expect("nobody panicked").is_none(), "it is closed");
    }
}
