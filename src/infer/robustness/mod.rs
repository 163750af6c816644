//! How the masks of a model change with the wording of its prompts: every image of a split, with each of its prompts in
//! several [forms](Form).
//!
//! Only the scores are kept, in a [`Record`] that grows image by image, so that a run that was ended goes on where it
//! was. `analysis::robustness` makes statistics and tables of them.

mod record;
mod rows;
mod study;

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use super::error::InferError;
use super::segmenter::Segmenter;
use super::side_by_side::in_order;
use crate::data::dataset::pair::{self, Pair};
use crate::data::describe::{self, Describer};
use crate::data::{Dataset, Image, Mask, PairReading, Sample, subject_or_name};
use crate::metrics::Confusion;
use crate::text::prompt::{Prompt, parse};

pub use crate::text::prompt::Form;
pub use crate::text::prompt::report::Style;
pub use record::{RECORD, Record, STUDY};
pub use study::Study;

/// The settings of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct RobustnessSettings {
    /// The forms, without repetitions, [`Form::Structured`] first ([`in_order_of_study`]).
    pub forms: Vec<Form>,
    /// The seed of everything that is drawn: wordings, orders, words left out.
    pub seed: u64,
    /// The lowest probability of a foreground pixel.
    pub threshold: f32,
    /// The style of the reports of [`Form::Augmented`] and [`Form::Distilled`].
    pub style: Style,
}

/// Returns the forms without repetitions and with [`Form::Structured`] first, because the others are compared with it.
pub fn in_order_of_study(forms: &[Form]) -> Vec<Form> {
    let mut ordered = vec![Form::Structured];
    for form in forms {
        if !ordered.contains(form) {
            ordered.push(*form);
        }
    }
    ordered
}

/// A prompt of an image in one form, and what the model made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct FormScore {
    /// The file name of the image.
    pub image: String,
    /// The subject; the file name if it does not tell one.
    pub subject: String,
    /// The number of the prompt among those of the image, from 0.
    pub prompt: usize,
    /// The form.
    pub form: Form,
    /// The text in this form and the scores of its mask; `None` if the prompt has no such form, because it is in no
    /// known grammar, names no number or has no words.
    pub made: Option<MadeForm>,
}

/// A text and the scores of its mask.
#[derive(Clone, Debug, PartialEq)]
pub struct MadeForm {
    /// The text that the model was given.
    pub text: String,
    /// Whether the form left the prompt as it was, as where a prompt without a side has its sides exchanged.
    pub is_unchanged: bool,
    /// The pixel counts against the ground truth.
    pub counts: Confusion,
    /// The text–mask agreement, 0…1, see [`describe::agreement`]: of the mask with what its own text says. A report is
    /// compared by the prompt that it was written from. `None` if the text states nothing that a rule could compare, as a
    /// text about something else, whatever words of a prompt it has.
    pub agreement: Option<f64>,
}

impl MadeForm {
    /// Returns whether the mask has no foreground.
    pub fn is_empty_mask(&self) -> bool {
        self.counts.true_positive + self.counts.false_positive == 0
    }
}

/// Predicts every image of a split with all forms of all its prompts and scores the masks at the resolution of the
/// image. The images in `known` are passed over. Images are read according to [`Dataset::reading`]; one whose mask has
/// another size is left out. Returns the reasons why images were left out.
///
/// The features of an image are computed once. Several images are computed side by side if the model allows it
/// ([`Segmenter::share`]), which changes neither results nor order.
///
/// `progress` receives the number of finished images, with those in `known`, and the total; if it breaks, the study ends
/// with the images finished so far. `keep` receives the scores of each image, in the order of the split.
///
/// # Errors
/// No image can be read, the model failed, or `keep` returned an error.
pub fn robustness(
    segmenter: &mut dyn Segmenter,
    dataset: &Dataset,
    settings: &RobustnessSettings,
    known: &HashSet<String>,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
    mut keep: impl FnMut(Vec<FormScore>) -> Result<(), InferError>,
) -> Result<Vec<String>, InferError> {
    let samples: Vec<&Sample> = dataset.samples.iter().filter(|sample| !known.contains(&sample.name)).collect();
    let all = dataset.samples.len();
    let before = all - samples.len();
    let mut skipped = Vec::new();
    let job = |segmenter: &mut dyn Segmenter, _: &mut (), index: usize| match pair::read(
        samples[index],
        &dataset.reading,
    ) {
        Ok(pair) => scores(segmenter, &pair, samples[index], settings).map(Ok),
        Err(error) => Ok(Err(error)),
    };
    in_order(segmenter, samples.len(), 1, job, |next| {
        for index in 0..samples.len() {
            if progress(before + index, all).is_break() {
                return Ok::<(), InferError>(());
            }
            match next()? {
                Ok(scores) => keep(scores)?,
                Err(error) => skipped.push(error.to_string()),
            }
        }
        // This is the last step, so that there is nothing left to cancel.
        let _ = progress(all, all);
        Ok(())
    })?;
    match skipped.first() {
        Some(reason) if skipped.len() == all => {
            Err(InferError::NothingReadable { count: all, reason: reason.clone() })
        }
        _ => Ok(skipped),
    }
}

/// What a text leads to.
#[derive(Clone)]
struct Seen {
    counts: Confusion,
    /// The description of the mask; `None` if the image cannot be described.
    description: Option<describe::Description>,
}

/// Returns the scores of all forms of all prompts of an image.
fn scores(
    segmenter: &mut dyn Segmenter,
    pair: &Pair,
    sample: &Sample,
    settings: &RobustnessSettings,
) -> Result<Vec<FormScore>, InferError> {
    let Pair { image, mask: truth, .. } = pair;
    let describer = Describer::new(image, None).ok();
    let described = |mask: &Mask| describer.as_ref().and_then(|describer| describer.describe(mask).ok());
    let of_truth = settings.forms.contains(&Form::Description).then(|| described(truth)).flatten();
    let of_truth = of_truth.map(|description| description.prompt.to_string());
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    let mut scores = Vec::new();
    for (number, prompt) in sample.prompts().enumerate() {
        let said = parse(prompt).prompt;
        for form in &settings.forms {
            let text = text_of(*form, prompt, &sample.name, number, settings, of_truth.as_deref());
            let made = match text {
                None => None,
                Some(text) => {
                    let found = match seen.get(&text) {
                        Some(known) => known.clone(),
                        None => {
                            let values = segmenter.predict(image, &text)?.mask(settings.threshold);
                            let mask = Mask { values, ..*truth };
                            let counts = Confusion::of(&mask.values, &truth.values);
                            let found = Seen { counts, description: described(&mask) };
                            seen.insert(text.clone(), found.clone());
                            found
                        }
                    };
                    let own: Option<Prompt>;
                    let said = match form {
                        Form::Augmented => &said,
                        Form::Irrelevant => &None,
                        _ => {
                            own = parse(&text).prompt;
                            &own
                        }
                    };
                    let agreement = said
                        .as_ref()
                        .zip(found.description.as_ref())
                        .and_then(|(said, description)| describe::agreement(said, description));
                    let is_unchanged = text.trim() == prompt.trim();
                    Some(MadeForm { text, is_unchanged, counts: found.counts, agreement })
                }
            };
            let (image, subject) = (sample.name.clone(), subject_or_name(&sample.name).to_owned());
            scores.push(FormScore { image, subject, prompt: number, form: *form, made });
        }
    }
    Ok(scores)
}

/// Returns a prompt in a form; `None` if it has no such form. What is drawn depends on the seed, the name of the image
/// and the number of the prompt alone, so that it is the same for every model and order.
fn text_of(
    form: Form,
    prompt: &str,
    image: &str,
    number: usize,
    settings: &RobustnessSettings,
    description: Option<&str>,
) -> Option<String> {
    let needs_words = matches!(form, Form::Shuffled | Form::SideSwapped | Form::ZoneSwapped | Form::WordDropout);
    if needs_words && prompt.trim().is_empty() {
        return None;
    }
    let hash = blake3::hash(format!("{}\n{image}\n{number}", settings.seed).as_bytes());
    let seed = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    form.apply(prompt, seed, settings.style, description)
}

/// An image with its ground truth and the masks of several texts.
pub struct CaseMasks {
    /// The image.
    pub image: Image,
    /// The ground truth, of the image's size.
    pub truth: Mask,
    /// The masks of the texts, of the image's size; `None` where there was no text.
    pub masks: Vec<Option<Vec<u8>>>,
}

/// Predicts the masks of an image once more, for a figure of it.
///
/// # Errors
/// The pair cannot be read, or the model failed.
pub fn case_masks(
    segmenter: &mut dyn Segmenter,
    sample: &Sample,
    reading: &PairReading,
    threshold: f32,
    texts: &[Option<&str>],
) -> Result<CaseMasks, InferError> {
    let Pair { image, mask: truth, .. } = pair::read(sample, reading)?;
    let masks = texts
        .iter()
        .map(|text| match text {
            Some(text) => Ok(Some(segmenter.predict(&image, text)?.mask(threshold))),
            None => Ok(None),
        })
        .collect::<Result<_, InferError>>()?;
    Ok(CaseMasks { image, truth, masks })
}

#[cfg(test)]
mod tests;
