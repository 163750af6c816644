//! The result of a study, and its files.

use std::path::{Path, PathBuf};

use super::summary::{FormSummary, summaries};
use super::tables::{latex, markdown, notes, numbers};
use super::worst::{Loss, hardest, worst};
use crate::analysis::figure::{self, Figure, FigureError, MaskRow, Picture, Table};
use crate::data::{DataError, Dataset, write};
use crate::infer::robustness::{CaseMasks, Form, FormScore, RobustnessSettings, case_masks};
use crate::infer::{InferError, Segmenter};
use crate::metrics::Bootstrap;

/// The worst cases that are kept of each form.
const WORST: usize = 20;
/// The width of the figure as PNG, in pixels.
const FIGURE_PX: u32 = 2400;

/// The result of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The statistics of every form.
    pub summaries: Vec<FormSummary>,
    /// What the table means and leaves out, a sentence or two each.
    pub notes: Vec<String>,
    /// The prompts that lose most Dice in each form, the worst first.
    pub worst: Vec<Loss>,
}

/// Why a figure of a study was not made.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The masks could not be predicted.
    #[error(transparent)]
    Infer(#[from] InferError),
    /// The figure could not be drawn or written.
    #[error(transparent)]
    Figure(#[from] FigureError),
}

impl Report {
    /// Makes statistics of the scores. The random numbers of the intervals have the seed of the study.
    pub fn of(scores: &[FormScore], settings: &RobustnessSettings) -> Self {
        let bootstrap = Bootstrap { seed: settings.seed, ..Bootstrap::default() };
        let summaries = summaries(scores, &settings.forms, bootstrap);
        let notes = notes(&summaries, bootstrap);
        let mut worst: Vec<Loss> = settings.forms.iter().flat_map(|form| worst(scores, *form, WORST)).collect();
        worst.sort_by(|a, b| b.loss().total_cmp(&a.loss()));
        Self { summaries, notes, worst }
    }

    /// Writes the table as `table.md`, `table.csv` and `table.tex`, and the worst cases as `worst.csv`, into a folder
    /// that exists. Returns the files.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<Vec<PathBuf>, DataError> {
        let Self { summaries, notes, worst } = self;
        let path = |name: &str| folder.join(name);
        write::bytes(&path("table.md"), markdown(summaries, notes).as_bytes())?;
        write::bytes(&path("table.tex"), latex(summaries, notes).as_bytes())?;
        write::file(&path("table.csv"), |out| numbers(summaries).write(out))?;
        write::file(&path("worst.csv"), |out| losses(worst).write(out))?;
        Ok(["table.md", "table.csv", "table.tex", "worst.csv"].map(path).to_vec())
    }
}

fn losses(worst: &[Loss]) -> Table {
    let mut table = Table::new(&[
        "image",
        "prompt_number",
        "form",
        "dice_per_image_structured",
        "dice_per_image",
        "prompt",
        "text",
    ]);
    for loss in worst {
        table.push([
            loss.image.clone(),
            (loss.number + 1).to_string(),
            loss.form.name().to_owned(),
            loss.dice_structured.to_string(),
            loss.dice.to_string(),
            loss.prompt.clone(),
            loss.text.clone(),
        ]);
    }
    table
}

/// Draws the prompts that lose most Dice on average over the forms, at most `count`, with their masks, which are
/// predicted once more. `None` if there is none.
///
/// # Errors
/// A pair cannot be read any more, the model failed, or the figure cannot be drawn.
pub fn cases_figure(
    segmenter: &mut dyn Segmenter,
    dataset: &Dataset,
    settings: &RobustnessSettings,
    scores: &[FormScore],
    count: usize,
) -> Result<Option<Figure>, CasesError> {
    let mut seen: Vec<(&str, &str, CaseMasks, Picture)> = Vec::new();
    for (image, number) in hardest(scores, count) {
        let Some(sample) = dataset.samples.iter().find(|sample| sample.name == image) else { continue };
        let text = |form: &Form| {
            let is_wanted =
                |score: &&FormScore| (score.image.as_str(), score.prompt, score.form) == (image, number, *form);
            scores.iter().find(is_wanted)?.made.as_ref().map(|made| made.text.as_str())
        };
        let texts: Vec<Option<&str>> = settings.forms.iter().map(text).collect();
        let masks = case_masks(segmenter, sample, &dataset.reading, settings.threshold, &texts)?;
        let picture = Picture::of(&masks.image);
        seen.push((image, sample.prompts().nth(number).unwrap_or_default(), masks, picture));
    }
    if seen.is_empty() {
        return Ok(None);
    }
    let rows: Vec<MaskRow> = seen
        .iter()
        .map(|(name, prompt, case, picture)| MaskRow {
            name,
            prompt,
            picture,
            truth: Some(&case.truth),
            masks: &case.masks,
        })
        .collect();
    let names: Vec<&str> = settings.forms.iter().map(|form| form.name()).collect();
    let mut about =
        vec!["The cases are those that lose most Dice on average over the forms, not typical ones.".to_owned()];
    if settings.forms.contains(&Form::Description) {
        about.push("“description” is a rule's sentence about the ground truth.".to_owned());
    }
    Ok(Some(figure::forms(&segmenter.info().name, &names, &rows, &about)?))
}

/// Writes a figure as `figure.svg` and `figure.png` into a folder, and returns the files.
///
/// # Errors
/// A file cannot be written.
pub fn write_figure(figure: &Figure, folder: &Path) -> Result<Vec<PathBuf>, FigureError> {
    let files = ["figure.svg", "figure.png"].map(|name| folder.join(name)).to_vec();
    files.iter().try_for_each(|path| figure.write(path, FIGURE_PX))?;
    Ok(files)
}
