//! The predictions of a model for a set of images, as a folder: one PNG of probabilities for each image, and a description.
//!
//! | file | what it holds |
//! |---|---|
//! | `NAME.png` | the probability of every pixel of image `NAME.png`, of the image's size, grey, 8 or 16 bits: 0 is 0, the largest value is 1. The PNG of an image `NAME.jpg` is `NAME.jpg.png` |
//! | `predictions.json` | a [`Manifest`]: the model, the data set, and every image with its prompt and its fingerprint |
//!
//! The description is optional for a reader: a model that is not in this program takes part by its PNG files alone. The
//! format is described for users in `docs/compare.md`.

mod manifest;
mod read;
mod write;

use std::path::Path;

pub use manifest::{About, FORMAT, LeftOut, MANIFEST, Manifest, PredictedCase, VERSION};
pub use read::{Found, Predictions};
pub use write::PredictionsWriter;

/// The most names that an error lists.
const NAMED: usize = 5;

/// Returns the name of the PNG file for the image `name` of a data set. Another extension remains in it, so that
/// `a.jpg` and `a.png` do not share a file.
pub fn png_name(name: &str) -> String {
    let is_png = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
    if is_png { name.to_owned() } else { format!("{name}.png") }
}

/// Lists names for an error, the first of them if there are many.
fn listed(names: &[String]) -> String {
    let more = if names.len() > NAMED { ", …" } else { "" };
    format!("{}{more}", names[..names.len().min(NAMED)].join(", "))
}

#[cfg(test)]
mod tests;
