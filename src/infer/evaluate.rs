//! Scores of a model over one split of a data set, in both conventions.
//!
//! *Per image*: the score of every image, then mean and standard deviation. *Pooled*: the pixels of all images counted
//! together, then one score. They differ by points, so everything here says which one it is.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::error::InferError;
use super::inspection::{InspectOptions, Inspection};
use super::prediction::Plane;
use super::segmenter::Segmenter;
use crate::data::dataset::pair::{self, Pair};
use crate::data::{DataError, Dataset, Image, Mask, Orientation, foreground, preprocess, subject, subject_code};
use crate::metrics::{Confusion, Spread, hd95, mean_std};

/// How a split is evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationSettings {
    /// Probability from which on a pixel is foreground.
    pub threshold: f32,
    /// Gives every image the sentence of another one, dealt out by this seed: what remains of the score is what
    /// the model reads from the image alone.
    pub shuffle_seed: Option<u64>,
    /// Also scores the mask of every decoder stage; the model must have read-outs.
    pub stages: bool,
}

impl Default for EvaluationSettings {
    fn default() -> Self {
        Self { threshold: 0.5, shuffle_seed: None, stages: false }
    }
}

/// One image's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScore {
    /// File name of the image.
    pub name: String,
    /// The sentence that the model was given.
    pub prompt: String,
    /// Its pixels; `counts.dice()` and `counts.iou()` are the scores per image.
    pub counts: Confusion,
    /// 95 % Hausdorff distance, pixels of the mask file; none where one of the masks is empty.
    pub hd95: Option<f64>,
    /// Whether the subject was seen in training; none where file name or model do not say.
    pub is_known: Option<bool>,
    /// Pixels of the stages' own masks, coarse to fine; empty where they were not asked for.
    pub stages: Vec<Confusion>,
}

/// A split's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// How it was made.
    pub settings: EvaluationSettings,
    /// Every image, in the order of the table.
    pub images: Vec<ImageScore>,
    /// Where the sentences were shuffled: images whose new sentence reads the same as their own, because it stands in the
    /// table more than once.
    pub same_sentence: usize,
    /// Images whose EXIF data turn or mirror them, and what was done about that.
    pub turned: (usize, Orientation),
    /// What the values of the masks were found to be, in words, and of how many images.
    pub mask_kinds: BTreeMap<String, usize>,
    /// Images that could not be read or do not fit to their masks, each with the reason; they are in no score.
    pub skipped: Vec<String>,
}

impl Evaluation {
    /// The pixels of all images together; `dice()` and `iou()` of it are the pooled scores.
    pub fn pooled(&self) -> Confusion {
        self.images.iter().map(|image| image.counts).sum()
    }

    /// Images whose mask has no foreground, and images whose mask is foreground everywhere.
    pub fn odd_masks(&self) -> [usize; 2] {
        let foreground = |counts: &Confusion| counts.true_positive + counts.false_negative;
        let background = |counts: &Confusion| counts.false_positive + counts.true_negative;
        let count =
            |is_odd: &dyn Fn(&Confusion) -> bool| self.images.iter().filter(|image| is_odd(&image.counts)).count();
        [count(&|counts| foreground(counts) == 0), count(&|counts| background(counts) == 0)]
    }

    /// Dice per image.
    pub fn dice_per_image(&self) -> Spread {
        mean_std(&self.images.iter().map(|image| image.counts.dice()).collect::<Vec<_>>())
    }

    /// IoU per image.
    pub fn iou_per_image(&self) -> Spread {
        mean_std(&self.images.iter().map(|image| image.counts.iou()).collect::<Vec<_>>())
    }

    /// 95 % Hausdorff distance of the images that have one, pixels; and how many have none.
    pub fn hd95(&self) -> (Spread, usize) {
        let distances: Vec<f64> = self.images.iter().filter_map(|image| image.hd95).collect();
        (mean_std(&distances), self.images.len() - distances.len())
    }

    /// Of each stage's own masks, coarse to fine: all images' pixels together, and Dice per image; empty where they were not scored.
    pub fn stages(&self) -> Vec<(Confusion, Spread)> {
        let count = self.images.first().map_or(0, |image| image.stages.len());
        (0..count)
            .map(|stage| {
                let counts = || self.images.iter().map(move |image| image.stages[stage]);
                (counts().sum(), mean_std(&counts().map(|counts| counts.dice()).collect::<Vec<_>>()))
            })
            .collect()
    }

    /// The `count` images with the lowest Dice, the worst first.
    pub fn worst(&self, count: usize) -> Vec<&ImageScore> {
        let mut images: Vec<&ImageScore> = self.images.iter().collect();
        images.sort_by(|a, b| a.counts.dice().total_cmp(&b.counts.dice()));
        images.truncate(count);
        images
    }

    /// The same without the images of subjects that were seen in training; none where nothing is known of that.
    pub fn of_new_subjects(&self) -> Option<Self> {
        self.images.iter().any(|image| image.is_known.is_some()).then(|| {
            let is_new = |image: &&ImageScore| image.is_known != Some(true);
            Self { images: self.images.iter().filter(is_new).cloned().collect(), ..self.clone() }
        })
    }
}

/// Predicts every image of a split with its sentence and compares at the resolution of image and mask, which are read as
/// [`Dataset::reading`] says. A mask of another size than its image is not stretched: that image is skipped.
///
/// `progress` hears how many images are done of how many; breaking ends the evaluation with those done. `show` sees every image with
/// its prediction and its mask, for pictures.
pub fn evaluate(
    segmenter: &mut dyn Segmenter,
    dataset: &Dataset,
    settings: EvaluationSettings,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    mut show: impl FnMut(&str, &Image, &[u8], &Mask) -> Result<(), DataError>,
) -> Result<Evaluation, InferError> {
    let samples = &dataset.samples;
    let known = segmenter.info().subjects;
    let order = match settings.shuffle_seed {
        Some(seed) => shuffled(samples.len(), seed),
        None => (0..samples.len()).collect(),
    };
    let mut images = Vec::with_capacity(samples.len());
    let (mut skipped, mut is_own) = (Vec::new(), Vec::new());
    let mut mask_kinds = BTreeMap::new();
    let mut turned = 0;
    for (index, sample) in samples.iter().enumerate() {
        if progress(index, samples.len()).is_break() {
            break;
        }
        let prompt = &samples[order[index]].prompt;
        let (image, truth) = match pair::read(sample, &dataset.reading) {
            Ok(Pair { image, mask, kind, is_turned, .. }) => {
                turned += usize::from(is_turned);
                *mask_kinds.entry(kind.words()).or_default() += 1;
                (image, mask)
            }
            Err(error) => {
                skipped.push(error.to_string());
                continue;
            }
        };
        let wanted = InspectOptions { stages: settings.stages, ..InspectOptions::default() };
        let Inspection { prediction, stages, .. } = segmenter.inspect(&image, prompt, None, wanted)?;
        let raised = |plane: &Plane| -> Vec<u8> {
            let values = preprocess::plane_to_image(&plane.values, plane.width, false, truth.width, truth.height);
            foreground(&values, settings.threshold)
        };
        let predicted = prediction.mask(settings.threshold);
        show(&sample.name, &image, &predicted, &truth)?;
        let is_known = subject(&sample.name)
            .filter(|_| !known.is_empty())
            .map(|subject| known.binary_search(&subject_code(subject)).is_ok());
        let linear_probes = stages.iter().filter_map(|stage| stage.linear_probe.as_ref());
        images.push(ImageScore {
            name: sample.name.clone(),
            prompt: prompt.clone(),
            counts: Confusion::of(&predicted, &truth.values),
            hd95: hd95(&predicted, &truth.values, truth.width, truth.height),
            is_known,
            stages: linear_probes.map(|plane| Confusion::of(&raised(plane), &truth.values)).collect(),
        });
        is_own.push(*prompt == sample.prompt);
    }
    if let (true, Some(reason)) = (images.is_empty(), skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    let own = is_own.iter().filter(|is| **is).count();
    let same_sentence = if settings.shuffle_seed.is_some() { own } else { 0 };
    // The last step: everything is done, and there is nothing left to break off.
    let _ = progress(samples.len(), samples.len());
    Ok(Evaluation {
        settings,
        images,
        same_sentence,
        turned: (turned, dataset.reading.orientation),
        mask_kinds,
        skipped,
    })
}

/// A permutation without fixed points (Sattolo's algorithm: one cycle through all); a single item stays.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    };
    let mut order: Vec<usize> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, (next() % last as u64) as usize);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_in_place_and_nothing_is_lost() {
        for (count, seed) in [(2, 0), (3, 1), (70, 7), (71, 8)] {
            let order = shuffled(count, seed);
            assert!(order.iter().enumerate().all(|(index, other)| index != *other), "{count}");
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert!(sorted.into_iter().eq(0..count));
            assert_eq!(order, shuffled(count, seed), "the same seed deals the same");
        }
        assert_ne!(shuffled(70, 1), shuffled(70, 2));
        assert_eq!(shuffled(1, 5), [0]);
    }
}
