//! Fitting the read-outs: a 1×1 convolution for each decoder stage on the frozen network, by half Dice, half cross entropy.
//!
//! Plain arithmetic on the stages' outputs: a few hundred weights a stage, for which a library would only be in the way.

use std::ops::ControlFlow;
use std::path::Path;

use super::error::InferError;
use super::inspection::InspectOptions;
use super::predictor::Predictor;
use crate::data::dataset::pair::{self, Pair};
use crate::data::{Dataset, Mask};
use crate::model::weights::linear_probes::{self, LinearProbe, LinearProbes};

/// Positions of an image's stage output that are kept, drawn at random where there are more.
const POSITIONS: usize = 1024;
/// Images of a step.
const BATCH: usize = 8;
/// Times that every image is seen.
const EPOCHS: usize = 60;
/// Of Adam; falls to 0 on a cosine.
const LEARNING_RATE: f32 = 0.03;
/// Keeps numerator and denominator of Dice from zero.
const SMOOTHING: f32 = 1.0;
/// For the positions and the order of the images.
const SEED: u64 = 0;

/// How far the fitting is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FitProgress {
    /// The network has seen so many images of so many.
    Images(usize, usize),
    /// The read-out of this stage, counted from the coarsest, is fitted; of so many.
    Stages(usize, usize),
}

/// What an image gives to one stage.
struct Example {
    /// `[positions, channels]`
    values: Vec<f32>,
    /// Share of foreground in each position's cell.
    target: Vec<f32>,
}

/// Fits read-outs of the predictor's model on at most `limit` images of each data set (0 for all), evenly over its list. None where
/// `progress` broke off.
///
/// The predictor uses them from then on; [`write_linear_probes`] keeps them.
pub fn fit_linear_probes(
    predictor: &mut Predictor,
    datasets: &[Dataset],
    limit: usize,
    mut progress: impl FnMut(FitProgress) -> ControlFlow<()>,
) -> Result<Option<LinearProbes>, InferError> {
    let mut samples = Vec::new();
    for dataset in datasets {
        let count = dataset.samples.len();
        let wanted = if limit == 0 { count } else { limit.min(count) };
        samples.extend((0..wanted).map(|index| (&dataset.samples[index * count / wanted], &dataset.reading)));
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let config = predictor.config().clone();
    let mut examples: Vec<Vec<Example>> = (0..config.stage_count()).map(|_| Vec::new()).collect();
    let mut failure = None;
    let wanted = InspectOptions { stages: true, ..InspectOptions::default() };
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
        let inspection = predictor.inspect(&image, &sample.prompt, None, wanted)?;
        for (stage, examples) in inspection.stages.iter().zip(&mut examples) {
            examples.push(example(&stage.output, stage.side(), &truth, &mut random));
        }
    }
    let images = examples.first().map_or(0, Vec::len);
    if let (0, reason) = (images, failure) {
        let reason = reason.unwrap_or_else(|| "the list is empty".into());
        return Err(InferError::NothingReadable { count: samples.len(), reason });
    }
    let mut stages = Vec::new();
    for (index, examples) in examples.iter().enumerate() {
        if progress(FitProgress::Stages(index, config.stage_count())).is_break() {
            return Ok(None);
        }
        let (weight, bias) = fit(examples, config.stage_channels(index) / 2, &mut random);
        stages.push(LinearProbe { grid: config.stage_grid(index), weight, bias });
    }
    let names: Vec<String> =
        datasets.iter().map(|set| format!("{}, split {}", folder_name(&set.root), set.split)).collect();
    let description = format!("fitted on {images} images of {}", names.join(" and "));
    let linear_probes = LinearProbes { description, images, stages };
    predictor.use_linear_probes(linear_probes.clone());
    Ok(Some(linear_probes))
}

/// Writes read-outs to a file, complete before it gets its name.
pub fn write_linear_probes(path: &Path, read: &LinearProbes) -> Result<(), InferError> {
    Ok(linear_probes::write(path, read)?)
}

fn folder_name(root: &Path) -> String {
    root.file_name().map_or_else(|| root.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// `output` is `[channels, side, side]`.
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

/// Share of foreground in each of `side × side` cells of a mask. A cell smaller than a pixel takes the pixel in its middle.
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

/// Weights and bias on the outputs as they are.
fn fit(examples: &[Example], channels: usize, random: &mut fastrand::Rng) -> (Vec<f32>, f32) {
    let (mean, deviation) = moments(examples, channels);
    // Fitted on values of mean 0 and deviation 1, on which one learning rate fits every channel.
    let scaled: Vec<Vec<f32>> = examples
        .iter()
        .map(|example| {
            let rows = example.values.chunks_exact(channels);
            rows.flat_map(|row| (0..channels).map(|c| (row[c] - mean[c]) / deviation[c])).collect()
        })
        .collect();
    let mut adam = Adam::new(channels + 1);
    let mut weights = vec![0f32; channels + 1];
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let steps = EPOCHS * examples.len().div_ceil(BATCH);
    let mut step = 0;
    for _ in 0..EPOCHS {
        random.shuffle(&mut order);
        for batch in order.chunks(BATCH) {
            let mut gradient = vec![0f32; channels + 1];
            for &index in batch {
                add_gradient(&mut gradient, &weights, &scaled[index], &examples[index].target);
            }
            gradient.iter_mut().for_each(|value| *value /= batch.len() as f32);
            let cosine = (std::f32::consts::PI * step as f32 / steps as f32).cos();
            adam.step(&mut weights, &gradient, LEARNING_RATE * 0.5 * (1.0 + cosine));
            step += 1;
        }
    }
    let weight: Vec<f32> = (0..channels).map(|c| weights[c] / deviation[c]).collect();
    let bias = weights[channels] - weight.iter().zip(&mean).map(|(weight, mean)| weight * mean).sum::<f32>();
    (weight, bias)
}

/// Mean and deviation of every channel; a constant one has deviation 1.
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

/// Adds the gradient of an image's loss, ½ (1 − Dice) + ½ cross entropy, by weights and bias (the last).
fn add_gradient(gradient: &mut [f32], weights: &[f32], values: &[f32], target: &[f32]) {
    let channels = weights.len() - 1;
    let probability: Vec<f32> = values
        .chunks_exact(channels)
        .map(|row| {
            let logit =
                weights[channels] + row.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f32>();
            1.0 / (1.0 + (-logit).exp())
        })
        .collect();
    let both = 2.0 * probability.iter().zip(target).map(|(p, y)| p * y).sum::<f32>() + SMOOTHING;
    let either = probability.iter().sum::<f32>() + target.iter().sum::<f32>() + SMOOTHING;
    let count = target.len() as f32;
    for ((row, &p), &y) in values.chunks_exact(channels).zip(&probability).zip(target) {
        let by_dice = -(2.0 * y * either - both) / (either * either) * p * (1.0 - p);
        let slope = 0.5 * by_dice + 0.5 * (p - y) / count;
        gradient.iter_mut().zip(row).for_each(|(sum, value)| *sum += slope * value);
        gradient[channels] += slope;
    }
}

/// Kingma and Ba 2015.
struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    time: i32,
}

impl Adam {
    fn new(count: usize) -> Self {
        Self { first: vec![0.0; count], second: vec![0.0; count], time: 0 }
    }

    fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32) {
        self.time += 1;
        let (a, b) = (1.0 - 0.9f32.powi(self.time), 1.0 - 0.999f32.powi(self.time));
        for (index, weight) in weights.iter_mut().enumerate() {
            self.first[index] = 0.9 * self.first[index] + 0.1 * gradient[index];
            self.second[index] = 0.999 * self.second[index] + 0.001 * gradient[index] * gradient[index];
            *weight -= rate * (self.first[index] / a) / ((self.second[index] / b).sqrt() + 1e-8);
        }
    }
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
    fn the_gradient_agrees_with_finite_differences() {
        let values = [0.3, -1.0, 2.0, 0.5, -0.7, 0.1, 1.5, -0.2];
        let target = [1.0, 0.0, 0.25, 1.0];
        let loss = |weights: &[f32]| {
            let p: Vec<f32> = values
                .chunks_exact(2)
                .map(|row| 1.0 / (1.0 + (-(weights[0] * row[0] + weights[1] * row[1] + weights[2])).exp()))
                .collect();
            let both = 2.0 * p.iter().zip(&target).map(|(p, y)| p * y).sum::<f32>() + SMOOTHING;
            let either = p.iter().sum::<f32>() + target.iter().sum::<f32>() + SMOOTHING;
            let entropy =
                p.iter().zip(&target).map(|(p, y)| -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())).sum::<f32>() / 4.0;
            0.5 * (1.0 - both / either) + 0.5 * entropy
        };
        let weights = [0.4, -0.3, 0.1];
        let mut gradient = [0f32; 3];
        add_gradient(&mut gradient, &weights, &values, &target);
        for index in 0..3 {
            let moved = |by: f32| {
                let mut weights = weights;
                weights[index] += by;
                loss(&weights)
            };
            let measured = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((measured - gradient[index]).abs() < 1e-3, "{measured} against {}", gradient[index]);
        }
    }

    #[test]
    fn cells_count_their_pixels() {
        let mask = Mask { width: 4, height: 2, values: vec![1, 1, 0, 0, 1, 0, 0, 1] };
        assert_eq!(cell_shares(&mask, 2), [1.0, 0.0, 0.5, 0.5]);
        assert_eq!(cell_shares(&mask, 1), [0.5]);
        assert_eq!(cell_shares(&mask, 4)[..4], [1.0, 1.0, 0.0, 0.0]);
    }
}
