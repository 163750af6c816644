//! The layers of the transformer.
//!
//! Dosovitskiy et al.: "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale", ICLR 2021.

use burn::module::Module;
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor};

use super::config::TransUNetConfig;
use crate::model::layers::{LayerNorm, Linear, attend, drop_out, gelu};
use crate::model::trace::Trace;

/// The projections of an attention.
#[derive(Module, Debug)]
pub struct Projections {
    /// The projection of the queries.
    pub query: Linear,
    /// The projection of the keys.
    pub key: Linear,
    /// The projection of the values.
    pub value: Linear,
    /// The projection of the mixed values.
    pub out: Linear,
}

/// The two layers of an MLP.
#[derive(Module, Debug)]
pub struct Mlp {
    /// The widening layer.
    pub fc1: Linear,
    /// The narrowing layer.
    pub fc2: Linear,
}

/// A layer: attention and MLP, each after a norm and with a residual.
#[derive(Module, Debug)]
pub struct Layer {
    /// The norm before the attention.
    pub attention_norm: LayerNorm,
    /// The attention.
    pub attn: Projections,
    /// The norm before the MLP.
    pub ffn_norm: LayerNorm,
    /// The MLP.
    pub ffn: Mlp,
    dropout: Dropout,
    #[module(skip)]
    heads: usize,
}

impl Layer {
    /// Creates a layer whose weights follow PyTorch's default initialisation.
    pub fn new(config: &TransUNetConfig, device: &Device) -> Self {
        let width = config.hidden_size;
        let norm = || LayerNorm::new(width, config.layer_norm_eps, device);
        let square = || Linear::new(width, width, device);
        Self {
            attention_norm: norm(),
            attn: Projections { query: square(), key: square(), value: square(), out: square() },
            ffn_norm: norm(),
            ffn: Mlp {
                fc1: Linear::new(width, config.mlp_size, device),
                fc2: Linear::new(config.mlp_size, width, device),
            },
            dropout: DropoutConfig::new(config.dropout).init(),
            heads: config.heads,
        }
    }

    /// The number of heads.
    pub fn heads(&self) -> usize {
        self.heads
    }

    /// Maps `[batch, n², hidden]` to the same shape.
    pub fn forward(&self, x: Tensor<3>, name: &str, trace: &mut Trace) -> Tensor<3> {
        let y = self.attention_norm.forward(x.clone());
        let Projections { query, key, value, out } = &self.attn;
        let mixed = attend(query.forward(y.clone()), key.forward(y.clone()), value.forward(y), self.heads, None);
        let mixed = out.forward(mixed);
        trace.record(format!("{name}.attention"), &mixed);
        let x = x + mixed;
        let y = drop_out(&self.dropout, gelu(self.ffn.fc1.forward(self.ffn_norm.forward(x.clone()))));
        let x = x + drop_out(&self.dropout, self.ffn.fc2.forward(y));
        trace.record(name, &x);
        x
    }
}
