//! Labels with their masks, and the value of every pixel that follows from them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::data::{DataError, MOST_LABELS, Mask};

/// A label with its masks.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMasks {
    /// The name.
    pub name: String,
    /// The colour, 8-bit sRGB.
    pub colour: [u8; 3],
    /// The masks by slice, from 0; slices without a pixel may be missing. Each has the size of a slice.
    pub slices: BTreeMap<usize, Arc<Mask>>,
}

impl LabelMasks {
    /// Returns the number of pixels in all slices.
    pub fn pixels(&self) -> u64 {
        self.slices.values().map(|mask| mask.foreground() as u64).sum()
    }
}

/// The value of a label in a file, with its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLabel {
    /// The value, from 1.
    pub value: u8,
    /// The name.
    pub name: String,
    /// The colour, 8-bit sRGB.
    pub colour: [u8; 3],
}

/// The labels of an image as one value for each pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelValues {
    /// The numbers of columns, rows and slices.
    pub shape: [usize; 3],
    /// The value of every pixel in displayed order, slice by slice and row by row: 0 for background, 1 for the first
    /// label.
    pub values: Vec<u8>,
    /// The labels by their values.
    pub labels: Vec<NamedLabel>,
    /// The number of pixels that belong to several labels. They have the value of the last one.
    pub overlap: u64,
}

impl LabelValues {
    /// Makes the values of the labels of an image with `shape` columns, rows and slices. `path` is the file for which
    /// they are made.
    ///
    /// # Errors
    /// Returns [`DataError::TooManyLabels`] for more than [`MOST_LABELS`] labels, and an error if a mask has another size than a
    /// slice, or a slice that the image does not have.
    pub fn of(path: &Path, shape: [usize; 3], labels: &[LabelMasks]) -> Result<Self, DataError> {
        if labels.len() > MOST_LABELS {
            return Err(DataError::TooManyLabels { path: path.to_owned(), count: labels.len() });
        }
        let [columns, rows, slices] = shape;
        let plane = columns * rows;
        let mut values = vec![0_u8; plane * slices];
        let mut overlap = 0;
        let mut named = Vec::with_capacity(labels.len());
        for (value, label) in (1_u8..=u8::MAX).zip(labels) {
            named.push(NamedLabel { value, name: label.name.clone(), colour: label.colour });
            for (slice, mask) in &label.slices {
                mask.must_fit(path, columns, rows)?;
                let Some(pixels) = values.get_mut(slice * plane..(slice + 1) * plane) else {
                    let mask_slices = slice + 1;
                    return Err(DataError::MaskSlices { path: path.to_owned(), mask_slices, slices });
                };
                for (pixel, _) in pixels.iter_mut().zip(&mask.values).filter(|(_, is)| **is != 0) {
                    overlap += u64::from(*pixel != 0);
                    *pixel = value;
                }
            }
        }
        Ok(Self { shape, values, labels: named, overlap })
    }

    /// Returns a note on pixels of several labels, which a label map cannot hold; `None` if there are none.
    pub fn overlap_note(&self) -> Option<String> {
        let pixels = match self.overlap {
            0 => return None,
            1 => "1 pixel belongs".to_owned(),
            count => format!("{count} pixels belong"),
        };
        Some(format!("{pixels} to several labels; a label map holds the last of them."))
    }

    /// Returns the values of a slice, from 0.
    ///
    /// # Panics
    /// Panics if there is no such slice.
    pub fn slice(&self, slice: usize) -> &[u8] {
        let plane = self.shape[0] * self.shape[1];
        &self.values[slice * plane..(slice + 1) * plane]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, slice: usize, values: [u8; 2]) -> LabelMasks {
        let mask = Mask { width: 2, height: 1, values: values.to_vec() };
        LabelMasks { name: name.into(), colour: [0; 3], slices: [(slice, Arc::new(mask))].into() }
    }

    #[test]
    fn later_labels_take_precedence_and_it_is_said() {
        let labels = [label("a", 0, [1, 1]), label("b", 0, [0, 1]), label("c", 1, [1, 0])];
        let made = LabelValues::of(Path::new("a.nii"), [2, 1, 2], &labels).expect("values");
        assert_eq!((made.values.as_slice(), made.overlap), (&[1, 2, 3, 0][..], 1));
        assert_eq!(made.slice(1), [3, 0]);
        assert!(made.overlap_note().is_some_and(|note| note.starts_with("1 pixel belongs to several labels")));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let of = |labels: &[LabelMasks]| LabelValues::of(Path::new("a.nii"), [2, 1, 2], labels);
        let many: Vec<LabelMasks> =
            (0..=MOST_LABELS).map(|number| label(&number.to_string(), 0, [1, 0])).collect();
        assert_eq!(of(&many[..MOST_LABELS]).expect("values").labels[254].value, 255);
        let error = of(&many).expect_err("too many").to_string();
        assert!(error.contains("a.nii") && error.contains("256 labels"), "{error}");
        assert!(matches!(of(&[label("a", 2, [1, 0])]), Err(DataError::MaskSlices { .. })));
        let mut large = label("a", 0, [1, 0]);
        large.slices.insert(1, Arc::new(Mask { width: 1, height: 1, values: vec![1] }));
        assert!(matches!(of(&[large]), Err(DataError::MaskSize { .. })));
    }
}
