//! A sweep of one parameter: the masks as a function of its value.

use super::axes::{Axis, Plot};
use super::content::Options;
use super::page::{INK, INNER, LINES, MARGIN, WIDTH, caption, line_legend};
use super::scene::{Rect, Scene, Stroke};
use super::table::{Table, cell, optional};
use super::{Figure, FigureError};
use crate::analysis::number::significant;
use crate::infer::{ModelInfo, SweepPoint, SweepResult};

/// The width to the left of a plot for its numbers and its name, in points.
const AXIS: f32 = 38.0;
/// The distance between the two plots, in points.
const GAP: f32 = 14.0;
/// The height of a plot, in points.
const HEIGHT: f32 = 150.0;

const POOLED: Stroke = Stroke::solid(LINES[0], 1.4);
const PER_IMAGE: Stroke = Stroke::dashed(LINES[1], 1.4);
const AREA: Stroke = Stroke::solid(LINES[2], 1.4);
const OWN: Stroke = Stroke { colour: INK, width: 0.7, dash: Some([1.0, 1.6]) };

/// The curves of one model.
struct Curves {
    pooled: Vec<[f64; 2]>,
    per_image: Vec<[f64; 2]>,
    area: Vec<[f64; 2]>,
    own: f64,
    width: f32,
}

/// Draws Dice, pooled and per image, and the area of the masks over the values of a sweep; only the area if no case
/// has a ground truth. There may be a second model with the same parameter, whose curves are thinner.
///
/// Columns: `model`, `parameter`, `own_value`, `value`, `area_percent` (mean share of the image), `dice_pooled`,
/// `dice_per_image` (mean; both empty without a ground truth), `cases`, `cases_with_truth`.
///
/// # Errors
/// Returns an error if there is no sweep, or if it has no points.
pub fn sweep(sweeps: &[(&ModelInfo, &SweepResult)], options: &Options) -> Result<Figure, FigureError> {
    let nothing = |reason: &str| FigureError::Nothing { reason: reason.into() };
    let (_, result) = *sweeps.first().ok_or_else(|| nothing("there is no sweep; make one first"))?;
    if result.points.is_empty() {
        return Err(nothing("the sweep has no values; give it a range"));
    }
    let names: Vec<&str> = sweeps.iter().map(|(model, _)| model.name.as_str()).collect();
    let both = names.join(" and ");
    let mut scene = Scene::new(format!("{} of {both}, swept", result.name), WIDTH);
    let curve = |result: &SweepResult, of: fn(&SweepPoint) -> Option<f64>| -> Vec<[f64; 2]> {
        let mut points: Vec<[f64; 2]> =
            result.points.iter().filter_map(|point| Some([f64::from(point.value), of(point)?])).collect();
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        points
    };
    let curves: Vec<Curves> = sweeps
        .iter()
        .enumerate()
        .map(|(place, (_, result))| Curves {
            pooled: curve(result, |point| point.dice_pooled),
            per_image: curve(result, |point| point.dice_per_image),
            area: curve(result, |point| Some(100.0 * point.area)),
            own: f64::from(result.own),
            // The first model has thicker lines.
            width: if place == 0 { 1.4 } else { 0.6 },
        })
        .collect();
    let values = || curves.iter().flat_map(|curves| curves.area.iter().map(|[value, _]| *value));
    let x = Axis::exact(values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max), 6);
    let has_dice = curves.iter().any(|curves| !curves.pooled.is_empty());
    let width = (INNER - GAP) / 2.0 - AXIS;
    let area =
        |place: usize| Rect::new(MARGIN + AXIS + place as f32 * (width + AXIS + GAP), MARGIN + 4.0, width, HEIGHT);
    let mut panel = |place: usize, y: Axis, name: &str, drawn: &[(&[[f64; 2]], Stroke)]| {
        let plot = Plot { rect: area(place), x: x.clone(), y };
        plot.frame(&mut scene, &result.name, name);
        for Curves { own, .. } in &curves {
            if (plot.x.low..=plot.x.high).contains(own) {
                plot.curve(&mut scene, &[[*own, plot.y.low], [*own, plot.y.high]], OWN);
            }
        }
        for (points, stroke) in drawn {
            plot.curve(&mut scene, points, *stroke);
            // Points are drawn if they are few enough to be distinguished.
            for point in points.iter().filter(|_| points.len() <= 40) {
                let [x, y] = plot.place(*point);
                let side = 1.3 + stroke.width;
                scene.fill(Rect::new(x - side / 2.0, y - side / 2.0, side, side), stroke.colour);
            }
        }
    };
    let mut legend = Vec::new();
    if has_dice {
        let drawn: Vec<(&[[f64; 2]], Stroke)> = curves
            .iter()
            .flat_map(|curves| {
                let stroke = |stroke: Stroke| Stroke { width: curves.width, ..stroke };
                [(curves.pooled.as_slice(), stroke(POOLED)), (&curves.per_image, stroke(PER_IMAGE))]
            })
            .collect();
        let values = drawn.iter().flat_map(|(points, _)| points.iter().map(|[_, dice]| *dice));
        let dice = if options.full_axis { Axis::exact(0.0, 1.0, 5) } else { Axis::covering(values, 5) };
        panel(0, dice, "Dice", &drawn);
        legend.extend([(POOLED, "Dice pooled".to_owned()), (PER_IMAGE, "Dice per image, mean".into())]);
    }
    let areas = curves.iter().flat_map(|curves| curves.area.iter().map(|[_, area]| *area));
    let highest = if options.full_axis { Axis::covering(areas.chain([0.0]), 5) } else { Axis::covering(areas, 5) };
    let drawn: Vec<(&[[f64; 2]], Stroke)> =
        curves.iter().map(|curves| (curves.area.as_slice(), Stroke { width: curves.width, ..AREA })).collect();
    panel(usize::from(has_dice), highest, "Area of the mask (% of the image)", &drawn);
    legend.push((AREA, "area, mean".into()));
    let own: Vec<String> = curves.iter().map(|curves| significant(curves.own, 3)).collect();
    legend.push((OWN, format!("original value, {}", own.join(" and "))));
    let y = MARGIN + 4.0 + HEIGHT + 28.0;
    line_legend(&mut scene, [MARGIN, y], &legend);
    let cases = match (result.cases, result.with_truth) {
        (1, _) => "One case.".to_owned(),
        (cases, with) if with == cases => format!("{cases} cases, each with a ground truth."),
        (cases, with) => format!("{cases} cases, {with} of them with a ground truth."),
    };
    let sentences = [
        format!(
            "{} of {both} over a range, with all other parameters unchanged. {}.",
            capital(&result.name),
            capital(&format!("threshold {}", options.threshold_words()))
        ),
        cases,
        match names.as_slice() {
            [first, second] => format!("Heavy lines: {first}; thin lines: {second}."),
            _ => String::new(),
        },
        if has_dice {
            "Pooled: the pixels of all cases counted together; per image: the mean of each case's Dice.".into()
        } else {
            String::new()
        },
    ];
    caption(&mut scene, y + 10.0, &sentences);
    let mut table = Table::new(&[
        "model",
        "parameter",
        "own_value",
        "value",
        "area_percent",
        "dice_pooled",
        "dice_per_image",
        "cases",
        "cases_with_truth",
    ]);
    sweeps.iter().for_each(|(model, result)| list(&mut table, &model.name, result));
    Ok(Figure { scene, table })
}

/// Capitalises a name, unless it begins with a symbol of a formula.
fn capital(name: &str) -> String {
    match name.chars().next() {
        Some(first) if first.is_ascii() => first.to_uppercase().chain(name.chars().skip(1)).collect(),
        _ => name.to_owned(),
    }
}

fn list(table: &mut Table, name: &str, result: &SweepResult) {
    for point in &result.points {
        table.push([
            name.into(),
            result.name.clone(),
            cell(result.own),
            cell(point.value),
            cell(100.0 * point.area),
            optional(point.dice_pooled),
            optional(point.dice_per_image),
            cell(result.cases),
            cell(result.with_truth),
        ]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_tidy, column, numbers};
    use super::*;
    use crate::infer::Parameter;

    fn result(with_truth: usize) -> SweepResult {
        let point = |at: usize| SweepPoint {
            value: 0.5 + at as f32,
            area: 0.02 + 0.01 * at as f64,
            dice_pooled: (with_truth > 0).then_some(0.8 - 0.05 * at as f64),
            dice_per_image: (with_truth > 0).then_some(0.7 - 0.05 * at as f64),
        };
        SweepResult {
            parameter: Parameter::Sigma(0),
            name: "σ of stage 7".into(),
            own: 4.93,
            points: (0..9).map(point).collect(),
            cases: 5,
            with_truth,
            skipped: Vec::new(),
            is_whole: true,
        }
    }

    #[test]
    fn numbers_are_those_of_the_sweep() {
        let model = ModelInfo { name: "bench".into(), ..ModelInfo::default() };
        let figure = sweep(&[(&model, &result(5))], &Options::default()).expect("a figure");
        assert_tidy(&figure, "a sweep");
        assert_eq!(numbers(&figure, "value", &[])[..2], [0.5, 1.5]);
        assert_eq!(numbers(&figure, "dice_pooled", &[("value", "2.5")]), [0.8 - 0.05 * 2.0]);
        assert_eq!(numbers(&figure, "dice_per_image", &[("value", "0.5")]), [0.7]);
        assert_eq!(numbers(&figure, "area_percent", &[("value", "0.5")]), [2.0]);
        assert!(figure.scene.words().any(|words| words == "original value, 4.93"));
    }

    #[test]
    fn two_models_are_drawn_with_their_names() {
        let info = |name: &str| ModelInfo { name: name.into(), ..ModelInfo::default() };
        let (first, second) = (info("before"), info("after"));
        let figure = sweep(&[(&first, &result(5)), (&second, &result(5))], &Options::default()).expect("a figure");
        assert_tidy(&figure, "two sweeps");
        assert_eq!(column(&figure, "model", &[("value", "0.5")]), ["before", "after"]);
        let words = figure.scene.words().collect::<Vec<_>>().join(" ");
        assert!(words.contains("Heavy lines: before; thin lines: after."), "{words}");
        assert!(sweep(&[], &Options::default()).is_err());
    }

    #[test]
    fn without_a_truth_only_the_area_is_drawn() {
        let model = ModelInfo { name: "bench".into(), ..ModelInfo::default() };
        let figure = sweep(&[(&model, &result(0))], &Options::default()).expect("a figure");
        assert_tidy(&figure, "a sweep without a truth");
        assert_eq!(column(&figure, "dice_pooled", &[("value", "0.5")]), [""]);
        assert!(!figure.scene.words().any(|words| words.contains("Dice")));
        assert!(
            sweep(&[(&model, &SweepResult { points: Vec::new(), ..result(0) })], &Options::default()).is_err()
        );
    }
}
