//! Segments many images with prompts and exports the masks: what is done is skipped, a failure does not end the run, and
//! a manifest says what became of every image.

mod case;
mod manifest;
mod record;
mod results;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::export::Formats;
use crate::data::seg::Codes;
use crate::data::worklist::Item;
use crate::data::{DataError, Limit, Window, dicom};
use crate::infer::{InferError, ModelSource, Segmenter, in_order};
use case::{Contents, Job};
use record::Record;
use results::Results;

pub use manifest::{Entry, MANIFEST, Manifest, State};

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
    /// The model, whose files tell whether a mask was made by the same one.
    pub model: ModelSource,
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
    /// So many of all masks are done; also reported before every slice of a stack.
    Progress { done: usize, count: usize },
    /// A mask was written in some of the formats only.
    Partial { image: &'a str, reason: &'a str },
    /// A mask was not made, or written in no format.
    Failed { image: &'a str, reason: &'a str },
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSummary {
    /// The number of images, without results of batches that lie among them.
    pub images: usize,
    /// The number of masks that were made now.
    pub done: usize,
    /// The number of masks that an earlier run had made.
    pub known: usize,
    /// The number of masks that were written in some of the formats only.
    pub partial: usize,
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
/// A mask is skipped if the manifest has it with the same image, prompt, model (its files, not its name alone) and settings,
/// and its files exist in this folder. Files of another prompt or with other settings are replaced, and the manifest forgets them before. Results of
/// this or another batch that are among `cases` are left out. Pictures are computed side by side if the model allows it,
/// and so are the slices of a stack. `report` returns whether to continue.
///
/// # Errors
/// The folder or the manifest cannot be written, an existing manifest or a file of the model cannot be read, `out` is the folder of the images,
/// or there is no image.
pub fn batch(
    segmenter: &mut dyn Segmenter,
    folder: &Path,
    cases: &[BatchCase],
    settings: &BatchSettings,
    out: &Path,
    mut report: impl FnMut(BatchEvent<'_>) -> ControlFlow<()>,
) -> Result<BatchSummary, InferError> {
    std::fs::create_dir_all(out)
        .map_err(|error| DataError::writing(out, format_args!("the folder cannot be created: {error}")))?;
    let info = segmenter.info();
    let mut manifest = Manifest::open(out)?;
    manifest.folder = folder.to_string_lossy().into_owned();
    let mut results = Results::of(folder, out)?;
    let cases: Vec<&BatchCase> =
        cases.iter().filter(|case| !results.has(&dicom::of_stack(&case.item.path).0)).collect();
    if cases.is_empty() {
        return Err(DataError::NothingToOpen { path: folder.to_owned() }.into());
    }
    let contents = Contents::of(settings, &info)?;
    let all: Vec<Job<'_>> =
        cases.iter().flat_map(|case| Job::of_case(case, folder, out, settings, (&info, &contents))).collect();
    let count = all.len();
    let is_open = |job: &Job<'_>| !manifest.has_done(&job.entry, &job.folder, out);
    let jobs: Vec<Job<'_>> = all.into_iter().filter(is_open).collect();
    let mut summary = BatchSummary {
        images: cases.len(),
        done: 0,
        known: count - jobs.len(),
        partial: 0,
        failed: 0,
        is_stopped: false,
        manifest: out.join(MANIFEST),
    };
    let record = Record::new(manifest, out);
    let keep =
        |entry: Entry, summary: &mut BatchSummary, report: &mut dyn FnMut(BatchEvent<'_>) -> ControlFlow<()>| {
            let (image, reason) = (entry.image.as_str(), entry.error.as_deref().unwrap_or_default());
            match entry.state {
                State::Done => summary.done += 1,
                State::Partial => {
                    summary.partial += 1;
                    let _ = report(BatchEvent::Partial { image, reason });
                }
                State::Failed => {
                    summary.failed += 1;
                    let _ = report(BatchEvent::Failed { image, reason });
                }
            }
            record.put(entry)
        };
    for group in jobs.chunk_by(|a, b| a.is_picture() && b.is_picture()) {
        let at = |summary: &BatchSummary| summary.known + summary.done + summary.partial + summary.failed;
        let replaces = |number: usize| record.replace(group[number..].iter().map(|job| job.folder.as_str()));
        if group[0].is_picture() {
            let job = |segmenter: &mut dyn Segmenter, _: &mut (), number: usize| {
                group[number].run(segmenter, &mut || ControlFlow::Continue(()), &|| replaces(number))
            };
            in_order(segmenter, group.len(), 1, job, |next| {
                for _ in group {
                    if report(BatchEvent::Progress { done: at(&summary), count }).is_break() {
                        summary.is_stopped = true;
                        break;
                    }
                    if let Some(entry) = next() {
                        keep(entry, &mut summary, &mut report)?;
                    }
                }
                Ok::<(), DataError>(())
            })?;
        } else {
            let done = at(&summary);
            let mut go_on = || {
                // If this fails, it is tried again, at the latest at the end of the batch, whose error is reported.
                let _ = record.write_if_due();
                report(BatchEvent::Progress { done, count })
            };
            let finished = group[0].run(segmenter, &mut go_on, &|| replaces(0));
            match finished {
                Some(entry) => keep(entry, &mut summary, &mut report)?,
                None => summary.is_stopped = true,
            }
        }
        if summary.is_stopped {
            break;
        }
    }
    record.write()?;
    if !summary.is_stopped {
        // This is the last step, so that there is nothing left to stop.
        let _ = report(BatchEvent::Progress { done: count, count });
    }
    Ok(summary)
}
