//! An image made ready for the screen.

use std::sync::Arc;

use crate::data::Image;

/// 8-bit RGBA pixels, no larger than the graphics device can hold.
#[derive(Clone, Debug)]
pub struct DisplayPixels {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Pixels of the image along each side of one of these; 1 unless the image was too large.
    pub reduction: usize,
    /// `4 * width * height` bytes, row-major.
    pub rgba: Arc<Vec<u8>>,
}

impl DisplayPixels {
    /// Converts `image`; if a side is longer than `limit` pixels, averages blocks of pixels until it fits.
    pub fn of(image: &Image, limit: usize) -> Self {
        let (width, height) = (image.width, image.height);
        let factor = width.max(height).div_ceil(limit.max(1)).max(1);
        let rgba = image.to_rgba8();
        if factor == 1 {
            return Self { width, height, reduction: 1, rgba: Arc::new(rgba) };
        }
        let (small_width, small_height) = (width.div_ceil(factor), height.div_ceil(factor));
        let mut small = Vec::with_capacity(4 * small_width * small_height);
        for y in 0..small_height {
            let rows = y * factor..((y + 1) * factor).min(height);
            for x in 0..small_width {
                let columns = x * factor..((x + 1) * factor).min(width);
                let count = (rows.len() * columns.len()) as u32;
                let mut sums = [0u32; 4];
                for row in rows.clone() {
                    for pixel in
                        rgba[4 * (row * width + columns.start)..4 * (row * width + columns.end)].chunks_exact(4)
                    {
                        sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u32::from(value));
                    }
                }
                small.extend(sums.map(|sum| ((sum + count / 2) / count) as u8));
            }
        }
        Self { width: small_width, height: small_height, reduction: factor, rgba: Arc::new(small) }
    }
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
        assert_eq!(small.rgba[0], 50);
        assert_eq!(small.rgba[4], 140);
    }
}
