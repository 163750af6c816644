//! Operations with our own backward pass for training on the CPU, instead of a backward pass composed of the
//! library's operations.

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::attention::{self, Saved, Sizes};

/// Scaled dot-product attention with [`attention::forward`], for devices that satisfy [`super::is_cpu`]. Maps
/// query `[batch, n, channels]`, key and value `[batch, m, channels]` to `[batch, n, channels]`.
pub fn attend(query: Tensor<3>, key: Tensor<3>, value: Tensor<3>, heads: usize) -> Tensor<3> {
    let output = <Dispatch as Kernels>::attend_heads(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
        heads,
    );
    Tensor::from_dispatch(output)
}

/// The operations for the CPU backend, with and without gradients.
#[backend_extension(Flex, Autodiff)]
pub trait Kernels: Backend {
    /// Implements [`attend`] for a backend.
    fn attend_heads(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self>;
}

type Cpu = FloatTensor<Flex>;

/// The values of a contiguous tensor in row-major order.
pub(super) fn values(tensor: &Cpu) -> &[f32] {
    match tensor.as_slice::<f32>() {
        Some(values) => values,
        None => panic!("the tensor is not contiguous"),
    }
}

fn tensor(values: Vec<f32>, shape: [usize; 3]) -> Cpu {
    Cpu::from_data(TensorData::new(values, shape))
}

fn sizes(query: &Cpu, key: &Cpu, heads: usize) -> Sizes {
    let (query, key) = (query.shape(), key.shape());
    Sizes { batch: query[0], queries: query[1], keys: key[1], channels: query[2], heads }
}

impl Kernels for Flex {
    fn attend_heads(query: Cpu, key: Cpu, value: Cpu, heads: usize) -> Cpu {
        forward(&query.to_contiguous(), &key.to_contiguous(), &value.to_contiguous(), heads).0
    }
}

fn forward(query: &Cpu, key: &Cpu, value: &Cpu, heads: usize) -> (Cpu, Vec<f32>) {
    let sizes = sizes(query, key, heads);
    let (output, logs) = attention::forward(values(query), values(key), values(value), sizes);
    (tensor(output, [sizes.batch, sizes.queries, sizes.channels]), logs)
}

/// The values that the backward pass of an attention needs.
#[derive(Clone, Debug)]
struct AttentionState {
    query: Cpu,
    key: Cpu,
    value: Cpu,
    output: Cpu,
    logs: Vec<f32>,
    heads: usize,
}

#[derive(Debug)]
struct AttentionBackward;

impl Backward<Flex, 3> for AttentionBackward {
    type State = AttentionState;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let AttentionState { query, key, value, output, logs, heads } = ops.state;
        let sizes = sizes(&query, &key, heads);
        let saved = Saved {
            query: values(&query),
            key: values(&key),
            value: values(&value),
            output: values(&output),
            logs: &logs,
        };
        let parts = attention::backward(saved, values(&gradient), sizes);
        let lengths = [sizes.queries, sizes.keys, sizes.keys];
        for ((parent, part), length) in ops.parents.into_iter().zip(parts).zip(lengths) {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, tensor(part, [sizes.batch, length, sizes.channels]));
            }
        }
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn attend_heads(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
        heads: usize,
    ) -> FloatTensor<Self> {
        let nodes = [query.node(), key.node(), value.node()];
        let [query, key, value] = [query, key, value].map(|x| x.into_primitive().to_contiguous());
        let (output, logs) = forward(&query, &key, &value, heads);
        match AttentionBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let state = AttentionState { query, key, value, output: output.clone(), logs, heads };
                prep.finish(state, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(output),
        }
    }
}
