//! What a run will take, before it begins: cases, parameters, memory, time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::start::architecture;
use crate::device::{self, OpenDevice};
use crate::model::weights::manifest;
use crate::model::{Network, Registry};

/// Side of the matrix product that measures the device.
const PROBE: usize = 512;
/// Share of the product's rate that a training step reaches: 0.095 with `assets/small.json`, 0.114 with `assets/bundled.json`, on two
/// cores (`cargo bench --bench training`).
const EFFICIENCY: f64 = 0.1;
/// Backward costs twice the forward.
const PASSES: f64 = 3.0;
/// Bytes per number of a layer's output that a step keeps for the way back. By the peak memory of both architectures at batches of 4,
/// 16 and 32 it is 2.5 to 2.7; the rest is room for what was not measured.
const KEPT_BYTES: f64 = 4.0;
/// Memory of the program itself.
const BASE_BYTES: u64 = 300 << 20;

/// What a run will take.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Cases to train on, phantoms included.
    pub train: usize,
    /// Cases to validate on.
    pub validation: usize,
    /// Numbers in the network.
    pub parameters: usize,
    /// Memory of the run, bytes; rather too much than too little, by up to a half.
    pub bytes: u64,
    /// Seconds an epoch on a machine that does nothing else; the run itself soon knows better.
    pub seconds_per_epoch: f64,
    /// What was found wrong with the data, in words.
    pub notes: Vec<String>,
}

/// Looks at file names and headers, and measures the device for a tenth of a second.
pub fn estimate(config: &TrainConfig) -> Result<Estimate, TrainError> {
    estimate_in(&Registry::default(), config)
}

/// The same with one of these networks.
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
    let images = PASSES * train.len() as f64 + validation.len() as f64;
    Ok(Estimate {
        train: train.len(),
        validation: validation.len(),
        parameters: parameters(network.as_ref())?,
        bytes: bytes(config, network.as_ref())?,
        seconds_per_epoch: images * operations / rate,
        notes,
    })
}

/// Refuses a batch that the machine's free memory cannot hold, and says which would do. On a GPU, whose free memory is not known
/// beforehand, it lets everything pass.
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

/// Memory of a run: weights, gradients, two moments, a copy for the checkpoint, and what a pass keeps.
fn bytes(config: &TrainConfig, network: &dyn Network) -> Result<u64, TrainError> {
    let weights = 5 * 4 * parameters(network)? as u64;
    Ok(BASE_BYTES + weights + kept_bytes(config, network))
}

/// What a pass keeps for the way back.
fn kept_bytes(config: &TrainConfig, network: &dyn Network) -> u64 {
    (KEPT_BYTES * network.cost().kept * config.batch_size as f64) as u64
}

/// Operations a second of a matrix product on this device, the best of a few.
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

/// Memory that the system can give without swapping; `None` where it does not say.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}
