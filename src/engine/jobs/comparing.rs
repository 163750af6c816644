//! Scores of masks that need not be predictions.

use std::sync::Arc;

use crate::data::Mask;
use crate::engine::MaskOf;
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::metrics::{Confusion, hd95_of};

/// Compares a mask with a reference of the same size: counts pixels, and measures the 95 % Hausdorff distance, which is
/// `None` if one of them is empty.
#[derive(Debug)]
pub struct CompareMasks {
    /// The mask.
    pub mask: MaskOf,
    /// The reference.
    pub reference: Arc<Mask>,
    /// The distances between two columns and between two rows, in the unit of the answer.
    pub size: [f64; 2],
}

impl Job for CompareMasks {
    type Answer = (Confusion, Option<f64>);
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let (mask, reference) = (self.mask.mask(), self.reference);
        if [mask.width, mask.height] != [reference.width, reference.height] {
            return Err("The masks differ in size.".to_owned().into());
        }
        let confusion = Confusion::of(&mask.values, &reference.values);
        let distance = hd95_of(&mask.values, &reference.values, mask.width, mask.height, self.size);
        Ok((confusion, distance))
    }
}
