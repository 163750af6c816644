//! The probabilities of a prediction as a DICOM segmentation of fractions.

use std::path::{Path, PathBuf};

use super::{Export, segmentation};
use crate::data::DataError;
use crate::data::export::LabelMasks;
use crate::data::seg::{self, Frame, Kind, Segmentation};
use crate::infer::SlicePrediction;

/// The probabilities of a prediction: slices, from 0, with the probability of every pixel, from 0 for 0 to 255 for 1.
pub type Probabilities = Vec<(usize, Vec<u8>)>;

/// Returns the file of the probabilities beside that of the masks: `mask_probability.dcm` for `mask.dcm`.
pub fn beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}_probability.dcm"))
}

/// Takes the probabilities out of predictions. Slices without probabilities are left out.
pub fn probabilities(slices: &mut [SlicePrediction]) -> Probabilities {
    slices.iter_mut().filter_map(|slice| Some((slice.slice, slice.probability.take()?))).collect()
}

/// Writes the probabilities of a label as a DICOM segmentation of the image's source. `export` has this label alone; its
/// masks are not used.
///
/// # Errors
/// Returns the errors of [`seg::write`].
pub fn write(path: &Path, export: &Export<'_>, probabilities: Probabilities) -> Result<(), DataError> {
    let labels: Vec<LabelMasks> =
        export.labels.iter().map(|label| LabelMasks { slices: [].into(), ..label.clone() }).collect();
    let frames = probabilities.into_iter().map(|(slice, values)| Frame { segment: 0, slice, values }).collect();
    let made = Segmentation {
        kind: Kind::Fractional,
        frames,
        description: "Probability by himix".into(),
        ..segmentation(&labels, export.words, export.creator)
    };
    seg::write(path, &made, export.volume, export.sources, export.limit).map(drop)
}
