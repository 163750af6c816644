//! A recorder for the intermediate tensors of a forward pass, under the names of the reference tensors.

use burn::tensor::Tensor;

/// One recorded tensor: flattened, with its shape.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Name as in the reference tensors, for example `stage3.asrm`.
    pub name: String,
    /// Shape before flattening.
    pub shape: Vec<usize>,
    /// The values in row-major order, still on their device.
    pub values: Tensor<1>,
}

/// Collects tensors when it is on; otherwise recording costs nothing.
#[derive(Debug, Default)]
pub struct Trace {
    is_on: bool,
    tensors: Vec<Traced>,
}

impl Trace {
    /// A recorder that keeps what it is given.
    pub fn on() -> Self {
        Self { is_on: true, tensors: Vec::new() }
    }

    /// A recorder that ignores everything.
    pub fn off() -> Self {
        Self::default()
    }

    /// Whether anything is kept. A caller may then take a path that computes tensors it would otherwise skip.
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

    /// What was recorded, in order.
    pub fn into_tensors(self) -> Vec<Traced> {
        self.tensors
    }
}
