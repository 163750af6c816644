//! The text encoder for one prompt at a time.

use burn::tensor::{Int, Tensor};

use super::attention::Hidden;
use super::{Affine, PreparedNorm, SelfAttention};
use crate::model::Target;
use crate::model::blocks::text_encoder::{Embeddings, Layer, TextEncoder};
use crate::model::cpu::Activation;
use crate::model::gpu::Weight;

/// The text encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedText {
    /// The embeddings of words, `[vocabulary, hidden]`.
    words: Weight,
    /// The embeddings of positions plus that of the only type of token, `[positions, hidden]`.
    positions: Tensor<2>,
    norm: PreparedNorm,
    layers: Vec<PreparedLayer>,
}

#[derive(Debug)]
struct PreparedLayer {
    attention: SelfAttention,
    attention_norm: PreparedNorm,
    wide: Affine,
    narrow: Affine,
    norm: PreparedNorm,
}

impl PreparedLayer {
    fn of(layer: Layer, target: &Target) -> Self {
        let heads = layer.heads();
        let parts = [layer.query, layer.key, layer.value, layer.attention_out];
        Self {
            attention: SelfAttention::of_parts(parts, heads, target),
            attention_norm: PreparedNorm::of(layer.attention_norm, target),
            wide: Affine::of(layer.intermediate, target),
            narrow: Affine::of(layer.out, target),
            norm: PreparedNorm::of(layer.norm, target),
        }
    }
}

impl PreparedText {
    /// Takes over the weights of the encoder for `device`.
    pub fn of(text: TextEncoder, target: &Target) -> Self {
        let layers = text.layers.into_iter().map(|layer| PreparedLayer::of(layer, target)).collect();
        let Embeddings { word, position, token_type, norm } = text.embeddings;
        let positions = position.weight.into_value() + token_type.weight.into_value().slice([0..1]);
        Self {
            words: Weight::of(word.weight.into_value(), target),
            positions: positions.to_device(&target.device),
            norm: PreparedNorm::of(norm, target),
            layers,
        }
    }

    /// Maps token ids and attention mask, both `[1, tokens]`, to the outputs of the embedding and of every layer,
    /// each `[1, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> Vec<Tensor<3>> {
        let [_, tokens] = ids.dims();
        let embedded = self.words.rows(ids.squeeze_dim(0)) + self.positions.clone().slice([0..tokens]);
        let (mut x, mut operand) = self.norm.forward_twice(embedded, None);
        let hidden = Hidden::of(&mask);
        let mut states = vec![x.clone().unsqueeze()];
        for layer in &self.layers {
            let mixed = layer.attention.forward(operand, Some(&hidden), Some(x));
            (x, operand) = layer.attention_norm.forward_twice(mixed, None);
            let wide = layer.wide.forward_to_product(operand, Activation::Gelu);
            (x, operand) = layer.norm.forward_twice(layer.narrow.forward_to_norm(wide, Some(x)), None);
            states.push(x.clone().unsqueeze());
        }
        states
    }
}
