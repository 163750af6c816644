//! Composition of an image with its overlay in memory, for export.

use crate::data::{Image, OverlayColours};

/// The number of stripes of a false negative along the longer side of an image, and the least distance between two, in pixels.
const STRIPES: usize = 64;
const LEAST_PERIOD: usize = 10;
/// The share of white in a stripe.
const PALE: f32 = 0.75;

/// The appearance of the overlay. Colours are 8-bit sRGB.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverlayPaint {
    /// The colours of the areas.
    pub colours: OverlayColours,
    /// The colour of the mask's outline.
    pub prediction_outline: [u8; 3],
    /// The colour of the ground truth's outline.
    pub truth_outline: [u8; 3],
    /// The opacity of the fill, 0…1.
    pub opacity: f32,
    /// Whether areas are filled.
    pub fill: bool,
    /// Whether outlines are drawn.
    pub contour: bool,
}

/// Draws `mask` (0 or 1 per pixel, of the image's size) over `image`. Returns 3 bytes per pixel, row-major.
pub fn compose(image: &Image, mask: &[u8], truth: Option<&[u8]>, paint: &OverlayPaint) -> Vec<u8> {
    let mut rgb: Vec<u8> =
        image.to_rgba8().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    let (width, height) = (image.width, image.height);
    let is_edge = |mask: &[u8], x: usize, y: usize| {
        let at = |x: usize, y: usize| mask.get(y * width + x).copied().unwrap_or(0) != 0;
        at(x, y)
            && (x == 0
                || y == 0
                || x + 1 == width
                || y + 1 == height
                || !(at(x - 1, y) && at(x + 1, y) && at(x, y - 1) && at(x, y + 1)))
    };
    for (index, pixel) in rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (index % width.max(1), index / width.max(1));
        let found = mask.get(index).is_some_and(|&m| m != 0);
        let lesion = truth.map(|truth| truth.get(index).is_some_and(|&t| t != 0));
        if paint.fill
            && let Some(colour) = paint.colours.of(found, lesion)
        {
            let is_missed = !found && lesion == Some(true);
            let colour = if is_missed { striped(colour, [x, y], width.max(height)) } else { colour };
            blend(pixel, colour, paint.opacity);
        }
        if paint.contour {
            if truth.is_some_and(|truth| is_edge(truth, x, y)) {
                blend(pixel, paint.truth_outline, 1.0);
            }
            if found && is_edge(mask, x, y) {
                blend(pixel, paint.prediction_outline, 1.0);
            }
        }
    }
    rgb
}

/// The colour of a false negative at pixel `x`, `y` of a picture whose longer side is `side`: with pale stripes, as on the screen,
/// because red alone is not seen on red mucosa.
pub fn striped(colour: [u8; 3], [x, y]: [usize; 2], side: usize) -> [u8; 3] {
    let period = (side / STRIPES).max(LEAST_PERIOD);
    match (x + period - y % period) % period < period / 5 {
        true => colour.map(|value| (f32::from(value) * (1.0 - PALE) + 255.0 * PALE).round() as u8),
        false => colour,
    }
}

fn blend(pixel: &mut [u8], colour: [u8; 3], opacity: f32) {
    for (value, over) in pixel.iter_mut().zip(colour) {
        *value = (f32::from(*value) * (1.0 - opacity) + f32::from(over) * opacity).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Outcome, Pixels};
    use crate::metrics::Confusion;

    const PAINT: OverlayPaint = OverlayPaint {
        colours: OverlayColours {
            mask: [0, 200, 200],
            true_positive: [255, 255, 0],
            false_negative: [255, 0, 0],
            false_positive: [0, 255, 0],
        },
        prediction_outline: [1, 2, 3],
        truth_outline: [4, 5, 6],
        opacity: 1.0,
        fill: true,
        contour: false,
    };

    #[test]
    fn an_outcome_is_what_the_confusion_counts() {
        for (predicted, lesion) in [(true, true), (true, false), (false, true), (false, false)] {
            let counts = Confusion::of(&[u8::from(predicted)], &[u8::from(lesion)]);
            let expected = [
                (counts.true_positive, Some(Outcome::TruePositive)),
                (counts.false_positive, Some(Outcome::FalsePositive)),
                (counts.false_negative, Some(Outcome::FalseNegative)),
                (counts.true_negative, None),
            ];
            let (_, expected) = expected.into_iter().find(|(count, _)| *count == 1).expect("one pixel is counted");
            assert_eq!(Outcome::of(predicted, Some(lesion)), expected);
        }
        assert_eq!([true, false].map(|is| Outcome::of(is, None)), [Some(Outcome::Mask), None]);
    }

    #[test]
    fn every_pixel_has_the_colour_of_its_class() {
        let image = Image { width: 4, height: 1, channels: 1, pixels: Pixels::U8(vec![9; 4]) };
        let rgb = compose(&image, &[1, 0, 1, 0], Some(&[1, 1, 0, 0]), &PAINT);
        assert_eq!(rgb, [[255, 255, 0], [255, 191, 191], [0, 255, 0], [9, 9, 9]].concat());
        let alone = compose(&image, &[1, 0, 1, 0], None, &OverlayPaint { opacity: 0.5, ..PAINT });
        assert_eq!(&alone[..6], [5, 105, 105, 9, 9, 9]);
    }

    #[test]
    fn a_false_negative_has_stripes_that_are_seen_on_its_own_colour() {
        let image = Image { width: 20, height: 20, channels: 3, pixels: Pixels::U8([200, 60, 50].repeat(400)) };
        let rgb = compose(&image, &[0; 400], Some(&[1; 400]), &OverlayPaint { opacity: 0.45, ..PAINT });
        let pale = rgb.chunks_exact(3).filter(|pixel| pixel[1] > 100).count();
        assert_eq!(pale, 80, "a fifth of the area");
        // Along a diagonal a stripe goes on.
        let at = |x: usize, y: usize| striped([255, 0, 0], [x, y], 20);
        assert_eq!(at(3, 3), at(14, 4));
        assert_ne!(at(0, 0), at(5, 0));
    }

    #[test]
    fn an_outline_leaves_the_inside_alone() {
        let image = Image { width: 5, height: 5, channels: 1, pixels: Pixels::U8(vec![0; 25]) };
        let rgb = compose(&image, &[1; 25], None, &OverlayPaint { fill: false, contour: true, ..PAINT });
        assert_eq!(&rgb[..3], [1, 2, 3]);
        assert_eq!(&rgb[36..39], [0, 0, 0]);
    }
}
