//! Reference masks: which pixels of a mask file are foreground, and to which pixels of an image they belong.

mod colour;
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

/// A binary mask, row-major, natural orientation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// `width * height` values: 1 foreground, 0 background.
    pub values: Vec<u8>,
}

/// What counts as foreground in a mask file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaskRule {
    /// The rule is derived from the values: see [`MaskKind`].
    #[default]
    Found,
    /// The mean of the channels lies above half of the range: above 127 for 8 bit. This reads masks that were
    /// compressed as JPEG. A file whose largest value is 1 has the range 0…1.
    Half,
    /// The authors' rule: every channel is exactly 255.
    #[serde(rename = "exactly_255")]
    Exactly255,
}

/// How a mask file is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MaskReading {
    /// What counts as foreground.
    pub rule: MaskRule,
    /// What to do about an EXIF orientation.
    pub orientation: Orientation,
    /// Memory that the file may take.
    pub limit: Limit,
}

impl Mask {
    /// Returns the number of foreground pixels.
    pub fn foreground(&self) -> usize {
        self.values.iter().filter(|&&value| value != 0).count()
    }

    /// Checks that the mask has the size of the image with which it is compared.
    ///
    /// # Errors
    /// Returns [`DataError::MaskSize`] otherwise, with `path`, the mask's file, and both sizes.
    pub fn must_fit(&self, path: &Path, width: usize, height: usize) -> Result<(), DataError> {
        if (self.width, self.height) == (width, height) {
            return Ok(());
        }
        let (mask_width, mask_height) = (self.width, self.height);
        Err(DataError::MaskSize { path: path.to_owned(), mask_width, mask_height, width, height })
    }
}

/// Reads a mask from an image file, with all labels that are foreground by default.
///
/// # Errors
/// Returns the errors of [`read`], and an error for a file of several pages.
pub fn load(path: &Path, rule: &MaskRule) -> Result<Mask, DataError> {
    let labels = read(path, &MaskReading { rule: *rule, ..MaskReading::default() })?;
    if labels.slices > 1 {
        let slices = labels.slices;
        return Err(DataError::MaskSlices { path: path.to_owned(), mask_slices: slices, slices: 1 });
    }
    Ok(labels.mask(0, &LabelChoice::Foreground))
}
