//! The U-Net prepared for the prediction of one image at a time: batch norms are folded into the convolutions.

use std::sync::Arc;

use super::model::UNet;
use crate::model::Target;
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::cpu::Activation;
use crate::model::prepared::{
    Affine, ConvEncoder, EncoderDecoder, LastLayer, PreparedUp, Raise, fold, weight_and_bias,
};

/// Takes over the weights of the network for `device`.
pub fn prepare(model: UNet, target: &Target) -> EncoderDecoder {
    let overrides = model.overrides();
    let folded = |block: ConvNorm| fold(block.conv, &block.norm);
    let encoder = ConvEncoder::of(model.inc, model.down, target);
    let levels = model.up.into_iter().map(|level| {
        let mut convs = level.convs.into_iter().map(folded);
        let (Some(one), Some(two)) = (convs.next(), convs.next()) else {
            unreachable!("a level has two convolutions")
        };
        PreparedUp::new(Raise::Learned(Box::new(level.raise)), one, Some(two), Activation::Relu, target)
    });
    let last = LastLayer::One(Affine::of_pixels(weight_and_bias(model.outc), target));
    EncoderDecoder::new(Arc::new(encoder), levels.collect(), last, overrides)
}
