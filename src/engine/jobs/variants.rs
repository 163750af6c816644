//! Jobs about several prompts of one image.

use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, foreground};
use crate::engine::inference::Counts;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::engine::model_job::{ModelJob, ModelTask, network_input};
use crate::infer::{Plane, Prediction, Segmenter, predict_each};
use crate::metrics::{foreground_share, pairwise_dice};

/// Predicts several prompts of one image.
#[derive(Debug)]
pub struct PredictVariants {
    /// The image.
    pub image: Arc<Image>,
    /// The display window applied to the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The prompts.
    pub prompts: Vec<String>,
    /// The ground truth, of the same size as the image, and its ticket.
    pub truth: Option<(Ticket, Arc<Mask>)>,
}

impl ModelJob for PredictVariants {
    type Answer = Vec<(Arc<Prediction>, Counts)>;

    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Self::Answer, Failure> {
        let image = network_input(&self.image, self.seen);
        let keep = |_, prediction: Prediction| {
            let counts = Counts::of(&prediction, self.truth.as_ref());
            (Arc::new(prediction), counts)
        };
        let progress = |done| task.progress(done, self.prompts.len());
        let kept = predict_each(model, &image, &self.prompts, keep, progress);
        kept.map_err(|error| error.to_string())?.ok_or(Failure::Cancelled)
    }
}

/// Compares the masks of several predictions of one image with each other.
#[derive(Debug)]
pub struct CompareVariants {
    /// The predictions, each with the threshold of its mask.
    pub masks: Vec<(Arc<Prediction>, f32)>,
}

/// How the masks of several predictions differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Differences {
    /// The Dice of every pair of masks, row by row. It is 1 for two empty masks.
    pub dice: Vec<Vec<f64>>,
    /// The disagreement at each pixel of the network's grid: 0 where all masks say the same, 1 where half of them
    /// have the pixel.
    pub disagreement: Plane,
}

impl Job for CompareVariants {
    type Answer = Differences;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Differences, Failure> {
        let words = |error: crate::metrics::UnequalMasks| Failure::Failed(error.to_string());
        let whole: Vec<Vec<u8>> =
            self.masks.iter().map(|(prediction, threshold)| prediction.mask(*threshold)).collect();
        let masks: Vec<&[u8]> = whole.iter().map(Vec::as_slice).collect();
        let dice = pairwise_dice(&masks).map_err(words)?;
        // A map of the size of the network's grid is enough for the screen. Another model may have another grid.
        let (width, height) = self.masks.first().map_or((0, 0), |(prediction, _)| {
            (prediction.probability_model.width, prediction.probability_model.height)
        });
        let grids: Vec<Vec<u8>> = self
            .masks
            .iter()
            .map(|(prediction, threshold)| {
                foreground(&on_grid(&prediction.probability_model, width, height), *threshold)
            })
            .collect();
        let grids: Vec<&[u8]> = grids.iter().map(Vec::as_slice).collect();
        let share = foreground_share(&grids).map_err(words)?;
        let values = share.into_iter().map(|share| 1.0 - (2.0 * share - 1.0).abs()).collect();
        Ok(Differences { dice, disagreement: Plane { width, height, values } })
    }
}

/// Returns the values of a map at the nearest places of a grid of another size.
fn on_grid(plane: &Plane, width: usize, height: usize) -> Vec<f32> {
    let nearest = |at: usize, of: usize, from: usize| ((2 * at + 1) * from / (2 * of)).min(from.saturating_sub(1));
    let at = |index: usize| {
        let (x, y) = (nearest(index % width, width, plane.width), nearest(index / width, height, plane.height));
        plane.values.get(y * plane.width + x).copied().unwrap_or(f32::NAN)
    };
    (0..width * height).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::job::Opened;

    fn prediction(values: &[f32]) -> Arc<Prediction> {
        let plane = Plane { width: values.len(), height: 1, values: values.to_vec() };
        Arc::new(Prediction::of_map("", plane))
    }

    #[test]
    fn disagreement_is_greatest_where_half_of_the_masks_have_a_pixel() {
        let masks = vec![
            (prediction(&[0.9, 0.9, 0.1, 0.6]), 0.5),
            (prediction(&[0.9, 0.1, 0.1, 0.6]), 0.5),
            (prediction(&[0.9, 0.9, 0.1, 0.6]), 0.7),
            (prediction(&[0.9, 0.1, 0.1, 0.8]), 0.7),
        ];
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        let differences = CompareVariants { masks }.run(&mut task).expect("differences");
        assert_eq!(differences.disagreement.values, [0.0, 1.0, 0.0, 0.5]);
        // Three and two pixels, two of them common.
        assert!((differences.dice[0][1] - 0.8).abs() < 1e-12);
        assert_eq!((differences.dice[0][0], differences.dice[1][0]), (1.0, differences.dice[0][1]));
    }
}
