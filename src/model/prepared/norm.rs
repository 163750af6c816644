//! The layer norm of rows.

use burn::module::Module;
use burn::tensor::{Tensor, module};

use super::linear::Rows;
use crate::model::Target;
use crate::model::gpu::{self, Added, Operand};
use crate::model::layers::LayerNorm;

/// A layer norm, prepared for prediction.
#[derive(Clone, Debug)]
pub struct PreparedNorm {
    norm: LayerNorm,
    /// Whether the products of a GPU read half precision.
    is_half: bool,
}

impl PreparedNorm {
    /// Takes over the norm for `target`.
    pub fn of(norm: LayerNorm, target: &Target) -> Self {
        Self { norm: norm.to_device(&target.device), is_half: gpu::multiplies_half(target) }
    }

    /// Takes over the norm multiplied by the scale of the residual.
    pub fn scaled(norm: &LayerNorm, beta: f32, target: &Target) -> Self {
        let mut norm = norm.clone();
        norm.weight = norm.weight.map(|weight| weight * beta);
        norm.bias = norm.bias.map(|bias| bias * beta);
        Self::of(norm, target)
    }

    /// Computes the norm of each row, plus `after`, which has the shape of the rows.
    pub fn forward<'a>(&self, rows: impl Into<Rows<'a>>, after: Option<Tensor<2>>) -> Tensor<2> {
        let Rows { x, shift, before } = rows.into();
        if gpu::accepts(&x.device()) {
            return gpu::normalise(&self.norm, x, Added { shift, before, after });
        }
        let norm = &self.norm;
        let normalised = module::layer_norm(x, norm.weight.val(), Some(norm.bias.val()), norm.eps());
        match after {
            Some(after) => normalised + after,
            None => normalised,
        }
    }

    /// Computes the same for a product.
    pub fn forward_to_product<'a>(&self, rows: impl Into<Rows<'a>>) -> Operand {
        self.forward_twice(rows, None).1
    }

    /// Computes the same, both for what adds to it and for a product.
    pub fn forward_twice<'a>(&self, rows: impl Into<Rows<'a>>, after: Option<Tensor<2>>) -> (Tensor<2>, Operand) {
        if !self.is_half {
            let x = self.forward(rows, after);
            return (x.clone(), x.into());
        }
        let Rows { x, shift, before } = rows.into();
        gpu::normalise_twice(&self.norm, x, Added { shift, before, after })
    }
}
