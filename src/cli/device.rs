//! `himix device`: the compute devices of this computer, what is prepared for them, and how fast they are.

use std::ops::ControlFlow;
use std::time::Instant;

use clap::Args;
use himix::data::{Image, Pixels};
use himix::device::{self, Adapter, DeviceChoice, ProductRate, tuning};
use himix::infer::{OpenModel, Warmed};
use serde_json::{Value, json};

use super::arguments::ModelArguments;
use super::{Failure, model, terminal};

const EXAMPLES: &str = "\
Examples:
  himix device                              list the devices and what is prepared for them
  himix device --measure                    measure the device that auto chooses
  himix device --measure --device cpu       measure the CPU
  himix device --warm --device gpu          prepare the GPU for the bundled model ahead of time
  himix device --clear                      delete what was prepared

A GPU is tuned once for every shape of tensor that a model uses, which can take minutes. The results are stored in the user's cache folder, for
each adapter and version of its driver.";

/// List the compute devices, measure them, and prepare a GPU ahead of time
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeviceCommandArguments {
    /// Compute device to measure or prepare: auto, cpu, gpu or gpu:N
    #[arg(long, value_name = "D", default_value = "auto")]
    device: DeviceChoice,
    #[command(flatten)]
    model: ModelArguments,
    /// Measure a matrix product and the passes of the model, the first and the following ones
    #[arg(long)]
    measure: bool,
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

/// The durations of the passes of a model in milliseconds.
struct Passes {
    device: String,
    model: String,
    opening: f64,
    first: f64,
    prompt: f64,
    image: f64,
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
    let on_cpu = model::open(open, &arguments.model.source(None), DeviceChoice::Cpu, "passes")?;
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
fn measure(arguments: &DeviceCommandArguments, open: &OpenModel) -> Result<(ProductRate, Passes), Failure> {
    let device = device::open(arguments.device);
    device.notice.iter().for_each(terminal::note);
    let rate = device::product_rate(&device).map_err(|fault| Failure::work(fault.to_string()))?;
    let start = Instant::now();
    let mut segmenter = open(&arguments.model.source(None), arguments.device)?;
    let opening = start.elapsed().as_secs_f64() * 1e3;
    let mut time = |seed: usize, prompt: &str| -> Result<f64, Failure> {
        let start = Instant::now();
        segmenter.predict(&picture(seed), prompt)?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    };
    let first = time(1, "upper left lung")?;
    // The second of each kind is timed, so that no kernel is met for the first time.
    time(1, "upper right lung")?;
    let prompt = time(1, "lower left lung")?;
    let image = time(2, "lower right lung")?;
    model::notices(segmenter.as_mut());
    let info = segmenter.info();
    Ok((rate, Passes { device: info.device, model: info.name, opening, first, prompt, image }))
}

/// Returns a picture of 224 × 224 pixels that depends on `seed`.
fn picture(seed: usize) -> Image {
    let pixels = (0..224 * 224).map(|at| ((at * 31 + (at / 224) * seed * 17) % 251) as u8).collect();
    Image { width: 224, height: 224, channels: 1, pixels: Pixels::U8(pixels) }
}

fn text(adapters: &[Adapter], measured: Option<&(ProductRate, Passes)>) -> String {
    let mut text = String::from("Devices\n");
    for (number, adapter) in adapters.iter().enumerate() {
        let kind = if adapter.is_hardware { "" } else { ", a software renderer" };
        text +=
            &format!("  gpu:{number}  {} ({}{kind}), driver {}\n", adapter.name, adapter.backend, adapter.driver);
        text += &match tuning::stored(adapter) {
            Some(stored) => format!("         {} tuning results in {}\n", stored.entries, stored.file.display()),
            None => "         nothing tuned yet\n".into(),
        };
    }
    text += &format!("  cpu    {}\n", device::cpu().name);
    let auto = adapters.iter().find(|adapter| adapter.is_hardware);
    text += &format!("auto chooses {}\n", auto.map_or("cpu", |adapter| &adapter.name));
    if let Some((rate, passes)) = measured {
        text += &format!(
            "\n{} with {}\n  product {side}³      {:8.1} ms, {:.0} GFLOP/s (the first {:.1} ms)\n  opening the model  {:8.1} ms\n  \
             first prediction   {:8.1} ms\n  another prompt     {:8.1} ms\n  another image      {:8.1} ms\n",
            passes.device,
            passes.model,
            rate.ms,
            rate.gflops(),
            rate.first_ms,
            passes.opening,
            passes.first,
            passes.prompt,
            passes.image,
            side = rate.side,
        );
    }
    text
}

fn object(adapters: &[Adapter], measured: Option<&(ProductRate, Passes)>) -> Value {
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
    if let Some((rate, passes)) = measured {
        object["measured"] = json!({
            "device": passes.device,
            "model": passes.model,
            "product_side": rate.side,
            "product_ms": rate.ms,
            "product_first_ms": rate.first_ms,
            "product_gflops": rate.gflops(),
            "opening_ms": passes.opening,
            "first_prediction_ms": passes.first,
            "another_prompt_ms": passes.prompt,
            "another_image_ms": passes.image,
        });
    }
    object
}
