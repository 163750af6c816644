//! The predictions of this session.

use eframe::egui::{Button, Label, RichText, Ui};

use super::panel::Panel;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// The predictions of this session.
pub struct Past;

const INFO: PaneInfo = PaneInfo {
    title: "Past",
    help: "Predictions of this session, to be shown again with a click.",
    places: &[Place::new(Tab::Read, Column::Right, 1)],
    ..PaneInfo::new(Pane::PAST)
};

impl Panel for Past {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        if state.past.is_empty() {
            let words = "A mask that has been looked at for a second is kept here until the program ends.";
            ui.add(Label::new(RichText::new(words).weak()).wrap());
        }
        for past in &state.past {
            ui.spacing_mut().item_spacing.y = 2.0;
            let hint = "Show it again: picture, prompt, model and threshold.";
            if ui.add(Button::new(past.title()).truncate()).on_hover_text(hint).clicked() {
                commands.push(Command::Recall(past.id));
            }
            let text = if past.prompt.trim().is_empty() { "(empty prompt)" } else { past.prompt.as_str() };
            ui.add(Label::new(text).wrap());
            let dice = past.dice.map_or(String::new(), |dice| format!(" · Dice {dice:.3} per image"));
            let words = format!("{} · threshold {:.2}{dice}", past.model_name, past.threshold);
            ui.add(Label::new(RichText::new(words).small().weak()).wrap());
            ui.add_space(6.0);
        }
    }
}
