//! Reads a pair for training, scoring and figures: the image, and its masks as one ground truth of the image's
//! size.

use super::Sample;
use super::reading::PairReading;
use crate::data::image::load_as;
use crate::data::mask::{Grid, MaskKind, Truth};
use crate::data::{DataError, Geometry, Image, Limit, Mask, Orientation, decode};

/// An image and its ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The image.
    pub image: Image,
    /// The foreground of the masks, of the image's size.
    pub mask: Mask,
    /// How the values of the masks were interpreted.
    pub kind: MaskKind,
    /// Whether the image's file has an orientation that turns or mirrors it. [`PairReading::orientation`] says
    /// whether it was applied.
    pub is_turned: bool,
    /// Notes, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the files of a sample. A mask of another size than its image is refused and not resized.
///
/// # Errors
/// Returns an error if a file cannot be read, if a mask has another size than the image, or if there is no mask.
pub fn read(sample: &Sample, reading: &PairReading) -> Result<Pair, DataError> {
    let raster = decode::raster(&sample.image, Limit::default(), reading.orientation)?;
    let (is_turned, mut notes) = (raster.source.turn().is_some(), raster.notes.clone());
    let geometry = Geometry { turn: raster.turn, ..Geometry::default() };
    let shape = [raster.columns, raster.rows, 1];
    // A stack of pages cannot be the image of a pair; `load_as` returns the error for it.
    let image = match raster.pages {
        1 => raster.into_image(),
        _ => load_as(&sample.image, Limit::default(), reading.orientation)?,
    };
    let how = reading.truth(Limit::default());
    let truth = Truth::read(&sample.masks, Grid { shape, geometry: &geometry }, &how)
        .map_err(|error| if is_turned { turned(error, reading.orientation) } else { error })?;
    if sample.masks.len() > 1 {
        notes.push(format!("The {} masks of {} form one ground truth.", sample.masks.len(), sample.name));
    }
    notes.extend(truth.laid.labels.notes.iter().map(|note| format!("{}: {note}", sample.name)));
    let mask = truth.laid.labels.mask(0, &truth.choice);
    Ok(Pair { image, mask, kind: truth.laid.labels.kind.clone(), is_turned, notes })
}

/// Replaces the error about a mask's size if the mask has the size of the image in the other orientation.
fn turned(error: DataError, orientation: Orientation) -> DataError {
    match error {
        DataError::MaskSize { path, mask_width, mask_height, width, height }
            if (mask_width, mask_height) == (height, width) =>
        {
            DataError::MaskTurned { path, mask_width, mask_height, orientation }
        }
        other => other,
    }
}
