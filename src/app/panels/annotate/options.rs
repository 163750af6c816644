//! The row above the picture: which mask is looked at, the options of the tool, and the use of the prediction.

use eframe::egui::{Color32, ComboBox, DragValue, Frame, Panel, RichText, Ui};

use crate::annotate::{LabelId, PaintOnly, Rules};
use crate::app::annotating::{AnnotateCommand, Looked, Place, RADII, Tool};
use crate::app::command::Command;
use crate::app::panels::widgets::{make_space, menu};
use crate::app::state::State;

const LOOKED: &str = "What picture, scores, figures and saved files show. The difference compares the prediction with the annotation: \
                      yellow is in both, green only in the prediction, red only in the annotation.";
const PAINT: &str = "The pixels that tools may change.";
const OVERWRITE: &str = "Pixels that are painted are taken from other labels, so that a pixel has one label at most. Locked labels \
     keep theirs.";

/// Draws the row.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let frame = Frame::side_top_panel(ui.style()).fill(Color32::TRANSPARENT);
    Panel::top("tool options").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            looked(ui, state, commands);
            ui.separator();
            prediction(ui, state, commands);
            if state.annotating.tool != Tool::Hand {
                ui.separator();
                if state.annotating.tool.has_radius() {
                    radius(ui, state, commands);
                }
                super::tool_options::show(ui, state, commands);
                rules(ui, state, commands);
            }
        });
    });
}

fn looked(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.x = 4.0;
    let now = state.looked();
    let has_labels = state.annotating.active.is_some();
    for looked in Looked::ALL {
        let is_enabled = has_labels || looked == Looked::Prediction;
        let button = ui.add_enabled_ui(is_enabled, |ui| ui.selectable_label(now == looked, looked.name())).inner;
        let button =
            button.on_disabled_hover_text("There is no annotation yet. Draw something, or use the prediction.");
        if button.on_hover_text(LOOKED).clicked() {
            commands.push(Command::Annotate(AnnotateCommand::Look(looked)));
        }
    }
}

fn radius(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let has_mm = state.has_pixel_mm();
    let radius = state.annotating.radius;
    let is_mm = radius.in_mm && has_mm;
    let label = ui.label(RichText::new("Radius").weak());
    let mut value = radius.value(has_mm);
    let range = RADII[usize::from(is_mm)].clone();
    let field = DragValue::new(&mut value).speed(0.2).range(range).fixed_decimals(1);
    if ui.add(field).labelled_by(label.id).changed() {
        commands.push(Command::Annotate(AnnotateCommand::SetRadius(value)));
    }
    let unit = if is_mm { "mm" } else { "px" };
    if !has_mm {
        ui.label(RichText::new(unit).weak()).on_hover_text("The file does not say how large a pixel is.");
        return;
    }
    make_space(ui, 64.0);
    let combo = ComboBox::from_id_salt("unit of the radius").selected_text(unit).width(46.0);
    let shown = combo.show_ui(ui, |ui| {
        for (in_mm, name) in [(false, "px"), (true, "mm")] {
            if ui.selectable_label(is_mm == in_mm, name).clicked() {
                commands.push(Command::Annotate(AnnotateCommand::RadiusInMm(in_mm)));
            }
        }
    });
    shown.response.labelled_by(label.id);
}

fn rules(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let rules = state.annotating.rules;
    let annotation = &state.document.annotation;
    let name = |id: LabelId| annotation.label(id).map_or("a removed label", |label| label.name.as_str());
    let words = |paint_only: PaintOnly| match paint_only {
        PaintOnly::Anywhere => "anywhere".to_owned(),
        PaintOnly::Unlabelled => "where no label is".to_owned(),
        PaintOnly::Inside(id) => format!("inside {}", name(id)),
        PaintOnly::Outside(id) => format!("outside {}", name(id)),
    };
    make_space(ui, 170.0);
    let label = ui.label(RichText::new("Paint").weak()).on_hover_text(PAINT);
    let combo =
        ComboBox::from_id_salt("paint only").selected_text(words(rules.paint_only)).width(110.0).truncate();
    let shown = combo.show_ui(ui, |ui| {
        let others = annotation.labels().map(|(id, _)| id).filter(|id| Some(*id) != state.annotating.active);
        let others = others.flat_map(|id| [PaintOnly::Inside(id), PaintOnly::Outside(id)]);
        for paint_only in [PaintOnly::Anywhere, PaintOnly::Unlabelled].into_iter().chain(others) {
            if ui.selectable_label(rules.paint_only == paint_only, words(paint_only)).clicked() {
                commands.push(Command::Annotate(AnnotateCommand::SetRules(Rules { paint_only, ..rules })));
            }
        }
    });
    shown.response.labelled_by(label.id);
    let mut overwrites = rules.overwrites;
    if ui.checkbox(&mut overwrites, "Overwrite").on_hover_text(OVERWRITE).changed() {
        commands.push(Command::Annotate(AnnotateCommand::SetRules(Rules { overwrites, ..rules })));
    }
}

fn prediction(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let is_ready = state.predicted_now();
    ui.add_enabled_ui(is_ready.is_ok(), |ui| {
        menu(ui, "Use prediction", |ui| {
            for (place, words) in [
                (Place::Replace, "In place of the label in this slice"),
                (Place::Add, "Add to the label"),
                (Place::WhereNothing, "Only where nothing is drawn"),
            ] {
                if ui.button(words).clicked() {
                    commands.push(Command::Annotate(AnnotateCommand::UsePrediction(place)));
                    ui.close();
                }
            }
        })
    })
    .inner
    .on_disabled_hover_text(is_ready.err().unwrap_or_default());
}
