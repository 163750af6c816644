//! The scores of a study as rows of a CSV table, and back, without loss.

use super::{Form, FormScore, MadeForm};
use crate::data::write::{text_cell, text_of_cell};
use crate::metrics::Confusion;

/// The columns. Dice and IoU follow from the counts and are for the reader of the table.
pub const COLUMNS: [&str; 13] = [
    "image",
    "subject",
    "prompt_number",
    "form",
    "text",
    "same_text_as_prompt",
    "dice_per_image",
    "iou_per_image",
    "true_positive",
    "false_positive",
    "false_negative",
    "true_negative",
    "text_mask_agreement",
];

/// Returns the row of a score. The number of the prompt counts from 1. Where the prompt has no such form, the cells
/// after the form's name are empty.
pub fn row(score: &FormScore) -> [String; 13] {
    let mut row: [String; 13] = std::array::from_fn(|_| String::new());
    row[0] = text_cell(&score.image);
    row[1] = text_cell(&score.subject);
    row[2] = (score.prompt + 1).to_string();
    row[3] = score.form.name().to_owned();
    if let Some(MadeForm { text, is_unchanged, counts, agreement }) = &score.made {
        row[4] = text_cell(text);
        row[5] = if *is_unchanged { "yes" } else { "no" }.to_owned();
        row[6] = format!("{:.6}", counts.dice());
        row[7] = format!("{:.6}", counts.iou());
        let Confusion { true_positive, false_positive, false_negative, true_negative } = counts;
        for (cell, count) in
            row[8..12].iter_mut().zip([true_positive, false_positive, false_negative, true_negative])
        {
            *cell = count.to_string();
        }
        row[12] = agreement.map_or_else(String::new, |agreement| agreement.to_string());
    }
    row
}

/// Returns the score of a row; `None` if it is damaged.
pub fn score(row: &csv::StringRecord) -> Option<FormScore> {
    if row.len() != COLUMNS.len() {
        return None;
    }
    let is_made = !row[8].is_empty();
    let made = if is_made {
        let count = |index: usize| row[index].parse().ok();
        let agreement = Some(&row[12]).filter(|cell| !cell.is_empty());
        Some(MadeForm {
            text: text_of_cell(&row[4]).to_owned(),
            is_unchanged: match &row[5] {
                "yes" => true,
                "no" => false,
                _ => return None,
            },
            counts: Confusion {
                true_positive: count(8)?,
                false_positive: count(9)?,
                false_negative: count(10)?,
                true_negative: count(11)?,
            },
            agreement: agreement.map(str::parse).transpose().ok()?,
        })
    } else {
        None
    };
    let prompt = row[2].parse::<usize>().ok()?.checked_sub(1)?;
    Some(FormScore {
        image: text_of_cell(&row[0]).to_owned(),
        subject: text_of_cell(&row[1]).to_owned(),
        prompt,
        form: Form::of(&row[3])?,
        made,
    })
}
