//! Multi-head attention for one image or prompt.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Tensor};

use super::Affine;
use crate::model::cpu::{self, Activation};
use crate::model::layers::{Attention, Linear};

/// The number of queries from which processing the heads one by one is faster.
const LONG: usize = 196;

/// The query, key, value and output projections.
#[derive(Debug)]
pub struct PreparedAttention {
    query: Affine,
    key: Affine,
    value: Affine,
    out: Affine,
    heads: usize,
}

impl PreparedAttention {
    /// Prepares the decoder's attention, which has one stacked projection.
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

    /// Prepares the text encoder's attention from its separate projections for query, key, value and output.
    pub fn of_parts(parts: [Linear; 4], heads: usize) -> Self {
        let [query, key, value, out] = parts.map(Affine::for_few_rows);
        Self { query, key, value, out, heads }
    }

    /// Maps query `[n, C]`, key and value `[m, C]` to `[n, C]`. `unseen`, `[1, 1, m]`, is true for keys that are
    /// masked out.
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
        let scale = 1.0 / ((channels / self.heads) as f32).sqrt();
        let mixed = if unseen.is_none() && length >= LONG && cpu::is_plain_cpu(&query.device()) {
            // With one head at a time, the scores stay in the cache until they are used.
            let head =
                |x: &Tensor<3>, index: usize| -> Tensor<2> { x.clone().slice([index..index + 1]).squeeze_dim(0) };
            let mix = |index: usize| {
                let scores = head(&query, index).matmul(head(&key, index).transpose());
                cpu::softmax_rows(scores, scale).matmul(head(&value, index))
            };
            Tensor::cat((0..self.heads).map(mix).collect(), 1)
        } else {
            let mut scores = query.matmul(key.swap_dims(1, 2));
            if let Some(unseen) = unseen {
                let [heads, rows, columns] = scores.dims();
                scores = scores.mask_fill(unseen.clone().expand([heads, rows, columns]), f32::MIN / 4.0);
            }
            let weights = if cpu::is_plain_cpu(&scores.device()) {
                cpu::softmax_rows(scores, scale)
            } else {
                softmax(scores * scale, 2)
            };
            weights.matmul(value).swap_dims(0, 1).reshape([length, channels])
        };
        self.out.forward(mixed, Activation::None)
    }
}
