//! Segments many images with prompts and exports the masks: what is done is skipped, a failure does not end the run, and
//! a manifest says what became of every image.

mod case;
mod manifest;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::export::Formats;
use crate::data::seg::Codes;
use crate::data::worklist::Item;
use crate::data::{DataError, Limit, Window};
use crate::infer::{InferError, Segmenter, in_order};
use case::{Finished, Job};

pub use manifest::{Entry, MANIFEST, Manifest, State};

/// The least time between two writings of the manifest, so that many quick images do not wait for it. What was done
/// since the last writing is done again after a crash.
const PAUSE: Duration = Duration::from_secs(1);

/// An image with its prompts.
#[derive(Clone, Debug)]
pub struct BatchCase {
    /// The image.
    pub item: Item,
    /// The prompts; a mask is made for each.
    pub prompts: Vec<String>,
}

/// How the images are segmented and exported.
#[derive(Clone, Debug)]
pub struct BatchSettings {
    /// The probability at and above which a pixel is foreground, 0…1.
    pub threshold: f32,
    /// The display window for the network's input; `None` for the first window of every slice.
    pub window: Option<Window>,
    /// The formats of the masks.
    pub formats: Formats,
    /// The memory that reading one file may take.
    pub limit: Limit,
    /// The codes for DICOM segmentations.
    pub codes: Codes,
}

/// What happens during a run.
#[derive(Clone, Copy, Debug)]
pub enum BatchEvent<'a> {
    /// So many of all masks are done. `name` is the image that comes next, and `part` the share of it that is done.
    Progress { done: usize, count: usize, name: &'a str, part: f32 },
    /// A mask was not made or not written in all formats.
    Failed { image: &'a str, reason: &'a str },
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSummary {
    /// The number of masks that were made now.
    pub done: usize,
    /// The number of masks that an earlier run had made.
    pub known: usize,
    /// The number of failures.
    pub failed: usize,
    /// Whether the run was stopped before its end.
    pub is_stopped: bool,
    /// The manifest.
    pub manifest: PathBuf,
}

/// Segments every image with its prompts and writes the masks below `out`, in a folder with the path that the image has
/// below `folder`; with several prompts, each has a folder of its own in it: 0, 1, … A stack is segmented in all slices.
///
/// A mask is skipped if the manifest has it with the same image, prompt, model and settings, and its files exist.
/// Pictures are computed side by side if the model allows it, and so are the slices of a stack. `report` returns whether
/// to continue.
///
/// # Errors
/// The folder or the manifest cannot be written, or an existing manifest cannot be read.
pub fn batch(
    segmenter: &mut dyn Segmenter,
    folder: &Path,
    cases: &[BatchCase],
    settings: &BatchSettings,
    out: &Path,
    mut report: impl FnMut(BatchEvent<'_>) -> ControlFlow<()>,
) -> Result<BatchSummary, InferError> {
    std::fs::create_dir_all(out).map_err(|error| {
        let reason = format!("the folder cannot be created: {error}");
        DataError::Unwritable { path: out.to_owned(), reason }
    })?;
    let info = segmenter.info();
    let mut manifest = Manifest::open(out)?;
    manifest.folder = folder.to_string_lossy().into_owned();
    let all: Vec<Job<'_>> =
        cases.iter().flat_map(|case| Job::of_case(case, folder, out, settings, &info)).collect();
    let count = all.len();
    let jobs: Vec<Job<'_>> = all.into_iter().filter(|job| !manifest.has_done(&job.entry, out)).collect();
    let known = count - jobs.len();
    let mut summary = BatchSummary { done: 0, known, failed: 0, is_stopped: false, manifest: out.join(MANIFEST) };
    let mut written = Instant::now();
    let mut record = |finished: Finished,
                      summary: &mut BatchSummary,
                      report: &mut dyn FnMut(BatchEvent<'_>) -> ControlFlow<()>| {
        let entry = finished.entry;
        match &entry.error {
            None => summary.done += 1,
            Some(reason) => {
                summary.failed += 1;
                let _ = report(BatchEvent::Failed { image: &entry.image, reason });
            }
        }
        manifest.put(entry);
        if written.elapsed() >= PAUSE {
            written = Instant::now();
            return manifest.write(out);
        }
        Ok(())
    };
    for group in jobs.chunk_by(|a, b| a.is_picture() && b.is_picture()) {
        let at = |summary: &BatchSummary| summary.known + summary.done + summary.failed;
        if group[0].is_picture() {
            let job = |segmenter: &mut dyn Segmenter, _: &mut (), number: usize| {
                group[number].run(segmenter, &mut |_| ControlFlow::Continue(()))
            };
            in_order(segmenter, group.len(), 1, job, |next| {
                for job in group {
                    let progress = BatchEvent::Progress { done: at(&summary), count, name: job.name(), part: 0.0 };
                    if report(progress).is_break() {
                        summary.is_stopped = true;
                        break;
                    }
                    if let Some(finished) = next() {
                        record(finished, &mut summary, &mut report)?;
                    }
                }
                Ok::<(), DataError>(())
            })?;
        } else {
            let done = at(&summary);
            let finished = group[0].run(segmenter, &mut |part| {
                report(BatchEvent::Progress { done, count, name: group[0].name(), part })
            });
            match finished {
                Some(finished) => record(finished, &mut summary, &mut report)?,
                None => summary.is_stopped = true,
            }
        }
        if summary.is_stopped {
            break;
        }
    }
    manifest.write(out)?;
    if !summary.is_stopped {
        // This is the last step, so that there is nothing left to stop.
        let _ = report(BatchEvent::Progress { done: count, count, name: "", part: 0.0 });
    }
    Ok(summary)
}
