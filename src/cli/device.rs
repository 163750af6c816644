//! `himix device`: the compute devices of this computer, what is prepared for them, and how fast they are.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use himix::device::{
    self, Adapter, DeviceChoice, Fault, KernelLaunches, Precision, ProductRate, precision, tuning,
};
use himix::infer::{MeasuredPass, OpenModel, Warmed, measure_passes};
use serde_json::{Map, Value, json};

use super::arguments::{DeviceArguments, ModelArguments};
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix device                              list the devices and what is prepared for them
  himix device --measure                    measure the device that auto chooses
  himix device --measure --device cpu       measure the CPU
  himix device --measure --kernels          list the kernels of every pass as well
  himix device --measure --precision f16    measure f32 and f16 side by side
  himix device --warm --device gpu          prepare the GPU for the bundled model ahead of time
  himix device --clear                      delete what was prepared

A GPU is tuned once for every shape of tensor that a model uses, which can take minutes. The results are stored in the user's
cache folder, for each adapter and version of its driver. Times are medians; the column products is the time relative to that of the matrix
product in the first line, which makes devices comparable. With --precision f16, the last columns have the time and the kernels
in half precision and the time relative to that in single precision.";

/// List the compute devices, measure them, and prepare a GPU ahead of time
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeviceCommandArguments {
    #[command(flatten)]
    device: DeviceArguments,
    #[command(flatten)]
    model: ModelArguments,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "FILE")]
    vocab: Option<PathBuf>,
    /// Measure a matrix product and the passes of the model, the first and the following ones
    #[arg(long)]
    measure: bool,
    /// With --measure: list the kernels of every pass with their number and time
    #[arg(long, requires = "measure")]
    kernels: bool,
    /// Prepare every pass of the model on the GPU, and store what was tuned
    #[arg(long)]
    warm: bool,
    /// Delete the stored results of all GPUs
    #[arg(long, conflicts_with_all = ["measure", "warm"])]
    clear: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What was measured.
struct Measured {
    device: String,
    model: String,
    rate: ProductRate,
    opening_ms: f64,
    passes: Vec<MeasuredPass>,
    /// The same in half precision, if it was asked for.
    half: Option<Box<Measured>>,
}

/// Runs the command with models that `open` opens.
pub fn run(arguments: &DeviceCommandArguments, open: &OpenModel) -> Result<(), Failure> {
    if arguments.clear {
        let count = tuning::clear().map_err(Failure::work)?;
        let stores = if count == 1 { "store" } else { "stores" };
        return match arguments.json {
            true => terminal::print(&json!({ "deleted": count }).to_string()),
            false => terminal::print(&format!("{count} {stores} of tuning results deleted")),
        };
    }
    if arguments.warm {
        warm(arguments, open)?;
    }
    let measured = if arguments.measure { Some(measure(arguments, open)?) } else { None };
    let adapters = device::adapters();
    let text = match arguments.json {
        true => format!("{:#}", object(&adapters, measured.as_ref())),
        false => text(&adapters, measured.as_ref()),
    };
    terminal::print(&text)
}

/// Prepares the GPU.
fn warm(arguments: &DeviceCommandArguments, open: &OpenModel) -> Result<(), Failure> {
    // A model on the CPU knows what has to be prepared; it is dropped with the prepared one.
    let on_cpu =
        model::open(open, &arguments.model.source(arguments.vocab.as_ref()), DeviceChoice::Cpu, "passes")?;
    let Some(work) = on_cpu.on_gpu(arguments.device.choice()?) else {
        return Err(Failure::input("there is no GPU to prepare; himix device lists the devices"));
    };
    let mut wait = None;
    let warmed = work(&mut |progress| {
        let words = format!("{} is made ready, which can take minutes the first time", progress.device);
        wait.get_or_insert_with(|| terminal::long_wait(&words)).set(progress.percent, progress.step);
        ControlFlow::Continue(())
    })?;
    match warmed {
        Warmed::Ready(_) => Ok(()),
        Warmed::NoGpu(Some(reason)) => Err(Failure::work(reason)),
        Warmed::NoGpu(None) | Warmed::Abandoned => {
            Err(Failure::input("there is no GPU to prepare; himix device lists the devices"))
        }
    }
}

/// Times a product and the passes of the model.
fn measure(arguments: &DeviceCommandArguments, open: &OpenModel) -> Result<Measured, Failure> {
    let choice = arguments.device.choice()?;
    device::reach(choice).map_err(Failure::work)?;
    let device = device::open(choice);
    device.notice.iter().for_each(terminal::note);
    let fault = |fault: Fault| Failure::work(fault.to_string());
    let rate = device::product_rate(&device).map_err(fault)?;
    let in_precision = |precision: Precision, rate: ProductRate| {
        precision::choose(precision);
        let start = Instant::now();
        let mut segmenter = open(&arguments.model.source(arguments.vocab.as_ref()), choice)?;
        let opening_ms = milliseconds(start);
        let passes = measure_passes(segmenter.as_mut(), arguments.kernels)?;
        model::notices(segmenter.as_mut());
        let info = segmenter.info();
        Ok::<_, Failure>(Measured { device: info.device, model: info.name, rate, opening_ms, passes, half: None })
    };
    let is_half = arguments.device.precision == Some(Precision::F16);
    let mut measured = in_precision(Precision::F32, rate)?;
    if is_half {
        let rate = device::product_rate_at(rate.side, &device.in_precision(Precision::F16)).map_err(fault)?;
        measured.half = Some(Box::new(in_precision(Precision::F16, rate)?));
    }
    Ok(measured)
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn text(adapters: &[Adapter], measured: Option<&Measured>) -> String {
    let mut text = String::from("Devices\n");
    for (number, adapter) in adapters.iter().enumerate() {
        let Adapter { name, backend, driver, .. } = adapter;
        let kind = if adapter.is_hardware { "" } else { ", a software renderer" };
        let half = if adapter.has_half { "f32 and f16" } else { "f32 only" };
        text += &format!("  gpu:{number}  {name} ({backend}{kind}), driver {driver}, {half}\n");
        text += &match tuning::stored(adapter) {
            Some(stored) => format!("         {} tuning results in {}\n", stored.entries, stored.file.display()),
            None => "         nothing tuned yet\n".into(),
        };
    }
    text += &format!("  cpu    {}\n", device::cpu().name);
    let auto = adapters.iter().find(|adapter| adapter.is_hardware);
    text += &format!("auto chooses {}\n", auto.map_or("cpu", |adapter| &adapter.name));
    let Some(measured) = measured else { return text };
    let Measured { device, model, rate, half, .. } = measured;
    text += &format!("\n{device}, {model}\n{:<26}{:>10}  {:>8}  {:>7}", "", "ms", "products", "kernels");
    if half.is_some() {
        text += &format!("  {:>10}  {:>9}  {:>11}", "ms in f16", "f16 : f32", "its kernels");
    }
    let words = |count: Option<usize>| count.map(|count| count.to_string()).unwrap_or_default();
    let halves: Vec<Row> = half.iter().flat_map(|half| half.rows()).collect();
    for (index, Row { name, ms, launches }) in measured.rows().into_iter().enumerate() {
        text += &format!("\n{name:<26}{ms:>10.1}  {:>8.2}  {:>7}", ms / rate.ms, words(launches));
        if let Some(half) = halves.get(index) {
            text += &format!("  {:>10.1}  {:>9.2}  {:>11}", half.ms, half.ms / ms, words(half.launches));
        }
    }
    text += &format!("\nThe product runs at {:.0} GFLOP/s", rate.gflops());
    text += &half.as_ref().map_or_else(String::new, |half| format!(", in f16 at {:.0}", half.rate.gflops()));
    text += ".\n";
    for measured in std::iter::once(measured).chain(half.as_deref()) {
        text += &kernels(measured);
    }
    text
}

/// A line of the table.
struct Row {
    name: String,
    ms: f64,
    launches: Option<usize>,
}

impl Measured {
    fn rows(&self) -> Vec<Row> {
        let row = |name: &str, ms: f64| Row { name: name.to_owned(), ms, launches: None };
        let mut rows = vec![
            row(&format!("product of {}³", self.rate.side), self.rate.ms),
            row("first product", self.rate.first_ms),
            row("opening the model", self.opening_ms),
        ];
        rows.extend(self.passes.iter().map(|pass| Row {
            launches: Some(pass.launches.count()).filter(|count| *count > 0),
            ..row(pass.name, pass.ms)
        }));
        rows
    }
}

/// The kernels of every pass, where they were timed.
fn kernels(measured: &Measured) -> String {
    let mut text = String::new();
    for pass in measured.passes.iter().filter(|pass| pass.launches.ms() > 0.0) {
        text += &format!("\nKernels: {}, {}\n{:>7}  {:>9}\n", pass.name, measured.device, "count", "ms");
        for kernel in &pass.launches.kernels {
            text += &format!("{:>7}  {:>9.3}  {}\n", kernel.count, kernel.ms, kernel.name);
        }
    }
    text
}

fn object(adapters: &[Adapter], measured: Option<&Measured>) -> Value {
    let of = |(number, adapter): (usize, &Adapter)| {
        let stored = tuning::stored(adapter);
        json!({
            "device": format!("gpu:{number}"),
            "name": adapter.name,
            "backend": adapter.backend,
            "driver": adapter.driver,
            "is_hardware": adapter.is_hardware,
            "has_f16": adapter.has_half,
            "tuning_results": stored.as_ref().map_or(0, |stored| stored.entries),
            "tuning_file": stored.map(|stored| stored.file.display().to_string()),
        })
    };
    let mut object = json!({
        "adapters": adapters.iter().enumerate().map(of).collect::<Vec<_>>(),
        "cpu": device::cpu().name,
        "auto": adapters.iter().position(|adapter| adapter.is_hardware).map_or("cpu".into(), |at| format!("gpu:{at}")),
    });
    if let Some(measured) = measured {
        object["measured"] = measured_object(measured);
        if let Some(half) = &measured.half {
            object["measured_f16"] = measured_object(half);
        }
    }
    object
}

fn measured_object(measured: &Measured) -> Value {
    let Measured { device, model, rate, opening_ms, passes, .. } = measured;
    let kernel = |kernel: &KernelLaunches| json!({ "name": kernel.name, "count": kernel.count, "ms": kernel.ms });
    let pass = |pass: &MeasuredPass| {
        let kernels: Vec<Value> = pass.launches.kernels.iter().map(kernel).collect();
        (pass.key.to_owned(), json!({ "ms": pass.ms, "launches": pass.launches.count(), "kernels": kernels }))
    };
    json!({
        "device": device,
        "model": model,
        "product": { "side": rate.side, "ms": rate.ms, "first_ms": rate.first_ms, "gflops": rate.gflops() },
        "opening_ms": opening_ms,
        "passes": passes.iter().map(pass).collect::<Map<String, Value>>(),
    })
}
