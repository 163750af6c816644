//! The statistics as tables: for reading as Markdown and LaTeX, with all digits as CSV.

use super::summary::{Difference, FormSummary};
use crate::analysis::figure::Table;
use crate::analysis::number::probability;
use crate::analysis::text_table::{self, difference, mean_sd};
use crate::infer::robustness::Form;
use crate::metrics::Bootstrap;

/// The most images that a note names.
const NAMED: usize = 10;

/// The heads of the columns, without marks of a language.
const HEADS: [&str; 10] = [
    "Form",
    "Images",
    "Dice pooled",
    "Dice per image",
    "IoU pooled",
    "IoU per image",
    "Empty masks",
    "Text–mask agreement",
    "Difference of pooled Dice",
    "p",
];

/// The cells of a form, in plain characters.
fn cells(summary: &FormSummary) -> [String; 10] {
    let FormSummary { form, images, masks, pooled, dice, iou, empty, agreement, .. } = summary;
    let score = |score: f64| if *masks > 0 { format!("{score:.3}") } else { "–".to_owned() };
    let percent = 100.0 * *empty as f64 / *masks as f64;
    let (change, p) = match &summary.difference {
        Some(Difference { pooled_dice: at, p_holm, .. }) => (difference(at), probability(*p_holm)),
        None => ("–".to_owned(), "–".to_owned()),
    };
    [
        form.name().to_owned(),
        images.to_string(),
        score(pooled.dice()),
        mean_sd(dice),
        score(pooled.iou()),
        mean_sd(iou),
        if *masks > 0 { format!("{percent:.1} %") } else { "–".to_owned() },
        mean_sd(agreement),
        change,
        p,
    ]
}

/// Returns the table and its notes as Markdown.
pub fn markdown(summaries: &[FormSummary], notes: &[String]) -> String {
    text_table::markdown(&HEADS, &rows(summaries), notes)
}

/// Returns the table as a LaTeX `tabular` that needs no package, with its notes as comments.
pub fn latex(summaries: &[FormSummary], notes: &[String]) -> String {
    text_table::latex(&HEADS, &rows(summaries), notes)
}

fn rows(summaries: &[FormSummary]) -> Vec<[String; 10]> {
    summaries.iter().map(cells).collect()
}

/// Returns the statistics with all their digits. Differences and p-values are empty for structured prompts, agreements
/// where no text states anything.
pub fn numbers(summaries: &[FormSummary]) -> Table {
    let mut table = Table::new(&[
        "form",
        "images",
        "masks",
        "images_without_form",
        "unchanged_prompts",
        "dice_pooled",
        "dice_per_image_mean",
        "dice_per_image_sd",
        "iou_pooled",
        "iou_per_image_mean",
        "iou_per_image_sd",
        "empty_masks",
        "agreement_mean",
        "agreement_sd",
        "masks_with_agreement",
        "dice_pooled_difference",
        "difference_low",
        "difference_high",
        "subjects",
        "dice_per_image_difference",
        "wilcoxon_p",
        "wilcoxon_zeros",
        "wilcoxon_is_exact",
        "p_holm",
    ]);
    for summary in summaries {
        let finite = |value: f64| if value.is_finite() { value.to_string() } else { String::new() };
        let scored = |value: f64| if summary.masks > 0 { value.to_string() } else { String::new() };
        let of =
            |value: &dyn Fn(&Difference) -> String| summary.difference.as_ref().map_or_else(String::new, value);
        table.push([
            summary.form.name().to_owned(),
            summary.images.to_string(),
            summary.masks.to_string(),
            summary.not_made.len().to_string(),
            summary.unchanged.to_string(),
            scored(summary.pooled.dice()),
            finite(summary.dice.mean),
            finite(summary.dice.std),
            scored(summary.pooled.iou()),
            finite(summary.iou.mean),
            finite(summary.iou.std),
            summary.empty.to_string(),
            finite(summary.agreement.mean),
            finite(summary.agreement.std),
            summary.comparable.to_string(),
            of(&|one| one.pooled_dice.estimate.to_string()),
            of(&|one| one.pooled_dice.low.to_string()),
            of(&|one| one.pooled_dice.high.to_string()),
            of(&|one| one.pooled_dice.subjects.to_string()),
            of(&|one| one.dice_per_image.to_string()),
            of(&|one| one.wilcoxon.p_value.to_string()),
            of(&|one| one.wilcoxon.zeros.to_string()),
            of(&|one| one.wilcoxon.is_exact.to_string()),
            of(&|one| one.p_holm.to_string()),
        ]);
    }
    table
}

/// Returns what the table means, and what it leaves out, one sentence or two each.
pub fn notes(summaries: &[FormSummary], bootstrap: Bootstrap) -> Vec<String> {
    let mut notes = vec![
        "Pooled: one score over the pixels of all masks. Per image: mean ± standard deviation over the images."
            .to_owned(),
    ];
    let compared = summaries.iter().filter(|summary| summary.difference.is_some()).count();
    if let Some(difference) = summaries.iter().find_map(|summary| summary.difference.as_ref()) {
        let (level, resamples) = (100.0 * bootstrap.level, bootstrap.resamples);
        let subjects = difference.pooled_dice.subjects;
        notes.push(format!(
            "Difference: pooled Dice of the form less that of structured, on the same prompts, with the {level} % interval \
             of {resamples} paired bootstrap resamples of subjects ({subjects}; an image that names no subject counts as \
             one of its own)."
        ));
        notes.push(format!(
            "p: Wilcoxon's signed-rank test of Dice per image against structured, two-sided, with Pratt's rule for \
             differences of zero (ranked, then dropped); Holm's correction over {compared} forms. Unlike the interval, the test \
             takes images of one subject as independent."
        ));
    }
    if summaries.iter().any(|summary| summary.comparable > 0) {
        notes.push("Text–mask agreement: of the mask with what its own text says, over the texts that state something a rule can compare.".to_owned());
    }
    for summary in summaries {
        let FormSummary { form, images, masks, not_made, unchanged, .. } = summary;
        let name = form.name();
        if *form == Form::Description {
            notes.push(format!("{name}: a rule's sentence about the ground truth. It looks at the answer and is no fair comparison."));
        }
        if *unchanged > 0 && *form != Form::Structured {
            notes.push(format!("{name}: {unchanged} of {masks} prompts stay as they are."));
        }
        if !not_made.is_empty() {
            // A note has one line, but the name of a file may contain a line break.
            let name_of = |name: &String| name.replace(['\n', '\r'], " ");
            let named: Vec<String> = not_made.iter().take(NAMED).map(name_of).collect();
            let more = if not_made.len() > NAMED { ", …" } else { "" };
            let (count, s) = (not_made.len(), if not_made.len() == 1 { "" } else { "s" });
            notes.push(format!(
                "{name}: left out for {count} image{s} whose prompt has no such form ({}{more}).",
                named.join(", ")
            ));
        }
        if masks > images {
            notes.push(format!(
                "{name}: {masks} prompts of {images} images; per image is the mean over the prompts of an image."
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::robustness::summaries;
    use crate::analysis::robustness::tests::score;

    fn found() -> Vec<FormSummary> {
        let scores = [
            score("a.png", 0, Form::Structured, Some([10, 0, 0])),
            score("a.png", 0, Form::CountChanged, Some([5, 0, 5])),
            score("b.png", 0, Form::Structured, Some([10, 5, 5])),
            score("b.png", 0, Form::CountChanged, None),
            score("a.png", 0, Form::Description, Some([10, 0, 0])),
        ];
        let forms = [Form::Structured, Form::CountChanged, Form::Description, Form::Empty];
        summaries(&scores, &forms, Bootstrap::default())
    }

    #[test]
    fn the_three_tables_say_the_same() {
        let found = found();
        let notes = notes(&found, Bootstrap::default());
        let lines: Vec<String> = markdown(&found, &notes).lines().map(String::from).collect();
        assert!(lines[0].starts_with("| Form | Images | Dice pooled | Dice per image |"), "{lines:?}");
        assert_eq!(
            lines[2],
            "| structured | 2 | 0.800 | 0.833 ± 0.167 | 0.667 | 0.750 ± 0.250 | 0.0 % | – | – | – |"
        );
        assert_eq!(
            lines[3],
            "| count-changed | 1 | 0.667 | 0.667 ± 0.000 | 0.500 | 0.500 ± 0.000 | 0.0 % | – | −0.333 [−0.333, −0.333] | 1.000 |"
        );
        assert_eq!(lines[5], "| empty | 0 | – | – | – | – | – | – | – | – |");
        let latex = latex(&found, &notes);
        assert!(latex.contains("count-changed & 1 & 0.667 & 0.667 $\\pm$ 0.000 & 0.500"), "{latex}");
        assert!(latex.contains("0.0 \\% & -- & $-$0.333 [$-$0.333, $-$0.333] & 1.000 \\\\"), "{latex}");
        let numbers = numbers(&found);
        assert_eq!(numbers.rows.len(), 4);
        assert_eq!(numbers.rows[1][5], (2.0_f64 / 3.0).to_string());
        assert_eq!((numbers.rows[0][15].as_str(), numbers.rows[3][5].as_str()), ("", ""));
    }

    #[test]
    fn notes_name_what_is_left_out_and_what_looks_at_the_truth() {
        let notes = notes(&found(), Bootstrap::default()).join("\n");
        for part in [
            "count-changed: left out for 1 image whose prompt has no such form (b.png).",
            "description: a rule's sentence about the ground truth. It looks at the answer",
            "Pratt's rule",
            "Holm's correction over 2 forms",
            "resamples of subjects (1; an image",
        ] {
            assert!(notes.contains(part), "{part} is not in {notes}");
        }
    }
}
