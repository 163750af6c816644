//! The outputs of a frozen text encoder, kept on a GPU, so that a step neither reads them back nor sends them again.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::Batch;
use crate::model::{Model, Tokens, Trace};

/// The bytes of outputs that are kept. For further prompts the encoder runs in every step.
pub const KEEP_BYTES: usize = 1 << 30;
/// The number of prompts for which there is room at first; the room doubles when it is full.
const ROOM: usize = 64;

/// The kept outputs: for every layer one tensor `[room, tokens, hidden]`, with a row for each prompt.
#[derive(Debug, Default)]
pub struct TextBank {
    /// The row of each prompt by its token ids.
    rows: HashMap<Vec<i64>, usize>,
    layers: Vec<Tensor<3>>,
}

impl TextBank {
    /// The outputs of every layer, each `[count, tokens, hidden]` on `device` without gradients, for the prompts of a
    /// batch. If one of them is new, the encoder runs on the whole batch, because each other number of prompts would
    /// have to be tuned for.
    pub fn states(&mut self, model: &dyn Model, batch: &Batch, device: &Device) -> Vec<Tensor<3>> {
        let tokens = batch.ids.len() / batch.count.max(1);
        if tokens == 0 {
            return Vec::new();
        }
        let prompts: Vec<&[i64]> = batch.ids.chunks_exact(tokens).collect();
        let known: Option<Vec<usize>> = prompts.iter().map(|prompt| self.rows.get(*prompt).copied()).collect();
        if let Some(rows) = known {
            let rows = places(&rows, device);
            return self.layers.iter().map(|layer| layer.clone().select(0, rows.clone())).collect();
        }
        let tensor = |values: &[i64]| {
            Tensor::<2, Int>::from_data(TensorData::new(values.to_vec(), [batch.count, tokens]), device)
        };
        let read = Tokens { ids: tensor(&batch.ids), mask: tensor(&batch.attention) };
        let plain = model.without_gradients();
        let Some(encoder) = plain.text_conditioned() else { return Vec::new() };
        let states = encoder.text_states(read, &mut Trace::off());
        self.keep(&prompts, &states, device);
        states
    }

    /// Keeps the outputs of the prompts that are new.
    fn keep(&mut self, prompts: &[&[i64]], states: &[Tensor<3>], device: &Device) {
        let Some([_, tokens, hidden]) = states.first().map(Tensor::dims) else { return };
        let most = KEEP_BYTES / (states.len() * tokens * hidden * 4).max(1);
        let first = self.rows.len();
        let mut new = Vec::new();
        for (place, prompt) in prompts.iter().enumerate() {
            let next = first + new.len();
            if next < most && !self.rows.contains_key(*prompt) {
                self.rows.insert(prompt.to_vec(), next);
                new.push(place);
            }
        }
        if new.is_empty() {
            return;
        }
        let needed = first + new.len();
        let room = self.layers.first().map_or(0, |layer| layer.dims()[0]);
        if needed > room {
            let more = (ROOM.max(room).max(needed.next_power_of_two())).min(most).max(needed) - room;
            let empty = || Tensor::<3>::zeros([more, tokens, hidden], device);
            let old = std::mem::take(&mut self.layers);
            self.layers = match old.is_empty() {
                true => states.iter().map(|_| empty()).collect(),
                false => old.into_iter().map(|layer| Tensor::cat(vec![layer, empty()], 0)).collect(),
            };
        }
        let new = places(&new, device);
        let old = std::mem::take(&mut self.layers);
        self.layers = old
            .into_iter()
            .zip(states)
            .map(|(layer, state)| {
                let rows = state.clone().select(0, new.clone());
                layer.slice_assign([first..needed, 0..tokens, 0..hidden], rows)
            })
            .collect();
    }
}

/// The places as a tensor.
fn places(places: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = places.iter().map(|place| *place as i64).collect();
    Tensor::from_data(TensorData::new(values, [places.len()]), device)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device;
    use crate::model::Registry;

    fn batch(prompts: &[[i64; 4]]) -> Batch {
        let ids: Vec<i64> = prompts.iter().flatten().copied().collect();
        Batch { attention: vec![1; ids.len()], ids, count: prompts.len(), ..Batch::default() }
    }

    fn values(states: &[Tensor<3>]) -> Vec<f32> {
        states.iter().flat_map(|state| state.clone().into_data().iter::<f32>().collect::<Vec<_>>()).collect()
    }

    /// The matrix product rounds differently with another number of rows.
    fn assert_alike(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4));
    }

    #[test]
    fn kept_outputs_are_those_of_the_encoder_in_the_order_of_the_batch() {
        let config = Registry::default().parse(include_str!("../../assets/small.json")).expect("an architecture");
        let device = device::cpu().device;
        let model = config.network.build(&device).expect("a network");
        let model = model.as_ref();
        let prompts: Vec<[i64; 4]> = (0..9).map(|row| [2, row + 5, 7, 3]).collect();
        let fresh = |prompts: &[[i64; 4]]| values(&TextBank::default().states(model, &batch(prompts), &device));
        let mut bank = TextBank::default();
        assert_alike(&values(&bank.states(model, &batch(&prompts[..3]), &device)), &fresh(&prompts[..3]));
        bank.states(model, &batch(&[prompts[1], prompts[4], prompts[4]]), &device);
        assert_eq!(bank.rows.len(), 4, "each prompt is kept once");
        let mixed = [prompts[4], prompts[0], prompts[2], prompts[4]];
        assert_alike(&values(&bank.states(model, &batch(&mixed), &device)), &fresh(&mixed));
        // More prompts than there is room for at first.
        let many: Vec<[i64; 4]> = (0..ROOM as i64 + 6).map(|row| [2, row % 40 + 5, row / 40 + 5, 3]).collect();
        bank.states(model, &batch(&many), &device);
        let again = [many[ROOM + 5], prompts[2], many[0]];
        assert_alike(&values(&bank.states(model, &batch(&again), &device)), &fresh(&again));
    }
}
