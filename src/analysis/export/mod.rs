//! Labels of an image as files in one or several formats: PNG, NIfTI label map, DICOM segmentation, and a table of
//! measurements.

mod format;
mod predicted;
mod probability;
mod segmentation;

use std::path::{Path, PathBuf};

use super::measurements::{measure, write_table};
use crate::data::export::{self, LabelMasks, LabelValues};
use crate::data::{DataError, Limit, Volume, nifti};

pub use format::{Format, Formats};
pub use predicted::{model_of, predicted, predicted_label};
pub use probability::{Probabilities, probabilities};
pub use segmentation::{SegmentWords, segmentation};

/// The labels of an image, and what the formats need to know of the image.
#[derive(Clone, Copy)]
pub struct Export<'a> {
    /// The image.
    pub volume: &'a Volume,
    /// The name of the image, for tables.
    pub name: &'a str,
    /// The files from which the image was opened, in any order; DICOM segmentations refer to them.
    pub sources: &'a [PathBuf],
    /// The labels.
    pub labels: &'a [LabelMasks],
    /// What a DICOM segmentation says of each label.
    pub words: &'a [SegmentWords],
    /// The name of the person who made the labels; empty if it is not stated.
    pub creator: &'a str,
    /// The memory that reading a source again may take.
    pub limit: Limit,
}

/// What was written, and what could not be.
#[derive(Debug, Default)]
pub struct Exported {
    /// The files.
    pub files: Vec<PathBuf>,
    /// Notes about the files, as sentences.
    pub notes: Vec<String>,
    /// The formats that could not be written, with the reason.
    pub failed: Vec<(Format, DataError)>,
}

/// Writes the labels in each of the formats into a folder that exists. The names of the files begin with `stem`. Every
/// file is read again and compared before it gets its name. A format that fails does not keep the others from being
/// written. `probabilities` are those of the only label, and none if it is no prediction.
pub fn write(
    folder: &Path,
    stem: &str,
    formats: &Formats,
    export: &Export<'_>,
    mut probabilities: Probabilities,
) -> Exported {
    let mut exported = Exported::default();
    for format in formats.iter() {
        let path = folder.join(format!("{stem}{}", format.ending()));
        // One format alone holds them.
        let held = if format == Format::DicomSeg { std::mem::take(&mut probabilities) } else { Vec::new() };
        if let Err(error) = write_one(&path, format, export, held, &mut exported) {
            exported.failed.push((format, error));
        }
    }
    exported
}

/// Returns all files that [`write_one`] writes, that at `path` first if there is one. `has_probabilities` says whether
/// there are probabilities.
pub fn files(path: &Path, format: Format, slices: usize, has_probabilities: bool) -> Vec<PathBuf> {
    match format {
        Format::Png => export::picture_paths(path, slices),
        Format::Nifti => vec![path.to_owned(), export::names::beside(path)],
        Format::DicomSeg if has_probabilities => vec![path.to_owned(), probability::beside(path)],
        Format::DicomSeg | Format::Csv => vec![path.to_owned()],
    }
}

/// Writes the labels in one format and adds what was written to `exported`. A DICOM segmentation of `probabilities`, if
/// there are any, stands beside that of the masks; the other formats do not hold them.
///
/// # Errors
/// The format cannot hold the labels or the image, or a file cannot be written.
pub fn write_one(
    path: &Path,
    format: Format,
    export: &Export<'_>,
    probabilities: Probabilities,
    exported: &mut Exported,
) -> Result<(), DataError> {
    let Export { volume, labels, .. } = *export;
    match format {
        Format::Png => {
            let values = LabelValues::of(path, volume.shape(), labels)?;
            exported.files.extend(export::pictures(path, &values)?);
            exported.notes.extend(values.overlap_note());
        }
        Format::Nifti => {
            let values = LabelValues::of(path, volume.shape(), labels)?;
            exported.notes.extend(nifti::label_map(path, volume, &values)?);
            exported.files.extend([path.to_owned(), export::names::beside(path)]);
        }
        Format::DicomSeg => {
            exported.notes.extend(segmentation::write(path, export)?);
            exported.files.push(path.to_owned());
            if !probabilities.is_empty() {
                let path = probability::beside(path);
                // The notes are those of the masks.
                probability::write(&path, export, probabilities)?;
                exported.files.push(path);
            }
        }
        Format::Csv => {
            let measurements = measure(volume, labels);
            write_table(path, export.name, &measurements)?;
            exported.notes.extend(measurements.notes);
            exported.files.push(path.to_owned());
        }
    }
    exported.notes.dedup();
    Ok(())
}
