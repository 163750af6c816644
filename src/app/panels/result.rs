//! The panel on the right: how good the mask is, how it is shown, and what made it.

use eframe::egui::{Panel, Response, RichText, ScrollArea, Slider, Ui};

use super::widgets::{explain, heading, legend_row, row, section};
use super::{model, widgets};
use crate::app::command::Command;
use crate::app::dialogs::Purpose;
use crate::app::state::{State, file_name};
use crate::app::theme;

/// Width of the panel in points.
const WIDTH: f32 = 272.0;

/// Draws the panel.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    Panel::right("result").resizable(false).exact_size(WIDTH).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().interact_size.y = 17.0;
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.add_space(2.0);
            heading(ui, "Result", if state.confusion().is_some() { "per image" } else { "" });
            result(ui, state, commands);
            section(ui, "Display", "");
            display(ui, state, commands);
            model::show(ui, state, commands);
            ui.add_space(6.0);
        });
    });
}

fn result(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if let Some(model) = state.model.as_ref().filter(|model| !model.info.is_trained) {
        let colour = theme::palette(ui.visuals()).warning;
        let words = "Untrained model: its masks mean nothing";
        ui.label(RichText::new(words).color(colour)).on_hover_text(&model.info.provenance);
    }
    let Some(shown) = &state.shown else {
        let words = match (&state.image, &state.model, &state.awaited_model) {
            (None, _, _) => "There is no result yet. Open an image.",
            (Some(_), None, None) => "There is no mask, because no model is open.",
            (Some(_), None, Some(_)) => "The mask appears when the model is open.",
            (Some(_), Some(_), _) => "The mask appears in a moment.",
        };
        ui.label(RichText::new(words).weak());
        return;
    };
    let threshold = state.settings.threshold;
    if let Some(counts) = state.confusion() {
        row(ui, "Dice", format!("{:.3}", counts.dice()));
        row(ui, "IoU", format!("{:.3}", counts.iou()));
        let px = |count| format!("{} px", widgets::grouped(count));
        legend_row(ui, theme::TRUE_POSITIVE, "True positive", px(counts.true_positive));
        legend_row(ui, theme::FALSE_NEGATIVE, "False negative", px(counts.false_negative));
        legend_row(ui, theme::FALSE_POSITIVE, "False positive", px(counts.false_positive));
    }
    let table = &shown.counts.table;
    let share = 100.0 * table.foreground_fraction(threshold);
    let area = format!("{} px, {share:.1} %", widgets::grouped(table.foreground(threshold)));
    let words = "Pixels of the mask, and their share of the image.";
    if state.compares() {
        row(ui, "Mask", area).on_hover_text(words);
    } else {
        legend_row(ui, theme::PREDICTION, "Mask", area).on_hover_text(words);
    }
    match &state.truth {
        Some(truth) => {
            row(ui, "Ground truth", file_name(&truth.path)).on_hover_text(truth.path.display().to_string());
        }
        None => {
            ui.add_space(2.0);
            if ui.button("Open ground truth…").clicked() {
                commands.push(Command::Ask(Purpose::Truth));
            }
        }
    }
}

fn display(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let settings = &state.settings;
    let words =
        "A pixel belongs to the mask if its probability is at least this. Moving it needs no new inference.";
    slider(ui, "Threshold", words, settings.threshold, |value| commands.push(Command::SetThreshold(value)));
    let words = "How much of the picture the filled areas cover. Outlines are not affected.";
    slider(ui, "Opacity", words, settings.opacity, |value| commands.push(Command::SetOpacity(value)));
    let mut switch = |ui: &mut Ui, is_on: bool, name: &str, command: fn(bool) -> Command| {
        let mut value = is_on;
        let response = ui.checkbox(&mut value, name);
        if response.changed() {
            commands.push(command(value));
        }
        response
    };
    ui.horizontal(|ui| {
        switch(ui, state.show_overlay, "Overlay", Command::ShowOverlay);
        switch(ui, settings.fill, "Fill", Command::Fill);
        let words = "Cyan: the outline of the mask. White: that of the ground truth.";
        switch(ui, settings.contour, "Outline", Command::Contour).on_hover_text(words);
    });
    if state.truth.is_some() {
        switch(ui, state.show_truth, "Compare with the ground truth", Command::ShowTruth);
    }
}

fn slider(ui: &mut Ui, name: &str, words: &str, value: f32, mut set: impl FnMut(f32)) -> Response {
    ui.horizontal(|ui| {
        ui.set_min_height(22.0);
        ui.spacing_mut().item_spacing.x = 6.0;
        let label = ui.label(RichText::new(name).weak());
        explain(ui, words);
        // The rails of all sliders begin at the same place.
        let indent = ui.max_rect().left() + 92.0 - ui.cursor().left();
        ui.add_space(indent.max(0.0));
        ui.spacing_mut().slider_width = ui.available_width() - 52.0;
        let mut value = value;
        let slider = Slider::new(&mut value, 0.0..=1.0).step_by(0.01).fixed_decimals(2);
        let response = ui.add(slider).labelled_by(label.id);
        if response.changed() {
            set(value);
        }
        response
    })
    .inner
}
