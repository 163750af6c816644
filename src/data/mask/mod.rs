//! Reference masks: which pixels of a mask file are foreground, and which pixels of an image they correspond to.

mod colour;
pub mod components;
mod finder;
mod kind;
mod labels;
mod lay;
mod read;
mod recognise;
pub(super) mod tally;
mod truth;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use super::volume::Grid;
use super::{DataError, Limit, Orientation};
pub use kind::{MaskKind, colour_name};
pub use labels::{Indices, Label, LabelChoice, LabelMap, Oddity};
pub use lay::{Agreed, Laid, Pairing, lay};
pub use read::read;
pub use tally::{Counter, Tally};
pub use truth::{Several, Truth, TruthReading};

/// A binary mask, stored row by row in the orientation in which its image is displayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// The number of pixels per row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// `width * height` values: 1 for foreground, 0 for background.
    pub values: Vec<u8>,
}

/// The rule that decides which pixels of a mask file are foreground.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// The rule is derived from the values of the file. [`MaskKind`] lists the possible results.
    #[default]
    Found,
    /// A pixel is foreground if the mean of its channels is greater than half of the range, for instance greater
    /// than 127 for 8-bit values. This reads masks that were compressed as JPEG. If the largest value of a file
    /// is 1, its range is 0 to 1.
    Half,
    /// A pixel is foreground if every channel is exactly 255, which is the rule of the HiMix authors.
    #[serde(rename = "exactly_255")]
    Exactly255,
}

/// The settings for reading a mask file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskReading {
    /// The rule that decides which pixels are foreground.
    pub rule: MaskRule,
    /// The treatment of the orientation in an image's EXIF data.
    pub orientation: Orientation,
    /// The limit on the memory that reading the file may take.
    pub limit: Limit,
}

impl Mask {
    /// Returns the number of foreground pixels.
    pub fn foreground(&self) -> usize {
        self.values.iter().filter(|&&value| value != 0).count()
    }

    /// Checks that the mask is as large as an image of `width` by `height` pixels. `path` is the mask's file,
    /// which the error names.
    ///
    /// # Errors
    /// Returns [`DataError::MaskSize`] with both sizes if they differ.
    pub fn must_fit(&self, path: &Path, width: usize, height: usize) -> Result<(), DataError> {
        if (self.width, self.height) == (width, height) {
            return Ok(());
        }
        let (mask_width, mask_height) = (self.width, self.height);
        Err(DataError::MaskSize { path: path.to_owned(), mask_width, mask_height, width, height })
    }
}

/// Reads the mask of a file with a single page or slice. All labels that are foreground by default are
/// foreground.
///
/// # Errors
/// Returns the errors of [`read`], and [`DataError::MaskSlices`] for a file with several pages or slices.
pub fn load(path: &Path, rule: &MaskRule) -> Result<Mask, DataError> {
    let labels = read(path, &MaskReading { rule: *rule, ..MaskReading::default() })?;
    if labels.slices > 1 {
        let slices = labels.slices;
        return Err(DataError::MaskSlices { path: path.to_owned(), mask_slices: slices, slices: 1 });
    }
    Ok(labels.mask(0, &LabelChoice::Foreground))
}
