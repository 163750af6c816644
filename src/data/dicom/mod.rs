//! DICOM files: one picture, several frames, or the slices of a series. What elements there are and what is compressed is looked at here,
//! under a memory limit; values and pixels are decoded by dicom-rs; what the attributes mean is here.

mod attributes;
mod codestream;
mod jpeg12;
mod jpeg2000;
mod lut;
mod pixels;
mod reader;
mod rle;
mod series;
mod stream;

use std::path::Path;

use super::error::one_line;
use super::volume::{Kind, Mapping, NamedWindow, Private, Values, Volume, Window};
use super::{DataError, Limit};
use attributes::Attributes;
use reader::{Contents, read};
pub use series::{Series, open_series, series_in};

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

/// Reads one file: a picture, or its frames as slices.
///
/// # Errors
/// The file is no DICOM file, has no pixels, is damaged, is compressed in a way that is not read, or needs more memory than `limit`.
pub fn open(path: &Path, limit: Limit) -> Result<Volume, DataError> {
    let contents = read(path, limit, false)?;
    let attributes = Attributes::of(path, &contents)?;
    let mut scan = scan(path, contents, &attributes, limit)?;
    finish(&mut scan, &attributes, true);
    Ok(scan)
}

/// The pixels of a file with what its attributes say of them, but for what [`finish`] adds.
fn scan(path: &Path, mut contents: Contents, attributes: &Attributes, limit: Limit) -> Result<Volume, DataError> {
    // Before anything is decoded: what the header claims.
    limit.allow(path, attributes.bytes())?;
    let stored = std::mem::take(&mut contents.stored);
    let (channels, values) = pixels::values(path, attributes, stored, &contents.object, limit)?;
    let mut scan = Volume::plain(attributes.columns, attributes.rows, attributes.frames, values);
    scan.channels = channels;
    Ok(described(scan, contents, attributes))
}

/// The picture with what the attributes say of it.
fn described(mut scan: Volume, contents: Contents, attributes: &Attributes) -> Volume {
    scan.kind = attributes.kind();
    scan.geometry = attributes.geometry();
    scan.patient = attributes.patient.clone().map(Private);
    if is_grey(&scan, attributes) {
        scan.is_inverted = attributes.photometric == "MONOCHROME1";
        grey_meaning(&mut scan, contents, attributes);
    }
    scan
}

fn is_grey(scan: &Volume, attributes: &Attributes) -> bool {
    scan.channels == 1 && !attributes.is_palette()
}

/// What is said of a whole file or stack and not of its slices: the curve of its window, where one is that of all, and its padding.
fn finish(scan: &mut Volume, attributes: &Attributes, is_one_curve: bool) {
    if is_grey(scan, attributes) {
        curve(scan, attributes, is_one_curve);
        scan.padding = attributes.padding.map(|padding| scan.mapping.of(padding));
    }
}

/// Modality LUT or rescale, VOI LUT or windows: in this order (DICOM PS3.3 C.11).
fn grey_meaning(scan: &mut Volume, contents: Contents, attributes: &Attributes) {
    let [modality, voi] = contents.tables;
    scan.mapping = match modality {
        Some(table) => table.modality(attributes.is_signed),
        None => match attributes.rescale {
            Some([slope, intercept]) if slope != 1.0 || intercept != 0.0 => {
                Mapping::Linear(vec![[slope, intercept]])
            }
            _ => Mapping::Same,
        },
    };
    let is_hounsfield = scan.kind == Kind::Ct && !matches!(scan.mapping, Mapping::Table { .. });
    if is_hounsfield && attributes.rescale_type.as_deref().is_none_or(|unit| unit.eq_ignore_ascii_case("HU")) {
        scan.unit = "HU";
    }
    scan.windows = attributes.windows();
    if scan.windows.is_empty()
        && let Some((table, range)) = voi.and_then(|table| table.voi(attributes.is_signed, &scan.mapping))
    {
        scan.mapping = table;
        scan.unit = "";
        scan.windows = vec![NamedWindow { name: "VOI LUT".into(), window: Window::of_range(range[0], range[1]) }];
    }
}

/// A window that is a curve (SIGMOID) goes into the mapping, as a VOI LUT does. Values in Hounsfield units keep their unit instead, and of
/// several windows one table could show only one.
fn curve(scan: &mut Volume, attributes: &Attributes, is_one: bool) {
    if !attributes.is_sigmoid || scan.windows.is_empty() {
        return;
    }
    let is_whole = !matches!(scan.values, Values::F32(_));
    match scan.windows.as_slice() {
        [only] if is_one && scan.unit.is_empty() && is_whole => {
            if let Some(table) = lut::sigmoid(only.window, &scan.mapping) {
                scan.mapping = table;
                let window = Window::of_range(0.0, lut::BRIGHTEST);
                scan.windows = vec![NamedWindow { name: format!("{} (sigmoid)", only.name), window }];
            }
        }
        _ => scan.notes.push("The file's windows are sigmoid curves; they are shown as straight lines.".into()),
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
