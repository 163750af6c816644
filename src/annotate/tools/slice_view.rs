//! What a tool sees of a slice.

use super::ToolError;
use super::length::known;
use crate::data::{Image, Pixels};

/// A slice as a tool sees it; all arrays are row-major with `width * height` entries.
#[derive(Clone, Copy, Debug)]
pub struct SliceView<'a> {
    width: usize,
    height: usize,
    pixel_mm: Option<[f64; 2]>,
    values: &'a [f32],
    probability: Option<&'a [f32]>,
    inside: Option<&'a [u8]>,
}

impl<'a> SliceView<'a> {
    /// Creates the view of a slice of which only the values are known. See [`grey`] for those of a colour image.
    ///
    /// # Panics
    /// Panics if there are not `width * height` values.
    pub fn new(width: usize, height: usize, values: &'a [f32]) -> Self {
        assert!(values.len() == width * height, "{} values of {width}x{height} pixels", values.len());
        Self { width, height, pixel_mm: None, values, probability: None, inside: None }
    }

    /// Adds the distance between columns and between rows in mm; `None` if it is not known.
    pub fn with_pixel_mm(self, pixel_mm: Option<[f64; 2]>) -> Self {
        Self { pixel_mm, ..self }
    }

    /// Adds the probability of every pixel, 0…1; `None` if there is no prediction.
    ///
    /// # Panics
    /// Panics if there are not `width * height` probabilities.
    pub fn with_probability(self, probability: Option<&'a [f32]>) -> Self {
        assert!(probability.is_none_or(|map| map.len() == self.values.len()), "a probability for every pixel");
        Self { probability, ..self }
    }

    /// Confines the tools to the pixels of a mask that are not 0, for instance those of another label; `None` if they
    /// may go anywhere.
    ///
    /// # Panics
    /// Panics if the mask does not have `width * height` pixels.
    pub fn inside(self, inside: Option<&'a [u8]>) -> Self {
        assert!(inside.is_none_or(|mask| mask.len() == self.values.len()), "a mask of the slice's size");
        Self { inside, ..self }
    }

    /// Returns the numbers of columns and rows.
    pub fn size(&self) -> [usize; 2] {
        [self.width, self.height]
    }

    /// Returns the distance between columns and between rows in mm; `None` if it is not known.
    pub fn pixel_mm(&self) -> Option<[f64; 2]> {
        self.pixel_mm
    }

    /// Returns the distance between columns and between rows, in mm or, if the pixel size is not known, in pixels.
    pub fn steps(&self) -> [f64; 2] {
        known(self.pixel_mm).unwrap_or([1.0; 2])
    }

    /// Returns the values.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// Returns the probability map; `None` if there is no prediction.
    pub fn probability(&self) -> Option<&'a [f32]> {
        self.probability
    }

    /// Returns whether tools may go to a pixel: it has a finite value and lies inside the mask of
    /// [`SliceView::inside`].
    pub fn is_open(&self, index: usize) -> bool {
        self.values[index].is_finite() && self.inside.is_none_or(|mask| mask[index] != 0)
    }

    /// Returns the index of the pixel at a point; `None` outside the image.
    pub fn index(&self, point: [f64; 2]) -> Option<usize> {
        pixel_at(point, self.size()).map(|[x, y]| y * self.width + x)
    }

    /// Returns the index of the pixel at which a tool starts.
    ///
    /// # Errors
    /// Returns an error if the point lies outside the image or where tools may not go.
    pub fn seed(&self, point: [f64; 2]) -> Result<usize, ToolError> {
        let index = self.index(point).ok_or(ToolError::Outside)?;
        if self.is_open(index) { Ok(index) } else { Err(ToolError::Blocked) }
    }
}

/// Returns the pixel at a point of an image; `None` outside it.
pub(super) fn pixel_at([x, y]: [f64; 2], [width, height]: [usize; 2]) -> Option<[usize; 2]> {
    // A comparison with NaN is false.
    let is_within = x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64;
    is_within.then_some([x as usize, y as usize])
}

/// Returns a value for every pixel of an image: the stored value of a grey image, the luminance of a colour image
/// (0.2126 R + 0.7152 G + 0.0722 B, ITU-R BT.709).
pub fn grey(image: &Image) -> Vec<f32> {
    match &image.pixels {
        Pixels::U8(values) => luminance(values, image.channels, f32::from),
        Pixels::U16(values) => luminance(values, image.channels, f32::from),
        Pixels::F32(values) => luminance(values, image.channels, |value| value),
    }
}

fn luminance<T: Copy>(values: &[T], channels: usize, number: impl Fn(T) -> f32) -> Vec<f32> {
    if channels == 1 {
        return values.iter().map(|value| number(*value)).collect();
    }
    let of = |colour: &[T]| 0.2126 * number(colour[0]) + 0.7152 * number(colour[1]) + 0.0722 * number(colour[2]);
    values.chunks_exact(3).map(of).collect()
}
