//! Masks of one model for several forms of a prompt, in the arrangement of figures 9 and 10 of the paper's supplementary:
//! a row for each case with the image, the ground truth and the mask of every form.

use super::mask_rows::{MaskRow, Words, draw};
use super::table::{Table, cell};
use super::{Figure, FigureError};
use crate::data::OverlayColours;
use crate::metrics::Confusion;

/// Draws a row for each case: the image, the ground truth, and the mask of every form of the prompt, coloured by its
/// agreement with the ground truth, with its Dice below. `forms` names the forms in the order of the masks, `about` says
/// which cases these are.
///
/// Columns: `image`, `prompt`, `form`, `dice_per_image`; the last is empty if the prompt has no such form.
///
/// # Errors
/// Returns an error if there is no case or no form, or if a mask differs in size from its image.
pub fn forms(model: &str, forms: &[&str], rows: &[MaskRow], about: &[String]) -> Result<Figure, FigureError> {
    let mut caption =
        vec![format!("Masks of {model} for one prompt in several forms. Below each mask: Dice of this image.")];
    caption.extend_from_slice(about);
    let below = |counts: Option<Confusion>| {
        vec![counts.map_or_else(|| "–".to_owned(), |counts| format!("{:.3}", counts.dice()))]
    };
    let words = Words {
        title: format!("Masks of {model} for forms of the prompt"),
        names: forms,
        absent: "no such form",
        below: &below,
        caption: &caption,
    };
    let scene = draw(&words, rows, &OverlayColours::PAPER)?;
    let mut table = Table::new(&["image", "prompt", "form", "dice_per_image"]);
    for row in rows {
        for (number, form) in forms.iter().enumerate() {
            let dice = row.counts(number).map_or_else(String::new, |counts| cell(counts.dice()));
            table.push([row.name.to_owned(), row.prompt.to_owned(), (*form).to_owned(), dice]);
        }
    }
    Ok(Figure { scene, table })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_tidy, column, numbers};
    use super::*;
    use crate::analysis::figure::Picture;
    use crate::data::Mask;

    const PROMPT: &str =
        "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";

    fn drawn(width: usize, height: usize, names: &[&str]) -> Result<Figure, FigureError> {
        let pixels = width * height;
        let picture = Picture { width, height, rgb: vec![90; 3 * pixels] };
        let truth = Mask { width, height, values: (0..pixels).map(|at| u8::from(at % 2 == 0)).collect() };
        let masks: Vec<Option<Vec<u8>>> = (0..names.len())
            .map(|index| (index != 1).then(|| if index == 0 { truth.values.clone() } else { vec![0; pixels] }))
            .collect();
        let row = |name| MaskRow { name, prompt: PROMPT, picture: &picture, truth: Some(&truth), masks: &masks };
        forms("a model", names, &[row("a.png"), row("b.png")], &["The first cases.".to_owned()])
    }

    #[test]
    fn a_row_holds_the_masks_of_all_forms() {
        let all = [
            "structured",
            "augmented",
            "distilled",
            "empty",
            "shuffled",
            "side-swapped",
            "zone-swapped",
            "count-changed",
            "word-dropout",
            "irrelevant",
            "description",
        ];
        for (width, height) in [(40, 40), (6, 40), (90, 20)] {
            for names in [&all[..], &all[..1], &all[..4]] {
                let figure = drawn(width, height, names).expect("a figure");
                assert_tidy(&figure, &format!("{width}x{height}, {} forms", names.len()));
                let masks = names.len() - usize::from(names.len() > 1);
                assert_eq!(figure.scene.pictures().count(), 2 * (2 + masks));
            }
        }
        let figure = drawn(40, 40, &all).expect("a figure");
        assert!(all.iter().all(|name| figure.scene.words().any(|words| words == *name)), "no name is shortened");
        assert_eq!(numbers(&figure, "dice_per_image", &[("form", "structured")]), [1.0, 1.0]);
        assert_eq!(column(&figure, "dice_per_image", &[("form", "augmented")]), ["", ""]);
        assert_eq!(numbers(&figure, "dice_per_image", &[("form", "empty")]), [0.0, 0.0]);
        assert!(figure.scene.words().any(|words| words == "no such form"));
    }

    #[test]
    fn nothing_to_draw_and_another_size() {
        assert!(forms("a model", &["structured"], &[], &[]).is_err());
        assert!(drawn(4, 4, &[]).is_err());
        let picture = Picture { width: 2, height: 2, rgb: vec![0; 12] };
        let truth = Mask { width: 2, height: 3, values: vec![0; 6] };
        let row = MaskRow { name: "a.png", prompt: "", picture: &picture, truth: Some(&truth), masks: &[] };
        let error = forms("a model", &["structured"], &[row], &[]).expect_err("refused").to_string();
        assert!(error.contains("a.png") && error.contains("2x3") && error.contains("2x2"), "{error}");
    }
}
