//! `himix device`: the compute devices of this computer, what is prepared for them, and how fast they are.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use himix::device::{self, Adapter, DeviceChoice, KernelLaunches, ProductRate, tuning};
use himix::infer::{MeasuredPass, OpenModel, Warmed, measure_passes};
use serde_json::{Map, Value, json};

use super::arguments::ModelArguments;
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix device                              list the devices and what is prepared for them
  himix device --measure                    measure the device that auto chooses
  himix device --measure --device cpu       measure the CPU
  himix device --measure --kernels          list the kernels of every pass as well
  himix device --warm --device gpu          prepare the GPU for the bundled model ahead of time
  himix device --clear                      delete what was prepared

A GPU is tuned once for every shape of tensor that a model uses, which can take minutes. The results are stored in the user's
cache folder, for each adapter and version of its driver. Times are medians; the column products is the time relative to that of the matrix
product in the first line, which makes devices comparable.";

/// List the compute devices, measure them, and prepare a GPU ahead of time
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeviceCommandArguments {
    /// Compute device to measure or prepare: auto, cpu, gpu, gpu:N or remote:HOST
    #[arg(long, value_name = "D", default_value = "auto")]
    device: DeviceChoice,
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
    let Some(work) = on_cpu.on_gpu(arguments.device) else {
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
    device::reach(arguments.device).map_err(Failure::work)?;
    let device = device::open(arguments.device);
    device.notice.iter().for_each(terminal::note);
    let rate = device::product_rate(&device).map_err(|fault| Failure::work(fault.to_string()))?;
    let start = Instant::now();
    let mut segmenter = open(&arguments.model.source(arguments.vocab.as_ref()), arguments.device)?;
    let opening_ms = milliseconds(start);
    let passes = measure_passes(segmenter.as_mut(), arguments.kernels)?;
    model::notices(segmenter.as_mut());
    let info = segmenter.info();
    Ok(Measured { device: info.device, model: info.name, rate, opening_ms, passes })
}

fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn text(adapters: &[Adapter], measured: Option<&Measured>) -> String {
    let mut text = String::from("Devices\n");
    for (number, adapter) in adapters.iter().enumerate() {
        let Adapter { name, backend, driver, .. } = adapter;
        let kind = if adapter.is_hardware { "" } else { ", a software renderer" };
        text += &format!("  gpu:{number}  {name} ({backend}{kind}), driver {driver}\n");
        text += &match tuning::stored(adapter) {
            Some(stored) => format!("         {} tuning results in {}\n", stored.entries, stored.file.display()),
            None => "         nothing tuned yet\n".into(),
        };
    }
    text += &format!("  cpu    {}\n", device::cpu().name);
    let auto = adapters.iter().find(|adapter| adapter.is_hardware);
    text += &format!("auto chooses {}\n", auto.map_or("cpu", |adapter| &adapter.name));
    let Some(measured) = measured else { return text };
    let Measured { device, model, rate, opening_ms, passes } = measured;
    text += &format!("\n{device}, {model}\n{:<26}{:>10}  {:>8}  {:>7}\n", "", "ms", "products", "kernels");
    let mut row = |name: &str, ms: f64, launches: Option<usize>| {
        let launches = launches.map(|count| count.to_string()).unwrap_or_default();
        text += &format!("{name:<26}{ms:>10.1}  {:>8.2}  {launches:>7}\n", ms / rate.ms);
    };
    row(&format!("product of {}³", rate.side), rate.ms, None);
    row("first product", rate.first_ms, None);
    row("opening the model", *opening_ms, None);
    for pass in passes {
        row(pass.name, pass.ms, Some(pass.launches.count()).filter(|count| *count > 0));
    }
    text += &format!("The product runs at {:.0} GFLOP/s.\n", rate.gflops());
    for pass in passes.iter().filter(|pass| pass.launches.ms() > 0.0) {
        text += &format!("\nKernels: {}\n{:>7}  {:>9}\n", pass.name, "count", "ms");
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
            "tuning_results": stored.as_ref().map_or(0, |stored| stored.entries),
            "tuning_file": stored.map(|stored| stored.file.display().to_string()),
        })
    };
    let mut object = json!({
        "adapters": adapters.iter().enumerate().map(of).collect::<Vec<_>>(),
        "cpu": device::cpu().name,
        "auto": adapters.iter().position(|adapter| adapter.is_hardware).map_or("cpu".into(), |at| format!("gpu:{at}")),
    });
    if let Some(Measured { device, model, rate, opening_ms, passes }) = measured {
        let kernel =
            |kernel: &KernelLaunches| json!({ "name": kernel.name, "count": kernel.count, "ms": kernel.ms });
        let pass = |pass: &MeasuredPass| {
            let kernels: Vec<Value> = pass.launches.kernels.iter().map(kernel).collect();
            (pass.key.to_owned(), json!({ "ms": pass.ms, "launches": pass.launches.count(), "kernels": kernels }))
        };
        object["measured"] = json!({
            "device": device,
            "model": model,
            "product": { "side": rate.side, "ms": rate.ms, "first_ms": rate.first_ms, "gflops": rate.gflops() },
            "opening_ms": opening_ms,
            "passes": passes.iter().map(pass).collect::<Map<String, Value>>(),
        });
    }
    object
}
