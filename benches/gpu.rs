//! Measures a hardware GPU: the first prediction and those after it, training steps, and the kernels that each of them
//! launches. Times are also given relative to a matrix product of 4096³ in the same run, so that cards can be compared.
//!
//! `cargo bench --bench gpu [-- --software]`; `--software` accepts a software renderer, for counting kernels. It takes
//! less than eight minutes on a card that was never tuned. The results of tuning are stored as those of the program are.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::{Device, Distribution, Int, Tensor};
use himix::device::{self, DeviceChoice, Launches, OpenDevice, launches_of};
use himix::infer::{ModelSource, Predictor, measure_passes};
use himix::model::networks::himix::HiMixConfig;
use himix::model::weights::bundle;
use himix::model::{Inputs, Network, Tokens, Trace};
use himix::train::LossKind;
use himix::train::loss::loss;
use himix::train::step::{GradientSum, Optimiser};

const STEPS: usize = 7;

struct Table {
    product_ms: f64,
}

impl Table {
    fn row(&self, name: &str, ms: f64, launches: Option<&Launches>) {
        let count = launches.map(|launches| launches.count().to_string()).unwrap_or_default();
        println!("{name:<44} {ms:>10.1} {:>9.2} {count:>8}", ms / self.product_ms);
    }
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn main() {
    himix::memory::keep_between_tensors();
    let accepts_software = std::env::args().any(|argument| argument == "--software");
    let adapters = device::adapters();
    let Some(adapter) = adapters.first().filter(|adapter| adapter.is_hardware || accepts_software) else {
        return println!("no hardware GPU");
    };
    println!("{} ({}), driver {}", adapter.name, adapter.backend, adapter.driver);
    let start = Instant::now();
    let open = device::open(DeviceChoice::Gpu(Some(0)));
    open.notice.iter().for_each(|notice| println!("{notice}"));
    let opening = milliseconds(start);
    let rate = match device::product_rate(&open) {
        Ok(rate) => rate,
        Err(fault) => return println!("{fault}"),
    };
    let table = Table { product_ms: rate.ms };
    println!("{:<44} {:>10} {:>9} {:>8}", "", "ms", "products", "kernels");
    table.row("opening the device", opening, None);
    table.row(&format!("product of {}³, first", rate.side), rate.first_ms, None);
    table.row(&format!("product of {}³ ({:.0} GFLOP/s)", rate.side, rate.gflops()), rate.ms, None);
    predictions(&table, "bundled model", &ModelSource::bundled(), &open);
    if adapter.is_hardware {
        predictions(&table, "full size", &ModelSource::new("rule"), &open);
    }
    let shared = std::env::var_os("HIMIX_TEST_DATA").map_or_else(|| PathBuf::from("../shared"), PathBuf::from);
    match bundle::read_config(&shared.join("golden/mini/config.json")) {
        Ok(config) => training(&table, "small", config.network.as_ref(), 16, &open),
        Err(error) => println!("training, small: skipped: {error}"),
    }
    if adapter.is_hardware {
        training(&table, "full size", &HiMixConfig::default(), 32, &open);
    }
}

/// Prints the times of predictions.
fn predictions(table: &Table, name: &str, source: &ModelSource, open: &OpenDevice) {
    println!("{name}");
    let start = Instant::now();
    let mut predictor = match Predictor::open_on(source, open.clone()) {
        Ok(predictor) => predictor,
        Err(error) => return println!("  {error}"),
    };
    table.row("  opening the model", milliseconds(start), None);
    let start = Instant::now();
    if let Err(error) = predictor.warm_up(&mut |_| ControlFlow::Continue(())) {
        return println!("  {error}");
    }
    table.row("  warm-up", milliseconds(start), None);
    match measure_passes(&mut predictor, false) {
        Ok(passes) => passes.iter().for_each(|pass| {
            let launches = Some(&pass.launches).filter(|launches| launches.count() > 0);
            table.row(&format!("  {}", pass.name), pass.ms, launches);
        }),
        Err(error) => println!("  {error}"),
    }
    predictor.take_notices().iter().for_each(|notice| println!("  {notice}"));
}

/// Prints the times of training steps, with their data on the device.
fn training(table: &Table, name: &str, network: &dyn Network, batch: usize, open: &OpenDevice) {
    println!("training, {name}, batch {batch}");
    let outcome = device::guarded(&open.name, || {
        let device: Device = open.device.clone().autodiff();
        let mut kept = Some(network.build(&device).expect("a network"));
        let mut optimiser = Optimiser::new(0.01);
        let (side, tokens) = (network.image_side(), network.text().map_or(0, |text| text.token_limit));
        let image = Tensor::<4>::random([batch, 3, side, side], Distribution::Normal(0.0, 1.0), &device);
        let target = Tensor::<4>::random([batch, 1, side, side], Distribution::Default, &device);
        let target = target.greater_elem(0.9).float();
        let ids = Tensor::<2, Int>::ones([batch, tokens], &device);
        let mut step = || {
            let start = Instant::now();
            let model = kept.take().expect("it is put back");
            let tokens = Some(Tokens { ids: ids.clone(), mask: ids.clone() });
            let logits = model.forward(Inputs { image: image.clone(), tokens }, &mut Trace::off());
            let value = loss(logits, target.clone(), LossKind::Binary).total;
            let seen = value.clone();
            let gradients = GradientSum::of(model.as_ref(), value.backward());
            kept = Some(optimiser.step(model, gradients, 3e-4));
            let _ = seen.into_data();
            milliseconds(start)
        };
        let first = step();
        let mut times: Vec<f64> = (0..STEPS).map(|_| step()).collect();
        times.sort_by(f64::total_cmp);
        let (_, launches) = launches_of(false, step);
        (first, times[STEPS / 2], launches)
    });
    match outcome {
        Ok((first, ms, launches)) => {
            table.row("  first step", first, None);
            table.row("  step", ms, Some(&launches));
        }
        Err(fault) => println!("  {fault}"),
    }
}
