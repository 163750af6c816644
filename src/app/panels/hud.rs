//! The text over the image: sides, scale, display window, slice, and the pixel under the pointer.

use std::sync::Arc;

use eframe::egui::{Align2, Color32, FontId, Galley, Painter, Pos2, Rect, Stroke, Ui, pos2, vec2};

use super::widgets::{grouped, number};
use crate::app::annotating::Looked;
use crate::app::state::{OpenImage, State};
use crate::app::theme;
use crate::data::Image;
use crate::data::facts::place;

/// The distance from the edges of the image, in points.
const MARGIN: f32 = 10.0;
/// The minimum and maximum length of the scale bar, in points.
const SCALE: (f32, f32) = (50.0, 140.0);
/// The font size, in points.
const SIZE: f32 = 12.0;
/// The font size over a small image, in points.
const SMALL: f32 = 11.0;
/// The distance between lines of text, in points.
const LINE: f32 = 16.0;
/// The height of the scale bar with its number, in points.
const SCALE_HEIGHT: f32 = 50.0;
/// The number of pixels per row and column that are sampled to detect a greyscale image stored in colour.
const SAMPLES: usize = 48;
/// The space beside a letter in the middle of an edge, or beside another text, in points.
const LETTER: f32 = 20.0;

/// Draws the text over `rect`.
pub fn show(ui: &Ui, rect: Rect, state: &State, pointer: Option<Pos2>) {
    let Some(open) = &state.document.image else { return };
    let painter = ui.painter().with_clip_rect(rect);
    let inner = rect.shrink(MARGIN);
    letters(&painter, inner, open);
    let mut left = lines(open);
    if state.settings.show_patient
        && let Some(patient) = &open.volume.patient
    {
        left.insert(0, patient.0.clone());
    }
    for (row, line) in left.iter().rev().enumerate() {
        let at = pos2(inner.left(), inner.bottom() - LINE * row as f32);
        words(&painter, at, Align2::LEFT_BOTTOM, line);
    }
    // The scale bar stands to the right of the text at the left edge.
    let beside = left.iter().map(|line| width(&painter, line)).fold(0.0, f32::max) + LETTER;
    scale_bar(&painter, inner, inner.width() - beside, state, open, ui.pixels_per_point());
    if let Some(text) = looked_at(state) {
        words(&painter, inner.right_top(), Align2::RIGHT_TOP, text);
    }
    if let Some([a, b]) = state.ruler {
        ruler(&painter, state, open, a, b);
    }
    let doubts = doubts(state);
    if !doubts.is_empty() && state.show_overlay {
        let text = doubts.join("\n");
        let font = FontId::monospace(SIZE);
        warning(&painter, painter.layout(text, font, theme::WARNING_OVER_PICTURE, inner.width()), inner.min);
    }
    let said = pointer.and_then(|pointer| under_pointer(state, open, pointer)).unwrap_or_default();
    // The text may extend to the text at the left edge, and to the letter in the middle.
    let taken = left.last().map_or(0.0, |line| width(&painter, line));
    let letter = if open.volume.geometry.sides.is_some() { inner.width() / 2.0 + LETTER } else { 0.0 };
    let room = inner.width() - letter.max(taken + LETTER);
    if let Some(line) = said.iter().find(|line| width(&painter, line) <= room) {
        words(&painter, inner.right_bottom(), Align2::RIGHT_BOTTOM, line);
    } else if let Some(line) = said.last() {
        // Even the shortest text does not fit beside the others, so it is placed above them.
        let above = (LINE * left.len() as f32).max(SCALE_HEIGHT);
        words(&painter, inner.right_bottom() - vec2(0.0, above), Align2::RIGHT_BOTTOM, line);
    }
}

/// Returns what speaks against the mask, one statement per line: words that were not understood, and a picture unlike
/// those that the model was trained on.
fn doubts(state: &State) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(misread) = state.misread() {
        doubts.push(misread.words.clone());
        doubts.extend(misread.doubt.map(str::to_owned));
    }
    doubts.extend(unlike(state));
    doubts
}

fn unlike(state: &State) -> Option<String> {
    state.shown.as_ref()?.prediction.domain.as_ref()?.words()
}

/// Returns the display settings, one per line: the slice of a stack and the display window.
fn lines(open: &OpenImage) -> Vec<String> {
    let seen = &open.seen.window;
    let mut lines = vec![format!(
        "W {} L {}{}",
        number(f64::from(seen.width)),
        number(f64::from(seen.centre)),
        if open.is_inverted() { ", inverted" } else { "" }
    )];
    if open.volume.slices > 1 {
        let [slice, slices] = [open.asked_slice() + 1, open.volume.slices].map(|count| grouped(count as u64));
        lines.insert(0, format!("{} {slice} of {slices}", open.source.piece()));
    }
    lines
}

/// Says which mask is drawn if it is not simply the prediction.
fn looked_at(state: &State) -> Option<&'static str> {
    match state.looked() {
        _ if !state.show_overlay => None,
        Looked::Prediction => None,
        Looked::Annotation => Some("annotation"),
        Looked::Difference => Some("prediction against annotation"),
    }
}

/// Returns the text over the image for screen readers.
pub fn spoken(state: &State) -> String {
    let Some(open) = &state.document.image else { return String::new() };
    let mut parts = lines(open);
    parts.extend(state.ruler.map(|[a, b]| format!("ruler {}", length(open, a, b))));
    parts.extend(looked_at(state).map(str::to_owned));
    parts.extend(state.misread().map(|misread| misread.words.clone()));
    parts.extend(unlike(state));
    parts.join(", ")
}

/// Returns the width of a text drawn by [`words`], in points.
fn width(painter: &Painter, text: &str) -> f32 {
    painter.layout_no_wrap(text.to_owned(), FontId::monospace(SIZE), theme::OVER_PICTURE).size().x
}

/// Draws text that is legible on black and on white.
fn words(painter: &Painter, at: Pos2, align: Align2, text: &str) {
    let font = FontId::monospace(SIZE);
    let galley = painter.layout_no_wrap(text.to_owned(), font, theme::OVER_PICTURE);
    let rect = align.anchor_size(at, galley.size());
    painter.rect_filled(rect.expand2(vec2(4.0, 1.0)), 3.0, theme::BEHIND_WORDS);
    painter.galley(rect.min, galley, Color32::PLACEHOLDER);
}

/// Draws a warning over a small image, in smaller letters than those of the main view.
pub fn small_warning(painter: &Painter, at: Pos2, text: &str) {
    let font = FontId::proportional(SMALL);
    warning(painter, painter.layout_no_wrap(text.to_owned(), font, theme::WARNING_OVER_PICTURE), at);
}

fn warning(painter: &Painter, galley: Arc<Galley>, at: Pos2) {
    let rect = Rect::from_min_size(at, galley.size());
    painter.rect_filled(rect.expand2(vec2(4.0, 1.0)), 3.0, theme::BEHIND_WORDS);
    painter.galley(rect.min, galley, Color32::PLACEHOLDER);
}

fn letters(painter: &Painter, rect: Rect, open: &OpenImage) {
    let Some(sides) = open.volume.geometry.sides else { return };
    let places = [
        (sides.left, rect.left_center(), Align2::LEFT_CENTER),
        (sides.right, rect.right_center(), Align2::RIGHT_CENTER),
        (sides.top, rect.center_top(), Align2::CENTER_TOP),
        (sides.bottom, rect.center_bottom(), Align2::CENTER_BOTTOM),
    ];
    for (letter, at, align) in places {
        words(painter, at, align, &letter.to_string());
    }
}

/// Draws a scale bar whose length is 1, 2 or 5 times a power of ten, in mm if the pixel size is known; it is at
/// most `longest` points long.
fn scale_bar(painter: &Painter, rect: Rect, longest: f32, state: &State, open: &OpenImage, pixels_per_point: f32) {
    let longest = longest.min(SCALE.1);
    if longest <= 0.0 {
        return;
    }
    // The bar is horizontal, so the size of a pixel along the rows applies.
    let lengths = open.volume.geometry.lengths();
    let points_per_unit = state.view.zoom() / pixels_per_point / lengths.size[0] as f32;
    let unit = lengths.unit.words();
    if !(points_per_unit.is_finite() && points_per_unit > 0.0) {
        return;
    }
    let decade = 10_f32.powf((longest / points_per_unit).log10().floor());
    let length = [5.0, 2.0, 1.0].map(|times| times * decade).into_iter().find(|l| l * points_per_unit <= longest);
    let Some(length) = length.filter(|length| length * points_per_unit >= SCALE.0 / 2.5) else { return };
    let y = rect.bottom() - 26.0;
    let (right, left) = (rect.right(), rect.right() - length * points_per_unit);
    let line = |painter: &Painter, stroke: Stroke| {
        painter.line_segment([pos2(left, y), pos2(right, y)], stroke);
        for x in [left, right] {
            painter.line_segment([pos2(x, y - 4.0), pos2(x, y + 4.0)], stroke);
        }
    };
    line(painter, Stroke::new(4.0, theme::BEHIND_WORDS));
    line(painter, Stroke::new(1.5, theme::OVER_PICTURE));
    let text = format!("{} {unit}", number(f64::from(length)));
    // The text is centred above the bar; text longer than the bar is aligned with its end.
    let end = ((left + right + width(painter, &text)) / 2.0).min(right);
    words(painter, pos2(end, y - 6.0), Align2::RIGHT_BOTTOM, &text);
}

/// Returns the position and the value of the pixel under the pointer, as texts from the most to the least
/// detailed.
fn under_pointer(state: &State, open: &OpenImage, pointer: Pos2) -> Option<Vec<String>> {
    let at = state.view.image_at(pointer);
    let image = &open.image;
    let is_inside = at.x >= 0.0 && at.y >= 0.0 && (at.x as usize) < image.width && (at.y as usize) < image.height;
    if !is_inside {
        return None;
    }
    let (x, y) = (at.x as usize, at.y as usize);
    let geometry = &open.volume.geometry;
    let pixel = format!("x {} y {}", grouped(x as u64), grouped(y as u64));
    let in_picture = geometry.pixel_mm.map(|[column, row]| {
        let unit = geometry.lengths().unit.words();
        format!("{pixel} ({:.1}, {:.1} {unit})", f64::from(at.x) * column, f64::from(at.y) * row)
    });
    // Positions refer to pixel centres.
    let in_patient = geometry.place(f64::from(at.x) - 0.5, f64::from(at.y) - 0.5, open.slice);
    let in_patient = in_patient.map(|at| format!("{} mm", place(at)));
    let values: Vec<String> =
        (0..channels_read(image, x, y)).map(|channel| number(f64::from(image.value(x, y, channel)))).collect();
    let unit = if open.volume.unit.is_empty() { String::new() } else { format!(" {}", open.volume.unit) };
    let probability = state.predicted_now().ok().map(|shown| {
        let plane = &shown.prediction.probability;
        plane.values.get(y * plane.width + x).map_or(String::new(), |p| format!("   p {p:.2}"))
    });
    let value = format!("{}{unit}{}", values.join(" "), probability.unwrap_or_default());
    let mut places = Vec::new();
    if let Some(in_patient) = &in_patient {
        places.extend(in_picture.as_ref().map(|in_picture| format!("{in_picture}   {in_patient}")));
        places.push(format!("{pixel}   {in_patient}"));
    }
    places.extend(in_picture);
    places.push(pixel);
    let mut lines: Vec<String> = places.iter().map(|place| format!("{place}   {value}")).collect();
    lines.push(value);
    Some(lines)
}

/// Returns the number of channels to display: one for a greyscale image stored in colour, otherwise all.
fn channels_read(image: &Image, x: usize, y: usize) -> usize {
    let is_grey = |x: usize, y: usize| (1..3).all(|channel| image.value(x, y, channel) == image.value(x, y, 0));
    // A grey pixel of a colour image has all of its values displayed, so a grid of pixels is checked too.
    let steps = |side: usize| (0..side).step_by(side.div_ceil(SAMPLES).max(1));
    let is_picture_grey = || steps(image.height).all(|y| steps(image.width).all(|x| is_grey(x, y)));
    if image.channels >= 3 && is_grey(x, y) && is_picture_grey() { 1 } else { image.channels }
}

/// Draws the ruler with its length.
fn ruler(painter: &Painter, state: &State, open: &OpenImage, a: eframe::egui::Vec2, b: eframe::egui::Vec2) {
    let (from, to) = (state.view.screen_at(a), state.view.screen_at(b));
    painter.line_segment([from, to], Stroke::new(4.0, theme::BEHIND_WORDS));
    painter.line_segment([from, to], Stroke::new(1.5, theme::RULER));
    for end in [from, to] {
        painter.circle_filled(end, 3.0, theme::RULER);
    }
    let at = from + (to - from) / 2.0 + vec2(0.0, -8.0);
    words(painter, at, Align2::CENTER_BOTTOM, &length(open, a, b));
}

/// Formats the distance between two image points, in mm if the pixel size is known.
fn length(open: &OpenImage, a: eframe::egui::Vec2, b: eframe::egui::Vec2) -> String {
    let lengths = open.volume.geometry.lengths();
    let length = lengths.between(f64::from(b.x - a.x), f64::from(b.y - a.y));
    format!("{length:.1} {}", lengths.unit.words())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Pixels;

    #[test]
    fn a_grey_picture_reads_one_value() {
        let picture =
            |pixels: &[u8]| Image { width: 2, height: 1, channels: 3, pixels: Pixels::U8(pixels.to_vec()) };
        let grey = picture(&[248, 248, 248, 7, 7, 7]);
        assert_eq!((channels_read(&grey, 0, 0), channels_read(&grey, 1, 0)), (1, 1));
        let coloured = picture(&[248, 248, 248, 200, 7, 7]);
        assert_eq!(channels_read(&coloured, 0, 0), 3, "a white pixel of a coloured picture");
        let single = Image { channels: 1, ..picture(&[9, 9]) };
        assert_eq!(channels_read(&single, 1, 0), 1);
    }
}
