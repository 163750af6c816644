//! Masks of several networks, in the arrangement of figures 5 and 6 of the paper: a row for each case with the image, the ground
//! truth and the mask of every network.

use super::mask_rows::{MaskRow, Words, draw};
use super::table::{Table, cell};
use super::{Figure, FigureError};
use crate::data::OverlayColours;
use crate::metrics::Confusion;

/// Draws a row for each case: the image with its prompt, the ground truth, and the mask of every network, coloured by its
/// agreement with the ground truth, with the Dice and IoU of this image below. `names` are those of the networks in the order of
/// the masks, `about` says how the masks were made.
///
/// Columns: `image`, `prompt`, `network`, `dice_per_image`, `iou_per_image`; scores are empty without a ground truth.
///
/// # Errors
/// Returns an error if there is no case or no network, or if a mask differs in size from its image.
pub fn networks(
    names: &[&str],
    rows: &[MaskRow],
    colours: &OverlayColours,
    about: &[String],
) -> Result<Figure, FigureError> {
    let has_truth = rows.iter().any(|row| row.truth.is_some());
    let scores = if has_truth { " Below each mask: Dice and IoU of this image." } else { "" };
    let mut caption = vec![format!("Masks of {} networks for the same images and prompts.{scores}", names.len())];
    if names.len() == 1 {
        caption = vec![format!("Masks of {}.{scores}", names[0])];
    }
    caption.extend_from_slice(about);
    let below = |counts: Option<Confusion>| match counts {
        _ if !has_truth => Vec::new(),
        Some(counts) => vec![format!("Dice {:.3}", counts.dice()), format!("IoU {:.3}", counts.iou())],
        None => vec!["–".to_owned(), String::new()],
    };
    let words = Words {
        title: format!("Masks of {}", names.join(", ")),
        names,
        absent: "no mask",
        below: &below,
        caption: &caption,
    };
    let scene = draw(&words, rows, colours)?;
    let mut table = Table::new(&["image", "prompt", "network", "dice_per_image", "iou_per_image"]);
    for row in rows {
        for (number, name) in names.iter().enumerate() {
            let counts = row.counts(number);
            let score =
                |of: fn(&Confusion) -> f64| counts.as_ref().map_or_else(String::new, |counts| cell(of(counts)));
            table.push([
                row.name.to_owned(),
                row.prompt.to_owned(),
                (*name).to_owned(),
                score(Confusion::dice),
                score(Confusion::iou),
            ]);
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

    fn drawn(width: usize, height: usize, names: &[&str], has_truth: bool) -> Figure {
        let pixels = width * height;
        let picture = Picture { width, height, rgb: vec![90; 3 * pixels] };
        let truth = Mask { width, height, values: (0..pixels).map(|at| u8::from(at % 2 == 0)).collect() };
        // The first network is right, the others find every pixel.
        let mask = |network: usize| if network == 0 { truth.values.clone() } else { vec![1; pixels] };
        let masks: Vec<Option<Vec<u8>>> = (0..names.len()).map(|network| Some(mask(network))).collect();
        let truth = has_truth.then_some(&truth);
        let row = |name| MaskRow { name, prompt: PROMPT, picture: &picture, truth, masks: &masks };
        let about = ["Threshold 0.5.".to_owned()];
        networks(names, &[row("a.png"), row("b.png")], &OverlayColours::PAPER, &about).expect("a figure")
    }

    #[test]
    fn a_row_holds_the_masks_of_all_networks() {
        let all = ["U-Net", "TransUNet", "MedSAM", "LViT", "GuideDecoder", "MMI-UNet", "HiMix"];
        for (width, height) in [(40, 40), (6, 40), (90, 20)] {
            for names in [&all[..], &all[..1], &all[..3]] {
                for has_truth in [true, false] {
                    let figure = drawn(width, height, names, has_truth);
                    assert_tidy(&figure, &format!("{width}x{height}, {} networks, {has_truth}", names.len()));
                    let beside = if has_truth { 2 } else { 1 };
                    assert_eq!(figure.scene.pictures().count(), 2 * (beside + names.len()));
                }
            }
        }
        let figure = drawn(40, 40, &all, true);
        assert!(all.iter().all(|name| figure.scene.words().any(|words| words == *name)), "no name is shortened");
        assert_eq!(numbers(&figure, "dice_per_image", &[("network", "U-Net")]), [1.0, 1.0]);
        // Half of the pixels are right: 2 · ½ / (1 + ½).
        let dice = numbers(&figure, "dice_per_image", &[("network", "HiMix")]);
        assert!(dice.iter().all(|dice| (dice - 2.0 / 3.0).abs() < 1e-12), "{dice:?}");
        assert_eq!(numbers(&figure, "iou_per_image", &[("network", "HiMix")]), [0.5, 0.5]);
        assert!(figure.scene.words().any(|words| words == "Dice 0.667"));
        let figure = drawn(40, 40, &all[..2], false);
        assert_eq!(column(&figure, "dice_per_image", &[("network", "U-Net")]), ["", ""]);
        assert!(figure.scene.words().any(|words| words == "mask without a ground truth"));
    }

    /// The colours are those of figures 5 and 6: true positives yellow, false positives green, false negatives red.
    #[test]
    fn outcomes_have_the_colours_of_the_paper() {
        let picture = Picture { width: 4, height: 1, rgb: vec![0; 12] };
        let truth = Mask { width: 4, height: 1, values: vec![1, 0, 1, 0] };
        let masks = [Some(vec![1, 1, 0, 0])];
        let row = MaskRow { name: "a.png", prompt: "", picture: &picture, truth: Some(&truth), masks: &masks };
        let figure = networks(&["A"], &[row], &OverlayColours::PAPER, &[]).expect("a figure");
        let mask = figure.scene.pictures().last().expect("the mask");
        let [tp, fp, fn_, none] =
            [0, 1, 2, 3].map(|at| [mask.rgb[3 * at], mask.rgb[3 * at + 1], mask.rgb[3 * at + 2]]);
        assert!(tp[0] > 90 && tp[1] > 90 && tp[2] < 20, "{tp:?}");
        assert!(fp[1] > 2 * fp[0] && fp[1] > 2 * fp[2], "{fp:?}");
        assert!(fn_[0] > 2 * fn_[1] && fn_[0] > 2 * fn_[2], "{fn_:?}");
        assert_eq!(none, [0; 3]);
    }
}
