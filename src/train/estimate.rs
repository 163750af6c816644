//! What a run will take, before it begins: cases, parameters, memory, time.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use super::cases::Cases;
use super::config::TrainConfig;
use super::error::TrainError;
use super::start::architecture;
use crate::device::{self, OpenDevice};
use crate::model::config::ModelConfig;
use crate::model::weights::keys;

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
    config.validate().map_err(TrainError::Config)?;
    let architecture = architecture(config)?;
    let side = architecture.decoder.image_size;
    let (train, mut notes) = Cases::open(config, true, side, false)?;
    let (validation, more) = Cases::open(config, false, side, false)?;
    notes.extend(more);
    notes.extend(train.shared_with(&validation));
    let choice = config.device.parse().map_err(TrainError::Config)?;
    let device = device::open(choice);
    let rate = EFFICIENCY * product_rate(&device.device);
    let operations = operations(&architecture);
    let images = PASSES * train.len() as f64 + validation.len() as f64;
    Ok(Estimate {
        train: train.len(),
        validation: validation.len(),
        parameters: parameters(&architecture)?,
        bytes: bytes(config, &architecture)?,
        seconds_per_epoch: images * operations / rate,
        notes,
    })
}

/// Refuses a batch that the machine's free memory cannot hold, and says which would do. On a GPU, whose free memory is not known
/// beforehand, it lets everything pass.
pub(super) fn must_fit(
    config: &TrainConfig,
    architecture: &ModelConfig,
    device: &OpenDevice,
) -> Result<(), TrainError> {
    let Some(free) = (!device.is_gpu).then(free_bytes).flatten() else { return Ok(()) };
    let needed = bytes(config, architecture)?;
    if needed <= free {
        return Ok(());
    }
    let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let kept = kept_bytes(config, architecture);
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

fn parameters(config: &ModelConfig) -> Result<usize, TrainError> {
    let specs = keys::parameters(config).map_err(|error| TrainError::Config(error.to_string()))?;
    Ok(specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum())
}

/// Memory of a run: weights, gradients, two moments, a copy for the checkpoint, and what a pass keeps.
fn bytes(config: &TrainConfig, architecture: &ModelConfig) -> Result<u64, TrainError> {
    let weights = 5 * 4 * parameters(architecture)? as u64;
    Ok(BASE_BYTES + weights + kept_bytes(config, architecture))
}

/// What a pass keeps for the way back.
fn kept_bytes(config: &TrainConfig, architecture: &ModelConfig) -> u64 {
    (KEPT_BYTES * numbers(architecture) * config.batch_size as f64) as u64
}

/// Grid side and channels of every stage of the vision encoder.
fn stages(config: &ModelConfig) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
    let first = config.decoder.image_size / config.vision.patch_size.max(1);
    let sizes = config.vision.hidden_sizes.iter().zip(&config.vision.depths).enumerate();
    sizes.map(move |(stage, (channels, depth))| ((first >> stage) as f64, *channels as f64, *depth as f64))
}

/// Multiplications and additions of one image on the way there.
fn operations(config: &ModelConfig) -> f64 {
    let vision: f64 = stages(config).map(|(n, c, depth)| depth * n * n * 2.0 * (49.0 * c + 8.0 * c * c)).sum();
    let (hidden, wide) = (config.text.hidden_size as f64, config.text.intermediate_size as f64);
    let layer = 2.0 * config.token_limit as f64 * (4.0 * hidden * hidden + 2.0 * hidden * wide);
    let text = config.text.num_hidden_layers as f64 * layer;
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            let (grid, fine) = (n * n, 4.0 * n * n);
            let attention = grid * (7.0 * c * c + 2.0 * grid * c);
            let up = grid * 2.0 * c * c + fine * 9.0 * (c * c / 2.0 + c * c / 4.0);
            2.0 * (attention + up)
        })
        .sum();
    let (n, c) = (config.decoder.image_size as f64 / 4.0, config.vision.hidden_sizes[0] as f64);
    vision + text + decoder + 2.0 * n * n * 9.0 * c * 16.0
}

/// Numbers of one image that a step keeps for the way back.
fn numbers(config: &ModelConfig) -> f64 {
    let vision: f64 = stages(config).map(|(n, c, depth)| depth * n * n * c * 20.0).sum();
    let (hidden, wide) = (config.text.hidden_size as f64, config.text.intermediate_size as f64);
    let text = config.text.num_hidden_layers as f64 * config.token_limit as f64 * (16.0 * hidden + 3.0 * wide);
    let decoder: f64 = (0..config.stage_count())
        .map(|stage| {
            let (n, c) = (config.stage_grid(stage) as f64, config.stage_channels(stage) as f64);
            n * n * c * 40.0 + 4.0 * n * n * c * 12.0
        })
        .sum();
    let side = config.decoder.image_size as f64;
    vision + text + decoder + side * side * 30.0
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

/// Memory that the system can give without swapping; none where it does not say.
fn free_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}
