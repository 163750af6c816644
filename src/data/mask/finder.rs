//! Finds the voxel of a mask at a position of the image, and determines whether both have the same voxels.

use std::collections::BTreeSet;

use super::labels::LabelMap;
use crate::data::volume::geometry::{cross, dot, minus, plus, scaled};
use crate::data::volume::{Grid, Source};

/// The largest deviation, as a share of a voxel, up to which a voxel of the mask and one of the image count as
/// the same. Files round positions.
const OFF: f64 = 0.05;

/// Finds the voxel of a mask at a position in mm.
pub struct Finder {
    /// The centre of the first voxel, in mm.
    first: [f64; 3],
    /// The rows of the matrix that converts a distance in mm to steps along columns, rows and slices.
    inverse: [[f64; 3]; 3],
    /// `Some` if the slices are not evenly spaced.
    uneven: Option<Uneven>,
    /// The unit vector perpendicular to the slices.
    normal: [f64; 3],
    /// The distance between slices by which fractions of a slice are measured, in mm.
    step: f64,
}

/// The positions of slices that are not evenly spaced.
struct Uneven {
    /// The centre of the first pixel of every slice, in mm.
    positions: Vec<[f64; 3]>,
    /// How far along the normal the slices lie.
    heights: Heights,
    /// The typical distance between slices, in mm.
    step: f64,
}

/// The distances of slices from the first one along the normal, in mm, with the indices of the slices, sorted. Of slices at
/// the same place there is the first.
struct Heights(Vec<(f64, usize)>);

impl Heights {
    fn of(heights: impl Iterator<Item = f64>) -> Self {
        // Without negative zeros, which would be sorted apart.
        let mut sorted: Vec<(f64, usize)> = heights.map(|height| height + 0.0).zip(0..).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        sorted.dedup_by_key(|(height, _)| *height);
        Self(sorted)
    }

    /// Returns the index of the nearest slice, the first of two that are equally near, and its distance in mm.
    fn nearest(&self, height: f64) -> (usize, f64) {
        let above = self.0.partition_point(|(of, _)| *of < height);
        let neighbours = [above.checked_sub(1), Some(above)].into_iter().flatten();
        let found =
            neighbours.filter_map(|place| self.0.get(place)).map(|(of, slice)| (*slice, (of - height).abs()));
        found.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).unwrap_or((0, f64::INFINITY))
    }
}

impl Finder {
    /// Creates a finder for a mask. Returns `None` if the mask has no position or no pixel spacing, or if its
    /// axes do not span a volume.
    pub fn of(labels: &LabelMap) -> Option<Self> {
        let geometry = &labels.geometry;
        let (placement, [width, height]) = (geometry.placement.as_ref()?, geometry.pixel_mm?);
        let normal = geometry.normal()?;
        let first = *placement.positions.first()?;
        let thickness = geometry.slice_mm.filter(|step| *step > 0.0).unwrap_or(1.0);
        let last = placement.positions.len() - 1;
        let step = match last {
            0 => scaled(normal, thickness),
            _ => scaled(minus(placement.positions[last], first), 1.0 / last as f64),
        };
        let expected = |slice: usize| plus(first, scaled(step, slice as f64));
        let off = |slice: usize| {
            let off = minus(placement.positions[slice], expected(slice));
            dot(off, off).sqrt()
        };
        // The step of a sparse mask may be many slices of its image long, so its positions have to be more exact.
        let length = dot(step, step).sqrt();
        let length = if is_sparse(labels) { length.min(width).min(height) } else { length };
        let is_even = (0..=last).all(|slice| off(slice) < OFF * length);
        let uneven = (!is_even).then(|| Uneven {
            positions: placement.positions.clone(),
            heights: Heights::of(placement.positions.iter().map(|position| dot(normal, minus(*position, first)))),
            step: thickness,
        });
        let step = if is_even { step } else { normal };
        let columns = [scaled(placement.across, width), scaled(placement.down, height), step];
        let volume = dot(cross(columns[0], columns[1]), columns[2]);
        if !(volume.is_finite() && volume.abs() > 1e-12) {
            return None;
        }
        let row = |a: [f64; 3], b: [f64; 3]| scaled(cross(a, b), 1.0 / volume);
        let inverse = [row(columns[1], columns[2]), row(columns[2], columns[0]), row(columns[0], columns[1])];
        let step = uneven.as_ref().map_or_else(|| dot(step, step).sqrt(), |uneven| uneven.step);
        Some(Self { first, inverse, uneven, normal, step })
    }

    /// Returns the column, row and slice at a position in mm, as fractions. The slice is NaN if the position
    /// lies in a gap between slices, or beyond the first or last of slices that are not evenly spaced.
    fn at(&self, place: [f64; 3]) -> [f64; 3] {
        let way = minus(place, self.first);
        let Some(Uneven { positions, heights, step }) = &self.uneven else {
            return self.inverse.map(|row| dot(row, way));
        };
        let height = dot(self.normal, way);
        let (slice, off) = heights.nearest(height);
        let share = off / step;
        // A stack may be tilted, so every slice is measured from its own first pixel.
        let way = minus(place, positions.get(slice).copied().unwrap_or(self.first));
        let slice = if share < 0.5 { slice as f64 + share } else { f64::NAN };
        [dot(self.inverse[0], way), dot(self.inverse[1], way), slice]
    }
}

/// The voxels of the mask that correspond to a slice of the image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SliceOfMask {
    /// The column, row and slice of the voxel at the first pixel of the image's slice.
    first: [i64; 3],
    /// The steps to the next column and to the next row of the image, in voxels of the mask.
    step: [[i64; 3]; 2],
}

impl SliceOfMask {
    /// Returns the voxel of the mask at a column and a row of the image.
    pub fn at(&self, column: i64, row: i64) -> [i64; 3] {
        std::array::from_fn(|part| self.first[part] + column * self.step[0][part] + row * self.step[1][part])
    }
}

/// The voxels of the mask that correspond to each slice of an image.
pub struct Exact {
    /// The voxels for each slice of the image. `None` if the mask has no voxels there.
    pub slices: Vec<Option<SliceOfMask>>,
    /// Whether the mask covers each slice of the image. A segmentation also covers the slices that it leaves
    /// out, which have no foreground.
    pub covered: Vec<bool>,
}

/// Returns the index of the voxel at column, row and slice `at` in a volume of `shape` (columns, rows, slices).
pub fn number(shape: [usize; 3], at: [i64; 3]) -> usize {
    (at[2] as usize * shape[1] + at[1] as usize) * shape[0] + at[0] as usize
}

/// Returns whether a mask may leave out slices without foreground, as segmentations do.
fn is_sparse(labels: &LabelMap) -> bool {
    matches!(&labels.source, Source::Dicom(dicom) if dicom.is_segmentation())
}

/// Returns the voxels of the mask that correspond to those of the image. Returns `None` if a pixel of the image
/// has no such voxel. Slices may be missing only from a segmentation, or if the mask has a single slice.
pub fn exact(finder: &Finder, labels: &LabelMap, image: Grid<'_>) -> Option<Exact> {
    let [columns, rows, slices] = image.shape;
    let shape = labels.shape();
    let is_sparse = is_sparse(labels);
    let mut found = Exact { slices: Vec::with_capacity(slices), covered: vec![true; slices] };
    // Between the slices of a sparse mask are several of the image, which are only a small part of its step apart.
    let spacing = image.geometry.spacing_mm().map(|sizes| sizes.into_iter().fold(0.0, f64::max));
    let allowed = [OFF, OFF, spacing.map_or(OFF, |spacing| OFF * (spacing / finder.step).min(1.0))];
    let is_inside = |at: &[i64; 3]| at.iter().zip(shape).all(|(part, side)| (0..side as i64).contains(part));
    for slice in 0..slices {
        let corner = |column: usize, row: usize| -> Option<[i64; 3]> {
            let at = finder.at(image.geometry.place(column as f64, row as f64, slice)?);
            let is_near =
                |(part, allowed): (&f64, f64)| part.is_finite() && (part - part.round()).abs() <= allowed;
            let is_near = at.iter().zip(allowed).all(is_near);
            is_near.then(|| at.map(|part| part.round() as i64)).filter(is_inside)
        };
        let corners = [(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)];
        let corners = corners.map(|(column, row)| corner(column, row));
        let [Some(first), Some(right), Some(below), Some(_)] = corners else {
            if !(is_sparse || labels.slices == 1) || corners.iter().any(Option::is_some) {
                return None;
            }
            found.covered[slice] = is_sparse;
            found.slices.push(None);
            continue;
        };
        let along = |to: [i64; 3], count: usize| -> Option<[i64; 3]> {
            if count < 2 {
                return Some([0; 3]);
            }
            let way: [i64; 3] = std::array::from_fn(|part| to[part] - first[part]);
            let step = way.map(|part| part / (count as i64 - 1));
            let is_step = step.iter().map(|part| part.abs()).sum::<i64>() == 1
                && (0..3).all(|part| step[part] * (count as i64 - 1) == way[part]);
            is_step.then_some(step)
        };
        found.slices.push(Some(SliceOfMask { first, step: [along(right, columns)?, along(below, rows)?] }));
    }
    // If a segmentation covers none of these slices, it belongs to another image.
    found.slices.iter().any(Option::is_some).then_some(found)
}

/// Returns whether each slice of the image begins at the first pixel of the mask's slice with the same number.
pub fn is_in_order(slices: &[Option<SliceOfMask>]) -> bool {
    slices.iter().enumerate().all(|(place, slice)| slice.is_some_and(|slice| slice.first == [0, 0, place as i64]))
}

/// Returns a description of how the voxels of a mask are reordered. It is empty if they are in the order of the
/// image.
pub fn described(slices: &[Option<SliceOfMask>]) -> String {
    let mut there = slices.iter().flatten();
    let Some(first) = there.next() else { return String::new() };
    let [across, down] = first.step;
    let is_axis =
        |step: [i64; 3], axis: usize| step.iter().enumerate().all(|(part, value)| part == axis || *value == 0);
    if !(is_axis(across, 0) && is_axis(down, 1)) {
        return "axes exchanged".into();
    }
    let mut parts = Vec::new();
    match (across[0] < 0, down[1] < 0) {
        (true, true) => parts.push("turned by 180°"),
        (true, false) => parts.push("mirrored left to right"),
        (false, true) => parts.push("mirrored top to bottom"),
        (false, false) => {}
    }
    if there.next().is_some_and(|second| second.first[2] < first.first[2]) {
        parts.push("slices in reverse order");
    }
    parts.join(", ")
}

/// Returns a description of a mask and an image whose slices have the same directions but are not the same: whether
/// only a part of the mask is used, and how many slices of the image it has. Both are shapes of columns, rows and
/// slices.
pub fn share(slices: &[Option<SliceOfMask>], mask: [usize; 3], image: [usize; 3]) -> String {
    let used: BTreeSet<i64> = slices.iter().flatten().map(|slice| slice.first[2]).collect();
    let is_part = used.len() < mask[2] || mask[..2] != image[..2];
    let (there, all) = (slices.iter().flatten().count(), slices.len());
    match (is_part, there < all) {
        (true, true) => format!("a part of the mask, in {there} of {all} slices"),
        (true, false) => "a part of the mask".into(),
        (false, true) => format!("the mask has {there} of {all} slices"),
        (false, false) => "slices in another order".into(),
    }
}

/// Iterates over the pixels of the image and returns for each the index of the nearest voxel of a mask of
/// `shape`, or `None` if the pixel lies outside the mask.
pub fn nearest<'a>(
    finder: &'a Finder,
    shape: [usize; 3],
    image: Grid<'a>,
) -> impl Iterator<Item = Option<usize>> + use<'a> {
    let [columns, rows, slices] = image.shape;
    (0..columns * rows * slices).map(move |at| {
        let (column, row, slice) = (at % columns, at / columns % rows, at / columns / rows);
        let place = image.geometry.place(column as f64, row as f64, slice)?;
        let voxel = finder.at(place).map(f64::round);
        let is_inside = voxel.iter().zip(shape).all(|(part, side)| *part >= 0.0 && *part < side as f64);
        is_inside.then(|| number(shape, voxel.map(|part| part as i64)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_slice_is_that_of_a_search_through_all() {
        let mut random = fastrand::Rng::with_seed(5);
        for count in 1..40 {
            // Multiples of a quarter, so that some slices lie at the same place and some places in the middle of two.
            let mut place = || f64::from(random.i32(-40..40)) / 4.0;
            let heights: Vec<f64> = (0..count).map(|_| place()).collect();
            let sorted = Heights::of(heights.iter().copied());
            for height in (0..50).map(|_| place()).chain([-1e6, 1e6]) {
                let all = heights.iter().map(|of| (of - height).abs()).enumerate();
                let expected = all.min_by(|a, b| a.1.total_cmp(&b.1)).expect("a slice");
                assert_eq!(sorted.nearest(height), expected, "{heights:?} {height}");
            }
        }
    }
}
