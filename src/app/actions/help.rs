//! The Help menu.

use eframe::egui::Key;

use super::action::{Action, Given, Group};
use super::choices::Item;
use crate::app::command::Command;
use crate::app::keys::{ActionId, Chord};
use crate::app::page::Page;
use crate::app::pane::Pane;
use crate::app::state::State;

const NEW: Action = Action::of(Group::Program);

/// The entries of the menu.
pub const ITEMS: &[Item] = &[
    Item::Action(Action {
        id: ActionId("palette"),
        name: "Command palette…",
        keys: &[Chord::ctrl(Key::K)],
        is_in_palette: false,
        command: |state| {
            Ok(Command::ShowPalette(match state.palette {
                Some(_) => None,
                None => Some(String::new()),
            }))
        },
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("shortcuts"),
        name: "Keyboard shortcuts",
        words: "keys preferences settings",
        keys: &[Chord::key(Key::Questionmark)],
        command: |state| page(state, Page::Shortcuts),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("messages"),
        name: "Messages",
        words: "errors warnings log",
        command: |_| Ok(Command::OpenPane(Pane::MESSAGES, true)),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("copy_diagnostics"),
        name: "Copy diagnostics",
        words: "version device driver report fault",
        command: |_| Ok(Command::CopyDiagnostics),
        ..NEW
    }),
    Item::Action(Action {
        id: ActionId("about"),
        name: "About HiMix",
        words: "version licence",
        command: |state| page(state, Page::About),
        ..NEW
    }),
];

/// Opens a page, or closes it if it is already open.
pub(super) fn page(state: &State, page: Page) -> Given {
    Ok(Command::ShowPage((state.page != Some(page)).then_some(page)))
}
