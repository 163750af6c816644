//! DICOM files: one picture, several frames, or the slices of a series. What elements there are and what is compressed is looked at here,
//! under a memory limit; values and pixels are decoded by dicom-rs; what the attributes mean is here.

mod arrange;
mod attributes;
mod codestream;
mod colour;
mod elements;
mod frame;
mod jpeg12;
mod jpeg2000;
mod lut;
mod measure;
mod palette;
mod pixels;
mod reader;
mod rle;
mod segments;
mod series;
mod slices;
mod stacks;
mod stream;
mod units;
mod wanted;

use std::path::{Path, PathBuf};

use super::error::one_line;
use super::volume::{Geometry, NamedWindow, Private, Source, StoredPixels, ValueMapping, Volume, Window};
use super::{DataError, Limit};
use attributes::Attributes;
use frame::Frame;
use reader::{Contents, read};
pub use series::{Series, recounted, series_in};
pub use slices::open_series;

/// Whether the first bytes of a file are a preamble and the letters behind it.
pub fn is_marked(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

/// Whether the first bytes of a file (at least 132) may be those of a DICOM file, with or without a preamble.
pub fn is_dicom(bytes: &[u8]) -> bool {
    if is_marked(bytes) {
        return true;
    }
    // Without a preamble a file begins with an element of group 2 or 8, whose length is small.
    let Some(head) = bytes.get(..8) else { return false };
    let group = u16::from_le_bytes([head[0], head[1]]);
    let element = u16::from_le_bytes([head[2], head[3]]);
    let is_explicit = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    (group == 2 || group == 8) && element <= 0x20 && (is_explicit || length < 256)
}

/// Stacks that are named of those of a file.
const NAMED: usize = 6;

/// A path and the number behind it: `brain.dcm#2` is the second stack of frames of `brain.dcm`, `study#2` the second series of the folder
/// `study`, counted as [`series_in`] has them. Where something has the whole name, it is that.
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

/// Names of the stacks that the frames of a file make, in their order; one where they are one.
///
/// # Errors
/// The file is no DICOM file, has no pixels or is damaged.
pub fn stacks_in(path: &Path) -> Result<Vec<String>, DataError> {
    let mut contents = read(path, Limit::default(), true)?;
    let attributes = Attributes::of(path, &mut contents)?;
    if !attributes.segmentation.is_empty() {
        return Ok(vec![String::new()]);
    }
    Ok(attributes.stacks().into_iter().map(|stack| stack.name).collect())
}

/// Reads one file: a picture, or its frames as slices. Of frames that make several stacks the first is read, or the one whose number stands
/// behind the path ([`of_stack`]); a note names the others. A segmentation becomes a label map.
///
/// # Errors
/// The file is no DICOM file, has no pixels, is damaged, is compressed in a way that is not read, or needs more memory than `limit`; or it
/// has no stack of that number.
pub fn open(path: &Path, limit: Limit) -> Result<Volume, DataError> {
    let (file, number) = of_stack(path);
    let mut contents = read(&file, limit, false)?;
    let attributes = Attributes::of(&file, &mut contents)?;
    // What is said of the frames is kept beside their pixels.
    let limit = Limit(limit.0.saturating_sub(attributes.told.len() as u64 * frame::FRAME));
    if !attributes.segmentation.is_empty() {
        return segments::open(&file, contents, &attributes, limit);
    }
    let stacks = attributes.stacks();
    let number = number.unwrap_or(1);
    let Some(stack) = stacks.get(number - 1) else {
        let reason = format!("it has {} stacks of frames and no number {number}", stacks.len());
        return Err(DataError::unsupported(&file, &reason, "give the number of one that it has"));
    };
    let mut volume = volume(&file, contents, &attributes, &stack.members, limit)?;
    volume.notes.extend(stack.note.clone());
    if stack.is_mixed {
        let frame_of_reference = std::mem::take(&mut volume.geometry.frame_of_reference);
        volume.geometry = Geometry { frame_of_reference, ..Geometry::default() };
    } else if attributes.told.len() > 1 && volume.geometry.placement.is_none() {
        let is_indexed = attributes.told.iter().all(|frame| !frame.index.is_empty());
        let order = if is_indexed { "the numbers that it gives them" } else { "the file" };
        volume
            .notes
            .push(format!("The file does not say where its frames lie; they stand in the order of {order}."));
    }
    if stacks.len() > 1 {
        volume.notes.push(others(&file, &stacks, number));
    }
    finish(&mut volume, &attributes, &frames_of(&attributes, &stack.members));
    said_of_place(&mut volume);
    Ok(volume)
}

/// What there is to say of a file with several stacks, of which number `shown` is read.
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

/// The pixels of a file with what its attributes say of them, but for what [`finish`] adds; of the frames `members` in their order, or of all as
/// they come where none is named.
fn volume(
    path: &Path,
    mut contents: Contents,
    attributes: &Attributes,
    members: &[usize],
    limit: Limit,
) -> Result<Volume, DataError> {
    // Before anything is decoded: what the header claims.
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
    if is_grey(&volume, attributes) {
        volume.is_inverted = attributes.photometric == "MONOCHROME1";
        grey_meaning(&mut volume, contents, attributes, members);
    }
    Ok(volume)
}

/// Who the picture is, where it lies and what there is to say of that; of the frames `members` in their order.
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

/// Says where slices seem to be missing, and that they lean.
fn said_of_place(volume: &mut Volume) {
    let mm = |length: f64| format!("{:.1} mm", length.abs());
    let gaps = volume.geometry.gaps();
    if let (Some((slice, step)), Some(usual)) = (gaps.first(), volume.geometry.slice_mm) {
        let what = if step.abs() > usual { "a gap of" } else { "a step of only" };
        let more = match gaps.len() {
            1 => String::new(),
            2 => ", and one more such place".into(),
            count => format!(", and {} more such places", count - 1),
        };
        volume.notes.push(format!(
            "The slices are not evenly spaced, some may be missing: {what} {} behind slice {} (others {}){more}.",
            mm(*step),
            slice + 1,
            mm(usual)
        ));
    }
    if let Some(degrees) = volume.geometry.tilt() {
        volume.notes.push(format!(
            "The stack leans by {degrees:.1}° against its slices; the picture is not straightened."
        ));
    }
}

fn is_grey(volume: &Volume, attributes: &Attributes) -> bool {
    volume.channels == 1 && !attributes.is_palette()
}

/// One pair for each slice, or one where all have the same.
fn linear(pairs: Vec<[f32; 2]>) -> ValueMapping {
    match pairs.as_slice() {
        [first, rest @ ..] if rest.iter().all(|pair| pair == first) => match first {
            [1.0, 0.0] => ValueMapping::Same,
            pair => ValueMapping::Linear(vec![*pair]),
        },
        _ => ValueMapping::Linear(pairs),
    }
}

/// What is said of a whole file or stack and not of its slices, which are `frames`: the curve of its window, where one is that of all, and its
/// padding.
fn finish(volume: &mut Volume, attributes: &Attributes, frames: &[&Frame]) {
    if is_grey(volume, attributes) {
        volume.notes.extend(units::without_unit(volume, attributes));
        curve(volume, frames);
        volume.padding = attributes.padding.map(|padding| volume.mapping.of(padding));
    }
}

/// What is said of these frames, in their order; of the file where none is named.
fn frames_of<'a>(attributes: &'a Attributes, members: &[usize]) -> Vec<&'a Frame> {
    match members {
        [] => vec![&attributes.own],
        _ => members.iter().map(|member| attributes.frame(*member)).collect(),
    }
}

/// Modality LUT or rescale, VOI LUT or windows: in this order (DICOM PS3.3 C.11).
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
    // Of frames that have windows of their own that of the middle one suits most.
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
        volume
            .notes
            .push("The file's VOI LUT cannot be joined to the rescale of its frames and is not applied.".into());
    }
}

/// A window that is a curve (SIGMOID) goes into the mapping, as a VOI LUT does. Values in Hounsfield units keep their unit instead, and of
/// several windows, or slices with windows or a rescale of their own, one table could show only one.
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

/// An error with everything beneath it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
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
