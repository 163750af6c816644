//! Writes the image files of a prediction.

use std::path::{Path, PathBuf};

use himix::analysis::figure::Picture;
use himix::data::{DataError, Image, Mask, OverlayColours, preprocess, write};
use himix::infer::{Plane, Prediction};

/// Writes the image files of a prediction to a folder that exists, and returns their paths.
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
    write::png8_checked(&next("mask.png"), width, height, &black_or_white)?;
    let probability: Vec<u16> =
        prediction.probability.values.iter().map(|p| (p * 65_535.0).round() as u16).collect();
    write::png16(&next("probability.png"), width, height, &probability)?;
    write::png_rgb(&next("overlay.png"), width, height, &overlay(image, &mask, truth))?;
    for stage in &prediction.stages {
        let map = &stage.map;
        let values = preprocess::plane_to_image(&map.values, map.width, false, width, height);
        let grey = Plane { width, height, values }.bytes();
        write::png8(&next(&format!("stage_{}.png", stage.grid)), width, height, &grey)?;
    }
    Ok(files)
}

/// Returns the image with the predicted mask, or its comparison with the ground truth, in the paper's colours.
pub fn overlay(image: &Image, mask: &[u8], truth: Option<&Mask>) -> Vec<u8> {
    let truth = truth.map(|truth| truth.values.as_slice());
    Picture::of(image).under_mask(mask, truth, &OverlayColours::PAPER).rgb
}
