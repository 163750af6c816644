//! Segmentations (DICOM PS3.3 A.51). Each frame is one segment in one plane. The frames become one label map,
//! whose values are segment numbers and whose slices are the planes.

use std::path::Path;

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::elements::{number, text};
use super::reader::{Contents, Stored};
use super::{identified, pixels, stacks};
use crate::data::volume::{Source, StoredPixels, Volume};
use crate::data::{DataError, Limit};

/// The number of segments that are named in a note.
const NAMED: usize = 8;

/// The samples of all frames, packed as bits or decoded.
pub enum Samples {
    /// One bit for each pixel, without padding between frames.
    Bits(Vec<u8>),
    /// One number for each pixel.
    StoredPixels(StoredPixels),
}

impl Samples {
    /// Takes the samples of a segmentation. Returns whether they were compressed with loss as well.
    ///
    /// # Errors
    /// Returns an error if the pixels are missing, too few, packed in another way than DICOM demands, have a
    /// compression that is not supported, or need more memory than `limit`.
    pub fn of(
        path: &Path,
        contents: &mut Contents,
        attributes: &Attributes,
        limit: Limit,
    ) -> Result<(Self, bool), DataError> {
        let (plane, frames) = (attributes.columns * attributes.rows, attributes.frames);
        match std::mem::take(&mut contents.stored) {
            Stored::Native { bytes, writing, is_words } if attributes.bits_allocated == 1 => {
                limit.allow(path, bytes.capacity() as u64)?;
                let total = (plane as u64).saturating_mul(frames as u64);
                let (needed, given) = (total.div_ceil(8), bytes.len() as u64);
                if given < needed {
                    let reason = format!("{given} bytes of pixels instead of {needed}");
                    return Err(DataError::damaged(path, reason));
                }
                let padded = (frames as u64).saturating_mul((plane as u64).div_ceil(8));
                for (bytes, how) in [(padded, "each frame in whole bytes"), (total, "one byte for each pixel")] {
                    if bytes > needed + 1 && (given == bytes || given == bytes + bytes % 2) {
                        let reason = format!(
                            "its pixels are packed with {how} ({given} bytes), but DICOM packs the bits of all frames \
                             without gaps ({needed} bytes)"
                        );
                        return Err(DataError::damaged(path, reason));
                    }
                }
                let mut bytes = bytes;
                if writing.is_big && is_words {
                    bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
                }
                Ok((Self::Bits(bytes), false))
            }
            stored => {
                limit.allow(path, attributes.bytes())?;
                let made = pixels::values(path, attributes, stored, &contents.object, limit)?;
                Ok((Self::StoredPixels(made.values), made.is_lossy))
            }
        }
    }

    /// Returns the number of bytes that the samples take.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Bits(bytes) => bytes.capacity() as u64,
            Self::StoredPixels(values) => values.bytes(),
        }
    }

    /// Returns the numbers of frame `frame`, which has `plane` pixels.
    ///
    /// # Panics
    /// Panics if there is no such frame.
    pub fn frame(&self, plane: usize, frame: usize) -> Vec<u16> {
        match self {
            Self::Bits(bytes) => unpacked(bytes, plane, frame).map(u16::from).collect(),
            Self::StoredPixels(values) => {
                values.floats(frame * plane..(frame + 1) * plane).into_iter().map(|value| value as u16).collect()
            }
        }
    }
}

/// Returns the pixels of frame `frame` of `plane` pixels from packed bits, as 0 and 1.
///
/// # Panics
/// Panics if there are fewer bits.
pub fn unpacked(bytes: &[u8], plane: usize, frame: usize) -> impl Iterator<Item = u8> {
    (frame * plane..(frame + 1) * plane).map(move |bit| bytes[bit / 8] >> (bit % 8) & 1)
}

/// Reads a segmentation as a label map.
///
/// # Errors
/// Returns an error if the pixels are missing, are damaged, have a compression that is not supported, or have
/// several samples, or if the file needs more memory than `limit`.
pub fn open(
    path: &Path,
    mut contents: Contents,
    attributes: &Attributes,
    limit: Limit,
) -> Result<Volume, DataError> {
    let Attributes { columns, rows, frames, .. } = *attributes;
    let plane = columns * rows;
    // The attributes of each frame stay in memory beside its pixels.
    limit.allow(path, (frames as u64).saturating_mul(64))?;
    let mut notes = names(&contents).into_iter().collect::<Vec<_>>();
    let (places, slices) = planes(attributes, &mut notes);
    let segment = |frame: usize| attributes.frame(frame).segment.unwrap_or(1);
    let is_label_map = attributes.segmentation == "LABELMAP";
    let is_wide =
        if is_label_map { attributes.bits_allocated > 8 } else { (0..frames).any(|frame| segment(frame) > 255) };
    let size = if is_wide { 2 } else { 1 };
    if attributes.samples != 1 {
        return Err(DataError::damaged(path, "a segmentation has colours"));
    }
    // The memory holds the labels of all slices, and those of one frame.
    let made = (plane as u64).saturating_mul((slices as u64).saturating_mul(size).saturating_add(6));
    limit.allow(path, made)?;
    let left = Limit(limit.0 - made);
    let (samples, is_lossy) = Samples::of(path, &mut contents, attributes, left)?;
    let half = (attributes.most / 2.0) as f32;
    let mut labels = if is_wide {
        StoredPixels::U16(vec![0; plane * slices])
    } else {
        StoredPixels::U8(vec![0; plane * slices])
    };
    let mut overlapping = 0_u64;
    for (frame, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        let own = segment(frame);
        let mut found = samples.frame(plane, frame);
        match attributes.segmentation.as_str() {
            "LABELMAP" => {}
            "FRACTIONAL" => {
                found.iter_mut().for_each(|value| *value = u16::from(f32::from(*value) >= half) * own);
            }
            _ => found.iter_mut().for_each(|value| *value = u16::from(*value > 0) * own),
        }
        let target = place * plane..(place + 1) * plane;
        overlapping += match &mut labels {
            StoredPixels::U16(labels) => laid(&mut labels[target], &found, |label| label),
            StoredPixels::U8(labels) => laid(&mut labels[target], &found, |label| label as u8),
            _ => 0,
        };
    }
    if overlapping > 0 {
        notes.push(format!(
            "Its segments overlap (pixels in more than one: {overlapping}); the later one takes precedence."
        ));
    }
    if attributes.segmentation == "FRACTIONAL" {
        notes.push(
            "It has fractions; a pixel belongs to a segment if its value is at least half of the maximum.".into(),
        );
    }
    let mut whole = Volume::plain(columns, rows, slices, labels);
    identified(&mut whole, attributes, &firsts(&places, slices));
    if let Source::Dicom(source) = &mut whole.source {
        source.is_lossy = is_lossy;
    }
    whole.notes.extend(notes);
    Ok(whole)
}

/// Returns the first frame of each slice.
pub fn firsts(places: &[Option<usize>], slices: usize) -> Vec<usize> {
    let mut firsts = vec![None; slices];
    for (frame, place) in places.iter().enumerate() {
        if let Some(first) = place.and_then(|place| firsts.get_mut(place)) {
            first.get_or_insert(frame);
        }
    }
    firsts.into_iter().flatten().collect()
}

/// Writes the non-zero labels of a frame over those of its slice. Returns the number of pixels that had another
/// label before.
fn laid<T: Copy + Default + PartialEq>(slice: &mut [T], found: &[u16], of: impl Fn(u16) -> T) -> u64 {
    let mut overlapping = 0;
    for (label, &new) in slice.iter_mut().zip(found).filter(|(_, new)| **new != 0) {
        overlapping += u64::from(*label != T::default() && *label != of(new));
        *label = of(new);
    }
    overlapping
}

/// Returns the slice of each frame and the number of slices, which is that of the positions. A frame with
/// another orientation than the first has no slice. If positions are missing, the frames of each segment are
/// consecutive slices.
pub fn planes(attributes: &Attributes, notes: &mut Vec<String>) -> (Vec<Option<usize>>, usize) {
    let frames: Vec<_> = (0..attributes.frames).map(|frame| attributes.frame(frame)).collect();
    let is_alike = |frame: &usize| stacks::lie_alike(frames[*frame].orientation, frames[0].orientation);
    let members: Vec<usize> = (0..frames.len()).filter(is_alike).collect();
    let placed = if attributes.told.is_empty() { None } else { stacks::places(&members, &frames) };
    let places = placed.unwrap_or_else(|| {
        if frames.len() > 1 {
            notes.push("The file has no positions for its frames; they are shown in file order.".into());
        }
        let mut behind = std::collections::BTreeMap::new();
        let next = |frame: &&super::frame::Frame| {
            let count = behind.entry(frame.segment).or_insert(0_usize);
            *count += 1;
            Some(*count - 1)
        };
        frames.iter().map(next).collect()
    });
    if members.len() < frames.len() {
        let left = frames.len() - members.len();
        notes.push(match left {
            1 => "One of its frames has another orientation than the first and is left out.".into(),
            _ => format!("{left} of its frames have another orientation than the first and are left out."),
        });
    }
    let slices = places.iter().flatten().max().map_or(1, |last| last + 1);
    (places, slices)
}

/// Returns a note with the numbers and names of the segments, or `None` if the file does not name them.
fn names(contents: &Contents) -> Option<String> {
    let named = contents.segments.iter().filter_map(|segment| {
        let number = number(&segment.own, tags::SEGMENT_NUMBER)?;
        Some(
            text(&segment.own, tags::SEGMENT_LABEL)
                .map_or_else(|| number.to_string(), |name| format!("{number} {name}")),
        )
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() {
        return None;
    }
    let more = if named.len() > NAMED { format!(" and {} more", named.len() - NAMED) } else { String::new() };
    Some(format!("Its segments are {}{more}.", named[..named.len().min(NAMED)].join(", ")))
}

#[cfg(test)]
mod tests {
    use super::firsts;

    #[test]
    fn the_first_frame_of_each_slice() {
        assert_eq!(firsts(&[None, Some(2), Some(0), Some(2), Some(0)], 3), [2, 1], "no frame lies in slice 1");
    }
}
