//! Refinement from stage to stage: the mask of every stage compared with the ground truth, and its numbers.

use super::content::{Case, Content, Options};
use super::page::{
    self, HEADING, INK, INNER, LABEL, MARGIN, TICK, WEAK, WIDTH, caption, case_label, column_heading, legend,
    line_in, mask_legend,
};
use super::scene::{Anchor, Rect, Rgb, Scene, Text};
use super::table::{Table, cell, optional};
use super::{Figure, FigureError};
use crate::analysis::maps::raised;
use crate::analysis::refinement::{Step, steps};
use crate::analysis::stage_name;
use crate::data::foreground;
use crate::infer::{Inspection, Plane};

/// The distance between panels, in points.
const GAP: f32 = 6.0;
/// The minimum width of the first column, which holds the names of the numbers, in points.
const FIRST: f32 = 104.0;
/// The distance between lines of numbers, in points.
const LINE: f32 = 10.0;
/// The maximum ratio of a panel's height to its width.
const TALLEST: f32 = 1.3;
/// The background of every other line of numbers.
const SHADE: Rgb = [240, 242, 245];

/// Draws one row for each case, or for each case and model: the image, the masks of all stages from coarse to fine,
/// and the final one, coloured by their agreement with the ground truth. Below each are its scores and its difference
/// from the previous one.
///
/// Columns: `model`, `image`, `prompt`, `threshold`, `mask`, `grid` (side of the stage's grid; empty for the final
/// mask), `area_percent`, `true_positive_px`, `false_positive_px`, `false_negative_px`, `true_negative_px`,
/// `dice_per_image`, `iou_per_image`, `hd95_to_truth`, `dice_with_mask_before`, `hd95_to_mask_before`, `hd95_unit`,
/// `high_frequency_share_percent`. Cells are empty without a ground truth, for the first mask, and if a distance does
/// not exist because a mask is empty.
///
/// # Errors
/// Returns an error if there is nothing to draw, if masks differ in size from their image, or if a model has no stage
/// read-outs.
pub fn refinement(content: &Content, options: &Options) -> Result<Figure, FigureError> {
    content.check()?;
    for model in &content.models {
        let stages = model.inspections.iter().flat_map(|seen| &seen.stages);
        if stages.clone().any(|stage| stage.linear_probe.is_none()) || stages.count() == 0 {
            return Err(FigureError::NoReadouts { model: model.info.name.clone() });
        }
    }
    let names = content.names();
    let mut scene = Scene::new(format!("Refinement of the mask by {}", names.join(" and ")), WIDTH);
    let mut table = Table::new(&[
        "model",
        "image",
        "prompt",
        "threshold",
        "mask",
        "grid",
        "area_percent",
        "true_positive_px",
        "false_positive_px",
        "false_negative_px",
        "true_negative_px",
        "dice_per_image",
        "iou_per_image",
        "hd95_to_truth",
        "dice_with_mask_before",
        "hd95_to_mask_before",
        "hd95_unit",
        "high_frequency_share_percent",
    ]);
    let mut y = MARGIN;
    for (index, case) in content.cases.iter().enumerate() {
        for (model, name) in content.models.iter().zip(&names) {
            let row = Row::of(case, model.inspections[index], options);
            if content.models.len() > 1 {
                y += HEADING;
                scene.text(Text::new([MARGIN, y], name, HEADING, INK).strong());
                y += 5.0;
            }
            y = row.draw(&mut scene, y, options);
            row.list(&mut table, name, options);
            y += 8.0;
        }
        let prompt = content.models[0].inspections[index].prediction.prompt.as_str();
        y = case_label(&mut scene, y - 4.0, case.name, prompt) + 10.0;
    }
    let is_compared = content.cases.iter().any(|case| case.truth.is_some());
    legend(&mut scene, [MARGIN, y], &mask_legend(&options.colours, &content.cases));
    caption(&mut scene, y + 10.0, &sentences(content, options, is_compared));
    Ok(Figure { scene, table })
}

fn sentences(content: &Content, options: &Options, is_compared: bool) -> Vec<String> {
    let fitted: Vec<String> = content
        .models
        .iter()
        .zip(content.names())
        .filter_map(|(model, name)| Some(format!("{name}: {}", model.info.linear_probes.as_ref()?)))
        .collect();
    let mut sentences = vec![
        format!("Masks of the decoder stages of {}, coarse to fine, at threshold {}.", content.names().join(" and "), options.threshold_words()),
        "A stage's own mask is predicted from its output by a stage read-out (linear probe): a 1×1 convolution fitted while the network is frozen.".into(),
    ];
    if !fitted.is_empty() {
        sentences.push(format!("Stage read-outs: {}.", fitted.join("; ")));
    }
    if is_compared {
        sentences.push("Dice, IoU and HD95 (95 % Hausdorff distance) are per image.".into());
    }
    sentences.push("High-frequency share: share of the probability map's power, without its mean, beyond half of the highest frequency that the coarsest stage's map can represent.".into());
    sentences.push(content.remarks());
    sentences
}

struct Row<'a> {
    case: &'a Case<'a>,
    seen: &'a Inspection,
    steps: Vec<Step>,
    /// The side lengths of the stages' grids; `None` for the final mask.
    grids: Vec<Option<usize>>,
    /// The probabilities at the size of the image.
    planes: Vec<Plane>,
}

impl<'a> Row<'a> {
    fn of(case: &'a Case<'a>, seen: &'a Inspection, options: &Options) -> Self {
        let steps = steps(seen, case.truth, options.threshold, case.lengths);
        let (width, height) = (case.picture.width, case.picture.height);
        let linear_probes =
            seen.stages.iter().filter_map(|stage| Some((stage.grid, stage.linear_probe.as_ref()?)));
        let (mut grids, mut planes): (Vec<_>, Vec<_>) =
            linear_probes.map(|(grid, linear_probe)| (Some(grid), raised(linear_probe, width, height))).unzip();
        grids.push(None);
        planes.push(seen.prediction.probability.clone());
        Self { case, seen, steps, grids, planes }
    }

    fn name(&self, index: usize) -> String {
        match self.grids[index] {
            Some(grid) => stage_name(grid, index, self.seen.stages.len()),
            None => "Final mask".into(),
        }
    }

    /// Draws the row and returns its lower end.
    fn draw(&self, scene: &mut Scene, y: f32, options: &Options) -> f32 {
        let picture = self.case.picture;
        let columns = self.steps.len() as f32;
        let width = (INNER - columns * GAP) / (columns + 1.0);
        let first = width.max(FIRST);
        let width = ((INNER - first) / columns - GAP).min(130.0);
        let aspect = picture.height as f32 * self.case.lengths.aspect() / picture.width.max(1) as f32;
        let height = width * aspect.min(TALLEST);
        let top = y + 14.0;
        let area = |column: usize| match column {
            0 => Rect::new(MARGIN, top, width.min(first), height),
            _ => Rect::new(MARGIN + first + GAP + (column - 1) as f32 * (width + GAP), top, width, height),
        };
        let place = |column: usize| {
            let area = area(column);
            let width = (height / aspect).min(area.width);
            let x = if column == 0 { area.x } else { area.middle() - width / 2.0 };
            Rect { x, width, ..area }
        };
        page::picture(scene, place(0), picture);
        column_heading(scene, area(0), y + 9.0, "Input", "");
        let truth = self.case.truth.map(|truth| truth.values.as_slice());
        for (index, plane) in self.planes.iter().enumerate() {
            let mask = foreground(&plane.values, options.threshold);
            page::picture(scene, place(index + 1), &picture.under_mask(&mask, truth, &options.colours));
            let rect = area(index + 1);
            column_heading(scene, rect, y + 9.0, &self.name(index), "");
        }
        let mut y = top + height + 3.0;
        for (number, (name, value)) in LINES.iter().enumerate() {
            if self.steps.iter().all(|step| value(step).is_none()) {
                continue;
            }
            if number % 2 == 0 {
                let right = area(self.steps.len()).right();
                scene.fill(Rect::new(MARGIN, y, right - MARGIN, LINE), SHADE);
            }
            let baseline = y + LINE - 3.0;
            scene.text(Text::new([MARGIN + 2.0, baseline], *name, TICK, WEAK).anchored(Anchor::Start));
            for (index, step) in self.steps.iter().enumerate() {
                let words = value(step).unwrap_or_else(|| "–".into());
                line_in(scene, area(index + 1), baseline, &words, LABEL, INK);
            }
            y += LINE;
        }
        y
    }

    fn list(&self, table: &mut Table, model: &str, options: &Options) {
        for (index, step) in self.steps.iter().enumerate() {
            let counts = step.counts;
            table.push([
                model.into(),
                self.case.name.into(),
                self.seen.prediction.prompt.clone(),
                cell(options.threshold),
                self.name(index),
                optional(self.grids[index]),
                cell(100.0 * step.area),
                optional(counts.map(|counts| counts.true_positive)),
                optional(counts.map(|counts| counts.false_positive)),
                optional(counts.map(|counts| counts.false_negative)),
                optional(counts.map(|counts| counts.true_negative)),
                optional(counts.map(|counts| counts.dice())),
                optional(counts.map(|counts| counts.iou())),
                optional(step.truth_hd95),
                optional(step.dice_with_before),
                optional(step.hd95_to_before),
                step.unit.words(),
                cell(100.0 * step.high_share),
            ]);
        }
    }
}

type Value = fn(&Step) -> Option<String>;

/// The lines of numbers, with their names and formats.
const LINES: [(&str, Value); 7] = [
    ("Dice with the ground truth", |step| Some(format!("{:.3}", step.counts?.dice()))),
    ("IoU with the ground truth", |step| Some(format!("{:.3}", step.counts?.iou()))),
    ("HD95 to the ground truth", |step| Some(format!("{:.1} {}", step.truth_hd95?, step.unit.words()))),
    ("Dice with the previous mask", |step| Some(format!("{:.3}", step.dice_with_before?))),
    ("HD95 to the previous mask", |step| Some(format!("{:.1} {}", step.hd95_to_before?, step.unit.words()))),
    ("High-frequency share, %", |step| Some(format!("{:.1}", 100.0 * step.high_share))),
    ("Area, % of the image", |step| Some(format!("{:.1}", 100.0 * step.area))),
];

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, column, numbers};
    use super::*;
    use crate::data::volume::Lengths;

    #[test]
    fn numbers_are_those_of_the_steps() {
        let bench = Bench::new(&[2, 4]);
        let options = Options { threshold: 0.4, ..Options::default() };
        let figure = refinement(&bench.content(), &options).expect("a figure");
        let steps = steps(&bench.seen, Some(&bench.truth), 0.4, Lengths::PIXELS);
        let twice = Lengths { size: [2.0; 2], ..Lengths::PIXELS };
        let large = super::steps(&bench.seen, Some(&bench.truth), 0.4, twice);
        let doubled = |step: &Step| step.truth_hd95.map(|distance| 2.0 * distance);
        assert!(
            steps.iter().map(doubled).eq(large.iter().map(|step| step.truth_hd95)),
            "pixels of twice the size"
        );
        let names = ["Stage 2 (Layer 2)", "Stage 4 (Layer 1)", "Final mask"];
        assert_eq!(column(&figure, "mask", &[]), names);
        for (name, step) in names.iter().zip(&steps) {
            let one = |column: &str| numbers(&figure, column, &[("mask", name)])[0];
            let counts = step.counts.expect("a truth");
            assert_eq!(one("dice_per_image"), counts.dice());
            assert_eq!(one("iou_per_image"), counts.iou());
            assert_eq!(one("false_negative_px"), counts.false_negative as f64);
            assert_eq!(one("area_percent"), 100.0 * step.area);
            assert_eq!(one("high_frequency_share_percent"), 100.0 * step.high_share);
            assert_eq!(one("hd95_to_truth"), step.truth_hd95.expect("a distance"));
            let before = column(&figure, "dice_with_mask_before", &[("mask", name)]);
            assert_eq!(before[0], optional(step.dice_with_before));
        }
        let shown = format!("{:.3}", steps[1].counts.expect("a truth").dice());
        assert!(figure.scene.words().any(|words| words == shown), "{shown} is drawn");
    }

    #[test]
    fn without_a_truth_there_are_no_scores() {
        let bench = Bench::new(&[2]);
        let mut content = bench.content();
        content.cases[0].truth = None;
        let figure = refinement(&content, &Options::default()).expect("a figure");
        assert_eq!(column(&figure, "dice_per_image", &[]), ["", ""]);
        let all = figure.scene.words().collect::<Vec<_>>().join(" ");
        assert!(!all.contains("Dice with the ground truth") && !all.contains("true positive"), "{all}");
        assert!(all.contains("Dice with the previous mask"), "{all}");
    }

    #[test]
    fn a_model_without_read_outs_is_refused() {
        let mut bench = Bench::new(&[2]);
        bench.seen.stages[0].linear_probe = None;
        let error = refinement(&bench.content(), &Options::default()).expect_err("none").to_string();
        assert!(error.contains("himix train --readout"), "{error}");
    }
}
