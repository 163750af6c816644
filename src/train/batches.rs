//! Batches of cases, made by a thread of its own ahead of the step that needs them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use rayon::prelude::*;

use super::augment::Augmentation;
use super::cases::Cases;
use super::config::TrainConfig;
use crate::data::{preprocess, prompt};
use crate::text::Tokenizer;

/// Batches made ahead.
const AHEAD: usize = 2;

/// What the network wants to see.
#[derive(Clone, Debug)]
pub struct Form {
    /// Makes token numbers, and how many of a prompt; `None` where the network reads no text.
    pub text: Option<(Tokenizer, usize)>,
    /// Side of the input, pixels.
    pub side: usize,
    /// Whether the network sees images transposed.
    pub is_transposed: bool,
}

impl Form {
    /// Tokens of a prompt; 0 where the network reads no text.
    pub fn tokens(&self) -> usize {
        self.text.as_ref().map_or(0, |(_, tokens)| *tokens)
    }
}

/// A batch as plain arrays.
#[derive(Debug, Default)]
pub struct Batch {
    /// `[count, 3, side, side]`
    pub images: Vec<f32>,
    /// `[count, 1, side, side]`
    pub targets: Vec<f32>,
    /// `[count, tokens]`
    pub ids: Vec<i64>,
    /// `[count, tokens]`
    pub attention: Vec<i64>,
    /// Images.
    pub count: usize,
    /// Cases that could not be read, each with the reason; they are missing from the batch.
    pub skipped: Vec<String>,
}

/// One case of a pass.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    index: usize,
    epoch: usize,
    augmentation: Augmentation,
}

/// All cases in a random order, each changed by the settings' probabilities. The same seed and epoch deal the same.
pub fn training_items(cases: &Cases, config: &TrainConfig, epoch: usize) -> Vec<Item> {
    let mut random = fastrand::Rng::with_seed(config.seed.wrapping_mul(1_000_003).wrapping_add(epoch as u64));
    let mut order: Vec<usize> = (0..cases.len()).collect();
    random.shuffle(&mut order);
    let item = |index| Item { index, epoch, augmentation: Augmentation::draw(config, &mut random) };
    order.into_iter().map(item).collect()
}

/// All cases as they are, in their order.
pub fn validation_items(cases: &Cases) -> Vec<Item> {
    (0..cases.len()).map(|index| Item { index, epoch: 0, augmentation: Augmentation::NONE }).collect()
}

/// Planes of the input, planes of the target, sentence.
type Made = (Vec<f32>, Vec<f32>, String);

/// A batch of these items.
pub fn batch(cases: &Cases, form: &Form, items: &[Item]) -> Batch {
    let made: Vec<Result<Made, String>> = items
        .par_iter()
        .map(|item| {
            let case = cases.get(item.index, item.epoch).map_err(|error| error.to_string())?;
            let (side, turned, change) = (form.side, form.is_transposed, item.augmentation);
            let mut image = preprocess::zoomed_input(&case.image, side, turned, change.zoom);
            let mut target = preprocess::zoomed_target(&case.mask, side, turned, change.zoom);
            change.apply(&mut image, &mut target, side, turned);
            let prompt = if change.flip { prompt::mirror(&case.prompt) } else { case.prompt.clone() };
            Ok((image, target, prompt))
        })
        .collect();
    let mut batch = Batch::default();
    for case in made {
        match case {
            Ok((image, target, prompt)) => {
                if let Some((tokenizer, tokens)) = &form.text {
                    let encoding = tokenizer.encode(&prompt, *tokens);
                    batch.ids.extend(encoding.ids);
                    batch.attention.extend(encoding.mask);
                }
                batch.images.extend(image);
                batch.targets.extend(target);
                batch.count += 1;
            }
            Err(reason) => batch.skipped.push(reason),
        }
    }
    batch
}

/// Runs `consume` with the batches of `items`, `size` cases each, which a thread of its own makes ahead.
pub fn with_batches<T>(
    cases: &Cases,
    form: &Form,
    items: &[Item],
    size: usize,
    consume: impl FnOnce(&Receiver<Batch>) -> T,
) -> T {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, receiver) = bounded(AHEAD);
        let stop = &stop;
        thread::Builder::new()
            .name("himix-batches".into())
            .spawn_scoped(scope, move || {
                // On threads of its own, with this thread's priority: on the shared ones a prediction beside the run would wait
                // for a whole batch.
                let pool = rayon::ThreadPoolBuilder::new().thread_name(|_| "himix-batches".into()).build();
                let make = |chunk| match &pool {
                    Ok(pool) => pool.install(|| batch(cases, form, chunk)),
                    Err(_) => batch(cases, form, chunk),
                };
                for chunk in items.chunks(size) {
                    if stop.load(Ordering::Relaxed) || sender.send(make(chunk)).is_err() {
                        return;
                    }
                }
            })
            .unwrap_or_else(|error| panic!("no thread can be started: {error}"));
        let outcome = consume(&receiver);
        stop.store(true, Ordering::Relaxed);
        // A thread that waits to hand over its batch is let go before the scope waits for it.
        drop(receiver);
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words are told apart where they differ in "left" and "right".
    fn form(is_transposed: bool) -> Form {
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
        let mut words: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
        words.extend(["left", "right", ".", ","].map(str::to_owned));
        words.extend(letters);
        let tokenizer = Tokenizer::from_vocab_text(&(words.join("\n") + "\n")).expect("a vocabulary");
        Form { text: Some((tokenizer, 256)), side: 32, is_transposed }
    }

    #[test]
    fn a_mirrored_case_is_mirrored_as_a_whole() {
        let config = TrainConfig { phantoms: 6, seed: 3, ..TrainConfig::default() };
        let (cases, _) = Cases::open(&config, true, 64, false).expect("phantoms");
        for is_transposed in [false, true] {
            let form = form(is_transposed);
            let made = |index: usize, flip: bool| {
                let augmentation = Augmentation { flip, ..Augmentation::NONE };
                batch(&cases, &form, &[Item { index, epoch: 0, augmentation }])
            };
            let mut sides = 0;
            for index in 0..cases.len() {
                let (plain, mirrored) = (made(index, false), made(index, true));
                let side = form.side;
                let moved = |at: usize| {
                    let (row, column) = (at / side % side, at % side);
                    let plane = at / (side * side) * side * side;
                    match is_transposed {
                        true => plane + (side - 1 - row) * side + column,
                        false => plane + row * side + side - 1 - column,
                    }
                };
                for (name, old, new) in
                    [("picture", &plain.images, &mirrored.images), ("mask", &plain.targets, &mirrored.targets)]
                {
                    assert!((0..old.len()).all(|at| new[at] == old[moved(at)]), "the {name} of case {index}");
                    assert!(old != new, "the {name} of case {index} has two sides");
                }
                let prompt = &cases.get(index, 0).expect("a phantom").prompt;
                let names_a_side = prompt::mirror(prompt) != *prompt;
                let (tokenizer, tokens) = form.text.as_ref().expect("a tokenizer");
                let expected = tokenizer.encode(&prompt::mirror(prompt), *tokens).ids;
                assert_eq!(mirrored.ids, expected, "{prompt}");
                assert_eq!(names_a_side, plain.ids != mirrored.ids, "{prompt}");
                sides += usize::from(names_a_side);
            }
            assert!(sides > 0, "some prompts name a side");
        }
    }
}
