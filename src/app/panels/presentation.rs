//! The presentation, which shows only the image, the prompt and the legend.

use eframe::egui::{CentralPanel, Panel, RichText, TextStyle, Ui};

use super::widgets::{at_threshold, swatch};
use super::{canvas, prompt, result, stages, uncertainty, variants};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::data::Outcome;

/// The width of the colour bar of the heat map, in points.
const BAR: f32 = 180.0;

/// Draws the window during a presentation. In the Stages tab, the image is the grid of the stages, with its own
/// legend.
pub fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let has_stages = state.tab == Tab::Stages && state.document.image.is_some();
    if state.tab == Tab::Prompts && state.document.image.is_some() && !state.variants.pins.is_empty() {
        return present_variants(ui, state, commands);
    }
    Panel::bottom("presentation").show(ui, |ui| {
        ui.add_space(4.0);
        if !has_stages {
            legend(ui, state, true);
        }
        if !prompt::says_no_text(ui, state) {
            ui.horizontal(|ui| {
                let name = ui.label(RichText::new("Prompt").weak());
                let height = 2.0 * ui.text_style_height(&TextStyle::Body);
                prompt::field(ui, state, height, Some(name.id), commands);
            });
        }
        ui.add_space(4.0);
    });
    CentralPanel::no_frame().show(ui, |ui| match has_stages {
        true => stages::pictures(ui, state, commands),
        false => canvas::show(ui, state, commands),
    });
}

/// Draws the pinned variants one by one, with the legend of the overlay below.
fn present_variants(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    Panel::bottom("presentation").show(ui, |ui| {
        ui.add_space(4.0);
        legend(ui, state, false);
        ui.add_space(4.0);
    });
    variants::present(ui, state, commands);
}

/// Draws the legend of the overlay colours; nothing is drawn without an overlay. `is_of_main` says whether the mask is
/// that of the main view, with its threshold.
fn legend(ui: &mut Ui, state: &State, is_of_main: bool) {
    if is_of_main && state.shown.is_none() || !state.show_overlay {
        return;
    }
    let overlay = state.settings.colours.overlay();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        let mut areas: &[Outcome] = &[];
        let heat = if is_of_main { state.settings.heat } else { state.variants.heat };
        if is_of_main && state.uncertainty().is_some() {
            ui.vertical(|ui| {
                ui.set_width(BAR);
                uncertainty::scale(ui);
            });
        } else if heat {
            ui.vertical(|ui| {
                ui.set_width(BAR);
                result::colour_bar(ui);
            });
        } else if state.compares() {
            areas = &Outcome::COMPARED;
        } else {
            areas = &[Outcome::Mask];
        }
        for outcome in areas.iter().filter(|_| state.settings.fill) {
            swatch(ui, theme::colour(overlay.colour(*outcome)));
            ui.label(outcome.title());
            ui.add_space(6.0);
        }
        if state.settings.contour {
            result::outline_names(ui, state);
            ui.add_space(6.0);
        }
        if is_of_main {
            ui.label(RichText::new(format!("Masks at {}", at_threshold(state.settings.threshold))).weak());
        }
    });
}
