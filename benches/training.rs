//! Measures a training step on the CPU, in milliseconds and as a ratio to a matrix product timed in the same run, and
//! an epoch of a run with its validation: its time, its processor time and the cores that it keeps busy.
//!
//! `cargo bench --bench training [-- CONFIG.json [BATCH [IMAGES]]]`; the default is the small reference architecture of
//! `../shared`, batch 16, and an epoch of 160 images. The steps are those of one undivided batch. The epoch is run with
//! undivided batches and with as many parts of a batch as the run chooses for this machine.

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::tensor::{Device, Distribution, Int, Tensor};
use himix::model::weights::bundle;
use himix::model::{Inputs, Tokens, Trace};
use himix::train::loss::loss;
use himix::train::step::{GradientSum, Optimiser};
use himix::train::{self, Control, Event, LossKind, RunFolder, TrainConfig};

const ROUNDS: usize = 7;

/// Returns the median and the smallest of the milliseconds.
fn spread(mut times: Vec<f64>) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2], times[0])
}

fn milliseconds(begin: Instant) -> f64 {
    begin.elapsed().as_secs_f64() * 1e3
}

fn main() {
    himix::memory::keep_between_tensors();
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let path = match arguments.first() {
        Some(path) => PathBuf::from(path),
        None => {
            let shared =
                std::env::var_os("HIMIX_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
            shared.join("golden/mini/config.json")
        }
    };
    let batch: usize = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(16);
    let config = match bundle::read_config(&path) {
        Ok(config) => config,
        Err(error) => return println!("skipped: {error}"),
    };
    let plain = Device::flex();
    let device = plain.clone().autodiff();
    let product = {
        let random = || Tensor::<2>::random([1024, 1024], Distribution::Default, &plain);
        let (a, b) = (random(), random());
        let times = (0..20).map(|_| {
            let begin = Instant::now();
            let _ = a.clone().matmul(b.clone()).into_data();
            milliseconds(begin)
        });
        spread(times.collect()).1
    };
    let network = config.network;
    let mut model = network.build(&device).expect("a network");
    let mut optimiser = Optimiser::new(0.01);
    let (side, tokens) = (network.image_side(), network.text().map_or(0, |text| text.token_limit));
    let image = Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
    let target =
        Tensor::<4>::random([batch, 1, side, side], Distribution::Default, &device).greater_elem(0.9).float();
    let ids = Tensor::<2, Int>::ones([batch, tokens], &device);
    let mask = Tensor::<2, Int>::ones([batch, tokens], &device);
    let (mut forward, mut backward, mut update) = (Vec::new(), Vec::new(), Vec::new());
    let (mut whole, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let tokens = Some(Tokens { ids: ids.clone(), mask: mask.clone() });
        let logits = model.forward(Inputs::new(image.clone()).with_tokens(tokens), &mut Trace::off());
        let value = loss(logits, target.clone(), LossKind::Binary).total;
        forward.push(milliseconds(start));
        let begin = Instant::now();
        let gradients = GradientSum::of(model.as_ref(), value.backward());
        backward.push(milliseconds(begin));
        let begin = Instant::now();
        model = optimiser.step(model, gradients, 3e-4);
        update.push(milliseconds(begin));
        whole.push(milliseconds(start));
    }
    let valid = model.without_gradients();
    let [image, ids, mask] = [image.inner(), ids.inner().float().unsqueeze(), mask.inner().float().unsqueeze()];
    let int = |x: Tensor<4>| x.reshape([batch, tokens]).int();
    let (ids, mask) = (int(ids), int(mask));
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let tokens = Some(Tokens { ids: ids.clone(), mask: mask.clone() });
        let _ = valid.forward(Inputs::new(image.clone()).with_tokens(tokens), &mut Trace::off()).into_data();
        alone.push(milliseconds(begin));
    }
    println!("{} parameters, batch {batch}", model.count());
    println!("{:<36} {:>9} {:>9} {:>8}", "", "median ms", "least ms", "× unit");
    println!("{:<36} {:>9} {product:>9.1} {:>8.1}", "1024³ matrix product, the unit", "", 1.0);
    let rows = [
        ("training step", whole),
        ("– forward and loss", forward),
        ("– backward", backward),
        ("– AdamW", update),
        ("forward alone, no gradients", alone),
    ];
    for (name, times) in rows {
        let (median, least) = spread(times);
        println!("{name:<36} {median:>9.1} {least:>9.1} {:>8.1}", median / product);
    }
    let images: usize = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(160);
    println!("\n{:<36} {:>9} {:>9} {:>9} {:>8}", "an epoch of a run", "steps s", "whole s", "cpu s", "cores");
    for shards in [1, 0] {
        epoch(&path, batch, images, shards);
    }
}

/// Runs one epoch of synthetic images and prints its times. The whole contains validation and checkpoint.
fn epoch(architecture: &Path, batch: usize, images: usize, shards: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let config = TrainConfig {
        phantoms: images,
        out: out.clone(),
        architecture: Some(architecture.to_owned()),
        epochs: 1,
        batch_size: batch,
        shards,
        ..TrainConfig::default()
    };
    let (mut begin, mut steps) = (None, 0.0);
    let mut end = None;
    let mut report = |event: Event| match event {
        Event::Started { .. } => begin = Some((Instant::now(), processor_seconds())),
        Event::Step { .. } => steps = begin.map_or(0.0, |(begin, _)| begin.elapsed().as_secs_f64()),
        Event::Finished { .. } => {
            end = begin.map(|(begin, used)| (begin.elapsed().as_secs_f64(), processor_seconds() - used))
        }
        _ => {}
    };
    train::run(&config, &himix::device::cpu(), &Control::default(), &mut report).expect("a run");
    let (whole, used) = end.expect("an end");
    let parts = RunFolder::new(out).config().expect("settings").shards;
    let name = format!("{images} images, {parts} part{} of a batch", if parts == 1 { "" } else { "s" });
    println!("{name:<36} {steps:>9.1} {whole:>9.1} {used:>9.1} {:>8.2}", used / whole);
}

/// The processor time of all threads of this process in seconds; NaN where the system does not say it like Linux.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the process, which may contain spaces, ends with the last parenthesis.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    // Fields 14 and 15 of proc(5), in hundredths of a second; the first one here is the third.
    let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<f64>().ok());
    match (ticks(14), ticks(15)) {
        (Some(user), Some(system)) => (user + system) / 100.0,
        _ => f64::NAN,
    }
}
