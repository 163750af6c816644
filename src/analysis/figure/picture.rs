//! Images in a figure: the displayed image, maps in their colours, overlaid masks.

use crate::analysis::maps::{Map, Scale, raised};
use crate::data::{Image, Mask, OverlayColours};

/// An image with 8-bit red, green and blue values, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// The number of pixels per row.
    pub width: usize,
    /// The number of rows.
    pub height: usize,
    /// The pixel values, `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// Creates the displayed image: 8-bit values as stored, others scaled from the smallest to the largest value.
    pub fn of(image: &Image) -> Self {
        let rgba = image.to_rgba8();
        let rgb = rgba.as_chunks::<4>().0.iter().flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Self { width: image.width, height: image.height, rgb }
    }

    /// Creates an image that is white in the mask and black elsewhere.
    pub fn of_mask(mask: &Mask) -> Self {
        let rgb = mask.values.iter().flat_map(|value| [if *value == 0 { 0 } else { 255 }; 3]).collect();
        Self { width: mask.width, height: mask.height, rgb }
    }

    /// Creates an image of a map in its colours, one pixel per cell.
    pub fn of_map(map: &Map) -> Self {
        let rgb = map.plane.values.iter().flat_map(|value| map.scale.colour(*value)).collect();
        Self { width: map.plane.width, height: map.plane.height, rgb }
    }

    /// Draws a square map over this image. Values, not colours, are interpolated, in the same way as masks are
    /// enlarged; an `opacity` of 1 hides the image. On a diverging scale, values near 0 are more transparent,
    /// unless the map is opaque.
    pub fn under_map(&self, map: &Map, opacity: f32) -> Self {
        let plane = raised(&map.plane, self.width, self.height);
        let pixels = self.rgb.as_chunks::<3>().0.iter().zip(&plane.values);
        let rgb = pixels.flat_map(|(below, value)| {
            let is_faded = map.scale == Scale::Diverging && opacity < 1.0;
            // The square root keeps small changes visible.
            let opacity = if is_faded { opacity * value.abs().min(1.0).sqrt() } else { opacity };
            blended(*below, map.scale.colour(*value), opacity)
        });
        Self { rgb: rgb.collect(), ..*self }
    }

    /// Draws a mask of the same size over this image.
    pub fn under_mask(&self, mask: &[u8], truth: Option<&[u8]>, colours: &OverlayColours) -> Self {
        self.under_mask_of(mask, truth, colours, OVERLAY_OPACITY)
    }

    /// Like [`Self::under_mask`], with another `opacity`; at 1, the mask is drawn on black instead of the image.
    pub fn under_mask_of(
        &self,
        mask: &[u8],
        truth: Option<&[u8]>,
        colours: &OverlayColours,
        opacity: f32,
    ) -> Self {
        let pixels = self.rgb.as_chunks::<3>().0.iter().zip(mask).enumerate();
        let rgb = pixels.flat_map(|(at, (below, predicted))| {
            let is_lesion = truth.map(|truth| truth[at] != 0);
            match colours.of(*predicted != 0, is_lesion) {
                Some(colour) => blended(*below, colour, opacity),
                None if opacity >= 1.0 => [0; 3],
                None => *below,
            }
        });
        Self { rgb: rgb.collect(), ..*self }
    }

    /// Returns a part of the image of at least one pixel; the edges left, top, right and bottom are given as 0…1.
    pub fn part(&self, [left, top, right, bottom]: [f32; 4]) -> Self {
        let ends = |from: f32, to: f32, length: usize| {
            let at = |share: f32| (share.clamp(0.0, 1.0) * length as f32).round() as usize;
            let from = at(from).min(length.saturating_sub(1));
            (from, at(to).clamp(from + 1, length.max(1)))
        };
        let (columns, rows) = (ends(left, right, self.width), ends(top, bottom, self.height));
        let lines = self.rgb.chunks_exact(3 * self.width.max(1)).take(rows.1).skip(rows.0);
        let rgb = lines.flat_map(|line| line[3 * columns.0..3 * columns.1].iter().copied());
        Self { width: columns.1 - columns.0, height: rows.1 - rows.0, rgb: rgb.collect() }
    }

    /// Returns the image reduced to at most this width and height, with its aspect ratio preserved; each pixel is
    /// the mean of the area that it covers. The image is never enlarged.
    pub fn at_most(&self, width: usize, height: usize) -> Self {
        let share = (width as f64 / self.width.max(1) as f64).min(height as f64 / self.height.max(1) as f64);
        if share >= 1.0 {
            return self.clone();
        }
        let side = |length: usize| ((length as f64 * share).round() as usize).max(1);
        self.averaged(side(self.width), side(self.height))
    }

    /// Returns the image with every pixel repeated `times` × `times`.
    pub fn enlarged(&self, times: usize) -> Self {
        if times == 1 {
            return self.clone();
        }
        let wide =
            |row: &[u8]| row.as_chunks::<3>().0.iter().flat_map(|pixel| pixel.repeat(times)).collect::<Vec<u8>>();
        let rows = self.rgb.chunks_exact(3 * self.width.max(1));
        let rgb = rows.flat_map(|row| wide(row).repeat(times)).collect();
        Self { width: times * self.width, height: times * self.height, rgb }
    }

    fn averaged(&self, width: usize, height: usize) -> Self {
        let (columns, rows) = (covered(self.width, width), covered(self.height, height));
        let mut lines = vec![0f32; width * self.height * 3];
        for (line, source) in lines.chunks_exact_mut(3 * width).zip(self.rgb.chunks_exact(3 * self.width)) {
            for (pixel, parts) in line.as_chunks_mut::<3>().0.iter_mut().zip(&columns) {
                for &(at, weight) in parts {
                    (0..3).for_each(|channel| pixel[channel] += weight * f32::from(source[3 * at + channel]));
                }
            }
        }
        let mut rgb = Vec::with_capacity(3 * width * height);
        for parts in &rows {
            for at in 0..3 * width {
                let sum: f32 = parts.iter().map(|&(row, weight)| weight * lines[row * 3 * width + at]).sum();
                rgb.push(sum.round() as u8);
            }
        }
        Self { width, height, rgb }
    }
}

/// Returns, for each of `output` pixels, the `input` positions that it covers, with their weights.
fn covered(input: usize, output: usize) -> Vec<Vec<(usize, f32)>> {
    let scale = input as f64 / output as f64;
    let one = |at: usize| {
        let (from, to) = (at as f64 * scale, (at + 1) as f64 * scale);
        let last = (to.ceil() as usize).min(input);
        let share = |at: usize| (to.min(at as f64 + 1.0) - from.max(at as f64)) / scale;
        (from as usize..last).map(|at| (at, share(at) as f32)).collect()
    };
    (0..output).map(one).collect()
}

/// The opacity of an overlaid mask.
pub const OVERLAY_OPACITY: f32 = 0.45;

fn blended(below: [u8; 3], above: [u8; 3], opacity: f32) -> [u8; 3] {
    let mix =
        |below: u8, above: u8| (f32::from(below) * (1.0 - opacity) + f32::from(above) * opacity).round() as u8;
    std::array::from_fn(|channel| mix(below[channel], above[channel]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::Plane;

    fn grey(width: usize, height: usize, values: &[u8]) -> Picture {
        Picture { width, height, rgb: values.iter().flat_map(|value| [*value; 3]).collect() }
    }

    #[test]
    fn a_smaller_picture_is_the_mean_of_what_it_covers() {
        let picture = grey(4, 2, &[0, 100, 200, 200, 100, 200, 40, 0]);
        assert_eq!(picture.at_most(2, 9), grey(2, 1, &[100, 110]));
        // Three pixels become two, each of which covers one and a half.
        assert_eq!(grey(3, 3, &[0, 90, 0, 0, 90, 0, 0, 90, 0]).at_most(2, 2).rgb[..3], [30; 3]);
        assert_eq!(picture.at_most(40, 40), picture, "it is never enlarged");
        let large = grey(2, 1, &[7, 9]).enlarged(2);
        assert_eq!(large, grey(4, 2, &[7, 7, 9, 9, 7, 7, 9, 9]));
    }

    #[test]
    fn a_part_is_what_is_seen_of_it() {
        let picture = grey(4, 2, &[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(picture.part([0.5, 0.5, 1.0, 1.0]), grey(2, 1, &[6, 7]));
        assert_eq!(picture.part([0.0, 0.0, 1.0, 1.0]), picture);
        assert_eq!(picture.part([0.99, 0.99, 1.0, 1.0]), grey(1, 1, &[7]), "never nothing");
    }

    #[test]
    fn colours_tell_agreement_and_leave_the_picture_visible() {
        let picture = grey(4, 1, &[100; 4]);
        let colours = OverlayColours::PAPER;
        let compared = picture.under_mask(&[1, 0, 1, 0], Some(&[1, 1, 0, 0]), &colours);
        assert_eq!(compared.rgb, [170, 156, 55, 170, 77, 77, 77, 149, 91, 100, 100, 100]);
        assert_eq!(picture.under_mask(&[1, 0, 1, 0], None, &colours).rgb[..6], [55, 145, 159, 100, 100, 100]);
    }

    #[test]
    fn a_map_hides_the_picture_or_lets_it_through() {
        let picture = grey(2, 1, &[100, 100]);
        let plane = Plane { width: 1, height: 1, values: vec![0.0] };
        let map = |scale| Map { plane: plane.clone(), scale };
        let lowest = Scale::Sequential.colour(0.0);
        assert_eq!(picture.under_map(&map(Scale::Sequential), 1.0).rgb[..3], lowest);
        assert_ne!(picture.under_map(&map(Scale::Sequential), 0.5).rgb[..3], lowest);
        assert_eq!(picture.under_map(&map(Scale::Diverging), 0.5), picture, "no change, nothing to see");
    }
}
