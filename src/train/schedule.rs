//! The learning rate schedule: a cosine with one step per epoch.

use super::TrainConfig;

/// The learning rate of `epoch`, counted from 0.
pub fn learning_rate(config: &TrainConfig, epoch: usize) -> f64 {
    let (high, low) = (config.lr, config.min_lr);
    let turn = std::f64::consts::PI * epoch as f64 / config.cosine_epochs as f64;
    low + (high - low) * (1.0 + turn.cos()) / 2.0
}
