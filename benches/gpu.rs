//! Measures a hardware GPU: the first start and later ones, predictions, images of a set, training steps, and predictions
//! in single and half precision side by side, with the kernels that each of them launches. Times are also given relative to a matrix product of 4096³ in the same process,
//! so that cards can be compared.
//!
//! `cargo bench --bench gpu [-- OPTIONS]`; it takes less than eight minutes, also on a card that was never tuned, and
//! leaves the user's own store alone where the cache folder follows `XDG_CACHE_HOME`.
//!
//! - `--effort minimal|balanced|full`: how thoroughly the card is tuned.
//! - `--parts NAME,NAME`: only these parts; `--list` prints their names.
//! - `--seconds N`: the time for all parts, 450 unless given. A part that takes longer than its share is ended, and those
//!   for which no time is left are skipped.
//! - `--software`: accepts a software renderer, for counting kernels.
//!
//! Each part is a process of its own, because a GPU that was used once is warm for as long as its process lives.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use burn::tensor::{Device, Distribution, Int, Tensor, Transaction};
use himix::data::phantom::{Kind, phantom};
use himix::data::{Image, Pixels};
use himix::device::{self, DeviceChoice, GpuTuning, Launches, OpenDevice, Precision, effort, launches_of, tuning};
use himix::infer::{ModelSource, Predictor, Segmenter, in_order, measure_passes};
use himix::model::networks::himix::HiMixConfig;
use himix::model::weights::bundle;
use himix::model::{Inputs, Model, Network, Tokens, Trace};
use himix::train::loss::loss;
use himix::train::step::{GradientSum, Optimiser};
use himix::train::{LossKind, gpu_bytes};

/// The number of training steps whose median is taken, and the number of those whose losses are read together.
const STEPS: usize = 7;
/// The number of images of a set, enough for batches and too few.
const SETS: [usize; 2] = [320, 48];
/// The number of synthetic images on which the masks of two precisions are compared.
const COMPARED: u64 = 8;
/// The time for everything in seconds.
const SECONDS: u64 = 450;

/// A part: its name, what it is, and the most seconds that it may take.
const PARTS: [(&str, &str, u64); 9] = [
    ("start", "bundled model, first start", 150),
    ("again", "bundled model, second start", 45),
    ("full", "full size, first start", 150),
    ("full-again", "full size, second start", 45),
    ("set", "bundled model, images of a set", 60),
    ("train-small", "training, small architecture, batch 16", 75),
    ("train-full", "training, full size, text frozen, batch 32", 150),
    ("half", "bundled model in f32 and f16", 120),
    ("full-half", "full size in f32 and f16", 150),
];

/// What the command line asks for.
struct Options {
    accepts_software: bool,
    effort: Option<GpuTuning>,
    parts: Vec<String>,
    seconds: u64,
    /// The part that this process measures.
    part: Option<String>,
}

impl Options {
    fn read() -> Result<Self, String> {
        let mut options =
            Self { accepts_software: false, effort: None, parts: Vec::new(), seconds: SECONDS, part: None };
        let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--software" => options.accepts_software = true,
                "--effort" => options.effort = Some(value()?.parse()?),
                "--parts" => options.parts = value()?.split(',').map(str::to_owned).collect(),
                "--seconds" => {
                    options.seconds = value()?.parse().map_err(|error| format!("--seconds: {error}"))?;
                }
                "--part" => options.part = Some(value()?),
                "--list" => {
                    let line = |(name, what, seconds): &(&str, &str, u64)| format!("{name}: {what}, {seconds} s");
                    return Err(PARTS.iter().map(line).collect::<Vec<_>>().join("\n"));
                }
                other => return Err(format!("{other} is no option; the first lines of benches/gpu.rs list them")),
            }
        }
        Ok(options)
    }
}

fn main() -> ExitCode {
    himix::memory::keep_between_tensors();
    let options = match Options::read() {
        Ok(options) => options,
        Err(message) => {
            println!("{message}");
            return ExitCode::from(2);
        }
    };
    if let Some(effort) = options.effort {
        effort::choose(effort);
    }
    match &options.part {
        Some(part) => measure(part),
        None => run_parts(&options),
    }
    ExitCode::SUCCESS
}

/// Starts a process for each part.
fn run_parts(options: &Options) {
    let adapters = device::adapters();
    let Some(adapter) = adapters.first().filter(|adapter| adapter.is_hardware || options.accepts_software) else {
        return println!("no hardware GPU");
    };
    let cache = tempfile::tempdir().expect("a folder for the results of tuning");
    let effort = options.effort.unwrap_or_default();
    println!("{} ({}), driver {}, tuning {effort}", adapter.name, adapter.backend, adapter.driver);
    println!("{:<46} {:>10} {:>9} {:>8}", "", "ms", "products", "kernels");
    let begin = Instant::now();
    for (name, what, seconds) in PARTS {
        if !options.parts.is_empty() && !options.parts.iter().any(|part| part == name) {
            continue;
        }
        println!("{what}");
        if name.contains("full") && !adapter.is_hardware && options.parts.is_empty() {
            println!("  skipped: it takes a software renderer too long");
            continue;
        }
        let left = options.seconds.saturating_sub(begin.elapsed().as_secs());
        match left.min(seconds) {
            0 => println!("  skipped: no time is left"),
            most => run_part(name, options, cache.path(), Duration::from_secs(most)),
        }
    }
}

fn run_part(name: &str, options: &Options, cache: &Path, most: Duration) {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--part", name]).env("XDG_CACHE_HOME", cache);
    if options.accepts_software {
        command.arg("--software");
    }
    if let Some(effort) = options.effort {
        command.args(["--effort", effort.name()]);
    }
    let begin = Instant::now();
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return println!("  skipped: it cannot be started ({error})"),
    };
    loop {
        match child.try_wait() {
            Ok(None) if begin.elapsed() < most => std::thread::sleep(Duration::from_millis(50)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return println!("  ended after {} s, which are its share", most.as_secs());
            }
            Ok(Some(status)) if status.success() => return,
            Ok(Some(status)) => return println!("  failed: {status}"),
            Err(error) => return println!("  failed: {error}"),
        }
    }
}

struct Table {
    product_ms: f64,
}

impl Table {
    fn row(&self, name: &str, ms: f64, launches: Option<&Launches>) {
        let launches = launches.map(Launches::count).filter(|count| *count > 0);
        let count = launches.map(|count| count.to_string()).unwrap_or_default();
        println!("  {name:<44} {ms:>10.1} {:>9.2} {count:>8}", ms / self.product_ms);
    }
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The folder of the reference data.
fn shared() -> PathBuf {
    std::env::var_os("HIMIX_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from)
}

/// The full-size network with weights by a rule.
fn full_size() -> ModelSource {
    ModelSource::with("rule", None, Some(shared().join("golden/vocab.txt")))
}

/// Measures a part in this process.
fn measure(part: &str) {
    let start = Instant::now();
    let open = device::open(DeviceChoice::Gpu(Some(0)));
    let opening = milliseconds(start);
    open.notice.iter().for_each(|notice| println!("  {notice}"));
    if !open.is_gpu {
        return;
    }
    let outcome = match part {
        "start" | "again" => starts(&ModelSource::bundled(), &open, opening),
        "full" | "full-again" => starts(&full_size(), &open, opening),
        "set" => sets(&open),
        "half" => precisions(&ModelSource::bundled(), &open),
        "full-half" => precisions(&full_size(), &open),
        "train-small" => small_training(&open),
        "train-full" => training(&HiMixConfig::default(), 32, true, &open),
        other => Err(format!("{other} is no part")),
    };
    if let Err(error) = outcome {
        println!("  {error}");
    }
    if let Some(stored) = device::adapters().first().and_then(tuning::stored) {
        println!("  {} tuning results are stored now", stored.entries);
    }
}

/// Measures the matrix product to which times are related, after everything that must not find it tuned.
fn table(open: &OpenDevice) -> Result<Table, String> {
    let rate = device::product_rate(open).map_err(|fault| fault.to_string())?;
    let table = Table { product_ms: rate.ms };
    table.row(&format!("product of {}³ ({:.0} GFLOP/s)", rate.side, rate.gflops()), rate.ms, None);
    Ok(table)
}

/// Prints how long a start takes, and the times of predictions after it.
fn starts(source: &ModelSource, open: &OpenDevice, opening: f64) -> Result<(), String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let start = Instant::now();
    let mut predictor = Predictor::open_on(source, open.clone()).map_err(|error| words(&error))?;
    let model = milliseconds(start);
    let start = Instant::now();
    predictor.predict(&picture(0), PROMPT).map_err(|error| words(&error))?;
    let first = milliseconds(start);
    let start = Instant::now();
    predictor.warm_up(&mut |_| ControlFlow::Continue(())).map_err(|error| words(&error))?;
    let warm_up = milliseconds(start);
    let table = table(open)?;
    table.row("opening the device", opening, None);
    table.row("opening the model", model, None);
    table.row("first mask", first, None);
    table.row("the rest of the warm-up", warm_up, None);
    let passes = measure_passes(&mut predictor, false).map_err(|error| words(&error))?;
    passes.iter().skip(1).for_each(|pass| table.row(pass.name, pass.ms, Some(&pass.launches)));
    predictor.take_notices().iter().for_each(|notice| println!("  {notice}"));
    Ok(())
}

/// Prints the times of predictions in both precisions, and how far their masks agree.
fn precisions(source: &ModelSource, open: &OpenDevice) -> Result<(), String> {
    if !open.offers_half() {
        return Err(format!("skipped: {} offers no half precision", open.name));
    }
    let both = [Precision::F32, Precision::F16].map(|precision| open.clone().in_precision(precision));
    let side = device::product_rate(open).map_err(|fault| fault.to_string())?.side;
    let table = table(open)?;
    let half = device::product_rate_at(side, &both[1]).map_err(|fault| fault.to_string())?;
    table.row(&format!("product of {side}³ in f16 ({:.0} GFLOP/s)", half.gflops()), half.ms, None);
    let mut masks: Vec<Vec<Vec<bool>>> = Vec::new();
    for (device, precision) in both.into_iter().zip(["f32", "f16"]) {
        let mut predictor = Predictor::open_on(source, device).map_err(|error| error.to_string())?;
        predictor.warm_up(&mut |_| ControlFlow::Continue(())).map_err(|error| error.to_string())?;
        let passes = measure_passes(&mut predictor, false).map_err(|error| error.to_string())?;
        for pass in passes.iter().skip(1) {
            table.row(&format!("{}, {precision}", pass.name), pass.ms, Some(&pass.launches));
        }
        let mask = |index: u64| {
            let drawn = phantom(Kind::Xray, 1, index, 224);
            let prediction = predictor.predict(&drawn.image, &drawn.prompt).map_err(|error| error.to_string())?;
            Ok::<_, String>(prediction.probability.values.iter().map(|value| *value >= 0.5).collect())
        };
        masks.push((0..COMPARED).map(mask).collect::<Result<_, _>>()?);
        predictor.take_notices().iter().for_each(|notice| println!("  {notice}"));
    }
    let pixels = |masks: &[Vec<bool>]| masks.concat();
    let pairs: Vec<(bool, bool)> = pixels(&masks[0]).into_iter().zip(pixels(&masks[1])).collect();
    let count =
        |is_counted: fn(&(bool, bool)) -> bool| pairs.iter().filter(|pair| is_counted(pair)).count() as f64;
    let (equal, shared) = (count(|(a, b)| a == b), count(|(a, b)| *a && *b));
    let dice = 2.0 * shared / (count(|(a, _)| *a) + count(|(_, b)| *b)).max(1.0);
    println!(
        "  masks of {COMPARED} synthetic images: {:.4} % of the pixels are equal, Dice of f16 with f32 {dice:.5}",
        100.0 * equal / pairs.len() as f64
    );
    Ok(())
}

const PROMPT: &str = "Bilateral pulmonary infection, two infected areas, upper left lung.";

/// Returns a picture that depends on `number`.
fn picture(number: usize) -> Image {
    let value = |at: usize| ((at * 31 + (at / 224) * number * 17) % 251) as u8;
    Image { width: 224, height: 224, channels: 1, pixels: Pixels::U8((0..224 * 224).map(value).collect()) }
}

/// Prints the time of an image of a set, in batches and one by one.
fn sets(open: &OpenDevice) -> Result<(), String> {
    let mut predictor =
        Predictor::open_on(&ModelSource::bundled(), open.clone()).map_err(|error| error.to_string())?;
    let mut through = |count: usize| -> Result<f64, String> {
        let job = |segmenter: &mut dyn Segmenter, _: &mut (), number: usize| {
            segmenter.predict(&picture(number), PROMPT).map(drop).map_err(|error| error.to_string())
        };
        let start = Instant::now();
        in_order(&mut predictor, count, 1, job, |next| (0..count).try_for_each(|_| next()))?;
        Ok(milliseconds(start))
    };
    let first = SETS.map(&mut through);
    let times = SETS.map(&mut through);
    let table = table(open)?;
    for ((name, count), (first, ms)) in
        ["in batches", "one by one"].iter().zip(SETS).zip(first.into_iter().zip(times))
    {
        table.row(&format!("{count} images {name}, the first time"), first?, None);
        table.row(&format!("an image of {count} {name}"), ms? / count as f64, None);
    }
    predictor.take_notices().iter().for_each(|notice| println!("  {notice}"));
    Ok(())
}

fn small_training(open: &OpenDevice) -> Result<(), String> {
    let path = shared().join("golden/mini/config.json");
    let config = bundle::read_config(&path).map_err(|error| format!("skipped: {error}"))?;
    training(config.network.as_ref(), 16, false, open)
}

/// A training step with its data on the device.
struct Step {
    model: Option<Box<dyn Model>>,
    optimiser: Optimiser,
    image: Tensor<4>,
    target: Tensor<4>,
    tokens: Option<Tokens>,
    /// The outputs of a frozen text encoder, if they are not computed in every step.
    kept: Option<Vec<Tensor<3>>>,
}

impl Step {
    fn new(network: &dyn Network, batch: usize, is_text_frozen: bool, device: &Device) -> Self {
        let model = network.build(device).expect("a network");
        let model = if is_text_frozen { model.freeze_text() } else { model };
        let (side, tokens) = (network.image_side(), network.text().map_or(0, |text| text.token_limit));
        let image = Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), device);
        let target = Tensor::<4>::random([batch, 1, side, side], Distribution::Default, device);
        let target = target.greater_elem(0.9).float();
        let ids = Tensor::<2, Int>::ones([batch, tokens], device);
        let tokens = Some(Tokens { ids: ids.clone(), mask: ids });
        Self { model: Some(model), optimiser: Optimiser::new(0.01), image, target, tokens, kept: None }
    }

    /// Computes the outputs of the text encoder once, as a run does for each prompt.
    fn keep_text(&mut self) {
        let plain = self.model.as_ref().map(|model| model.without_gradients());
        let tokens =
            self.tokens.clone().map(|Tokens { ids, mask }| Tokens { ids: ids.inner(), mask: mask.inner() });
        let text = plain.as_ref().and_then(|model| model.text_conditioned());
        self.kept = text.zip(tokens).map(|(text, tokens)| {
            let states = text.text_states(tokens, &mut Trace::off());
            states.into_iter().map(Tensor::from_inner).collect()
        });
    }

    /// Runs a step and returns its loss, which is still on the device.
    fn run(&mut self) -> Tensor<1> {
        let model = self.model.take().expect("it is put back");
        let (image, mut trace) = (self.image.clone(), Trace::off());
        let logits = match (&self.kept, model.text_conditioned()) {
            (Some(kept), Some(text)) => text.forward_from(image, kept, &mut trace),
            _ => model.forward(Inputs::new(image).with_tokens(self.tokens.clone()), &mut trace),
        };
        let value = loss(logits, self.target.clone(), LossKind::Binary).total;
        let seen = value.clone().inner();
        let gradients = GradientSum::of(model.as_ref(), value.backward());
        self.model = Some(self.optimiser.step(model, gradients, 3e-4));
        seen
    }

    /// The milliseconds of a step whose loss is read back.
    fn timed(&mut self) -> f64 {
        let start = Instant::now();
        drop(self.run().into_data());
        milliseconds(start)
    }
}

/// Prints the times of training steps and the memory.
fn training(network: &dyn Network, batch: usize, is_text_frozen: bool, open: &OpenDevice) -> Result<(), String> {
    let outcome = device::guarded(&open.name, || {
        let device = open.device.clone().autodiff();
        let begin = Instant::now();
        let mut step = Step::new(network, batch, is_text_frozen, &device);
        step.timed();
        let first = milliseconds(begin);
        let median = |step: &mut Step| {
            let mut times: Vec<f64> = (0..STEPS).map(|_| step.timed()).collect();
            times.sort_by(f64::total_cmp);
            times[STEPS / 2]
        };
        let each = median(&mut step);
        let (_, launches) = launches_of(false, || step.timed());
        if is_text_frozen {
            step.keep_text();
            step.timed();
        }
        // As a run reads losses: those of several steps together.
        let start = Instant::now();
        let losses: Vec<Tensor<1>> = (0..STEPS).map(|_| step.run()).collect();
        let losses = losses.into_iter().fold(Transaction::default(), |all, loss| all.register(loss));
        let count = losses.execute().len();
        let together = milliseconds(start) / count as f64;
        let (_, fewer) = launches_of(false, || step.timed());
        (first, each, launches, together, fewer)
    });
    let (first, each, launches, together, fewer) = outcome.map_err(|fault| fault.to_string())?;
    memory(network, batch, is_text_frozen, open)?;
    let table = table(open)?;
    table.row("until the first step is done", first, None);
    table.row("step, its loss read back", each, Some(&launches));
    let name = if is_text_frozen { "step, outputs of the text kept" } else { "step" };
    table.row(&format!("{name}, losses of {STEPS} read together"), together, Some(&fewer));
    Ok(())
}

/// Prints the memory that was estimated, that burn's allocator has taken, and that the driver reports.
fn memory(network: &dyn Network, batch: usize, is_text_frozen: bool, open: &OpenDevice) -> Result<(), String> {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let estimated = gpu_bytes(network, batch, is_text_frozen, false).map_err(|error| error.to_string())?;
    print!("  memory in GiB: {:.2} estimated", gib(estimated));
    if let Some(usage) = open.device.memory_pool_usage() {
        print!(
            ", {:.2} reserved and {:.2} in use now by burn",
            gib(usage.bytes_reserved),
            gib(usage.bytes_in_use)
        );
    }
    let query = ["--query-gpu=memory.used", "--format=csv,noheader"];
    if let Ok(output) = Command::new("nvidia-smi").args(query).output()
        && output.status.success()
    {
        print!(", {} by nvidia-smi", String::from_utf8_lossy(&output.stdout).trim());
    }
    println!();
    Ok(())
}
