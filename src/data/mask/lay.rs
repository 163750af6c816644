//! Aligns a mask with its image: by position in the patient, or pixel by pixel if one of them has no position.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::finder::{Exact, Finder, described, exact, is_in_order, nearest, number, share};
use super::labels::LabelMap;
use crate::data::DataError;
use crate::data::volume::{Geometry, Grid, Turn};

/// The alignment that the user agreed to for a mask whose voxel grid differs from that of its image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreed {
    /// The mask is refused.
    #[default]
    Refuse,
    /// Every voxel of the image gets the label of the nearest voxel of the mask, by position in mm.
    Resample,
    /// Voxels are matched by their stored indices, regardless of positions.
    ByNumber,
}

/// How a mask was aligned with its image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "pairing", rename_all = "snake_case")]
pub enum Pairing {
    /// Pixel by pixel, because the mask or the image has no position.
    BySize,
    /// By position: the mask has the voxels of the image in the same order.
    ByPosition,
    /// By position: the voxels of the mask are those of the image in another order, or one of both has voxels that
    /// the other lacks.
    Reordered {
        /// A description of the difference, for instance "mirrored left to right" or "the mask has 5 of 15 slices".
        how: String,
    },
    /// By position: each voxel of the image has the label of the nearest voxel of another grid, as agreed.
    Resampled,
    /// By the stored indices of the voxels, as agreed.
    ByNumber,
    /// The mask covers only one of several slices.
    OnSlice {
        /// The number of the slice, from 1.
        slice: usize,
    },
}

impl Pairing {
    /// Returns a description of the alignment.
    pub fn words(&self) -> String {
        match self {
            Self::BySize => "pixel on pixel".into(),
            Self::ByPosition => "by position".into(),
            Self::Reordered { how } => format!("by position ({how})"),
            Self::Resampled => "resampled to the nearest voxel by position".into(),
            Self::ByNumber => "by voxel indices, regardless of positions".into(),
            Self::OnSlice { slice } => format!("on slice {slice} alone"),
        }
    }
}

/// A mask on the grid of its image.
#[derive(Clone, Debug)]
pub struct Laid {
    /// The label of every pixel of the image, in displayed order.
    pub labels: LabelMap,
    /// Whether the mask covers each slice of the image.
    pub covered: Vec<bool>,
    /// How the mask was aligned.
    pub pairing: Pairing,
}

/// Aligns the labels of the file at `path` with an image. `slice` is the slice, from 0, to which a single mask
/// without a position belongs.
///
/// # Errors
/// Returns an error if the mask without a position differs from the image in size or number of slices, or if its
/// slice is not known. With positions, returns an error if the frames of reference differ, or if the voxels
/// differ and nothing was agreed.
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
            None if how.is_empty() => Pairing::Reordered { how: share(&slices, labels.shape(), image.shape) },
            None => Pairing::Reordered { how },
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
            laid.notes.push("No voxel of the mask is inside the image.".into());
        }
        return Ok(Laid { labels: laid, covered, pairing: Pairing::Resampled });
    }
    if !is_one_frame {
        let [mask, image] = frames.map(String::clone);
        return Err(DataError::MaskFrame { path: path.to_owned(), mask, image });
    }
    let fits_by_number = fits_by_number(&labels, image);
    let [mask, image] = [in_words(labels.shape(), &labels.geometry), in_words(image.shape, image.geometry)];
    Err(DataError::MaskGrid { path: path.to_owned(), mask, image, fits_by_number })
}

/// Aligns a mask with the image pixel by pixel, because one of them has no position.
fn by_size(path: &Path, mut labels: LabelMap, image: Grid<'_>, slice: Option<usize>) -> Result<Laid, DataError> {
    let [width, height, slices] = image.shape;
    let turn = image.geometry.turn;
    if (labels.columns, labels.rows) != (width, height)
        && (labels.columns, labels.rows) == (height, width)
        && turn.transposed
        && labels.geometry.turn.is_none()
    {
        // The image was turned upright, but the mask has the size of the stored image.
        labels.turn(Turn { reversed: [turn.reversed[0], turn.reversed[1], false], ..turn });
        labels.notes.push("It was drawn on the stored image and is turned with it.".into());
    }
    let (mask_width, mask_height) = (labels.columns, labels.rows);
    if (mask_width, mask_height) != (width, height) {
        return Err(DataError::MaskSize { path: path.to_owned(), mask_width, mask_height, width, height });
    }
    match (&image.geometry.placement, &labels.geometry.placement) {
        (Some(_), None) if slices > 1 && labels.slices == slices => labels.notes.push(
            "The mask has no position, so it is aligned with the image pixel on pixel and slice on slice.".into(),
        ),
        (None, Some(_)) => labels
            .notes
            .push("The image has no position, so the mask is aligned with it pixel on pixel as displayed.".into()),
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

/// Returns whether the mask has the shape of the image if its stored voxels are turned like those of the image.
fn fits_by_number(labels: &LabelMap, image: Grid<'_>) -> bool {
    let turn = labels.geometry.turn.inverse().then(image.geometry.turn);
    turn.shape(labels.shape()) == image.shape
}

/// Aligns the voxels by their stored indices, regardless of positions.
fn by_number(path: &Path, mut labels: LabelMap, image: Grid<'_>) -> Result<Laid, DataError> {
    if !fits_by_number(&labels, image) {
        let mask = in_words(labels.shape(), &labels.geometry);
        let image = in_words(image.shape, image.geometry);
        return Err(DataError::MaskGrid { path: path.to_owned(), mask, image, fits_by_number: false });
    }
    labels.turn(labels.geometry.turn.inverse().then(image.geometry.turn));
    Ok(Laid { labels, covered: vec![true; image.shape[2]], pairing: Pairing::ByNumber })
}

/// Transfers the labels to the grid of the image. `from` iterates over the pixels of the image and gives the
/// index of the corresponding voxel of the mask, or `None` for background.
fn on_grid(labels: LabelMap, image: Grid<'_>, from: impl Iterator<Item = Option<usize>>) -> LabelMap {
    let [columns, rows, slices] = image.shape;
    let indices = labels.indices.picked(from);
    let mut laid = LabelMap { columns, rows, slices, indices, geometry: image.geometry.clone(), ..labels };
    laid.count();
    laid
}

/// Returns a description of a voxel grid: size, voxel spacing, position of the first voxel, the first gap, and
/// the directions of columns and rows.
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
        text += &format!(", with a gap after slice {}", slice + 1);
    }
    if let Some(sides) = geometry.sides {
        text += &format!(", columns to {}, rows to {}", sides.right, sides.bottom);
    }
    text
}
