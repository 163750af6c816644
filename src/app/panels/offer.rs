//! What is offered for a report in the prompt: the prompt that it condenses to.

use std::sync::Arc;

use eframe::egui::{Id, Label, RichText, Ui};

use super::widgets::explain;
use crate::app::builder::Whose;
use crate::app::command::Command;
use crate::app::pane::Pane;
use crate::app::report::ReportCommand;
use crate::app::state::State;
use crate::app::theme;
use crate::text::prompt::report::offers_distil;

const WHY: &str = "A network reads the beginning of a report at most, and draws what is negated as well. The rules that condense a report to a \
                   prompt are in the panel Report of the Prompts tab, with the phrase that gave each finding; nothing is invented.";
/// The height of the line, in points.
pub const HEIGHT: f32 = 22.0;

/// Returns the prompt that the typed text condenses to, if it reads like a report. It is computed when the text changes.
pub fn of(ui: &Ui, state: &State) -> Option<String> {
    let id = Id::unique("offer for a report");
    let text = &state.document.prompt;
    let left = Whose::of(state).of_report(state.report.left);
    type Known = Arc<(String, bool, Option<String>)>;
    let key = left == crate::text::prompt::report::Left::Patient;
    let known: Option<Known> = ui.data(|data| data.get_temp(id));
    if let Some(known) = known.filter(|known| known.0 == *text && known.1 == key) {
        return known.2.clone();
    }
    let offered = offers_distil(text, left);
    ui.data_mut(|data| data.insert_temp::<Known>(id, Arc::new((text.clone(), key, offered.clone()))));
    offered
}

/// Draws the offer.
pub fn show(ui: &mut Ui, state: &State, prompt: &str, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 18.0;
        let colour = theme::palette(ui.visuals()).warning;
        ui.label(RichText::new("This reads like a report.").small().color(colour));
        explain(ui, WHY);
        if ui.small_button("Use as a prompt").on_hover_text(prompt).clicked() {
            commands.push(Command::Report(ReportCommand::SetText(state.document.prompt.clone())));
            commands.push(Command::SetPrompt(prompt.to_owned()));
        }
        if ui.small_button("Show both").on_hover_text("Opens the panel Report with the text").clicked() {
            commands.push(Command::Report(ReportCommand::SetText(state.document.prompt.clone())));
            commands.push(Command::OpenPane(Pane::REPORT, true));
        }
        ui.add(Label::new(RichText::new(prompt).small()).truncate());
    });
}
