//! Finds the lungs of a frontal chest X-ray.

use super::template::{MARGIN, SIDE, TEMPLATE};
use crate::data::Image;

/// The side of the picture in which the template is searched, in pixels.
const WORK: usize = 64;
/// Half the side of the window of the local normalisation, in pixels of that picture.
const REACH: usize = 12;
/// Added to the local standard deviation (grey levels of 256), so that noise in flat areas stays small.
const FLOOR: f64 = 4.0;
/// The least correlation with the template at which the place is believed. Of the training images of QaTa-COV19, 99 %
/// reach it (median 0.81); so do half of the CT slices of MosMedData+, because it does not tell kinds of images apart.
pub const LEAST_CORRELATION: f64 = 0.5;

/// A rectangle in an image, in shares of the width and of the height of the image. It may reach beyond the image.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Area {
    /// The upper border, from the top of the image.
    pub top: f64,
    /// The lower border, from the top of the image.
    pub bottom: f64,
    /// The left border, from the left of the image.
    pub left: f64,
    /// The right border, from the left of the image.
    pub right: f64,
}

impl Area {
    /// The whole image.
    pub const FRAME: Self = Self { top: 0.0, bottom: 1.0, left: 0.0, right: 1.0 };

    /// Returns the horizontal middle, as a share of the width of the image.
    pub fn middle(&self) -> f64 {
        f64::midpoint(self.left, self.right)
    }

    fn around([y, x, height, width]: [f64; 4]) -> Self {
        Self { top: y - height / 2.0, bottom: y + height / 2.0, left: x - width / 2.0, right: x + width / 2.0 }
    }
}

/// The lungs of a chest X-ray as they were found.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct LungField {
    /// The box of both lungs: from the apices to the lowest recess, and between the outer borders.
    pub area: Area,
    /// The correlation of the image with the mean chest X-ray at this place, −1…1.
    pub correlation: f64,
}

/// Returns the place where the image is most like a mean chest X-ray, or `None` if the correlation stays below
/// [`LEAST_CORRELATION`], as it does for inverted images.
///
/// The image is reduced to 64 × 64 pixels and normalised by the local mean and standard deviation, so that neither
/// exposure nor black borders count. The normalised cross-correlation with a template of 16 × 16 cells is computed
/// for a grid of centres, heights and widths (heights of 35 to 99 % of the image, widths of 45 to 99 %), and the
/// best box is refined by coordinate search. No box depends on the mask.
pub fn lung_field(image: &Image) -> Option<LungField> {
    best(image).filter(|found| found.correlation >= LEAST_CORRELATION)
}

/// Returns the best place, however little it is like a chest X-ray; `None` for an image without pixels.
pub(super) fn best(image: &Image) -> Option<LungField> {
    let picture = Normalised::of(image)?;
    let template = template();
    let (mut best, mut at) = (f64::NEG_INFINITY, [0.5, 0.5, 0.7, 0.75]);
    let steps = |from: f64, step: f64, count: u8| (0..count).map(move |index| from + step * f64::from(index));
    for height in steps(0.35, 0.08, 9) {
        for width in steps(0.45, 0.09, 7) {
            for y in steps(0.25, 0.04, 11) {
                for x in steps(0.36, 0.05, 6) {
                    let place = [y, x, height, width];
                    let value = picture.correlation(Area::around(place), &template);
                    if value > best {
                        (best, at) = (value, place);
                    }
                }
            }
        }
    }
    let mut step = [0.02, 0.025, 0.04, 0.045];
    for _ in 0..4 {
        for axis in 0..4 {
            for sign in [-1.0, 1.0] {
                let mut place = at;
                place[axis] += sign * step[axis];
                let value = picture.correlation(Area::around(place), &template);
                if value > best {
                    (best, at) = (value, place);
                }
            }
        }
        step = step.map(|step| step / 1.6);
    }
    Some(LungField { area: Area::around(at), correlation: best })
}

/// Returns the template with mean 0 and norm 1.
fn template() -> Vec<f64> {
    let cells: Vec<f64> = TEMPLATE.iter().flatten().map(|cell| f64::from(*cell)).collect();
    let mean = cells.iter().sum::<f64>() / cells.len() as f64;
    let norm = cells.iter().map(|cell| (cell - mean).powi(2)).sum::<f64>().sqrt();
    cells.into_iter().map(|cell| (cell - mean) / norm).collect()
}

/// The reduced and locally normalised image: `WORK` rows of `WORK` values.
struct Normalised(Vec<f64>);

impl Normalised {
    /// Returns `None` for an image without pixels.
    fn of(image: &Image) -> Option<Self> {
        let (width, height) = (image.width, image.height);
        if width == 0 || height == 0 {
            return None;
        }
        let grey: Vec<f64> = image
            .to_rgba8()
            .chunks_exact(4)
            .map(|pixel| pixel[..3].iter().map(|value| f64::from(*value)).sum::<f64>() / 3.0)
            .collect();
        let (columns, rows) = (spans(width), spans(height));
        let mut reduced = Vec::with_capacity(WORK * WORK);
        for (top, bottom) in &rows {
            for (left, right) in &columns {
                let cells = (*top..*bottom).flat_map(|y| &grey[y * width + left..y * width + right]);
                reduced.push(cells.sum::<f64>() / ((bottom - top) * (right - left)) as f64);
            }
        }
        Some(Self(normalise(&reduced)))
    }

    /// Returns the normalised cross-correlation of the template with the image, −1…1, if the template lies on `area`
    /// and the margin around it. The image is 0 beyond its borders.
    fn correlation(&self, area: Area, template: &[f64]) -> f64 {
        let (rows, columns) = (places(area.top, area.bottom), places(area.left, area.right));
        let at = |y: isize, x: isize| {
            let inside = |v: isize| usize::try_from(v).ok().filter(|v| *v < WORK);
            inside(y).zip(inside(x)).map_or(0.0, |(y, x)| self.0[y * WORK + x])
        };
        let [mut product, mut sum, mut squares] = [0.0; 3];
        for (row, (y, fy)) in rows.iter().enumerate() {
            for (column, (x, fx)) in columns.iter().enumerate() {
                let above = at(*y, *x) * (1.0 - fx) + at(*y, x + 1) * fx;
                let below = at(y + 1, *x) * (1.0 - fx) + at(y + 1, x + 1) * fx;
                let value = above * (1.0 - fy) + below * fy;
                product += value * template[row * SIDE + column];
                sum += value;
                squares += value * value;
            }
        }
        let variance = squares - sum * sum / (SIDE * SIDE) as f64;
        if variance > 1e-9 { product / variance.sqrt() } else { 0.0 }
    }
}

/// Returns the pixel before each cell of the template and the distance from it, along one axis.
fn places(from: f64, to: f64) -> [(isize, f64); SIDE] {
    let length = to - from;
    std::array::from_fn(|index| {
        let share = (index as f64 + 0.5) / SIDE as f64;
        let place = (from - MARGIN * length + share * (1.0 + 2.0 * MARGIN) * length) * WORK as f64 - 0.5;
        (place.floor() as isize, place - place.floor())
    })
}

/// Returns the pixels of the image that each pixel of the reduced one stands for, at least one.
fn spans(length: usize) -> Vec<(usize, usize)> {
    let span = |index: usize| {
        let from = index * length / WORK;
        (from, ((index + 1) * length / WORK).max(from + 1))
    };
    (0..WORK).map(span).collect()
}

/// Subtracts the mean of a window of `2 * REACH + 1` pixels and divides by its standard deviation.
fn normalise(picture: &[f64]) -> Vec<f64> {
    // Sums over all pixels above and to the left give those of a window in four additions.
    let side = WORK + 1;
    let (mut sums, mut squares) = (vec![0.0; side * side], vec![0.0; side * side]);
    for y in 0..WORK {
        for x in 0..WORK {
            let value = picture[y * WORK + x];
            let add = |table: &mut [f64], value: f64| {
                table[(y + 1) * side + x + 1] =
                    value + table[y * side + x + 1] + table[(y + 1) * side + x] - table[y * side + x];
            };
            add(&mut sums, value);
            add(&mut squares, value * value);
        }
    }
    let window = |index: usize| (index.saturating_sub(REACH), (index + REACH + 1).min(WORK));
    let mut out = Vec::with_capacity(WORK * WORK);
    for y in 0..WORK {
        for x in 0..WORK {
            let ((top, bottom), (left, right)) = (window(y), window(x));
            let within = |table: &[f64]| {
                table[bottom * side + right] - table[top * side + right] - table[bottom * side + left]
                    + table[top * side + left]
            };
            let count = ((bottom - top) * (right - left)) as f64;
            let mean = within(&sums) / count;
            let variance = (within(&squares) / count - mean * mean).max(0.0);
            out.push((picture[y * WORK + x] - mean) / (variance.sqrt() + FLOOR));
        }
    }
    out
}
