//! Fits the linear probes: a 1×1 convolution for each decoder stage of the frozen network. The loss is the mean of
//! Dice loss and cross-entropy.

use std::ops::ControlFlow;
use std::path::Path;

use burn::optim::{Adam, AdamConfig, AdamState, Optimizer as _};
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::error::TrainError;
use crate::data::dataset::pair::{self, Pair};
use crate::data::{Dataset, Image, Mask};
use crate::model::weights::linear_probes::{self, LinearProbe, LinearProbes};

/// The maximum number of positions kept of an image's stage output. If there are more, a random subset is drawn.
const POSITIONS: usize = 1024;
/// The number of images per step.
const BATCH: usize = 8;
/// The number of passes over all images.
const EPOCHS: usize = 60;
/// The initial learning rate of Adam, which decreases to 0 on a cosine schedule.
const LEARNING_RATE: f64 = 0.03;
/// Prevents the numerator and denominator of the Dice score from being zero.
const SMOOTHING: f64 = 1.0;
/// The seed for the positions and the order of the images.
const SEED: u64 = 0;

/// The progress of the fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitProgress {
    /// The number of images that the network has processed, and the total.
    Images(usize, usize),
    /// The index of the stage that is being fitted, counted from the coarsest, and the number of stages.
    Stages(usize, usize),
}

/// The output of a decoder stage for an image.
#[derive(Clone, Debug, PartialEq)]
pub struct StageOutput {
    /// The side length of the stage's grid.
    pub grid: usize,
    /// The number of channels.
    pub channels: usize,
    /// The values `[channels, 2 · grid, 2 · grid]`, in the natural orientation of the image.
    pub values: Vec<f32>,
}

/// The training data of an image for one stage.
struct Example {
    /// The features, `[positions, channels]`.
    values: Vec<f32>,
    /// The fraction of foreground in the cell of each position.
    target: Vec<f32>,
}

/// Fits linear probes on at most `limit` images of each data set (0 for all), spread evenly over its list. `look`
/// returns the outputs of the model's stages for an image and its prompt, coarse to fine. Returns `None` if
/// `progress` cancelled.
///
/// # Errors
/// No image can be read, `look` failed, or it returned no stages.
pub fn fit_linear_probes(
    datasets: &[Dataset],
    limit: usize,
    mut look: impl FnMut(&Image, &str) -> Result<Vec<StageOutput>, String>,
    mut progress: impl FnMut(FitProgress) -> ControlFlow<()>,
) -> Result<Option<LinearProbes>, TrainError> {
    let mut samples = Vec::new();
    for dataset in datasets {
        let count = dataset.samples.len();
        let wanted = if limit == 0 { count } else { limit.min(count) };
        samples.extend((0..wanted).map(|index| (&dataset.samples[index * count / wanted], &dataset.reading)));
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut stages: Vec<Stage> = Vec::new();
    let mut failure = None;
    for (index, (sample, reading)) in samples.iter().enumerate() {
        if progress(FitProgress::Images(index, samples.len())).is_break() {
            return Ok(None);
        }
        let (image, truth) = match pair::read(sample, reading) {
            Ok(Pair { image, mask, .. }) => (image, mask),
            Err(error) => {
                failure.get_or_insert(error.to_string());
                continue;
            }
        };
        let outputs = look(&image, &sample.prompt).map_err(TrainError::Stages)?;
        if outputs.is_empty() {
            return Err(TrainError::Stages("this network has no decoder stages to fit read-outs on".into()));
        }
        if stages.is_empty() {
            stages.extend(outputs.iter().map(|output| Stage::new(output.grid, output.channels)));
        }
        for (stage, output) in stages.iter_mut().zip(&outputs) {
            stage.examples.push(example(&output.values, 2 * output.grid, &truth, &mut random));
        }
    }
    let images = stages.first().map_or(0, |stage| stage.examples.len());
    if let (0, reason) = (images, failure) {
        let reason = reason.unwrap_or_else(|| "the list is empty".into());
        return Err(TrainError::NothingReadable { count: samples.len(), reason });
    }
    let mut fitted = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        if progress(FitProgress::Stages(index, stages.len())).is_break() {
            return Ok(None);
        }
        let (weight, bias) = fit(&stage.examples, stage.channels, &mut random);
        fitted.push(LinearProbe { grid: stage.grid, weight, bias });
    }
    let names: Vec<String> =
        datasets.iter().map(|set| format!("{}, split {}", folder_name(&set.root), set.split)).collect();
    let description = format!("fitted on {images} images of {}", names.join(" and "));
    Ok(Some(LinearProbes { description, images, stages: fitted }))
}

/// A stage and the training data of all images for it.
struct Stage {
    grid: usize,
    channels: usize,
    examples: Vec<Example>,
}

impl Stage {
    fn new(grid: usize, channels: usize) -> Self {
        Self { grid, channels, examples: Vec::new() }
    }
}

/// Writes linear probes to a file. The file is written completely before it gets its name.
///
/// # Errors
/// The file cannot be written.
pub fn write_linear_probes(path: &Path, read: &LinearProbes) -> Result<(), TrainError> {
    Ok(linear_probes::write(path, read)?)
}

fn folder_name(root: &Path) -> String {
    root.file_name().map_or_else(|| root.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Draws positions of `output`, `[channels, side, side]`, with the fraction of foreground at each.
fn example(output: &[f32], side: usize, truth: &Mask, random: &mut fastrand::Rng) -> Example {
    let cells = side * side;
    let shares = cell_shares(truth, side);
    let mut places: Vec<usize> = (0..cells).collect();
    if cells > POSITIONS {
        random.shuffle(&mut places);
        places.truncate(POSITIONS);
    }
    let channels = output.len() / cells;
    let values = places.iter().flat_map(|at| (0..channels).map(move |channel| output[channel * cells + at]));
    Example { values: values.collect(), target: places.iter().map(|at| shares[*at]).collect() }
}

/// The fraction of foreground in each of `side × side` cells of a mask. A cell smaller than a pixel uses the pixel
/// at its centre.
fn cell_shares(mask: &Mask, side: usize) -> Vec<f32> {
    let range = |cell: usize, length: usize| {
        let (from, to) = (cell * length / side, (cell + 1) * length / side);
        if to > from {
            from..to
        } else {
            (2 * cell + 1) * length / (2 * side)..(2 * cell + 1) * length / (2 * side) + 1
        }
    };
    let mut shares = Vec::with_capacity(side * side);
    for y in 0..side {
        let rows = range(y, mask.height);
        for x in 0..side {
            let columns = range(x, mask.width);
            let row = |y: usize| &mask.values[y * mask.width..][columns.clone()];
            let inside: usize = rows.clone().map(|y| row(y).iter().filter(|value| **value != 0).count()).sum();
            shares.push(inside as f32 / (rows.len() * columns.len()) as f32);
        }
    }
    shares
}

/// Fits the weights and the bias for the original outputs.
fn fit(examples: &[Example], channels: usize, random: &mut fastrand::Rng) -> (Vec<f32>, f32) {
    let (mean, deviation) = moments(examples, channels);
    // The fit uses values with mean 0 and standard deviation 1, so that one learning rate suits every channel.
    let scaled: Vec<Vec<f32>> = examples
        .iter()
        .map(|example| {
            let rows = example.values.chunks_exact(channels);
            rows.flat_map(|row| (0..channels).map(|c| (row[c] - mean[c]) / deviation[c])).collect()
        })
        .collect();
    let device = Device::flex().autodiff();
    let mut probe = Probe::new(channels, &device);
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let steps = EPOCHS * examples.len().div_ceil(BATCH);
    let mut step = 0;
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            let join = |of: &dyn Fn(usize) -> Vec<f32>| batch.iter().flat_map(|index| of(*index)).collect();
            let values: Vec<f32> = join(&|index| scaled[index].clone());
            let target: Vec<f32> = join(&|index| examples[index].target.clone());
            let shape = [batch.len(), target.len() / batch.len()];
            let values = TensorData::new(values, [shape[0] * shape[1], channels]);
            let values = Tensor::<2>::from_data(values, &device);
            let target = Tensor::<2>::from_data(TensorData::new(target, shape), &device);
            let gradients = loss(probe.logits(values).reshape(shape), target).backward();
            let cosine = (std::f64::consts::PI * step as f64 / steps as f64).cos();
            probe.step(gradients, LEARNING_RATE * 0.5 * (1.0 + cosine));
            step += 1;
        }
    }
    let (weights, shift) = probe.values();
    let weight: Vec<f32> = weights.iter().zip(&deviation).map(|(weight, deviation)| weight / deviation).collect();
    let bias = shift - weight.iter().zip(&mean).map(|(weight, mean)| weight * mean).sum::<f32>();
    (weight, bias)
}

/// A 1×1 convolution and its optimiser, Adam (Kingma and Ba 2015).
struct Probe {
    /// The weight, `[channels, 1]`.
    weight: Tensor<2>,
    /// The bias, `[1, 1]`.
    bias: Tensor<2>,
    rule: Adam,
    states: [Option<AdamState<2>>; 2],
}

impl Probe {
    fn new(channels: usize, device: &Device) -> Self {
        let zeros = |rows| Tensor::<2>::zeros([rows, 1], device).require_grad();
        let rule = AdamConfig::new().with_epsilon(1e-8).build();
        Self { weight: zeros(channels), bias: zeros(1), rule, states: [None, None] }
    }

    /// Maps `[positions, channels]` to logits `[positions, 1]`.
    fn logits(&self, values: Tensor<2>) -> Tensor<2> {
        values.matmul(self.weight.clone()) + self.bias.clone()
    }

    fn step(&mut self, mut gradients: Gradients, rate: f64) {
        for (tensor, state) in [&mut self.weight, &mut self.bias].into_iter().zip(&mut self.states) {
            let Some(gradient) = tensor.grad_remove(&mut gradients) else { continue };
            let (moved, next) = self.rule.step(rate, tensor.clone().inner(), gradient, state.take());
            *tensor = Tensor::from_inner(moved).require_grad();
            *state = next;
        }
    }

    /// The weights and the bias.
    fn values(self) -> (Vec<f32>, f32) {
        let numbers = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        (numbers(self.weight), numbers(self.bias).first().copied().unwrap_or_default())
    }
}

/// Computes ½ (1 − Dice) + ½ cross-entropy for each image, averaged. `logits` and `target`, the fraction of
/// foreground, are `[images, positions]`.
fn loss(logits: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
    let p = sigmoid(logits.clone());
    let both = (p.clone() * target.clone()).sum_dim(1) * 2.0 + SMOOTHING;
    let either = p.sum_dim(1) + target.clone().sum_dim(1) + SMOOTHING;
    let dice = (both / either).neg().add_scalar(1.0).mean();
    let background = target.clone().neg().add_scalar(1.0);
    let entropy = target * log_sigmoid(logits.clone()) + background * log_sigmoid(logits.neg());
    (dice - entropy.mean()) * 0.5
}

/// The mean and standard deviation of every channel. A constant channel gets the deviation 1.
fn moments(examples: &[Example], channels: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut sum, mut squares, mut count) = (vec![0f64; channels], vec![0f64; channels], 0usize);
    for row in examples.iter().flat_map(|example| example.values.chunks_exact(channels)) {
        count += 1;
        for (channel, value) in row.iter().enumerate() {
            sum[channel] += f64::from(*value);
            squares[channel] += f64::from(*value) * f64::from(*value);
        }
    }
    let count = count.max(1) as f64;
    let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
    let variance = squares.iter().zip(&mean).map(|(squares, mean)| squares / count - mean * mean);
    let deviation = variance.map(|variance| if variance > 1e-12 { variance.sqrt() as f32 } else { 1.0 }).collect();
    (mean.into_iter().map(|mean| mean as f32).collect(), deviation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::is_foreground;

    #[test]
    fn a_lesion_that_one_channel_tells_is_found() {
        let mut random = fastrand::Rng::with_seed(3);
        let side = 14;
        let mut one = |at: usize| {
            let inside = |x: usize, y: usize| x.abs_diff(at) < 4 && y.abs_diff(6) < 4;
            let values = (0..side * side).map(|i| u8::from(inside(i % side, i / side))).collect();
            let mask = Mask { width: side, height: side, values };
            let mut output: Vec<f32> = (0..3 * side * side).map(|_| random.f32() * 40.0 + 100.0).collect();
            for (at, inside) in mask.values.iter().enumerate() {
                output[side * side + at] = f32::from(*inside) * -0.01 + random.f32() * 0.004;
            }
            (example(&output, side, &mask, &mut random), output, mask)
        };
        let cases: Vec<_> = (4..10).map(&mut one).collect();
        let (examples, rest): (Vec<_>, Vec<_>) = cases.into_iter().map(|(a, b, c)| (a, (b, c))).unzip();
        let (weight, bias) = fit(&examples, 3, &mut random);
        let linear_probe = LinearProbe { grid: 7, weight, bias };
        for (output, mask) in rest {
            let probability = linear_probe.probability(&output);
            let wrong =
                probability.iter().zip(&mask.values).filter(|(p, y)| is_foreground(**p, 0.5) != (**y == 1));
            assert_eq!(wrong.count(), 0);
        }
    }

    #[test]
    fn cells_count_their_pixels() {
        let mask = Mask { width: 4, height: 2, values: vec![1, 1, 0, 0, 1, 0, 0, 1] };
        assert_eq!(cell_shares(&mask, 2), [1.0, 0.0, 0.5, 0.5]);
        assert_eq!(cell_shares(&mask, 1), [0.5]);
        assert_eq!(cell_shares(&mask, 4)[..4], [1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn a_small_grid_is_taken_whole_and_of_a_large_one_places_are_drawn() {
        let of = |side: usize| {
            // One channel that is the truth itself.
            let values: Vec<u8> = (0..side * side).map(|at| u8::from(at % 3 == 0)).collect();
            let output: Vec<f32> = values.iter().map(|value| f32::from(*value)).collect();
            let mask = Mask { width: side, height: side, values };
            (example(&output, side, &mask, &mut fastrand::Rng::with_seed(1)), output)
        };
        let (small, all) = of(10);
        assert_eq!((&small.values, &small.target), (&all, &all));
        let (large, _) = of(40);
        assert_eq!((large.values.len(), &large.values), (1024, &large.target));
    }
}
