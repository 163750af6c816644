//! The initial and the learned spectrum filters, as in the paper's figures 3 and 4.

use super::axes::{Axis, Plot};
use super::page::{
    FRAME, HEADING, INK, INNER, LABEL, LINES, MARGIN, MARK, TICK, WEAK, WIDTH, caption, case_label, colour_bar,
    column_heading, line_legend,
};
use super::picture::Picture;
use super::scene::{Anchor, Rect, Scene, Stroke, Text};
use super::table::{Table, cell};
use super::{Content, Figure, FigureError, Model};
use crate::analysis::filter::{Filter, SIGMA_INIT};
use crate::analysis::maps::{Map, Scale};
use crate::analysis::number::number;
use crate::analysis::stage_name;
use crate::infer::StageOverrides;

/// Width to the left of the first plot of a line (numbers and name), and of the others (numbers).
const AXIS: [f32; 2] = [34.0, 20.0];
/// Distance between the panels of two stages, and between two maps.
const GAP: f32 = 12.0;
/// Height of a plot.
const HEIGHT: f32 = 78.0;
/// Smaller powers are drawn as this value, because a logarithm needs positive numbers.
const LEAST_POWER: f32 = 1e-12;

const START: Stroke = Stroke::dashed(INK, 0.9);
const LEARNED: Stroke = Stroke::solid(LINES[0], 1.8);
const BEFORE: Stroke = Stroke::dashed(LINES[1], 1.3);
const AFTER: Stroke = Stroke::solid(LINES[3], 1.3);

/// Draws for every stage, from coarse to fine, the initial and the learned coefficients with DC in the middle, and
/// their mean at each distance from DC; and for every case the power of the stage's features before and after the
/// filter, if its inspection includes spectra. There may be no cases.
///
/// Columns: `model`, `image`, `prompt`, `stage`, `grid` (its side), `sigma_bins`, `quantity`, `u_bins` and `v_bins`
/// (signed frequency along the height and the width), `distance_bins` from DC, `value`. Quantities:
/// `coefficient_at_start`, `coefficient`, `response_at_start`, `response` (all without unit), `power_before`,
/// `power_after` (mean |FFT|² by ring).
///
/// # Errors
/// Returns an error if there is no model, or if no stage of any model has a filter.
pub fn spectrum(content: &Content) -> Result<Figure, FigureError> {
    let nothing = |reason: &str| FigureError::Nothing { reason: reason.into() };
    if content.models.is_empty() {
        return Err(nothing("no model is open; open one"));
    }
    let mut stages = content.models.iter().flat_map(|model| &model.overrides().stages);
    if !stages.any(|stage| stage.sigma.is_some()) {
        return Err(nothing("no stage of this model has a spectrum filter; choose another model"));
    }
    if !content.cases.is_empty() {
        content.check()?;
    }
    let names = content.names();
    let mut scene = Scene::new(format!("Spectrum filters of {}", names.join(" and ")), WIDTH);
    let mut table = Table::new(&[
        "model",
        "image",
        "prompt",
        "stage",
        "grid",
        "sigma_bins",
        "quantity",
        "u_bins",
        "v_bins",
        "distance_bins",
        "value",
    ]);
    let mut y = MARGIN;
    for (model, name) in content.models.iter().zip(&names) {
        if content.models.len() > 1 {
            y += HEADING;
            scene.text(Text::new([MARGIN, y], name, HEADING + 1.0, INK).strong());
            y += 6.0;
        }
        y = block(&mut scene, y, content, model);
        list(&mut table, content, model, name);
        y += 4.0;
    }
    let has_spectra = content.models.iter().any(has_spectra);
    y += 2.0;
    let mut x = colour_bar(&mut scene, [MARGIN, y], Scale::Sequential, "coefficient 1 − g") + 14.0;
    scene.outline(Rect::new(x, y, 7.0, 7.0), Stroke::solid(MARK, 1.2));
    scene.text(Text::new([x + 10.0, y + 6.0], "DC", LABEL, INK));
    x += 32.0;
    let is_modified = content.models.iter().any(|model| *model.overrides() != model.info.overrides);
    let learned = if is_modified { "learned or modified" } else { "learned" };
    let mut lines = vec![(START, "initial".to_owned()), (LEARNED, learned.into())];
    if has_spectra {
        lines.extend([(BEFORE, "features before the filter".into()), (AFTER, "after it".into())]);
    }
    line_legend(&mut scene, [x, y], &lines);
    y += 20.0;
    let mut sentences = vec![
        format!("Spectrum filters of {}.", names.join(" and ")),
        format!("A stage adds to its features what passes 1 − g, a Gaussian high-frequency stop of width σ, initially {SIGMA_INIT:.2}."),
        "Maps: the coefficient of every frequency, DC in the middle; curves: its mean over rings of equal distance from DC, rounded to whole bins.".into(),
        "σ is measured in frequency bins, and the grids differ, so σ cannot be compared between stages; the responses can.".into(),
    ];
    if has_spectra {
        sentences.push("Feature spectra: mean power over the channels and the same rings, with the corners in the last ring, before and after the filter.".into());
    }
    sentences.push(content.remarks());
    caption(&mut scene, y, &sentences);
    Ok(Figure { scene, table })
}

fn has_spectra(model: &Model) -> bool {
    model.inspections.iter().any(|seen| seen.stages.iter().any(|stage| stage.spectra.is_some()))
}

/// Returns the filter of a stage. One that is switched off is infinitely wide and passes nothing.
fn filter(stage: &StageOverrides) -> Option<Filter> {
    let sigma = if stage.is_filtered { stage.sigma? } else { stage.sigma.map(|_| f32::INFINITY)? };
    Some(Filter { sigma, grid: stage.grid })
}

/// Draws one model: its stages side by side, at most four in a line.
fn block(scene: &mut Scene, mut y: f32, content: &Content, model: &Model) -> f32 {
    let stages: Vec<(usize, &StageOverrides)> = model.overrides().stages.iter().enumerate().collect();
    let lines = stages.len().div_ceil(4).max(1);
    let columns = stages.len().div_ceil(lines).max(1);
    for line in stages.chunks(columns) {
        let axes = AXIS[0] + AXIS[1] * (columns - 1) as f32 + GAP * (columns - 1) as f32;
        let width = ((INNER - axes) / columns as f32).min(200.0);
        let area = |place: usize, y: f32, height: f32| {
            let x = MARGIN + AXIS[0] + place as f32 * (width + AXIS[1] + GAP);
            Rect::new(x, y, width, height)
        };
        let side = (width - GAP) / 2.0;
        for (place, (index, stage)) in line.iter().enumerate() {
            let own = model.info.overrides.stages.get(*index).and_then(|stage| stage.sigma);
            let name = stage_name(stage.grid, *index, stages.len());
            filters(scene, area(place, y, side), side, stage, own, &name);
            responses(scene, area(place, y + side + 54.0, HEIGHT), stage, place == 0);
        }
        y += side + 54.0 + HEIGHT + 24.0;
        for (case, seen) in content.cases.iter().zip(&model.inspections).filter(|_| has_spectra(model)) {
            y = case_label(scene, y + 4.0, case.name, &seen.prediction.prompt) + 9.0;
            for (place, (index, _)) in line.iter().enumerate() {
                let spectra = seen.stages.get(*index).and_then(|stage| stage.spectra.as_ref());
                let Some(spectra) = spectra else { continue };
                powers(scene, area(place, y, HEIGHT), &spectra.before, &spectra.after, place == 0);
            }
            y += HEIGHT + 24.0;
        }
    }
    y
}

/// Draws the heading of a stage and its two maps; `rect` begins at the heading.
fn filters(scene: &mut Scene, rect: Rect, side: f32, stage: &StageOverrides, own: Option<f32>, name: &str) {
    let words = match (stage.sigma, stage.is_filtered) {
        (None, _) => "no spectrum filter".to_owned(),
        (Some(sigma), true) => format!("σ = {sigma:.2} bins, grid {0} × {0}", stage.grid),
        (Some(_), false) => format!("filter switched off, grid {0} × {0}", stage.grid),
    };
    column_heading(scene, rect, rect.y + HEADING, name, &words);
    let Some(filter) = filter(stage) else { return };
    let start = Filter { sigma: SIGMA_INIT, grid: stage.grid };
    let learned = match own {
        _ if !stage.is_filtered => "off".to_owned(),
        Some(own) if own != filter.sigma => format!("modified, σ {:.2}", filter.sigma),
        _ => format!("learned, σ {:.2}", filter.sigma),
    };
    let top = rect.y + 34.0;
    for (place, (filter, words)) in
        [(start, format!("initial, σ {SIGMA_INIT:.2}")), (filter, learned)].into_iter().enumerate()
    {
        let map = Rect::new(rect.x + place as f32 * (side + GAP), top, side, side);
        scene.text(Text::new([map.middle(), top - 3.0], words, LABEL, INK).anchored(Anchor::Middle));
        let plane = filter.centred_map();
        scene.picture(map, Picture::of_map(&Map { plane, scale: Scale::Sequential }), false);
        scene.outline(map, Stroke::solid(FRAME, 0.4));
        let (n, half) = (stage.grid as f32, (stage.grid / 2) as f32);
        let cell = side / n;
        // The mark must be visible on a fine grid.
        let mark = cell.max(4.0);
        let from = |edge: f32| edge + (half + 0.5) * cell - mark / 2.0;
        scene.outline(Rect::new(from(map.x), from(map.y), mark, mark), Stroke::solid(MARK, 1.0));
        let middle = map.x + (half + 0.5) * cell;
        let ends = [
            (-half, map.x, Anchor::Start),
            (0.0, middle, Anchor::Middle),
            (n - 1.0 - half, map.right(), Anchor::End),
        ];
        for (frequency, x, anchor) in ends {
            let words = number(f64::from(frequency), 0);
            let at = [x, map.bottom() + 2.5 + 0.75 * TICK];
            scene.text(Text::new(at, words, TICK, WEAK).anchored(anchor));
        }
    }
}

fn responses(scene: &mut Scene, rect: Rect, stage: &StageOverrides, is_first: bool) {
    let Some(filter) = filter(stage) else { return };
    let curve = |filter: Filter| -> Vec<[f64; 2]> {
        filter.rings().into_iter().enumerate().map(|(ring, value)| [ring as f64, value]).collect()
    };
    let start = curve(Filter { sigma: SIGMA_INIT, grid: stage.grid });
    let farthest = start.len().saturating_sub(1) as f64;
    let plot = Plot { rect, x: Axis::exact(0.0, farthest, 5), y: Axis::exact(0.0, 1.0, 2) };
    plot.frame(scene, "Distance from DC (bins)", if is_first { "Response 1 − g" } else { "" });
    plot.curve(scene, &curve(filter), LEARNED);
    plot.curve(scene, &start, START);
}

fn powers(scene: &mut Scene, rect: Rect, before: &[f32], after: &[f32], is_first: bool) {
    let curve = |power: &[f32]| -> Vec<[f64; 2]> {
        let point = |(ring, power): (usize, &f32)| [ring as f64, f64::from(power.max(LEAST_POWER)).log10()];
        power.iter().enumerate().map(point).collect()
    };
    let (before, after) = (curve(before), curve(after));
    let y = Axis::covering(before.iter().chain(&after).map(|[_, power]| *power), 4);
    let plot = Plot { rect, x: Axis::exact(0.0, before.len().saturating_sub(1) as f64, 5), y };
    plot.frame(scene, "Distance from DC (bins)", if is_first { "Features: log₁₀ power" } else { "" });
    plot.curve(scene, &before, BEFORE);
    plot.curve(scene, &after, AFTER);
}

fn list(table: &mut Table, content: &Content, model: &Model, name: &str) {
    let stages = &model.overrides().stages;
    for (index, stage) in stages.iter().enumerate() {
        let Some(filter) = filter(stage) else { continue };
        let start = Filter { sigma: SIGMA_INIT, grid: stage.grid };
        let mut push = |of: [&str; 2], sigma: f32, quantity: &str, at: [String; 3], value: f64| {
            let [image, prompt] = of.map(str::to_owned);
            let [u, v, distance] = at;
            let stage_name = stage_name(stage.grid, index, stages.len());
            let (grid, sigma, value) = (cell(stage.grid), cell(sigma), cell(value));
            table.push([
                name.into(),
                image,
                prompt,
                stage_name,
                grid,
                sigma,
                quantity.into(),
                u,
                v,
                distance,
                value,
            ]);
        };
        let none = String::new;
        for (filter, suffix) in [(&start, "_at_start"), (&filter, "")] {
            let (n, half) = (stage.grid, stage.grid as i64 / 2);
            for (at, value) in filter.centred_map().values.iter().enumerate() {
                let (u, v) = ((at / n) as i64 - half, (at % n) as i64 - half);
                let place = [cell(u), cell(v), cell((u as f64).hypot(v as f64))];
                push(["", ""], filter.sigma, &format!("coefficient{suffix}"), place, f64::from(*value));
            }
            for (ring, value) in filter.rings().into_iter().enumerate() {
                let place = [none(), none(), cell(ring)];
                push(["", ""], filter.sigma, &format!("response{suffix}"), place, value);
            }
        }
        for (case, seen) in content.cases.iter().zip(&model.inspections) {
            let Some(spectra) = seen.stages.get(index).and_then(|stage| stage.spectra.as_ref()) else { continue };
            for (quantity, power) in [("power_before", &spectra.before), ("power_after", &spectra.after)] {
                for (ring, value) in power.iter().enumerate() {
                    let of = [case.name, seen.prediction.prompt.as_str()];
                    push(of, filter.sigma, quantity, [none(), none(), cell(ring)], f64::from(*value));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, column, numbers};
    use super::*;

    #[test]
    fn numbers_are_the_filters_and_the_inspections() {
        let bench = Bench::new(&[7, 14]);
        let figure = spectrum(&bench.content()).expect("a figure");
        for (stage, view) in bench.info.overrides.stages.iter().zip(&bench.seen.stages) {
            let name = format!("{}", stage.grid);
            let of = |quantity| [("grid", name.as_str()), ("quantity", quantity)];
            let filter = Filter { sigma: stage.sigma.expect("σ"), grid: stage.grid };
            let as_written =
                |values: &[f32]| -> Vec<f64> { values.iter().map(|value| f64::from(*value)).collect() };
            assert_eq!(numbers(&figure, "value", &of("coefficient")), as_written(&filter.centred_map().values));
            assert_eq!(numbers(&figure, "value", &of("response")), filter.rings());
            let start = Filter { sigma: 5.0, ..filter };
            assert_eq!(
                numbers(&figure, "value", &of("coefficient_at_start")),
                as_written(&start.centred_map().values)
            );
            assert_eq!(numbers(&figure, "sigma_bins", &of("response_at_start"))[0], 5.0);
            let spectra = view.spectra.as_ref().expect("spectra");
            assert_eq!(numbers(&figure, "value", &of("power_before")), as_written(&spectra.before));
            assert_eq!(numbers(&figure, "value", &of("power_after")), as_written(&spectra.after));
            // DC is the frequency 0 along both axes.
            let dc = [("grid", name.as_str()), ("quantity", "coefficient"), ("u_bins", "0"), ("v_bins", "0")];
            assert_eq!(numbers(&figure, "value", &dc), [f64::from(filter.gain_at_dc())]);
        }
        assert_eq!(column(&figure, "image", &[("quantity", "power_after")])[0], "a-1.png");
        assert!(figure.scene.words().any(|words| words == "σ = 6.18 bins, grid 7 × 7"));
    }

    #[test]
    fn the_map_is_drawn_with_dc_in_the_middle_and_marked() {
        let bench = Bench::new(&[7]);
        let figure = spectrum(&Content { cases: Vec::new(), ..bench.content_of(1, 0) }).expect("a figure");
        let [_, learned] = [0, 1].map(|at| figure.scene.pictures().nth(at).expect("a map"));
        assert_eq!((learned.width, learned.height), (7, 7));
        let filter = Filter { sigma: 6.18, grid: 7 };
        let at = |x: usize, y: usize| &learned.rgb[3 * (7 * y + x)..][..3];
        assert_eq!(at(3, 3), Scale::Sequential.colour(filter.gain_at_dc()));
        assert_eq!(at(6, 6), Scale::Sequential.colour(filter.gain_at_highest()));
        let rects = figure.scene.items.iter().filter_map(|item| match item {
            super::super::scene::Item::Picture { rect, .. } => Some(*rect),
            super::super::scene::Item::Rect { rect, stroke: Some(stroke), .. } if stroke.colour == MARK => {
                Some(*rect)
            }
            _ => None,
        });
        let rects: Vec<Rect> = rects.take(2).collect();
        assert!((rects[0].middle() - rects[1].middle()).abs() < 1e-3, "the mark is in the middle of an odd grid");
    }

    #[test]
    fn a_filter_that_is_off_or_not_there_is_no_filter() {
        let mut bench = Bench::new(&[7, 14]);
        bench.info.overrides.stages[0].is_filtered = false;
        bench.info.overrides.stages[1].sigma = None;
        let figure = spectrum(&bench.content()).expect("a figure");
        let off = numbers(&figure, "value", &[("grid", "7"), ("quantity", "coefficient")]);
        assert!(off.len() == 49 && off.iter().all(|value| *value == 0.0), "nothing passes");
        assert!(column(&figure, "value", &[("grid", "14")]).is_empty());
        assert!(figure.scene.words().any(|words| words == "no spectrum filter"));
        bench.info.overrides.stages[0].sigma = None;
        assert!(spectrum(&bench.content()).is_err());
    }
}
