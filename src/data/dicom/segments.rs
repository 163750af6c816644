//! Segmentations (DICOM PS3.3 A.51): each frame is one segment in one plane. They become one label map, whose values are the numbers of the
//! segments and whose slices are the planes.

use std::path::Path;

use dicom_dictionary_std::tags;

use super::attributes::Attributes;
use super::elements::{number, text};
use super::reader::{Contents, Stored};
use super::{identified, pixels, stacks};
use crate::data::volume::{Values, Volume};
use crate::data::{DataError, Limit};

/// Segments that are named in a note.
const NAMED: usize = 8;

/// The samples of all frames, or their bits.
enum Samples {
    Bits(Vec<u8>),
    Values(Values),
}

/// The label map of a segmentation.
///
/// # Errors
/// Its pixels are missing, damaged or compressed in a way that is not read, or it needs more memory than `limit`.
pub fn open(
    path: &Path,
    mut contents: Contents,
    attributes: &Attributes,
    limit: Limit,
) -> Result<Volume, DataError> {
    let Attributes { columns, rows, frames, .. } = *attributes;
    let plane = columns * rows;
    // What is kept of each frame beside its pixels.
    limit.allow(path, 64 * frames as u64)?;
    let mut notes = names(&contents).into_iter().collect::<Vec<_>>();
    let (places, slices) = planes(attributes, &mut notes);
    let segment = |frame: usize| attributes.frame(frame).segment.unwrap_or(1);
    let is_label_map = attributes.segmentation == "LABELMAP";
    let is_wide =
        if is_label_map { attributes.bits_allocated > 8 } else { (0..frames).any(|frame| segment(frame) > 255) };
    let size = if is_wide { 2 } else { 1 };
    let made = (plane as u64).saturating_mul(slices as u64).saturating_mul(size);
    limit.allow(path, made)?;
    let left = Limit(limit.0 - made);
    let samples = match std::mem::take(&mut contents.stored) {
        Stored::Native { bytes, writing, is_words } if attributes.bits_allocated == 1 => {
            left.allow(path, bytes.capacity() as u64)?;
            let needed = (plane as u64).saturating_mul(frames as u64).div_ceil(8);
            if (bytes.len() as u64) < needed {
                let reason = format!("{} bytes of pixels where {needed} are announced", bytes.len());
                return Err(DataError::damaged(path, reason));
            }
            let mut bytes = bytes;
            if writing.is_big && is_words {
                bytes.as_chunks_mut::<2>().0.iter_mut().for_each(|pair| pair.swap(0, 1));
            }
            Samples::Bits(bytes)
        }
        stored => {
            left.allow(path, attributes.bytes())?;
            Samples::Values(pixels::values(path, attributes, stored, &contents.object, left)?.values)
        }
    };
    let half = (attributes.most / 2.0) as f32;
    let mut labels = vec![0_u16; if is_wide { plane * slices } else { 0 }];
    let mut narrow = vec![0_u8; if is_wide { 0 } else { plane * slices }];
    let mut overlapping = 0_u64;
    for (frame, place) in places.iter().enumerate() {
        let Some(place) = place else { continue };
        let own = segment(frame);
        let floats = match &samples {
            Samples::Values(values) => values.floats(frame * plane..(frame + 1) * plane),
            Samples::Bits(_) => Vec::new(),
        };
        for pixel in 0..plane {
            let label = match &samples {
                Samples::Bits(bytes) => {
                    let bit = frame * plane + pixel;
                    u16::from(bytes[bit / 8] >> (bit % 8) & 1) * own
                }
                Samples::Values(_) if is_label_map => floats[pixel] as u16,
                Samples::Values(_) if attributes.segmentation == "FRACTIONAL" => {
                    u16::from(floats[pixel] >= half) * own
                }
                Samples::Values(_) => u16::from(floats[pixel] > 0.0) * own,
            };
            if label == 0 {
                continue;
            }
            let target = place * plane + pixel;
            let before = if is_wide { labels[target] } else { u16::from(narrow[target]) };
            overlapping += u64::from(before != 0 && before != label);
            if is_wide {
                labels[target] = label;
            } else {
                narrow[target] = label as u8;
            }
        }
    }
    if overlapping > 0 {
        notes.push(format!("Its segments overlap in {overlapping} pixels; there the later one counts."));
    }
    if attributes.segmentation == "FRACTIONAL" {
        notes.push("It gives fractions; a pixel belongs to a segment from half of the greatest value on.".into());
    }
    let values = if is_wide { Values::U16(labels) } else { Values::U8(narrow) };
    let mut whole = Volume::plain(columns, rows, slices, values);
    let members: Vec<usize> =
        (0..slices).filter_map(|slice| places.iter().position(|place| *place == Some(slice))).collect();
    identified(&mut whole, attributes, &members);
    whole.notes.extend(notes);
    Ok(whole)
}

/// Which slice each frame belongs to, and how many there are: one for each position; where positions are missing, the frames of a segment
/// stand one behind the other.
fn planes(attributes: &Attributes, notes: &mut Vec<String>) -> (Vec<Option<usize>>, usize) {
    let frames: Vec<_> = (0..attributes.frames).map(|frame| attributes.frame(frame)).collect();
    let is_alike = |frame: &usize| stacks::lie_alike(frames[*frame].orientation, frames[0].orientation);
    let members: Vec<usize> = (0..frames.len()).filter(is_alike).collect();
    let placed = if attributes.told.is_empty() { None } else { stacks::places(&members, &frames) };
    let places = placed.unwrap_or_else(|| {
        if frames.len() > 1 {
            notes.push("The file does not say where its frames lie; they stand in the order of the file.".into());
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
        notes.push(format!("{left} of its frames lie in another direction than the first and are left out."));
    }
    let slices = places.iter().flatten().max().map_or(1, |last| last + 1);
    (places, slices)
}

/// The segments by the names that the file gives them.
fn names(contents: &Contents) -> Option<String> {
    let named = contents.segments.iter().filter_map(|segment| {
        let number = number(segment, tags::SEGMENT_NUMBER)?;
        Some(
            text(segment, tags::SEGMENT_LABEL)
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
