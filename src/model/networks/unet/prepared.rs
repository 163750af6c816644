//! The U-Net prepared for the prediction of one image at a time: batch norms are folded into the convolutions.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::model::UNet;
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::cpu::Activation;
use crate::model::network::Features;
use crate::model::prepared::{
    Affine, Conv3, EncoderDecoder, ImageEncoder, LastLayer, PreparedUp, Raise, fold, max_pool, to_positions,
    weight_and_bias,
};

/// The levels of the encoder, fine to coarse; each but the first halves the grid before its convolutions.
#[derive(Debug)]
struct Encoder(Vec<Vec<Conv3>>);

impl ImageEncoder for Encoder {
    fn forward(&self, image: Tensor<4>) -> Features {
        let [_, _, mut n, _] = image.dims();
        let mut x = to_positions(image);
        let mut features = Vec::with_capacity(self.0.len());
        for (index, convs) in self.0.iter().enumerate() {
            if index > 0 {
                x = max_pool(x, n, 2);
                n /= 2;
            }
            x = convs.iter().fold(x, |x, conv| conv.forward(x, n, Activation::Relu));
            features.push(x.clone());
        }
        features
    }
}

/// Takes over the weights of the network for `device`.
pub fn prepare(model: UNet, device: &Device) -> EncoderDecoder {
    let overrides = model.overrides();
    let folded = |block: ConvNorm| fold(block.conv, &block.norm);
    let conv = |block: ConvNorm| {
        let (weight, bias) = folded(block);
        Conv3::new(weight, bias, device)
    };
    let first = vec![conv(model.inc)];
    let below = model.down.into_iter().map(|level| level.convs.into_iter().map(conv).collect());
    let encoder = Encoder(std::iter::once(first).chain(below).collect());
    let levels = model.up.into_iter().map(|level| {
        let mut convs = level.convs.into_iter().map(folded);
        let (Some(one), Some(two)) = (convs.next(), convs.next()) else {
            unreachable!("a level has two convolutions")
        };
        PreparedUp::new(Raise::Learned(Box::new(level.raise)), one, Some(two), Activation::Relu, device)
    });
    let last = LastLayer::One(Affine::of_pixels(weight_and_bias(model.outc), device));
    EncoderDecoder::new(Arc::new(encoder), levels.collect(), last, overrides)
}
