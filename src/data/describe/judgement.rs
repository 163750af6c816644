//! Everything that the rules say about a prompt and the mask that a network made of it.

use serde::Serialize;

use super::{DescribeError, agreement, compare, describe};
use crate::data::{Image, Mask};
use crate::text::prompt::{Readable, check, parse};

/// A warning about a prompt, or about a mask that contradicts it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JudgedWarning {
    /// The identifier of the rule.
    pub rule: &'static str,
    /// A sentence that says what is wrong.
    pub message: String,
    /// The mended prompt, which the user may accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mended: Option<String>,
}

/// What the rules say about a prompt and a mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The prompt that a rule proposes for the mask; left and right are sides of the image.
    pub description: String,
    /// The text–mask agreement, 0…1; `None` if the prompt states nothing that could be compared, see [`agreement`].
    pub agreement: Option<f64>,
    /// What is wrong with the prompt by itself, and then what of it the mask contradicts.
    pub warnings: Vec<JudgedWarning>,
}

/// Judges a prompt and a mask of `image`. The kind of image is recognised.
///
/// # Errors
/// The mask is not as large as the image, or there are no pixels.
pub fn judge(prompt: &str, image: &Image, mask: &Mask) -> Result<Judgement, DescribeError> {
    let description = describe(image, mask, None)?;
    let mut warnings: Vec<JudgedWarning> = check(prompt, &Readable::default())
        .into_iter()
        .map(|warning| JudgedWarning { rule: warning.rule.id(), message: warning.message, mended: warning.mended })
        .collect();
    let parsed = parse(prompt).prompt;
    if let Some(parsed) = &parsed {
        warnings.extend(compare(parsed, mask, &description).into_iter().map(|warning| JudgedWarning {
            rule: warning.rule.id(),
            message: warning.message,
            mended: warning.mended,
        }));
    }
    let agreement = parsed.as_ref().and_then(|parsed| agreement(parsed, &description));
    Ok(Judgement { description: description.prompt.to_string(), agreement, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

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

    #[test]
    fn the_own_description_of_a_mask_agrees_with_it() {
        let judged = judge("left lung", &image(), &mask()).expect("judged");
        let again = judge(&judged.description, &image(), &mask()).expect("judged");
        assert_eq!(
            (again.agreement, &again.warnings, &again.description),
            (Some(1.0), &vec![], &judged.description)
        );
    }

    #[test]
    fn the_other_side_is_a_warning_with_its_rule() {
        let prompt = "Unilateral pulmonary infection, one infected area, lower right lung.";
        let judged = judge(prompt, &image(), &mask()).expect("judged");
        assert!(judged.agreement.is_some_and(|agreement| agreement < 0.5), "{judged:?}");
        assert!(judged.warnings.iter().any(|warning| warning.rule == "other-side"), "{judged:?}");
    }

    #[test]
    fn words_that_are_no_prompt_have_no_agreement() {
        let judged = judge("asdf qwerty banana zebra", &image(), &mask()).expect("judged");
        assert_eq!(judged.agreement, None);
        assert!(!judged.warnings.is_empty(), "{judged:?}");
    }
}
