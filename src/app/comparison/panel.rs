//! The comparison of two models on the open image and prompt.

use eframe::egui::{ColorImage, Image, Label, RichText, TextEdit, TextureOptions, Ui, vec2};

use super::{Comparison, Painting};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{at_threshold, grouped, heading};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::{file_name, warming_up};
use crate::app::theme;
use crate::engine::Counts;

/// The maximum height of an image, in points.
const HEIGHT: f32 = 340.0;

/// The masks of two models side by side.
pub struct SideBySide;

const INFO: PaneInfo = PaneInfo {
    title: "Comparison",
    help: "The masks of the open model and of a second one, on the open image and prompt.",
    places: &[Place::new(Tab::Train, Column::Middle, 2)],
    size: [700.0, 300.0],
    growth: 2,
    ..PaneInfo::new(Pane::COMPARISON)
};

impl Panel for SideBySide {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let words = "No second model is open. Choose one under “Compare with” in the Model menu, or “Compare weights” for the run's best weights.";
        state.comparison.is_none().then_some(words)
    }

    fn is_idle(&self, state: &State, _is_front: bool) -> bool {
        state.tab == Tab::Train && state.training.run.is_none() && state.comparison.is_none()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the comparison.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let convention = format!("the open image and prompt, {}", at_threshold(state.settings.threshold));
    heading(ui, "Comparison", &convention);
    let mut prompt = state.document.prompt.clone();
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Prompt").weak());
        let field = TextEdit::singleline(&mut prompt).desired_width(f32::INFINITY);
        let response = ui.add(field).labelled_by(label.id);
        if response.changed() {
            commands.push(Command::TypePrompt(prompt));
        }
        if response.lost_focus() {
            commands.push(Command::EndTyping);
        }
    });
    if state.document.image.is_none() {
        ui.label(RichText::new("No image is open. Open one in the Read tab.").weak());
        ui.separator();
        return;
    }
    let truth = state.document.truth.as_ref().map(|truth| truth.ticket);
    let threshold = state.settings.threshold;
    let current = state.model.as_ref().map(|model| model.info.name.clone());
    let current_counts = state.shown.as_ref().map(|shown| shown.counts.clone());
    let Some(comparison) = &mut state.comparison else { return };
    let other = comparison.info.as_ref().map(|info| info.name.clone());
    let other = other.unwrap_or_else(|| file_name(comparison.source.path()));
    let other_counts = comparison.predicted.as_ref().map(|predicted| predicted.counts.clone());
    let other = match &comparison.warm_up {
        Some(progress) => format!("{other} ({})", warming_up(progress)),
        None => other,
    };
    let sides = [
        (current.map(|name| format!("Open model: {name}")), current_counts),
        (Some(format!("Second model: {other}")), other_counts),
    ];
    let Comparison { paintings, error, .. } = comparison;
    let error = error.as_deref();
    ui.columns(2, |columns| {
        for (place, (((name, counts), painting), ui)) in sides.iter().zip(paintings).zip(columns).enumerate() {
            ui.label(RichText::new(name.as_deref().unwrap_or("No model is open")).strong());
            if let Some(error) = error.filter(|_| place == 1) {
                let colour = theme::palette(ui.visuals()).error;
                ui.add(Label::new(RichText::new(error).color(colour)).wrap());
            }
            numbers(ui, counts.as_ref(), truth, threshold);
            picture(ui, painting, ["Mask of the open model", "Mask of the second model"][place]);
        }
    });
    ui.separator();
}

/// Draws the size of the mask, and its Dice score if a ground truth is open.
fn numbers(ui: &mut Ui, counts: Option<&Counts>, truth: Option<u64>, threshold: f32) {
    let Some(counts) = counts else {
        ui.label(RichText::new("The mask appears in a moment.").weak());
        return;
    };
    let table = &counts.table;
    let area = format!("Mask {} px", grouped(table.foreground(threshold)));
    let scores = table.confusion(threshold).filter(|_| truth.is_some() && counts.truth == truth);
    let text = match scores {
        Some(scores) => format!("Dice {:.3}, IoU {:.3} per image · {area}", scores.dice(), scores.iou()),
        None => format!("{area} · open a ground truth to see Dice"),
    };
    ui.label(text);
}

fn picture(ui: &mut Ui, painting: &mut Painting, name: &str) {
    if let Some(fresh) = painting.fresh.take() {
        let image = ColorImage::from_rgba_unmultiplied(
            [fresh.width, fresh.height],
            fresh.texels.rgba().unwrap_or_default(),
        );
        painting.texture = Some(ui.ctx().load_texture(name, image, TextureOptions::LINEAR));
    }
    if let Some(texture) = &painting.texture {
        let size = texture.size_vec2();
        let scale = (ui.available_width() / size.x).min(HEIGHT / size.y);
        ui.add(Image::new((texture.id(), vec2(size.x * scale, size.y * scale))).alt_text(name));
    }
}
