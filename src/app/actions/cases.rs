//! The entries of the Annotation menu about the case of the worklist.

use eframe::egui::Key;

use super::action::{Action, Group, image};
use super::choices::Item;
use crate::app::cases::{CaseState, CasesCommand};
use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord};
use crate::app::pane::Pane;

/// Accepts the case. While a text is edited, its keys belong to the text.
pub const ACCEPT_CASE: ActionId = ActionId("accept_case");
/// Rejects the case. While a text is edited, its keys belong to the text.
pub const REJECT_CASE: ActionId = ActionId("reject_case");

const NEW: Action = Action::of(Group::Annotate);

/// The entries.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ACCEPT_CASE,
        name: "Accept the case and open the next",
        words: "done worklist finish mask",
        keys: &[Chord::ctrl(Key::Enter)],
        command: |state| state.open_case().map(|_| Command::Cases(CasesCommand::Accept)),
        ..NEW
    }),
    Item::Action(Action {
        id: REJECT_CASE,
        name: "Reject the case and open the next",
        words: "worklist unusable",
        keys: &[Chord::ctrl(Key::Backspace)],
        command: |state| state.open_case().map(|_| Command::Cases(CasesCommand::Reject)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("case_to_do"),
        name: "Put the case back to do",
        words: "worklist reopen",
        command: |state| {
            let place = state.open_case()?;
            let is_to_do = state.worklist.as_ref().is_none_or(|list| list.states.state(place) == CaseState::ToDo);
            let command = Command::Cases(CasesCommand::TakeBack);
            if is_to_do { Err("The case is to do already.") } else { Ok(command) }
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("save_pair"),
        name: "Save as training pair…",
        words: "data set train sentence export",
        command: |state| image(state).map(|_| Command::OpenPane(Pane::TRAINING_PAIR, true)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("reader_name"),
        name: "Reader's name…",
        words: "annotator user worklist change",
        command: |_| Ok(Command::Cases(CasesCommand::AskName)),
        ..NEW
    }),
];
