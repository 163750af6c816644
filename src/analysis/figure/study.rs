//! The figure of a study: the scores of every run, and the differences to the reference with their intervals.

use super::axes::{Axis, Plot};
use super::page::{INK, LABEL, LINES, MARGIN, WEAK, WIDTH, caption, line_in};
use super::scene::{Rect, Scene, Stroke};
use super::table::Table;
use super::{Figure, FigureError};

/// The height of a row, in points.
const ROW: f32 = 15.0;
/// The width of the names of the variants, in points.
const NAMES: f32 = 148.0;
/// The distance between the panels, in points.
const BETWEEN: f32 = 24.0;
/// Half the side of a mark, in points.
const MARK: f32 = 1.6;

/// A variant of the study.
pub struct StudyRow<'a> {
    /// The name.
    pub variant: &'a str,
    /// The variant in words.
    pub title: &'a str,
    /// The seed and the pooled Dice of every run.
    pub runs: Vec<(u64, f64)>,
    /// The difference of pooled Dice to the reference with the lower and upper end of its interval; `None` without one.
    pub difference: Option<[f64; 3]>,
}

/// Draws a row for each variant: on the left, pooled Dice of every run and its mean over the seeds; on the right, the
/// difference of pooled Dice to the `reference` with its interval.
///
/// Columns: `variant`, `seed` (empty for what is of all seeds), `value` (`dice_pooled`, `dice_pooled_mean`,
/// `difference`, `difference_low` or `difference_high`), `number`.
///
/// # Errors
/// There is no variant.
pub fn study(variants: &[StudyRow], reference: &str, notes: &[String]) -> Result<Figure, FigureError> {
    if variants.is_empty() {
        return Err(FigureError::Nothing { reason: "no run is finished; go on with the study".into() });
    }
    let mut scene = Scene::new("Ablation study", WIDTH);
    let mut table = Table::new(&["variant", "seed", "value", "number"]);
    let height = ROW * variants.len() as f32;
    let top = MARGIN + 14.0;
    let width = (WIDTH - 2.0 * MARGIN - NAMES - BETWEEN) / 2.0;
    let left = Rect::new(MARGIN + NAMES, top, width, height);
    let right = Rect { x: left.right() + BETWEEN, ..left };
    let rows = variants.len();
    // The first variant is at the top.
    let place = |row: usize| (rows - 1 - row) as f64 + 0.5;
    let scores = variants.iter().flat_map(|row| row.runs.iter().map(|(_, dice)| *dice));
    let names = Axis::of_names(variants.iter().rev().map(|row| row.title.to_owned()));
    let of_runs = Plot { rect: left, x: Axis::covering(scores, 4), y: names };
    of_runs.frame(&mut scene, "Dice pooled", "");
    let ends = variants.iter().filter_map(|row| row.difference).flatten().chain([0.0]);
    let nameless = Axis { ticks: Vec::new(), ..Axis::of_names(vec![String::new(); rows]) };
    let compared = Plot { rect: right, x: Axis::covering(ends, 4), y: nameless };
    compared.frame(&mut scene, &format!("Difference of pooled Dice to {reference}"), "");
    compared.curve(&mut scene, &[[0.0, 0.0], [0.0, rows as f64]], Stroke::dashed(WEAK, 0.6));
    for (rect, words) in [(left, "Every run, and the mean"), (right, "With its interval")] {
        line_in(&mut scene, rect, MARGIN + 8.0, words, LABEL, INK);
    }
    for (row, variant) in variants.iter().enumerate() {
        let mut note = |seed: String, value: &str, number: f64| {
            table.push([variant.variant.to_owned(), seed, value.to_owned(), number.to_string()]);
        };
        for (seed, dice) in &variant.runs {
            mark(&mut scene, of_runs.place([*dice, place(row)]), LINES[0]);
            note(seed.to_string(), "dice_pooled", *dice);
        }
        let mean = variant.runs.iter().map(|(_, dice)| dice).sum::<f64>() / variant.runs.len() as f64;
        let line = [[mean, place(row) - 0.32], [mean, place(row) + 0.32]];
        of_runs.curve(&mut scene, &line, Stroke::solid(INK, 1.0));
        note(String::new(), "dice_pooled_mean", mean);
        if let Some([estimate, low, high]) = variant.difference {
            compared.curve(&mut scene, &[[low, place(row)], [high, place(row)]], Stroke::solid(LINES[1], 1.0));
            mark(&mut scene, compared.place([estimate, place(row)]), LINES[1]);
            for (value, number) in [("difference", estimate), ("difference_low", low), ("difference_high", high)] {
                note(String::new(), value, number);
            }
        }
    }
    caption(&mut scene, top + height + 32.0, notes);
    Ok(Figure { scene, table })
}

fn mark(scene: &mut Scene, [x, y]: [f32; 2], colour: [u8; 3]) {
    scene.fill(Rect::new(x - MARK, y - MARK, 2.0 * MARK, 2.0 * MARK), colour);
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_tidy, numbers};
    use super::*;

    #[test]
    fn the_figure_has_every_run_and_every_interval() {
        let rows = [
            StudyRow { variant: "full", title: "Full model", runs: vec![(1, 0.7), (2, 0.74)], difference: None },
            StudyRow {
                variant: "no-filter",
                title: "Without the spectrum filter (ASRM)",
                runs: vec![(1, 0.68)],
                difference: Some([-0.02, -0.03, 0.001]),
            },
        ];
        let figure = study(&rows, "the full model", &["A note.".to_owned()]).expect("a figure");
        assert_tidy(&figure, "a study");
        let pooled = |value| numbers(&figure, "number", &[("variant", "full"), ("value", value)]);
        assert_eq!(pooled("dice_pooled"), [0.7, 0.74]);
        assert!((pooled("dice_pooled_mean")[0] - 0.72).abs() < 1e-12);
        assert_eq!(numbers(&figure, "number", &[("value", "difference_low")]), [-0.03]);
        assert!(figure.scene.words().any(|words| words == "Without the spectrum filter (ASRM)"));
        assert!(study(&[], "the full model", &[]).is_err());
    }
}
