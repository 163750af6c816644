//! The encoder of the U-shaped networks: pairs of convolutions, each on half the grid of the one before it.

use burn::module::Module;
use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};

use super::conv_norm::ConvNorm;
use crate::model::trace::Trace;

/// Two convolutions of the encoder.
#[derive(Module, Debug)]
pub struct Down {
    /// The convolutions.
    pub convs: Vec<ConvNorm>,
}

/// Applies convolutions one after the other.
pub fn through(convs: &[ConvNorm], x: Tensor<4>) -> Tensor<4> {
    convs.iter().fold(x, |x, conv| conv.forward(x))
}

/// Maps an image to the outputs of the levels, fine to coarse: that of `first`, and of each of `down` after a maximum over
/// squares of 2×2. They are recorded as `x1`, `x2` and so on.
pub fn encode(first: &ConvNorm, down: &[Down], image: Tensor<4>, trace: &mut Trace) -> Vec<Tensor<4>> {
    let mut x = first.forward(image);
    trace.record("x1", &x);
    let mut levels = vec![x.clone()];
    for (index, level) in down.iter().enumerate() {
        x = through(&level.convs, module::max_pool2d(x, MaxPoolOptions::new([2, 2])));
        trace.record(format!("x{}", index + 2), &x);
        levels.push(x.clone());
    }
    levels
}
