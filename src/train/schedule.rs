//! The learning rate schedule: a cosine with one step per epoch or a polynomial with one step per step of the optimiser,
//! after a linear warm-up with one step per step of the optimiser.

use super::TrainConfig;
use super::config::Schedule;

/// The exponent of the polynomial.
const POWER: f64 = 0.9;

/// The learning rate at the beginning of `epoch`, counted from 0.
pub fn learning_rate(config: &TrainConfig, epoch: usize) -> f64 {
    rate_after(config, epoch, 0.0)
}

/// The learning rate in `epoch` after this share of its steps.
fn rate_after(config: &TrainConfig, epoch: usize, share: f64) -> f64 {
    let (high, low) = (config.lr, config.min_lr);
    if config.schedule == Schedule::Polynomial {
        let left = 1.0 - (epoch as f64 + share) / config.epochs as f64;
        return (high * left.max(0.0).powf(POWER)).max(low);
    }
    let epoch = if config.restarts { epoch % config.cosine_epochs } else { epoch };
    let turn = std::f64::consts::PI * epoch as f64 / config.cosine_epochs as f64;
    low + (high - low) * (1.0 + turn.cos()) / 2.0
}

/// The learning rate of a step within `epoch`, which has `steps` steps; all are counted from 0. During the warm-up, it
/// is the share of the epoch's rate that the steps done, including this one, are of all steps of the warm-up.
pub fn rate_of_step(config: &TrainConfig, epoch: usize, step: usize, steps: usize) -> f64 {
    let rate = rate_after(config, epoch, step as f64 / steps.max(1) as f64);
    let done = epoch as f64 + (step + 1) as f64 / steps.max(1) as f64;
    if done < config.warmup_epochs { rate * done / config.warmup_epochs } else { rate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_begins_the_cosine_anew() {
        let config =
            TrainConfig { lr: 3e-4, min_lr: 1e-4, cosine_epochs: 10, restarts: true, ..TrainConfig::default() };
        for epoch in 0..25 {
            let turn = std::f64::consts::PI * (epoch % 10) as f64 / 10.0;
            let expected = 1e-4 + 2e-4 * (1.0 + turn.cos()) / 2.0;
            assert!((learning_rate(&config, epoch) - expected).abs() < 1e-15, "epoch {epoch}");
        }
    }

    #[test]
    fn a_warm_up_rises_linearly_to_the_schedule() {
        let config = TrainConfig { lr: 1.0, min_lr: 1.0, warmup_epochs: 1.5, ..TrainConfig::default() };
        let rates: Vec<f64> = (0..8).map(|step| rate_of_step(&config, step / 4, step % 4, 4)).collect();
        for (step, rate) in rates.iter().enumerate() {
            let expected = ((step + 1) as f64 / 6.0).min(1.0);
            assert!((rate - expected).abs() < 1e-12, "step {step}: {rate}");
        }
        // Without a warm-up, every step has the rate of its epoch, to the last bit.
        let plain = TrainConfig::default();
        for epoch in [0, 1, 57] {
            assert_eq!(rate_of_step(&plain, epoch, 3, 9).to_bits(), learning_rate(&plain, epoch).to_bits());
        }
    }

    #[test]
    fn a_polynomial_falls_with_every_step() {
        let config = TrainConfig {
            schedule: Schedule::Polynomial,
            lr: 0.01,
            min_lr: 0.0,
            epochs: 5,
            ..TrainConfig::default()
        };
        for step in 0..20 {
            let expected = 0.01 * (1.0 - f64::from(step) / 20.0).powf(0.9);
            let (epoch, within) = (step as usize / 4, step as usize % 4);
            let rate = rate_of_step(&config, epoch, within, 4);
            assert!((rate - expected).abs() < 1e-12, "step {step}: {rate}");
        }
        let bounded = TrainConfig { min_lr: 0.005, ..config };
        assert_eq!(rate_of_step(&bounded, 4, 3, 4), 0.005);
        assert_eq!(learning_rate(&bounded, 7), 0.005, "a run that goes on longer");
    }
}
