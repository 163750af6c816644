//! The outputs of a frozen text encoder, computed once for each prompt. On the CPU they are plain arrays; on a GPU they
//! stay there ([`TextBank`]).

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::Batch;
use super::text_bank::TextBank;
use crate::model::network::TextConditioned;
use crate::model::{Model, Tokens, Trace};

/// The bytes of outputs that are kept. For further prompts the encoder runs again.
const KEEP_BYTES: usize = 2 << 30;

/// The kept outputs by token ids: `[rows, hidden]` of every layer, one after another.
#[derive(Debug, Default)]
pub struct TextStates {
    known: HashMap<Vec<i64>, Vec<f32>>,
    bytes: usize,
    /// The number of tensors per prompt.
    layers: usize,
    /// The number of rows of a tensor: of the tokens, or of the words that are made of them.
    rows: usize,
    /// The outputs on a GPU, in place of all the others.
    bank: Option<TextBank>,
}

impl TextStates {
    /// Outputs that are kept where the network computes.
    pub fn kept_on(is_gpu: bool) -> Self {
        Self { bank: is_gpu.then(TextBank::default), ..Self::default() }
    }

    /// The outputs of every layer, each `[count, rows, hidden]`, for the prompts of a batch. The frozen encoder
    /// of `model` runs without dropout on the prompts that are not known yet; its outputs carry no gradient. The
    /// result is empty if the network reads no text.
    pub fn states(&mut self, model: &dyn Model, batch: &Batch, device: &Device) -> Vec<Tensor<3>> {
        let tokens = batch.ids.len() / batch.count.max(1);
        if tokens == 0 {
            return Vec::new();
        }
        let plain = device.clone().inner();
        if let Some(bank) = &mut self.bank {
            let states = bank.states(model, batch, &plain);
            let with_gradients = |state| if device.is_autodiff() { Tensor::from_inner(state) } else { state };
            return states.into_iter().map(with_gradients).collect();
        }
        let prompts: Vec<&[i64]> = batch.ids.chunks_exact(tokens).collect();
        let mut made: HashMap<Vec<i64>, Vec<f32>> = HashMap::new();
        let mut encoder = Encoder { model, plain: None };
        for (index, prompt) in prompts.iter().enumerate() {
            if self.known.contains_key(*prompt) || made.contains_key(*prompt) {
                continue;
            }
            let one = |values: &[i64]| -> Tensor<2, Int> {
                let part = values[index * tokens..(index + 1) * tokens].to_vec();
                Tensor::from_data(TensorData::new(part, [1, tokens]), &plain)
            };
            let states = encoder.states(Tokens { ids: one(&batch.ids), mask: one(&batch.attention) });
            self.layers = states.len();
            self.rows = states.first().map_or(tokens, |state| state.dims()[1]);
            let values: Vec<f32> =
                states.into_iter().flat_map(|x| x.into_data().iter::<f32>().collect::<Vec<_>>()).collect();
            made.insert(prompt.to_vec(), values);
        }
        let find = |prompt: &[i64]| self.known.get(prompt).or_else(|| made.get(prompt));
        let found: Vec<&Vec<f32>> = prompts.iter().filter_map(|prompt| find(prompt)).collect();
        let states = stack(&found, self.rows, self.layers, device);
        for (prompt, values) in made {
            let bytes = values.len() * 4;
            if self.bytes + bytes <= KEEP_BYTES {
                self.bytes += bytes;
                self.known.insert(prompt, values);
            }
        }
        states
    }
}

/// The text encoder of a model, whose gradients are removed when it is first needed.
struct Encoder<'a> {
    model: &'a dyn Model,
    plain: Option<Box<dyn Model>>,
}

impl Encoder<'_> {
    fn states(&mut self, tokens: Tokens) -> Vec<Tensor<3>> {
        let plain = self.plain.get_or_insert_with(|| self.model.without_gradients());
        let states = |encoder: &dyn TextConditioned| encoder.text_states(tokens, &mut Trace::off());
        plain.text_conditioned().map(states).unwrap_or_default()
    }
}

/// Stacks the outputs of the prompts, `rows` rows each, layer by layer.
fn stack(found: &[&Vec<f32>], rows: usize, count: usize, device: &Device) -> Vec<Tensor<3>> {
    let size = found.first().map_or(0, |values| values.len() / count);
    (0..count)
        .map(|layer| {
            let values: Vec<f32> =
                found.iter().flat_map(|values| &values[layer * size..(layer + 1) * size]).copied().collect();
            Tensor::from_data(TensorData::new(values, [found.len(), rows, size / rows.max(1)]), device)
        })
        .collect()
}
