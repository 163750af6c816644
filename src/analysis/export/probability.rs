//! The probabilities of a prediction as a DICOM segmentation of fractions.

use std::path::{Path, PathBuf};

use super::{Export, segmentation};
use crate::data::DataError;
use crate::data::export::LabelMasks;
use crate::data::seg::{self, Frame, Kind, Segmentation};
use crate::infer::SlicePrediction;

/// Returns the file of the probabilities in a folder, beside that of the masks with the same `stem`.
pub fn probability_path(folder: &Path, stem: &str) -> PathBuf {
    folder.join(format!("{stem}_probability.dcm"))
}

/// Takes the probabilities out of predictions: the slices, from 0, with the probability of every pixel, from 0 for 0 to
/// 255 for 1. Slices without probabilities are left out.
pub fn probabilities(slices: &mut [SlicePrediction]) -> Vec<(usize, Vec<u8>)> {
    slices.iter_mut().filter_map(|slice| Some((slice.slice, slice.probability.take()?))).collect()
}

/// Writes the probabilities of a label as a DICOM segmentation of the image's source and returns notes about it.
/// `export` has this label alone; its masks are not used.
///
/// # Errors
/// Returns the errors of [`seg::write`].
pub fn write_probability(
    path: &Path,
    export: &Export<'_>,
    probabilities: Vec<(usize, Vec<u8>)>,
) -> Result<Vec<String>, DataError> {
    let labels: Vec<LabelMasks> =
        export.labels.iter().map(|label| LabelMasks { slices: [].into(), ..label.clone() }).collect();
    let frames = probabilities.into_iter().map(|(slice, values)| Frame { segment: 0, slice, values }).collect();
    let made = Segmentation {
        kind: Kind::Fractional,
        frames,
        description: "Probability by himix".into(),
        ..segmentation(&labels, export.words, export.creator)
    };
    Ok(seg::write(path, &made, export.volume, export.sources, export.limit)?.notes)
}
