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
mod decoder;
mod linear;
mod stage;
mod text;
mod vision;

use burn::tensor::{Int, Tensor};

use super::config::ModelConfig;
use super::himix::HiMix;
use attention::PreparedAttention;
pub use decoder::PreparedDecoder;
use linear::Affine;
use text::PreparedText;
use vision::PreparedVision;

/// The network, folded.
#[derive(Debug)]
pub struct Prepared {
    vision: PreparedVision,
    text: PreparedText,
    decoder: PreparedDecoder,
}

/// What the decoder gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// `[1, 1, side, side]`
    pub logits: Tensor<4>,
    /// Output of each stage, coarse to fine: `[4n², C/2]`
    pub stages: Vec<Tensor<2>>,
    /// What the spectrum filter of each stage made of its input, `[n², C]`; none where it did not run.
    pub filtered: Vec<Option<Tensor<2>>>,
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
    pub fn new(model: HiMix, config: &ModelConfig) -> Self {
        Self {
            vision: PreparedVision::of(&model.vision),
            decoder: PreparedDecoder::of(&model, config),
            text: PreparedText::of(model.text),
        }
    }

    /// Everything after the encoders.
    pub fn decoder(&self) -> &PreparedDecoder {
        &self.decoder
    }

    /// Image `[1, 3, side, side]` → features.
    pub fn encode_image(&self, image: Tensor<4>) -> Features {
        self.vision.forward(image)
    }

    /// Token numbers and mask `[1, tokens]` → outputs of the embedding and of every layer, each `[1, tokens, hidden]`.
    pub fn encode_text(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> Vec<Tensor<3>> {
        self.text.forward(ids, mask)
    }

    /// Token numbers and mask `[1, tokens]` → what the stages read.
    pub fn text_for_stages(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> StageTexts {
        self.decoder.fuse(&self.encode_text(ids, mask))
    }

    /// Features and texts → logits and the stages' outputs.
    pub fn decode(&self, features: &Features, texts: StageTexts) -> Decoded {
        self.decoder.decode(features, texts)
    }
}
