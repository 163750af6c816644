//! BERT-base as used by CXR-BERT: layer norm after each residual (post-norm), exact GELU, learned positions, token
//! type 0.
//!
//! Devlin et al., "BERT", 2019; Boecking et al., "Making the Most of Text Semantics to Improve Biomedical
//! Vision–Language Processing" (CXR-BERT), 2022.

use burn::module::{Initializer, Module, Param};
use burn::tensor::{Bool, Device, Int, Tensor};

use serde::{Deserialize, Serialize};

use crate::model::layers::{LayerNorm, Linear, attend, gelu};
use crate::model::trace::Trace;

/// The sizes of the BERT text encoder. The defaults are those of CXR-BERT.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig {
    /// The number of entries in the vocabulary.
    pub vocab_size: usize,
    /// The number of channels of every token state.
    pub hidden_size: usize,
    /// The number of transformer layers. The layer fusion mixes their outputs; it does not use the output of the
    /// embedding.
    pub num_hidden_layers: usize,
    /// The number of attention heads of each layer. It must divide `hidden_size`.
    pub num_attention_heads: usize,
    /// The width of the feed-forward network.
    pub intermediate_size: usize,
    /// The number of learned positions.
    pub max_position_embeddings: usize,
    /// The number of token types. The network uses only type 0.
    pub type_vocab_size: usize,
    /// The epsilon of every layer norm.
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

/// The standard deviation of BERT's initial weights.
const INIT_STD: f64 = 0.02;

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Param<Tensor<D>> {
    Initializer::Normal { mean: 0.0, std: INIT_STD }.init(shape, device)
}

fn dense(input: usize, output: usize, device: &Device) -> Linear {
    Linear { weight: normal([output, input], device), bias: Initializer::Zeros.init([output], device) }
}

/// An embedding table.
#[derive(Module, Debug)]
pub struct Table {
    /// The vectors, `[entries, hidden]`.
    pub weight: Param<Tensor<2>>,
}

/// The sum of the word, position and token-type embeddings, followed by a layer norm.
#[derive(Module, Debug)]
pub struct Embeddings {
    /// The word embeddings, `[vocabulary, hidden]`.
    pub word: Table,
    /// The position embeddings, `[positions, hidden]`.
    pub position: Table,
    /// The token-type embeddings, `[types, hidden]`. Only row 0 is used.
    pub token_type: Table,
    /// The layer norm of the sum.
    pub norm: LayerNorm,
}

impl Embeddings {
    /// Maps token ids `[batch, length]` to embeddings `[batch, length, hidden]`.
    pub fn forward(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = ids.dims();
        let [_, hidden] = self.word.weight.dims();
        let words = self.word.weight.val().select(0, ids.reshape([-1])).reshape([batch, length, hidden]);
        let positions = self.position.weight.val().slice([0..length]);
        let types = self.token_type.weight.val().slice([0..1]);
        self.norm.forward(words + (positions + types).unsqueeze::<3>())
    }
}

/// A transformer layer.
#[derive(Module, Debug)]
pub struct Layer {
    /// The query projection.
    pub query: Linear,
    /// The key projection.
    pub key: Linear,
    /// The value projection.
    pub value: Linear,
    /// The output projection of the attention.
    pub attention_out: Linear,
    /// The layer norm after the attention's residual connection.
    pub attention_norm: LayerNorm,
    /// The first layer of the feed-forward network, which widens.
    pub intermediate: Linear,
    /// The second layer of the feed-forward network, which narrows.
    pub out: Linear,
    /// The layer norm after the feed-forward network's residual connection.
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

    /// The number of attention heads.
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

/// The text encoder.
#[derive(Module, Debug)]
pub struct TextEncoder {
    /// The embeddings.
    pub embeddings: Embeddings,
    /// The transformer layers, first to last.
    pub layers: Vec<Layer>,
}

impl TextEncoder {
    /// Creates an encoder with random weights from BERT's distribution, which is normal with standard deviation
    /// 0.02.
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

    /// Takes token ids and an attention mask (1 for a real token), both `[batch, length]`. Returns the output of
    /// the embedding and of every layer, each `[batch, length, hidden]`.
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
