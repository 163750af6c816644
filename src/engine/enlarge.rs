//! Resampling of a part of an image with its mask, to export the overlay as it is shown on the screen.

use super::mask_of::MaskOf;
use crate::data::{Image, Mask, Pixels};

/// The maximum number of pixels of such an export. A larger one is reduced to this size.
const MOST_PIXELS: f32 = 100e6;

/// The part of an image that is exported, and the size of the export.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayFrame {
    /// The upper left corner of the part in pixels of the image. The centre of the first pixel is at ½.
    pub corner: [f32; 2],
    /// The width and height of the part in pixels of the image.
    pub span: [f32; 2],
    /// The columns and rows of the exported image.
    pub size: [usize; 2],
    /// Whether the export is interpolated between the pixels of the image.
    pub is_smooth: bool,
}

impl OverlayFrame {
    /// The whole of an image of this size, scaled by `scale`; `None` if that is the size of the image.
    pub fn whole(image: [usize; 2], scale: f32, is_smooth: bool) -> Option<Self> {
        let span = image.map(|side| side as f32);
        let size = span.map(|side| (side * scale).round().max(1.0) as usize);
        (size != image).then_some(Self { corner: [0.0; 2], span, size, is_smooth })
    }

    /// The position in the image of the centre of a pixel of the export.
    fn at(&self, x: usize, y: usize) -> [f32; 2] {
        let at = |axis: usize, pixel: usize| {
            self.corner[axis] + (pixel as f32 + 0.5) * self.span[axis] / self.size[axis] as f32
        };
        [at(0, x), at(1, y)]
    }

    /// The same part with a size within [`MOST_PIXELS`].
    fn bounded(self) -> Self {
        let pixels = self.size[0] as f32 * self.size[1] as f32;
        let scale = (MOST_PIXELS / pixels).sqrt().min(1.0);
        Self { size: self.size.map(|side| ((side as f32 * scale) as usize).max(1)), ..self }
    }
}

/// Image, mask and ground truth of a frame, all of the same size.
pub struct Enlarged {
    /// The image in 8 bit.
    pub image: Image,
    /// The mask with one byte per pixel, 0 or 1.
    pub mask: Vec<u8>,
    /// The ground truth with one byte per pixel, 0 or 1.
    pub truth: Option<Vec<u8>>,
}

/// Resamples the frame from an image of 8 bit. The probability of a prediction is interpolated before it is compared
/// with the threshold, so that the edge of the mask is smooth. Other masks and the ground truth keep their pixel edges.
pub fn enlarge(frame: OverlayFrame, image: &Image, of: &MaskOf, truth: Option<&Mask>) -> Enlarged {
    let frame = frame.bounded();
    let [width, height] = frame.size;
    let shown = image.to_rgba8();
    let mut rgb = Vec::with_capacity(3 * width * height);
    let mut mask = Vec::with_capacity(width * height);
    let mut found = truth.map(|_| Vec::with_capacity(width * height));
    for y in 0..height {
        for x in 0..width {
            let at = frame.at(x, y);
            let size = [image.width, image.height];
            let shade = |channel: usize, place: usize| f32::from(shown[4 * place + channel]);
            rgb.extend((0..3).map(|channel| match frame.is_smooth {
                true => bilinear(size, at, |place| shade(channel, place)).round() as u8,
                false => shown[4 * nearest(size, at) + channel],
            }));
            mask.push(match of {
                MaskOf::Prediction(prediction, threshold) => {
                    let plane = &prediction.probability;
                    let probability = bilinear([plane.width, plane.height], at, |place| plane.values[place]);
                    u8::from(probability >= *threshold)
                }
                MaskOf::Mask(mask) => mask.values[nearest([mask.width, mask.height], at)],
            });
            if let (Some(found), Some(truth)) = (&mut found, truth) {
                found.push(truth.values[nearest([truth.width, truth.height], at)]);
            }
        }
    }
    Enlarged { image: Image { width, height, channels: 3, pixels: Pixels::U8(rgb) }, mask, truth: found }
}

/// The index of the pixel at a position; for positions outside the image, the nearest pixel.
fn nearest(size: [usize; 2], at: [f32; 2]) -> usize {
    let [x, y] = [0, 1].map(|axis| (at[axis].max(0.0) as usize).min(size[axis] - 1));
    y * size[0] + x
}

/// The value at a position, interpolated between the centres of four pixels.
fn bilinear(size: [usize; 2], at: [f32; 2], value: impl Fn(usize) -> f32) -> f32 {
    let axis = |axis: usize| {
        let place = (at[axis] - 0.5).clamp(0.0, (size[axis] - 1) as f32);
        let low = place as usize;
        (low, (low + 1).min(size[axis] - 1), place.fract())
    };
    let ((left, right, across), (above, below, down)) = (axis(0), axis(1));
    let row = |y: usize| value(y * size[0] + left) * (1.0 - across) + value(y * size[0] + right) * across;
    row(above) * (1.0 - down) + row(below) * down
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use crate::infer::{Plane, Prediction};

    /// An image of two columns, black and white, with a probability that increases from left to right.
    fn case() -> (Image, MaskOf, Mask) {
        let image = Image { width: 2, height: 2, channels: 1, pixels: Pixels::U8(vec![0, 200, 0, 200]) };
        let plane = Plane { width: 2, height: 2, values: vec![0.0, 1.0, 0.0, 1.0] };
        let mask = MaskOf::Prediction(Arc::new(Prediction::of_map("", plane)), 0.3);
        (image, mask, Mask { width: 2, height: 2, values: vec![1, 0, 0, 0] })
    }

    #[test]
    fn the_edge_of_the_mask_has_no_steps_and_the_truth_its_own() {
        let (image, prediction, truth) = case();
        let frame = OverlayFrame::whole([2, 2], 4.0, true).expect("another size");
        let large = enlarge(frame, &image, &prediction, Some(&truth));
        assert_eq!((large.image.width, large.image.height, large.image.channels), (8, 8, 3));
        // The column centres are at 1/8, 3/8, … pixels; the probability is 0.3 at 0.8.
        assert_eq!(large.mask[..8], [0, 0, 0, 1, 1, 1, 1, 1]);
        let found = large.truth.expect("a truth");
        assert_eq!((&found[..8], found[5 * 8]), (&[1, 1, 1, 1, 0, 0, 0, 0][..], 0));
        let shade = |x: usize| large.image.value(x, 0, 0);
        assert!(shade(0) == 0.0 && shade(7) == 200.0 && shade(3) > 60.0 && shade(3) < 100.0, "{}", shade(3));
        let plain = enlarge(OverlayFrame { is_smooth: false, ..frame }, &image, &prediction, None);
        assert_eq!((plain.image.value(3, 0, 0), plain.image.value(4, 0, 0)), (0.0, 200.0));
        assert_eq!(OverlayFrame::whole([2, 2], 1.0, true), None);
        let drawn = MaskOf::Mask(Arc::new(truth));
        assert_eq!(enlarge(frame, &image, &drawn, None).mask[..8], [1, 1, 1, 1, 0, 0, 0, 0], "pixel edges");
    }

    #[test]
    fn a_part_is_written_alone_and_none_is_larger_than_a_file_may_be() {
        let (image, prediction, _) = case();
        let right = OverlayFrame { corner: [1.0, 0.0], span: [1.0, 1.0], size: [3, 3], is_smooth: false };
        let part = enlarge(right, &image, &prediction, None);
        assert_eq!((part.image.width, part.image.value(0, 0, 0)), (3, 200.0));
        assert!(part.mask.iter().all(|value| *value == 1));
        let bounded = OverlayFrame { size: [100_000, 50_000], ..right }.bounded();
        assert!(bounded.size[0] * bounded.size[1] <= 100_000_000 && bounded.size[0] > 2 * bounded.size[1] - 3);
    }
}
