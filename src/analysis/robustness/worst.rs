//! The cases that lose most when their prompt has another form.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::infer::robustness::{Form, FormScore, MadeForm};

/// What a prompt in another form costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loss {
    /// The file name of the image.
    pub image: String,
    /// The number of the prompt among those of the image, from 0.
    #[serde(skip)]
    pub number: usize,
    /// The prompt.
    pub prompt: String,
    /// The form.
    pub form: Form,
    /// The prompt in this form.
    pub text: String,
    /// Dice of this image with the prompt as it is.
    pub dice_structured: f64,
    /// Dice of this image with the prompt in the form.
    pub dice: f64,
}

impl Loss {
    /// Returns by how much Dice is lower in the form.
    pub fn loss(&self) -> f64 {
        self.dice_structured - self.dice
    }
}

/// Returns the prompts that lose most Dice in a form, at most `count`, the worst first. Prompts that lose nothing are left
/// out.
pub fn worst(scores: &[FormScore], form: Form, count: usize) -> Vec<Loss> {
    let structured = structured(scores);
    let of_form = scores.iter().filter(|score| score.form == form && form != Form::Structured);
    let mut losses: Vec<Loss> = of_form
        .filter_map(|score| {
            let (made, reference) = (score.made.as_ref()?, structured.get(&(score.image.as_str(), score.prompt))?);
            Some(Loss {
                image: score.image.clone(),
                number: score.prompt,
                prompt: reference.text.clone(),
                form,
                text: made.text.clone(),
                dice_structured: reference.counts.dice(),
                dice: made.counts.dice(),
            })
        })
        .filter(|loss| loss.loss() > 0.0)
        .collect();
    losses.sort_by(|a, b| b.loss().total_cmp(&a.loss()));
    losses.truncate(count);
    losses
}

/// Returns the prompts (image, number) that lose most Dice on average over their other forms, at most `count`, the worst
/// first, for a figure.
pub fn hardest(scores: &[FormScore], count: usize) -> Vec<(&str, usize)> {
    let structured = structured(scores);
    let mut losses: BTreeMap<(&str, usize), (f64, f64)> = BTreeMap::new();
    for score in scores.iter().filter(|score| score.form != Form::Structured) {
        let prompt = (score.image.as_str(), score.prompt);
        if let (Some(made), Some(reference)) = (&score.made, structured.get(&prompt)) {
            let (sum, number) = losses.entry(prompt).or_default();
            *sum += reference.counts.dice() - made.counts.dice();
            *number += 1.0;
        }
    }
    let mut order: Vec<((&str, usize), f64)> =
        losses.into_iter().map(|(prompt, (sum, number))| (prompt, sum / number)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut prompts: Vec<(&str, usize)> = order.into_iter().map(|(prompt, _)| prompt).collect();
    if prompts.is_empty() {
        prompts = structured.into_keys().collect();
    }
    prompts.truncate(count);
    prompts
}

fn structured(scores: &[FormScore]) -> BTreeMap<(&str, usize), &MadeForm> {
    let of_form = scores.iter().filter(|score| score.form == Form::Structured);
    of_form.filter_map(|score| Some(((score.image.as_str(), score.prompt), score.made.as_ref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::robustness::tests::score;

    #[test]
    fn the_greatest_loss_comes_first() {
        let scores = [
            score("a.png", 0, Form::Structured, Some([10, 0, 0])),
            score("a.png", 0, Form::Empty, Some([5, 0, 5])),
            score("a.png", 0, Form::Shuffled, Some([10, 0, 0])),
            score("b.png", 0, Form::Structured, Some([10, 0, 0])),
            score("b.png", 0, Form::Empty, Some([0, 0, 10])),
            score("b.png", 0, Form::Shuffled, None),
            score("c.png", 1, Form::Structured, Some([1, 0, 9])),
            score("c.png", 1, Form::Empty, Some([9, 0, 1])),
            score("c.png", 1, Form::Shuffled, Some([2, 0, 8])),
        ];
        let names =
            |form, count| worst(&scores, form, count).into_iter().map(|loss| loss.image).collect::<Vec<_>>();
        assert_eq!(names(Form::Empty, 9), ["b.png", "a.png"]);
        assert_eq!(names(Form::Empty, 1), ["b.png"]);
        assert_eq!(names(Form::Shuffled, 9), [""; 0]);
        assert_eq!(names(Form::Structured, 9), [""; 0]);
        let first = &worst(&scores, Form::Empty, 1)[0];
        assert_eq!((first.dice_structured, first.dice, first.loss()), (1.0, 0.0, 1.0));
        assert_eq!(hardest(&scores, 2), [("b.png", 0), ("a.png", 0)]);
        assert_eq!(hardest(&scores, 9).last(), Some(&("c.png", 1)));
        let alone = &scores[..1];
        assert_eq!(hardest(alone, 9), [("a.png", 0)], "without other forms, what there is");
    }
}
