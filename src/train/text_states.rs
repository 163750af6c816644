//! Outputs of a frozen text encoder, computed once for each sentence.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::Batch;
use super::validate::Tensors;
use crate::model::Trace;
use crate::model::text_encoder::TextEncoder;

/// States that are kept, in bytes; beyond that the encoder runs again.
const KEEP_BYTES: usize = 2 << 30;

/// The kept states: by token numbers, every layer's `[tokens, hidden]` one after another.
#[derive(Debug)]
pub struct TextStates {
    encoder: TextEncoder,
    known: HashMap<Vec<i64>, Vec<f32>>,
    bytes: usize,
}

impl TextStates {
    /// Of an encoder without gradients.
    pub fn new(encoder: TextEncoder) -> Self {
        Self { encoder, known: HashMap::new(), bytes: 0 }
    }

    /// States of every layer, `[count, tokens, hidden]` each, for the sentences of a batch. The encoder runs on what is not known
    /// yet, without dropout; its outputs carry no gradient.
    pub fn states(&mut self, tensors: &Tensors, batch: &Batch) -> Vec<Tensor<3>> {
        let device = tensors.image.device();
        let tokens = batch.ids.len() / batch.count.max(1);
        let sentences: Vec<&[i64]> = batch.ids.chunks_exact(tokens).collect();
        let plain = device.clone().inner();
        let mut made: HashMap<Vec<i64>, Vec<f32>> = HashMap::new();
        for (index, sentence) in sentences.iter().enumerate() {
            if self.known.contains_key(*sentence) || made.contains_key(*sentence) {
                continue;
            }
            let one = |values: &[i64]| -> Tensor<2, Int> {
                let part = values[index * tokens..(index + 1) * tokens].to_vec();
                Tensor::from_data(TensorData::new(part, [1, tokens]), &plain)
            };
            let states = self.encoder.forward(one(&batch.ids), one(&batch.attention), &mut Trace::off());
            let values: Vec<f32> =
                states.into_iter().flat_map(|x| x.into_data().iter::<f32>().collect::<Vec<_>>()).collect();
            made.insert(sentence.to_vec(), values);
        }
        let find = |sentence: &[i64]| self.known.get(sentence).or_else(|| made.get(sentence));
        let found: Vec<&Vec<f32>> = sentences.iter().filter_map(|sentence| find(sentence)).collect();
        let states = stack(&found, tokens, self.encoder.layers.len() + 1, &device);
        for (sentence, values) in made {
            let bytes = values.len() * 4;
            if self.bytes + bytes <= KEEP_BYTES {
                self.bytes += bytes;
                self.known.insert(sentence, values);
            }
        }
        states
    }
}

/// Layer by layer, the sentences one after another.
fn stack(found: &[&Vec<f32>], tokens: usize, count: usize, device: &Device) -> Vec<Tensor<3>> {
    let size = found.first().map_or(0, |values| values.len() / count);
    (0..count)
        .map(|layer| {
            let values: Vec<f32> =
                found.iter().flat_map(|values| &values[layer * size..(layer + 1) * size]).copied().collect();
            Tensor::from_data(TensorData::new(values, [found.len(), tokens, size / tokens]), device)
        })
        .collect()
}
