//! An estimate, before a run starts, of its cases, parameters, memory and time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::shards::parts;
use super::start::{architecture, settled};
use crate::device::{self, OpenDevice};
use crate::model::weights::manifest;
use crate::model::{Network, Registry};

/// The side length of the matrix product with which the device is measured.
const PROBE: usize = 512;
/// The fraction of the matrix product's rate that the operations of a training step reach on the CPU, which computes them as
/// products with packed weights.
const EFFICIENCY: f64 = 0.8;
/// The operations that the CPU could compute in the time in which a step writes a byte that is kept for the backward pass and
/// reads it again. Norms, activations and attention move values rather than compute, and for small networks this is most of
/// a step. Together with [`EFFICIENCY`] it gives 0.6 to 1.2 times the time of an epoch of seven small networks and of HiMix at
/// full size, measured on two cores with batches of 16 (4 at full size).
const BYTE_OPERATIONS: f64 = 230.0;
/// The same for a parameter and a step of the optimiser.
const PARAMETER_OPERATIONS: f64 = 740.0;
/// The fraction of the matrix product's rate that all of a training step reaches on a GPU.
const EFFICIENCY_GPU: f64 = 0.1;
/// The cost of forward and backward pass relative to the forward pass. The backward pass costs twice as much as
/// the forward pass.
const PASSES: f64 = 3.0;
/// The bytes that a GPU takes for each value of a layer's output that a step keeps for the backward pass, with what its
/// allocator holds in reserve: 14 values for each output of a block of
/// the vision encoder, of which the cost counts 20, and one part in seven for pages that are not full.
const KEPT_BYTES_GPU: f64 = 3.2;
/// The memory of a graphics driver and of its kernels in bytes.
const DRIVER_BYTES: u64 = 300 << 20;
/// The memory of the program itself in bytes, with the images of the batches that are prepared.
const BASE_BYTES: u64 = 160 << 20;
/// The copies of the weights that are made while a checkpoint is written, beside those of the moments.
const CHECKPOINT_COPIES: f64 = 1.8;

/// The estimated requirements of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The number of training cases, including phantoms.
    pub train: usize,
    /// The number of validation cases.
    pub validation: usize,
    /// The number of values in the network's parameters.
    pub parameters: usize,
    /// The memory of the run in bytes: of the computer, right to a fifth, or of the card if a GPU computes.
    pub bytes: u64,
    /// The seconds per epoch on an otherwise idle machine. The run itself soon gives a better estimate.
    pub seconds_per_epoch: f64,
    /// Messages about problems with the data.
    pub notes: Vec<String>,
}

/// Estimates a run from file names and headers, and from a measurement of the device that takes a tenth of a
/// second.
///
/// # Errors
/// The settings are invalid, or the data or the architecture cannot be read.
pub fn estimate(config: &TrainConfig) -> Result<Estimate, TrainError> {
    estimate_in(&Registry::default(), config)
}

/// Like [`estimate`], for a network in `registry`.
pub fn estimate_in(registry: &Registry, config: &TrainConfig) -> Result<Estimate, TrainError> {
    config.validate().map_err(TrainError::Config)?;
    let config = &settled(registry, config)?;
    let network = architecture(registry, config)?.network;
    let side = network.image_side();
    let reads_text = network.text().is_some();
    let (train, mut notes) = Cases::open(config, true, side, false, reads_text)?;
    let (validation, more) = Cases::open(config, false, side, false, reads_text)?;
    notes.extend(more);
    notes.extend(train.shared_with(&validation));
    let choice = config.device.parse().map_err(TrainError::Config)?;
    let device = device::open(choice);
    let work = match device.is_gpu {
        true => network.cost().operations * passes(config, train.len(), validation.len()) / EFFICIENCY_GPU,
        false => cpu_operations(config, network.as_ref(), train.len(), validation.len())?,
    };
    Ok(Estimate {
        train: train.len(),
        validation: validation.len(),
        parameters: parameters(network.as_ref())?,
        bytes: match device.is_gpu {
            true => gpu_bytes(network.as_ref(), config.batch_size, config.freezes_text(), config.ema_decay > 0.0)?,
            false => bytes(config, network.as_ref())?,
        },
        seconds_per_epoch: work / product_rate(&device.device),
        notes,
    })
}

/// The forward passes of single images that cost as much as an epoch.
fn passes(config: &TrainConfig, train: usize, validation: usize) -> f64 {
    // The averaged weights are validated as well.
    let validations = if config.ema_decay > 0.0 { 2.0 } else { 1.0 };
    PASSES * train as f64 + validations * validation as f64
}

/// The operations of a matrix product that take the CPU as long as an epoch.
fn cpu_operations(
    config: &TrainConfig,
    network: &dyn Network,
    train: usize,
    validation: usize,
) -> Result<f64, TrainError> {
    let cost = network.cost();
    // A pass of three computes with what is kept.
    let image = cost.operations / EFFICIENCY + BYTE_OPERATIONS * cost.value_bytes * cost.kept / PASSES;
    let steps = train.div_ceil((config.batch_size * config.accumulate).max(1));
    let updates = steps as f64 * PARAMETER_OPERATIONS * trained(config, network)?;
    Ok(passes(config, train, validation) * image + updates)
}

/// Rejects a batch that does not fit into the free memory of the machine, and suggests one that does. On a GPU,
/// whose free memory is unknown, every batch is accepted.
pub(super) fn must_fit(
    config: &TrainConfig,
    network: &dyn Network,
    device: &OpenDevice,
) -> Result<(), TrainError> {
    let Some(free) = (!device.is_gpu).then(free_bytes).flatten() else { return Ok(()) };
    let needed = bytes(config, network)?;
    if needed <= free {
        return Ok(());
    }
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let kept = kept_bytes(config, network);
    let image = kept / config.batch_size as u64;
    let advice = match free.saturating_sub(needed - kept) / image.max(1) {
        0 => "choose a smaller architecture, or close other programs".into(),
        batch => format!(
            "try batch_size = {batch} with accumulate = {}",
            (config.batch_size * config.accumulate).div_ceil(batch as usize)
        ),
    };
    Err(TrainError::Config(format!(
        "a batch of {} needs about {:.1} GiB and {:.1} GiB are free; {advice}",
        config.batch_size,
        gib(needed),
        gib(free)
    )))
}

fn parameters(network: &dyn Network) -> Result<usize, TrainError> {
    let specs = manifest::parameters(network).map_err(|error| TrainError::Config(error.to_string()))?;
    Ok(manifest::numbers(&specs))
}

/// The number of values in the parameters that are trained.
fn trained(config: &TrainConfig, network: &dyn Network) -> Result<f64, TrainError> {
    let frozen = if config.freezes_text() { network.cost().text.parameters } else { 0.0 };
    Ok(parameters(network)? as f64 - frozen)
}

/// The memory of a run in bytes: the weights; of the parameters that are trained, two moments and the average if there is
/// one; and either the gradients of every part of a batch with the values kept in a pass, or the copies that are made while a
/// checkpoint is written, which is more for a large network with a small batch.
fn bytes(config: &TrainConfig, network: &dyn Network) -> Result<u64, TrainError> {
    let (all, trained) = (parameters(network)? as f64, trained(config, network)?);
    let gradients = if network.is_divisible() { parts(config) } else { 1 };
    let of_training = (2 + usize::from(config.ema_decay > 0.0)) as f64 * trained;
    let step = 4.0 * gradients as f64 * trained + kept_bytes(config, network) as f64;
    let checkpoint = 4.0 * (CHECKPOINT_COPIES * all + of_training);
    Ok(BASE_BYTES + (4.0 * (all + of_training) + step.max(checkpoint)) as u64)
}

/// The memory on a card in bytes: all weights; gradients, two moments and, if `is_averaged`, the average of those that are
/// trained; the values kept in a pass; and the driver.
///
/// # Errors
/// The network cannot be built.
pub fn gpu_bytes(
    network: &dyn Network,
    batch: usize,
    is_text_frozen: bool,
    is_averaged: bool,
) -> Result<u64, TrainError> {
    let cost = network.cost();
    let all = parameters(network)? as f64;
    let (frozen, free) = if is_text_frozen { (cost.text.parameters, cost.text.kept) } else { (0.0, 0.0) };
    let copies = if is_averaged { 4.0 } else { 3.0 };
    let weights = 4.0 * (all + copies * (all - frozen));
    Ok(DRIVER_BYTES + (weights + KEPT_BYTES_GPU * (cost.kept - free) * batch as f64) as u64)
}

/// Says how much memory of a card was estimated, and how much its allocator has taken.
pub(super) fn memory_used(config: &TrainConfig, network: &dyn Network, batch: usize, open: &OpenDevice) -> String {
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let estimated = gpu_bytes(network, batch, config.freezes_text(), config.ema_decay > 0.0);
    let estimated = estimated.unwrap_or_default().saturating_sub(DRIVER_BYTES);
    let taken = match open.device.memory_pool_usage() {
        Some(usage) => {
            format!("{:.2} GiB reserved, {:.2} GiB in use", gib(usage.bytes_reserved), gib(usage.bytes_in_use))
        }
        None => "its allocator does not say how much it has taken".into(),
    };
    format!("memory of {} without its driver: {:.2} GiB estimated, {taken}", open.name, gib(estimated))
}

/// The bytes that a pass keeps for the backward pass.
fn kept_bytes(config: &TrainConfig, network: &dyn Network) -> u64 {
    let cost = network.cost();
    let free = if config.freezes_text() { cost.text.kept } else { 0.0 };
    (cost.value_bytes * (cost.kept - free) * config.batch_size as f64) as u64
}

/// The operations per second of a matrix product on this device, as the best of several measurements.
fn product_rate(device: &Device) -> f64 {
    let random = || Tensor::<2>::random([PROBE, PROBE], Distribution::Default, device);
    let (a, b) = (random(), random());
    let product = || {
        let begin = Instant::now();
        let _ = a.clone().matmul(b.clone()).slice([0..1, 0..1]).into_data();
        begin.elapsed().as_secs_f64()
    };
    let best = (0..5).map(|_| product()).fold(f64::INFINITY, f64::min);
    2.0 * (PROBE as f64).powi(3) / best.max(1e-9)
}

/// The memory that the system can provide without swapping, in bytes; `None` if it is unknown.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_text_encoder_needs_its_weights_only() {
        let network = Registry::default().parse(include_str!("../../assets/small.json")).expect("sizes").network;
        let network = network.as_ref();
        let [trained, frozen] =
            [false, true].map(|is_frozen| gpu_bytes(network, 8, is_frozen, false).expect("bytes"));
        let text = network.cost().text;
        // A gradient and two moments of four bytes for each weight, and the values that a pass keeps.
        let expected = 12.0 * text.parameters + 8.0 * KEPT_BYTES_GPU * text.kept;
        assert!(((trained - frozen) as f64 - expected).abs() < 2.0);
        let larger = gpu_bytes(network, 16, true, false).expect("bytes") - frozen;
        let kept = KEPT_BYTES_GPU * 8.0 * (network.cost().kept - text.kept);
        assert!((larger as f64 - kept).abs() < 2.0, "only the kept values grow with the batch");
        let averaged = gpu_bytes(network, 8, true, true).expect("bytes") - frozen;
        let average = 4.0 * (parameters(network).expect("a number") as f64 - text.parameters);
        assert!((averaged as f64 - average).abs() < 2.0, "what is not trained has no average");
    }

    fn run_of(architecture: &str, batch_size: usize, shards: usize) -> (TrainConfig, std::sync::Arc<dyn Network>) {
        let config =
            TrainConfig { architecture: Some(architecture.into()), batch_size, shards, ..TrainConfig::default() };
        let network = super::architecture(&Registry::default(), &config).expect(architecture).network;
        (config, network)
    }

    fn asset(name: &str) -> String {
        format!("{}/assets/{name}.json", env!("CARGO_MANIFEST_DIR"))
    }

    /// Measured: the largest resident memory of runs of two steps with phantoms on two threads, in KiB (`/usr/bin/time -v`).
    #[test]
    fn memory_is_right_to_a_fifth() {
        let [small, bundled] = ["small", "bundled"].map(asset);
        for (architecture, batch, kib) in [
            (small.as_str(), 4, 261_092.0),
            (small.as_str(), 16, 528_696.0),
            (bundled.as_str(), 4, 383_836.0),
            (bundled.as_str(), 16, 825_916.0),
            (bundled.as_str(), 32, 1_372_784.0),
            ("himix", 2, 4_222_940.0),
            ("himix", 8, 4_242_128.0),
            ("medsam-small", 2, 267_608.0),
            ("unet-small", 4, 641_220.0),
            ("unet-small", 16, 1_932_496.0),
            ("guidedecoder-small", 4, 342_396.0),
            ("guidedecoder-small", 16, 765_616.0),
            ("mmiunet-small", 4, 988_080.0),
            ("mmiunet-small", 16, 2_732_804.0),
            ("lvit-small", 4, 662_204.0),
            ("lvit-small", 16, 1_862_980.0),
            ("transunet-small", 4, 592_264.0),
            ("transunet-small", 16, 1_647_348.0),
        ] {
            let (config, network) = run_of(architecture, batch, (batch / 2).min(2));
            let ratio = bytes(&config, network.as_ref()).expect("bytes") as f64 / 1024.0 / kib;
            assert!(
                (0.8..1.2).contains(&ratio),
                "{architecture}, batches of {batch}: {ratio:.2} of what was measured"
            );
        }
    }

    /// Measured: the seconds of an epoch of so many training and validation images, while a matrix product ran at 380 GFLOP/s.
    #[test]
    fn time_is_right_to_a_factor_of_two() {
        let [small, bundled] = ["small", "bundled"].map(asset);
        for (architecture, batch, train, validation, seconds) in [
            (small.as_str(), 16, 160, 16, 3.8),
            (bundled.as_str(), 16, 160, 16, 5.1),
            ("himix", 4, 16, 2, 11.1),
            ("unet-small", 16, 32, 4, 4.4),
            ("guidedecoder-small", 16, 96, 10, 2.8),
            ("mmiunet-small", 16, 48, 5, 4.5),
            ("lvit-small", 16, 48, 5, 4.7),
            ("transunet-small", 16, 48, 5, 4.8),
        ] {
            let (config, network) = run_of(architecture, batch, 2);
            let work = cpu_operations(&config, network.as_ref(), train, validation).expect("operations");
            let ratio = work / 380e9 / seconds;
            assert!((0.5..2.0).contains(&ratio), "{architecture}: {ratio:.2} of what was measured");
        }
    }

    #[test]
    fn a_frozen_text_encoder_needs_less_memory_and_an_average_more() {
        let (config, network) = run_of("himix-small", 8, 2);
        let (text, all) = (network.cost().text, parameters(network.as_ref()).expect("a number") as f64);
        let of = |config: &TrainConfig| bytes(config, network.as_ref()).expect("bytes") as f64;
        let frozen = TrainConfig { train_text: Some(false), ..config.clone() };
        // Two gradients and two moments of four bytes, and what a batch of eight keeps.
        let expected = 16.0 * text.parameters + 8.0 * network.cost().value_bytes * text.kept;
        assert!((of(&config) - of(&frozen) - expected).abs() < 4.0);
        let averaged = TrainConfig { ema_decay: 0.9, ..config.clone() };
        assert!((of(&averaged) - of(&config) - 4.0 * all).abs() < 4.0);
        let smaller = TrainConfig { image_size: Some(128), ..config.clone() };
        let smaller = super::architecture(&Registry::default(), &smaller).expect("an architecture").network;
        assert!(
            bytes(&config, smaller.as_ref()).expect("bytes") < bytes(&config, network.as_ref()).expect("bytes")
        );
    }
}
