//! Surveys a data set before it is used, by opening every file once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::finding::{Finding, Problem};
use super::layout::{Layout, Share};
use super::{Checked, Dataset, PairReading, Sample, enclosing, fold, pair};
use crate::data::{DataError, subject};

/// The content of a data set.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The folder of the data set: the one that was surveyed, or the one that it is a part of.
    pub root: PathBuf,
    /// Whether the folder names no splits, so that these are made by a hash.
    pub is_hashed: bool,
    /// The layout of the folder.
    pub layout: Layout,
    /// How the pairs were read.
    pub reading: PairReading,
    /// The names of the splits with their surveys, or with an error for a split that cannot be used.
    pub splits: Vec<(String, Result<SplitSurvey, DataErrorText>)>,
    /// Subjects that occur in more than one split, with these splits.
    pub shared_subjects: Vec<(String, Vec<String>)>,
}

/// The text of an error, so that a survey can be stored and compared.
pub type DataErrorText = String;

/// The content of a split.
#[derive(Clone, Debug, serde::Serialize)]
pub struct SplitSurvey {
    /// Number of pairs that can be used.
    pub pairs: usize,
    /// Number of different prompts.
    pub prompts: usize,
    /// Number of different subjects in the file names.
    pub subjects: usize,
    /// Mean over the pairs of the share of foreground in the mask, 0 to 1.
    pub foreground: f64,
    /// Smallest and largest width and height in pixels; `None` if there is no pair.
    pub sizes: Option<[(usize, usize); 2]>,
    /// The interpretations of the masks' values, each with the number of pairs.
    pub mask_kinds: BTreeMap<String, usize>,
    /// Number of pairs whose image has an EXIF orientation that turns or mirrors it.
    pub turned: usize,
    /// The problems that were found.
    pub findings: Vec<Finding>,
}

/// The result of opening one pair.
enum PairCheck {
    Good { size: (usize, usize), foreground: f64, kind: String, is_turned: bool, key: [u8; 32] },
    Bad(Finding),
}

/// Surveys every split of the data set in `folder`, or of the part of a data set that the folder is. Its pairs
/// are read by `reading`. `progress` receives, from several threads, the number of pairs that were opened and
/// their total.
///
/// # Errors
/// Returns an error if the folder is neither a data set nor a part of one.
pub fn survey(
    folder: &Path,
    reading: &PairReading,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Survey, DataError> {
    let enclosing::Enclosing { root, arrangement } = enclosing::find(folder)?;
    let is_hashed = arrangement.sources.iter().any(|source| matches!(source.share, Share::Tenths(_)));
    let is_divided = arrangement.sources.iter().any(|source| source.share != Share::All);
    // If a pool of images is divided into splits, the split of all images is not surveyed again.
    let sources = arrangement.sources.iter().filter(|source| !is_divided || source.name != "all");
    let opened: Vec<(String, Result<Dataset, DataError>)> =
        sources.map(|source| (source.name.clone(), Dataset::open(folder, &source.name))).collect();
    let count =
        opened.iter().filter_map(|(_, dataset)| dataset.as_ref().ok()).map(|data| data.samples.len()).sum();
    let done = AtomicUsize::new(0);
    let mut subjects: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut contents: HashMap<[u8; 32], String> = HashMap::new();
    let mut splits = Vec::new();
    for (name, dataset) in opened {
        let result = dataset.map_err(|error| error.to_string()).map(|dataset| {
            for sample in &dataset.samples {
                if let Some(subject) = subject(&sample.name) {
                    subjects.entry(fold(subject)).or_default().insert(name.clone());
                }
            }
            let looks =
                look(&dataset.samples, reading, &|| progress(done.fetch_add(1, Ordering::Relaxed) + 1, count));
            split_survey(dataset, looks, &mut contents)
        });
        splits.push((name, result));
    }
    let shared = subjects.into_iter().filter(|(_, splits)| splits.len() > 1);
    let shared_subjects = shared.map(|(subject, splits)| (subject, splits.into_iter().collect())).collect();
    Ok(Survey { root, is_hashed, layout: arrangement.layout, reading: reading.clone(), splits, shared_subjects })
}

/// Opens every pair of a split, and leaves out unreadable files and masks of another size than their image.
/// Masks without foreground, and masks that are foreground everywhere, are listed as findings.
///
/// # Errors
/// Returns an error if no pair is left.
pub(super) fn check(dataset: &mut Dataset) -> Result<Checked, DataError> {
    let looks = look(&dataset.samples, &dataset.reading, &|| ());
    let count = looks.len();
    let mut first_bad = None;
    let mut with_foreground = 0;
    let mut looks_of = looks.into_iter();
    let mut kept = Vec::with_capacity(count);
    for sample in dataset.samples.drain(..) {
        match looks_of.next() {
            Some(PairCheck::Bad(finding)) => {
                first_bad.get_or_insert_with(|| finding.what.clone());
                dataset.findings.push(finding);
            }
            Some(PairCheck::Good { foreground, .. }) => {
                with_foreground += usize::from(foreground > 0.0);
                if let Some(problem) = oddity(foreground) {
                    dataset.findings.push(Finding::new(problem, sample.name.clone()));
                }
                kept.push(sample);
            }
            None => {}
        }
    }
    dataset.samples = kept;
    if let (true, Some(reason)) = (dataset.samples.is_empty(), first_bad) {
        return Err(DataError::NothingUsable {
            path: dataset.root.clone(),
            split: dataset.split.clone(),
            count,
            reason,
        });
    }
    if with_foreground == 0 {
        dataset.findings.push(Finding::new(Problem::AllEmpty, dataset.split.clone()));
    }
    Ok(Checked { with_foreground })
}

/// Returns the problem of a mask with this share of foreground, if it is empty or full.
fn oddity(foreground: f64) -> Option<Problem> {
    match foreground {
        0.0 => Some(Problem::EmptyMask),
        1.0 => Some(Problem::FullMask),
        _ => None,
    }
}

/// Opens every pair, in parallel, and calls `step` after each.
fn look(samples: &[Sample], reading: &PairReading, step: &(dyn Fn() + Sync)) -> Vec<PairCheck> {
    let one = |sample: &Sample| {
        let look = match pair::read(sample, reading) {
            Ok(pair) => PairCheck::Good {
                size: (pair.image.width, pair.image.height),
                foreground: pair.mask.foreground() as f64 / pair.mask.values.len().max(1) as f64,
                kind: pair.kind.words(),
                is_turned: pair.is_turned,
                key: pair.image.content_key(),
            },
            Err(DataError::MaskSize { width, height, mask_width, mask_height, .. }) => {
                let what = format!("{}: {width}x{height}, mask {mask_width}x{mask_height}", sample.name);
                PairCheck::Bad(Finding::new(Problem::SizeMismatch, what))
            }
            Err(error @ DataError::MaskTurned { .. }) => {
                PairCheck::Bad(Finding::new(Problem::SizeMismatch, error.to_string()))
            }
            Err(error) => PairCheck::Bad(Finding::new(Problem::Unreadable, error.to_string())),
        };
        step();
        look
    };
    samples.par_iter().map(one).collect()
}

fn split_survey(dataset: Dataset, looks: Vec<PairCheck>, contents: &mut HashMap<[u8; 32], String>) -> SplitSurvey {
    let Dataset { samples, mut findings, split, .. } = dataset;
    let prompts: BTreeSet<&str> = samples.iter().map(|sample| sample.prompt.trim()).collect();
    let subjects: BTreeSet<&str> = samples.iter().filter_map(|sample| subject(&sample.name)).collect();
    let (prompts, subjects) = (prompts.len(), subjects.len());
    let mut pairs = 0;
    let mut turned = 0;
    let mut mask_kinds = BTreeMap::new();
    let mut total = 0.0;
    let mut sizes: Option<[(usize, usize); 2]> = None;
    for (sample, look) in samples.iter().zip(looks) {
        match look {
            PairCheck::Bad(finding) => findings.push(finding),
            PairCheck::Good { size, foreground, kind, is_turned, key } => {
                *mask_kinds.entry(kind).or_default() += 1;
                pairs += 1;
                turned += usize::from(is_turned);
                total += foreground;
                let [low, high] = sizes.unwrap_or([size; 2]);
                sizes = Some([(low.0.min(size.0), low.1.min(size.1)), (high.0.max(size.0), high.1.max(size.1))]);
                if let Some(problem) = oddity(foreground) {
                    findings.push(Finding::new(problem, sample.name.clone()));
                }
                let here = format!("{split}/{}", sample.name);
                if let Some(other) = contents.get(&key) {
                    findings.push(Finding::new(Problem::DuplicateImage, format!("{here} = {other}")));
                } else {
                    contents.insert(key, here);
                }
            }
        }
    }
    if pairs > 0 && total == 0.0 {
        findings.push(Finding::new(Problem::AllEmpty, split));
    }
    let foreground = total / pairs.max(1) as f64;
    SplitSurvey { pairs, prompts, subjects, foreground, sizes, mask_kinds, turned, findings }
}
