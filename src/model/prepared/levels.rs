//! The executor of a network without text: an encoder of the image, and a decoder whose levels are up blocks.

use std::fmt;
use std::sync::Arc;

use burn::tensor::ops::MaxPoolOptions;
use burn::tensor::{Tensor, module};

use super::{Affine, Conv3, PreparedUp, to_planes, to_positions};
use crate::model::Target;
use crate::model::blocks::conv_encoder::Down;
use crate::model::blocks::conv_norm::ConvNorm;
use crate::model::cpu::{self, Activation};
use crate::model::network::{Decoded, DecodedStage, Executor, Features, StagedExecutor, TextStates};
use crate::model::overrides::Overrides;

/// The part of a network that the image passes first.
pub trait ImageEncoder: fmt::Debug + Send + Sync {
    /// Maps an image `[1, 3, side, side]` to the skip connections, fine to coarse, and behind them the input of the decoder,
    /// each `[n², C]`.
    fn forward(&self, image: Tensor<4>) -> Features;
}

/// The encoder of the U-shaped networks, prepared for prediction: its levels, fine to coarse, each of which but the first
/// halves the grid before its convolutions.
#[derive(Debug)]
pub struct ConvEncoder(Vec<Vec<Conv3>>);

impl ConvEncoder {
    /// Takes over the weights of the first level and of those below it for `device`.
    pub fn of(first: ConvNorm, down: Vec<Down>, target: &Target) -> Self {
        let levels = std::iter::once(vec![first]).chain(down.into_iter().map(|level| level.convs));
        Self(levels.map(|convs| convs.into_iter().map(|conv| Conv3::of(conv, target)).collect()).collect())
    }
}

impl ImageEncoder for ConvEncoder {
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

/// The last layer of the network, which makes a logit of the channels of a pixel.
#[derive(Debug)]
pub enum LastLayer {
    /// A 1×1 convolution.
    One(Affine),
    /// A 3×3 convolution.
    Three(Conv3),
}

impl LastLayer {
    /// Maps `[n², C]` to logits `[1, 1, n, n]`.
    fn forward(&self, x: Tensor<2>, n: usize) -> Tensor<4> {
        let logits = match self {
            Self::One(layer) => layer.forward(x, Activation::None),
            Self::Three(layer) => layer.forward(x, n, Activation::None),
        };
        logits.reshape([1, 1, n, n])
    }
}

/// An encoder of the image with a decoder, prepared for prediction. Nothing of it can be overridden.
#[derive(Debug)]
pub struct EncoderDecoder {
    encoder: Arc<dyn ImageEncoder>,
    levels: Arc<[PreparedUp]>,
    last: Arc<LastLayer>,
    /// What there is to override: nothing, in as many stages as there are levels.
    overrides: Overrides,
}

impl EncoderDecoder {
    /// Joins an encoder, the levels of the decoder, coarse to fine, and the last layer.
    pub fn new(
        encoder: Arc<dyn ImageEncoder>,
        levels: Vec<PreparedUp>,
        last: LastLayer,
        overrides: Overrides,
    ) -> Self {
        Self { encoder, levels: levels.into(), last: Arc::new(last), overrides }
    }

    fn decode_levels(&self, features: &Features) -> Decoded {
        let (mut x, skips) = match features.split_last() {
            Some((x, skips)) => (x.clone(), skips),
            None => panic!("an encoder returns at least one tensor"),
        };
        let mut skips = skips.iter().rev();
        let mut n = x.dims()[0].isqrt();
        let mut stages = Vec::with_capacity(self.levels.len());
        for level in self.levels.iter() {
            let input = x;
            x = level.forward(input.clone(), skips.next().cloned(), n);
            n *= 2;
            stages.push(DecodedStage { input, filtered: None, output: x.clone() });
        }
        Decoded { logits: self.last.forward(x, n), stages }
    }
}

impl Executor for EncoderDecoder {
    fn encode_image(&self, image: Tensor<4>) -> Features {
        self.encoder.forward(image)
    }

    fn decode(&self, features: &Features, _text: &TextStates) -> Tensor<4> {
        self.decode_levels(features).logits
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        let Self { encoder, levels, last, overrides } = self;
        let (encoder, levels, last) = (encoder.clone(), levels.clone(), last.clone());
        Some(Box::new(Self { encoder, levels, last, overrides: overrides.clone() }))
    }

    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        Some(self)
    }
}

impl StagedExecutor for EncoderDecoder {
    fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    fn decode_with(&mut self, features: &Features, _text: &TextStates, _overrides: &Overrides) -> Decoded {
        self.decode_levels(features)
    }
}

/// The maximum of squares of `kernel`×`kernel` positions at every second line and column: `[n², C]` to `[m², C]`.
pub fn max_pool(x: Tensor<2>, n: usize, kernel: usize) -> Tensor<2> {
    if cpu::is_plain_cpu(&x.device()) {
        return cpu::max_pool(x, n, kernel);
    }
    let options = MaxPoolOptions::new([kernel, kernel]).with_stride([2, 2]);
    to_positions(module::max_pool2d(to_planes(x, n), options))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn the_operation_is_the_librarys_pooling() {
        let device = Device::flex();
        for (channels, n, kernel) in [(3, 8, 2), (5, 9, 3), (1, 40, 3), (4, 2, 2)] {
            let x = Tensor::<4>::random([1, channels, n, n], Distribution::Normal(-1.0, 1.0), &device);
            let options = MaxPoolOptions::new([kernel, kernel]).with_stride([2, 2]);
            let expected = to_positions(module::max_pool2d(x.clone(), options));
            let ours = max_pool(to_positions(x), n, kernel);
            assert_eq!(ours.dims(), expected.dims());
            assert_eq!((ours - expected).abs().max().into_scalar::<f32>(), 0.0);
        }
    }
}
