//! Rows of masks: a row for each case with the image, the ground truth and several masks, coloured by their agreement with
//! it.

use super::page::{self, INK, INNER, LABEL, MARGIN, TICK, WEAK, WIDTH, caption, case_label, legend, line_in};
use super::scene::{Rect, Scene};
use super::{FigureError, Picture};
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

/// A case: one image with one prompt.
pub struct MaskRow<'a> {
    /// The name of the image.
    pub name: &'a str,
    /// The prompt as it is.
    pub prompt: &'a str,
    /// The image.
    pub picture: &'a Picture,
    /// The ground truth, of the image's size; `None` if there is none.
    pub truth: Option<&'a Mask>,
    /// The masks, of the image's size; `None` where there is none.
    pub masks: &'a [Option<Vec<u8>>],
}

impl MaskRow<'_> {
    /// The pixel counts of a mask against the ground truth, if there are both.
    pub(super) fn counts(&self, number: usize) -> Option<Confusion> {
        let mask = self.masks.get(number).and_then(Option::as_ref)?;
        Some(Confusion::of(mask, &self.truth?.values))
    }
}

/// What stands around and below the masks.
pub(super) struct Words<'a> {
    /// The title of the page.
    pub title: String,
    /// The names of the masks, the heads of their columns.
    pub names: &'a [&'a str],
    /// What stands where there is no mask.
    pub absent: &'a str,
    /// The lines below a mask, of which each cell has as many.
    pub below: &'a dyn Fn(Option<Confusion>) -> Vec<String>,
    /// The caption.
    pub caption: &'a [String],
}

/// Draws the page.
///
/// # Errors
/// Returns an error if there is no case or no name, or if a mask differs in size from its image.
pub(super) fn draw(
    words: &Words<'_>,
    rows: &[MaskRow<'_>],
    colours: &OverlayColours,
) -> Result<Scene, FigureError> {
    let names = words.names;
    if rows.is_empty() || names.is_empty() {
        let reason = "no case has a mask; choose more images".into();
        return Err(FigureError::Nothing { reason });
    }
    rows.iter().try_for_each(check)?;
    let mut scene = Scene::new(words.title.clone(), WIDTH);
    let columns = (names.len() + 2) as f32;
    let width = ((INNER - (columns - 1.0) * GAP) / columns).min(WIDEST);
    let area =
        |column: usize, y: f32, height: f32| Rect::new(MARGIN + column as f32 * (width + GAP), y, width, height);
    let mut y = MARGIN + 8.0;
    for (column, name) in ["image", "truth"].iter().chain(names).enumerate() {
        line_in(&mut scene, area(column, y, 0.0), y, name, if width < 50.0 { SMALL } else { LABEL }, INK);
    }
    y += 4.0;
    let lines = (words.below)(None).len();
    let size = if width < 50.0 && lines > 1 { SMALL } else { TICK };
    for row in rows {
        let MaskRow { name, prompt, picture, truth, masks } = row;
        let aspect = (picture.height as f32 / picture.width.max(1) as f32).min(TALLEST);
        let height = width * aspect;
        // A tall image is narrower than its column.
        let place = |column: usize| {
            let area = area(column, y, height);
            let width = (height * picture.width as f32 / picture.height.max(1) as f32).min(area.width);
            Rect { x: area.middle() - width / 2.0, width, ..area }
        };
        page::picture(&mut scene, place(0), picture);
        match truth {
            Some(truth) => page::picture(&mut scene, place(1), &Picture::of_mask(truth)),
            None => line_in(&mut scene, area(1, y, height), y + height / 2.0, "none", SMALL, WEAK),
        }
        for number in 0..names.len() {
            let rect = area(number + 2, y, height);
            match masks.get(number).and_then(Option::as_ref) {
                Some(mask) => {
                    let truth = truth.map(|truth| truth.values.as_slice());
                    page::picture(&mut scene, place(number + 2), &picture.under_mask(mask, truth, colours));
                }
                None => line_in(&mut scene, rect, y + height / 2.0, words.absent, SMALL, WEAK),
            }
            let mut at = y + height;
            for line in (words.below)(row.counts(number)) {
                at += 7.0;
                if !line.is_empty() {
                    line_in(&mut scene, rect, at, &line, size, INK);
                }
            }
        }
        y = case_label(&mut scene, y + height + 2.0 + 7.0 * lines as f32, name, prompt) + 8.0;
    }
    let mut entries: Vec<_> = Vec::new();
    if rows.iter().any(|row| row.truth.is_some()) {
        entries.extend(Outcome::COMPARED.map(|outcome| (colours.colour(outcome), outcome.name())));
    }
    if rows.iter().any(|row| row.truth.is_none()) {
        entries.push((colours.mask, "mask without a ground truth"));
    }
    legend(&mut scene, [MARGIN, y], &entries);
    caption(&mut scene, y + 10.0, words.caption);
    Ok(scene)
}

fn check(row: &MaskRow<'_>) -> Result<(), FigureError> {
    let MaskRow { name, picture, truth, masks, .. } = row;
    let pixels = picture.width * picture.height;
    let size = |width: usize, height: usize| format!("{width}x{height}");
    let is_other = |truth: &&&Mask| [truth.width, truth.height] != [picture.width, picture.height];
    let found = match truth.as_ref().filter(is_other) {
        Some(truth) => size(truth.width, truth.height),
        None => match masks.iter().flatten().find(|mask| mask.len() != pixels) {
            Some(mask) => format!("{} pixels", mask.len()),
            None => return Ok(()),
        },
    };
    let expected = size(picture.width, picture.height);
    Err(FigureError::Size { name: (*name).to_owned(), what: "mask", found, expected })
}
