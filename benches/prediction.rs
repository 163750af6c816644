//! Measures a prediction of the full-size network on the CPU, as a ratio to a fixed matrix product. The product is timed
//! between the predictions, because the speed of a machine changes from minute to minute.
//!
//! `cargo bench --bench prediction`; needs the vocabulary among the shared test data (HIMIX_TEST_DATA names its folder).

// Benches may write their files directly.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use himix::data::{Image, Pixels};
use himix::device::DeviceChoice;
use himix::infer::{BUNDLED_NAME, InspectOptions, ModelSource, Predictor};

const ROUNDS: usize = 15;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn time(mut job: impl FnMut()) -> f64 {
    median(
        (0..ROUNDS)
            .map(|_| {
                let start = Instant::now();
                job();
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect(),
    )
}

/// The reference computation: 1024³ in f32, 2.1 GFLOP.
struct Unit([Tensor<2>; 2]);

impl Unit {
    fn new() -> Self {
        let device = Device::flex();
        Self([0, 1].map(|_| Tensor::random([1024, 1024], Distribution::Default, &device)))
    }

    /// The milliseconds of one product.
    fn once(&self) -> f64 {
        let [a, b] = self.0.clone();
        let start = Instant::now();
        a.matmul(b).into_data();
        start.elapsed().as_secs_f64() * 1e3
    }

    /// Times `job` and the product by turns. Returns the medians of both in milliseconds.
    fn beside(&self, mut job: impl FnMut()) -> (f64, f64) {
        let (mut jobs, mut units) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            units.push(self.once());
            let start = Instant::now();
            job();
            jobs.push(start.elapsed().as_secs_f64() * 1e3);
        }
        (median(jobs), median(units))
    }
}

fn picture(seed: usize) -> Image {
    let pixels = (0..512 * 512).map(|i| ((i * 31 + (i / 512) * seed * 17) % 251) as u8).collect();
    Image { width: 512, height: 512, channels: 1, pixels: Pixels::U8(pixels) }
}

fn peak_memory_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

fn main() {
    himix::memory::keep_between_tensors();
    let root = std::env::var_os("HIMIX_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    let vocabulary = root.join("golden/vocab.txt");
    if !vocabulary.exists() {
        println!("skipped: the shared test data is not here (HIMIX_TEST_DATA names its folder)");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let weights = folder.path().join("model.safetensors");
    write_rule_weights(&weights);
    std::fs::copy(&vocabulary, folder.path().join("vocab.txt")).expect("vocabulary is copied");
    std::fs::write(folder.path().join("config.json"), "{}").expect("configuration is written");

    let unit = Unit::new();
    for _ in 0..ROUNDS {
        unit.once();
    }
    let start = Instant::now();
    let mut predictor = Predictor::open(&ModelSource::new(folder.path()), DeviceChoice::Cpu).expect("model opens");
    let loading = start.elapsed().as_secs_f64() * 1e3;
    let prompt = "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";
    let image = picture(1);
    // The first two images of the process, before anything else has prepared memory and threads.
    let [first, second] = [2, 3].map(|seed| {
        let image = picture(seed);
        let start = Instant::now();
        let prediction = predictor.predict(&image, &format!("{prompt} {seed}")).expect("prediction");
        (start.elapsed().as_secs_f64() * 1e3, prediction.milliseconds.vision)
    });
    let mut parts = Vec::new();
    let (whole, whole_unit) = unit.beside(|| {
        predictor.forget();
        parts.push(predictor.predict(&image, prompt).expect("prediction").milliseconds);
    });
    let mut number = 0;
    let (other, other_unit) = unit.beside(|| {
        number += 1;
        predictor.predict(&image, &format!("{prompt} {number}")).expect("prediction");
        predictor
            .predict(&image, &format!("case {number}, one infected area, lower left lung"))
            .expect("prediction");
    });
    let (seen, seen_unit) = unit.beside(|| {
        predictor.predict(&image, prompt).expect("prediction");
    });
    let part = |f: fn(&himix::infer::Milliseconds) -> f64| median(parts.iter().map(f).collect());
    println!("{:30}{whole_unit:8.1} ms   (the unit, between the predictions)", "1024³ matrix product");
    let row = |name: &str, ms: f64, unit: f64, target: &str| {
        println!("{name:30}{ms:8.1} ms   {:6.2} × the matrix product {target}", ms / unit);
    };
    row("whole prediction", whole, whole_unit, "(target 12.5)");
    row("  vision", part(|m| m.vision), whole_unit, "(target 4.6)");
    row("  text", part(|m| m.text), whole_unit, "(target 2.6)");
    row("  decoder", part(|m| m.decoder), whole_unit, "(target 4.5)");
    row("another prompt, same image", other / 2.0, other_unit, "(target 7.5)");
    row("a prompt seen before", seen, seen_unit, "");
    row("loading the model", loading, whole_unit, "");
    println!(
        "{:30}{:8.1} ms   {:6.2} × the second; its vision {:.2} × (target 1.2)",
        "first image of the process",
        first.0,
        first.0 / second.0,
        first.1 / second.1
    );
    overridden("a parameter, full size", &mut predictor, &image, prompt, &unit);
    let mut small =
        Predictor::open(&ModelSource::new(BUNDLED_NAME), DeviceChoice::Cpu).expect("the bundled model opens");
    overridden("a parameter, bundled model", &mut small, &image, prompt, &unit);
    if let Some(peak) = peak_memory_mib() {
        println!("peak memory                   {peak:8.0} MiB");
    }
}

/// Times overrides of the coarsest stage's σ, each with another value as if its slider were dragged: mask and stage maps.
fn overridden(name: &str, predictor: &mut Predictor, image: &Image, prompt: &str, unit: &Unit) {
    let mut overrides = predictor.overrides().clone();
    let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
    predictor.predict(image, prompt).expect("prediction");
    let mut decoder = Vec::new();
    let plain = time(|| {
        decoder.push(predictor.predict(image, prompt).expect("prediction").milliseconds.decoder);
    });
    let mut number = 0;
    let (overridden, product) = unit.beside(|| {
        number += 1;
        overrides.stages[0].sigma = Some(2.0 + 0.01 * number as f32);
        predictor.inspect(image, prompt, Some(&overrides), wanted).expect("an inspection");
    });
    let (decoder, share) = (median(decoder), overridden / plain);
    println!(
        "{name:30}{overridden:8.1} ms   {:6.2} × the matrix product, {share:.2} × a pass of the decoder ({plain:.1} ms, \
              {decoder:.1} of them the decoder)",
        overridden / product
    );
}

/// Writes deterministic full-size weights to a file once, in a separate process so that its memory does not count
/// here.
fn write_rule_weights(path: &Path) {
    let binary = env!("CARGO_BIN_EXE_himix");
    let status =
        std::process::Command::new(binary).args(["export", "--model", "rule", "--out"]).arg(path).status();
    assert!(status.is_ok_and(|status| status.success()), "himix export failed");
}
