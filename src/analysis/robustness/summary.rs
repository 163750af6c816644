//! The statistics of every form, and its difference to structured prompts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::infer::robustness::{Form, FormScore, MadeForm};
use crate::metrics::{Bootstrap, Confusion, Interval, PairedCase, Spread, Wilcoxon, holm, mean_std, wilcoxon};

/// The statistics of one form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormSummary {
    /// The form.
    pub form: Form,
    /// The number of images with a mask of this form.
    pub images: usize,
    /// The number of masks: one for each prompt, of which an image may have several.
    pub masks: usize,
    /// The images that have a prompt without this form, each once.
    pub not_made: Vec<String>,
    /// The number of prompts that the form left as they were.
    pub unchanged: usize,
    /// The pixel counts of all masks together; `dice()` and `iou()` are the pooled scores.
    pub pooled: Confusion,
    /// Dice per image; of an image with several prompts, the mean over them.
    pub dice: Spread,
    /// IoU per image, likewise.
    pub iou: Spread,
    /// The number of masks without foreground.
    pub empty: usize,
    /// The text–mask agreement of the masks that have one; NaN if none has.
    pub agreement: Spread,
    /// The number of masks that have an agreement.
    pub comparable: usize,
    /// The difference to structured prompts; `None` for structured prompts themselves and without masks.
    pub difference: Option<Difference>,
}

/// The difference of a form to structured prompts, over the prompts that have the form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Pooled Dice of the form less that of structured prompts, with a bootstrap interval that resamples subjects.
    pub pooled_dice: Interval,
    /// The mean difference of Dice per image.
    pub dice_per_image: f64,
    /// Wilcoxon's signed-rank test of the differences of Dice per image.
    pub wilcoxon: Wilcoxon,
    /// The p-value after Holm's correction over all forms that are compared.
    pub p_holm: f64,
}

/// The two masks of a prompt.
struct Compared<'a> {
    image: &'a str,
    subject: &'a str,
    reference: &'a MadeForm,
    other: &'a MadeForm,
}

/// Returns the statistics of every form, in the order of `forms`.
pub fn summaries(scores: &[FormScore], forms: &[Form], bootstrap: Bootstrap) -> Vec<FormSummary> {
    let structured: BTreeMap<(&str, usize), &MadeForm> = scores
        .iter()
        .filter(|score| score.form == Form::Structured)
        .filter_map(|score| Some(((score.image.as_str(), score.prompt), score.made.as_ref()?)))
        .collect();
    let mut summaries: Vec<FormSummary> = forms
        .iter()
        .map(|form| {
            let of_form = scores.iter().filter(|score| score.form == *form);
            let compared: Vec<Compared> = of_form
                .clone()
                .filter(|score| score.form != Form::Structured)
                .filter_map(|score| {
                    let reference = structured.get(&(score.image.as_str(), score.prompt))?;
                    let (image, subject) = (&score.image, &score.subject);
                    Some(Compared { image, subject, reference, other: score.made.as_ref()? })
                })
                .collect();
            let difference = difference(&compared, bootstrap);
            FormSummary { difference, ..summary(*form, of_form) }
        })
        .collect();
    let p_values: Vec<f64> = differences(&summaries).map(|difference| difference.wilcoxon.p_value).collect();
    let compared = summaries.iter_mut().filter_map(|summary| summary.difference.as_mut());
    compared.zip(holm(&p_values)).for_each(|(difference, p)| difference.p_holm = p);
    summaries
}

fn differences(summaries: &[FormSummary]) -> impl Iterator<Item = &Difference> {
    summaries.iter().filter_map(|summary| summary.difference.as_ref())
}

/// The statistics of a form by itself.
fn summary<'a>(form: Form, scores: impl Iterator<Item = &'a FormScore> + Clone) -> FormSummary {
    let not_made: BTreeSet<&str> =
        scores.clone().filter(|score| score.made.is_none()).map(|score| score.image.as_str()).collect();
    let made = || scores.clone().filter_map(|score| Some((score.image.as_str(), score.made.as_ref()?)));
    let agreement: Vec<f64> = made().filter_map(|(_, made)| made.agreement).collect();
    let dice = per_image(made().map(|(image, made)| (image, made.counts.dice())));
    let iou = per_image(made().map(|(image, made)| (image, made.counts.iou())));
    FormSummary {
        form,
        images: dice.len(),
        masks: made().count(),
        not_made: not_made.into_iter().map(String::from).collect(),
        unchanged: made().filter(|(_, made)| made.is_unchanged).count(),
        pooled: made().map(|(_, made)| made.counts).sum(),
        dice: mean_std(&dice),
        iou: mean_std(&iou),
        empty: made().filter(|(_, made)| made.is_empty_mask()).count(),
        agreement: mean_std(&agreement),
        comparable: agreement.len(),
        difference: None,
    }
}

/// Returns a value for each image: the mean of the values of its prompts.
fn per_image<'a>(values: impl Iterator<Item = (&'a str, f64)>) -> Vec<f64> {
    let mut images: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (image, value) in values {
        let (sum, count) = images.entry(image).or_default();
        *sum += value;
        *count += 1.0;
    }
    images.into_values().map(|(sum, count)| sum / count).collect()
}

fn difference(compared: &[Compared], bootstrap: Bootstrap) -> Option<Difference> {
    let cases: Vec<PairedCase> = compared
        .iter()
        .map(|pair| PairedCase {
            subject: pair.subject.to_owned(),
            reference: pair.reference.counts,
            other: pair.other.counts,
        })
        .collect();
    let dice = |pair: &Compared| pair.other.counts.dice() - pair.reference.counts.dice();
    let differences = per_image(compared.iter().map(|pair| (pair.image, dice(pair))));
    let wilcoxon = wilcoxon(&differences)?;
    Some(Difference {
        pooled_dice: bootstrap.pooled_dice_difference(&cases)?,
        dice_per_image: differences.iter().sum::<f64>() / differences.len() as f64,
        wilcoxon,
        p_holm: wilcoxon.p_value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::robustness::tests::{counts, score};

    /// Two images of one subject and two of others, one of them with two prompts; no count for one of them.
    fn scores() -> Vec<FormScore> {
        let mut scores = Vec::new();
        let mut add = |image: &str, prompt: usize, structured: [u64; 3], other: Option<[u64; 3]>| {
            scores.push(score(image, prompt, Form::Structured, Some(structured)));
            scores.push(score(image, prompt, Form::Empty, Some([0, 0, structured[0] + structured[2]])));
            scores.push(score(image, prompt, Form::CountChanged, other));
        };
        add("sub-a_1.png", 0, [80, 10, 20], Some([70, 20, 30]));
        add("sub-a_2.png", 0, [40, 5, 5], Some([40, 5, 5]));
        add("sub-b.png", 0, [10, 0, 30], None);
        add("c.png", 0, [60, 20, 0], Some([50, 30, 10]));
        add("c.png", 1, [30, 0, 30], Some([55, 5, 5]));
        scores
    }

    #[test]
    fn scores_are_those_of_the_formulas() {
        let forms = [Form::Structured, Form::Empty, Form::CountChanged];
        let found = summaries(&scores(), &forms, Bootstrap { resamples: 500, ..Bootstrap::default() });
        let dice = |[tp, fp, fn_]: [f64; 3]| 2.0 * tp / (2.0 * tp + fp + fn_);
        let iou = |[tp, fp, fn_]: [f64; 3]| tp / (tp + fp + fn_);
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");

        let structured = &found[0];
        assert_eq!((structured.images, structured.masks, structured.difference), (4, 5, None));
        close(structured.pooled.dice(), dice([220.0, 35.0, 85.0]));
        close(structured.pooled.iou(), iou([220.0, 35.0, 85.0]));
        let of_c = f64::midpoint(dice([60.0, 20.0, 0.0]), dice([30.0, 0.0, 30.0]));
        let per_image = [dice([80.0, 10.0, 20.0]), dice([40.0, 5.0, 5.0]), dice([10.0, 0.0, 30.0]), of_c];
        let mean = per_image.iter().sum::<f64>() / 4.0;
        close(structured.dice.mean, mean);
        close(structured.dice.std, (per_image.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 4.0).sqrt());

        let empty = &found[1];
        assert_eq!((empty.empty, empty.masks, empty.not_made.len()), (5, 5, 0));
        assert_eq!((empty.pooled.dice(), empty.dice.mean), (0.0, 0.0));
        let against = empty.difference.expect("compared");
        close(against.pooled_dice.estimate, -structured.pooled.dice());
        assert_eq!(against.pooled_dice.subjects, 3, "two images are of one subject");
        // All four images are worse: two of the sixteen ways to give signs are as extreme.
        assert_eq!(against.wilcoxon.p_value, 0.125);

        let changed = &found[2];
        assert_eq!(
            (changed.images, changed.masks, changed.not_made.as_slice()),
            (3, 4, &["sub-b.png".to_owned()][..])
        );
        let against = changed.difference.expect("compared");
        // Structured prompts are compared on the same prompts only.
        close(against.pooled_dice.estimate, dice([215.0, 60.0, 50.0]) - dice([210.0, 35.0, 55.0]));
        let of_c = f64::midpoint(dice([50.0, 30.0, 10.0]), dice([55.0, 5.0, 5.0])) - of_c;
        let of_a = dice([70.0, 20.0, 30.0]) - dice([80.0, 10.0, 20.0]);
        close(against.dice_per_image, (of_a + of_c) / 3.0);
        assert_eq!((against.wilcoxon.zeros, against.wilcoxon.differences), (1, 2));
        // One difference of each sign: no sums are less extreme, and Holm's correction ends at 1.
        assert_eq!((found[1].difference.map(|one| one.p_holm), against.p_holm), (Some(0.25), 1.0));
    }

    #[test]
    fn agreement_is_over_the_masks_that_have_one() {
        let mut scores = vec![
            score("a.png", 0, Form::Structured, Some([1, 0, 0])),
            score("b.png", 0, Form::Structured, Some([1, 0, 0])),
            score("c.png", 0, Form::Structured, Some([1, 0, 0])),
        ];
        for (score, agreement) in scores.iter_mut().zip([Some(1.0), None, Some(0.5)]) {
            score.made.as_mut().expect("made").agreement = agreement;
        }
        let found = summaries(&scores, &[Form::Structured, Form::Augmented], Bootstrap::default());
        assert_eq!((found[0].agreement.mean, found[0].comparable), (0.75, 2));
        // Nothing is known of a form without masks.
        assert_eq!((found[1].masks, found[1].difference, found[1].dice.mean.is_nan()), (0, None, true));
        assert_eq!(found[1].pooled, counts([0, 0, 0]));
    }
}
