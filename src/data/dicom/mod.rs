//! DICOM files: one picture, several frames, or the slices of a series. Reading is dicom-rs's; what the attributes mean is here.

mod attributes;
mod guard;
mod jpeg12;
mod lut;
mod pixels;
mod series;

use std::io::Read;
use std::path::Path;

use dicom_object::{FileDicomObject, InMemDicomObject, OpenFileOptions};
use dicom_pixeldata::PixelDecoder;

use super::error::one_line;
use super::scan::{Kind, Mapping, NamedWindow, Private, Scan, Values, Window};
use super::{DataError, Limit};
use attributes::Attributes;
pub use series::{Series, open_series, series_in};

/// Bytes of a file that are looked at for its header.
const HEADER: u64 = 1 << 18;

type Object = FileDicomObject<InMemDicomObject>;

/// Whether the first bytes of a file (at least 132) may be those of a DICOM file, with or without a preamble.
pub fn is_dicom(bytes: &[u8]) -> bool {
    if bytes.len() >= 132 && &bytes[128..132] == b"DICM" {
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
pub fn open(path: &Path, limit: Limit) -> Result<Scan, DataError> {
    let mut object = read(path, limit, false)?;
    let attributes = Attributes::of(path, &object)?;
    scan(path, &mut object, &attributes, limit)
}

/// The object in a file; where `only_header`, up to its pixels.
fn read(path: &Path, limit: Limit, only_header: bool) -> Result<Object, DataError> {
    let length = std::fs::metadata(path).map_err(|error| DataError::reading(path, &error))?.len();
    if !only_header {
        limit.allow(path, length)?;
    }
    let mut head = Vec::new();
    let mut file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let taken = file.by_ref().take(132).read_to_end(&mut head);
    taken.map_err(|error| DataError::reading(path, &error))?;
    if !is_dicom(&head) {
        return Err(DataError::NotDicom { path: path.to_owned() });
    }
    let has_preamble = head.len() == 132 && &head[128..] == b"DICM";
    // Of a header alone the beginning of the file is enough.
    let most = if only_header { HEADER } else { length };
    file.take(most).read_to_end(&mut head).map_err(|error| DataError::reading(path, &error))?;
    let guarded = match guard::meta_group(&head, if has_preamble { 132 } else { 0 }) {
        Some((start, syntax)) => guard::Writing::of(&syntax).map(|writing| (start, writing)),
        None if !has_preamble => {
            let is_explicit = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
            Some((0, guard::Writing { is_explicit, is_big: false }))
        }
        None => None,
    };
    if let Some((start, writing)) = guarded {
        guard::check(&head, start, length, writing).map_err(|reason| DataError::damaged(path, reason))?;
    }
    if !has_preamble && head[0] == 8 {
        return bare(path, &head);
    }
    let mut options = OpenFileOptions::new();
    if only_header {
        options = options.read_until(dicom_dictionary_std::tags::PIXEL_DATA);
    }
    match options.open_file(path) {
        Ok(object) => Ok(object),
        // Some writers put more into the file's own group than the standard allows; what is needed of it is one element.
        Err(error) => {
            mended(path, has_preamble, only_header).ok_or_else(|| DataError::damaged(path, chain(&error)))
        }
    }
}

/// Reads a file whose group 2 dicom-rs refuses, with a group 2 that says no more than how the rest is written.
fn mended(path: &Path, has_preamble: bool, only_header: bool) -> Option<Object> {
    let bytes = std::fs::read(path).ok()?;
    let start = if has_preamble { 132 } else { 0 };
    let (place, syntax) = guard::meta_group(&bytes, start)?;
    let mut whole = Vec::with_capacity(bytes.len() + 512);
    whole.resize(128, 0);
    let meta = meta(&syntax).build().ok()?;
    whole.extend(b"DICM");
    meta.write(&mut whole).ok()?;
    whole.extend(&bytes[place..]);
    let mut options = OpenFileOptions::new();
    if only_header {
        options = options.read_until(dicom_dictionary_std::tags::PIXEL_DATA);
    }
    options.from_reader(std::io::Cursor::new(whole)).ok()
}

/// Group 2 with what it must have.
fn meta(syntax: &str) -> dicom_object::FileMetaTableBuilder {
    dicom_object::FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.7")
        .media_storage_sop_instance_uid("2.25.1")
}

/// A data set without preamble and without the group that says how it is written: implicit or explicit, as its first element shows.
fn bare(path: &Path, head: &[u8]) -> Result<Object, DataError> {
    use dicom_transfer_syntax_registry::entries::{EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN};
    let is_explicit = head[4].is_ascii_uppercase() && head[5].is_ascii_uppercase();
    let syntax = if is_explicit { EXPLICIT_VR_LITTLE_ENDIAN.erased() } else { IMPLICIT_VR_LITTLE_ENDIAN.erased() };
    let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let file = std::io::BufReader::new(file);
    let object = InMemDicomObject::read_dataset_with_ts(file, &syntax)
        .map_err(|error| DataError::damaged(path, chain(&error)))?;
    object.with_meta(meta(syntax.uid())).map_err(|error| DataError::damaged(path, chain(&error)))
}

/// What dicom-rs needs to decode: how the bits lie where the file does not say, and the pieces of a lone frame in one, because its RLE
/// decoder takes each piece for a frame.
fn prepare(object: &mut Object, attributes: &Attributes) {
    use dicom_core::value::{PixelFragmentSequence, Value};
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_dictionary_std::tags;
    let missing = |object: &Object, tag| object.element_opt(tag).is_ok_and(|element| element.is_none());
    for (tag, value) in [
        (tags::BITS_STORED, attributes.bits_stored),
        (tags::HIGH_BIT, attributes.bits_stored.saturating_sub(1)),
        (tags::PIXEL_REPRESENTATION, usize::from(attributes.is_signed)),
        (tags::SAMPLES_PER_PIXEL, attributes.samples),
    ] {
        if missing(object, tag) {
            object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value as u16)));
        }
    }
    let joined = match object.element(tags::PIXEL_DATA).map(dicom_object::mem::InMemElement::value) {
        Ok(Value::PixelSequence(pieces)) if attributes.frames == 1 && pieces.fragments().len() > 1 => {
            pieces.fragments().concat()
        }
        _ => return,
    };
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PixelFragmentSequence::new_fragments(vec![joined])));
}

/// The pixels of an object with what its attributes say of them.
fn scan(path: &Path, object: &mut Object, attributes: &Attributes, limit: Limit) -> Result<Scan, DataError> {
    // Before anything is decoded: what the header claims.
    limit.allow(path, attributes.bytes())?;
    prepare(object, attributes);
    let object = &*object;
    if let Some(values) = twelve_bits(object, attributes) {
        return Ok(described(Scan::plain(attributes.columns, attributes.rows, 1, values), object, attributes));
    }
    let decoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| object.decode_pixel_data()))
        .map_err(|_| DataError::damaged(path, "its pixels cannot be decoded"))?
        .map_err(|error| attributes.refusal(path, &chain(&error)))?;
    let (channels, values) = pixels::values(path, attributes, &decoded, object)?;
    let mut scan = Scan::plain(attributes.columns, attributes.rows, attributes.frames, values);
    scan.channels = channels;
    Ok(described(scan, object, attributes))
}

/// The picture of a file that is compressed as 12 bit JPEG, which dicom-rs does not decode.
fn twelve_bits(object: &Object, attributes: &Attributes) -> Option<Values> {
    use dicom_core::value::Value;
    let is_it = object.meta().transfer_syntax() == "1.2.840.10008.1.2.4.51" && attributes.bits_stored == 12;
    let Value::PixelSequence(pieces) = object.element(dicom_dictionary_std::tags::PIXEL_DATA).ok()?.value() else {
        return None;
    };
    if !is_it || attributes.frames != 1 || attributes.samples != 1 {
        return None;
    }
    let frame = jpeg12::decode(pieces.fragments().first()?)?;
    let fits = (frame.width, frame.height) == (attributes.columns, attributes.rows);
    fits.then_some(Values::U16(frame.samples))
}

/// The picture with what the attributes say of it.
fn described(mut scan: Scan, object: &Object, attributes: &Attributes) -> Scan {
    let channels = scan.channels;
    scan.kind = attributes.kind();
    scan.spacing_mm = attributes.spacing_mm();
    scan.sides = attributes.sides();
    scan.patient = attributes.patient.clone().map(Private);
    if channels == 1 && !attributes.is_palette() {
        scan.is_inverted = attributes.photometric == "MONOCHROME1";
        grey_meaning(&mut scan, object, attributes);
    }
    scan
}

/// Modality LUT or rescale, VOI LUT or windows, padding: in this order (DICOM PS3.3 C.11).
fn grey_meaning(scan: &mut Scan, object: &Object, attributes: &Attributes) {
    scan.mapping = match lut::modality(object, attributes.is_signed) {
        Some(table) => table,
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
        && let Some((table, range)) = lut::voi(object, attributes.is_signed, &scan.mapping)
    {
        scan.mapping = table;
        scan.unit = "";
        scan.windows = vec![NamedWindow { name: "VOI LUT".into(), window: Window::of_range(range[0], range[1]) }];
    }
    scan.padding = attributes.padding.map(|padding| {
        let [slope, intercept] = match &scan.mapping {
            Mapping::Linear(pairs) => pairs[0],
            _ => [1.0, 0.0],
        };
        padding * slope + intercept
    });
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
