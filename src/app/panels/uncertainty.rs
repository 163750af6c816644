//! The map of the uncertainty in the result panel: its legend, its numbers, and how far its computation is.

use eframe::egui::{RichText, Ui};

use super::colour_scale::colour_scale;
use super::widgets::{explained_row, working_bar};
use crate::app::annotating::Looked;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::app::uncertainty::UncertaintyCommand;
use crate::infer::{ENSEMBLE, LARGEST_DEVIATION};

const ABOUT: &str = "The standard deviation of the probability over ten predictions: of the image, of the image moved by a little in four \
                     directions, and of their mirror images with left and right exchanged in the prompt; a box goes along. None of this should change \
                     the mask. Where the predictions agree, they may still all be wrong. It takes ten times as long as a mask, \
                     and is computed anew for every prompt, slice and display window while it is shown.";
const AREA: &str =
    "The smallest and the largest mask among the predictions, at a probability of 0.5, as a share of the image.";

/// Draws the legend and the numbers of the map, or how far it is.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if !state.uncertainty.is_on {
        return;
    }
    let mut ask = |command| commands.push(Command::Uncertainty(command));
    if let Some((found, _)) = state.uncertainty() {
        scale(ui);
        let inside = found.in_mask().map_or("–".into(), |mean| format!("{mean:.2}"));
        explained_row(ui, "Uncertainty", ABOUT, format!("{inside} in the mask, at most {:.2}", found.largest()));
        let [least, most] = found.area_range().map(|share| 100.0 * share);
        explained_row(ui, "Masks", AREA, format!("{least:.1} to {most:.1} %"));
    } else if let Some(asked) = state.uncertainty.request.pending() {
        let words = |progress: Option<[String; 2]>| match progress {
            Some([done, count]) => format!("Uncertainty: {done} of {count} predictions"),
            None => "Uncertainty…".to_owned(),
        };
        if working_bar(ui, asked, words) {
            ask(UncertaintyCommand::Cancel);
        }
    } else if let Some(error) = &state.uncertainty.error {
        ui.label(RichText::new(error).color(theme::palette(ui.visuals()).error));
        if ui.button("Compute the uncertainty").clicked() {
            ask(UncertaintyCommand::Compute);
        }
    } else if state.looked() != Looked::Prediction {
        ui.label(RichText::new("The uncertainty is that of the prediction.").small().weak());
    } else if state.shown.is_some() && state.uncertainty.request.asked().is_some() {
        let words = format!("It takes {ENSEMBLE} predictions, ten times as long as the mask.");
        if ui.button("Compute the uncertainty").on_hover_text(words).clicked() {
            ask(UncertaintyCommand::Compute);
        }
    }
}

/// Draws the colour scale of the map.
pub fn scale(ui: &mut Ui) {
    let most = LARGEST_DEVIATION.to_string();
    colour_scale(ui, "Colours of the uncertainty", "standard deviation", &most);
}
