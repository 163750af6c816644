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
/// The fraction of the matrix product's rate that a training step reaches: 0.095 with `assets/small.json` and
/// 0.114 with `assets/bundled.json` on two cores (`cargo bench --bench training`).
const EFFICIENCY: f64 = 0.1;
/// The cost of forward and backward pass relative to the forward pass. The backward pass costs twice as much as
/// the forward pass.
const PASSES: f64 = 3.0;
/// The bytes for each value of a layer's output that a step keeps for the backward pass. Measured by the peak
/// memory of both architectures with batches of 4, 16 and 32, it is 2.5 to 2.7; the rest is a margin.
const KEPT_BYTES: f64 = 4.0;
/// The same on a GPU, where it includes what the allocator holds in reserve: 14 values for each output of a block of
/// the vision encoder, of which the cost counts 20, and one part in seven for pages that are not full.
const KEPT_BYTES_GPU: f64 = 3.2;
/// The memory of a graphics driver and of its kernels in bytes.
const DRIVER_BYTES: u64 = 300 << 20;
/// The memory of the program itself in bytes.
const BASE_BYTES: u64 = 300 << 20;

/// The estimated requirements of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The number of training cases, including phantoms.
    pub train: usize,
    /// The number of validation cases.
    pub validation: usize,
    /// The number of values in the network's parameters.
    pub parameters: usize,
    /// The memory of the run in bytes: of the computer, where it tends to be too high by up to one half, or of the card
    /// if a GPU computes.
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
    let rate = EFFICIENCY * product_rate(&device.device);
    let operations = network.cost().operations;
    // The averaged weights are validated as well.
    let validations = if config.ema_decay > 0.0 { 2.0 } else { 1.0 };
    let images = PASSES * train.len() as f64 + validations * validation.len() as f64;
    Ok(Estimate {
        train: train.len(),
        validation: validation.len(),
        parameters: parameters(network.as_ref())?,
        bytes: match device.is_gpu {
            true => gpu_bytes(network.as_ref(), config.batch_size, config.freezes_text(), config.ema_decay > 0.0)?,
            false => bytes(config, network.as_ref())?,
        },
        seconds_per_epoch: images * operations / rate,
        notes,
    })
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

/// The memory of a run in bytes: weights, the gradients of every part of a batch, two moments, a copy for the
/// checkpoint, the average if there is one, and the values kept in a pass.
fn bytes(config: &TrainConfig, network: &dyn Network) -> Result<u64, TrainError> {
    let gradients = if network.is_divisible() { parts(config) } else { 1 };
    let copies = 4 + gradients + usize::from(config.ema_decay > 0.0);
    let weights = (copies * 4 * parameters(network)?) as u64;
    Ok(BASE_BYTES + weights + kept_bytes(config, network))
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
    (KEPT_BYTES * network.cost().kept * config.batch_size as f64) as u64
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
}
