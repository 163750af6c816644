//! MMI-UNet prepared for the prediction of one image at a time, from the blocks of [`crate::model::prepared`].
//!
//! The text enters behind the first stage of the vision encoder, so that only this stage and the self-attention of its
//! Bridger do not depend on the prompt.

use std::sync::Arc;

use burn::tensor::Tensor;

use super::bridger::{Bridger, Interactor};
use super::config::LEVELS;
use super::model::{DecoderStage, MmiUnet, overrides_of};
use crate::model::Target;
use crate::model::cpu::Activation;
use crate::model::gpu::Operand;
use crate::model::network::{Decoded, DecodedStage, Executor, Features, StagedExecutor, TextStates, Tokens};
use crate::model::overrides::Overrides;
use crate::model::prepared::{
    Affine, CrossAttention, Patches, PreparedHead, PreparedNorm, PreparedText, PreparedUp, PreparedVision, Raise,
    SelfAttention, fold,
};

/// The network, prepared for prediction.
#[derive(Debug)]
pub struct Prepared {
    text: Arc<PreparedText>,
    image: Arc<PreparedImage>,
    overrides: Overrides,
}

/// Everything but the text encoder.
#[derive(Debug)]
struct PreparedImage {
    vision: PreparedVision,
    bridgers: Vec<PreparedBridger>,
    stages: Vec<PreparedUp>,
    head: PreparedHead,
}

#[derive(Debug)]
struct PreparedInteractor {
    itself: SelfAttention,
    other: CrossAttention,
    wide: Affine,
    narrow: Affine,
    norms: [PreparedNorm; 3],
}

impl PreparedInteractor {
    fn of(interactor: Interactor, target: &Target) -> Self {
        let Interactor { self_attn, multihead_attn, linear1, linear2, norm1, norm2, norm3, .. } = interactor;
        Self {
            itself: SelfAttention::of(self_attn, None, target),
            other: CrossAttention::of(multihead_attn, None, target),
            wide: Affine::of(linear1, target),
            narrow: Affine::of(linear2, target),
            norms: [norm1, norm2, norm3].map(|norm| PreparedNorm::of(norm, target)),
        }
    }

    /// The first part, which does not depend on the memory: maps `[n, C]` to `[n, C]`.
    fn attend_itself(&self, x: Tensor<2>) -> Tensor<2> {
        self.norms[0].forward(self.itself.forward(x.clone(), None, Some(x)), None)
    }

    /// The rest: maps the output of the first part and the memory, `[m, C]`, to `[n, C]`, for a product.
    fn attend_other(&self, x: Tensor<2>, memory: impl Into<Operand>) -> Operand {
        let (x, operand) = self.norms[1].forward_twice(self.other.forward(x.clone(), memory, Some(x)), None);
        let wide = self.wide.forward_to_product(operand, Activation::Relu);
        self.norms[2].forward_to_product(self.narrow.forward_to_norm(wide, Some(x)))
    }
}

/// A transposed convolution with kernel size 2 and stride 2, as a linear layer to the four positions.
#[derive(Debug)]
struct Enlarge(Affine);

impl Enlarge {
    /// Maps `[m², in]` to `[n², out]`, where n is 2m or 2m + 1; the last row and column are zero then.
    fn forward(&self, x: Operand, n: usize) -> Tensor<2> {
        let m = n / 2;
        let y = self.0.forward(x, Activation::None);
        let channels = y.dims()[1] / 4;
        let y = y.reshape([m, m, 2, 2, channels]).swap_dims(1, 2).reshape([2 * m, 2 * m, channels]);
        let y = if n > 2 * m {
            let device = y.device();
            let y = Tensor::cat(vec![y, Tensor::zeros([n - 2 * m, 2 * m, channels], &device)], 0);
            Tensor::cat(vec![y, Tensor::zeros([n, n - 2 * m, channels], &device)], 1)
        } else {
            y
        };
        y.reshape([n * n, channels])
    }
}

#[derive(Debug)]
struct PreparedBridger {
    zoom_in: Patches,
    image_norm: PreparedNorm,
    of_text: Affine,
    text_norm: PreparedNorm,
    image: PreparedInteractor,
    zoom_out: Enlarge,
    /// The interactor of the text and the linear layer after it; `None` in the last stage, whose text nothing reads.
    text: Option<(PreparedInteractor, Affine)>,
}

impl PreparedBridger {
    fn of(bridger: Bridger, has_text: bool, target: &Target) -> Self {
        let Bridger { zoom_in, ln_v, linear1, ln_t, fusion_v, fusion_t, zoom_out, linear2 } = bridger;
        let text = || (PreparedInteractor::of(fusion_t, target), Affine::of(linear2, target));
        Self {
            zoom_in: Patches::of(zoom_in, target),
            image_norm: PreparedNorm::of(ln_v, target),
            of_text: Affine::of(linear1, target),
            text_norm: PreparedNorm::of(ln_t, target),
            image: PreparedInteractor::of(fusion_v, target),
            zoom_out: Enlarge(Affine::of_raise(zoom_out, target)),
            text: has_text.then(text),
        }
    }

    /// Maps the features of a stage, `[n², C]`, to its tokens and their self-attention, both `[⌊n/2⌋², C]`.
    fn tokens(&self, x: Tensor<2>, n: usize) -> [Tensor<2>; 2] {
        let tokens = self.image_norm.forward(self.zoom_in.forward(x, n), None);
        let attended = self.image.attend_itself(tokens.clone());
        [tokens, attended]
    }

    /// Maps the features of a stage, `[n², C]`, their tokens and the text, `[tokens, hidden]`, to the fused features and
    /// text.
    fn forward(
        &self,
        (x, n): (Tensor<2>, usize),
        [tokens, attended]: [Tensor<2>; 2],
        text: Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>) {
        let words = self.of_text.forward(text.clone(), Activation::None);
        let (words, operand) = self.text_norm.forward_twice(words, None);
        let fused = self.image.attend_other(attended, operand);
        let features = x + self.zoom_out.forward(fused, n);
        let text = match &self.text {
            Some((interactor, linear)) => {
                let fused = interactor.attend_other(interactor.attend_itself(words), tokens);
                linear.forward_onto(fused, text)
            }
            None => text,
        };
        (features, text)
    }
}

fn prepare_stage(stage: DecoderStage, target: &Target) -> PreparedUp {
    let DecoderStage { up, conv, norm } = stage;
    PreparedUp::new(Raise::Learned(Box::new(up)), fold(conv, &norm), None, Activation::Relu, target)
}

impl Prepared {
    /// Takes over the weights for `device`. On the CPU they are rearranged layer by layer.
    pub fn new(model: MmiUnet, target: &Target) -> Self {
        let MmiUnet { vision, text, bridgers, stages, head, config } = model;
        let bridgers = bridgers.into_iter().enumerate();
        let bridgers =
            bridgers.map(|(level, bridger)| PreparedBridger::of(bridger, level + 1 < LEVELS, target)).collect();
        let image = PreparedImage {
            vision: PreparedVision::of(vision, target),
            bridgers,
            stages: stages.into_iter().map(|stage| prepare_stage(stage, target)).collect(),
            head: PreparedHead::of(&head, target),
        };
        Self {
            text: Arc::new(PreparedText::of(text, target)),
            image: Arc::new(image),
            overrides: overrides_of(&config),
        }
    }

    fn run(&self, features: &Features, text: &TextStates) -> Decoded {
        let network = self.image.as_ref();
        let text: Tensor<2> = text[text.len() - 1].clone().squeeze_dim(0);
        let mut x = features[0].clone();
        let mut n = x.dims()[0].isqrt();
        let mut texts = text.clone();
        let mut fused: Vec<Tensor<2>> = Vec::with_capacity(network.bridgers.len());
        for (level, bridger) in network.bridgers.iter().enumerate() {
            let tokens = match fused.last() {
                None => [features[1].clone(), features[2].clone()],
                Some(before) => {
                    (x, n) = network.vision.stage(level, x + before.clone(), n);
                    texts = texts + text.clone();
                    bridger.tokens(x.clone(), n)
                }
            };
            let (image, returned) = bridger.forward((x.clone(), n), tokens, texts);
            fused.push(image);
            texts = returned;
        }
        let last = fused.len() - 1;
        let mut x = fused[last].clone();
        let mut stages = Vec::with_capacity(network.stages.len());
        for (index, stage) in network.stages.iter().enumerate() {
            let input = x.clone();
            x = stage.forward(x, Some(fused[last - 1 - index].clone()), n);
            n *= 2;
            stages.push(DecodedStage { input, filtered: None, output: x.clone() });
        }
        Decoded { logits: network.head.forward(x, n), stages }
    }
}

impl Executor for Prepared {
    /// The output of the first stage, and its tokens before and after their self-attention.
    fn encode_image(&self, image: Tensor<4>) -> Features {
        let network = self.image.as_ref();
        let (x, n) = network.vision.stem(image);
        let (x, n) = network.vision.stage(0, x, n);
        let [tokens, attended] = network.bridgers[0].tokens(x.clone(), n);
        vec![x, tokens, attended]
    }

    fn encode_text(&self, tokens: Tokens) -> TextStates {
        self.text.forward(tokens.ids, tokens.mask)
    }

    fn decode(&self, features: &Features, text: &TextStates) -> Tensor<4> {
        self.run(features, text).logits
    }

    fn share(&self) -> Option<Box<dyn Executor>> {
        let Self { text, image, overrides } = self;
        Some(Box::new(Self { text: text.clone(), image: image.clone(), overrides: overrides.clone() }))
    }

    fn staged(&mut self) -> Option<&mut dyn StagedExecutor> {
        Some(self)
    }
}

impl StagedExecutor for Prepared {
    fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    fn decode_with(&mut self, features: &Features, text: &TextStates, _: &Overrides) -> Decoded {
        self.run(features, text)
    }
}
