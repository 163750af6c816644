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
    /// The end of the names that are kept although the recorder is not enabled.
    ending: Option<&'static str>,
    tensors: Vec<Traced>,
}

impl Trace {
    /// Creates a recorder that keeps the tensors.
    pub fn on() -> Self {
        Self { is_on: true, ..Self::default() }
    }

    /// Creates a recorder that ignores everything.
    pub fn off() -> Self {
        Self::default()
    }

    /// Creates a recorder that keeps only the tensors whose names end with `ending`. The forward pass computes what it
    /// computes without a recorder.
    pub fn only(ending: &'static str) -> Self {
        Self { ending: Some(ending), ..Self::default() }
    }

    /// Whether all tensors are kept. A caller may then compute tensors that it would otherwise skip.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Whether a tensor of this name is kept.
    pub fn keeps(&self, name: &str) -> bool {
        self.is_on || self.ending.is_some_and(|ending| name.ends_with(ending))
    }

    /// Keeps `tensor` under `name`, if tensors of this name are kept.
    pub fn record<const D: usize>(&mut self, name: impl Into<String>, tensor: &Tensor<D>) {
        if !self.is_on && self.ending.is_none() {
            return;
        }
        let name = name.into();
        if self.keeps(&name) {
            let shape = tensor.dims().to_vec();
            self.tensors.push(Traced { name, shape, values: tensor.clone().reshape([-1]) });
        }
    }

    /// Keeps the output of a decoder stage, `[batch, C, n, n]`, under `name.decoded` in the shape of the reference tensors,
    /// `[batch, n², C]`. Auxiliary losses read it.
    pub fn record_stage(&mut self, name: &str, x: &Tensor<4>) {
        let name = format!("{name}.decoded");
        if self.keeps(&name) {
            let [batch, channels, height, width] = x.dims();
            let flat = x.clone().reshape([batch, channels, height * width]).swap_dims(1, 2);
            self.record(name, &flat);
        }
    }

    /// The recorded tensors in order.
    pub fn into_tensors(self) -> Vec<Traced> {
        self.tensors
    }
}
