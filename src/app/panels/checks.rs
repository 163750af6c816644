//! What the rules say about the prompt and the mask, in the result panel.

use eframe::egui::{Label, RichText, Ui};

use super::widgets::explained_row;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;

const AGREEMENT: &str = "How well the mask agrees with its prompt, 0 to 1, by rules: the sides, zones and number of areas (of polyps: number, \
                         places and sizes) that both have. It says nothing about whether either is right.";
/// The maximum number of warnings that are listed.
const LISTED: usize = 6;

/// Draws the text–mask agreement and the warnings.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(judgement) = state.judgement() else { return };
    if let Some(agreement) = judgement.agreement {
        explained_row(ui, "Agrees with text", AGREEMENT, format!("{agreement:.2}"));
    }
    let colour = theme::palette(ui.visuals()).warning;
    for warning in judgement.warnings.iter().take(LISTED) {
        let label = Label::new(RichText::new(&warning.message).color(colour).small()).wrap();
        ui.add(label).on_hover_text(format!("Rule: {}", warning.rule));
        if let Some(mended) = warning.mended.as_ref().filter(|mended| **mended != state.document.prompt) {
            let response = ui.small_button("Mend the prompt").on_hover_text(mended);
            if response.clicked() {
                commands.push(Command::SetPrompt(mended.clone()));
            }
        }
    }
    let more = judgement.warnings.len().saturating_sub(LISTED);
    if more > 0 {
        ui.label(RichText::new(format!("and {more} more")).small().weak());
    }
}
