//! A pass over one part of a batch, while other threads compute the other parts.
//!
//! Batch normalisation couples the images of a batch, and dropout draws random numbers for them. Both ask here which
//! part of a batch the current thread computes, so that the parts give together what the whole batch would give.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;

/// Adds values up over all parts of a batch.
pub trait Sums: Debug + Send + Sync {
    /// Returns the sum of `values` over all parts, in the order of the parts. It waits until every part has called
    /// it, and all parts must call it equally often with as many values.
    fn total(&self, index: usize, values: Vec<f64>) -> Vec<f64>;
}

/// A part of a batch.
#[derive(Clone, Debug)]
pub struct Part {
    /// The position of the part in the batch.
    pub index: usize,
    /// The index in the batch of the part's first image.
    pub first: usize,
    /// The seed of the step's random numbers, which all parts share.
    pub seed: u64,
    /// Adds values up over the parts of the batch.
    pub sums: Arc<dyn Sums>,
}

impl Part {
    /// Returns the sum of `values` over all parts of the batch.
    pub fn total(&self, values: Vec<f64>) -> Vec<f64> {
        self.sums.total(self.index, values)
    }
}

/// The part that a thread computes, and the number of times it has drawn random numbers.
struct Current {
    part: Part,
    draws: u64,
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Runs `pass` as the pass over `part`.
pub fn within<T>(part: Part, pass: impl FnOnce() -> T) -> T {
    /// Restores what the thread computed before, even after a panic.
    struct Restore(Option<Current>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(CURRENT.replace(Some(Current { part, draws: 0 })));
    pass()
}

/// The part that this thread computes; `None` outside of [`within`].
pub fn current() -> Option<Part> {
    CURRENT.with_borrow(|current| current.as_ref().map(|current| current.part.clone()))
}

/// Draws for each of `images` images `count` factors that drop a value with probability `prob`: 0, or 1 / (1 − `prob`).
/// `None` outside of [`within`].
///
/// The numbers depend on the seed, on the index of the image in the batch and on the number of earlier draws of the
/// pass, and therefore not on how the batch is divided.
pub fn dropout_factors(images: usize, count: usize, prob: f64) -> Option<Vec<f32>> {
    let (first, seed) = CURRENT.with_borrow_mut(|current| {
        let Current { part, draws } = current.as_mut()?;
        *draws += 1;
        Some((part.first, mix(part.seed, *draws)))
    })?;
    let (keep, factor) = ((1.0 - prob) as f32, (1.0 / (1.0 - prob)) as f32);
    let mut factors = Vec::with_capacity(images * count);
    for image in first..first + images {
        let mut random = fastrand::Rng::with_seed(mix(seed, image as u64));
        factors.extend((0..count).map(|_| if random.f32() < keep { factor } else { 0.0 }));
    }
    Some(factors)
}

/// A seed that depends on both numbers (the finaliser of SplitMix64).
fn mix(seed: u64, number: u64) -> u64 {
    let mut x = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums of a batch that is one part.
    #[derive(Debug)]
    struct Alone;

    impl Sums for Alone {
        fn total(&self, _: usize, values: Vec<f64>) -> Vec<f64> {
            values
        }
    }

    fn draw(first: usize, seed: u64, images: usize) -> [Vec<f32>; 2] {
        let part = Part { index: 0, first, seed, sums: Arc::new(Alone) };
        within(part, || [0, 1].map(|_| dropout_factors(images, 1000, 0.25).expect("a part")))
    }

    #[test]
    fn dropout_does_not_depend_on_how_the_batch_is_divided() {
        let whole = draw(0, 7, 3);
        let (start, end) = (draw(0, 7, 2), draw(2, 7, 1));
        for ((whole, start), end) in whole.iter().zip(start).zip(end) {
            assert_eq!(*whole, [start, end].concat());
        }
        assert_ne!(whole[0], whole[1], "every layer has its own numbers");
        assert_ne!(whole[0][..1000], whole[0][1000..2000], "every image has its own numbers");
        assert_ne!(whole, draw(0, 8, 3), "every step has its own numbers");
        let kept = whole[0].iter().filter(|factor| **factor > 0.0).count() as f64 / 3000.0;
        // Five standard deviations of a share of 3000.
        assert!((kept - 0.75).abs() < 5.0 * (0.75f64 * 0.25 / 3000.0).sqrt(), "{kept}");
        assert!(whole[0].iter().all(|factor| [0.0, 4.0 / 3.0].contains(factor)));
    }

    #[test]
    fn a_part_is_known_only_within_its_pass() {
        assert!(current().is_none() && dropout_factors(1, 1, 0.5).is_none());
        let part = |index| Part { index, first: 0, seed: 0, sums: Arc::new(Alone) };
        let seen = within(part(1), || {
            let inner = within(part(2), || current().map(|part| part.index));
            (inner, current().map(|part| part.index))
        });
        assert_eq!(seen, (Some(2), Some(1)));
        let _ = std::panic::catch_unwind(|| within(part(3), || panic!("a pass fails")));
        assert!(current().is_none());
    }
}
