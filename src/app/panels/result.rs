//! The panel on the right: the quality of the mask, its appearance, and the model.

use eframe::egui::{ComboBox, Id, Label, Response, RichText, Role, Slider, Ui, WidgetInfo};

use super::colour_scale::colour_scale;
use super::panel::Panel;
use super::widgets::{explain, heading, legend_row, per_image, row, section, swatch};
use super::{checks, scores, truth, uncertainty};
use crate::app::annotating::Looked;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme::{self, Colours, Scheme};

/// The height of a control, in points.
const CONTROL: f32 = 24.0;

/// Scores, areas, threshold and opacity.
pub struct Scores;

const INFO: PaneInfo = PaneInfo {
    title: "Result",
    help: "Scores, areas, threshold and how the mask is drawn.",
    places: &[Place::new(Tab::Read, Column::Right, 0), Place::new(Tab::Annotate, Column::Right, 1)],
    size: [272.0, 400.0],
    growth: 1,
    ..PaneInfo::new(Pane::RESULT)
};

impl Panel for Scores {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.spacing_mut().interact_size.y = 17.0;
    ui.spacing_mut().item_spacing.y = 2.0;
    if scores::are_coming(state) {
        // An annotation has no threshold.
        let convention = match state.looked() {
            Looked::Annotation => "per image".to_owned(),
            Looked::Prediction | Looked::Difference => per_image(state.settings.threshold),
        };
        heading(ui, "Scores", &convention);
    }
    // While a mask is being computed, the widgets below keep their position.
    let id = Id::unique("height of the result");
    let height = ui.scope(|ui| result(ui, state, commands)).response.rect.height();
    if state.shown.is_some() {
        ui.data_mut(|data| data.insert_temp(id, height));
    } else if state.document.image.is_some() && state.model.is_some() && !state.is_without_prompt() {
        let last = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(0.0);
        ui.add_space((last - height).max(0.0));
    }
    section(ui, "Display", "");
    display(ui, state, commands);
}

fn result(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if let Some(model) = state.model.as_ref().filter(|model| !model.info.is_trained) {
        let colour = theme::palette(ui.visuals()).warning;
        let words = "Untrained model: its masks have no meaning";
        ui.label(RichText::new(words).color(colour)).on_hover_text(&model.info.provenance);
    }
    if let Some(words) = state.unfamiliar() {
        let colour = theme::palette(ui.visuals()).warning;
        ui.add(Label::new(RichText::new(words).color(colour).small()).wrap());
    }
    if state.looked() != Looked::Prediction {
        return annotated(ui, state, commands);
    }
    let Some(shown) = &state.shown else {
        let words = match (&state.document.image, &state.model, state.jobs.model.pending()) {
            (None, _, _) if state.failed.is_some() => "There is no result, because the case could not be opened.",
            (None, _, _) => "There is no result yet. Open an image.",
            (Some(_), None, None) => "There is no mask, because no model is open.",
            (Some(_), None, Some(_)) => "The mask appears when the model is open.",
            (Some(_), Some(_), _) if state.takes_box() && state.is_without_prompt() => {
                "There is no box yet, so nothing is drawn. Drag one around the lesion in the picture."
            }
            (Some(_), Some(_), _) if state.is_without_prompt() => {
                "The prompt is empty, so nothing is drawn. Type what to segment."
            }
            (Some(_), Some(_), _) if state.playing.is_some() => {
                "Masks lag behind while the slices play. Pause to see the mask of this slice."
            }
            (Some(_), Some(_), _) => "The mask appears in a moment.",
        };
        ui.add(Label::new(RichText::new(words).weak()).wrap());
        let is_text_missing = state.is_without_prompt() && !state.takes_box();
        if state.document.image.is_some() && state.model.is_some() && is_text_missing {
            ui.add_space(2.0);
            if ui.button("Draw a mask all the same").clicked() {
                commands.push(Command::DrawWithoutPrompt(true));
            }
        }
        if state.document.image.is_some() && state.model.is_none() && state.jobs.model.pending().is_none() {
            ui.add_space(2.0);
            if ui.button("Open model…").clicked() {
                commands.push(Command::OpenDialog(DialogKind::ModelFolder));
            }
        }
        return;
    };
    let threshold = state.settings.threshold;
    scores::show(ui, state, commands);
    let table = &shown.counts.table;
    let [all, short] = scores::area(state, table.foreground(threshold));
    let area = RichText::new(short).small();
    let words =
        format!("{all}\nThe mask: pixels, area where the file says how large a pixel is, share of the image.");
    if state.compares() || state.settings.heat {
        row(ui, "Mask", area).on_hover_text(words);
    } else {
        legend_row(ui, theme::colour(state.settings.colours.overlay().mask), "Mask", area).on_hover_text(words);
    }
    checks::show(ui, state, commands);
    if let Some(split) = state.split() {
        let words =
            "The part of the data set. A score says something only of a part that the model was not trained on.";
        row(ui, "Split", split).on_hover_text(words);
    }
    ground_truth(ui, state, commands);
}

/// Draws the result while the annotation is looked at, or its difference from the prediction.
fn annotated(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    scores::show(ui, state, commands);
    if state.looked() == Looked::Annotation {
        let (annotation, open) = (&state.document.annotation, state.document.image.as_ref());
        for (id, label) in annotation.labels().filter(|(_, label)| label.is_visible) {
            let known = open.and_then(|open| annotation.mask(id, open.slice));
            let [all, short] = scores::area(state, known.map_or(0, |known| known.pixels as u64));
            let colour = theme::colour(label.colour);
            let short = RichText::new(short).small();
            match state.compares() {
                true => row(ui, &label.name, short),
                false => legend_row(ui, colour, &label.name, short),
            }
            .on_hover_text(all);
        }
    }
    ground_truth(ui, state, commands);
}

fn ground_truth(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    match &state.document.truth {
        Some(_) => truth::show(ui, state, commands),
        None => {
            ui.add_space(2.0);
            if ui.button("Open ground truth…").clicked() {
                commands.push(Command::OpenDialog(DialogKind::Truth));
            }
        }
    }
}

fn display(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let settings = &state.settings;
    let words = "A pixel belongs to the mask if its probability is at least this value. Changing it needs no new inference.";
    slider(ui, "Threshold", words, settings.threshold, |value| commands.push(Command::SetThreshold(value)));
    threshold_of_kind(ui, state, commands);
    let words = "How much of the picture the filled areas cover. Outlines are not affected.";
    slider(ui, "Opacity", words, settings.opacity, |value| commands.push(Command::SetOpacity(value)));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        switch(ui, state.show_overlay, "Overlay", Command::ShowOverlay, commands);
        switch(ui, settings.fill, "Fill", Command::Fill, commands);
        switch(ui, settings.contour, "Outline", Command::Contour, commands);
        let words = "Shows the probability in colours in place of the mask.";
        switch(ui, settings.heat, "Heat map", Command::Heat, commands).on_hover_text(words);
    });
    if settings.contour && state.shown.is_some() && state.looked() == Looked::Prediction {
        outlines(ui, state);
    }
    colours(ui, &settings.colours, commands);
    if settings.heat && state.uncertainty().is_none() {
        colour_bar(ui);
    }
    uncertainty::show(ui, state, commands);
    if state.document.truth.is_some() {
        switch(ui, state.show_truth, "Compare with the ground truth", Command::ShowTruth, commands);
    }
}

/// Says that the threshold is that of the model for the kind of the image, or offers it.
fn threshold_of_kind(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(of_model) = state.shown.as_ref().and_then(|shown| shown.prediction.threshold.as_ref()) else {
        return;
    };
    let (threshold, kind) = (of_model.threshold, of_model.kind_words());
    if (state.settings.threshold - threshold).abs() < 5e-4 {
        let words = format!("{threshold:.2} was chosen for {kind} when this model was validated.");
        ui.label(RichText::new(words).small().weak());
    } else {
        let words = format!("Use {threshold:.2}, the model's for {kind}");
        if ui.small_button(words).clicked() {
            commands.push(Command::UseModelThreshold(threshold));
        }
    }
}

/// Draws the legend of the outlines over the image in one row.
fn outlines(ui: &mut Ui, state: &State) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        outline_names(ui, state);
    });
}

/// Draws the parts of the legend of the outlines, for a row that may wrap.
pub fn outline_names(ui: &mut Ui, state: &State) {
    ui.label(RichText::new("Outlines:").small().weak());
    swatch(ui, theme::PREDICTION_OUTLINE);
    ui.label(RichText::new("mask").small());
    if state.compares() {
        swatch(ui, theme::TRUTH_OUTLINE);
        ui.label(RichText::new("ground truth").small());
    }
}

fn switch(
    ui: &mut Ui,
    is_on: bool,
    name: &str,
    command: fn(bool) -> Command,
    commands: &mut Vec<Command>,
) -> Response {
    let mut value = is_on;
    let response = ui.checkbox(&mut value, name);
    if response.changed() {
        commands.push(command(value));
    }
    response
}

/// Draws the choice of colours; those of the user-defined scheme can be edited.
fn colours(ui: &mut Ui, colours: &Colours, commands: &mut Vec<Command>) {
    control_row(ui, |ui| {
        let label = ui.label(RichText::new("Colours").weak());
        let name = Scheme::ALL.iter().find(|(scheme, _)| *scheme == colours.scheme).map_or("", |(_, name)| name);
        let combo = ComboBox::from_id_salt("colours").width(ui.available_width() - 10.0).truncate();
        let shown = combo.selected_text(name).show_ui(ui, |ui| {
            for (scheme, name) in Scheme::ALL {
                if ui.selectable_label(scheme == colours.scheme, name).clicked() {
                    commands.push(Command::UseColours(scheme));
                }
            }
        });
        shown.response.labelled_by(label.id);
    });
    if colours.scheme != Scheme::Own {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let mut own = colours.own;
        let parts = [
            (&mut own.mask, "Mask without a ground truth"),
            (&mut own.true_positive, "True positive"),
            (&mut own.false_negative, "False negative"),
            (&mut own.false_positive, "False positive"),
        ];
        let mut has_changed = false;
        for (colour, name) in parts {
            let response = ui.color_edit_button_srgb(colour).on_hover_text(name);
            response.widget_info(|| WidgetInfo::labeled(Role::ColorWell, true, format!("Colour: {name}")));
            has_changed |= response.changed();
        }
        if has_changed {
            commands.push(Command::SetColours(own));
        }
    });
}

fn slider(ui: &mut Ui, name: &str, words: &str, value: f32, mut set: impl FnMut(f32)) -> Response {
    control_row(ui, |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let label = ui.label(RichText::new(name).weak());
        explain(ui, words);
        // The rails of all sliders are aligned.
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
}

/// Lays out a row that holds a control. Rows of text in this panel are lower than a control, which would then stand beneath the
/// middle of its label.
fn control_row<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = CONTROL;
        ui.horizontal(content).inner
    })
    .inner
}

/// Draws the colour scale of the heat map, labelled with probabilities.
pub fn colour_bar(ui: &mut Ui) {
    colour_scale(ui, "Colours of the probability", "probability", "1");
}
