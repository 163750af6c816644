//! The page of a figure: its sizes, its colours, and elements that several figures share.

use super::content::Case;
use super::font;
use super::picture::Picture;
use super::scene::{Anchor, Rect, Rgb, Scene, Stroke, Text};
use crate::analysis::maps::{Map, Scale};
use crate::analysis::number::number;
use crate::data::{Outcome, OverlayColours};
use crate::infer::Plane;

/// The width of the page in points: two columns of a journal, 183 mm.
pub const WIDTH: f32 = 520.0;
/// The width of the margins, in points.
pub const MARGIN: f32 = 10.0;
/// The width between the margins, in points.
pub const INNER: f32 = WIDTH - 2.0 * MARGIN;

/// The font size of headings, in points.
pub const HEADING: f32 = 8.5;
/// The font size of axis names and of texts below an image, in points.
pub const LABEL: f32 = 7.0;
/// The font size of numbers on axes, in points.
pub const TICK: f32 = 6.5;
/// The font size of the caption, in points.
pub const CAPTION: f32 = 7.5;
/// The line spacing of the caption, in points.
pub const LEADING: f32 = 10.0;

/// The colour of text.
pub const INK: Rgb = [20, 20, 20];
/// The colour of explanatory text and lines.
pub const WEAK: Rgb = [84, 84, 84];
/// The colour of grid lines.
pub const GRID: Rgb = [224, 224, 224];
/// The colour of image frames.
pub const FRAME: Rgb = [150, 150, 150];
/// The colour of marks on maps.
pub const MARK: Rgb = [230, 30, 60];
/// The colours of lines and bars, which remain distinguishable without red and green, and by brightness.
pub const LINES: [Rgb; 4] = [[0, 92, 168], [204, 92, 0], [110, 110, 110], [128, 36, 128]];

/// The maximum number of image pixels per point; the page is sharp up to a width of 3120 pixels.
const DENSITY: f32 = 6.0;
/// The number of pixels per point of a smooth map; a finer map makes no visible difference.
const MAP_DENSITY: f32 = 3.0;
/// The length and height of a colour bar, in points.
const BAR: [f32; 2] = [96.0, 7.0];

/// Draws an image into a rectangle, with a thin frame.
pub fn picture(scene: &mut Scene, rect: Rect, picture: &Picture) {
    let pixels = |points: f32| (points * DENSITY) as usize;
    scene.picture(rect, picture.at_most(pixels(rect.width), pixels(rect.height)), true);
    scene.outline(rect, Stroke::solid(FRAME, 0.4));
}

/// Returns the image at the size at which a map is drawn over it.
pub fn beneath_map(picture: &Picture, rect: Rect) -> Picture {
    let pixels = |points: f32| (points * MAP_DENSITY) as usize;
    let small = picture.at_most(pixels(rect.width), pixels(rect.height));
    if small.width.max(small.height) as f32 >= MAP_DENSITY * rect.width.max(rect.height) / 2.0 {
        return small;
    }
    // A map must not become coarse because the image has few pixels.
    small.enlarged(4)
}

/// Draws a line of text, shortened to the width of `rect`, centred in it at `y`.
pub fn line_in(scene: &mut Scene, rect: Rect, y: f32, words: &str, size: f32, colour: Rgb) {
    let words = font::shortened(words, size, rect.width);
    scene.text(Text::new([rect.middle(), y], words, size, colour).anchored(Anchor::Middle));
}

/// Draws the heading of a column at `y`: its name, and a description below.
pub fn column_heading(scene: &mut Scene, rect: Rect, y: f32, name: &str, more: &str) {
    let words = font::shortened(name, HEADING, rect.width + 2.0);
    scene.text(Text::new([rect.middle(), y], words, HEADING, INK).anchored(Anchor::Middle).strong());
    line_in(scene, rect, y + 9.0, more, TICK, WEAK);
}

/// Draws the name and the prompt of a case from `y` on; returns the baseline of the last line.
pub fn case_label(scene: &mut Scene, y: f32, name: &str, prompt: &str) -> f32 {
    let name = font::shortened(name, LABEL, 0.4 * INNER);
    let indent = font::width(&name, LABEL) + 8.0;
    let prompt = if prompt.trim().is_empty() { "empty prompt".into() } else { format!("“{}”", prompt.trim()) };
    let mut lines = font::wrapped(&prompt, LABEL, INNER - indent);
    if lines.len() > 3 {
        lines.truncate(3);
        lines[2] += " …";
    }
    let mut y = y + LABEL;
    scene.text(Text::new([MARGIN, y], name, LABEL, INK).strong());
    for (number, line) in lines.into_iter().enumerate() {
        y += if number > 0 { LABEL + 2.0 } else { 0.0 };
        scene.text(Text::new([MARGIN + indent, y], line, LABEL, INK));
    }
    y
}

/// Draws a colour bar with its numbers and its quantity; returns its right end.
pub fn colour_bar(scene: &mut Scene, [x, y]: [f32; 2], scale: Scale, measures: &str) -> f32 {
    let [low, high] = scale.range();
    let [length, height] = BAR;
    let cells = 2 * length as usize;
    let value = |at: usize| low + (high - low) * (at as f32 + 0.5) / cells as f32;
    let plane = Plane { width: cells, height: 1, values: (0..cells).map(value).collect() };
    let bar = Rect::new(x, y, length, height);
    scene.picture(bar, Picture::of_map(&Map { plane, scale }), false);
    scene.outline(bar, Stroke::solid(FRAME, 0.4));
    for (share, anchor) in [(0.0, Anchor::Start), (0.5, Anchor::Middle), (1.0, Anchor::End)] {
        let value = f64::from(low + (high - low) * share);
        let words = number(value, usize::from(value.fract() != 0.0));
        let at = [x + share * length, bar.bottom() + 7.0];
        scene.text(Text::new(at, words, TICK, WEAK).anchored(anchor));
    }
    scene.text(Text::new([bar.right() + 5.0, bar.bottom() - 1.0], measures, LABEL, INK));
    bar.right() + 5.0 + font::width(measures, LABEL)
}

/// Draws coloured squares with their names in a line from `y` on; returns the right end.
pub fn legend(scene: &mut Scene, [mut x, y]: [f32; 2], entries: &[(Rgb, &str)]) -> f32 {
    for (colour, name) in entries {
        let square = Rect::new(x, y, 7.0, 7.0);
        scene.fill(square, *colour);
        scene.outline(square, Stroke::solid(FRAME, 0.4));
        scene.text(Text::new([x + 10.0, y + 6.0], *name, LABEL, INK));
        x += 10.0 + font::width(name, LABEL) + 10.0;
    }
    x - 10.0
}

/// Returns the meaning of the mask colours, for cases with and without a ground truth.
pub fn mask_legend(colours: &OverlayColours, cases: &[Case]) -> Vec<(Rgb, &'static str)> {
    let is_compared = cases.iter().any(|case| case.truth.is_some());
    let mut entries = Vec::new();
    if is_compared {
        entries.extend(Outcome::COMPARED.map(|outcome| (colours.colour(outcome), outcome.name())));
    }
    if cases.iter().any(|case| case.truth.is_none()) {
        entries.push((colours.mask, if is_compared { "mask without a ground truth" } else { "mask" }));
    }
    entries
}

/// Draws sample lines with their names; returns the right end.
pub fn line_legend(scene: &mut Scene, [mut x, y]: [f32; 2], entries: &[(Stroke, String)]) -> f32 {
    for (stroke, name) in entries {
        scene.line([[x, y + 3.5], [x + 15.0, y + 3.5]], *stroke);
        scene.text(Text::new([x + 18.0, y + 6.0], name, LABEL, INK));
        x += 18.0 + font::width(name, LABEL) + 10.0;
    }
    x - 10.0
}

/// Draws the caption from `y` on; the page ends after it.
pub fn caption(scene: &mut Scene, y: f32, sentences: &[String]) {
    let words = sentences.iter().filter(|words| !words.is_empty()).cloned().collect::<Vec<_>>().join(" ");
    let mut y = y;
    for line in font::wrapped(&words, CAPTION, INNER) {
        y += LEADING;
        scene.text(Text::new([MARGIN, y], line, CAPTION, INK));
    }
    scene.height = (y + MARGIN).ceil();
}
