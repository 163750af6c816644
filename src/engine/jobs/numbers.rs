//! Jobs that count and measure.

use std::sync::Arc;

use crate::analysis::refinement::{self, Step};
use crate::data::Mask;
use crate::data::volume::Lengths;
use crate::engine::inference::Counts;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::infer::{Inspection, Prediction};
use crate::metrics::hd95_of;

/// Compares an existing prediction with a ground truth that was opened later.
#[derive(Debug)]
pub struct CountPixels {
    /// The prediction.
    pub prediction: Arc<Prediction>,
    /// The ground truth, of the same size, and its ticket.
    pub truth: (Ticket, Arc<Mask>),
}

impl Job for CountPixels {
    type Answer = Counts;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Counts, Failure> {
        Ok(Counts::of(&self.prediction, Some(&self.truth)))
    }
}

/// Measures the 95 % Hausdorff distance between a mask and the ground truth; `None` if one of them is empty.
#[derive(Debug)]
pub struct MeasureDistance {
    /// The prediction from which the mask is computed.
    pub prediction: Arc<Prediction>,
    /// The ground truth, of the same size.
    pub truth: Arc<Mask>,
    /// The threshold of the mask.
    pub threshold: f32,
    /// The distances between two columns and between two rows, in the unit of the answer.
    pub size: [f64; 2],
}

impl Job for MeasureDistance {
    type Answer = Option<f64>;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Option<f64>, Failure> {
        let (mask, truth) = (self.prediction.mask(self.threshold), &self.truth);
        Ok(hd95_of(&mask, &truth.values, truth.width, truth.height, self.size))
    }
}

/// Computes the scores of the stages' masks from stage to stage.
#[derive(Debug)]
pub struct RefineStages {
    /// The inspection with the stages.
    pub inspection: Arc<Inspection>,
    /// The ground truth, of the same size as the image.
    pub truth: Option<Arc<Mask>>,
    /// The threshold of the masks.
    pub threshold: f32,
    /// How lengths in the image are measured.
    pub lengths: Lengths,
}

impl Job for RefineStages {
    type Answer = Vec<Step>;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Vec<Step>, Failure> {
        Ok(refinement::steps(&self.inspection, self.truth.as_deref(), self.threshold, self.lengths))
    }
}
