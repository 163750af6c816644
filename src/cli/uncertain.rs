//! The map of `himix predict --uncertainty` and its figures.

use std::ops::ControlFlow;
use std::path::Path;

use himix::data::{Image, write};
use himix::infer::{ENSEMBLE, LARGEST_DEVIATION, Segmenter, Uncertainty, uncertainty};
use serde_json::{Value, json};

use super::{Failure, terminal};

/// Computes the ensemble and writes its map.
pub fn write(
    path: &Path,
    segmenter: &mut dyn Segmenter,
    image: &Image,
    prompt: &str,
) -> Result<Uncertainty, Failure> {
    let bar = terminal::bar(ENSEMBLE, "predictions");
    let found = uncertainty(segmenter, image, prompt, |done, _| {
        bar.set_position(done as u64);
        ControlFlow::Continue(())
    })?;
    bar.finish_and_clear();
    let found = found.ok_or_else(|| Failure::work("the predictions were stopped; run the command again"))?;
    let map = &found.deviation;
    let scaled = |value: &f32| (value / LARGEST_DEVIATION * 65_535.0).round().min(65_535.0) as u16;
    let values: Vec<u16> = map.values.iter().map(scaled).collect();
    write::png16(path, map.width, map.height, &values)?;
    Ok(found)
}

/// Returns the figures as a JSON object.
pub fn object(found: &Uncertainty) -> Value {
    json!({
        "predictions": ENSEMBLE,
        "largest_deviation": found.largest(),
        "mean_deviation_in_mask": found.in_mask(),
        "foreground_fraction_range": found.area_range(),
    })
}

/// Returns the figures as text.
pub fn text(found: &Uncertainty) -> String {
    let [least, most] = found.area_range().map(|share| 100.0 * share);
    let inside = found.in_mask().map_or("–".into(), |mean| format!("{mean:.3}"));
    format!(
        "{:<16}standard deviation at most {:.3}, mean in the mask {inside}; mask {least:.2} to {most:.2} % of the image ({ENSEMBLE} predictions)\n",
        "uncertainty",
        found.largest()
    )
}
