//! Images, masks and tokens of a split, and the thread that makes batches of them ahead of the step.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::{Receiver, bounded};
use rayon::prelude::*;

use crate::data::{DataError, Dataset, Image, Mask, MaskRule, image, mask, preprocess};
use crate::text::Tokenizer;

/// Range of the zoom.
const ZOOM: std::ops::Range<f64> = 0.95..1.2;

/// A pair in memory, as stored; preprocessing happens when a batch is made.
pub struct Pair {
    image: Image,
    mask: Mask,
    ids: Vec<i64>,
    attention: Vec<i64>,
}

/// All pairs of a split.
pub struct Pairs {
    pairs: Vec<Pair>,
    side: usize,
    is_transposed: bool,
}

/// A batch as plain arrays.
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
}

impl Pairs {
    /// Reads every image and mask of a split, on all threads.
    pub fn load(
        dataset: &Dataset,
        limit: usize,
        tokenizer: &Tokenizer,
        tokens: usize,
        side: usize,
        is_transposed: bool,
    ) -> Result<Self, DataError> {
        let count = if limit == 0 { dataset.samples.len() } else { limit.min(dataset.samples.len()) };
        let pairs = dataset.samples[..count]
            .par_iter()
            .map(|sample| {
                let image = image::load(&sample.image)?;
                let mask = mask::load(&sample.mask, &MaskRule::Half)?;
                mask.must_fit(&sample.mask, image.width, image.height)?;
                let encoding = tokenizer.encode(&sample.prompt, tokens);
                Ok(Pair { image, mask, ids: encoding.ids, attention: encoding.mask })
            })
            .collect::<Result<_, DataError>>()?;
        Ok(Self { pairs, side, is_transposed })
    }

    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The pairs with these numbers, each zoomed by its factor.
    fn batch(&self, items: &[(usize, f64)]) -> Batch {
        let made: Vec<(Vec<f32>, Vec<f32>)> = items
            .par_iter()
            .map(|&(index, zoom)| {
                let Pair { image, mask, .. } = &self.pairs[index];
                let (side, turned) = (self.side, self.is_transposed);
                let input = preprocess::zoomed_input(image, side, turned, zoom);
                (input, preprocess::zoomed_target(mask, side, turned, zoom))
            })
            .collect();
        let mut batch = Batch {
            images: Vec::with_capacity(items.len() * 3 * self.side * self.side),
            targets: Vec::with_capacity(items.len() * self.side * self.side),
            ids: Vec::new(),
            attention: Vec::new(),
            count: items.len(),
        };
        for ((image, target), (index, _)) in made.into_iter().zip(items) {
            batch.images.extend(image);
            batch.targets.extend(target);
            batch.ids.extend(&self.pairs[*index].ids);
            batch.attention.extend(&self.pairs[*index].attention);
        }
        batch
    }
}

/// How the pairs of one pass are dealt.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    /// Images of a batch.
    pub batch_size: usize,
    /// None keeps the order and changes nothing; a seed shuffles and zooms.
    pub seed: Option<u64>,
    /// Probability of a zoom.
    pub zoom_probability: f64,
}

/// Runs `consume` with the batches of one pass, which a thread of its own makes two ahead.
pub fn with_batches<T>(pairs: &Pairs, deal: Deal, consume: impl FnOnce(&Receiver<Batch>) -> T) -> T {
    let mut items: Vec<(usize, f64)> = (0..pairs.len()).map(|index| (index, 1.0)).collect();
    if let Some(seed) = deal.seed {
        let mut random = fastrand::Rng::with_seed(seed);
        random.shuffle(&mut items);
        for item in &mut items {
            if random.f64() < deal.zoom_probability {
                item.1 = ZOOM.start + (ZOOM.end - ZOOM.start) * random.f64();
            }
        }
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let (sender, receiver) = bounded(2);
        let stop = &stop;
        thread::Builder::new()
            .name("himix-batches".into())
            .spawn_scoped(scope, move || {
                for chunk in items.chunks(deal.batch_size) {
                    if stop.load(Ordering::Relaxed) || sender.send(pairs.batch(chunk)).is_err() {
                        return;
                    }
                }
            })
            .unwrap_or_else(|error| panic!("no thread can be started: {error}"));
        let outcome = consume(&receiver);
        stop.store(true, Ordering::Relaxed);
        outcome
    })
}
