//! The settings of the tool that is chosen, in the row above the picture.

use eframe::egui::{DragValue, Label, RichText, Ui};

use crate::annotate::tools::Connectivity;
use crate::app::annotating::{AnnotateCommand, Tool, ToolOptions};
use crate::app::command::Command;
use crate::app::panels::widgets::make_space;
use crate::app::state::State;

const VALUES: &str =
    "The greatest difference from the value at the start, as a share of the width of the display window.";
const PROBABILITIES: &str =
    "The greatest difference from the probability at the start, which the network predicts.";
const SPHERE: &str = "Paint the neighbouring slices too, as a ball would. The radius is then in mm.";
const CORNERS: &str = "Pixels that touch only at a corner are connected too.";
const OUTLINE: &str = "Click to add points. A double click, Enter or a click on the first point closes the outline; Backspace takes the last \
     point back, Esc all of it. With Ctrl, closing takes pixels away.";
const GROW: &str = "Press on a seed and drag away from it: the region grows as far as the pointer is from the seed. Unlike pixels and edges \
     slow it down.";

/// Draws the settings.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let mut options = state.annotating.options;
    match state.annotating.tool {
        Tool::Brush | Tool::Eraser => sphere(ui, state, &mut options, commands),
        Tool::SmartBrush => similar(ui, state, &mut options),
        Tool::Flood => {
            similar(ui, state, &mut options);
            let mut takes_corners = options.connectivity == Connectivity::Corner;
            ui.checkbox(&mut takes_corners, "Across corners").on_hover_text(CORNERS);
            options.connectivity = if takes_corners { Connectivity::Corner } else { Connectivity::Edge };
        }
        Tool::Grow => {
            let weights = &mut options.grow;
            number(ui, "Unlike values", GROW, &mut weights.value, 0.02, 50.0);
            number(ui, "Unlike probabilities", GROW, &mut weights.probability, 0.02, 50.0);
            number(ui, "Edges", GROW, &mut weights.edges, 0.2, 500.0);
        }
        Tool::Region => {
            let help = "The probability at and above which pixels belong to a region. The keys of the brush size change it.";
            number(ui, "Probability from", help, &mut options.threshold, 0.005, 1.0);
        }
        Tool::Polygon | Tool::LiveWire => {
            ui.add(Label::new(RichText::new("Enter closes").weak())).on_hover_text(OUTLINE);
        }
        Tool::Hand | Tool::Lasso => {}
    }
    if options != state.annotating.options {
        commands.push(Command::Annotate(AnnotateCommand::SetOptions(options)));
    }
}

fn sphere(ui: &mut Ui, state: &State, options: &mut ToolOptions, commands: &mut Vec<Command>) {
    let Some(open) = state.document.image.as_ref().filter(|open| open.volume.slices > 1) else { return };
    let geometry = &open.volume.geometry;
    let is_known = geometry.pixel_mm.is_some() && (geometry.slice_mm.is_some() || geometry.placement.is_some());
    let is_sphere = options.is_sphere && state.annotating.radius.in_mm && is_known;
    let mut wants = is_sphere;
    make_space(ui, 84.0);
    let response = ui.add_enabled_ui(is_known, |ui| ui.checkbox(&mut wants, "Sphere")).inner;
    response.on_hover_text(SPHERE).on_disabled_hover_text("The file does not say how far the slices are apart.");
    if wants != is_sphere {
        options.is_sphere = wants;
        if wants {
            commands.push(Command::Annotate(AnnotateCommand::RadiusInMm(true)));
        }
    }
}

fn similar(ui: &mut Ui, state: &State, options: &mut ToolOptions) {
    ui.checkbox(&mut options.uses_value, "Values ±").on_hover_text(VALUES);
    make_space(ui, 64.0);
    ui.add_enabled_ui(options.uses_value, |ui| {
        let mut percent = options.value * 100.0;
        let field = DragValue::new(&mut percent).speed(0.2).range(0.1..=100.0).max_decimals(1).suffix(" %");
        let response = ui.add(field).on_hover_text(VALUES);
        response.widget_info(|| named("Greatest difference of values", percent));
        if response.changed() {
            options.value = percent / 100.0;
        }
    });
    let has_prediction = state.predicted().is_some();
    make_space(ui, 190.0);
    ui.add_enabled_ui(has_prediction, |ui| {
        ui.checkbox(&mut options.uses_probability, "Probabilities ±").on_hover_text(PROBABILITIES);
        if options.uses_probability {
            let field = DragValue::new(&mut options.probability).speed(0.005).range(0.01..=1.0).fixed_decimals(2);
            let response = ui.add(field).on_hover_text(PROBABILITIES);
            response.widget_info(|| named("Greatest difference of probabilities", options.probability));
        }
    });
}

fn number(ui: &mut Ui, name: &str, help: &str, value: &mut f32, least: f32, most: f32) {
    let label = ui.label(RichText::new(name).weak()).on_hover_text(help);
    let range = if most > 1.0 { 0.0..=most } else { least..=most };
    let field = DragValue::new(value).speed(least).range(range).max_decimals(2);
    ui.add(field).on_hover_text(help).labelled_by(label.id);
}

fn named(name: &str, value: f32) -> eframe::egui::WidgetInfo {
    let mut info = eframe::egui::WidgetInfo::labeled(eframe::egui::Role::SpinButton, true, name);
    info.value = Some(f64::from(value));
    info
}
