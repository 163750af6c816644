//! Measures several prompts on one image with the bundled model on the CPU, as a ratio to one prompt at a time.
//!
//! `cargo bench --bench laboratory`

use std::ops::ControlFlow;
use std::time::Instant;

use himix::data::{Image, Pixels};
use himix::device::DeviceChoice;
use himix::infer::{BUNDLED_NAME, ModelSource, Predictor, predict_each};

const ROUNDS: usize = 9;
/// The number of prompts that are pinned.
const PINS: usize = 8;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn picture(seed: usize) -> Image {
    let pixels = (0..512 * 512).map(|at| ((at * 31 + (at / 512) * seed * 17) % 251) as u8).collect();
    Image { width: 512, height: 512, channels: 1, pixels: Pixels::U8(pixels) }
}

/// Prompts that were not used before.
fn prompts(next: &mut usize) -> Vec<String> {
    (0..PINS)
        .map(|_| {
            *next += 1;
            format!("Bilateral pulmonary infection, {next} infected areas, upper left lung and upper right lung.")
        })
        .collect()
}

fn main() {
    himix::memory::keep_between_tensors();
    let mut model =
        Predictor::open(&ModelSource::new(BUNDLED_NAME), DeviceChoice::Cpu).expect("the bundled model opens");
    let go_on = |_| ControlFlow::Continue(());
    let (mut next, mut image) = (0, 0);
    let (mut single, mut together, mut first) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        image += 1;
        let picture = picture(image);
        // A new image: it is encoded once.
        let texts = prompts(&mut next);
        let start = Instant::now();
        predict_each(&mut model, &picture, &texts, |_, _| (), go_on).expect("masks");
        first.push(start.elapsed().as_secs_f64() * 1e3);
        // The same image, one prompt after the other, and all of them in one request.
        let texts = prompts(&mut next);
        let start = Instant::now();
        for text in &texts {
            model.predict(&picture, text).expect("a mask");
        }
        single.push(start.elapsed().as_secs_f64() * 1e3);
        let texts = prompts(&mut next);
        let start = Instant::now();
        predict_each(&mut model, &picture, &texts, |_, _| (), go_on).expect("masks");
        together.push(start.elapsed().as_secs_f64() * 1e3);
    }
    // The first round warms up.
    let [single, together, first] = [single, together, first].map(|times| median(times[1..].to_vec()));
    println!("{PINS} prompts, known image, one by one  {single:8.1} ms   (the unit)");
    println!("{PINS} prompts, known image, together    {together:8.1} ms   {:5.2}", together / single);
    println!("{PINS} prompts, new image, together      {first:8.1} ms   {:5.2}", first / single);
}
