//! A recorder for the intermediate tensors of a forward pass, under the names of the reference tensors.

use burn::tensor::Tensor;

/// A recorded tensor, flattened, and its shape.
#[derive(Clone, Debug)]
pub struct Traced {
    /// The name in the reference tensors, for example `stage3.asrm`.
    pub name: String,
    /// The shape before flattening.
    pub shape: Vec<usize>,
    /// The values in row-major order, still on their device.
    pub values: Tensor<1>,
}

/// Collects tensors if it is enabled; otherwise recording costs nothing.
#[derive(Debug, Default)]
pub struct Trace {
    is_on: bool,
    tensors: Vec<Traced>,
}

impl Trace {
    /// Creates a recorder that keeps the tensors.
    pub fn on() -> Self {
        Self { is_on: true, tensors: Vec::new() }
    }

    /// Creates a recorder that ignores everything.
    pub fn off() -> Self {
        Self::default()
    }

    /// Whether tensors are kept. A caller may then compute tensors that it would otherwise skip.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Keeps `tensor` under `name`.
    pub fn record<const D: usize>(&mut self, name: impl Into<String>, tensor: &Tensor<D>) {
        if self.is_on {
            let shape = tensor.dims().to_vec();
            self.tensors.push(Traced { name: name.into(), shape, values: tensor.clone().reshape([-1]) });
        }
    }

    /// The recorded tensors in order.
    pub fn into_tensors(self) -> Vec<Traced> {
        self.tensors
    }
}
