//! The steps that can be undone and redone.

use eframe::egui::{RichText, Ui};

use crate::app::annotating::AnnotateCommand;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::capitalised;

/// The steps in the order in which they were done.
pub struct Steps;

const INFO: PaneInfo = PaneInfo {
    title: "Steps",
    help: "What was done, step by step. A click goes back or forward to that step.",
    places: &[Place::new(Tab::Annotate, Column::Right, 0)],
    ..PaneInfo::new(Pane::new("steps"))
};

impl Panel for Steps {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let (past, future): (Vec<&str>, Vec<&str>) =
            (state.history.past().collect(), state.history.future().collect());
        if past.is_empty() && future.is_empty() {
            ui.label(RichText::new("Nothing was done yet.").weak());
        }
        for (place, name) in past.iter().enumerate().rev() {
            let words = capitalised(name);
            if place == 0 {
                ui.selectable_label(true, words).on_hover_text("The newest step");
            } else if ui.selectable_label(false, words).on_hover_text("Go back to this step").clicked() {
                commands.push(Command::Annotate(AnnotateCommand::UndoTo(place - 1)));
            }
        }
        for (place, name) in future.iter().enumerate() {
            let words = RichText::new(capitalised(name)).weak();
            if ui.selectable_label(false, words).on_hover_text("Redo up to this step").clicked() {
                commands.push(Command::Annotate(AnnotateCommand::RedoTo(place)));
            }
        }
    }
}
