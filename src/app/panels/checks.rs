//! What the rules say about the prompt and the mask, in the result panel.

use eframe::egui::{Label, RichText, Ui};

use super::widgets::explained_row;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::infer::presence_words;

const AGREEMENT: &str = "How well the mask agrees with its prompt, 0 to 1, by rules: the sides, zones and number of areas (of polyps: number, \
                         places and sizes) that both have. It says nothing about whether either is right.";
/// The maximum number of warnings that are listed.
const LISTED: usize = 6;

const PRESENCE: &str = "How likely it is that what the prompt names is in the image at all, from the probability map. It was calibrated on \
                        images with and without a lesion, see the manual; on other kinds of images it says little.";

/// Explains the presence, with the AUROC on each kind of image that it was calibrated on.
fn about_presence(state: &State) -> String {
    let calibration = state.model.as_ref().and_then(|model| model.info.presence.as_ref());
    let groups = calibration.map(|calibration| calibration.groups.as_slice()).unwrap_or_default();
    let parts: Vec<String> =
        groups.iter().filter_map(|group| Some(format!("{} {:.2}", group.name, group.auroc?))).collect();
    if parts.is_empty() {
        return PRESENCE.to_owned();
    }
    format!(
        "{PRESENCE}\nHow well it tells images with a lesion from those without (AUROC by cross-validation; 0.5 is chance): {}.",
        parts.join(", ")
    )
}

const DOMAIN: &str = "How far the features of this picture are from those of the pictures that the model was trained on: the Mahalanobis \
                      distance to the nearest kind. A picture whose distance is beyond the threshold of every kind is called \
                      unlike them. Its mask means little, and that of a picture like them may still be wrong.";
/// Explains the rest of the warning.
const UNLIKE: &str = "The warning also says how many pictures of that kind, which were held out from training, are nearer than this one.";

/// Draws the domain, the presence, the text–mask agreement and the warnings.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if let Some(figure) = state.shown.as_ref().and_then(|shown| shown.prediction.domain.as_ref()) {
        let nearest = format!("{DOMAIN}\nNearest: {}.", figure.kind);
        let about = if figure.is_unlike { format!("{nearest}\n{UNLIKE}") } else { nearest };
        explained_row(ui, "Distance to training", &about, format!("{:.1}", figure.distance));
        if let Some(words) = figure.words() {
            let colour = theme::palette(ui.visuals()).warning;
            ui.add(Label::new(RichText::new(words).color(colour).small()).wrap()).on_hover_text(about);
        }
    }
    if let Some(presence) = state.shown.as_ref().and_then(|shown| shown.prediction.presence) {
        explained_row(ui, "Presence", &about_presence(state), format!("{:.0} %", 100.0 * presence));
        if let Some(words) = presence_words(presence) {
            let colour = theme::palette(ui.visuals()).warning;
            ui.add(Label::new(RichText::new(words).color(colour).small()).wrap());
        }
    }
    let Some(judgement) = state.judgement() else { return };
    if let Some(agreement) = judgement.agreement {
        explained_row(ui, "Agrees with text", AGREEMENT, format!("{agreement:.2}"));
    }
    let colour = theme::palette(ui.visuals()).warning;
    let mut offered: Vec<&String> = Vec::new();
    for warning in judgement.warnings.iter().take(LISTED) {
        let label = Label::new(RichText::new(&warning.message).color(colour).small()).wrap();
        ui.add(label).on_hover_text(format!("Rule: {}", warning.rule));
        let mended = warning.mended.as_ref().filter(|mended| **mended != state.document.prompt);
        // Several warnings about one mask have the same mend.
        if let Some(mended) = mended.filter(|mended| !offered.contains(mended)) {
            offered.push(mended);
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
