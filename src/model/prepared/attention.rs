//! Multi-head attention of one image or prompt.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use super::Affine;
use crate::model::cpu::{self, Activation};
use crate::model::layers::{Attention, Linear};

/// Query, key, value and output projections.
#[derive(Debug)]
pub struct PreparedAttention {
    query: Affine,
    key: Affine,
    value: Affine,
    out: Affine,
    heads: usize,
}

impl PreparedAttention {
    /// From the decoder's stacked projection.
    pub fn of(attention: &Attention) -> Self {
        let [_, channels] = attention.in_proj_weight.dims();
        let part = |index: usize| {
            let rows = index * channels..(index + 1) * channels;
            let weight = attention.in_proj_weight.val().slice([rows.clone()]);
            Affine::new(weight, attention.in_proj_bias.val().slice([rows]))
        };
        let out = Affine::of(&attention.out_proj);
        Self { query: part(0), key: part(1), value: part(2), out, heads: attention.heads() }
    }

    /// From the text encoder's separate projections.
    pub fn of_parts(query: &Linear, key: &Linear, value: &Linear, out: &Linear, heads: usize) -> Self {
        let of = Affine::of;
        Self { query: of(query), key: of(key), value: of(value), out: of(out), heads }
    }

    /// Query `[n, C]`, key and value `[m, C]` → `[n, C]`. `unseen` is true for keys that must not be seen,
    /// `[1, 1, m]`.
    pub fn forward(
        &self,
        query: Tensor<2>,
        key: Tensor<2>,
        value: Tensor<2>,
        unseen: Option<&Tensor<3, Bool>>,
    ) -> Tensor<2> {
        let [length, channels] = query.dims();
        let split = |x: Tensor<2>| -> Tensor<3> {
            let [length, _] = x.dims();
            x.reshape([length, self.heads, channels / self.heads]).swap_dims(0, 1)
        };
        let query = split(self.query.forward(query, Activation::None));
        let key = split(self.key.forward(key, Activation::None));
        let value = split(self.value.forward(value, Activation::None));
        let mut scores = query.matmul(key.swap_dims(1, 2));
        if let Some(unseen) = unseen {
            let [heads, rows, columns] = scores.dims();
            scores = scores.mask_fill(unseen.clone().expand([heads, rows, columns]), f32::MIN / 4.0);
        }
        let scale = 1.0 / ((channels / self.heads) as f32).sqrt();
        let weights = if cpu::is_plain_cpu(&scores.device()) {
            cpu::softmax_rows(scores, scale)
        } else {
            softmax(scores * scale, 2)
        };
        let mixed = weights.matmul(value).swap_dims(0, 1).reshape([length, channels]);
        self.out.forward(mixed, Activation::None)
    }
}
