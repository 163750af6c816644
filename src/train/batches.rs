//! Batches of cases, which a separate thread prepares before the step that needs them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use rayon::prelude::*;

use super::augment::Augmentation;
use super::cases::Cases;
use super::config::TrainConfig;
use super::mask_parts::MaskParts;
use super::sampling::{CaseLosses, cases_of_epoch, seed};
use super::strong::Strong;
use super::wording::Wording;
use crate::data::{Area, Mask, describe, preprocess};
use crate::input::InputForm;
use crate::text::Tokenizer;
use crate::text::prompt::{Variant, VariantMask};

/// The number of batches prepared in advance.
const AHEAD: usize = 2;

/// The form in which the network expects its inputs.
#[derive(Clone, Debug)]
pub struct Form {
    /// The tokeniser and the number of tokens per prompt; `None` if the network reads no text.
    pub text: Option<(Tokenizer, usize)>,
    /// The side length of the input in pixels.
    pub side: usize,
    /// Whether the network receives images transposed.
    pub is_transposed: bool,
    /// Whether the network is prompted by a box, which is then that of the mask ([`box_of`]).
    pub takes_box: bool,
    /// The range, channels and resizing of images, and the resizing of masks.
    pub input: InputForm,
}

impl Form {
    /// The number of tokens per prompt; 0 if the network reads no text.
    pub fn tokens(&self) -> usize {
        self.text.as_ref().map_or(0, |(_, tokens)| *tokens)
    }
}

/// A batch as plain arrays.
#[derive(Debug, Default)]
pub struct Batch {
    /// The images, `[count, 3, side, side]`.
    pub images: Vec<f32>,
    /// The target masks, `[count, 1, side, side]`.
    pub targets: Vec<f32>,
    /// The token ids, `[count, tokens]`.
    pub ids: Vec<i64>,
    /// The attention mask, `[count, tokens]`.
    pub attention: Vec<i64>,
    /// The boxes in pixels of the input, `[count, 4]`; empty if the network takes none.
    pub boxes: Vec<f32>,
    /// The number of images.
    pub count: usize,
    /// The index of the case of each image.
    pub cases: Vec<usize>,
    /// The reasons why cases could not be read. These cases are missing from the batch.
    pub skipped: Vec<String>,
}

impl Batch {
    /// Repeats the last case until there are `size`, so that a GPU need not be tuned for another size. Returns the
    /// number of cases before.
    pub fn fill(&mut self, size: usize) -> usize {
        let count = self.count;
        for values in [&mut self.images, &mut self.targets, &mut self.boxes] {
            repeat_last(values, count, size);
        }
        for values in [&mut self.ids, &mut self.attention] {
            repeat_last(values, count, size);
        }
        self.count = count.max(size);
        count
    }
}

/// Repeats the last of `count` equal parts until there are `size`.
fn repeat_last<T: Clone>(values: &mut Vec<T>, count: usize, size: usize) {
    let one = values.len() / count.max(1);
    let last = values.len() - one;
    (count..size).for_each(|_| values.extend_from_within(last..last + one));
}

/// One case of an epoch.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    index: usize,
    epoch: usize,
    augmentation: Augmentation,
    strong: Strong,
    wording: Wording,
    /// The seed of what enlarges the box of the mask; `None` enlarges all by the same.
    box_seed: Option<u64>,
}

impl Item {
    /// A case of an epoch as it is.
    fn plain(index: usize, epoch: usize) -> Self {
        let (augmentation, strong, wording) = (Augmentation::NONE, Strong::NONE, Wording::PLAIN);
        Self { index, epoch, augmentation, strong, wording, box_seed: None }
    }
}

/// The cases of an epoch in random order, each with an augmentation drawn with the probabilities of the settings. The
/// same seed, epoch and losses give the same result.
pub fn training_items(cases: &Cases, config: &TrainConfig, epoch: usize, losses: &CaseLosses) -> Vec<Item> {
    let mut random = fastrand::Rng::with_seed(config.seed.wrapping_mul(1_000_003).wrapping_add(epoch as u64));
    let mut order = cases_of_epoch(cases, config, epoch, losses);
    random.shuffle(&mut order);
    // These have random numbers of their own, so that they leave the augmentation as it is without them.
    let mut more = fastrand::Rng::with_seed(seed(&[config.seed, epoch as u64]));
    let item = |index| Item {
        augmentation: Augmentation::draw(config, &mut random),
        strong: Strong::draw(config, &mut more),
        wording: Wording::draw(config, &mut more),
        box_seed: Some(seed(&[config.seed, epoch as u64, index as u64])),
        ..Item::plain(index, epoch)
    };
    order.into_iter().map(item).collect()
}

/// All cases in their order and without augmentation.
pub fn validation_items(cases: &Cases) -> Vec<Item> {
    (0..cases.len()).map(|index| Item::plain(index, 0)).collect()
}

/// A case as the network receives it.
struct Made {
    /// The planes of the input.
    image: Vec<f32>,
    /// The plane of the target.
    target: Vec<f32>,
    /// The prompt with the mask that answers it.
    prompt: Variant,
    /// A prompt about a part of the mask, with that part, which takes the place of the other if the network reads all of it.
    part: Option<(String, Vec<f32>)>,
}

/// Prepares a batch of these items.
pub fn batch(cases: &Cases, form: &Form, items: &[Item]) -> Batch {
    let made: Vec<Result<Made, String>> = items
        .par_iter()
        .map(|item| {
            let case = cases.get(item.index, item.epoch).map_err(|error| error.to_string())?;
            let (side, turned, change) = (form.side, form.is_transposed, item.augmentation);
            let input = form.input;
            let zoom = item.strong.zoom(&case.mask, side).unwrap_or(change.zoom);
            let mut image = preprocess::zoomed_input(&case.image, side, turned, input, zoom);
            let mut target = preprocess::zoomed_target(&case.mask, side, turned, input.mask, zoom);
            item.strong.deform(&mut image, &mut target, side);
            change.apply(&mut image, &mut target, side, turned, input.range);
            item.strong.degrade(&mut image, &target, side, input.range);
            let prompt = item.wording.of(&case.prompt, &case.variants, change.flip);
            let parts = || MaskParts::of(&target, side, turned, describe::recognise(&case.image));
            let part = item.wording.of_part(&case.prompt, change.flip, parts);
            Ok(Made { image, target, prompt, part })
        })
        .collect();
    let mut batch = Batch::default();
    for (case, item) in made.into_iter().zip(items) {
        match case {
            Ok(Made { image, mut target, prompt, part }) => {
                if let Some((tokenizer, tokens)) = &form.text {
                    let part = part.and_then(|(sentence, mask)| {
                        let encoding = tokenizer.encode(&sentence, *tokens);
                        (encoding.dropped.is_empty() && !encoding.read.is_empty()).then_some((encoding, mask))
                    });
                    let encoding = match part {
                        Some((encoding, mask)) => {
                            target = mask;
                            encoding
                        }
                        None => tokenizer.encode(&prompt.sentence, *tokens),
                    };
                    // A text of which the network reads nothing is the empty prompt, which has the mask of the case.
                    if prompt.mask == VariantMask::Empty && !encoding.read.is_empty() {
                        target.fill(0.0);
                    }
                    batch.ids.extend(encoding.ids);
                    batch.attention.extend(encoding.mask);
                }
                if form.takes_box {
                    batch.boxes.extend(box_of(&target, form.side, item.box_seed));
                }
                batch.images.extend(image);
                batch.targets.extend(target);
                batch.cases.push(item.index);
                batch.count += 1;
            }
            Err(reason) => batch.skipped.push(reason),
        }
    }
    batch
}

/// By how much an edge of a box is moved outwards at most, as a share of the input's side: 20 of 1024 pixels, as the authors
/// of MedSAM do.
const BOX_MARGIN: f32 = 20.0 / 1024.0;

/// The box around the foreground of a target, `[side, side]`, in pixels of the input. Each of its edges is moved outwards by
/// a number of pixels from 0 to [`BOX_MARGIN`] that is drawn with `seed`, or by half of the most without one. A target
/// without foreground has the box around the whole input.
pub fn box_of(target: &[f32], side: usize, seed: Option<u64>) -> [f32; 4] {
    let values = target.iter().map(|value| u8::from(*value >= 0.5)).collect();
    let Some(area) = Area::around(&Mask { width: side, height: side, values }, 0.0) else {
        return [0.0, 0.0, side as f32, side as f32];
    };
    let mut random = seed.map(fastrand::Rng::with_seed);
    let mut margin = || BOX_MARGIN * side as f32 * random.as_mut().map_or(0.5, fastrand::Rng::f32);
    let [left, top] = [area.left, area.top].map(|edge| (edge - margin()).max(0.0));
    let [right, bottom] = [area.right, area.bottom].map(|edge| (edge + margin()).min(side as f32));
    [left, top, right, bottom]
}

/// Calls `consume` with the batches of `items`, `size` cases each, which a separate thread prepares in advance.
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
                // The batches are prepared on separate threads with the priority of this thread. On the shared
                // threads, a prediction during the run would wait for a whole batch.
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
        // Dropping the receiver releases a thread that waits to send its batch before the scope joins it.
        drop(receiver);
        outcome
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{UnknownWords, prompt};

    #[test]
    fn a_batch_is_filled_with_its_last_case() {
        let mut batch = Batch {
            images: vec![1.0, 2.0, 3.0, 4.0],
            targets: vec![0.0, 1.0],
            ids: vec![5, 6, 7, 8],
            attention: vec![1, 1, 1, 0],
            boxes: Vec::new(),
            count: 2,
            cases: vec![4, 7],
            skipped: Vec::new(),
        };
        assert_eq!(batch.fill(3), 2);
        assert_eq!((batch.count, batch.targets.as_slice()), (3, [0.0, 1.0, 1.0].as_slice()));
        assert_eq!(batch.images, [1.0, 2.0, 3.0, 4.0, 3.0, 4.0]);
        assert_eq!((batch.ids, batch.attention), (vec![5, 6, 7, 8, 7, 8], vec![1, 1, 1, 0, 1, 0]));
    }

    #[test]
    fn the_box_of_a_mask_holds_it_and_is_a_little_larger() {
        let side = 256;
        let mut target = vec![0f32; side * side];
        (40..60).for_each(|row| target[row * side + 100..row * side + 180].fill(1.0));
        let most = 20.0 * 256.0 / 1024.0;
        let tight = [100.0, 40.0, 180.0, 60.0];
        let mut seen = Vec::new();
        for seed in 0..50 {
            let found = box_of(&target, side, Some(seed));
            assert_eq!(found, box_of(&target, side, Some(seed)));
            let outwards = [tight[0] - found[0], tight[1] - found[1], found[2] - tight[2], found[3] - tight[3]];
            assert!(outwards.iter().all(|margin| (0.0..=most).contains(margin)), "{found:?}");
            seen.extend(outwards);
        }
        let mean = seen.iter().sum::<f32>() / seen.len() as f32;
        // Five standard deviations of the mean of 200 uniform numbers.
        assert!((mean - most / 2.0).abs() < 5.0 * most / 2400f32.sqrt(), "{mean}");
        let plain = box_of(&target, side, None);
        assert_eq!(plain, [100.0 - most / 2.0, 40.0 - most / 2.0, 180.0 + most / 2.0, 60.0 + most / 2.0]);
        assert_eq!(box_of(&vec![0.0; side * side], side, Some(1)), [0.0, 0.0, 256.0, 256.0]);
        let corner: Vec<f32> = (0..side * side).map(|at| f32::from(u8::from(at == 0))).collect();
        let [left, top, ..] = box_of(&corner, side, None);
        assert_eq!([left, top], [0.0, 0.0], "no box leaves the input");
    }

    /// A tokeniser with single words for "left" and "right" and letters for all other words.
    fn form(is_transposed: bool) -> Form {
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
        let mut words: Vec<String> = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).to_vec();
        words.extend(["left", "right", ".", ","].map(str::to_owned));
        words.extend(letters);
        let tokenizer = Tokenizer::from_vocab_text(&(words.join("\n") + "\n")).expect("a vocabulary");
        Form {
            text: Some((tokenizer, 256)),
            side: 32,
            is_transposed,
            takes_box: false,
            input: InputForm::default(),
        }
    }

    #[test]
    fn a_text_about_something_else_has_the_empty_mask_where_it_is_read() {
        let config = TrainConfig { phantoms: 6, seed: 3, irrelevant: 1.0, ..TrainConfig::default() };
        let (cases, _) = Cases::open(&config, true, 64, false, true).expect("phantoms");
        let items = training_items(&cases, &config, 0, &CaseLosses::default());
        let plain = validation_items(&cases);
        let is_empty = |targets: &[f32]| targets.iter().all(|value| *value == 0.0);
        let form = form(false);
        assert!(!is_empty(&batch(&cases, &form, &plain).targets));
        assert!(is_empty(&batch(&cases, &form, &items).targets));
        // Neither a network without text, nor one that leaves out what it does not know, sees a difference.
        let blind = Form { text: None, ..form.clone() };
        assert!(!is_empty(&batch(&cases, &blind, &items).targets));
        let none = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
        let tokenizer =
            Tokenizer::from_vocab_text(none).expect("a vocabulary").with_unknown_words(UnknownWords::Drop);
        let dropping = Form { text: Some((tokenizer, 8)), ..form };
        assert!(!is_empty(&batch(&cases, &dropping, &items).targets));
    }

    #[test]
    fn a_prompt_about_a_part_has_that_part_where_all_of_it_is_read() {
        let plain = TrainConfig { phantoms: 24, seed: 3, ..TrainConfig::default() };
        let config = TrainConfig { single_side: 1.0, single_place: 0.5, ..plain.clone() };
        let (cases, _) = Cases::open(&config, true, 64, false, true).expect("phantoms");
        let items = |config: &TrainConfig| training_items(&cases, config, 0, &CaseLosses::default());
        let form = form(false);
        let (whole, parts) = (batch(&cases, &form, &items(&plain)), batch(&cases, &form, &items(&config)));
        // What else is drawn stays the same.
        assert_eq!((&whole.images, &whole.cases), (&parts.images, &parts.cases));
        let size = form.side * form.side;
        let mut changed = 0;
        for at in 0..whole.count {
            let [all, part] = [&whole, &parts].map(|batch| &batch.targets[at * size..(at + 1) * size]);
            let tokens = |batch: &Batch| batch.ids[at * 256..(at + 1) * 256].to_vec();
            assert!(part.iter().zip(all).all(|(part, all)| part <= all), "a part of the mask");
            // A place can hold all of the mask.
            assert!(part == all || tokens(&whole) != tokens(&parts), "the mask changes with the sentence alone");
            changed += usize::from(part != all);
        }
        assert!(changed > 0, "some phantoms have two sides");
        // What does not fit is not asked for.
        let short = Form { text: form.text.clone().map(|(tokenizer, _)| (tokenizer, 4)), ..form };
        assert_eq!(batch(&cases, &short, &items(&config)).targets, batch(&cases, &short, &items(&plain)).targets);
    }

    #[test]
    fn a_mirrored_case_is_mirrored_as_a_whole() {
        let config = TrainConfig { phantoms: 6, seed: 3, ..TrainConfig::default() };
        let (cases, _) = Cases::open(&config, true, 64, false, true).expect("phantoms");
        for is_transposed in [false, true] {
            let form = form(is_transposed);
            let made = |index: usize, flip: bool| {
                let augmentation = Augmentation { flip, ..Augmentation::NONE };
                batch(&cases, &form, &[Item { augmentation, ..Item::plain(index, 0) }])
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
