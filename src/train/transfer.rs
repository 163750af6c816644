//! Weights that are carried over to a network of other sizes or with another vocabulary.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::error::TrainError;
use crate::model::key_table::KeySpec;
use crate::model::weights::check::has_shape;
use crate::model::weights::{TensorSource, WeightsError, load};
use crate::model::{Model, Network};
use crate::text::Tokenizer;

/// The end of the key of a BERT's word embeddings, `[entries, hidden]`.
const WORDS: &str = "word_embeddings.weight";
/// The end of the keys of tables whose rows are looked up, not multiplied.
const TABLE: &str = "embeddings.weight";
/// The number of names that the notice lists before it counts the rest.
const SHOWN: usize = 4;

/// The vocabularies of both networks.
pub struct Vocabularies<'a> {
    /// That of the weights.
    pub from: &'a Tokenizer,
    /// That of the network to be trained.
    pub to: &'a Tokenizer,
}

/// What happens to a tensor.
enum Plan {
    /// It is taken as it is.
    Take,
    /// The rows of the words that both vocabularies have are taken.
    Words,
    /// It is longer along this axis alone: the old part is taken.
    Extend { from: Vec<usize>, axis: usize },
    /// It remains random.
    Fresh,
}

/// What was carried over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// The number of tensors that were taken as they are.
    pub taken: usize,
    /// The number of vocabulary entries whose embeddings were taken, and of those that are random.
    pub words: Option<(usize, usize)>,
    /// The keys of the tensors of which the old part was taken.
    pub extended: Vec<String>,
    /// The keys of the tensors that are random.
    pub fresh: Vec<String>,
}

impl Transfer {
    /// The notice for the user about weights that came from `name`.
    pub fn notice(&self, name: &str) -> String {
        let tensors = |count: usize| if count == 1 { "1 tensor".into() } else { format!("{count} tensors") };
        let list = |keys: &[String]| {
            let shown = keys[..keys.len().min(SHOWN)].join(", ");
            let more = keys.len().saturating_sub(SHOWN);
            if more > 0 { format!("{shown}, and {more} more") } else { shown }
        };
        let mut parts = vec![format!("{} as they are", tensors(self.taken))];
        if let Some((carried, fresh)) = self.words {
            parts.push(format!(
                "the embeddings of {carried} of {} vocabulary entries (the others are random)",
                carried + fresh
            ));
        }
        if !self.extended.is_empty() {
            parts.push(format!("the old part of {} ({})", tensors(self.extended.len()), list(&self.extended)));
        }
        let fresh = match self.fresh.len() {
            0 => "nothing else is random".into(),
            count => format!("{} random ({})", tensors(count), list(&self.fresh)),
        };
        format!("From {name} are taken: {}; {fresh}.", parts.join("; "))
    }
}

/// Builds `network` with random weights and replaces those that `source`, the weights of another architecture, has:
///
/// - a tensor with the same key and shape is taken, except word embeddings: these go by the entries of the vocabularies,
///   because the same row may belong to another word, and entries that are new keep their random values;
/// - of a tensor with two or more axes that is longer along one of them, with the rest equal, the old part is taken. The
///   new part is zero if it multiplies a new input (such as the new tokens of a projection over the token axis) or is a row of a
///   table (such as position embeddings), so that it changes nothing at first. New outputs keep their random values; were they
///   zero as well, neither they nor the weights behind them would get a gradient;
/// - everything else remains random.
///
/// # Errors
/// The network cannot be built, a tensor cannot be read, or there is nothing to take.
pub fn transfer(
    network: &dyn Network,
    source: &dyn TensorSource,
    vocabularies: Option<&Vocabularies<'_>>,
    device: &Device,
) -> Result<(Box<dyn Model>, Transfer), TrainError> {
    let model = network.build(device).map_err(|error| TrainError::Config(error.to_string()))?;
    let found = source.shapes();
    let mut transfer = Transfer::default();
    let mut failure: Option<WeightsError> = None;
    let model = model.map_parameters(&mut |path, slot| {
        if failure.is_some() {
            return;
        }
        let (key, shape) = (network.key(path), slot.shape());
        let read = |shape: &[usize]| load::values(network, source, &key, shape);
        let plan = match found.get(&key) {
            Some(from) => plan(network, &key, from, &shape, vocabularies),
            None => Plan::Fresh,
        };
        let outcome = match plan {
            Plan::Take => read(&shape).map(|values| {
                slot.load(values);
                transfer.taken += 1;
            }),
            Plan::Words => {
                let rows = vocabularies.map(rows).unwrap_or_default();
                let (entries, hidden) = (shape[0], shape[1]);
                let from = found.get(&key).map_or(0, |from| from[0]);
                read(&[from, hidden]).map(|old| {
                    let mut carried = 0;
                    change(slot, |new| {
                        for (old_row, row) in rows.iter().filter(|(old, new)| *old < from && *new < entries) {
                            let at = row * hidden;
                            new[at..at + hidden].copy_from_slice(&old[old_row * hidden..][..hidden]);
                            carried += 1;
                        }
                    });
                    transfer.words = Some((carried, entries - carried));
                })
            }
            Plan::Extend { from, axis } => read(&from).map(|old| {
                let is_empty = axis > 0 || key.ends_with(TABLE);
                change(slot, |new| extend(&old, new, &from, &shape, axis, is_empty));
                transfer.extended.push(key.clone());
            }),
            Plan::Fresh => {
                transfer.fresh.push(key.clone());
                Ok(())
            }
        };
        failure = outcome.err();
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    if transfer.taken == 0
        && transfer.extended.is_empty()
        && transfer.words.is_none_or(|(carried, _)| carried == 0)
    {
        return Err(TrainError::Config(format!(
            "{}: none of its weights fits the architecture ({}); choose another one, or leave start out",
            source.path().display(),
            network.describe()
        )));
    }
    Ok((model, transfer))
}

fn plan(
    network: &dyn Network,
    key: &str,
    from: &[usize],
    to: &[usize],
    vocabularies: Option<&Vocabularies<'_>>,
) -> Plan {
    if key.ends_with(WORDS) && vocabularies.is_some() {
        return if from.len() == 2 && to.len() == 2 && from[1] == to[1] { Plan::Words } else { Plan::Fresh };
    }
    let shape = if network.is_scalar(key) { Vec::new() } else { to.to_vec() };
    if has_shape(&KeySpec { name: key.to_owned(), shape }, from) {
        return Plan::Take;
    }
    if from.len() != to.len() || to.len() < 2 {
        return Plan::Fresh;
    }
    let mut differing = (0..to.len()).filter(|axis| from[*axis] != to[*axis]);
    match (differing.next(), differing.next()) {
        (Some(axis), None) if to[axis] > from[axis] => Plan::Extend { from: from.to_vec(), axis },
        _ => Plan::Fresh,
    }
}

/// The rows of the entries that both vocabularies have, as pairs of the old and the new row.
fn rows(vocabularies: &Vocabularies<'_>) -> Vec<(usize, usize)> {
    let old: HashMap<String, usize> = vocabularies.from.entries();
    let new = vocabularies.to.entries();
    new.iter().filter_map(|(entry, row)| old.get(entry).map(|old| (*old, *row))).collect()
}

/// Changes the initial values of a parameter, which are drawn for it.
fn change(slot: &mut dyn crate::model::parameters::ParameterSlot, mut edit: impl FnMut(&mut [f32])) {
    slot.update(&mut |random| {
        let (count, device) = (random.dims(), random.device());
        let mut values: Vec<f32> = random.into_data().iter::<f32>().collect();
        edit(&mut values);
        Tensor::from_data(TensorData::new(values, count), &device)
    });
}

/// Copies `old` with the shape `from` into `new` with the shape `to`, which is longer along `axis` alone. The rest of `new`
/// becomes zero if `is_empty`, and stays as it is otherwise.
fn extend(old: &[f32], new: &mut [f32], from: &[usize], to: &[usize], axis: usize, is_empty: bool) {
    let inner: usize = to[axis + 1..].iter().product();
    let (short, long) = (from[axis] * inner, to[axis] * inner);
    for (old, new) in old.chunks_exact(short).zip(new.chunks_exact_mut(long)) {
        new[..short].copy_from_slice(old);
        if is_empty {
            new[short..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::model::{ModelConfig, Registry};

    /// Tensors in memory.
    struct Memory(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

    impl TensorSource for Memory {
        fn path(&self) -> &Path {
            Path::new("memory")
        }

        fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
            self.0.iter().map(|(key, (shape, _))| (key.clone(), shape.clone())).collect()
        }

        fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
            Ok(self.0[name].1.clone())
        }
    }

    fn device() -> Device {
        Device::flex().autodiff()
    }

    fn architecture(words: usize, tokens: usize) -> ModelConfig {
        let text = json!({"vocab_size": words, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
            "intermediate_size": 32, "max_position_embeddings": tokens});
        let decoder =
            json!({"num_heads": 4, "text_lengths": [6, 4, 3], "input_text_length": tokens, "image_size": 64});
        let vision = json!({"depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 32, 64]});
        let sizes = json!({"token_limit": tokens, "text": text, "decoder": decoder, "vision": vision});
        Registry::default().parse(&sizes.to_string()).expect("an architecture")
    }

    fn vocabulary(words: &[&str]) -> Tokenizer {
        let special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
        let all: Vec<&str> = special.into_iter().chain(words.iter().copied()).collect();
        Tokenizer::from_vocab_text(&(all.join("\n") + "\n")).expect("a vocabulary")
    }

    fn tensors(config: &ModelConfig, model: &dyn Model) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
        let mut found = BTreeMap::new();
        model.visit_parameters(&mut |path, parameter| {
            found.insert(config.network.key(path), (parameter.shape(), parameter.values()));
        });
        found
    }

    fn key<'a>(all: &'a BTreeMap<String, (Vec<usize>, Vec<f32>)>, end: &str) -> &'a (Vec<usize>, Vec<f32>) {
        all.iter().find(|(key, _)| key.ends_with(end)).unwrap_or_else(|| panic!("{end}")).1
    }

    #[test]
    fn words_go_by_their_entry_and_longer_tensors_keep_their_old_part() {
        let (small, large) = (architecture(8, 12), architecture(10, 20));
        let old = tensors(&small, small.network.build(&device()).expect("a model").as_ref());
        let (from, to) =
            (vocabulary(&["left", "lung", "right"]), vocabulary(&["right", "polyp", "left", "a", "b"]));
        let both = Vocabularies { from: &from, to: &to };
        let source = Memory(old.clone());
        let (model, said) = transfer(large.network.as_ref(), &source, Some(&both), &device()).expect("a transfer");
        let new = tensors(&large, model.as_ref());

        // Five special entries and two words.
        assert_eq!(said.words, Some((7, 3)));
        let ((_, before), (shape, after)) = (key(&old, WORDS), key(&new, WORDS));
        assert_eq!(*shape, [10, 24]);
        let row = |values: &[f32], at: usize| values[at * 24..(at + 1) * 24].to_vec();
        for (old, new) in [(0, 0), (4, 4), (5, 7), (7, 5)] {
            assert_eq!(row(before, old), row(after, new), "{old} to {new}");
        }
        let rows = |values: &[f32], at: usize| (0..8).any(|old| row(before, old) == row(values, at));
        assert!(!rows(after, 6) && !rows(after, 8) && row(after, 6).iter().any(|value| *value != 0.0));

        let ((_, before), (shape, after)) =
            (key(&old, "position_embeddings.weight"), key(&new, "position_embeddings.weight"));
        assert_eq!(*shape, [20, 24]);
        assert_eq!(before[..], after[..12 * 24]);
        assert!(after[12 * 24..].iter().all(|value| *value == 0.0));

        let ((_, before), (shape, after)) =
            (key(&old, "text_project.0.weight"), key(&new, "text_project.0.weight"));
        assert_eq!(shape[1], 20);
        for output in 0..shape[0] {
            assert_eq!(before[output * 12..][..12], after[output * 20..][..12]);
            assert!(after[output * 20 + 12..][..8].iter().all(|value| *value == 0.0));
        }

        // Three projections and the positions; nothing is random, and the rest is what it was.
        assert_eq!((said.extended.len(), said.fresh.len()), (4, 0), "{said:?}");
        let equal = new.iter().filter(|(key, tensor)| old.get(*key) == Some(tensor)).count();
        assert_eq!(equal, said.taken);
        assert_eq!(said.taken + 5, new.len());
        let notice = said.notice("base");
        assert!(notice.contains("7 of 10 vocabulary entries") && notice.contains("the old part of 4 tensors"));
    }

    #[test]
    fn a_row_of_the_same_shape_with_another_word_is_not_taken() {
        let config = architecture(7, 12);
        let old = tensors(&config, config.network.build(&device()).expect("a model").as_ref());
        let (from, to) = (vocabulary(&["left", "right"]), vocabulary(&["right", "left"]));
        let both = Vocabularies { from: &from, to: &to };
        let (model, _) =
            transfer(config.network.as_ref(), &Memory(old.clone()), Some(&both), &device()).expect("done");
        let (before, after) = (&key(&old, WORDS).1, &key(&tensors(&config, model.as_ref()), WORDS).1.clone());
        assert_eq!(before[5 * 24..6 * 24], after[6 * 24..7 * 24]);
        assert_eq!(before[6 * 24..7 * 24], after[5 * 24..6 * 24]);
    }

    #[test]
    fn new_outputs_are_random_and_new_inputs_zero() {
        let old = [1.0, 2.0, 3.0, 4.0];
        let mut new = [9.0; 6];
        extend(&old, &mut new, &[2, 2], &[3, 2], 0, false);
        assert_eq!(new, [1.0, 2.0, 3.0, 4.0, 9.0, 9.0]);
        let mut new = [9.0; 6];
        extend(&old, &mut new, &[2, 2], &[2, 3], 1, true);
        assert_eq!(new, [1.0, 2.0, 0.0, 3.0, 4.0, 0.0]);
    }

    #[test]
    fn weights_of_which_nothing_fits_are_refused() {
        let config = architecture(7, 12);
        let source = Memory(BTreeMap::from([("other".to_owned(), (vec![1], vec![0.0]))]));
        let error = transfer(config.network.as_ref(), &source, None, &device()).expect_err("nothing");
        assert!(error.to_string().contains("none of its weights fits"), "{error}");
    }
}
