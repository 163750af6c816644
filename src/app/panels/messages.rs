//! The message log.

use eframe::egui::{Label, RichText, Ui};

use super::panel::Panel;
use super::toasts;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// The message log.
pub struct Messages;

const INFO: PaneInfo = PaneInfo {
    title: "Messages",
    help: "All messages of this session, also those that were dismissed.",
    places: &[
        Place::new(Tab::Read, Column::Right, 1),
        Place::new(Tab::Annotate, Column::Middle, 2).closed(),
        Place::new(Tab::Prompts, Column::Middle, 2).closed(),
        Place::new(Tab::Stages, Column::Middle, 2).closed(),
        Place::new(Tab::Compare, Column::Middle, 2).closed(),
        Place::new(Tab::Train, Column::Middle, 4),
    ],
    ..PaneInfo::new(Pane::MESSAGES)
};

impl Panel for Messages {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn title(&self, state: &State) -> String {
        match state.notes.unread() {
            0 => INFO.title.to_owned(),
            unread => format!("{} ({unread})", INFO.title),
        }
    }

    /// The panel is idle if there are no messages and the user has not opened it.
    fn is_idle(&self, state: &State, is_front: bool) -> bool {
        let is_before_run = state.tab == Tab::Train && state.training.run.is_none();
        is_before_run && !is_front && state.notes.log().next().is_none()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, _commands: &mut Vec<Command>) {
        state.notes.mark_read();
        if state.notes.log().next().is_none() {
            ui.label(RichText::new("No messages so far.").weak());
        }
        for note in state.notes.log() {
            ui.label(toasts::heading(ui, note.kind));
            ui.add(Label::new(&note.text).wrap());
            ui.add_space(4.0);
        }
    }
}
