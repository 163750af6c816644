//! An estimate, before a run starts, of its cases, parameters, memory and time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::shards::parts;
use super::start::architecture;
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
    /// The memory of the run in bytes. It tends to be too high, by up to one half.
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
    let network = architecture(registry, config)?.network;
    let side = network.image_side();
    let (train, mut notes) = Cases::open(config, true, side, false)?;
    let (validation, more) = Cases::open(config, false, side, false)?;
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
        bytes: bytes(config, network.as_ref())?,
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
