//! DICOM files: one image, several frames, or the slices of a series. This module finds elements and compressed
//! data under a memory limit and interprets the attributes. dicom-rs decodes values and pixels.

mod arrange;
pub(super) mod attributes;
mod codestream;
mod colour;
pub(super) mod elements;
pub(super) mod frame;
mod jpeg12;
mod jpeg2000;
mod lut;
mod measure;
mod palette;
mod pixels;
pub(super) mod reader;
mod rle;
pub(super) mod segments;
pub(super) mod series;
mod slices;
mod stack_keys;
pub(super) mod stacks;
mod stream;
mod units;
pub(super) mod wanted;

use std::path::{Path, PathBuf};

use super::error::one_line;
use super::volume::{Geometry, NamedWindow, Private, Source, StoredPixels, ValueMapping, Volume, Window};
use super::{DataError, Limit};
use attributes::Attributes;
use frame::Frame;
use reader::{Contents, read};
pub use series::{Series, recounted, series_in};
pub use slices::open_series;

/// Returns whether the first bytes of a file are the preamble of 128 bytes and the letters "DICM".
pub fn is_marked(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

/// Returns whether the first bytes of a file (at least 132) may be those of a DICOM file, with or without a
/// preamble.
pub fn is_dicom(bytes: &[u8]) -> bool {
    if is_marked(bytes) {
        return true;
    }
    // A file without a preamble begins with an element of group 2 or 8 and a small length.
    let Some(head) = bytes.get(..8) else { return false };
    let group = u16::from_le_bytes([head[0], head[1]]);
    let element = u16::from_le_bytes([head[2], head[3]]);
    let is_explicit = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    (group == 2 || group == 8) && element <= 0x20 && (is_explicit || length < 256)
}

/// The number of stacks of a file that are named in a note.
const NAMED: usize = 6;

/// Splits a path from the number after it, which counts from 1: `brain.dcm#2` is the second stack of frames of
/// `brain.dcm`, `study#2` the second series of the folder `study`, in the order of [`series_in`]. A path that
/// exists as it is has no number.
pub fn of_stack(path: &Path) -> (PathBuf, Option<usize>) {
    let split = || {
        let name = path.file_name()?.to_str()?;
        let (name, number) = name.rsplit_once('#')?;
        let number = number.parse().ok().filter(|number| *number > 0)?;
        let file = path.with_file_name(name);
        (!path.exists() && file.exists()).then_some((file, Some(number)))
    };
    split().unwrap_or_else(|| (path.to_owned(), None))
}

/// Returns the names of the stacks that the frames of a file form, in their order. A file with one stack has a
/// single name.
///
/// # Errors
/// Returns an error if the file is not a DICOM file, has no pixels or is damaged.
pub fn stacks_in(path: &Path) -> Result<Vec<String>, DataError> {
    let mut contents = read(path, Limit::default(), true)?;
    let attributes = Attributes::of(path, &mut contents)?;
    if !attributes.segmentation.is_empty() {
        return Ok(vec![String::new()]);
    }
    Ok(attributes.stacks().into_iter().map(|stack| stack.name).collect())
}

/// Reads one file: an image, or its frames as slices. If the frames form several stacks, the first is read, or
/// the one whose number follows the path (see [`of_stack`]), and a note names the others. A segmentation becomes
/// a label map.
///
/// # Errors
/// Returns an error if the file is not a DICOM file, has no pixels, is damaged, has a compression that is not
/// supported, needs more memory than `limit`, or has no stack of that number.
pub fn open(path: &Path, limit: Limit) -> Result<Volume, DataError> {
    let (file, number) = of_stack(path);
    let mut contents = read(&file, limit, false)?;
    let attributes = Attributes::of(&file, &mut contents)?;
    // The attributes of the frames stay in memory beside the pixels.
    let limit = Limit(limit.0.saturating_sub(attributes.told.len() as u64 * frame::FRAME));
    if !attributes.segmentation.is_empty() {
        return segments::open(&file, contents, &attributes, limit);
    }
    let stacks = attributes.stacks();
    let number = number.unwrap_or(1);
    let Some(stack) = stacks.get(number - 1) else {
        let reason = format!("it has {} stacks of frames, and none has number {number}", stacks.len());
        return Err(DataError::unsupported(&file, &reason, "give the number of an existing one"));
    };
    let mut volume = volume(&file, contents, &attributes, &stack.members, limit)?;
    volume.notes.extend(stack.note.clone());
    if stack.is_mixed {
        let frame_of_reference = std::mem::take(&mut volume.geometry.frame_of_reference);
        volume.geometry = Geometry { frame_of_reference, ..Geometry::default() };
    } else if attributes.told.len() > 1 && volume.geometry.placement.is_none() {
        let is_indexed = attributes.told.iter().all(|frame| !frame.index.is_empty());
        let order = if is_indexed { "the numbers that it gives them" } else { "the file" };
        volume.notes.push(format!("The file has no positions for its frames; they are sorted by {order}."));
    }
    if stacks.len() > 1 {
        volume.notes.push(others(&file, &stacks, number));
    }
    finish(&mut volume, &attributes, &frames_of(&attributes, &stack.members));
    said_of_place(&mut volume);
    Ok(volume)
}

/// Returns a note about a file with several stacks. `shown` is the number of the stack that is read, from 1.
fn others(file: &Path, stacks: &[stacks::Stack], shown: usize) -> String {
    let numbered = stacks.iter().enumerate().filter(|(place, _)| place + 1 != shown).take(NAMED);
    let named: Vec<String> = numbered.map(|(place, stack)| format!("#{} {}", place + 1, stack.name)).collect();
    let more = if stacks.len() > NAMED + 1 { ", …" } else { "" };
    format!(
        "The file has {} stacks of frames; this is #{shown} {}. To open another, add its number to the name of the file, for instance \
         {}#{}: {}{more}.",
        stacks.len(),
        stacks[shown - 1].name,
        file.display(),
        if shown == 1 { 2 } else { 1 },
        named.join(", ")
    )
}

/// Returns the pixels of a file with their attributes, except for those that [`finish`] adds. It has the frames
/// `members` in their order, or all frames in file order if `members` is empty.
fn volume(
    path: &Path,
    mut contents: Contents,
    attributes: &Attributes,
    members: &[usize],
    limit: Limit,
) -> Result<Volume, DataError> {
    // The size that the header claims is checked before anything is decoded.
    limit.allow(path, attributes.bytes())?;
    let stored = std::mem::take(&mut contents.stored);
    let made = pixels::values(path, attributes, stored, &contents.object, limit)?;
    let mut volume = Volume::plain(attributes.columns, attributes.rows, attributes.frames, made.values);
    volume.channels = made.channels;
    if !members.is_empty() {
        let plane = volume.columns * volume.rows * volume.channels;
        arrange::arrange(&mut volume.values, plane, members);
        volume.slices = members.len();
    }
    volume.notes.extend(made.note.map(String::from));
    identified(&mut volume, attributes, members);
    if let Source::Dicom(source) = &mut volume.source {
        source.is_lossy = made.is_lossy;
    }
    if is_grey(&volume, attributes) {
        volume.is_inverted = attributes.photometric == "MONOCHROME1";
        grey_meaning(&mut volume, contents, attributes, members);
    }
    Ok(volume)
}

/// Adds the identity, the geometry and notes for the frames `members` in their order.
fn identified(volume: &mut Volume, attributes: &Attributes, members: &[usize]) {
    volume.modality = attributes.kind();
    volume.geometry = attributes.geometry(members);
    volume.patient = attributes.patient.clone().map(Private);
    let mut source = attributes.source.clone();
    if !members.is_empty() && !members.iter().copied().eq(0..attributes.frames) {
        source.frames = members.iter().map(|member| member + 1).collect();
    }
    volume.source = Source::Dicom(Box::new(source));
    volume.notes.extend(attributes.notes.iter().cloned());
}

/// Adds notes about missing slices and about a tilted stack.
fn said_of_place(volume: &mut Volume) {
    let mm = |length: f64| format!("{:.1} mm", length.abs());
    let gaps = volume.geometry.gaps();
    if let (Some((slice, step)), Some(usual)) = (gaps.first(), volume.geometry.slice_mm) {
        let what = if step.abs() > usual { "a gap of" } else { "a step of only" };
        let more = match gaps.len() {
            1 => String::new(),
            2 => ", and one more such gap".into(),
            count => format!(", and {} more such gaps", count - 1),
        };
        volume.notes.push(format!(
            "The slices are not evenly spaced, some may be missing: {what} {} after slice {} (otherwise {}){more}.",
            mm(*step),
            slice + 1,
            mm(usual)
        ));
    }
    if let Some(degrees) = volume.geometry.tilt() {
        volume
            .notes
            .push(format!("The stack is tilted by {degrees:.1}° relative to its slices; this is not corrected."));
    }
}

/// Returns whether the pixels are grey values.
fn is_grey(volume: &Volume, attributes: &Attributes) -> bool {
    volume.channels == 1 && !attributes.is_palette()
}

/// Returns a linear mapping with one pair of slope and intercept for each slice, or with a single pair if all
/// are equal.
fn linear(pairs: Vec<[f32; 2]>) -> ValueMapping {
    match pairs.as_slice() {
        [first, rest @ ..] if rest.iter().all(|pair| pair == first) => match first {
            [1.0, 0.0] => ValueMapping::Same,
            pair => ValueMapping::Linear(vec![*pair]),
        },
        _ => ValueMapping::Linear(pairs),
    }
}

/// Adds the attributes of a whole file or stack whose slices are `frames`: the curve of its window, if it is the
/// same for all, and its padding value.
fn finish(volume: &mut Volume, attributes: &Attributes, frames: &[&Frame]) {
    if is_grey(volume, attributes) {
        volume.notes.extend(units::without_unit(volume, attributes));
        curve(volume, frames);
        volume.padding = attributes.padding.map(|padding| volume.mapping.of(padding));
    }
}

/// Returns the attributes of the frames `members` in their order, or those of the file if `members` is empty.
fn frames_of<'a>(attributes: &'a Attributes, members: &[usize]) -> Vec<&'a Frame> {
    match members {
        [] => vec![&attributes.own],
        _ => members.iter().map(|member| attributes.frame(*member)).collect(),
    }
}

/// Adds the Modality LUT or rescale, then the windows or, if there are none, the VOI LUT (DICOM PS3.3 C.11).
fn grey_meaning(volume: &mut Volume, contents: Contents, attributes: &Attributes, members: &[usize]) {
    let [modality, voi] = contents.tables;
    let is_table = modality.is_some();
    let frames = frames_of(attributes, members);
    let given: Vec<[f32; 2]> = frames.iter().filter_map(|frame| frame.rescale).collect();
    volume.mapping = match (modality, attributes.dose) {
        (Some(table), _) => table.modality(attributes.is_signed),
        (None, Some(step)) if given.is_empty() => ValueMapping::Linear(vec![[step, 0.0]]),
        (None, _) => linear(frames.iter().map(|frame| frame.rescale.unwrap_or([1.0, 0.0])).collect()),
    };
    let is_whole = given.len() == frames.len() && !is_table;
    if !given.is_empty() && !is_whole && !is_table {
        volume.notes.extend(units::unscaled(frames.len() - given.len(), "frame"));
    }
    if is_whole && frames.iter().all(|frame| units::is_hounsfield(frame, attributes)) {
        volume.unit = "HU";
    } else if given.is_empty() && attributes.dose.is_some() && !is_table {
        volume.unit = "Gy";
    }
    // If frames have different windows, that of the middle frame suits most of them.
    volume.windows = frames[frames.len() / 2].named_windows();
    if attributes.bits_allocated == 1 && volume.windows.is_empty() {
        volume.windows = vec![NamedWindow { name: "0 and 1".into(), window: Window::of_range(0.0, 1.0) }];
    }
    let Some(voi) = voi.filter(|_| volume.windows.is_empty()) else { return };
    if let Some((table, range)) = voi.voi(attributes.is_signed, &volume.mapping) {
        volume.mapping = table;
        volume.unit = "";
        volume.windows =
            vec![NamedWindow { name: "VOI LUT".into(), window: Window::of_range(range[0], range[1]) }];
    } else {
        volume.notes.push(
            "The file's VOI LUT cannot be combined with the rescale of its frames and is not applied.".into(),
        );
    }
}

/// Combines a sigmoid window with the mapping, like a VOI LUT. Values with a unit keep their unit instead.
/// Nothing changes if the file has several windows, or slices with different windows or rescales, because one
/// table could represent only one of them; a note says so.
fn curve(volume: &mut Volume, frames: &[&Frame]) {
    if volume.windows.is_empty() || !frames.iter().any(|frame| frame.is_sigmoid) {
        return;
    }
    let shape = |frame: &Frame| {
        (frame.is_sigmoid, frame.named_windows().iter().map(|named| named.window).collect::<Vec<_>>())
    };
    let is_one_rescale = !matches!(&volume.mapping, ValueMapping::Linear(pairs) if pairs.len() > 1);
    let is_one = is_one_rescale && frames.windows(2).all(|pair| shape(pair[0]) == shape(pair[1]));
    let is_whole = !matches!(volume.values, StoredPixels::F32(_));
    match volume.windows.as_slice() {
        [only] if is_one && volume.unit.is_empty() && is_whole => {
            if let Some(table) = lut::sigmoid(only.window, &volume.mapping) {
                volume.mapping = table;
                let window = Window::of_range(0.0, lut::BRIGHTEST);
                volume.windows = vec![NamedWindow { name: format!("{} (sigmoid)", only.name), window }];
            }
        }
        _ => volume.notes.push("The file's windows are sigmoid curves; they are shown as straight lines.".into()),
    }
}

/// Returns an error with all of its causes as one line.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = one_line(&error);
    let mut below = error.source();
    while let Some(inner) = below {
        let words = one_line(&inner);
        if !text.contains(&words) {
            text += &format!(": {words}");
        }
        below = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_other_stacks_are_named_and_further_ones_are_hinted_at() {
        let note = |count: usize| {
            let stack = |number: usize| stacks::Stack { name: format!("echo {number}"), ..Default::default() };
            others(Path::new("a.dcm"), &(1..=count).map(stack).collect::<Vec<_>>(), 1)
        };
        assert!(note(7).ends_with("a.dcm#2: #2 echo 2, #3 echo 3, #4 echo 4, #5 echo 5, #6 echo 6, #7 echo 7."));
        assert!(note(8).ends_with("#6 echo 6, #7 echo 7, …."), "{}", note(8));
    }
}
