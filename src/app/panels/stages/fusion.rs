//! The layer fusion: the weights of each group's layers, and the similarity of the layers.

use eframe::egui::{Color32, Rect, RichText, Role, Sense, Stroke, TextureOptions, Ui, WidgetInfo, pos2, vec2};

use super::working::{needs_overrides, working};
use crate::analysis::maps::{Map, Scale};
use crate::app::command::Command;
use crate::app::pane;
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::section;
use crate::app::stages::{Pane, Place, map_picture};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::infer::{GroupOverrides, Plane};

/// The height of the bars of a group, in points.
const BARS: f32 = 74.0;
/// The value of every layer before training.
const ALPHA_INIT: f32 = 1.0;

/// The weights of the text layers that each stage uses.
pub struct Fusion;

const INFO: pane::PaneInfo = pane::PaneInfo {
    title: "Fusion",
    help: "Weights of the text layers that each stage uses.",
    places: &[pane::Place::new(Tab::Stages, pane::Column::Right, 0)],
    size: [340.0, 400.0],
    ..pane::PaneInfo::new(pane::Pane::FUSION)
};

impl Panel for Fusion {
    fn info(&self) -> &'static pane::PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        needs_overrides(state)
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        working(ui, state, commands);
        show(ui, state);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &mut State) {
    let Some(model) = &state.model else { return };
    let own = &model.info.overrides;
    let overrides = state.stages.overrides.as_ref().unwrap_or(own).clone();
    let other = state.other().map(|info| (info.name.clone(), info.overrides.groups.clone()));
    if overrides.groups.is_empty() {
        ui.label(RichText::new("The decoder's stages of this model read no text of their own.").weak());
        return similarity(ui, state);
    }
    let words = "Weights of the text layers of each group; the line marks equal weights. Beneath each: the value before the softmax, minus its initial value of 1.";
    ui.label(RichText::new(words).small().weak());
    for (index, group) in overrides.groups.iter().enumerate() {
        let stage = overrides.order.iter().position(|number| *number == index + 1);
        let grid = stage.and_then(|stage| overrides.stages.get(stage)).map(|stage| stage.grid);
        let feeds = match (grid, group.is_used) {
            (Some(grid), true) => format!("feeds stage {grid}"),
            (Some(grid), false) => format!("switched off; stage {grid} reads no text"),
            (None, _) => String::new(),
        };
        section(ui, &format!("G{}", index + 1), &feeds);
        bars(ui, &format!("G{}", index + 1), index, group);
        let beside = other.as_ref().and_then(|(name, groups)| Some((name, groups.get(index)?)));
        if let Some((name, other)) = beside {
            ui.label(RichText::new(format!("{name}:")).small().weak());
            bars(ui, &format!("G{} of {name}", index + 1), 3, other);
        }
        if group.alpha.is_none() {
            ui.label(RichText::new("The layers of this group have equal, fixed weights.").small().weak());
        }
    }
    similarity(ui, state);
}

fn bars(ui: &mut Ui, name: &str, colour: usize, group: &GroupOverrides) {
    let palette = theme::palette(ui.visuals());
    let weights = group.weights();
    let count = weights.len().max(1);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), BARS), Sense::hover());
    let text: Vec<String> =
        group.layers.iter().zip(&weights).map(|(layer, weight)| format!("layer {layer} {weight:.3}")).collect();
    let label = format!("Weights of {name}: {}", text.join(", "));
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &label));
    let foot = 30.0;
    let chart = Rect::from_min_max(rect.min, pos2(rect.right(), rect.bottom() - foot));
    let uniform = 1.0 / count as f32;
    let highest = weights.iter().copied().fold(2.0 * uniform, f32::max);
    let step = rect.width() / count as f32;
    let font = eframe::egui::FontId::proportional(if count > 6 { 9.5 } else { 11.5 });
    for (place, weight) in weights.iter().enumerate() {
        let centre = rect.left() + step * (place as f32 + 0.5);
        let top = chart.bottom() - chart.height() * weight / highest;
        let bar = Rect::from_min_max(pos2(centre - step * 0.3, top), pos2(centre + step * 0.3, chart.bottom()));
        ui.painter().rect_filled(bar, 1.0, palette.lines[colour % palette.lines.len()]);
        let word = |y: f32, words: String, colour: Color32| {
            ui.painter().text(pos2(centre, y), eframe::egui::Align2::CENTER_TOP, words, font.clone(), colour);
        };
        word(chart.bottom() + 2.0, format!("{}", group.layers[place]), palette.text);
        if let Some(alpha) = &group.alpha {
            let change = format!("{:+.2}", alpha[place] - ALPHA_INIT).replace('-', "−");
            word(chart.bottom() + 15.0, change, palette.weak);
        }
    }
    let y = chart.bottom() - chart.height() * uniform / highest;
    ui.painter().hline(rect.x_range(), y, Stroke::new(1.0, palette.text));
    response.on_hover_text(text.join("\n"));
}

/// Draws the cosine similarity between the `[CLS]` vectors of each pair of layers.
fn similarity(ui: &mut Ui, state: &mut State) {
    section(ui, "Similarity of the layers", "cosine of their [CLS]");
    let Some(seen) = state.stages.look.seen.clone().filter(|seen| !seen.inspection.similarity.is_empty()) else {
        ui.label(RichText::new("It appears with an image and a prompt.").small().weak());
        return;
    };
    let values = &seen.inspection.similarity;
    let layers = values.len().isqrt();
    let pane = Pane {
        of: seen.ticket,
        is_other: false,
        place: Place::Similarity,
        kind: None,
        channel: None,
        mask: None,
        is_over_picture: false,
        against: None,
    };
    let plane = Plane { width: layers, height: layers, values: values.clone() };
    let make = || map_picture(&Map { plane, scale: Scale::Diverging }, false);
    let texture = state.stages.pictures.texture(ui.ctx(), pane, TextureOptions::NEAREST, make);
    let side = (ui.available_width() - 30.0).min(216.0);
    let (rect, response) = ui.allocate_exact_size(vec2(side + 20.0, side + 18.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Similarity of the layers"));
    let matrix = Rect::from_min_size(rect.min + vec2(20.0, 0.0), vec2(side, side));
    ui.painter().image(texture.id(), matrix, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
    let weak = theme::palette(ui.visuals()).weak;
    let font = eframe::egui::FontId::proportional(10.5);
    let cell = side / layers as f32;
    for layer in 0..layers {
        let centre = cell * (layer as f32 + 0.5);
        let name = (layer + 1).to_string();
        let (left, below) = (
            pos2(matrix.left() - 4.0, matrix.top() + centre),
            pos2(matrix.left() + centre, matrix.bottom() + 3.0),
        );
        ui.painter().text(left, eframe::egui::Align2::RIGHT_CENTER, &name, font.clone(), weak);
        ui.painter().text(below, eframe::egui::Align2::CENTER_TOP, &name, font.clone(), weak);
    }
    if let Some(at) = response.hover_pos().filter(|at| matrix.contains(*at)) {
        let place = ((at - matrix.min) / cell).floor();
        let (x, y) = ((place.x as usize).min(layers - 1), (place.y as usize).min(layers - 1));
        response.on_hover_text(format!("Layers {} and {}: {:.3}", y + 1, x + 1, values[y * layers + x]));
    }
    ui.label(RichText::new("Orange 1, white 0, blue −1.").small().weak());
}
