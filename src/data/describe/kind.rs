//! Recognises the kind of an image by its look.

use super::Kind;
use super::lung_field;
use crate::data::Image;

/// The mean difference between the largest and the smallest channel (of 255) above which an image is in colour.
/// Of 200 training images each, frames of Kvasir-SEG have at least 46, and CT slices and X-rays at most 0.02.
const COLOURED: f64 = 20.0;
/// The brightness of the middle of the lower border, relative to the whole image, up to which an image may be a CT
/// slice: below the body is air, and below the lungs of an X-ray is the abdomen.
const DARK_BELOW: f64 = 1.10;
/// The correlation with a mean chest X-ray above which an image is an X-ray in any case.
const LIKE_XRAY: f64 = 0.72;

/// Returns the kind of an image: an endoscopy frame if it is in colour; otherwise a CT slice if the middle of its
/// lower border is dark and if it is unlike a mean chest X-ray; otherwise an X-ray. The limits
/// were fitted on training images of QaTa-COV19, MosMedData+ and Kvasir-SEG; of the validation images, 98 % of the X-rays,
/// 95 % of the CT slices and all endoscopy frames are recognised.
pub fn recognise(image: &Image) -> Kind {
    let pixels = image.to_rgba8();
    if pixels.is_empty() {
        return Kind::Xray;
    }
    let differences = pixels.chunks_exact(4).map(|pixel| {
        let rgb = &pixel[..3];
        f64::from(rgb.iter().max().unwrap_or(&0) - rgb.iter().min().unwrap_or(&0))
    });
    let count = (pixels.len() / 4) as f64;
    if differences.sum::<f64>() / count > COLOURED {
        return Kind::Endoscopy;
    }
    let mean = |rows: std::ops::Range<usize>, columns: std::ops::Range<usize>| {
        let (mut sum, mut count) = (0.0, 0.0_f64);
        for y in rows {
            for x in columns.clone() {
                sum += f64::from(pixels[4 * (y * image.width + x)]);
                count += 1.0;
            }
        }
        sum / count.max(1.0)
    };
    let part = |length: usize, share: f64| (length as f64 * share) as usize;
    let (width, height) = (image.width, image.height);
    let below = mean(part(height, 0.88)..height, part(width, 0.35)..part(width, 0.65));
    let whole = mean(0..height, 0..width);
    let is_like_xray = || lung_field::best(image).is_some_and(|found| found.correlation > LIKE_XRAY);
    if below <= DARK_BELOW * whole && !is_like_xray() { Kind::Ct } else { Kind::Xray }
}
