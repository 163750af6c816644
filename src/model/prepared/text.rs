//! The text encoder for one prompt at a time.

use burn::tensor::{Int, Tensor};

use super::linear::normalise;
use super::{Affine, PreparedAttention};
use crate::model::blocks::text_encoder::{Embeddings, Layer, TextEncoder};
use crate::model::cpu::Activation;
use crate::model::layers::LayerNorm;

/// The text encoder, prepared for prediction.
#[derive(Debug)]
pub struct PreparedText {
    embeddings: Embeddings,
    layers: Vec<PreparedLayer>,
}

#[derive(Debug)]
struct PreparedLayer {
    attention: PreparedAttention,
    attention_norm: LayerNorm,
    wide: Affine,
    narrow: Affine,
    norm: LayerNorm,
}

impl PreparedLayer {
    fn of(layer: Layer) -> Self {
        let heads = layer.heads();
        let parts = [layer.query, layer.key, layer.value, layer.attention_out];
        Self {
            attention: PreparedAttention::of_parts(parts, heads),
            attention_norm: layer.attention_norm,
            wide: Affine::of(layer.intermediate),
            narrow: Affine::of(layer.out),
            norm: layer.norm,
        }
    }
}

impl PreparedText {
    /// Takes over the weights of the encoder.
    pub fn of(text: TextEncoder) -> Self {
        let layers = text.layers.into_iter().map(PreparedLayer::of).collect();
        Self { embeddings: text.embeddings, layers }
    }

    /// Maps token ids and attention mask, both `[1, tokens]`, to the outputs of the embedding and of every layer,
    /// each `[1, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> Vec<Tensor<3>> {
        let mut x: Tensor<2> = self.embeddings.forward(ids).squeeze_dim(0);
        let unseen = mask.equal_elem(0).unsqueeze_dim::<3>(0);
        let mut states = vec![x.clone().unsqueeze()];
        for layer in &self.layers {
            let residual = Some(x.clone());
            let mixed = layer.attention.forward(x.clone(), x.clone(), x, Some(&unseen), residual);
            x = normalise(&layer.attention_norm, mixed);
            let wide = layer.wide.forward(x.clone(), Activation::Gelu);
            x = normalise(&layer.norm, layer.narrow.forward_onto(wide, x));
            states.push(x.clone().unsqueeze());
        }
        states
    }
}
