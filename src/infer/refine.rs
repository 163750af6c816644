//! Self-refinement of a prompt: predict a mask, describe it by a rule, predict with the description, and so on.
//!
//! What comes out is a proposal: the sentence at which network and rule agree, which need not be what the image
//! shows. A network that follows any prompt agrees with any.

use std::ops::ControlFlow;

use super::error::InferError;
use super::segmenter::Segmenter;
use crate::data::describe::{Describer, Kind, agreement};
use crate::data::{Image, Mask};
use crate::metrics::Confusion;
use crate::text::prompt::parse;

/// The usual limit of [`RefineSettings::steps`].
pub const REFINE_STEPS: usize = 8;

/// The settings of a refinement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RefineSettings {
    /// The lowest probability of a foreground pixel.
    pub threshold: f32,
    /// The kind of image; `None` to recognise it.
    pub kind: Option<Kind>,
    /// The most predictions.
    pub steps: usize,
}

impl Default for RefineSettings {
    fn default() -> Self {
        Self { threshold: 0.5, kind: None, steps: REFINE_STEPS }
    }
}

/// A prediction of a refinement, with its description.
#[derive(Clone, Debug, PartialEq)]
pub struct RefineStep {
    /// The prompt.
    pub prompt: String,
    /// The mask, of the image's size.
    pub mask: Mask,
    /// The share of the image that the mask covers, 0…1.
    pub area: f64,
    /// The sentence that the rule proposes for the mask, which is the prompt of the next step.
    pub description: String,
    /// The text–mask agreement of prompt and mask, 0…1; `None` if the prompt states nothing that could be compared.
    pub agreement: Option<f64>,
    /// How likely it is that what the prompt names is in the image; `None` if the model is not calibrated for it.
    pub presence: Option<f32>,
    /// The Dice score; `None` without a ground truth.
    pub dice: Option<f64>,
}

/// Why a refinement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefineEnd {
    /// The description of the last mask says what its prompt says.
    StandsStill,
    /// The description of the last mask is the prompt of an earlier step, whose index this is: the sentences from
    /// there on would repeat.
    Repeats(usize),
    /// The last mask is empty, so that there is nothing to describe.
    EmptyMask,
    /// The number of steps is exhausted.
    StepsExhausted,
    /// It was stopped.
    Stopped,
}

/// The steps of a refinement.
#[derive(Clone, Debug, PartialEq)]
pub struct Refinement {
    /// The steps in their order.
    pub steps: Vec<RefineStep>,
    /// Why there are no more.
    pub end: RefineEnd,
}

impl Refinement {
    /// Returns in words why it ended.
    pub fn end_in_words(&self) -> String {
        let count = self.steps.len();
        match self.end {
            RefineEnd::StandsStill => {
                format!("The sentence stands still after {count} {}.", if count == 1 { "step" } else { "steps" })
            }
            RefineEnd::Repeats(from) => format!(
                "The sentences repeat: step {count} is described as the prompt of step {} again, a cycle of {}.",
                from + 1,
                count - from
            ),
            RefineEnd::EmptyMask => format!("The mask of step {count} is empty: there is nothing to describe."),
            RefineEnd::StepsExhausted => format!("The sentence still changes after {count} steps."),
            RefineEnd::Stopped => "It was stopped.".to_owned(),
        }
    }
}

/// Refines `prompt` for `image`. `truth` is a ground truth of the image's size, for the scores of the steps. `progress`
/// receives the number of steps after each of them, and their largest number.
///
/// # Errors
/// A prediction failed, or the image has no pixels.
pub fn refine(
    segmenter: &mut dyn Segmenter,
    image: &Image,
    prompt: &str,
    truth: Option<&Mask>,
    settings: RefineSettings,
    mut progress: impl FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Refinement, InferError> {
    let describer =
        Describer::new(image, settings.kind).map_err(|error| InferError::Refused(error.to_string()))?;
    let truth = truth.filter(|truth| (truth.width, truth.height) == (image.width, image.height));
    let mut steps: Vec<RefineStep> = Vec::new();
    let mut prompt = prompt.to_owned();
    let end = loop {
        let prediction = segmenter.predict(image, &prompt)?;
        let mask = Mask { width: image.width, height: image.height, values: prediction.mask(settings.threshold) };
        let described = describer.describe(&mask).map_err(|error| InferError::Refused(error.to_string()))?;
        let parsed = parse(&prompt).prompt;
        let description = described.prompt.to_string();
        let is_empty = described.components.is_empty();
        steps.push(RefineStep {
            agreement: parsed.and_then(|parsed| agreement(&parsed, &described)),
            area: mask.foreground() as f64 / mask.values.len().max(1) as f64,
            dice: truth.map(|truth| Confusion::of(&mask.values, &truth.values).dice()),
            presence: prediction.presence,
            prompt,
            mask,
            description: description.clone(),
        });
        let is_stopped = progress(steps.len(), settings.steps).is_break();
        let earlier = steps.iter().position(|step| says_the_same(&step.prompt, &description));
        match earlier {
            _ if is_empty => break RefineEnd::EmptyMask,
            Some(index) if index + 1 == steps.len() => break RefineEnd::StandsStill,
            Some(index) => break RefineEnd::Repeats(index),
            None if is_stopped => break RefineEnd::Stopped,
            None if steps.len() >= settings.steps => break RefineEnd::StepsExhausted,
            None => prompt = description,
        }
    };
    Ok(Refinement { steps, end })
}

/// Says whether two sentences say the same, whatever their words.
fn says_the_same(a: &str, b: &str) -> bool {
    let value = |text: &str| parse(text).prompt.map(|prompt| prompt.normalised());
    a == b || value(a).is_some_and(|a| Some(a) == value(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::fakes::{Drawn, square};

    fn refined(model: impl Fn(&str) -> Mask + Send + 'static, prompt: &str, steps: usize) -> Refinement {
        let mut model = Drawn::new(model);
        let settings = RefineSettings { kind: Some(Kind::Xray), steps, ..RefineSettings::default() };
        refine(&mut model, &Drawn::image(), prompt, Some(&square(0.2)), settings, |_, _| ControlFlow::Continue(()))
            .expect("refined")
    }

    #[test]
    fn a_model_that_ignores_the_prompt_stands_still_at_the_second_step() {
        let found = refined(|_| square(0.2), "upper right lung", 8);
        assert_eq!((found.steps.len(), found.end), (2, RefineEnd::StandsStill));
        let [first, last] = &found.steps[..] else { panic!("{found:?}") };
        assert_eq!(first.prompt, "upper right lung");
        assert_eq!((&last.prompt, &last.description), (&first.description, &first.description));
        assert!(last.prompt.contains("left lung"), "{}", last.prompt);
        assert_eq!((last.agreement, last.dice), (Some(1.0), Some(1.0)));
        assert!(first.agreement.is_some_and(|agreement| agreement < 0.5), "{first:?}");
        assert!((last.area - 0.0256).abs() < 0.01, "{}", last.area);
        assert_eq!(found.end_in_words(), "The sentence stands still after 2 steps.");
        // A prompt that says the same in other words needs one step.
        let again = refined(|_| square(0.2), &last.prompt.to_uppercase(), 8);
        assert_eq!((again.steps.len(), again.end), (1, RefineEnd::StandsStill));
    }

    #[test]
    fn a_model_that_does_the_opposite_repeats_and_the_cycle_is_named() {
        let contrary = |prompt: &str| square(if prompt.contains("left") { 0.8 } else { 0.2 });
        let found = refined(contrary, "left lung", 8);
        // The first prompt is in other words than the descriptions, so that the cycle begins with the second.
        assert_eq!((found.steps.len(), found.end), (3, RefineEnd::Repeats(1)));
        assert!(found.steps[1].prompt.contains("right lung") && found.steps[2].prompt.contains("left lung"));
        assert!(found.end_in_words().ends_with("the prompt of step 2 again, a cycle of 2."));
    }

    #[test]
    fn an_empty_mask_and_the_limit_end_it() {
        let empty = |_: &str| Mask { values: vec![0; 100 * 100], ..square(0.2) };
        let found = refined(empty, "left lung", 8);
        assert_eq!((found.steps.len(), found.end), (1, RefineEnd::EmptyMask));
        assert!(found.steps[0].description.to_lowercase().starts_with("no "));
        let contrary = |prompt: &str| square(if prompt.contains("left") { 0.8 } else { 0.2 });
        let found = refined(contrary, "left lung", 1);
        assert_eq!((found.steps.len(), found.end), (1, RefineEnd::StepsExhausted));
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let mut model = Drawn::new(|prompt: &str| square(if prompt.contains("left") { 0.8 } else { 0.2 }));
        let settings = RefineSettings { kind: Some(Kind::Xray), ..RefineSettings::default() };
        let found =
            refine(&mut model, &Drawn::image(), "left lung", None, settings, |_, _| ControlFlow::Break(()))
                .expect("refined");
        assert_eq!((found.steps.len(), found.end), (1, RefineEnd::Stopped));
        assert_eq!(found.steps[0].dice, None);
    }
}
