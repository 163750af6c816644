//! Sessions: saving and opening what is open, restoring it after a crash, and the table of the variants.

mod apply;
mod capture;
mod opening;
mod recovery;
mod view;

use std::path::PathBuf;
use std::time::Instant;

use crate::data::KnownFile;
use crate::engine::jobs::Claimed;
use crate::engine::session::{Located, Lost, Part, Session};
use crate::engine::{Pending, Several, Ticket};

pub use recovery::RecoveryFile;
pub use view::SessionView;

/// A command about sessions.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionCommand {
    /// Read a session and open it.
    Open(PathBuf),
    /// Write a session.
    Save(PathBuf),
    /// Open a session that was read from this file.
    Show(PathBuf, Box<Located<SessionView>>),
    /// Take this file for the one that a part of the session lacks.
    Found(Part, PathBuf),
    /// Stop reading a session or looking for its files.
    Cancel,
    /// Open the session without a part.
    LeaveOut(Part),
    /// Open the session that was left behind.
    Restore,
    /// Delete the session that was left behind.
    Discard,
    /// Write the table of the variants.
    SaveVariants(PathBuf),
}

/// The session that was opened last.
pub struct OpenSession {
    /// The path of its file; `None` if it was restored after a crash.
    pub path: Option<PathBuf>,
    /// The session, as it was when it was opened.
    session: Session<SessionView>,
    /// The parts that lack a file.
    pub lost: Vec<Lost>,
    /// The ticket of the request for its image.
    image: Option<Ticket>,
    /// Whether its image has been opened.
    has_image: bool,
    /// The ticket of the request for its ground truth.
    truth: Option<Ticket>,
    /// What is said of its image as long as that is open.
    about_image: Option<String>,
}

/// A session that was left behind by a program that was not closed.
struct LeftBehind {
    /// Its file, which belongs to this program now.
    file: Claimed,
    /// The name of its image.
    about: String,
    /// Whether it was opened, so that its file is deleted as soon as this program keeps the same.
    is_restored: bool,
}

/// The state of the sessions.
#[derive(Default)]
pub struct Sessions {
    /// The session that is being read.
    pub opening: Pending<PathBuf, Located<SessionView>>,
    /// The parts whose files are looked for again.
    finding: Pending<Vec<Part>, Located<SessionView>>,
    /// The session that was opened last.
    pub open: Option<OpenSession>,
    /// What is known of the file that was opened or saved last.
    file: Option<KnownFile>,
    /// The session that is being saved.
    saving: Pending<PathBuf, KnownFile>,
    /// The file in which to save next: what is known of it is known when the save before is done.
    next: Option<PathBuf>,
    /// Sessions that were left behind, the newest first.
    left: Vec<LeftBehind>,
    /// Those of them that are being deleted.
    removing: Several<Claimed, ()>,
}

impl Sessions {
    /// Returns whether this is the ticket of the image of the session, which is being opened.
    pub fn awaits(&self, image: Ticket) -> bool {
        self.open.as_ref().is_some_and(|open| open.image == Some(image) && !open.has_image)
    }

    /// Returns whether the ground truth with this ticket is of the session and was not shown when that was saved.
    pub fn hides(&self, truth: Ticket) -> bool {
        self.open.as_ref().is_some_and(|open| open.truth == Some(truth) && !open.session.view.show_truth)
    }

    /// Returns since when a session is being read and its files are looked for, and the amount done and the total, if
    /// that is known; `None` if no session is.
    pub fn progress(&self) -> Option<(Instant, Option<(usize, usize)>)> {
        let reading = self.opening.pending().map(|asked| (asked.since, asked.progress()));
        reading.or_else(|| self.finding.pending().map(|asked| (asked.since, asked.progress())))
    }

    /// Returns the name of the image of the newest session that was left behind and not restored yet.
    pub fn left_behind(&self) -> Option<&str> {
        self.left.iter().find(|left| !left.is_restored).map(|left| left.about.as_str())
    }

    /// Returns the parts of the session that lack a file.
    pub fn lost(&self) -> &[Lost] {
        self.open.as_ref().map_or(&[], |open| &open.lost)
    }
}
