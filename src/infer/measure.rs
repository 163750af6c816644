//! Times the passes of an open model and counts the kernels that they launch.

use std::time::Instant;

use super::error::InferError;
use super::segmenter::Segmenter;
use crate::data::{Area, Image, Pixels};
use crate::device::{Launches, launches_of};

/// The number of times that a pass is timed.
const ROUNDS: usize = 7;
/// The side length of the images. It is that of the common networks, so that scaling takes no time.
const SIDE: usize = 224;
/// The words of which prompts are made, one token each in the vocabularies of the common text encoders.
const WORDS: [&str; 10] = ["one", "two", "three", "four", "five", "six", "upper", "lower", "middle", "all"];

/// One measured use of a model.
#[derive(Clone, Debug)]
pub struct MeasuredPass {
    /// What was asked for, in words.
    pub name: &'static str,
    /// The same as a key.
    pub key: &'static str,
    /// The duration in milliseconds; the median, except for the first prediction.
    pub ms: f64,
    /// The kernels that one use launches; none on the CPU, and none counted for the first prediction.
    pub launches: Launches,
}

/// Measures the first prediction of a model and then predictions for a known and a new prompt and image. With
/// `has_kernel_times`, the kernels of one more prediction of each kind are timed. A model that knows certain sentences
/// alone is asked for those in turn, so that with few of them a new prompt is one that it has seen.
///
/// # Errors
/// A prediction failed.
pub fn measure_passes(
    segmenter: &mut dyn Segmenter,
    has_kernel_times: bool,
) -> Result<Vec<MeasuredPass>, InferError> {
    let takes_box = segmenter.info().takes_box;
    let known = segmenter.local().map_or_else(Vec::new, |predictor| predictor.known_sentences().to_vec());
    let mut predict = |image: usize, prompt: usize| {
        let prompt = match known.len() {
            _ if takes_box => area(prompt),
            0 => text(prompt),
            count => known[prompt % count].clone(),
        };
        segmenter.predict(&picture(image), &prompt).map(drop)
    };
    let start = Instant::now();
    predict(0, 0)?;
    let first = MeasuredPass {
        name: "first prediction",
        key: "first",
        ms: milliseconds(start),
        launches: Launches::default(),
    };
    let mut passes = vec![first];
    // A number that was not used yet is an image or a prompt that the model does not know.
    let mut unused = 1..;
    for (name, key, has_new_image, has_new_prompt) in [
        ("prompt seen before", "known_prompt", false, false),
        ("another prompt", "prompt", false, true),
        ("another image", "image", true, false),
        ("another image and prompt", "image_and_prompt", true, true),
    ] {
        let mut run = || {
            let number = unused.next().unwrap_or_default();
            predict(if has_new_image { number } else { 0 }, if has_new_prompt { number } else { 0 })
        };
        run()?;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            run()?;
            times.push(milliseconds(start));
        }
        times.sort_by(f64::total_cmp);
        let (outcome, launches) = launches_of(has_kernel_times, run);
        outcome?;
        passes.push(MeasuredPass { name, key, ms: times[ROUNDS / 2], launches });
    }
    Ok(passes)
}

/// Returns the duration in milliseconds of a prediction with an image and a prompt that the model has not seen, the median of
/// seven after one that is not counted. A model that refuses the prompts of the measurement, because it knows certain sentences
/// alone, is measured with those of `prompts`.
///
/// # Errors
/// A prediction failed.
pub fn measure_prediction(segmenter: &mut dyn Segmenter, prompts: &[&str]) -> Result<f64, InferError> {
    // Numbers that `measure_passes` does not reach.
    const FIRST: usize = 1000;
    let takes_box = segmenter.info().takes_box;
    let own = |number: usize| if takes_box { area(number) } else { text(number) };
    let is_refused = match segmenter.predict(&picture(FIRST), &own(FIRST)) {
        Err(InferError::Refused(_)) if !prompts.is_empty() => {
            segmenter.predict(&picture(FIRST), prompts[0])?;
            true
        }
        outcome => outcome.map(|_| false)?,
    };
    let mut times = Vec::new();
    for round in 1..=ROUNDS {
        let number = FIRST + round;
        let prompt = if is_refused { prompts[round % prompts.len()].to_owned() } else { own(number) };
        let image = picture(number);
        let start = Instant::now();
        segmenter.predict(&image, &prompt)?;
        times.push(milliseconds(start));
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ROUNDS / 2])
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// Returns a prompt that depends on `number`, always of the same length.
fn text(number: usize) -> String {
    let [a, b] = [number / WORDS.len(), number].map(|digit| WORDS[digit % WORDS.len()]);
    format!("Bilateral pulmonary infection, {a} infected areas, {b} left lung.")
}

/// Returns a box that depends on `number`.
fn area(number: usize) -> String {
    let place = (number % (SIDE / 2)) as f32;
    Area::between([place, place / 2.0], [place + SIDE as f32 / 3.0, SIDE as f32 - place]).to_string()
}

/// Returns a picture that depends on `number`.
fn picture(number: usize) -> Image {
    let pixels = (0..SIDE * SIDE).map(|at| ((at * 31 + (at / SIDE) * number * 17) % 251) as u8).collect();
    Image { width: SIDE, height: SIDE, channels: 1, pixels: Pixels::U8(pixels) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_and_prompts_of_different_numbers_differ() {
        let prompts: std::collections::HashSet<String> = (0..50).map(text).collect();
        assert_eq!(prompts.len(), 50);
        let images: Vec<Pixels> = (0..50).map(|number| picture(number).pixels).collect();
        assert!((1..50).all(|number| images[..number].iter().all(|other| *other != images[number])));
    }
}
