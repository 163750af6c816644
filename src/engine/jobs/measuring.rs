//! Measurements of labels.

use std::sync::Arc;

use super::LabelsOf;
use crate::analysis::measurements::{Measurements, measure};
use crate::data::Volume;
use crate::engine::job::{Failure, Job, Task, Worker};

/// Measures the labels of an image.
#[derive(Debug)]
pub struct MeasureLabels {
    /// The image.
    pub volume: Arc<Volume>,
    /// The labels.
    pub labels: LabelsOf,
}

impl Job for MeasureLabels {
    type Answer = Measurements;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Measurements, Failure> {
        let (labels, ..) = self.labels.resolve();
        Ok(measure(&self.volume, &labels))
    }
}
