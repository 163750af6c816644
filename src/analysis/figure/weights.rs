//! The weights of the text layers in the groups of the layer fusion, as in the paper's figure 2.

use super::axes::{Axis, Plot};
use super::page::{
    self, GRID, HEADING, INK, INNER, LINES, MARGIN, TICK, WEAK, WIDTH, caption, legend, line_legend,
};
use super::scene::{Anchor, Rect, Rgb, Scene, Stroke, Text};
use super::table::{Table, cell, optional};
use super::{Content, Figure, FigureError, Model, font};
use crate::analysis::number::{number, signed};
use crate::analysis::stage_name;
use crate::infer::GroupOverrides;

/// The value of every layer before training.
const ALPHA_INIT: f32 = 1.0;
/// The heights of the bar charts of weights and of changes, in points.
const HEIGHT: f32 = 96.0;
const CHANGE_HEIGHT: f32 = 52.0;
/// The height of the chart of changes if a group has many layers, whose numbers are then vertical.
const TALL_CHANGE_HEIGHT: f32 = 84.0;
/// The minimum width of a bar with its gap, in points.
const LEAST: f32 = 9.0;
/// The number of layers above which the numbers of a group are vertical.
const MANY: usize = 6;
/// The width for the numbers of a vertical axis and its name, in points.
const AXIS: f32 = 34.0;
/// The distance between panels, in points.
const GAP: f32 = 10.0;

/// Draws one bar chart for each group, from G1, and below it the change of each value before the softmax from its
/// initial value of 1. Cases are not used.
///
/// Columns: `model`, `group`, `feeds_stage`, `is_used`, `layer` (from 1), `weight`, `uniform_weight`,
/// `value_before_softmax`, `value_change_from_start`; the last two are empty if nothing is learned.
///
/// # Errors
/// Returns an error if there is no model.
pub fn weights(content: &Content) -> Result<Figure, FigureError> {
    if content.models.is_empty() {
        return Err(FigureError::Nothing { reason: "no model is open; open one".into() });
    }
    if content.models.iter().all(|model| model.overrides().groups.is_empty()) {
        let reason = "the network mixes no layers of a text; choose a model that does".into();
        return Err(FigureError::Nothing { reason });
    }
    let names = content.names();
    let mut scene = Scene::new(format!("Layer weights of {}", names.join(" and ")), WIDTH);
    let mut table = Table::new(&[
        "model",
        "group",
        "feeds_stage",
        "is_used",
        "layer",
        "weight",
        "uniform_weight",
        "value_before_softmax",
        "value_change_from_start",
    ]);
    let groups = || content.models.iter().flat_map(|model| &model.overrides().groups);
    if groups().next().is_none() {
        let reason =
            "the decoder's stages of this model read no text, so that there are no weights; choose another figure";
        return Err(FigureError::Nothing { reason: reason.into() });
    }
    let is_many = groups().any(|group| group.layers.len() > MANY);
    let scales = Scales {
        weight: Axis::covering(groups().flat_map(|group| group.weights()).map(f64::from).chain([0.0]), 4),
        change: change_axis(groups().flat_map(changes), if is_many { 2.5 } else { 1.6 }),
        change_height: if is_many { TALL_CHANGE_HEIGHT } else { CHANGE_HEIGHT },
    };
    let mut y = MARGIN;
    for (index, (model, name)) in content.models.iter().zip(&names).enumerate() {
        if content.models.len() > 1 {
            y += HEADING + if index > 0 { 10.0 } else { 0.0 };
            scene.text(Text::new([MARGIN, y], name, HEADING + 1.0, INK).strong());
            y += 6.0;
        }
        y = rows(&mut scene, y, model, &scales);
        list(&mut table, model, name);
    }
    let has_change = groups().any(|group| group.alpha.is_some());
    y += 8.0;
    let x = legend(&mut scene, [MARGIN, y], &[(LINES[0], "weight")]);
    let x = if has_change {
        legend(&mut scene, [x + 14.0, y], &[(LINES[1], "change of the value before the softmax")])
    } else {
        x
    };
    line_legend(&mut scene, [x + 14.0, y], &[(Stroke::dashed(INK, 0.8), "equal weights".into())]);
    y += 10.0;
    let mut sentences = vec![
        format!("Layer fusion of {}.", names.join(" and ")),
        "A stage reads the weighted sum of the text encoder's layers in its group; the weights of a group are the softmax of one learned value for each layer and add up to 1."
            .into(),
    ];
    if has_change {
        sentences.push("The lower bars show the change of each value from its initial value of 1; equal changes in a whole group leave the weights unchanged.".into());
    }
    sentences.push(content.remarks());
    caption(&mut scene, y, &sentences);
    Ok(Figure { scene, table })
}

/// The axes that all panels share, so that bars can be compared.
struct Scales {
    weight: Axis,
    change: Axis,
    change_height: f32,
}

/// Returns how much the values have changed; empty if nothing is learned.
fn changes(group: &GroupOverrides) -> Vec<f64> {
    group.alpha.iter().flatten().map(|value| f64::from(value - ALPHA_INIT)).collect()
}

/// Creates an axis around zero that extends `factor` times the largest change to both sides.
fn change_axis(changes: impl Iterator<Item = f64>, factor: f64) -> Axis {
    let largest = changes.fold(0f64, |largest, change| largest.max(change.abs()));
    let end = if largest > 0.0 { factor * largest } else { 0.1 };
    Axis::exact(-end, end, 5)
}

/// Describes which stage the text of a group feeds.
fn feeds(model: &Model, index: usize) -> String {
    let overrides = model.overrides();
    let stage = overrides.order.iter().position(|number| *number == index + 1);
    let Some((stage, of)) = stage.and_then(|stage| Some((stage, overrides.stages.get(stage)?))) else {
        return String::new();
    };
    stage_name(of.grid, stage, overrides.stages.len())
}

fn rows(scene: &mut Scene, mut y: f32, model: &Model, scales: &Scales) -> f32 {
    let groups: Vec<(usize, &GroupOverrides)> = model.overrides().groups.iter().enumerate().collect();
    let longest = groups.iter().map(|(_, group)| group.layers.len()).max().unwrap_or(1);
    // Each line contains as many panels as fit with a number above each bar.
    let width = |columns: usize| (INNER - AXIS + GAP) / columns as f32 - GAP;
    let most = (2..=4).rev().find(|columns| width(*columns) >= LEAST * longest as f32).unwrap_or(1);
    let columns = groups.len().div_ceil(groups.len().div_ceil(most).max(1)).max(1);
    for row in groups.chunks(columns) {
        let width = width(columns).min(if longest > MANY { INNER } else { 180.0 });
        let has_change = row.iter().any(|(_, group)| group.alpha.is_some());
        for (place, (index, group)) in row.iter().enumerate() {
            let rect = Rect::new(MARGIN + AXIS + place as f32 * (width + GAP), y + 26.0, width, HEIGHT);
            heading(scene, rect, model, *index, group);
            bars(scene, rect, group, scales, place == 0);
        }
        y += 26.0 + HEIGHT + if has_change { 12.0 + scales.change_height } else { 0.0 } + 26.0;
    }
    y
}

fn heading(scene: &mut Scene, rect: Rect, model: &Model, index: usize, group: &GroupOverrides) {
    let stage = feeds(model, index);
    let words = match (group.is_used, stage.is_empty()) {
        (_, true) => "feeds no stage".to_owned(),
        (true, false) => format!("feeds {stage}"),
        (false, false) => format!("not used: {stage} reads no text"),
    };
    page::column_heading(scene, rect, rect.y - 17.0, &format!("G{}", index + 1), &words);
}

fn bars(scene: &mut Scene, rect: Rect, group: &GroupOverrides, scales: &Scales, is_first: bool) {
    let names = || Axis::of_names(group.layers.iter().map(ToString::to_string));
    let bare = |axis: &Axis| {
        let ticks =
            axis.ticks.iter().map(|(value, label)| (*value, if is_first { label.clone() } else { String::new() }));
        Axis { ticks: ticks.collect(), ..*axis }
    };
    let weights = group.weights();
    let plot = Plot { rect, x: names(), y: bare(&scales.weight) };
    let changes = changes(group);
    let below = if changes.is_empty() { "Text layer" } else { "" };
    plot.frame(scene, below, if is_first { "Weight" } else { "" });
    let colour = if group.is_used { LINES[0] } else { GRID };
    let values: Vec<f64> = weights.iter().map(|weight| f64::from(*weight)).collect();
    let uniform = Stroke::dashed(INK, 0.8);
    columns(scene, &plot, &values, colour, (1.0 / weights.len().max(1) as f64, uniform), &|value| {
        number(value, 3)
    });
    if changes.is_empty() {
        return;
    }
    let rect = Rect::new(rect.x, rect.bottom() + 18.0, rect.width, scales.change_height);
    let mut plot = Plot { rect, x: names(), y: bare(&scales.change) };
    plot.frame(scene, "Text layer", if is_first { "Change" } else { "" });
    plot.x.ticks.clear();
    let colour = if group.is_used { LINES[1] } else { GRID };
    columns(scene, &plot, &changes, colour, (0.0, Stroke::solid(WEAK, 0.6)), &|value| signed(value, 3));
}

/// Draws a bar for each value with its number at the end, which is vertical if bars are narrow, and a line across
/// the chart at `level`.
fn columns(
    scene: &mut Scene,
    plot: &Plot,
    values: &[f64],
    colour: Rgb,
    (level, line): (f64, Stroke),
    words: &dyn Fn(f64) -> String,
) {
    let step = plot.rect.width / values.len().max(1) as f32;
    let is_narrow = values.iter().any(|value| font::width(&words(*value), TICK) > step - 2.0);
    let places: Vec<[f32; 2]> =
        values.iter().enumerate().map(|(at, value)| plot.place([at as f64 + 0.5, *value])).collect();
    let [_, zero] = plot.place([0.0, 0.0]);
    for [x, end] in &places {
        scene.fill(Rect::new(x - 0.3 * step, end.min(zero), 0.6 * step, (end - zero).abs()), colour);
    }
    plot.curve(scene, &[[plot.x.low, level], [plot.x.high, level]], line);
    for ([x, end], value) in places.into_iter().zip(values) {
        let is_up = *value >= 0.0;
        let text = if is_narrow {
            let (y, anchor) = if is_up { (end - 2.5, Anchor::Start) } else { (end + 2.5, Anchor::End) };
            Text::new([x + 0.35 * TICK, y], words(*value), TICK, INK).anchored(anchor).upright()
        } else {
            let y = if is_up { end - 2.5 } else { end + 0.75 * TICK + 2.0 };
            Text::new([x, y], words(*value), TICK, INK).anchored(Anchor::Middle)
        };
        scene.text(text.edged());
    }
}

fn list(table: &mut Table, model: &Model, name: &str) {
    for (index, group) in model.overrides().groups.iter().enumerate() {
        let weights = group.weights();
        for (place, layer) in group.layers.iter().enumerate() {
            let value = group.alpha.as_ref().map(|alpha| alpha[place]);
            table.push([
                name.to_owned(),
                format!("G{}", index + 1),
                feeds(model, index),
                cell(group.is_used),
                cell(*layer),
                cell(weights[place]),
                cell(1.0 / weights.len() as f32),
                optional(value),
                optional(value.map(|value| value - ALPHA_INIT)),
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, assert_tidy, column, numbers};
    use super::*;

    #[test]
    fn numbers_are_the_models() {
        let mut bench = Bench::new(&[7, 14, 28]);
        bench.info.overrides.groups[1].is_used = false;
        let figure = weights(&bench.content()).expect("a figure");
        for (index, group) in bench.info.overrides.groups.iter().enumerate() {
            let name = format!("G{}", index + 1);
            let of = [("group", name.as_str())];
            let expected: Vec<f64> =
                group.weights().iter().map(|weight| weight.to_string().parse().unwrap()).collect();
            assert_eq!(numbers(&figure, "weight", &of), expected);
            assert_eq!(numbers(&figure, "uniform_weight", &of), [0.25; 4]);
            assert_eq!(numbers(&figure, "value_before_softmax", &of)[1], 0.5);
            assert_eq!(numbers(&figure, "value_change_from_start", &of)[1], -0.5);
            let layers: Vec<f64> = group.layers.iter().map(|layer| *layer as f64).collect();
            assert_eq!(numbers(&figure, "layer", &of), layers);
        }
        // As in the paper, the first group feeds the finest stage.
        assert_eq!(column(&figure, "feeds_stage", &[("layer", "1")]), ["Stage 28 (Layer 1)"]);
        assert_eq!(column(&figure, "is_used", &[("group", "G2")]), ["false"; 4]);
        assert!(figure.scene.words().any(|words| words == "not used: Stage 14 (Layer 2) reads no text"));
        assert!(figure.scene.words().any(|words| words == "−0.500"), "a change with its sign");
    }

    #[test]
    fn the_height_of_a_bar_is_its_weight() {
        let bench = Bench::new(&[7]);
        let figure = weights(&bench.content()).expect("a figure");
        let bars = figure.scene.items.iter().filter_map(|item| match item {
            super::super::scene::Item::Rect { rect, fill, .. } if *fill == Some(LINES[0]) => Some(rect.height),
            _ => None,
        });
        let bars: Vec<f32> = bars.take(4).collect();
        let weights = bench.info.overrides.groups[0].weights();
        for (bar, weight) in bars.iter().zip(&weights) {
            assert!((bar / bars[0] - weight / weights[0]).abs() < 1e-3, "{bars:?} for {weights:?}");
        }
    }

    #[test]
    fn groups_of_any_kind_are_drawn_as_they_are() {
        let mut bench = Bench::new(&[7, 14, 28]);
        for group in &mut bench.info.overrides.groups {
            group.layers = (1..=12).collect();
            group.alpha = Some((0..12).map(|layer| 1.0 + (layer as f32 - 6.0) / 20.0).collect());
        }
        let figure = weights(&bench.content()).expect("a figure");
        assert_tidy(&figure, "twelve layers");
        assert_eq!(figure.table.rows.len(), 36);
        bench.info.overrides.groups.iter_mut().for_each(|group| group.alpha = None);
        let figure = weights(&bench.content()).expect("a figure");
        assert_tidy(&figure, "nothing learned");
        assert_eq!(column(&figure, "value_before_softmax", &[("layer", "3")]), ["", "", ""]);
        assert!(!figure.scene.words().any(|words| words == "Change"));
        assert!(weights(&Content::default()).is_err());
    }

    #[test]
    fn a_turned_model_says_so() {
        let bench = Bench::new(&[7]);
        let mut overrides = bench.info.overrides.clone();
        overrides.stages[0].sigma = Some(3.0);
        let mut content = bench.content_of(2, 1);
        content.models[1].overrides = Some(&overrides);
        let figure = weights(&content).expect("a figure");
        let all = figure.scene.words().collect::<Vec<_>>().join(" ");
        assert!(all.contains("bench-model was modified: σ of stage 7 6.18 to 3.00."), "{all}");
        assert_eq!(column(&figure, "model", &[("layer", "1")]), ["bench-model", "bench-model, modified"]);
    }
}
