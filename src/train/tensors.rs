//! A batch as tensors.

use std::ops::Range;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::{Batch, Form};
use crate::model::Tokens;

/// Images of a batch on their device.
pub struct Tensors {
    /// The images, `[count, 3, side, side]`.
    pub image: Tensor<4>,
    /// The target masks, `[count, 1, side, side]`.
    pub target: Tensor<4>,
    /// The prompts; `None` if the network reads no text.
    pub tokens: Option<Tokens>,
    /// The boxes, `[count, 4]`; `None` if the network takes none.
    pub boxes: Option<Tensor<2>>,
}

impl Tensors {
    /// Copies the images of `range` to the device.
    pub fn of(batch: &Batch, range: Range<usize>, form: &Form, device: &Device) -> Self {
        let (count, side) = (range.len(), form.side);
        let float = |values: &[f32], channels: usize| {
            let size = channels * side * side;
            let part = values[range.start * size..range.end * size].to_vec();
            Tensor::<4>::from_data(TensorData::new(part, [count, channels, side, side]), device)
        };
        let int = |values: &[i64]| {
            let size = form.tokens();
            let part = values[range.start * size..range.end * size].to_vec();
            Tensor::<2, Int>::from_data(TensorData::new(part, [count, size]), device)
        };
        let boxes = form.takes_box.then(|| {
            let part = batch.boxes[range.start * 4..range.end * 4].to_vec();
            Tensor::<2>::from_data(TensorData::new(part, [count, 4]), device)
        });
        Self {
            boxes,
            image: float(&batch.images, 3),
            target: float(&batch.targets, 1),
            tokens: form.text.is_some().then(|| Tokens { ids: int(&batch.ids), mask: int(&batch.attention) }),
        }
    }
}
