//! The network made ready for prediction: the same numbers by fewer operations, one image at a time.
//!
//! In evaluation much can be worked out once for a model, or done without turning data around:
//! - batch norms go into the convolutions before them;
//! - the spectrum filter of a stage is one `n²×n²` matrix;
//! - convolution, pixel shuffle, mean and 1×1 convolution of the head become one convolution to 16 channels, a shuffle
//!   and a mean over one channel instead of 24;
//! - everything stays channels-last, `[positions, channels]`;
//! - on the CPU, biases, activations, softmax and depthwise convolutions run in place ([`super::cpu`]).
//!
//! The reference tests hold both this and the plain network to the authors' numbers.

mod attention;
mod conv;
mod linear;
mod stage;
mod text;
mod vision;

use burn::tensor::{Int, Tensor};

use super::himix::HiMix;
use attention::PreparedAttention;
use conv::PreparedHead;
use linear::Affine;
use stage::PreparedStage;
use text::PreparedText;
use vision::PreparedVision;

/// The network, folded.
#[derive(Debug)]
pub struct Prepared {
    vision: PreparedVision,
    text: PreparedText,
    fusion: super::fusion::Fusion,
    stages: Vec<PreparedStage>,
    head: PreparedHead,
    /// σ of each stage, coarse to fine; none for a stage without filter.
    pub sigmas: Vec<Option<f32>>,
    /// `(layer, weight)` of what feeds each stage, coarse to fine.
    pub layer_weights: Vec<Vec<(usize, f32)>>,
}

/// What the decoder gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[1, 1, side, side]`
    pub logits: Tensor<4>,
    /// Output of each stage, coarse to fine: `[4n², C/2]`
    pub stages: Vec<Tensor<2>>,
}

/// Image features, fine to coarse, each `[n², channels]`.
pub type Features = Vec<Tensor<2>>;

/// What each stage reads of the prompt, coarse to fine, each `[L, C]`; none for a stage without text.
pub type StageTexts = Vec<Option<Tensor<2>>>;

/// `[n², C]` → `[1, C, n, n]`
pub fn to_planes(x: Tensor<2>, side: usize) -> Tensor<4> {
    let [_, channels] = x.dims();
    x.transpose().reshape([1, channels, side, side])
}

impl Prepared {
    /// Works out everything that does not depend on image and prompt, and takes the weights over.
    ///
    /// Weights are not copied, but for the decoder's convolutions; where `model` is a clone of one that lives on, the text
    /// encoder's are copied too.
    pub fn new(model: HiMix) -> Self {
        let sigmas = model.sigmas();
        let layer_weights = model.fusion.layer_weights();
        Self {
            vision: PreparedVision::of(&model.vision),
            stages: model.stages.iter().map(PreparedStage::of).collect(),
            head: PreparedHead::of(&model.head),
            text: PreparedText::of(model.text),
            fusion: model.fusion,
            sigmas,
            layer_weights,
        }
    }

    /// Image `[1, 3, side, side]` → features.
    pub fn see(&self, image: Tensor<4>) -> Features {
        self.vision.forward(image)
    }

    /// Token numbers and mask `[1, tokens]` → what the stages read.
    pub fn read(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> StageTexts {
        let fused = self.fusion.forward(&self.text.forward(ids, mask));
        self.stages.iter().zip(fused).map(|(stage, text)| stage.project_text(text?)).collect()
    }

    /// Features and texts → logits and the stages' outputs.
    pub fn decode(&self, features: &Features, texts: StageTexts) -> Decoded {
        let last = features.len() - 1;
        let mut x = features[last].clone();
        let mut n = x.dims()[0].isqrt();
        let mut stages = Vec::with_capacity(self.stages.len());
        for (index, (stage, text)) in self.stages.iter().zip(texts).enumerate() {
            x = stage.forward(x, text, features[last - 1 - index].clone(), n);
            n *= 2;
            stages.push(x.clone());
        }
        Decoded { logits: self.head.forward(x, n), stages }
    }
}
