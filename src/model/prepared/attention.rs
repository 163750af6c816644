//! Multi-head attention for one image or prompt.

use burn::tensor::{Bool, Int, Tensor, TensorData};

use super::Affine;
use super::linear::Rows;
use crate::model::Target;
use crate::model::cpu::{self, Activation};
use crate::model::gpu::{self, Attended, Operand, Weight};
use crate::model::layers::{Attention, Linear};

/// The keys that are left out because their token is padding.
#[derive(Debug)]
pub enum Hidden {
    /// True for a hidden key, `[1, 1, keys]`.
    Cpu(Tensor<3, Bool>),
    /// Not zero for a hidden key, `[1, keys]`.
    Gpu(Tensor<2>),
}

impl Hidden {
    /// Hides the tokens whose mask, `[1, tokens]`, is zero.
    pub fn of(mask: &Tensor<2, Int>) -> Self {
        let is_hidden = mask.clone().equal_elem(0);
        if gpu::accepts(&mask.device()) {
            Self::Gpu(is_hidden.float())
        } else {
            Self::Cpu(is_hidden.unsqueeze_dim(0))
        }
    }
}

/// The weight of a product, `[in, out]`, and its bias, `[1, out]` or `[n, out]`.
#[derive(Debug)]
struct Weighted {
    weight: Weight,
    bias: Tensor<2>,
}

impl Weighted {
    fn new(weight: Tensor<2>, bias: Tensor<2>, target: &Target) -> Self {
        Self { weight: Weight::of(weight, target), bias: bias.to_device(&target.device) }
    }
}

/// Self-attention: queries, keys and values come from the same input.
#[derive(Debug)]
pub struct SelfAttention {
    projections: SelfProjections,
    out: Affine,
    heads: usize,
}

#[derive(Debug)]
enum SelfProjections {
    /// The projections to query, key and value, and the positions that are added to the inputs of the first two.
    Cpu { each: Box<[Affine; 3]>, positions: Option<Box<Tensor<2>>> },
    /// One product for all three, side by side, because a product of few rows takes longer to start than to compute. The
    /// attention adds the bias, which contains the projected positions.
    Gpu(Box<Weighted>),
}

/// Cross-attention: keys and values come from another input than the queries.
#[derive(Debug)]
pub struct CrossAttention {
    projections: CrossProjections,
    out: Affine,
    heads: usize,
}

#[derive(Debug)]
enum CrossProjections {
    /// The projections to query, key and value, and the positions that are added to the inputs of the first two.
    Cpu { each: Box<[Affine; 3]>, positions: Option<Box<[Tensor<2>; 2]>> },
    /// As [`SelfProjections::Gpu`]: the query, and key and value side by side.
    Gpu { query: Box<Weighted>, memory: Box<Weighted> },
}

/// The weights `[out, in]` and biases `[out]` of query, key and value of a stacked projection.
fn parts(weight: Tensor<2>, bias: Tensor<1>) -> [(Tensor<2>, Tensor<1>); 3] {
    let [_, channels] = weight.dims();
    [0, 1, 2].map(|part| {
        let rows = part * channels..(part + 1) * channels;
        (weight.clone().slice([rows.clone()]), bias.clone().slice([rows]))
    })
}

fn affine(parts: [(Tensor<2>, Tensor<1>); 3], target: &Target) -> Box<[Affine; 3]> {
    Box::new(parts.map(|(weight, bias)| Affine::new(weight, bias, target)))
}

/// Returns the bias of inputs to which positions, `[rows, in]`, are added: `[rows, out]`.
fn bias_at(positions: &Tensor<2>, (weight, bias): &(Tensor<2>, Tensor<1>)) -> Tensor<2> {
    positions.clone().matmul(weight.clone().transpose()) + bias.clone().unsqueeze::<2>()
}

/// Returns the bias `[out]` for `rows` inputs without positions.
fn bias_for(rows: usize, (_, bias): &(Tensor<2>, Tensor<1>)) -> Tensor<2> {
    let [channels] = bias.dims();
    bias.clone().unsqueeze::<2>().expand([rows, channels])
}

/// Returns the biases of a query, a key and a value, or the first or last of them: positions are added to the inputs of
/// all but a value, which is the last of several. Without positions, each is `[1, out]`.
fn biases_at(positions: Option<&Tensor<2>>, parts: &[(Tensor<2>, Tensor<1>)]) -> Vec<Tensor<2>> {
    let Some(positions) = positions else { return parts.iter().map(|part| bias_for(1, part)).collect() };
    let [rows, _] = positions.dims();
    let is_value = |index: usize| parts.len() > 1 && index == parts.len() - 1;
    let parts = parts.iter().enumerate();
    parts
        .map(|(index, part)| if is_value(index) { bias_for(rows, part) } else { bias_at(positions, part) })
        .collect()
}

/// Returns weights `[out, in]` side by side, `[in, all outs]`.
fn side_by_side<const N: usize>(weights: [Tensor<2>; N]) -> Tensor<2> {
    Tensor::cat(weights.to_vec(), 0).transpose()
}

impl SelfAttention {
    /// Prepares the decoder's attention. `positions`, `[n, C]`, are added to the inputs of query and key.
    pub fn of(attention: Attention, positions: Option<Tensor<2>>, target: &Target) -> Self {
        let heads = attention.heads();
        let stacked = (attention.in_proj_weight.into_value(), attention.in_proj_bias.into_value());
        Self::of_stacked(stacked, attention.out_proj, heads, positions, target)
    }

    /// Prepares an attention from its projections for query, key and value, one below the other: weight `[3 C, C]` and bias
    /// `[3 C]`. `positions`, `[n, C]`, are added to the inputs of query and key.
    pub fn of_stacked(
        (weight, bias): (Tensor<2>, Tensor<1>),
        out: Linear,
        heads: usize,
        positions: Option<Tensor<2>>,
        target: &Target,
    ) -> Self {
        let parts = parts(weight, bias);
        let projections = if gpu::accepts(&target.device) {
            let biases = biases_at(positions.as_ref(), &parts);
            let weight = side_by_side(parts.map(|(weight, _)| weight));
            SelfProjections::Gpu(Box::new(Weighted::new(weight, Tensor::cat(biases, 1), target)))
        } else {
            SelfProjections::Cpu { each: affine(parts, target), positions: positions.map(Box::new) }
        };
        Self { projections, out: Affine::of(out, target), heads }
    }

    /// Prepares the text encoder's attention from its separate projections for query, key, value and output.
    pub fn of_parts([query, key, value, out]: [Linear; 4], heads: usize, target: &Target) -> Self {
        let parts = [query, key, value];
        let projections = if gpu::accepts(&target.device) {
            let parts = parts.map(|part| (part.weight.into_value(), part.bias.into_value()));
            let biases = parts.each_ref().map(|part| bias_for(1, part)).to_vec();
            let weight = side_by_side(parts.map(|(weight, _)| weight));
            SelfProjections::Gpu(Box::new(Weighted::new(weight, Tensor::cat(biases, 1), target)))
        } else {
            let each = Box::new(parts.map(|part| Affine::of(part, target)));
            SelfProjections::Cpu { each, positions: None }
        };
        Self { projections, out: Affine::of(out, target), heads }
    }

    /// Maps `[n, C]` to `[n, C]`, for the layer norm after it. `residual`, `[n, C]`, is added to the result.
    pub fn forward(
        &self,
        x: impl Into<Operand>,
        hidden: Option<&Hidden>,
        residual: Option<Tensor<2>>,
    ) -> Rows<'_> {
        let x = x.into();
        let [_, channels] = x.dims();
        let mixed = match &self.projections {
            SelfProjections::Gpu(all) => {
                let attended = Attended::itself(all.weight.multiply(x), &all.bias);
                gpu::attend(attended, on_gpu(hidden), channels, self.heads, all.weight.is_half())
            }
            SelfProjections::Cpu { each, positions } => {
                let x = x.into_inner();
                let placed = match positions {
                    Some(positions) => x.clone() + (**positions).clone(),
                    None => x.clone(),
                };
                mix_on_cpu([placed.clone(), placed, x], each, on_cpu(hidden), self.heads).into()
            }
        };
        self.out.forward_to_norm(mixed, residual)
    }
}

impl CrossAttention {
    /// Prepares the decoder's attention. The positions of query and key, `[n, C]` and `[m, C]`, are added to their
    /// inputs.
    pub fn of(attention: Attention, positions: Option<[Tensor<2>; 2]>, target: &Target) -> Self {
        let heads = attention.heads();
        let parts = parts(attention.in_proj_weight.into_value(), attention.in_proj_bias.into_value());
        let projections = if gpu::accepts(&target.device) {
            let [at_query, at_key] = match &positions {
                Some([query, key]) => [Some(query), Some(key)],
                None => [None, None],
            };
            let of_query = biases_at(at_query, &parts[..1]).swap_remove(0);
            let of_memory = biases_at(at_key, &parts[1..]);
            let [query, key, value] = parts.map(|(weight, _)| weight);
            CrossProjections::Gpu {
                query: Box::new(Weighted::new(side_by_side([query]), of_query, target)),
                memory: Box::new(Weighted::new(side_by_side([key, value]), Tensor::cat(of_memory, 1), target)),
            }
        } else {
            CrossProjections::Cpu { each: affine(parts, target), positions: positions.map(Box::new) }
        };
        Self { projections, out: Affine::of(attention.out_proj, target), heads }
    }

    /// Maps the input of the queries, `[n, C]`, and that of keys and values, `[m, C]`, to `[n, C]`, for the layer norm
    /// after it. `residual`, `[n, C]`, is added to the result.
    pub fn forward(
        &self,
        x: impl Into<Operand>,
        memory: impl Into<Operand>,
        residual: Option<Tensor<2>>,
    ) -> Rows<'_> {
        let (x, memory) = (x.into(), memory.into());
        let [_, channels] = x.dims();
        let mixed = match &self.projections {
            CrossProjections::Gpu { query, memory: both } => {
                let queries = (query.weight.multiply(x), &query.bias);
                let memory = (both.weight.multiply(memory), &both.bias);
                gpu::attend(Attended::other(queries, memory), None, channels, self.heads, query.weight.is_half())
            }
            CrossProjections::Cpu { each, positions } => {
                let (x, memory) = (x.into_inner(), memory.into_inner());
                let [query, key] = match positions.as_deref() {
                    Some([of_query, of_key]) => [x + of_query.clone(), memory.clone() + of_key.clone()],
                    None => [x, memory.clone()],
                };
                mix_on_cpu([query, key, memory], each, None, self.heads).into()
            }
        };
        self.out.forward_to_norm(mixed, residual)
    }
}

fn on_cpu(hidden: Option<&Hidden>) -> Option<&Tensor<3, Bool>> {
    match hidden {
        Some(Hidden::Cpu(hidden)) => Some(hidden),
        _ => None,
    }
}

fn on_gpu(hidden: Option<&Hidden>) -> Option<&Tensor<2>> {
    match hidden {
        Some(Hidden::Gpu(hidden)) => Some(hidden),
        _ => None,
    }
}

/// Maps the inputs of query `[n, C]`, key and value `[m, C]` to the mixed values, `[n, C]`.
fn mix_on_cpu(
    inputs: [Tensor<2>; 3],
    each: &[Affine; 3],
    hidden: Option<&Tensor<3, Bool>>,
    heads: usize,
) -> Tensor<2> {
    let [of_query, of_key, of_value] = each;
    let [query, key, value] = inputs;
    let [query, key, value] = [(of_query, query), (of_key, key), (of_value, value)]
        .map(|(projection, x)| projection.forward(x, Activation::None));
    let [key, value] = seen([key, value], hidden);
    cpu::attend(query.unsqueeze(), key.unsqueeze(), value.unsqueeze(), heads).squeeze_dim(0)
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
    use burn::tensor::Distribution;
    use burn::tensor::activation::softmax;

    use super::*;

    /// The definition, as operations of the library.
    fn mix([query, key, value]: [Tensor<2>; 3], hidden: Option<&Tensor<3, Bool>>, heads: usize) -> Tensor<2> {
        let [length, channels] = query.dims();
        let split = |x: Tensor<2>| -> Tensor<3> {
            let [length, _] = x.dims();
            x.reshape([length, heads, channels / heads]).swap_dims(0, 1)
        };
        let mut scores = split(query).matmul(split(key).swap_dims(1, 2));
        if let Some(hidden) = hidden {
            let [heads, rows, columns] = scores.dims();
            scores = scores.mask_fill(hidden.clone().expand([heads, rows, columns]), f32::MIN / 4.0);
        }
        let weights = softmax(scores / ((channels / heads) as f64).sqrt(), 2);
        weights.matmul(split(value)).swap_dims(0, 1).reshape([length, channels])
    }

    #[test]
    fn the_operation_for_the_cpu_is_that_of_the_library() {
        let device = burn::tensor::Device::flex();
        let draw = |rows, columns| Tensor::<2>::random([rows, columns], Distribution::Uniform(-1.0, 1.0), &device);
        let layer = || Affine::new(draw(12, 12), draw(1, 12).squeeze_dim(0), &Target::single(&device));
        let each = [layer(), layer(), layer()];
        for hidden in [
            None,
            Some([false, false, false, true, true]),
            Some([true, false, true, false, false]),
            Some([false; 5]),
        ] {
            let hidden = hidden.map(|flags| Tensor::<3, Bool>::from_data([[flags]], &device));
            let inputs = [draw(7, 12), draw(5, 12), draw(5, 12)];
            let ours = mix_on_cpu(inputs.clone(), &each, hidden.as_ref(), 3);
            let [of_query, of_key, of_value] = &each;
            let [query, key, value] = inputs;
            let projected = [(of_query, query), (of_key, key), (of_value, value)]
                .map(|(projection, x)| projection.forward(x, Activation::None));
            let difference = (ours - mix(projected, hidden.as_ref(), 3)).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-5, "{difference:e}");
        }
    }
}
