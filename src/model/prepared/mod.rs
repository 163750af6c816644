//! Building blocks of a network's executor, which compute the same values as the network with fewer operations,
//! for one image at a time.
//!
//! In evaluation, much can be computed once per model, or without rearranging data:
//! - batch norms are folded into the convolutions before them;
//! - convolution, pixel shuffle, mean and 1×1 convolution of the head become one convolution to 16 channels, a
//!   pixel shuffle, and a mean over one channel instead of 24;
//! - all tensors are channels-last, `[positions, channels]`;
//! - on the CPU, weights lie in the order in which products use them, and bias, activation and residual are part of
//!   the product ([`super::cpu`]);
//! - on a GPU, attention, layer norm, and all that lies between two products are one kernel each, and products may be
//!   computed in half precision ([`super::gpu`]);
//! - on a device of another computer, it is as on a GPU, with operations of burn in place of these kernels.

mod attention;
mod conv;
mod levels;
mod linear;
mod norm;
mod text;
mod vision;

use burn::tensor::Tensor;

pub use attention::{CrossAttention, SelfAttention};
pub use conv::{Conv3, PreparedHead, PreparedUp, Raise, factor_and_offset, fold, weight_and_bias};
pub use levels::{ConvEncoder, EncoderDecoder, ImageEncoder, LastLayer, max_pool};
pub use linear::{Affine, number};
pub use norm::PreparedNorm;
pub use text::PreparedText;
pub use vision::{Patches, PreparedVision};

/// Converts `[n², C]` to `[1, C, n, n]`.
pub fn to_planes(x: Tensor<2>, side: usize) -> Tensor<4> {
    let [_, channels] = x.dims();
    x.transpose().reshape([1, channels, side, side])
}

/// Converts `[1, C, n, n]` to `[n², C]`.
pub fn to_positions(x: Tensor<4>) -> Tensor<2> {
    let [_, channels, height, width] = x.dims();
    x.reshape([channels, height * width]).transpose()
}
