//! Everything that the rules say about a prompt and the mask that a network made of it.

use serde::Serialize;

use super::{DescribeError, Describer, agreement, compare};
use crate::data::{Area, Mask};
use crate::text::prompt::json::WarningObject;
use crate::text::prompt::{Readable, check, parse};

/// What the rules say about a prompt and a mask.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// The prompt that a rule proposes for the mask; left and right are sides of the image.
    pub description: String,
    /// The text–mask agreement, 0…1; `None` if the prompt states nothing that could be compared, see [`agreement`].
    pub agreement: Option<f64>,
    /// What is wrong with the prompt by itself, and then what of it the mask contradicts.
    pub warnings: Vec<WarningObject>,
}

/// Judges a prompt and a mask of the image that `describer` looked at. Of a network that reads no text, there is a mask
/// alone, which is described.
///
/// # Errors
/// The mask is not as large as the image.
pub fn judge(prompt: Option<&str>, describer: &Describer, mask: &Mask) -> Result<Judgement, DescribeError> {
    let description = describer.describe(mask)?;
    // A box says nothing that the rules could judge.
    let prompt = prompt.filter(|prompt| prompt.parse::<Area>().is_err());
    let found = prompt.map(|prompt| check(prompt, &Readable::default())).unwrap_or_default();
    let mut warnings: Vec<WarningObject> = found.into_iter().map(WarningObject::from).collect();
    let parsed = prompt.and_then(|prompt| parse(prompt).prompt);
    if let Some(parsed) = &parsed {
        warnings.extend(compare(parsed, mask, &description).into_iter().map(WarningObject::from));
    }
    let agreement = parsed.as_ref().and_then(|parsed| agreement(parsed, &description));
    Ok(Judgement { description: description.prompt.to_string(), agreement, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Image, Pixels};

    const SIDE: usize = 224;

    fn image() -> Image {
        let pixels = (0..SIDE * SIDE).map(|at| (at % SIDE) as u8).collect();
        Image { width: SIDE, height: SIDE, channels: 1, pixels: Pixels::U8(pixels) }
    }

    /// A mask of one square in the lower left of the image.
    fn mask() -> Mask {
        let is_inside = |at: usize| (40..70).contains(&(at % SIDE)) && (130..160).contains(&(at / SIDE));
        let values = (0..SIDE * SIDE).map(|at| u8::from(is_inside(at))).collect();
        Mask { width: SIDE, height: SIDE, values }
    }

    fn judged(prompt: &str) -> Judgement {
        judged_as(Some(prompt))
    }

    fn judged_as(prompt: Option<&str>) -> Judgement {
        let image = image();
        judge(prompt, &Describer::new(&image, None).expect("it has pixels"), &mask()).expect("of one size")
    }

    #[test]
    fn a_mask_without_a_prompt_is_described_and_nothing_is_missed() {
        let judged = judged_as(None);
        assert!(!judged.description.is_empty() && judged.agreement.is_none() && judged.warnings.is_empty());
        assert_eq!(judged_as(Some("")).warnings.len(), 1, "a network that reads text has an empty prompt");
    }

    #[test]
    fn the_own_description_of_a_mask_agrees_with_it() {
        let first = judged("left lung");
        let again = judged(&first.description);
        assert_eq!((again.agreement, &again.description), (Some(1.0), &first.description));
        assert!(again.warnings.is_empty(), "{again:?}");
    }

    #[test]
    fn the_other_side_is_a_warning_with_its_rule() {
        let prompt = "Unilateral pulmonary infection, one infected area, lower right lung.";
        let judged = judged(prompt);
        assert!(judged.agreement.is_some_and(|agreement| agreement < 0.5), "{judged:?}");
        assert!(judged.warnings.iter().any(|warning| warning.rule == "other-side"), "{judged:?}");
    }

    #[test]
    fn a_box_is_no_text_that_could_be_wrong() {
        let judged = judged("box 40, 130, 70, 160");
        assert_eq!((judged.agreement, judged.warnings.len()), (None, 0), "{judged:?}");
        assert!(!judged.description.is_empty());
    }

    #[test]
    fn words_that_are_no_prompt_have_no_agreement() {
        let judged = judged("asdf qwerty banana zebra");
        assert_eq!(judged.agreement, None);
        assert!(!judged.warnings.is_empty(), "{judged:?}");
    }
}
