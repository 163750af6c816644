//! Fixed validation cases with their masks after an epoch.

use eframe::egui::{ColorImage, Image, Label, RichText, ScrollArea, Slider, TextureOptions, Ui, vec2};

use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{explain, swatch};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::app::training::TrainCommand;
use crate::app::training::preview::{Painted, Preview};

/// The side length of an image, in points.
const SIDE: f32 = 118.0;
const WORDS: &str = "The same cases of the validation split after every epoch. The mask is all pixels with a probability of at least 0.5.";

/// Validation cases with their masks.
pub struct Cases;

const INFO: PaneInfo = PaneInfo {
    title: "Cases",
    help: "Validation cases with their masks of every epoch.",
    places: &[Place::new(Tab::Train, Column::Middle, 2)],
    size: [700.0, 240.0],
    ..PaneInfo::new(Pane::new("cases"))
};

impl Panel for Cases {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state
            .training
            .run
            .as_ref()
            .is_none_or(|run| run.preview.cases.is_empty())
            .then_some("Fixed cases of the validation split appear here, with the masks of every epoch.")
    }

    fn is_idle(&self, state: &State, _is_front: bool) -> bool {
        state.training.run.is_none()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the strip, once there are cases.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let paint = crate::engine::OverlayPaint { fill: true, contour: false, ..state.settings.overlay_paint() };
    let overlay = state.settings.colours.overlay();
    let Some(run) = &mut state.training.run else { return };
    let preview = &mut run.preview;
    if preview.cases.is_empty() {
        return;
    }
    let shown = preview.shown();
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("Validation cases, per image, threshold 0.50").small().weak());
        explain(ui, WORDS);
        // The colours are explained only if there are masks to compare.
        for (colour, name) in [
            (overlay.true_positive, "True positive"),
            (overlay.false_negative, "False negative"),
            (overlay.false_positive, "False positive"),
        ]
        .into_iter()
        .filter(|_| shown.is_some())
        {
            swatch(ui, theme::colour(colour));
            ui.label(RichText::new(name).small().weak());
        }
    });
    let Some(epoch) = shown else {
        ui.label(RichText::new("The masks appear after the first epoch.").weak());
        return;
    };
    look_back(ui, preview, epoch, commands);
    if preview.painted.as_ref().is_none_or(|painted| painted.epoch != epoch) {
        let textures = (0..preview.cases.len()).filter_map(|case| {
            let rgb = preview.paint(epoch, case, &paint)?;
            let side = preview.cases[case].side;
            let image = ColorImage::from_rgb([side, side], &rgb);
            let texture = ui.ctx().load_texture(format!("case {case}"), image, TextureOptions::LINEAR);
            Some((texture, preview.dice(epoch, case)))
        });
        preview.painted = Some(Painted { epoch, pictures: textures.collect() });
    }
    let Some(Painted { pictures, .. }) = &preview.painted else { return };
    ScrollArea::horizontal().id_salt("strip").auto_shrink([false, true]).show(ui, |ui| {
        ui.horizontal_top(|ui| {
            for (case, (texture, dice)) in preview.cases.iter().zip(pictures) {
                ui.vertical(|ui| {
                    ui.set_width(SIDE);
                    ui.spacing_mut().item_spacing.y = 1.0;
                    let image = Image::new((texture.id(), vec2(SIDE, SIDE))).corner_radius(3).alt_text(&case.name);
                    ui.add(image).on_hover_text(format!("{}\n{}", case.name, case.prompt));
                    let dice = dice.map_or("–".into(), |dice| format!("Dice {dice:.3}"));
                    ui.label(RichText::new(dice).small()).on_hover_text("per image");
                    ui.add(Label::new(RichText::new(&case.prompt).small().weak()).truncate());
                });
            }
        });
    });
}

/// Draws the slider to earlier epochs.
fn look_back(ui: &mut Ui, preview: &Preview, shown: usize, commands: &mut Vec<Command>) {
    let epochs = preview.epochs();
    let (Some(&first), Some(&last)) = (epochs.first(), epochs.last()) else { return };
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Epoch shown").weak());
        let mut epoch = shown;
        ui.spacing_mut().slider_width = 200.0;
        let slider = Slider::new(&mut epoch, first..=last.max(first));
        let response = ui.add_enabled(first < last, slider).labelled_by(label.id);
        if response.changed() && epoch != shown {
            commands.push(Command::Train(TrainCommand::LookAt((epoch < last).then_some(epoch))));
        }
        let is_newest = preview.look_at.is_none();
        let words = match (shown, is_newest) {
            (0, _) => "Before the training",
            (_, true) => "Newest epoch",
            (_, false) => "Earlier epoch",
        };
        ui.label(RichText::new(words).small().weak());
    });
}
