//! The Report panel: a report condensed to a prompt, and the prompt written out as a report.

mod phrases;
mod read;
mod written;

use eframe::egui::{Label, RichText, Ui};

use super::panel::Panel;
use super::prompt::says_no_text;
use super::words;
use crate::app::builder::Whose;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// Reports and prompts.
pub struct Report;

const INFO: PaneInfo = PaneInfo {
    title: "Report",
    help: "A report condensed to a prompt, with the phrase that gave each finding, and the prompt written out as a report.",
    places: &[Place::new(Tab::Prompts, Column::Right, 0)],
    size: [300.0, 400.0],
    ..PaneInfo::new(Pane::REPORT)
};

impl Panel for Report {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        if says_no_text(ui, state) {
            return;
        }
        let whose = Whose::of(state);
        state.report.follow(&state.document.prompt, whose);
        read::show(ui, state, whose, commands);
        ui.separator();
        written::show(ui, state, commands);
    }
}

/// Draws a text that can become the prompt, with what the network reads of it if it is the present prompt.
fn form(ui: &mut Ui, state: &State, text: &str, commands: &mut Vec<Command>) {
    ui.add(Label::new(text).wrap().selectable(true));
    let is_prompt = state.document.prompt == text;
    let read = state.shown.as_ref().filter(|shown| is_prompt && shown.prediction.prompt == text);
    if let Some(shown) = read {
        ui.label(RichText::new(words::summary(&shown.prediction.tokens)).small().weak());
    }
    ui.horizontal_wrapped(|ui| {
        ui.add_enabled_ui(!is_prompt, |ui| {
            let why = "This is the prompt.";
            if ui.button("Use as prompt").on_disabled_hover_text(why).clicked() {
                commands.push(Command::SetPrompt(text.to_owned()));
            }
        });
        if ui.button("Copy").clicked() {
            ui.copy_text(text.to_owned());
        }
    });
}
