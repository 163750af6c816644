//! Scores of a model over one split of a data set, in two conventions.
//!
//! *Per image*: the score of every image, then their mean and standard deviation. *Pooled*: one score over the
//! pixels of all images together. The two differ by several points, so that every name here says which one it is.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::error::InferError;
use super::inspection::{InspectOptions, Inspection};
use super::prediction::Plane;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair::{self, Pair};
use crate::data::{
    Area, DataError, Dataset, Image, Mask, Orientation, Sample, describe, foreground, preprocess, subject,
    subject_code, subject_or_name,
};
use crate::metrics::{
    Bootstrap, ByLesionSize, Confusion, Reliability, Spread, by_lesion_size, hd95, mean_std, near_edge,
};
use crate::text::prompt::parse;

/// The distance in pixels from the edge of the ground truth within which calibration is reported apart.
pub const NEAR_EDGE: f64 = 10.0;

const EMPTY_HAS_NO_BOX: &str = "the ground truth is empty, so that there is no box around it";

/// The settings of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvaluationSettings {
    /// The lowest probability of a foreground pixel.
    pub threshold: f32,
    /// If set, every image gets the prompt of another one, assigned with this seed. The remaining score measures
    /// what the model reads from the image alone.
    pub shuffle_seed: Option<u64>,
    /// Whether the mask of every decoder stage is also scored. The model must have linear probes.
    pub stages: bool,
    /// If set, every image is prompted by the box around its own ground truth, moved outwards by this number of pixels. The
    /// model must take a box. It is then told the place of the answer.
    pub box_from_truth: Option<f32>,
}

impl Default for EvaluationSettings {
    fn default() -> Self {
        Self { threshold: 0.5, shuffle_seed: None, stages: false, box_from_truth: None }
    }
}

/// The result of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageScore {
    /// The file name of the image.
    pub name: String,
    /// The prompt given to the model.
    pub prompt: String,
    /// The pixel counts; `counts.dice()` and `counts.iou()` are the scores per image.
    pub counts: Confusion,
    /// The 95 % Hausdorff distance in pixels of the mask file; `None` if one of the masks is empty.
    pub hd95: Option<f64>,
    /// The calibration of the probabilities, of all pixels and of those within [`NEAR_EDGE`] pixels of the edge of the
    /// ground truth.
    pub reliability: [Reliability; 2],
    /// Whether the subject is in the training data; `None` if the file name or the model does not say.
    pub is_known: Option<bool>,
    /// The text–mask agreement of prompt and predicted mask, 0…1, see [`describe::agreement`]; `None` if the prompt
    /// states nothing that a rule could compare.
    pub agreement: Option<f64>,
    /// The pixel counts of the stages' masks, coarse to fine; empty if they were not requested.
    pub stages: Vec<Confusion>,
}

/// An image that was evaluated, for callers that write what they see.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The image's file in the data set.
    pub sample: &'a Sample,
    /// The prompt given to the model.
    pub prompt: &'a str,
    /// The image.
    pub image: &'a Image,
    /// The predicted mask, of the image's size.
    pub predicted: &'a [u8],
    /// The probability at the resolution of the image.
    pub probability: &'a Plane,
    /// The ground truth.
    pub truth: &'a Mask,
}

/// The result of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The settings of the evaluation.
    pub settings: EvaluationSettings,
    /// The results of all images, in the order of the table.
    pub images: Vec<ImageScore>,
    /// With shuffled prompts, the number of images whose new prompt equals their own because it occurs more than
    /// once in the table.
    pub same_sentence: usize,
    /// The number of images that EXIF data rotate or mirror, and how their orientation was handled.
    pub turned: (usize, Orientation),
    /// The number of images for each kind of mask values that was found, described in words.
    pub mask_kinds: BTreeMap<String, usize>,
    /// The images that could not be read, do not match their masks or have no box, which are part of no score.
    pub skipped: Vec<SkippedImage>,
}

/// An image without scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedImage {
    /// The name of its file.
    pub name: String,
    /// Why; one line that names it.
    pub reason: String,
}

impl Evaluation {
    /// The pixel counts of all images together; their `dice()` and `iou()` are the pooled scores.
    pub fn pooled(&self) -> Confusion {
        self.images.iter().map(|image| image.counts).sum()
    }

    /// The number of images whose ground truth is empty, and the number of images whose ground truth covers the
    /// whole image.
    pub fn odd_masks(&self) -> [usize; 2] {
        let foreground = |counts: &Confusion| counts.true_positive + counts.false_negative;
        let background = |counts: &Confusion| counts.false_positive + counts.true_negative;
        let count =
            |is_odd: &dyn Fn(&Confusion) -> bool| self.images.iter().filter(|image| is_odd(&image.counts)).count();
        [count(&|counts| foreground(counts) == 0), count(&|counts| background(counts) == 0)]
    }

    /// The Dice score per image.
    pub fn dice_per_image(&self) -> Spread {
        mean_std(&self.images.iter().map(|image| image.counts.dice()).collect::<Vec<_>>())
    }

    /// The IoU per image.
    pub fn iou_per_image(&self) -> Spread {
        mean_std(&self.images.iter().map(|image| image.counts.iou()).collect::<Vec<_>>())
    }

    /// The scores by the share of the image that the ground truth covers, with intervals that resample subjects.
    pub fn by_lesion_size(&self) -> ByLesionSize {
        let cases = self.images.iter().map(|image| (subject_or_name(&image.name), image.counts));
        by_lesion_size(cases, &Bootstrap::default())
    }

    /// The 95 % Hausdorff distance in pixels over the images that have one, and the number of images without one.
    pub fn hd95(&self) -> (Spread, usize) {
        let distances: Vec<f64> = self.images.iter().filter_map(|image| image.hd95).collect();
        (mean_std(&distances), self.images.len() - distances.len())
    }

    /// The calibration of the probabilities over the pixels of all images, and over those within [`NEAR_EDGE`] pixels of
    /// an edge of the ground truth.
    pub fn reliability(&self) -> [Reliability; 2] {
        [0, 1].map(|which| self.images.iter().map(|image| &image.reliability[which]).sum())
    }

    /// The text–mask agreement over the images whose prompts can be compared, and the number of the others.
    pub fn agreement(&self) -> (Spread, usize) {
        let values: Vec<f64> = self.images.iter().filter_map(|image| image.agreement).collect();
        (mean_std(&values), self.images.len() - values.len())
    }

    /// The pooled pixel counts and the Dice score per image of each stage's masks, coarse to fine; empty if they
    /// were not scored.
    pub fn stages(&self) -> Vec<(Confusion, Spread)> {
        let count = self.images.first().map_or(0, |image| image.stages.len());
        (0..count)
            .map(|stage| {
                let counts = || self.images.iter().map(move |image| image.stages[stage]);
                (counts().sum(), mean_std(&counts().map(|counts| counts.dice()).collect::<Vec<_>>()))
            })
            .collect()
    }

    /// The `count` images with the lowest Dice score, the worst first.
    pub fn worst(&self, count: usize) -> Vec<&ImageScore> {
        let mut images: Vec<&ImageScore> = self.images.iter().collect();
        images.sort_by(|a, b| a.counts.dice().total_cmp(&b.counts.dice()));
        images.truncate(count);
        images
    }

    /// The evaluation without the images of subjects that are in the training data; `None` if this is unknown for
    /// all images.
    pub fn of_new_subjects(&self) -> Option<Self> {
        self.images.iter().any(|image| image.is_known.is_some()).then(|| {
            let is_new = |image: &&ImageScore| image.is_known != Some(true);
            Self { images: self.images.iter().filter(is_new).cloned().collect(), ..self.clone() }
        })
    }
}

/// Predicts every image of a split with its prompt and compares prediction and ground truth at the resolution of
/// the image. Images and masks are read according to [`Dataset::reading`]. An image whose mask has another size is
/// skipped; masks are not resized.
///
/// Several images are computed side by side if the model allows it ([`Segmenter::share`]). This changes neither the
/// results nor the order of the calls to `progress` and `show`, which are those of one image after the other.
///
/// `progress` receives the number of finished images and the total; if it breaks, the evaluation ends with the
/// images finished so far. `show` receives every image with its prediction and ground truth.
///
/// # Errors
/// No image can be read, the model failed, or `show` returned an error.
pub fn evaluate(
    segmenter: &mut dyn Segmenter,
    dataset: &Dataset,
    settings: EvaluationSettings,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    mut show: impl FnMut(Shown<'_>) -> Result<(), DataError>,
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
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| {
        let (sample, prompt) = (&samples[index], &samples[order[index]].prompt);
        let pair = match pair::read(sample, &dataset.reading) {
            Ok(pair) => pair,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let area = settings.box_from_truth.map(|margin| Area::around(&pair.mask, margin));
        let prompt = match area {
            None => prompt.clone(),
            Some(Some(area)) => area.to_string(),
            Some(None) => return Ok(Err(format!("{}: {EMPTY_HAS_NO_BOX}", sample.name))),
        };
        Scored::of(segmenter, pair, &sample.name, &prompt, settings, &known).map(Ok)
    };
    in_order(segmenter, samples.len(), 1, job, |next| {
        for (index, sample) in samples.iter().enumerate() {
            if progress(index, samples.len()).is_break() {
                break;
            }
            match next()? {
                Ok(Scored { pair: Pair { image, mask, kind, is_turned, .. }, predicted, probability, score }) => {
                    turned += usize::from(is_turned);
                    *mask_kinds.entry(kind.words()).or_default() += 1;
                    show(Shown {
                        sample,
                        prompt: &score.prompt,
                        image: &image,
                        predicted: &predicted,
                        probability: &probability,
                        truth: &mask,
                    })?;
                    is_own.push(score.prompt == sample.prompt);
                    images.push(score);
                }
                Err(reason) => skipped.push(SkippedImage { name: sample.name.clone(), reason }),
            }
        }
        Ok::<(), InferError>(())
    })?;
    if let (true, Some(SkippedImage { reason, .. })) = (images.is_empty(), skipped.first()) {
        return Err(InferError::NothingReadable { count: skipped.len(), reason: reason.clone() });
    }
    let own = is_own.iter().filter(|is| **is).count();
    let same_sentence = if settings.shuffle_seed.is_some() { own } else { 0 };
    // This is the last step, so that there is nothing left to cancel.
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

/// An image with its mask and its scores.
struct Scored {
    pair: Pair,
    /// The predicted mask, of the image's size.
    predicted: Vec<u8>,
    /// The probability, of the image's size.
    probability: Plane,
    score: ImageScore,
}

impl Scored {
    /// Predicts the image of `pair` and scores the mask. `known` are the sorted codes of the subjects in the
    /// training data.
    fn of(
        segmenter: &mut dyn Segmenter,
        pair: Pair,
        name: &str,
        prompt: &str,
        settings: EvaluationSettings,
        known: &[String],
    ) -> Result<Self, InferError> {
        let truth = &pair.mask;
        let wanted = InspectOptions { stages: settings.stages, ..InspectOptions::default() };
        let Inspection { prediction, stages, .. } = segmenter.inspect(&pair.image, prompt, None, wanted)?;
        let raised = |plane: &Plane| -> Vec<u8> {
            let values = preprocess::plane_to_image(&plane.values, plane.width, false, truth.width, truth.height);
            foreground(&values, settings.threshold)
        };
        let predicted = Mask { values: prediction.mask(settings.threshold), ..*truth };
        // A prompt in no known grammar needs no description.
        let agreement = parse(prompt).prompt.and_then(|prompt| {
            let description = describe::describe(&pair.image, &predicted, None).ok()?;
            describe::agreement(&prompt, &description)
        });
        let predicted = predicted.values;
        let is_near = near_edge(&truth.values, truth.width, truth.height, NEAR_EDGE);
        let reliability = [None, Some(&is_near[..])]
            .map(|counted| Reliability::of(&prediction.probability.values, &truth.values, counted));
        let is_known = subject(name)
            .filter(|_| !known.is_empty())
            .map(|subject| known.binary_search(&subject_code(subject)).is_ok());
        let linear_probes = stages.iter().filter_map(|stage| stage.linear_probe.as_ref());
        let score = ImageScore {
            name: name.to_owned(),
            prompt: prompt.to_owned(),
            counts: Confusion::of(&predicted, &truth.values),
            hd95: hd95(&predicted, &truth.values, truth.width, truth.height),
            reliability,
            agreement,
            is_known,
            stages: linear_probes.map(|plane| Confusion::of(&raised(plane), &truth.values)).collect(),
        };
        Ok(Self { pair, predicted, probability: prediction.probability, score })
    }
}

/// A permutation without fixed points (Sattolo's algorithm, one cycle through all). A single item stays in place.
fn shuffled(count: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut next = || {
        // The generator is SplitMix64.
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
