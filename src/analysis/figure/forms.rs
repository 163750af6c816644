//! Masks of one model for several forms of a prompt, in the arrangement of figures 9 and 10 of the paper's supplementary:
//! a row for each case with the image, the ground truth and the mask of every form.

use super::page::{self, INK, INNER, LABEL, MARGIN, TICK, WEAK, WIDTH, caption, case_label, legend, line_in};
use super::scene::{Rect, Scene};
use super::table::{Table, cell};
use super::{Figure, FigureError, Picture};
use crate::data::{Mask, Outcome, OverlayColours};
use crate::metrics::Confusion;

/// The distance between panels, in points.
const GAP: f32 = 3.0;
/// The largest width of a panel, in points.
const WIDEST: f32 = 90.0;
/// The font size of what stands in a narrow column, in points.
const SMALL: f32 = 5.0;
/// The maximum ratio of a panel's height to its width.
const TALLEST: f32 = 1.3;

/// A case: one prompt of one image.
pub struct FormRow<'a> {
    /// The name of the image.
    pub name: &'a str,
    /// The prompt as it is.
    pub prompt: &'a str,
    /// The image.
    pub picture: &'a Picture,
    /// The ground truth, of the image's size.
    pub truth: &'a Mask,
    /// The masks of the forms, of the image's size; `None` if the prompt has no such form.
    pub masks: &'a [Option<Vec<u8>>],
}

/// Draws a row for each case: the image, the ground truth, and the mask of every form of the prompt, coloured by its
/// agreement with the ground truth, with its Dice below. `forms` names the forms in the order of the masks, `about` says
/// which cases these are.
///
/// Columns: `image`, `prompt`, `form`, `dice_per_image`; the last is empty if the prompt has no such form.
///
/// # Errors
/// Returns an error if there is no case or no form, or if a mask differs in size from its image.
pub fn forms(model: &str, forms: &[&str], rows: &[FormRow], about: &[String]) -> Result<Figure, FigureError> {
    if rows.is_empty() || forms.is_empty() {
        let reason = "no case has a mask; choose more images or forms".into();
        return Err(FigureError::Nothing { reason });
    }
    rows.iter().try_for_each(check)?;
    let mut scene = Scene::new(format!("Masks of {model} for forms of the prompt"), WIDTH);
    let mut table = Table::new(&["image", "prompt", "form", "dice_per_image"]);
    let columns = (forms.len() + 2) as f32;
    let width = ((INNER - (columns - 1.0) * GAP) / columns).min(WIDEST);
    let area =
        |column: usize, y: f32, height: f32| Rect::new(MARGIN + column as f32 * (width + GAP), y, width, height);
    let mut y = MARGIN + 8.0;
    for (column, name) in ["image", "truth"].iter().chain(forms).enumerate() {
        line_in(&mut scene, area(column, y, 0.0), y, name, if width < 50.0 { SMALL } else { LABEL }, INK);
    }
    y += 4.0;
    for row in rows {
        let FormRow { name, prompt, picture, truth, masks } = row;
        let aspect = (picture.height as f32 / picture.width.max(1) as f32).min(TALLEST);
        let height = width * aspect;
        // A tall image is narrower than its column.
        let place = |column: usize| {
            let area = area(column, y, height);
            let width = (height * picture.width as f32 / picture.height.max(1) as f32).min(area.width);
            Rect { x: area.middle() - width / 2.0, width, ..area }
        };
        page::picture(&mut scene, place(0), picture);
        page::picture(&mut scene, place(1), &Picture::of_mask(truth));
        for (number, form) in forms.iter().enumerate() {
            let rect = area(number + 2, y, height);
            let mask = masks.get(number).and_then(Option::as_ref);
            let dice = mask.map(|mask| Confusion::of(mask, &truth.values).dice());
            match mask {
                Some(mask) => {
                    let seen = picture.under_mask(mask, Some(&truth.values), &OverlayColours::PAPER);
                    page::picture(&mut scene, place(number + 2), &seen);
                }
                None => line_in(&mut scene, rect, y + height / 2.0, "no such form", SMALL, WEAK),
            }
            let words = dice.map_or_else(|| "–".to_owned(), |dice| format!("{dice:.3}"));
            line_in(&mut scene, rect, y + height + 7.0, &words, TICK, INK);
            table.push([
                (*name).to_owned(),
                (*prompt).to_owned(),
                (*form).to_owned(),
                dice.map_or_else(String::new, cell),
            ]);
        }
        y = case_label(&mut scene, y + height + 9.0, name, prompt) + 8.0;
    }
    let colours = OverlayColours::PAPER;
    let entries: Vec<_> = Outcome::COMPARED.map(|outcome| (colours.colour(outcome), outcome.name())).to_vec();
    legend(&mut scene, [MARGIN, y], &entries);
    let mut sentences =
        vec![format!("Masks of {model} for one prompt in several forms. Below each mask: Dice of this image.")];
    sentences.extend_from_slice(about);
    caption(&mut scene, y + 10.0, &sentences);
    Ok(Figure { scene, table })
}

fn check(row: &FormRow) -> Result<(), FigureError> {
    let FormRow { name, picture, truth, masks, .. } = row;
    let pixels = picture.width * picture.height;
    let is_other = [truth.width, truth.height] != [picture.width, picture.height];
    if is_other || masks.iter().flatten().any(|mask| mask.len() != pixels) {
        let (expected, found) =
            (format!("{}x{}", picture.width, picture.height), format!("{}x{}", truth.width, truth.height));
        return Err(FigureError::Size { name: (*name).to_owned(), what: "mask", found, expected });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_tidy, column, numbers};
    use super::*;

    const PROMPT: &str =
        "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";

    fn drawn(width: usize, height: usize, names: &[&str]) -> Result<Figure, FigureError> {
        let pixels = width * height;
        let picture = Picture { width, height, rgb: vec![90; 3 * pixels] };
        let truth = Mask { width, height, values: (0..pixels).map(|at| u8::from(at % 2 == 0)).collect() };
        let masks: Vec<Option<Vec<u8>>> = (0..names.len())
            .map(|index| (index != 1).then(|| if index == 0 { truth.values.clone() } else { vec![0; pixels] }))
            .collect();
        let row = |name| FormRow { name, prompt: PROMPT, picture: &picture, truth: &truth, masks: &masks };
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
        let row = FormRow { name: "a.png", prompt: "", picture: &picture, truth: &truth, masks: &[] };
        let error = forms("a model", &["structured"], &[row], &[]).expect_err("refused").to_string();
        assert!(error.contains("a.png") && error.contains("2x3") && error.contains("2x2"), "{error}");
    }
}
