//! Products on a GPU, in single or half precision.

use burn::backend::{Dispatch, DispatchTensor};
use burn::tensor::{DType, FloatDType, Int, Tensor};

use super::accepts;
use super::kernels::LARGEST_HALF;
use super::operations::Operations;
use crate::model::Target;
use crate::model::remote::is_remote_device;

/// The left side of a product, `[rows, in]`: in half precision if the kernel that made it has stored it so, otherwise in
/// single precision. On the CPU, it is an ordinary tensor.
#[derive(Clone, Debug)]
pub struct Operand(Tensor<2>);

impl From<Tensor<2>> for Operand {
    fn from(x: Tensor<2>) -> Self {
        Self(x)
    }
}

impl Operand {
    pub(super) fn of_kernel(x: DispatchTensor) -> Self {
        Self(Tensor::from_dispatch(x))
    }

    /// The tensor, in either precision.
    pub fn into_inner(self) -> Tensor<2> {
        self.0
    }

    /// The tensor in single precision, for something else than a product.
    pub fn into_single(self) -> Tensor<2> {
        if self.is_half() { self.0.cast(FloatDType::F32) } else { self.0 }
    }

    /// The shape, `[rows, in]`.
    pub fn dims(&self) -> [usize; 2] {
        self.0.dims()
    }

    /// Changes the order or the shape of the values.
    pub fn rearranged(self, change: impl FnOnce(Tensor<2>) -> Tensor<2>) -> Self {
        Self(change(self.0))
    }

    fn is_half(&self) -> bool {
        self.0.dtype() == DType::F16
    }
}

/// The weight of a product, `[in, out]`, in the precision of the product.
#[derive(Clone, Debug)]
pub struct Weight(Tensor<2>);

impl Weight {
    /// Takes over `weight`, `[in, out]`, for `target`. For half precision it is converted where it is, so that the device
    /// never has it in single precision. A weight with a number that half precision cannot hold remains as it is, and its
    /// product is computed in single precision.
    pub fn of(weight: Tensor<2>, target: &Target) -> Self {
        let fits = |weight: &Tensor<2>| weight.clone().abs().max().into_scalar::<f32>() <= LARGEST_HALF;
        let is_half = multiplies_half(target) && fits(&weight);
        let weight = if is_half { weight.cast(FloatDType::F16) } else { weight };
        Self(weight.to_device(&target.device))
    }

    /// Takes over a weight whose rows are outputs, `[out, in]`, and keeps its order in memory.
    pub fn of_rows(weight: Tensor<2>, target: &Target) -> Self {
        Self(Self::of(weight, target).0.transpose())
    }

    /// The shape, `[in, out]`.
    pub fn dims(&self) -> [usize; 2] {
        self.0.dims()
    }

    /// Whether the product is computed in half precision.
    pub fn is_half(&self) -> bool {
        self.0.dtype() == DType::F16
    }

    /// Returns the rows of these numbers, `[count]`, in single precision: `[count, out]`.
    pub fn rows(&self, numbers: Tensor<1, Int>) -> Tensor<2> {
        Operand(self.0.clone().select(0, numbers)).into_single()
    }

    /// Computes `x W`; maps `[rows, in]` to `[rows, out]`, in single precision.
    pub fn multiply(&self, x: impl Into<Operand>) -> Tensor<2> {
        let (x, weight) = (x.into(), self.0.clone());
        if !self.is_half() {
            return x.into_single().matmul(weight);
        }
        let x = if x.is_half() { x.0 } else { rounded(x.0) };
        let product = <Dispatch as Operations>::multiply(x.into_dispatch(), weight.into_dispatch());
        Tensor::from_dispatch(product)
    }
}

/// Whether products for this target are computed in half precision, which the CPU and a device of another computer do not
/// have.
pub fn multiplies_half(target: &Target) -> bool {
    target.is_half && accepts(&target.device) && !is_remote_device(&target.device)
}

/// Converts a tensor that none of our kernels made. What half precision cannot hold is not a number afterwards, as where a
/// kernel converts it.
fn rounded(x: Tensor<2>) -> Tensor<2> {
    let is_large = x.clone().abs().greater_elem(LARGEST_HALF);
    x.mask_fill(is_large, f32::NAN).cast(FloatDType::F16)
}
