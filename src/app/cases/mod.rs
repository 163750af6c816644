//! The work on the cases of a list: their states, the reader's name, accepted masks.

mod apply;
mod arrivals;
mod pair;
mod pair_form;
mod readers;
mod readers_table;
mod states;

use std::path::PathBuf;

pub use crate::data::cases::CaseState;
pub use pair_form::{PairCommand, PairForm};
pub use readers_table::{Column, Readers, ReadersCommand};
pub use states::CaseStates;

use crate::annotate::Edit;
use crate::data::cases::CaseStore;
use crate::engine::jobs::{CaseRecorded, CasesRead};
use crate::engine::{Pending, Several, Ticket};

/// A command about the cases of the list.
#[derive(Clone, Debug, PartialEq)]
pub enum CasesCommand {
    /// Accept the mask of the open case and open the next one that is not finished.
    Accept,
    /// Reject the open case and open the next one that is not finished.
    Reject,
    /// Put the open case back among those to do.
    TakeBack,
    /// Show only the cases in this state, or all of them.
    Filter(Option<CaseState>),
    /// Ask for the reader's name.
    AskName,
    /// Type the reader's name.
    TypeName(String),
    /// Use the name that was typed, and do what waits for it.
    UseName,
    /// Leave the name as it is, and drop what waits for it.
    LeaveName,
    /// A command about pairs for training.
    Pair(PairCommand),
    /// A command about the agreement of readers.
    Readers(ReadersCommand),
    /// Write the agreement of readers to a file.
    SaveAgreement(PathBuf),
}

/// The question for the reader's name.
#[derive(Clone, Debug, PartialEq)]
pub struct Naming {
    /// The text of the field.
    pub name: String,
    /// What is done once the name is known.
    waiting: Vec<Waiting>,
}

/// Something that waits for the reader's name.
#[derive(Clone, Debug, PartialEq)]
enum Waiting {
    /// A command.
    Command(CasesCommand),
    /// The first edit of a case of a list.
    Edited(Ticket, usize),
}

/// A state that is being recorded.
#[derive(Clone, Copy, Debug)]
struct Recording {
    /// The ticket of the list.
    list: Ticket,
    /// The image and the revision of its annotation that is accepted.
    accepted: Option<(Ticket, u64)>,
    /// The case after which the next one is opened.
    goes_on: Option<usize>,
}

/// The state of the work on the cases.
#[derive(Default)]
pub struct Cases {
    /// The folder of the settings.
    pub settings_folder: Option<PathBuf>,
    /// The question for the reader's name, while it is asked.
    pub naming: Option<Naming>,
    /// The pair for training.
    pub pair: PairForm,
    /// The agreement of readers.
    pub readers: Readers,
    /// The states that are being read, with the ticket of their list.
    reading: Pending<Ticket, CasesRead>,
    /// The states that are being recorded.
    recording: Several<Recording, CaseRecorded>,
    /// The accepted mask that is being read, with its image and the revision of the annotation.
    accepted: Pending<(Ticket, u64), Vec<Edit>>,
    /// Whether an accepted mask is to be read once it is known what was drawn on the image before.
    wants_accepted: bool,
    /// Where the states of the list lie, with its ticket.
    store: Option<(Ticket, CaseStore)>,
    /// The image whose annotation is followed, and its revision.
    followed: Option<(Ticket, u64)>,
}

/// Returns the name of the user of this computer, as a first suggestion for the reader's name.
fn user_name() -> String {
    let known = ["USER", "USERNAME", "LOGNAME"].into_iter().find_map(|key| std::env::var(key).ok());
    known.unwrap_or_default().trim().to_owned()
}
