//! The text encoder for one prompt at a time.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use super::attention::Hidden;
use super::{Affine, PreparedNorm, SelfAttention};
use crate::model::Target;
use crate::model::blocks::text_encoder::{Embeddings, Layer, TextEncoder};
use crate::model::cpu::Activation;
use crate::model::gpu::Operand;

/// The text encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedText {
    embeddings: Embeddings,
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
        Self { embeddings: text.embeddings.to_device(&target.device), layers }
    }

    /// Maps token ids and attention mask, both `[1, tokens]`, to the outputs of the embedding and of every layer,
    /// each `[1, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> Vec<Tensor<3>> {
        let mut x: Tensor<2> = self.embeddings.forward(ids).squeeze_dim(0);
        let hidden = Hidden::of(&mask);
        let mut operand = Operand::from(x.clone());
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
