//! A mask that is looked at, whatever made it.

use std::sync::Arc;

use crate::data::Mask;
use crate::infer::Prediction;

/// A mask, or what it is made from.
#[derive(Clone, Debug)]
pub enum MaskOf {
    /// The mask of a prediction at a threshold.
    Prediction(Arc<Prediction>, f32),
    /// A mask that is known.
    Mask(Arc<Mask>),
}

impl MaskOf {
    /// Returns the mask, at the size of the image.
    pub fn mask(&self) -> Arc<Mask> {
        match self {
            Self::Prediction(prediction, threshold) => {
                let plane = &prediction.probability;
                let values = prediction.mask(*threshold);
                Arc::new(Mask { width: plane.width, height: plane.height, values })
            }
            Self::Mask(mask) => mask.clone(),
        }
    }
}
