//! Lays the frames of a segmentation on a volume.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::read::{OpenedSegmentation, Raw};
use super::{Frame, Kind, Segmentation};
use crate::data::dicom::segments::{firsts, planes};
use crate::data::dicom::stacks::lie_alike;
use crate::data::mask::{Agreed, Indices, Label, LabelMap, MaskKind, Pairing, lay};
use crate::data::volume::{DicomSource, Geometry, Source};
use crate::data::{DataError, Limit, Volume};

/// The largest distance in mm, and the largest relative difference of pixel sizes, up to which a frame and its image
/// lie at the same place.
const SAME: f64 = 1e-3;

impl Raw {
    /// Lays the segmentation on a volume, as [`super::read`] does.
    ///
    /// # Errors
    /// Returns the errors of [`super::read`].
    pub fn laid_on(
        mut self,
        path: &Path,
        volume: &Volume,
        agreed: Agreed,
        limit: Limit,
    ) -> Result<OpenedSegmentation, DataError> {
        let left = Limit(limit.0.saturating_sub(self.bytes));
        let frames = match self.slices_by_reference(volume) {
            Some(slices) => self.by_reference(path, volume, &slices, left)?,
            None => self.by_position(path, volume, agreed, left)?,
        };
        let segmentation = Segmentation {
            kind: self.kind(),
            segments: self.segments,
            frames,
            description: self.description,
            creator: self.creator,
        };
        Ok(OpenedSegmentation { segmentation, notes: self.notes })
    }

    /// Returns the stored slice of the volume to which each frame refers. Returns `None` unless all frames refer to
    /// slices of the volume, have their size, and do not lie elsewhere.
    fn slices_by_reference(&self, volume: &Volume) -> Option<Vec<usize>> {
        let Source::Dicom(source) = &volume.source else { return None };
        let back = volume.geometry.turn.inverse();
        let [columns, rows, slices] = back.shape(volume.shape());
        if [self.attributes.columns, self.attributes.rows] != [columns, rows] {
            return None;
        }
        let mut geometry = volume.geometry.clone();
        geometry.turn_by(back, volume.shape());
        let is_one = source.sop_instances.len() == 1;
        let places: HashMap<(&str, usize), usize> = (0..slices)
            .filter_map(|slice| {
                let instance = source.sop_instances.get(if is_one { 0 } else { slice })?;
                let frame = if is_one { source.frames.get(slice).copied().unwrap_or(slice + 1) } else { 1 };
                Some(((instance.as_str(), frame), slice))
            })
            .collect();
        let is_distinct = places.len() == slices;
        (0..self.attributes.frames)
            .map(|frame| {
                let told = self.attributes.frame(frame);
                let (instance, number) = told.derived_from.as_ref()?;
                let number = match number {
                    Some(number) => *number as usize,
                    // An object with several frames needs a number.
                    None if is_one && slices > 1 => return None,
                    None if is_one => source.frames.first().copied().unwrap_or(1),
                    None => 1,
                };
                let slice = *places.get(&(instance.as_str(), number))?;
                (is_distinct && is_there(told, &geometry, slice)).then_some(slice)
            })
            .collect()
    }

    /// Lays every frame on the slice to which it refers.
    fn by_reference(
        &mut self,
        path: &Path,
        volume: &Volume,
        slices: &[usize],
        limit: Limit,
    ) -> Result<Vec<Frame>, DataError> {
        let turn = volume.geometry.turn;
        let stored = turn.inverse().shape(volume.shape());
        let mut found = Collected::default();
        for (frame, slice) in slices.iter().enumerate() {
            for (segment, mut values) in self.frame(path, frame, found.left(limit))? {
                turn.apply(&mut values, [stored[0], stored[1], 1], 1);
                let slice = turn.inverse().stored([0, 0, *slice], volume.shape())[2];
                found.add(path, Frame { segment, slice, values }, limit)?;
            }
        }
        Ok(found.frames())
    }

    /// Lays the frames on the volume by their positions, or pixel by pixel if one of both has none and there is only
    /// one slice.
    fn by_position(
        &mut self,
        path: &Path,
        volume: &Volume,
        agreed: Agreed,
        limit: Limit,
    ) -> Result<Vec<Frame>, DataError> {
        let (places, slices) = planes(&self.attributes, &mut self.notes);
        let geometry = self.attributes.geometry(&firsts(&places, slices));
        let has_place = |geometry: &Geometry| geometry.placement.is_some() && geometry.pixel_mm.is_some();
        let is_placed = has_place(&geometry) && has_place(&volume.geometry);
        let has_frame = |geometry: &Geometry| !geometry.frame_of_reference.is_empty();
        let refers = (0..self.attributes.frames).any(|frame| self.attributes.frame(frame).derived_from.is_some());
        let is_of_others = refers && !self.refers_to(volume);
        let back = volume.geometry.turn.inverse().shape(volume.shape());
        let is_of_size = [self.attributes.columns, self.attributes.rows] == [back[0], back[1]];
        // Frames that refer to other images, or to some that are not among these, need positions.
        let is_in_place = match is_of_others {
            true => is_placed && has_frame(&geometry) && has_frame(&volume.geometry),
            false => is_placed || !refers || !is_of_size,
        };
        if !is_in_place {
            return Err(DataError::SegmentationOfOthers { path: path.to_owned() });
        }
        if !is_placed && !refers {
            self.notes.push(
                "The segmentation does not say on which images it was drawn, and one of both has no positions; it is laid on \
                 these pixel on pixel, in its order."
                    .into(),
            );
        }
        let shape = [self.attributes.columns, self.attributes.rows, slices];
        let size = (shape[0] * shape[1]).saturating_mul(slices);
        let mut found = Collected::default();
        let source = self.attributes.source.clone();
        let on_volume = |values: Vec<u8>, left: Limit| {
            // The pixels before and after they are laid on the volume.
            let made = (values.len() as u64).saturating_add((volume.columns * volume.rows * volume.slices) as u64);
            left.allow(path, made)?;
            let labels = label_map(shape, values, &geometry, &source);
            let laid = lay(path, labels, volume.grid(), None, agreed)?;
            let pixels = match laid.labels.indices {
                Indices::U8(pixels) => pixels,
                Indices::U16(pixels) => pixels.into_iter().map(|pixel| pixel as u8).collect(),
            };
            Ok((pixels, laid.pairing, Limit(left.0 - made)))
        };
        let mut paired = None;
        let on_slice = volume.columns * volume.rows;
        match self.kind() {
            Kind::Binary => {
                let mut layers = self.layers(path, &places, size, limit)?;
                while let Some(layer) = layers.pop() {
                    let others = (size as u64).saturating_mul(layers.len() as u64);
                    let left = Limit(found.left(limit).0.saturating_sub(others));
                    let (pixels, pairing, left) = on_volume(layer, left)?;
                    paired.get_or_insert(pairing);
                    let before = found.bytes;
                    for (slice, pixels) in pixels.chunks_exact(on_slice).enumerate() {
                        let left = Limit(left.0.saturating_sub(found.bytes - before));
                        for (label, values) in by_label(path, pixels, left)? {
                            found.add(path, Frame { segment: usize::from(label) - 1, slice, values }, limit)?;
                        }
                    }
                }
            }
            // The probabilities of a segment take the place of labels.
            Kind::Fractional => {
                for segment in 0..self.segments.len() {
                    let left = found.left(limit);
                    let Some(layer) = self.probabilities(path, &places, segment, size, left)? else { continue };
                    let (pixels, pairing, left) = on_volume(layer, left)?;
                    paired.get_or_insert(pairing);
                    let most = Limit(left.0.saturating_add(found.bytes));
                    for (slice, values) in pixels.chunks_exact(on_slice).enumerate() {
                        found.add(path, Frame { segment, slice, values: values.to_vec() }, most)?;
                    }
                }
            }
        }
        if is_of_others {
            self.notes.push("The segmentation was drawn on other images; it is laid on these by position.".into());
        }
        if let Some(pairing @ (Pairing::Resampled | Pairing::Reordered { .. })) = paired {
            self.notes.push(format!("The segmentation was laid on the image {}.", pairing.words()));
        }
        Ok(found.frames())
    }

    /// Returns label maps of `size` pixels with the index of the segment from 1 in each pixel, as few as the overlaps
    /// of segments allow. `places` holds the plane of each frame.
    fn layers(
        &mut self,
        path: &Path,
        places: &[Option<usize>],
        size: usize,
        limit: Limit,
    ) -> Result<Vec<Vec<u8>>, DataError> {
        let mut layers: Vec<Vec<u8>> = Vec::new();
        for (frame, place) in places.iter().enumerate() {
            let Some(place) = place else { continue };
            let taken = (size as u64).saturating_mul(layers.len() as u64);
            for (segment, values) in self.frame(path, frame, Limit(limit.0.saturating_sub(taken)))? {
                let label = (segment + 1) as u8;
                let target = place * values.len()..(place + 1) * values.len();
                let is_free = |layer: &Vec<u8>| {
                    let here = layer[target.clone()].iter().zip(&values);
                    here.into_iter().all(|(taken, value)| *value == 0 || *taken == 0 || *taken == label)
                };
                let free = layers.iter().position(is_free).unwrap_or(layers.len());
                if free == layers.len() {
                    limit.allow(path, (size as u64).saturating_mul(layers.len() as u64 + 2))?;
                    layers.push(vec![0; size]);
                }
                let here = layers[free][target].iter_mut().zip(&values);
                here.filter(|(_, value)| **value != 0).for_each(|(taken, _)| *taken = label);
            }
        }
        Ok(layers)
    }

    /// Returns the probabilities of a segment in `size` pixels; `None` if it has no frame.
    fn probabilities(
        &mut self,
        path: &Path,
        places: &[Option<usize>],
        segment: usize,
        size: usize,
        limit: Limit,
    ) -> Result<Option<Vec<u8>>, DataError> {
        limit.allow(path, size as u64)?;
        let mut layer = None;
        for (frame, place) in places.iter().enumerate() {
            let number = self.attributes.frame(frame).segment.unwrap_or(1);
            let Some(place) = place.filter(|_| self.numbers.get(&number) == Some(&segment)) else { continue };
            for (_, values) in self.frame(path, frame, Limit(limit.0 - size as u64))? {
                let layer = layer.get_or_insert_with(|| vec![0; size]);
                layer[place * values.len()..(place + 1) * values.len()].copy_from_slice(&values);
            }
        }
        Ok(layer)
    }

    /// Returns whether a frame refers to an image of the volume.
    fn refers_to(&self, volume: &Volume) -> bool {
        let Source::Dicom(source) = &volume.source else { return false };
        (0..self.attributes.frames).any(|frame| {
            let reference = self.attributes.frame(frame).derived_from.as_ref();
            reference.is_some_and(|(instance, _)| source.sop_instances.contains(instance))
        })
    }
}

/// Returns whether a frame lies where a slice lies, as far as both have places. `geometry` describes the stored
/// slices.
fn is_there(frame: &crate::data::dicom::frame::Frame, geometry: &Geometry, slice: usize) -> bool {
    let (Some(position), Some(placement)) = (frame.position, &geometry.placement) else { return true };
    let Some(wanted) = placement.positions.get(slice) else { return true };
    let is_near = position.iter().zip(wanted).all(|(a, b)| (a - b).abs() <= SAME);
    let is_of_size = match (frame.pixel_spacing, geometry.pixel_mm) {
        (Some([row, column]), Some([width, height])) => {
            (column / width - 1.0).abs() <= SAME && (row / height - 1.0).abs() <= SAME
        }
        _ => true,
    };
    is_near && is_of_size && lie_alike(frame.orientation, Some([placement.across, placement.down]))
}

/// Returns a map of 256 labels, whose indices are their values.
fn label_map(
    [columns, rows, slices]: [usize; 3],
    values: Vec<u8>,
    geometry: &Geometry,
    source: &DicomSource,
) -> LabelMap {
    let label = |value: i64| Label { value, colour: None, pixels: 0, is_foreground: value > 0 };
    LabelMap {
        columns,
        rows,
        slices,
        indices: Indices::U8(values),
        labels: (0..256).map(label).collect(),
        kind: MaskKind::Labels { count: 255 },
        geometry: geometry.clone(),
        source: Source::Dicom(Box::new(source.clone())),
        notes: Vec::new(),
    }
}

/// Returns the pixels of each label of a slice that is not 0.
fn by_label(path: &Path, pixels: &[u8], limit: Limit) -> Result<BTreeMap<u8, Vec<u8>>, DataError> {
    let mut found: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    for (at, label) in pixels.iter().enumerate().filter(|(_, label)| **label != 0) {
        if !found.contains_key(label) {
            limit.allow(path, (pixels.len() as u64).saturating_mul(found.len() as u64 + 1))?;
        }
        found.entry(*label).or_insert_with(|| vec![0; pixels.len()])[at] = 1;
    }
    Ok(found)
}

/// Frames on the grid of a volume, by segment and slice.
#[derive(Default)]
struct Collected {
    frames: BTreeMap<(usize, usize), Vec<u8>>,
    /// The memory that they take, in bytes.
    bytes: u64,
}

impl Collected {
    /// Adds a frame unless it is empty. Where a frame exists already, each pixel has the larger value.
    fn add(&mut self, path: &Path, frame: Frame, limit: Limit) -> Result<(), DataError> {
        if frame.is_empty() {
            return Ok(());
        }
        match self.frames.entry((frame.segment, frame.slice)) {
            Entry::Vacant(entry) => {
                self.bytes = self.bytes.saturating_add(frame.values.len() as u64);
                limit.allow(path, self.bytes)?;
                entry.insert(frame.values);
            }
            Entry::Occupied(mut entry) => {
                entry.get_mut().iter_mut().zip(frame.values).for_each(|(value, new)| *value = new.max(*value));
            }
        }
        Ok(())
    }

    /// Returns the part of a limit that is left.
    fn left(&self, limit: Limit) -> Limit {
        Limit(limit.0.saturating_sub(self.bytes))
    }

    /// Returns the frames, sorted by segment and slice.
    fn frames(self) -> Vec<Frame> {
        let frames = self.frames.into_iter();
        frames.map(|((segment, slice), values)| Frame { segment, slice, values }).collect()
    }
}
