//! The learned filters: σ, their coefficients, and their effect on the features of this image.

use eframe::egui::{
    Color32, ColorImage, Rect, RichText, Role, Sense, Stroke, StrokeKind, TextureOptions, Ui, WidgetInfo, pos2,
    vec2,
};
use egui_plot::{Line, PlotPoints};

use super::working::{needs_overrides, working};
use crate::analysis::filter::{Filter, SIGMA_INIT};
use crate::analysis::maps::{Map, Scale};
use crate::app::command::Command;
use crate::app::pane;
use crate::app::panels::panel::Panel;
use crate::app::panels::plot;
use crate::app::panels::widgets::{row, section, swatch};
use crate::app::stages::{InspectionState, Pane, Place, map_picture};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::infer::StageOverrides;

/// The side length of a filter map, in points.
const SIDE: f32 = 96.0;
/// The height of a plot, in points.
const HEIGHT: f32 = 92.0;

/// Filter widths and the spectrum filters of the stages.
pub struct Spectrum;

const INFO: pane::PaneInfo = pane::PaneInfo {
    title: "Spectrum",
    help: "Filter widths and the spectrum filters of the stages.",
    places: &[pane::Place::new(Tab::Stages, pane::Column::Right, 0)],
    size: [340.0, 400.0],
    ..pane::PaneInfo::new(pane::Pane::SPECTRUM)
};

impl Panel for Spectrum {
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
    let own = model.info.overrides.clone();
    let history = model.info.history.clone();
    let overrides = state.stages.overrides.as_ref().unwrap_or(&own).clone();
    let other = state.other().map(|info| (info.name.clone(), info.overrides.clone(), info.history.clone()));
    let words = "A raw σ cannot be compared between stages: it counts frequency bins, and the grids differ. Its effect is shown beneath.";
    ui.label(RichText::new(words).small().weak());
    for (index, stage) in overrides.stages.iter().enumerate() {
        let original = own.stages.get(index).and_then(|stage| stage.sigma);
        section(ui, &format!("Stage {}", stage.grid), &format!("grid {0} × {0}", stage.grid));
        // The stage of the other model on the same grid; a stage on another grid has another spectrum.
        let beside = other.as_ref().and_then(|(name, overrides, _)| {
            let place = overrides.stages.iter().position(|other| other.grid == stage.grid)?;
            Some(Beside { name, place, sigma: overrides.stages[place].sigma? })
        });
        ui.push_id(("spectrum", index), |ui| one(ui, state, stage, index, original, beside));
    }
    epochs(ui, "σ over the training", &own.stages, &history);
    if let Some((name, overrides, history)) = &other {
        epochs(ui, &format!("σ over the training of {name}"), &overrides.stages, history);
    }
}

/// A stage of the comparison model.
#[derive(Clone, Copy)]
struct Beside<'a> {
    /// The model's name.
    name: &'a str,
    /// The index of the stage, coarse to fine.
    place: usize,
    sigma: f32,
}

fn one(
    ui: &mut Ui,
    state: &mut State,
    stage: &StageOverrides,
    index: usize,
    original: Option<f32>,
    beside: Option<Beside>,
) {
    let Some(sigma) = stage.sigma else {
        ui.label(RichText::new("This stage has no spectrum filter.").weak());
        return;
    };
    if !stage.is_filtered {
        ui.label(RichText::new("The filter is switched off.").weak());
    }
    let filter = Filter { sigma, grid: stage.grid };
    let mut value = format!("{sigma:.2} (started at {SIGMA_INIT:.2})");
    if let Some(own) = original.filter(|own| *own != sigma) {
        value = format!("{sigma:.2}, modified from {own:.2}");
    }
    row(ui, "σ", value);
    if let Some(Beside { name, sigma, .. }) = beside {
        row(ui, &format!("σ of {name}"), format!("{sigma:.2}"));
    }
    row(ui, "Passes at DC", format!("{:.3}", filter.gain_at_dc()))
        .on_hover_text("1 − g at frequency 0. The stage adds this share of its input's mean to the input.");
    row(ui, "Passes at the highest frequency", format!("{:.3}", filter.gain_at_highest()));
    ui.horizontal(|ui| {
        picture(ui, state, filter, index, false);
        picture(ui, state, filter, index, true);
    });
    let colours = theme::palette(ui.visuals()).lines;
    let mut lines = vec![("1 − g", colours[0], response(filter))];
    if let Some(Beside { name, sigma, .. }) = beside {
        lines.push((name, colours[3], response(Filter { sigma, grid: stage.grid })));
    }
    let title = format!("Response of stage {}", stage.grid);
    // All stages share one scale, so that their coefficients can be compared.
    chart(ui, &title, "Mean coefficient 1 − g by distance from DC", &lines, &[0.0, 1.0]);
    let of = |look: &InspectionState, place: usize| {
        look.seen.as_ref().and_then(|seen| seen.inspection.stages.get(place)?.spectra.clone())
    };
    let spectra = of(&state.stages.look, index);
    let other = beside.and_then(|beside| Some((beside.name, of(&state.stages.other, beside.place)?)));
    if let Some(spectra) = spectra {
        let logarithms = |power: &[f32]| -> Vec<[f64; 2]> {
            let value = |(ring, power): (usize, &f32)| [ring as f64, f64::from(power.max(1e-12)).log10()];
            power.iter().enumerate().map(value).collect()
        };
        let mut lines = vec![
            ("Before", colours[1], logarithms(&spectra.before)),
            ("After", colours[2], logarithms(&spectra.after)),
        ];
        let name = other.as_ref().map(|(name, _)| format!("After, {name}")).unwrap_or_default();
        if let Some((_, spectra)) = &other {
            lines.push((&name, colours[3], logarithms(&spectra.after)));
        }
        let title = format!("Features of stage {}", stage.grid);
        chart(ui, &title, "Log₁₀ of mean power by distance from DC", &lines, &[]);
    }
}

/// Returns the mean coefficient by distance from DC.
fn response(filter: Filter) -> Vec<[f64; 2]> {
    filter.rings().into_iter().enumerate().map(|(ring, mean)| [ring as f64, mean]).collect()
}

/// Draws the coefficients, as applied or centred, with DC marked.
fn picture(ui: &mut Ui, state: &mut State, filter: Filter, index: usize, is_centred: bool) {
    let plane = if is_centred { filter.centred_map() } else { filter.map() };
    let n = plane.width;
    let pane = Pane {
        of: index as u64,
        is_other: false,
        place: Place::Filter(index, is_centred),
        kind: None,
        channel: Some(n),
        mask: None,
        is_over_picture: false,
        against: Some(u64::from(filter.sigma.to_bits())),
    };
    let make = || -> ColorImage { map_picture(&Map { plane, scale: Scale::Sequential }, false) };
    let texture = state.stages.pictures.texture(ui.ctx(), pane, TextureOptions::NEAREST, make);
    ui.vertical(|ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::hover());
        let name = if is_centred { "Centred, as the paper draws it" } else { "As the network applies it" };
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("{name}, stage {}", filter.grid)));
        ui.painter().image(texture.id(), rect, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), Color32::WHITE);
        let cell = SIDE / n as f32;
        let dc = if is_centred { (n / 2) as f32 * cell } else { 0.0 };
        let mark = Rect::from_min_size(rect.min + vec2(dc, dc), vec2(cell, cell));
        ui.painter().rect_stroke(mark, 0.0, Stroke::new(1.5, theme::MARK), StrokeKind::Outside);
        response.on_hover_text(format!("{name}: 1 − g from 0 (dark) to 1 (bright). The red square is DC."));
        ui.label(RichText::new(if is_centred { "Centred" } else { "As applied" }).small().weak());
    });
}

/// Draws a small plot with the names of its lines; `span` is always in the visible range.
fn chart(ui: &mut Ui, title: &str, convention: &str, lines: &[(&str, Color32, Vec<[f64; 2]>)], span: &[f64]) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(RichText::new(convention).small().weak());
        if lines.len() > 1 {
            for (name, colour, _) in lines {
                swatch(ui, *colour);
                ui.label(RichText::new(*name).small());
            }
        }
    });
    let whole = span.iter().fold(plot::base(title, HEIGHT, true), |plot, value| plot.include_y(*value));
    whole.show(ui, |drawing| {
        for (name, colour, points) in lines {
            let points: PlotPoints = points.iter().copied().collect();
            drawing.line(Line::new(*name, points).color(*colour).width(1.6));
        }
    });
}

/// Draws σ over the course of the training, if it is known.
fn epochs(ui: &mut Ui, title: &str, stages: &[StageOverrides], history: &[(usize, Vec<f32>)]) {
    section(ui, title, "");
    if history.is_empty() {
        let words =
            "The model has no record of its training. Training runs of this program keep one in metrics.csv.";
        ui.label(RichText::new(words).small().weak());
        return;
    }
    let colours = theme::palette(ui.visuals()).lines;
    let lines: Vec<(String, Color32, Vec<[f64; 2]>)> = stages
        .iter()
        .enumerate()
        .map(|(index, stage)| {
            let points = history
                .iter()
                .filter_map(|(epoch, sigmas)| sigmas.get(index).map(|sigma| [*epoch as f64, f64::from(*sigma)]));
            (format!("Stage {}", stage.grid), colours[index % colours.len()], points.collect())
        })
        .collect();
    let lines: Vec<(&str, Color32, Vec<[f64; 2]>)> =
        lines.iter().map(|(name, colour, points)| (name.as_str(), *colour, points.clone())).collect();
    chart(ui, title, "By epoch", &lines, &[]);
}
