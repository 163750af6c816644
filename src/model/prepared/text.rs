//! The text encoder for one prompt at a time.

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor};

use super::attention::Hidden;
use super::linear::normalise;
use super::{Affine, SelfAttention};
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
    attention: SelfAttention,
    attention_norm: LayerNorm,
    wide: Affine,
    narrow: Affine,
    norm: LayerNorm,
}

impl PreparedLayer {
    fn of(layer: Layer, device: &Device) -> Self {
        let heads = layer.heads();
        let parts = [layer.query, layer.key, layer.value, layer.attention_out];
        Self {
            attention: SelfAttention::of_parts(parts, heads, device),
            attention_norm: layer.attention_norm.to_device(device),
            wide: Affine::of(layer.intermediate, device),
            narrow: Affine::of(layer.out, device),
            norm: layer.norm.to_device(device),
        }
    }
}

impl PreparedText {
    /// Takes over the weights of the encoder for `device`.
    pub fn of(text: TextEncoder, device: &Device) -> Self {
        let layers = text.layers.into_iter().map(|layer| PreparedLayer::of(layer, device)).collect();
        Self { embeddings: text.embeddings.to_device(device), layers }
    }

    /// Maps token ids and attention mask, both `[1, tokens]`, to the outputs of the embedding and of every layer,
    /// each `[1, tokens, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>) -> Vec<Tensor<3>> {
        let mut x: Tensor<2> = self.embeddings.forward(ids).squeeze_dim(0);
        let hidden = Hidden::of(&mask);
        let mut states = vec![x.clone().unsqueeze()];
        for layer in &self.layers {
            let mixed = layer.attention.forward(x.clone(), Some(&hidden), Some(x));
            x = normalise(&layer.attention_norm, mixed, None);
            let wide = layer.wide.forward(x.clone(), Activation::Gelu);
            x = normalise(&layer.norm, layer.narrow.forward_to_norm(wide, Some(x)), None);
            states.push(x.clone().unsqueeze());
        }
        states
    }
}
