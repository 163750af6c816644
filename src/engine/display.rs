//! Images prepared for the screen.

use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Texels, pyramid};

/// Pixels that fit into a texture of the graphics device.
#[derive(Clone, Debug)]
pub struct DisplayPixels {
    /// The number of pixels per row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// The number of image pixels along each side of one of these pixels; 1 unless the image was too large.
    pub reduction: usize,
    /// The `width * height` texels in row-major order.
    pub texels: Texels,
    /// The reduced pictures of [`pyramid`]; empty where none are needed.
    pub reduced: Arc<Vec<Texels>>,
}

impl DisplayPixels {
    /// Converts `image`. If a side is longer than `limit` pixels, blocks of pixels are averaged until it fits.
    pub fn of(image: &Image, limit: usize) -> Self {
        let (width, height) = (image.width, image.height);
        let factor = width.max(height).div_ceil(limit.max(1)).max(1);
        let texels = Texels::of(image);
        if factor == 1 {
            return Self { width, height, reduction: 1, texels, reduced: Arc::default() };
        }
        let texels = match texels {
            Texels::Rgba(bytes) => {
                let means =
                    means::<4>(width, height, factor, |index, channel| f32::from(bytes[4 * index + channel]));
                Texels::Rgba(Arc::new(means.into_iter().map(|value| value.round() as u8).collect()))
            }
            Texels::StoredPixels { .. } => {
                let values: Vec<f32> = image.floats().collect();
                Texels::of_values(means::<1>(width, height, factor, |index, _| values[index]).into_iter())
            }
        };
        let [width, height] = [width, height].map(|side| side.div_ceil(factor));
        Self { width, height, reduction: factor, texels, reduced: Arc::default() }
    }

    /// Adds the reduced pictures, from which an image is drawn where a pixel of the screen spans several of these.
    pub fn with_reduced(self) -> Self {
        let reduced = Arc::new(pyramid(&self.texels, [self.width, self.height]));
        Self { reduced, ..self }
    }

    /// Returns the memory of all texels in bytes.
    pub(super) fn byte_count(&self) -> usize {
        self.texels.byte_count() + self.reduced.iter().map(Texels::byte_count).sum::<usize>()
    }
}

/// The image in 8 bit with the display window `seen`, or the stored image if `seen` is `None`.
pub(super) fn as_seen(image: Arc<Image>, seen: Option<DisplayWindow>) -> Arc<Image> {
    match seen {
        Some(seen) => Arc::new(image.windowed(seen.window, seen.is_inverted)),
        None => image,
    }
}

/// The means of blocks of `factor × factor` pixels, which are smaller at the right and lower edges.
fn means<const N: usize>(
    width: usize,
    height: usize,
    factor: usize,
    at: impl Fn(usize, usize) -> f32,
) -> Vec<f32> {
    let mut means = Vec::with_capacity(N * width.div_ceil(factor) * height.div_ceil(factor));
    for top in (0..height).step_by(factor) {
        for left in (0..width).step_by(factor) {
            let mut sums = [0.0_f64; N];
            let (bottom, right) = ((top + factor).min(height), (left + factor).min(width));
            for row in top..bottom {
                for column in left..right {
                    let index = row * width + column;
                    sums.iter_mut().enumerate().for_each(|(c, sum)| *sum += f64::from(at(index, c)));
                }
            }
            let count = ((bottom - top) * (right - left)) as f64;
            means.extend(sums.map(|sum| (sum / count) as f32));
        }
    }
    means
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    #[test]
    fn an_image_beyond_the_limit_is_averaged_down() {
        let pixels = Pixels::U8(vec![0, 100, 200, 40, 60, 80]);
        let image = Image { width: 3, height: 2, channels: 1, pixels };
        assert_eq!(DisplayPixels::of(&image, 3).width, 3);
        let small = DisplayPixels::of(&image, 2);
        assert_eq!((small.width, small.height, small.reduction), (2, 1, 2));
        let bytes = small.texels.rgba().expect("colours");
        assert_eq!((bytes[0], bytes[4]), (50, 140));
        let pixels = Pixels::F32(vec![-1000.0, 1000.0, 7.0, 0.0, 400.0, 9.0]);
        let small = DisplayPixels::of(&Image { width: 3, height: 2, channels: 1, pixels }, 2);
        assert_eq!(small.texels.values(), Some(vec![100.0, 8.0]), "values stay values");
    }
}
