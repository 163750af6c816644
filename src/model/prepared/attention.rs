//! Multi-head attention for one image or prompt.

use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::Affine;
use crate::model::cpu::{self, Activation};
use crate::model::layers::{Attention, Linear};

/// Which inputs of the decoder's attention are the same tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Query and key, in self-attention with positions that the value does not have.
    SameQueryAndKey,
    /// None, in cross-attention.
    Different,
}

/// The projections of query, key and value. On a GPU, those of the same input are one product: a product of few rows
/// takes longer to start than to compute.
#[derive(Debug)]
enum Projections {
    Separate([Affine; 3]),
    QueryAndKey { both: Affine, value: Affine },
    All(Affine),
}

/// The query, key, value and output projections.
#[derive(Debug)]
pub struct PreparedAttention {
    projections: Projections,
    out: Affine,
    heads: usize,
}

impl PreparedAttention {
    /// Prepares the decoder's attention, which has one stacked projection.
    pub fn of(attention: Attention, inputs: Inputs) -> Self {
        let heads = attention.heads();
        let (weight, bias) = (attention.in_proj_weight.into_value(), attention.in_proj_bias.into_value());
        let [_, channels] = weight.dims();
        let part = |from: usize, to: usize| {
            let rows = from * channels..to * channels;
            Affine::new(weight.clone().slice([rows.clone()]), bias.clone().slice([rows]))
        };
        let projections = match inputs {
            Inputs::SameQueryAndKey if !cpu::is_plain_cpu(&weight.device()) => {
                Projections::QueryAndKey { both: part(0, 2), value: part(2, 3) }
            }
            _ => Projections::Separate([part(0, 1), part(1, 2), part(2, 3)]),
        };
        Self { projections, out: Affine::of(attention.out_proj), heads }
    }

    /// Prepares the text encoder's self-attention from its separate projections for query, key, value and output.
    pub fn of_parts([query, key, value, out]: [Linear; 4], heads: usize) -> Self {
        let parts = [query, key, value];
        let projections = if cpu::is_plain_cpu(&out.weight.device()) {
            Projections::Separate(parts.map(Affine::of))
        } else {
            let values = parts.map(|part| (part.weight.into_value(), part.bias.into_value()));
            let (weights, biases) = values.into_iter().unzip();
            Projections::All(Affine::new(Tensor::cat(weights, 0), Tensor::cat(biases, 0)))
        };
        Self { projections, out: Affine::of(out), heads }
    }

    /// Projects query `[n, C]`, key and value `[m, C]`.
    fn project(&self, query: Tensor<2>, key: Tensor<2>, value: Tensor<2>) -> [Tensor<2>; 3] {
        let [_, channels] = query.dims();
        let part = |x: &Tensor<2>, part: usize| {
            let [length, _] = x.dims();
            x.clone().slice([0..length, part * channels..(part + 1) * channels])
        };
        match &self.projections {
            Projections::All(all) => {
                let all = all.forward(query, Activation::None);
                [0, 1, 2].map(|index| part(&all, index))
            }
            Projections::QueryAndKey { both, value: last } => {
                let both = both.forward(query, Activation::None);
                [part(&both, 0), part(&both, 1), last.forward(value, Activation::None)]
            }
            Projections::Separate(each) => {
                let [of_query, of_key, of_value] = each;
                [(of_query, query), (of_key, key), (of_value, value)]
                    .map(|(projection, x)| projection.forward(x, Activation::None))
            }
        }
    }

    /// Maps query `[n, C]`, key and value `[m, C]` to `[n, C]`; those that [`Inputs`] says are the same have to be
    /// the same tensor. `unseen`, `[1, 1, m]`, is true for keys that are masked out. `residual` is added to the result.
    pub fn forward(
        &self,
        query: Tensor<2>,
        key: Tensor<2>,
        value: Tensor<2>,
        unseen: Option<&Tensor<3, Bool>>,
        residual: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let [query, key, value] = self.project(query, key, value);
        let mixed = if cpu::is_plain_cpu(&query.device()) {
            let [key, value] = seen([key, value], unseen);
            cpu::attend(query.unsqueeze(), key.unsqueeze(), value.unsqueeze(), self.heads).squeeze_dim(0)
        } else {
            self.mix(query, key, value, unseen)
        };
        match residual {
            Some(residual) => self.out.forward_onto(mixed, residual),
            None => self.out.forward(mixed, Activation::None),
        }
    }

    /// The attention as operations of the library, for a GPU.
    fn mix(
        &self,
        query: Tensor<2>,
        key: Tensor<2>,
        value: Tensor<2>,
        unseen: Option<&Tensor<3, Bool>>,
    ) -> Tensor<2> {
        let [length, channels] = query.dims();
        let scale = 1.0 / ((channels / self.heads) as f32).sqrt();
        let heads = |x: Tensor<2>| -> Tensor<3> {
            let [length, _] = x.dims();
            x.reshape([length, self.heads, channels / self.heads]).swap_dims(0, 1)
        };
        let mut scores = heads(query).matmul(heads(key).swap_dims(1, 2));
        if let Some(unseen) = unseen {
            let [heads, rows, columns] = scores.dims();
            scores = scores.mask_fill(unseen.clone().expand([heads, rows, columns]), f32::MIN / 4.0);
        }
        softmax(scores * scale, 2).matmul(heads(value)).swap_dims(0, 1).reshape([length, channels])
    }
}

/// The rows of the keys that are not masked out; a masked key would have weight 0.
fn seen(rows: [Tensor<2>; 2], unseen: Option<&Tensor<3, Bool>>) -> [Tensor<2>; 2] {
    let Some(unseen) = unseen else { return rows };
    let flags = unseen.to_data();
    let indices: Vec<i64> =
        flags.iter::<bool>().zip(0..).filter(|(is_unseen, _)| !is_unseen).map(|(_, index)| index).collect();
    let [count, _] = rows[0].dims();
    if indices.len() == count {
        return rows;
    }
    let device = rows[0].device();
    let indices = Tensor::<1, Int>::from_data(TensorData::new(indices.clone(), [indices.len()]), &device);
    rows.map(|rows| rows.select(0, indices.clone()))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;

    #[test]
    fn projections_of_one_input_may_be_one_product() {
        let device = Device::flex();
        let draw = |rows, columns| Tensor::<2>::random([rows, columns], Distribution::Uniform(-1.0, 1.0), &device);
        let part = |seed: usize| {
            let bias: Tensor<1> = draw(1, 8).squeeze_dim(0);
            (draw(8, 8) * (seed + 1) as f64, bias)
        };
        let parts: Vec<(Tensor<2>, Tensor<1>)> = (0..4).map(part).collect();
        let layer = |from: usize, to: usize| {
            let (weights, biases) = parts[from..to].iter().cloned().unzip();
            Affine::new(Tensor::cat(weights, 0), Tensor::cat(biases, 0))
        };
        let with = |projections| PreparedAttention { projections, out: layer(3, 4), heads: 2 };
        let separate = with(Projections::Separate([layer(0, 1), layer(1, 2), layer(2, 3)]));
        let both = with(Projections::QueryAndKey { both: layer(0, 2), value: layer(2, 3) });
        let all = with(Projections::All(layer(0, 3)));
        let (x, value) = (draw(5, 8), draw(5, 8));
        let unseen = Tensor::<3, Bool>::from_data([[[false, true, false, false, true]]], &device);
        let difference = |one: &PreparedAttention, other: &PreparedAttention, value: &Tensor<2>| {
            let [one, other] = [one, other]
                .map(|attention| attention.forward(x.clone(), x.clone(), value.clone(), Some(&unseen), None));
            (one - other).abs().max().into_scalar::<f32>()
        };
        assert!(difference(&separate, &both, &value) < 1e-5);
        assert!(difference(&separate, &all, &x) < 1e-5);
        assert!(difference(&separate, &both, &x) < 1e-5);
    }

    #[test]
    fn the_operation_for_the_cpu_is_that_of_the_library() {
        let device = Device::flex();
        let draw = |rows, columns| Tensor::<2>::random([rows, columns], Distribution::Uniform(-1.0, 1.0), &device);
        let layer = || Affine::new(draw(12, 12), draw(1, 12).squeeze_dim(0));
        let projections = Projections::Separate([layer(), layer(), layer()]);
        let attention = PreparedAttention { projections, out: layer(), heads: 3 };
        let residual = draw(7, 12);
        for unseen in [
            None,
            Some([false, false, false, true, true]),
            Some([true, false, true, false, false]),
            Some([false; 5]),
        ] {
            let unseen = unseen.map(|flags| Tensor::<3, Bool>::from_data([[flags]], &device));
            let (query, key, value) = (draw(7, 12), draw(5, 12), draw(5, 12));
            let ours = attention.forward(
                query.clone(),
                key.clone(),
                value.clone(),
                unseen.as_ref(),
                Some(residual.clone()),
            );
            let [query, key, value] = attention.project(query, key, value);
            let mixed = attention.mix(query, key, value, unseen.as_ref());
            let theirs = attention.out.forward(mixed, Activation::None) + residual.clone();
            let difference = (ours - theirs).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-5, "{difference:e}");
        }
    }
}
