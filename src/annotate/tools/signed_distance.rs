//! Distances to the outline of a mask.

use super::Spacing;
use crate::data::Mask;
use crate::data::mask::components::runs;
use crate::metrics::squared_distances;

/// The part of a mask that a tool works on: its foreground with a margin, cut off at the edges of the image.
pub struct Part {
    /// The column and row of its first pixel.
    pub corner: [usize; 2],
    /// The numbers of columns and rows.
    pub size: [usize; 2],
}

impl Part {
    /// Returns the box around the foreground of masks of the same size, widened by `margin` columns and rows on every
    /// side; `None` if there is no foreground.
    pub fn around(masks: &[&Mask], margin: [usize; 2]) -> Option<Self> {
        let mut found: Option<[usize; 4]> = None;
        for mask in masks {
            for run in runs(0, mask) {
                let [left, top, right, bottom] = found.unwrap_or([run.start, run.row, run.end, run.row + 1]);
                let bottom = bottom.max(run.row + 1);
                found = Some([left.min(run.start), top.min(run.row), right.max(run.end), bottom]);
            }
        }
        let [left, top, right, bottom] = found?;
        let corner = [left.saturating_sub(margin[0]), top.saturating_sub(margin[1])];
        let end = |last: usize, margin: usize, size: usize| last.saturating_add(margin).min(size);
        let right = end(right, margin[0], masks[0].width);
        let bottom = end(bottom, margin[1], masks[0].height);
        Some(Self { corner, size: [right - corner[0], bottom - corner[1]] })
    }

    /// Returns the pixels of a mask within the part.
    pub fn of(&self, mask: &Mask) -> Vec<bool> {
        let rows = mask.values.chunks_exact(mask.width).skip(self.corner[1]).take(self.size[1]);
        rows.flat_map(|row| row[self.corner[0]..][..self.size[0]].iter().map(|value| *value != 0)).collect()
    }
}

/// Returns the distance of every pixel to the nearest pixel that is set, in mm or, if the pixel size is not known, in
/// pixels; infinite if none is set.
pub fn distances(set: &[bool], [width, height]: [usize; 2], spacing: &Spacing) -> Vec<f64> {
    if !set.contains(&true) {
        return vec![f64::INFINITY; set.len()];
    }
    let unit = super::length::known(spacing.pixel_mm).map_or(1.0, |[column, _]| column);
    let mut field = squared_distances(set, width, height, spacing.aspect());
    field.iter_mut().for_each(|squared| *squared = squared.sqrt() * unit);
    field
}

/// Returns the signed distance of every pixel's centre to the outline: positive inside, negative outside. The outline
/// lies halfway between a foreground pixel and the nearest background pixel. What lies outside the image is no
/// background.
pub fn signed(set: &[bool], size: [usize; 2], spacing: &Spacing) -> Vec<f64> {
    let outside: Vec<bool> = set.iter().map(|is| !is).collect();
    let to_set = distances(set, size, spacing);
    let to_background = distances(&outside, size, spacing);
    // Half of the distance between columns stands for half of the way to the neighbour.
    let half = super::length::known(spacing.pixel_mm).map_or(0.5, |[column, _]| column / 2.0);
    let pairs = set.iter().zip(to_set.into_iter().zip(to_background));
    pairs
        .map(|(is_set, (to_set, to_background))| if *is_set { to_background - half } else { half - to_set })
        .collect()
}
