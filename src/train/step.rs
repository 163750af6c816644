//! One optimiser step.

use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};

use super::loss::Loss;
use crate::model::HiMix;

/// AdamW as PyTorch's: β 0.9 and 0.999, ε 1e-8, decoupled weight decay.
pub fn optimiser(weight_decay: f64) -> ModuleOptimizer {
    AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(weight_decay as f32).init()
}

/// Moves the weights once along the gradient of `loss`.
pub fn step(model: HiMix, optimiser: &mut ModuleOptimizer, loss: &Loss, learning_rate: f64) -> HiMix {
    let gradients = GradientsParams::from_grads(loss.total.backward(), &model);
    optimiser.step(learning_rate, model, gradients)
}
