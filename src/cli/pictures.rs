//! The pictures that a prediction is written as.

use std::path::{Path, PathBuf};

use himix::data::{DataError, Image, Mask, preprocess, write};
use himix::infer::Prediction;

type Rgb = [u8; 3];

/// Predicted, where there is nothing to compare with.
const PREDICTED: Rgb = [0, 210, 255];
/// Predicted and in the mask.
const TRUE_POSITIVE: Rgb = [255, 255, 0];
/// In the mask only.
const FALSE_NEGATIVE: Rgb = [255, 0, 0];
/// Predicted only.
const FALSE_POSITIVE: Rgb = [0, 255, 0];
/// Share of the colour in a coloured pixel; the rest is the image.
const OPACITY: f32 = 0.45;

/// Writes the pictures of a prediction into a folder that exists, and says which.
pub fn write_all(
    folder: &Path,
    image: &Image,
    prediction: &Prediction,
    truth: Option<&Mask>,
    threshold: f32,
) -> Result<Vec<PathBuf>, DataError> {
    let (width, height) = (image.width, image.height);
    let mut files = Vec::new();
    let mut next = |name: &str| {
        let path = folder.join(name);
        files.push(path.clone());
        path
    };
    let mask = prediction.mask(threshold);
    let black_or_white: Vec<u8> = mask.iter().map(|value| value * 255).collect();
    write::png8(&next("mask.png"), width, height, &black_or_white)?;
    let probability: Vec<u16> =
        prediction.probability.values.iter().map(|p| (p * 65_535.0).round() as u16).collect();
    write::png16(&next("probability.png"), width, height, &probability)?;
    write::png_rgb(&next("overlay.png"), width, height, &overlay(image, &mask, truth))?;
    for stage in &prediction.stages {
        let map = &stage.map;
        let values = preprocess::plane_to_image(&map.values, map.width, false, width, height);
        let grey: Vec<u8> = values.iter().map(|value| (value * 255.0).round() as u8).collect();
        write::png8(&next(&format!("stage_{}.png", stage.grid)), width, height, &grey)?;
    }
    Ok(files)
}

/// The image with what was predicted, or how that agrees with the mask, laid over it.
pub fn overlay(image: &Image, mask: &[u8], truth: Option<&Mask>) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * mask.len());
    for (index, pixel) in image.to_rgba8().as_chunks::<4>().0.iter().enumerate() {
        let is_predicted = mask[index] != 0;
        let colour = match truth.map(|truth| truth.values[index] != 0) {
            None => is_predicted.then_some(PREDICTED),
            Some(is_true) => match (is_predicted, is_true) {
                (true, true) => Some(TRUE_POSITIVE),
                (false, true) => Some(FALSE_NEGATIVE),
                (true, false) => Some(FALSE_POSITIVE),
                (false, false) => None,
            },
        };
        for channel in 0..3 {
            out.push(match colour {
                Some(colour) => blend(pixel[channel], colour[channel]),
                None => pixel[channel],
            });
        }
    }
    out
}

fn blend(below: u8, above: u8) -> u8 {
    (f32::from(below) * (1.0 - OPACITY) + f32::from(above) * OPACITY).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use himix::data::Pixels;

    #[test]
    fn colours_tell_agreement_and_leave_the_picture_visible() {
        let image = Image { width: 4, height: 1, channels: 1, pixels: Pixels::U8(vec![100; 4]) };
        let truth = Mask { width: 4, height: 1, values: vec![1, 1, 0, 0] };
        let compared = overlay(&image, &[1, 0, 1, 0], Some(&truth));
        assert_eq!(compared, [170, 170, 55, 170, 55, 55, 55, 170, 55, 100, 100, 100]);
        let alone = overlay(&image, &[1, 0, 1, 0], None);
        assert_eq!(alone[..6], [55, 150, 170, 100, 100, 100]);
    }
}
