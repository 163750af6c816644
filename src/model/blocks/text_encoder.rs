//! BERT-base as CXR-BERT uses it: post-norm, exact GELU, learned positions, token type 0.
//!
//! Devlin et al., "BERT", 2019; Boecking et al., "Making the Most of Text Semantics to Improve Biomedical
//! Vision–Language Processing" (CXR-BERT), 2022.

use burn::module::{Initializer, Module, Param};
use burn::tensor::activation::gelu;
use burn::tensor::{Bool, Device, Int, Tensor};

use serde::{Deserialize, Serialize};

use crate::model::layers::{LayerNorm, Linear, attend};
use crate::model::trace::Trace;

/// Sizes of the BERT text encoder (CXR-BERT by default).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig {
    /// Entries of the vocabulary.
    pub vocab_size: usize,
    /// Width of every token state.
    pub hidden_size: usize,
    /// Transformer layers; their outputs, not the embedding's, are what the layer fusion mixes.
    pub num_hidden_layers: usize,
    /// Attention heads of each layer; must divide `hidden_size`.
    pub num_attention_heads: usize,
    /// Width of the feed-forward part.
    pub intermediate_size: usize,
    /// Number of learned positions.
    pub max_position_embeddings: usize,
    /// Number of token types; the network only uses type 0.
    pub type_vocab_size: usize,
    /// Epsilon of every layer norm.
    pub layer_norm_eps: f64,
}

impl Default for TextConfig {
    fn default() -> Self {
        Self {
            vocab_size: 30_522,
            hidden_size: 768,
            num_hidden_layers: 12,
            num_attention_heads: 12,
            intermediate_size: 3072,
            max_position_embeddings: 512,
            type_vocab_size: 2,
            layer_norm_eps: 1e-12,
        }
    }
}

/// Standard deviation of BERT's initial weights.
const INIT_STD: f64 = 0.02;

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Initializer::Normal { mean: 0.0, std: INIT_STD }.init(shape, device)
}

fn dense(input: usize, output: usize, device: &Device) -> Linear {
    Linear { weight: normal([output, input], device), bias: Initializer::Zeros.init([output], device) }
}

/// A table of vectors.
#[derive(Module, Debug)]
pub struct Table {
    /// `[entries, hidden]`
    pub weight: Param<Tensor<2>>,
}

/// Word, position and token-type embeddings, summed and normalised.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// `[vocabulary, hidden]`
    pub word: Table,
    /// `[positions, hidden]`
    pub position: Table,
    /// `[types, hidden]`; only row 0 is used.
    pub token_type: Table,
    /// Norm of the sum.
    pub norm: LayerNorm,
}

impl Embeddings {
    /// Token numbers `[batch, length]` → `[batch, length, hidden]`
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = ids.dims();
        let [_, hidden] = self.word.weight.dims();
        let words = self.word.weight.val().select(0, ids.reshape([-1])).reshape([batch, length, hidden]);
        let positions = self.position.weight.val().slice([0..length]);
        let types = self.token_type.weight.val().slice([0..1]);
        self.norm.forward(words + (positions + types).unsqueeze::<3>())
    }
}

/// One transformer layer.
#[derive(Module, Debug)]
pub struct Layer {
    /// Query projection.
    pub query: Linear,
    /// Key projection.
    pub key: Linear,
    /// Value projection.
    pub value: Linear,
    /// Output projection of the attention.
    pub attention_out: Linear,
    /// Norm after the attention's residual.
    pub attention_norm: LayerNorm,
    /// Feed-forward, widening.
    pub intermediate: Linear,
    /// Feed-forward, narrowing.
    pub out: Linear,
    /// Norm after the feed-forward's residual.
    pub norm: LayerNorm,
    heads: usize,
}

impl Layer {
    fn new(config: &TextConfig, device: &Device) -> Self {
        let (hidden, wide, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        Self {
            query: dense(hidden, hidden, device),
            key: dense(hidden, hidden, device),
            value: dense(hidden, hidden, device),
            attention_out: dense(hidden, hidden, device),
            attention_norm: LayerNorm::new(hidden, eps, device),
            intermediate: dense(hidden, wide, device),
            out: dense(wide, hidden, device),
            norm: LayerNorm::new(hidden, eps, device),
            heads: config.num_attention_heads,
        }
    }

    /// Number of attention heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    fn forward(&self, x: Tensor<3>, padding: &Tensor<4, Bool>) -> Tensor<3> {
        let query = self.query.forward(x.clone());
        let key = self.key.forward(x.clone());
        let value = self.value.forward(x.clone());
        let mixed = attend(query, key, value, self.heads, Some(padding.clone()));
        let x = self.attention_norm.forward(self.attention_out.forward(mixed) + x);
        let wide = gelu(self.intermediate.forward(x.clone()));
        self.norm.forward(self.out.forward(wide) + x)
    }
}

/// The whole encoder.
#[derive(Module, Debug)]
pub struct TextEncoder {
    /// Embeddings.
    pub embeddings: Embeddings,
    /// Transformer layers, first to last.
    pub layers: Vec<Layer>,
}

impl TextEncoder {
    /// Random weights as BERT's: normal with standard deviation 0.02.
    pub fn new(config: &TextConfig, device: &Device) -> Self {
        let hidden = config.hidden_size;
        Self {
            embeddings: Embeddings {
                word: Table { weight: normal([config.vocab_size, hidden], device) },
                position: Table { weight: normal([config.max_position_embeddings, hidden], device) },
                token_type: Table { weight: normal([config.type_vocab_size, hidden], device) },
                norm: LayerNorm::new(hidden, config.layer_norm_eps, device),
            },
            layers: (0..config.num_hidden_layers).map(|_| Layer::new(config, device)).collect(),
        }
    }

    /// Token numbers and attention mask (1 for a real token), both `[batch, length]` → the embedding's output
    /// and that of every layer, each `[batch, length, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>, mask: Tensor<2, Int>, trace: &mut Trace) -> Vec<Tensor<3>> {
        let [batch, length] = ids.dims();
        let mut x = self.embeddings.forward(ids);
        let heads = self.layers.first().map_or(1, |layer| layer.heads);
        let padding = mask.equal_elem(0).unsqueeze_dims::<4>(&[1, 1]).expand([batch, heads, length, length]);
        let mut states = vec![x.clone()];
        for layer in &self.layers {
            x = layer.forward(x, &padding);
            states.push(x.clone());
        }
        if trace.is_on() {
            trace.record("text.hidden", &Tensor::stack::<4>(states.clone(), 0));
        }
        states
    }
}
