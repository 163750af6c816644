//! The loss: the mean of Dice loss and cross-entropy.

use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;

use super::CrossEntropy;

/// Prevents the numerator and denominator of the Dice loss from being zero.
const SMOOTHING: f64 = 1e-5;
/// Keeps the logarithm finite.
const CLAMP: f64 = 1e-7;

/// The two terms and the total loss.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The soft Dice loss, `[1]`.
    pub dice: Tensor<1>,
    /// The cross-entropy, `[1]`.
    pub cross_entropy: Tensor<1>,
    /// The mean of both, which is minimised, `[1]`.
    pub total: Tensor<1>,
}

/// Computes the loss of logits and targets (0 or 1), both `[batch, 1, side, side]`. The Dice term is computed for
/// each image and averaged.
pub fn loss(logits: Tensor<4>, target: Tensor<4>, kind: CrossEntropy) -> Loss {
    let [batch, _, _, _] = logits.dims();
    let p = sigmoid(logits).reshape([batch as i32, -1]);
    let y = target.reshape([batch as i32, -1]);
    let both = (p.clone() * y.clone()).sum_dim(1) * 2.0 + SMOOTHING;
    let either = p.clone().sum_dim(1) + y.clone().sum_dim(1) + SMOOTHING;
    let dice = (both / either).neg().add_scalar(1.0).mean();
    let p = p.clamp(CLAMP, 1.0 - CLAMP);
    let foreground = y.clone() * p.clone().log();
    let terms = match kind {
        CrossEntropy::Literal => foreground,
        CrossEntropy::Binary => foreground + y.neg().add_scalar(1.0) * p.neg().add_scalar(1.0).log(),
    };
    let cross_entropy = terms.mean().neg();
    Loss { total: (dice.clone() + cross_entropy.clone()) * 0.5, dice, cross_entropy }
}
