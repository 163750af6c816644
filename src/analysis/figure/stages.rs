//! Maps of the decoder's stages from coarse to fine between the image and its mask, as in the paper's figures 7 and
//! 8.

use super::content::{Content, Options};
use super::page::{
    self, INK, INNER, LABEL, MARGIN, TICK, WEAK, WIDTH, caption, case_label, colour_bar, column_heading, legend,
    line_in, mask_legend,
};
use super::picture::Picture;
use super::scene::{Anchor, Rect, Scene, Text};
use super::stage_row::{DIFFERENCE, Row, percent};
use super::table::Table;
use super::{Figure, FigureError};
use crate::analysis::maps::{MapKind, Scale, raised};
use crate::analysis::number::significant;
use crate::data::foreground;
use crate::metrics::Confusion;

/// The distance between panels, in points.
const GAP: f32 = 6.0;
/// The width to the left of the panels in points, if rows need the names of their models.
const STRIP: f32 = 12.0;
/// The maximum enlargement of a part of the image.
const SHARPEST: f32 = 8.0;
/// The maximum ratio of a panel's height to its width; taller images are drawn narrower.
const TALLEST: f32 = 1.4;
/// The heights of the column headings and of the line below a panel, in points.
const HEAD: f32 = 24.0;
const FOOT: f32 = 10.0;

/// Draws one row for each case, or for each case and model: the image, a map of every stage from coarse to fine, the
/// final mask, and the ground truth if a case has one.
///
/// Columns: `model`, `image`, `prompt`, `threshold`, `panel`, `grid` (side of the stage's grid), `quantity`, `row`
/// and `column` (of a cell of the map, from 0 at the upper left), `value`. Quantities: `activation`, `attribution`,
/// `stage_mask`, `change` or `channel` for a cell as drawn; `modified_minus_original` for the difference in
/// probability that overrides make; `lowest` and `highest` of an activation or attribution before it was scaled;
/// `area_percent`, `dice_per_image`, `iou_per_image` of a mask.
///
/// # Errors
/// Returns an error if there is nothing to draw, if masks differ in size from their image, or if stage masks are
/// requested and the model has no stage read-outs.
pub fn stages(content: &Content, options: &Options) -> Result<Figure, FigureError> {
    content.check()?;
    let names = content.names();
    let mut rows = Vec::new();
    for (index, case) in content.cases.iter().enumerate() {
        for (model, name) in content.models.iter().zip(&names) {
            rows.push(Row::of(case, model, name, model.inspections[index], options)?);
        }
    }
    let mut scene = Scene::new(format!("{} of the stages of {}", options.map.name(), names.join(" and ")), WIDTH);
    let mut table = Table::new(&[
        "model",
        "image",
        "prompt",
        "threshold",
        "panel",
        "grid",
        "quantity",
        "row",
        "column",
        "value",
    ]);
    let is_compared = content.cases.iter().any(|case| case.truth.is_some());
    let per_case = content.models.len();
    let sheet = Sheet {
        strip: if per_case > 1 { STRIP } else { 0.0 },
        stages: rows.iter().map(|row| row.panels.len()).max().unwrap_or(0),
        has_difference: rows.iter().any(|row| row.difference.is_some()),
        is_compared,
        options,
    };
    let is_one_kind = rows.iter().all(|row| row.headings() == rows[0].headings());
    let mut y = MARGIN;
    for (index, row) in rows.iter().enumerate() {
        if index == 0 || !is_one_kind {
            sheet.headings(&mut scene, y, row);
            y += HEAD;
        }
        y = sheet.draw(&mut scene, y, row) + FOOT;
        row.list(&mut table, options);
        y += if (index + 1) % per_case == 0 {
            case_label(&mut scene, y + 3.0, row.case.name, &row.seen.prediction.prompt) - y + 11.0
        } else {
            4.0
        };
    }
    let scale = rows[0].panels.first().map_or(Scale::Sequential, |panel| panel.map.scale);
    y += 2.0;
    // Masks have no scale.
    let x = match options.draws_stage_masks() {
        true => MARGIN - 18.0,
        false => colour_bar(&mut scene, [MARGIN, y], scale, measures(options)),
    };
    legend(&mut scene, [x + 18.0, y], &mask_legend(&options.colours, &content.cases));
    caption(&mut scene, y + 20.0, &sentences(content, &rows, options));
    Ok(Figure { scene, table })
}

fn measures(options: &Options) -> &'static str {
    match options.map {
        _ if options.channel.is_some() => "channel, scaled over its map",
        MapKind::Activation => "activation, scaled over each map",
        MapKind::Attribution => "attribution, scaled over each map",
        MapKind::StageMask => "probability",
        MapKind::Change => "change from the previous stage",
    }
}

fn scores(counts: &Confusion) -> String {
    format!("Dice {:.3}, IoU {:.3}", counts.dice(), counts.iou())
}

/// The positions of the panels.
struct Sheet<'a> {
    strip: f32,
    stages: usize,
    has_difference: bool,
    is_compared: bool,
    options: &'a Options,
}

impl Sheet<'_> {
    /// Returns the area of a column: 0 for the image, then the stages, the mask, the effect of overrides, the ground
    /// truth.
    fn area(&self, column: usize, y: f32, height: f32) -> Rect {
        let columns = (self.truth_column() + usize::from(self.is_compared)) as f32;
        let width = ((INNER - self.strip + GAP) / columns - GAP).min(150.0);
        Rect::new(MARGIN + self.strip + column as f32 * (width + GAP), y, width, height)
    }

    fn truth_column(&self) -> usize {
        self.stages + 2 + usize::from(self.has_difference)
    }

    fn headings(&self, scene: &mut Scene, y: f32, row: &Row) {
        let mut head = |column: usize, name: &str, more: &str| {
            let rect = self.area(column, y, 0.0);
            column_heading(scene, rect, y + 9.0, name, more);
        };
        head(0, "Input", "");
        for (place, panel) in row.panels.iter().enumerate() {
            let [width, height] = [panel.map.plane.width, panel.map.plane.height];
            head(1 + place, &panel.name, &format!("{width} × {height} cells"));
        }
        head(1 + self.stages, "Final mask", &format!("threshold {}", self.options.threshold_words()));
        if self.has_difference {
            head(2 + self.stages, DIFFERENCE, "probability");
        }
        if self.is_compared {
            head(self.truth_column(), "Ground truth", "");
        }
    }

    /// Draws a row and returns the lower end of its panels.
    fn draw(&self, scene: &mut Scene, y: f32, row: &Row) -> f32 {
        let picture = row.case.picture;
        let [left, top, right, bottom] = self.options.part.unwrap_or([0.0, 0.0, 1.0, 1.0]);
        let share = [right - left, bottom - top].map(|side| side.max(1e-3));
        let aspect = picture.height as f32 * share[1] * row.case.lengths.aspect()
            / (picture.width.max(1) as f32 * share[0]);
        let height = self.area(0, 0.0, 0.0).width * aspect.min(TALLEST);
        let place = |column: usize| {
            let area = self.area(column, y, height);
            let width = (height / aspect).min(area.width);
            Rect { x: area.middle() - width / 2.0, width, ..area }
        };
        let mut foot = |column: usize, drawn: &Picture, words: &str| {
            match self.options.part {
                Some(part) => page::picture(scene, place(column), &drawn.part(part)),
                None => page::picture(scene, place(column), drawn),
            }
            line_in(scene, self.area(column, y, height), y + height + 8.0, words, TICK, WEAK);
        };
        foot(0, picture, &format!("{} × {} px", picture.width, picture.height));
        // For a part of the image, the whole image is drawn so large that the part is sharp.
        let sheet = place(1);
        let [wide, high] = share.map(|share| (1.0 / share).min(SHARPEST));
        let sheet = Rect { width: sheet.width * wide, height: sheet.height * high, ..sheet };
        let beneath = page::beneath_map(picture, sheet);
        let truth = row.case.truth;
        let values = truth.map(|truth| truth.values.as_slice());
        let under_mask = |mask: &[u8]| match self.options.as_shown {
            true => picture.under_mask_of(mask, values, &self.options.colours, self.options.opacity),
            false => picture.under_mask(mask, values, &self.options.colours),
        };
        for (index, panel) in row.panels.iter().enumerate() {
            let drawn = match self.options.draws_stage_masks() {
                true => {
                    let raised = raised(&panel.map.plane, picture.width, picture.height);
                    under_mask(&foreground(&raised.values, self.options.threshold))
                }
                false => beneath.under_map(&panel.map, self.options.opacity),
            };
            let words = match (&panel.range, &panel.counts) {
                (Some([low, high]), _) => {
                    let [low, high] = [low, high].map(|value| significant(f64::from(*value), 3));
                    format!("{low} to {high}")
                }
                (None, Some(counts)) => scores(counts),
                (None, None) => String::new(),
            };
            foot(1 + index, &drawn, &words);
        }
        let drawn = under_mask(&row.mask);
        let area = |mask: &[u8]| format!("{:.1} % of the image", percent(mask));
        foot(1 + self.stages, &drawn, &row.counts.as_ref().map_or_else(|| area(&row.mask), scores));
        if let Some(map) = &row.difference {
            foot(2 + self.stages, &beneath.under_map(map, self.options.opacity), "orange more, blue less");
        }
        if let Some(truth) = truth {
            foot(self.truth_column(), &Picture::of_mask(truth), &area(&truth.values));
        }
        if self.strip > 0.0 {
            let words = super::font::shortened(row.model, LABEL, height);
            let at = [MARGIN + LABEL, y + height / 2.0];
            scene.text(Text::new(at, words, LABEL, INK).anchored(Anchor::Middle).upright());
        }
        y + height
    }
}

fn sentences(content: &Content, rows: &[Row], options: &Options) -> Vec<String> {
    let names = content.names().join(" and ");
    let has_linear_probes =
        rows.iter().any(|row| row.seen.stages.iter().any(|stage| stage.linear_probe.is_some()));
    let map = match options.map {
        _ if options.channel.is_some() => {
            "One channel of a stage's output, scaled to 0…1; below it are its lowest and highest value before scaling."
        }
        MapKind::Activation => {
            "Activation: the mean over the channels of a stage's output, scaled to 0…1 over each map; below it are the lowest and highest mean before scaling."
        }
        MapKind::Attribution => {
            "Lesion attribution: Grad-CAM of the mask's mean logit, negative values cut to 0, scaled to a highest value of 1; below it is the range before scaling."
        }
        MapKind::StageMask => {
            "Stage mask: the probability that a stage read-out (linear probe), a 1×1 convolution fitted while the network is frozen, predicts from a stage's output."
        }
        MapKind::Change if has_linear_probes => {
            "Change: the probability of a stage's own mask, from its stage read-out (linear probe), minus that of the previous stage."
        }
        MapKind::Change => "Change: the scaled mean activation of a stage minus that of the previous stage.",
    };
    let mut sentences = vec![
        format!("Decoder stages of {names}, coarse to fine."),
        map.into(),
        "A stage is named by the side of the grid on which it works and by its layer number in the paper; its map has twice as many cells in each direction and is enlarged by linear interpolation.".into(),
    ];
    let has_scores = rows.iter().any(|row| row.counts.is_some());
    if has_scores {
        sentences.push("Dice and IoU are per image.".into());
    }
    if options.map == MapKind::Attribution && rows.iter().any(|row| row.seen.explained == 0) {
        sentences
            .push("If the mask is empty, the attribution explains the highest hundredth of the logits.".into());
    }
    if options.part.is_some() {
        sentences.push("Only a part of the image is drawn; scores are those of all of it.".into());
    }
    sentences.push(content.remarks());
    sentences
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Bench, column, numbers};
    use super::*;
    use crate::analysis::maps::Map;
    use crate::analysis::stage_name;
    use crate::infer::Plane;

    fn exact(values: &[f32]) -> Vec<f64> {
        values.iter().map(|value| value.to_string().parse().expect("a number")).collect()
    }

    #[test]
    fn numbers_are_the_inspections() {
        let bench = Bench::new(&[2, 4]);
        let figure = stages(&bench.content(), &Options::default()).expect("a figure");
        for (index, view) in bench.seen.stages.iter().enumerate() {
            let name = stage_name(view.grid, index, 2);
            let cells = |quantity| [("panel", name.as_str()), ("quantity", quantity)];
            let activation = view.activation();
            assert_eq!(numbers(&figure, "value", &cells("activation")), exact(&activation.normalised().values));
            let (low, high) = activation.range();
            assert_eq!(numbers(&figure, "value", &cells("lowest")), exact(&[low]));
            assert_eq!(numbers(&figure, "value", &cells("highest")), exact(&[high]));
        }
        let mask = bench.seen.prediction.mask(0.5);
        let counts = Confusion::of(&mask, &bench.truth.values);
        let of = |quantity| [("panel", "Final mask"), ("quantity", quantity)];
        assert_eq!(numbers(&figure, "value", &of("dice_per_image")), [counts.dice()]);
        assert_eq!(numbers(&figure, "value", &of("iou_per_image")), [counts.iou()]);
        assert_eq!(numbers(&figure, "value", &of("area_percent")), [percent(&mask)]);
        let last = column(&figure, "column", &[("panel", "Stage 4 (Layer 1)"), ("row", "7")]);
        assert_eq!(last, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    }

    #[test]
    fn the_picture_of_a_map_has_its_colours() {
        let bench = Bench::sized(&[2, 4], 64, 64);
        let figure = stages(&bench.content(), &Options::default()).expect("a figure");
        // The images are: the image, two maps, the mask, the ground truth and the colour bar.
        let pictures: Vec<&Picture> = figure.scene.pictures().collect();
        assert_eq!(pictures.len(), 6);
        for (view, picture) in bench.seen.stages.iter().zip(&pictures[1..]) {
            let plane = raised(&view.activation().normalised(), picture.width, picture.height);
            let map = Map { plane, scale: Scale::Sequential };
            assert_eq!(**picture, Picture::of_map(&map));
        }
        assert_eq!(*pictures[4], Picture::of_mask(&bench.truth));
    }

    #[test]
    fn every_kind_of_map_says_what_is_missing() {
        let mut bench = Bench::new(&[2, 4]);
        let draw = |bench: &Bench, map| stages(&bench.content(), &Options { map, ..Options::default() });
        let change = draw(&bench, MapKind::Change).expect("a figure");
        assert!(
            !change.scene.words().any(|words| words.starts_with("Stage 2")),
            "the first stage has no previous one"
        );
        assert_eq!(numbers(&change, "value", &[("quantity", "change")]).len(), 64);
        let mask = draw(&bench, MapKind::StageMask).expect("a figure");
        assert_eq!(column(&mask, "value", &[("quantity", "dice_per_image")]).len(), 3);
        bench.seen.stages[1].linear_probe = None;
        let error = draw(&bench, MapKind::StageMask).expect_err("no read-out").to_string();
        assert!(error.contains("bench-model") && error.contains("himix train --readout"), "{error}");
        bench.seen.stages[0].attribution = None;
        assert!(draw(&bench, MapKind::Attribution).is_err());
        bench.seen.stages.clear();
        assert!(draw(&bench, MapKind::Activation).is_err());
    }

    #[test]
    fn what_the_window_shows_is_what_is_drawn() {
        let bench = Bench::sized(&[2, 4], 64, 64);
        let shown = Options { map: MapKind::StageMask, as_shown: true, opacity: 0.6, ..Options::default() };
        let figure = stages(&bench.content(), &shown).expect("a figure");
        let pictures: Vec<&Picture> = figure.scene.pictures().collect();
        assert_eq!(pictures.len(), 5, "the image, two masks of stages, the mask, the truth, and no colour bar");
        let plane = raised(bench.seen.stages[0].linear_probe.as_ref().expect("a probe"), 64, 64);
        let truth = Some(bench.truth.values.as_slice());
        let mask = bench.picture.under_mask_of(&foreground(&plane.values, 0.5), truth, &shown.colours, 0.6);
        assert_eq!(*pictures[1], mask.at_most(pictures[1].width, pictures[1].height));
        // When zoomed in, all images show the same quarter.
        let part = Options { part: Some([0.5, 0.5, 1.0, 1.0]), ..shown };
        let figure = stages(&bench.content(), &part).expect("a figure");
        let pictures: Vec<&Picture> = figure.scene.pictures().collect();
        assert_eq!(*pictures[1], mask.part([0.5, 0.5, 1.0, 1.0]));
        assert!(figure.scene.words().any(|words| words.contains("Only a part")));
        // The figure includes overrides and their effect.
        let mut content = bench.content();
        let mut overrides = bench.info.overrides.clone();
        overrides.stages[0].is_filtered = false;
        let original = Plane { values: vec![0.0; 64], ..bench.seen.prediction.probability_model.clone() };
        content.models[0].overrides = Some(&overrides);
        content.models[0].original = Some(&original);
        let figure = stages(&content, &shown).expect("a figure");
        assert!(figure.scene.words().any(|words| words == DIFFERENCE));
        let change = numbers(&figure, "value", &[("quantity", "modified_minus_original")]);
        assert_eq!(change, exact(&bench.seen.prediction.probability_model.values));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let mut bench = Bench::new(&[2]);
        bench.truth.width = 4;
        bench.truth.height = 6;
        let error = stages(&bench.content(), &Options::default()).expect_err("another size").to_string();
        assert!(error.contains("a-1.png") && error.contains("4x6") && error.contains("6x4"), "{error}");
        let nothing = Content::default();
        assert!(stages(&nothing, &Options::default()).is_err());
        assert!(stages(&Content { cases: Vec::new(), ..bench.content_of(1, 0) }, &Options::default()).is_err());
    }

    #[test]
    fn models_with_other_stages_have_headings_of_their_own() {
        let (first, second) = (Bench::new(&[2, 4]), Bench::new(&[3, 6, 12]));
        let mut content = first.content();
        content.models.extend(second.content().models);
        let figure = stages(&content, &Options::default()).expect("a figure");
        let count = |name: &str| figure.scene.words().filter(|words| *words == name).count();
        assert_eq!([count("Stage 4 (Layer 1)"), count("Stage 12 (Layer 1)"), count("Input")], [1, 1, 2]);
        assert_eq!(
            [count("bench-model"), count("bench-model (2)")],
            [1, 1],
            "two models of one name are told apart"
        );
    }
}
