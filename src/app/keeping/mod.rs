//! Keeps annotations: in journals that the storage thread writes while one draws, and in files where the user saves them.
//!
//! Every image has a journal of its own. It is opened with the image, receives every edit, and brings the annotation back
//! when the image is opened again, after a crash as well.

mod case;
mod closing;
mod flow;
mod merge;
mod saving;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::case::Case;
use crate::annotate::Edit;
use crate::engine::jobs::{AnnotationRead, AnnotationSaved};
use crate::engine::{Pending, Ticket};

/// A command about annotations and their files.
#[derive(Clone, Debug, PartialEq)]
pub enum KeepCommand {
    /// Save the annotation in its file, or ask for one.
    Save,
    /// Save the annotation in this file, which the user has chosen.
    SaveAs(PathBuf),
    /// Save the annotation in its file, although another program has changed that.
    Replace,
    /// Do not replace the file that another program has changed.
    KeepTheirs,
    /// Replace the annotation with the one in this file.
    Open(PathBuf),
    /// Write what could not be written.
    TryAgain,
    /// Save, then close the window.
    SaveAndClose,
    /// Close the window without saving.
    CloseAnyway,
    /// Keep the window open.
    StayOpen,
}

/// What becomes of changes of an annotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The journal is being opened. Changes wait for it.
    Opening,
    /// They are kept.
    Kept,
    /// They cannot be written now, for this reason, and are kept in memory.
    Failing(String),
    /// There are no journals, because there is no settings folder.
    Unkept,
    /// The annotation cannot be changed, for this reason.
    ReadOnly(String),
}

/// Whether the window is about to be closed with unsaved changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClosingUnsaved {
    /// It is not about to be closed.
    #[default]
    No,
    /// The user is asked.
    Asks,
    /// The window closes once the annotation is saved.
    AfterSaving,
    /// The window closes; the user was asked.
    Now,
}

/// The annotations that are being kept.
#[derive(Default)]
pub struct Keeping {
    /// The folder of the journals; `None` if there is none.
    folder: Option<PathBuf>,
    /// The open case.
    open: Option<Case>,
    /// Whether the annotation of the open case was not known in the last frame.
    was_opening: bool,
    /// Cases that were closed and whose last changes are not written yet.
    left: Vec<Case>,
    /// The annotation that is being saved, with what is known of it.
    saving: Pending<Saving, AnnotationSaved>,
    /// What to save next: what is known of the file is known when the save before is done.
    next: Option<KeepCommand>,
    /// The annotation that is being read, with the image that it is for.
    reading: Pending<(Ticket, PathBuf), AnnotationRead>,
    /// The annotation to read once it is known what was kept of the image with this ticket.
    to_open: Option<(Ticket, PathBuf)>,
    /// The file that another program has changed, so that the user is asked.
    changed_by_others: Option<PathBuf>,
    /// Whether the window is about to be closed with unsaved changes.
    pub closing: ClosingUnsaved,
}

/// An annotation that is being saved.
struct Saving {
    image: Ticket,
    revision: u64,
    path: PathBuf,
}

impl Keeping {
    /// Keeps annotations in a folder beside the settings file. Without settings, nothing is kept.
    pub fn new(settings: Option<&PathBuf>) -> Self {
        Self { folder: settings.map(|path| path.with_file_name("annotations")), ..Self::default() }
    }

    /// Returns what becomes of changes; `None` if no image is open.
    pub fn access(&self) -> Option<&Access> {
        self.open.as_ref().map(|case| &case.access)
    }

    /// Returns the reason why the annotation cannot be changed; `None` if it can.
    pub fn read_only(&self) -> Option<&str> {
        match self.access()? {
            Access::ReadOnly(reason) => Some(reason),
            Access::Opening | Access::Kept | Access::Failing(_) | Access::Unkept => None,
        }
    }

    /// Returns whether it is not known yet what was kept of the open image.
    pub fn is_opening(&self) -> bool {
        self.access() == Some(&Access::Opening)
    }

    /// Returns the file in which the annotation is saved; `None` if it never was.
    pub fn file(&self) -> Option<&Path> {
        Some(self.open.as_ref()?.file.as_ref()?.path())
    }

    /// Returns the file that another program has changed since it was opened or saved here.
    pub fn changed_by_others(&self) -> Option<&Path> {
        self.changed_by_others.as_deref()
    }

    /// Returns the reason why changes of the open case cannot be written now; `None` if there are none, or if they can.
    pub fn failing(&self) -> Option<&str> {
        self.open.as_ref()?.failing()
    }

    /// Returns the number of closed cases whose last changes could not be written yet, and the reason.
    pub fn failing_cases(&self) -> Option<(usize, &str)> {
        let reasons = self.left.iter().filter_map(Case::failing);
        Some((reasons.clone().count(), reasons.clone().next()?))
    }

    /// Returns whether all changes of the open case are on the disk.
    pub fn is_written(&self) -> bool {
        self.open.as_ref().is_none_or(Case::is_written)
    }

    /// Records edits that were applied to the annotation.
    pub fn record(&mut self, edits: &[Edit]) {
        if self.closing == ClosingUnsaved::Now {
            // The user has agreed to leave what there was, and the window was not closed.
            self.closing = ClosingUnsaved::No;
        }
        if let Some(case) = &mut self.open {
            case.record(edits);
        }
    }

    /// Returns the time until something is tried again; `None` if nothing is.
    fn until_next_try(&self) -> Option<Duration> {
        self.open.iter().chain(&self.left).filter_map(Case::until_next_try).min()
    }
}
