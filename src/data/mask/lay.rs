//! A mask laid on its image: by where both lie in the patient, or pixel on pixel where one of them does not say.

use serde::{Deserialize, Serialize};

use super::labels::LabelMap;
use crate::data::DataError;
use crate::data::volume::geometry::{cross, dot, minus, plus, scaled};
use crate::data::volume::{Geometry, Source, Turn};
use std::path::Path;

/// Share of a voxel by which a mask's voxel may lie off that of the image and still be the same one: files round positions.
const OFF: f64 = 0.05;

/// What the user agreed to where a mask lies on another grid than its image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreed {
    /// Nothing: it is refused.
    #[default]
    Refuse,
    /// Every voxel of the image takes the label of the nearest voxel of the mask, by position in mm.
    Resample,
    /// Voxels are laid on each other by their numbers as stored, whatever the positions say.
    ByNumber,
}

/// How a mask was laid on its image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "pairing", rename_all = "snake_case")]
pub enum Pairing {
    /// Pixel on pixel, because a plain picture has no position.
    BySize,
    /// By position: the same voxels in the same order.
    ByPosition,
    /// By position: the same voxels in another order.
    Reordered {
        /// What was done to the order.
        how: String,
    },
    /// By position, to the nearest voxel of another grid, as agreed.
    Resampled,
    /// By the numbers of the voxels as stored, as agreed.
    ByNumber,
    /// On one slice of several.
    OnSlice {
        /// Its number, from 1.
        slice: usize,
    },
}

impl Pairing {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::BySize => "pixel on pixel".into(),
            Self::ByPosition => "by position".into(),
            Self::Reordered { how } => format!("by position ({how})"),
            Self::Resampled => "resampled to the nearest voxel by position".into(),
            Self::ByNumber => "by voxel numbers, whatever the positions say".into(),
            Self::OnSlice { slice } => format!("on slice {slice} alone"),
        }
    }
}

/// A mask on the grid of its image.
#[derive(Clone, Debug)]
pub struct Laid {
    /// Labels for every pixel of the image as it is shown.
    pub labels: LabelMap,
    /// Which slices of the image it says something about.
    pub covered: Vec<bool>,
    /// How it was laid.
    pub pairing: Pairing,
}

/// The pixels of an image, which a mask is laid on.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// Columns, rows and slices as shown.
    pub shape: [usize; 3],
    /// Where they lie.
    pub geometry: &'a Geometry,
}

/// Lays the labels of the file at `path` on an image. `slice` is the one, from 0, that a lone mask without a position belongs to.
///
/// # Errors
/// The mask is of another size, has another number of slices, or lies elsewhere and nothing was agreed.
pub fn lay(
    path: &Path,
    labels: LabelMap,
    image: Grid<'_>,
    slice: Option<usize>,
    agreed: Agreed,
) -> Result<Laid, DataError> {
    let has_place = |geometry: &Geometry| geometry.placement.is_some() && geometry.pixel_mm.is_some();
    if agreed == Agreed::ByNumber {
        return by_number(path, labels, image);
    }
    if !has_place(image.geometry) || !has_place(&labels.geometry) {
        return by_size(path, labels, image, slice);
    }
    let frames = [&labels.geometry.frame_of_reference, &image.geometry.frame_of_reference];
    let is_one_frame = frames[0].is_empty() || frames[1].is_empty() || frames[0] == frames[1];
    let finder = Finder::of(&labels);
    let exact = finder.as_ref().filter(|_| is_one_frame).and_then(|finder| exact(finder, &labels, image));
    if let Some(Exact { slices, covered }) = exact {
        let how = described(&slices);
        let is_whole = how.is_empty() && labels.shape() == image.shape && is_in_order(&slices);
        let only = match covered.iter().filter(|is| **is).count() {
            1 if covered.len() > 1 => covered.iter().position(|is| *is),
            _ => None,
        };
        let pairing = match only {
            Some(slice) => Pairing::OnSlice { slice: slice + 1 },
            None if is_whole => Pairing::ByPosition,
            None => Pairing::Reordered { how: if how.is_empty() { "a part of the mask".into() } else { how } },
        };
        if is_whole {
            let labels = LabelMap { geometry: image.geometry.clone(), ..labels };
            return Ok(Laid { labels, covered, pairing });
        }
        let [columns, rows, _] = image.shape;
        let shape = labels.shape();
        let from = slices.iter().flat_map(|slice| {
            (0..rows as i64).flat_map(move |row| {
                (0..columns as i64).map(move |column| slice.map(|slice| number(shape, slice.at(column, row))))
            })
        });
        return Ok(Laid { labels: on_grid(labels, image, from), covered, pairing });
    }
    if let (Agreed::Resample, Some(finder), true) = (agreed, &finder, is_one_frame) {
        let plane = image.shape[0] * image.shape[1];
        let mut covered = vec![false; image.shape[2]];
        let nearest = nearest(finder, labels.shape(), image)
            .enumerate()
            .inspect(|(at, from)| covered[at / plane] |= from.is_some())
            .map(|(_, from)| from);
        let mut laid = on_grid(labels, image, nearest);
        if covered.iter().all(|is| !is) {
            laid.notes.push("No voxel of the mask lies within the image.".into());
        }
        return Ok(Laid { labels: laid, covered, pairing: Pairing::Resampled });
    }
    if !is_one_frame {
        let [mask, image] = frames.map(String::clone);
        return Err(DataError::MaskFrame { path: path.to_owned(), mask, image });
    }
    let by_number = if fits_by_number(&labels, image) { ", or laid on it by voxel numbers" } else { "" };
    let [mask, image] = [in_words(labels.shape(), &labels.geometry), in_words(image.shape, image.geometry)];
    Err(DataError::MaskGrid { path: path.to_owned(), mask, image, by_number })
}

/// Pixel on pixel.
fn by_size(path: &Path, mut labels: LabelMap, image: Grid<'_>, slice: Option<usize>) -> Result<Laid, DataError> {
    let [width, height, slices] = image.shape;
    let turn = image.geometry.turn;
    if (labels.columns, labels.rows) != (width, height)
        && (labels.columns, labels.rows) == (height, width)
        && turn.transposed
        && labels.geometry.turn.is_none()
    {
        // A picture that stands upright only when it is turned, and a mask of its size as it is stored.
        labels.turn(Turn { reversed: [turn.reversed[0], turn.reversed[1], false], ..turn });
        labels.notes.push("It was drawn on the stored, unturned picture and is turned with it.".into());
    }
    let (mask_width, mask_height) = (labels.columns, labels.rows);
    if (mask_width, mask_height) != (width, height) {
        return Err(DataError::MaskSize { path: path.to_owned(), mask_width, mask_height, width, height });
    }
    match (&image.geometry.placement, &labels.geometry.placement) {
        (Some(_), None) if slices > 1 && labels.slices == slices => labels.notes.push(
            "The mask does not say where it lies, so it is laid on the image pixel on pixel and slice on slice."
                .into(),
        ),
        (None, Some(_)) => labels.notes.push(
            "The image does not say where it lies, so the mask is laid on it pixel on pixel as it is shown."
                .into(),
        ),
        _ => {}
    }
    if labels.slices == slices {
        return Ok(Laid { labels, covered: vec![true; slices], pairing: Pairing::BySize });
    }
    if labels.slices > 1 {
        return Err(DataError::MaskSlices { path: path.to_owned(), mask_slices: labels.slices, slices });
    }
    let slice = slice.ok_or_else(|| DataError::MaskSlice { path: path.to_owned(), slices })?;
    let plane = width * height;
    let from = (0..plane * slices).map(|at| (at / plane == slice).then_some(at % plane));
    let covered = (0..slices).map(|number| number == slice).collect();
    Ok(Laid { labels: on_grid(labels, image, from), covered, pairing: Pairing::OnSlice { slice: slice + 1 } })
}

/// The shape of a mask after it was taken back to how it is stored and turned as the image is.
fn fits_by_number(labels: &LabelMap, image: Grid<'_>) -> bool {
    let turn = labels.geometry.turn.inverse().then(image.geometry.turn);
    turn.shape(labels.shape()) == image.shape
}

fn by_number(path: &Path, mut labels: LabelMap, image: Grid<'_>) -> Result<Laid, DataError> {
    if !fits_by_number(&labels, image) {
        let mask = in_words(labels.shape(), &labels.geometry);
        let image = in_words(image.shape, image.geometry);
        return Err(DataError::MaskGrid { path: path.to_owned(), mask, image, by_number: "" });
    }
    labels.turn(labels.geometry.turn.inverse().then(image.geometry.turn));
    Ok(Laid { labels, covered: vec![true; image.shape[2]], pairing: Pairing::ByNumber })
}

/// The labels on the grid of the image; `from` names for each of its pixels that of the mask.
fn on_grid(labels: LabelMap, image: Grid<'_>, from: impl Iterator<Item = Option<usize>>) -> LabelMap {
    let [columns, rows, slices] = image.shape;
    let indices = labels.indices.picked(from);
    let mut laid = LabelMap { columns, rows, slices, indices, geometry: image.geometry.clone(), ..labels };
    laid.count();
    laid
}

/// Finds the voxel of a mask that lies at a place.
struct Finder {
    first: [f64; 3],
    /// Rows of the inverse of the matrix of steps along columns, rows and slices.
    inverse: [[f64; 3]; 3],
    /// Where the slices are not evenly spaced.
    uneven: Option<Uneven>,
    normal: [f64; 3],
}

/// Slices that are not evenly spaced.
struct Uneven {
    /// Centre of the first pixel of every slice.
    positions: Vec<[f64; 3]>,
    /// Their heights along the normal.
    heights: Vec<f64>,
    /// A usual step.
    step: f64,
}

impl Finder {
    /// None where the mask does not say where it lies.
    fn of(labels: &LabelMap) -> Option<Self> {
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
        let is_even = (0..=last).all(|slice| off(slice) < OFF * dot(step, step).sqrt());
        let uneven = (!is_even).then(|| Uneven {
            positions: placement.positions.clone(),
            heights: placement.positions.iter().map(|position| dot(normal, minus(*position, first))).collect(),
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
        Some(Self { first, inverse, uneven, normal })
    }

    /// Column, row and slice at a place, in fractions; the slice is not a number where the place lies in a gap between slices, or beyond
    /// the first or last of slices that are not evenly spaced.
    fn at(&self, place: [f64; 3]) -> [f64; 3] {
        let way = minus(place, self.first);
        let Some(Uneven { positions, heights, step }) = &self.uneven else {
            return self.inverse.map(|row| dot(row, way));
        };
        let height = dot(self.normal, way);
        let nearest = heights.iter().map(|of| (of - height).abs()).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
        let (slice, off) = nearest.unwrap_or((0, f64::INFINITY));
        let share = off / step;
        // A stack may lean, so that every slice counts from its own first pixel.
        let way = minus(place, positions.get(slice).copied().unwrap_or(self.first));
        let slice = if share < 0.5 { slice as f64 + share } else { f64::NAN };
        [dot(self.inverse[0], way), dot(self.inverse[1], way), slice]
    }
}

/// The voxels of the mask that a slice of the image has.
#[derive(Clone, Copy, Debug, PartialEq)]
struct SliceOfMask {
    /// Column, row and slice of the first pixel.
    first: [i64; 3],
    /// Steps to the next column and to the next row of the image.
    step: [[i64; 3]; 2],
}

impl SliceOfMask {
    fn at(&self, column: i64, row: i64) -> [i64; 3] {
        std::array::from_fn(|part| self.first[part] + column * self.step[0][part] + row * self.step[1][part])
    }
}

/// Every slice of an image as voxels of the mask.
struct Exact {
    /// None where the mask has nothing.
    slices: Vec<Option<SliceOfMask>>,
    /// Which slices the mask says something about.
    covered: Vec<bool>,
}

fn number(shape: [usize; 3], at: [i64; 3]) -> usize {
    (at[2] as usize * shape[1] + at[1] as usize) * shape[0] + at[0] as usize
}

/// The voxels of the mask that are those of the image. None where a pixel has no such voxel, but for slices that a segmentation, or a mask
/// of one slice, leaves out.
fn exact(finder: &Finder, labels: &LabelMap, image: Grid<'_>) -> Option<Exact> {
    let [columns, rows, slices] = image.shape;
    let shape = labels.shape();
    // Segmentations leave slices without foreground out.
    let is_sparse = matches!(&labels.source, Source::Dicom(dicom) if dicom.is_segmentation());
    let mut found = Exact { slices: Vec::with_capacity(slices), covered: vec![true; slices] };
    let is_inside = |at: &[i64; 3]| at.iter().zip(shape).all(|(part, side)| (0..side as i64).contains(part));
    for slice in 0..slices {
        let corner = |column: usize, row: usize| -> Option<[i64; 3]> {
            let at = finder.at(image.geometry.place(column as f64, row as f64, slice)?);
            let is_near = at.iter().all(|part| part.is_finite() && (part - part.round()).abs() <= OFF);
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
    // One that has none of these slices belongs to something else.
    found.slices.iter().any(Option::is_some).then_some(found)
}

/// Whether the slices are those of the mask, one after the other.
fn is_in_order(slices: &[Option<SliceOfMask>]) -> bool {
    slices.iter().enumerate().all(|(place, slice)| slice.is_some_and(|slice| slice.first == [0, 0, place as i64]))
}

/// What is done to the voxels of a mask, in words; empty where they are in the order of the image.
fn described(slices: &[Option<SliceOfMask>]) -> String {
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

/// For each pixel of the image the nearest voxel of a mask of this shape; none outside.
fn nearest<'a>(
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

/// A grid in words: size, voxel, first voxel.
fn in_words([columns, rows, slices]: [usize; 3], geometry: &Geometry) -> String {
    let mut text = if slices == 1 { format!("{columns}×{rows}") } else { format!("{columns}×{rows}×{slices}") };
    if let Some([column, row]) = geometry.pixel_mm {
        text += &format!(" of {column:.2}×{row:.2}");
        if let (Some(slice), true) = (geometry.slice_mm, slices > 1) {
            text += &format!("×{slice:.2}");
        }
        text += " mm";
    }
    if let Some([x, y, z]) = geometry.placement.as_ref().and_then(|placement| placement.positions.first()) {
        text += &format!(" from ({x:.1}, {y:.1}, {z:.1}) mm");
    }
    if let Some((slice, _)) = geometry.gaps().first() {
        text += &format!(", with a gap behind slice {}", slice + 1);
    }
    if let Some(sides) = geometry.sides {
        text += &format!(", columns to {}, rows to {}", sides.right, sides.bottom);
    }
    text
}
