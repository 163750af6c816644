//! A whole study: scores, record, statistics, files.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::report::{CasesError, Report, cases_figure, write_figure};
use crate::data::{DataError, Dataset};
use crate::infer::robustness::{Record, RobustnessSettings, Study, robustness};
use crate::infer::{InferError, ModelSource, Segmenter};

/// What is studied, and where the results are written.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Where the model is.
    pub source: &'a ModelSource,
    /// The split.
    pub dataset: &'a Dataset,
    /// The forms and how they are made.
    pub settings: &'a RobustnessSettings,
    /// The folder of the results, created if necessary; without it nothing is written, and a study that is stopped is
    /// lost.
    pub out: Option<&'a Path>,
    /// The number of cases in the figure.
    pub rows: usize,
}

/// What a study found.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Statistics, notes and worst cases.
    pub report: Report,
    /// The number of images that were scored.
    pub images: usize,
    /// How many of them an earlier run had scored.
    pub known: usize,
    /// The reasons why images were left out.
    pub skipped: Vec<String>,
    /// The files that were written.
    pub files: Vec<PathBuf>,
}

/// Carries out a study, or goes on with one whose record is in the folder of the results. Returns `None` if `progress`,
/// which receives the number of images that are done and of all, broke; what was scored stays in the record.
///
/// # Errors
/// See [`Record::open`] and [`robustness`]; a file cannot be written.
pub fn study(
    segmenter: &mut dyn Segmenter,
    wanted: Wanted,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Option<Outcome>, CasesError> {
    let Wanted { source, dataset, settings, out, rows } = wanted;
    let (mut record, mut scores) = match out {
        None => (None, Vec::new()),
        Some(out) => {
            std::fs::create_dir_all(out).map_err(|error| {
                let reason = format_args!("the folder cannot be created: {error}");
                InferError::from(DataError::writing(out, reason))
            })?;
            let study = Study::of(source, &segmenter.info(), dataset, settings).map_err(InferError::from)?;
            let (record, scores) = Record::open(out, &study, dataset, &settings.forms)?;
            (Some(record), scores)
        }
    };
    let before: HashSet<String> = scores.iter().map(|score| score.image.clone()).collect();
    let mut is_stopped = false;
    let step = |done: usize, count: usize| {
        let step = progress(done, count);
        is_stopped = step.is_break() && done < count;
        step
    };
    let skipped = robustness(segmenter, dataset, settings, &before, step, |image| {
        if let Some(record) = &mut record {
            record.append(&image)?;
        }
        scores.extend(image);
        Ok(())
    })?;
    if is_stopped {
        return Ok(None);
    }
    // Those of an earlier run come in the order in which they were computed.
    let samples = dataset.samples.iter().enumerate();
    let places: HashMap<&str, usize> =
        samples.rev().map(|(place, sample)| (sample.name.as_str(), place)).collect();
    scores.sort_by_key(|score| places.get(score.image.as_str()).copied());
    let report = Report::of(&scores, settings);
    let mut files: Vec<PathBuf> = record.iter().map(|record| record.path().to_owned()).collect();
    if let Some(out) = out {
        files.extend(report.write(out).map_err(InferError::from)?);
        if let Some(figure) = cases_figure(segmenter, dataset, settings, &scores, rows)? {
            files.extend(write_figure(&figure, out)?);
        }
    }
    let images = scores.chunk_by(|a, b| a.image == b.image).count();
    Ok(Some(Outcome { report, images, known: before.len(), skipped, files }))
}
