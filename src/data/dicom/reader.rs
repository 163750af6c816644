//! Reads the elements of a DICOM file that its image needs. Everything else is skipped, whatever it claims,
//! because dicom-rs, which interprets these elements, allocates the length that a file claims and follows
//! sequences to any depth.

use std::collections::BTreeMap;
use std::path::Path;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries;

use super::frame::{self, Frame};
use super::stream::{Header, Stream, Writing, is_long};
use super::wanted::{GROUPS, Pixels, SEQUENCES, VALUES, Wanted, of_values};
use super::{chain, is_dicom, is_marked, lut};
use crate::data::error::caught;
use crate::data::{DataError, Limit};

/// The UIDs of transfer syntaxes other than explicit little endian.
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

const ITEM: Tag = Tag(0xfffe, 0xe000);
const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
const TRANSFER_SYNTAX: Tag = Tag(2, 0x10);

/// The largest number of bytes of a value other than a table. The longest values that are read are a patient's
/// name and a list of windows.
const MOST_TEXT: u32 = 16 << 10;
/// The largest number of bytes of a table: 65,536 entries of 16 bits.
const MOST_TABLE: u32 = 128 << 10;
/// The largest depth of nested sequences. Files of scanners have up to six levels.
const DEPTH: usize = 32;
/// The largest number of bytes of a deflated file that are inflated for its header.
const DEFLATED_HEADER: u64 = 64 << 20;

/// Pixels as they are stored in the file.
#[derive(Debug, Default)]
pub enum Stored {
    /// The file has no pixels, or they were not requested.
    #[default]
    None,
    /// Samples that are not compressed.
    Native {
        /// The bytes of the samples.
        bytes: Vec<u8>,
        /// How numbers are written in the file.
        writing: Writing,
        /// Whether the samples are written as words of 16 bits (VR OW), whatever the size of a sample is.
        is_words: bool,
    },
    /// Data in pieces (fragments), which are compressed in most transfer syntaxes.
    Pieces(Pieces),
}

impl Default for Writing {
    fn default() -> Self {
        Self::EXPLICIT
    }
}

/// The pieces (fragments) of encapsulated pixels (DICOM PS3.5 annex A.4).
#[derive(Debug, Default)]
pub struct Pieces {
    /// The bytes of all pieces, one after the other.
    pub bytes: Vec<u8>,
    /// The end of each piece in `bytes`.
    pub ends: Vec<usize>,
    /// The offsets of frames in the file's table. They count from the first piece and include eight bytes for
    /// the header of each piece.
    pub table: Vec<u32>,
}

/// The content of a file that its image needs.
pub struct Contents {
    /// The elements that are interpreted.
    pub object: InMemDicomObject,
    /// The UID of the transfer syntax.
    pub syntax: String,
    /// The pixels.
    pub stored: Stored,
    /// The first table of the Modality LUT Sequence, and that of the VOI LUT Sequence.
    pub tables: [Option<lut::Table>; 2],
    /// The attributes that all frames share.
    pub shared: Option<Frame>,
    /// The attributes of each frame; empty if the file has none.
    pub frames: Vec<Frame>,
    /// The first ultrasound regions of the image.
    pub regions: Vec<InMemDicomObject>,
    /// The descriptions of the first segments.
    pub segments: Vec<Item>,
}

/// An item of a sequence: its own elements, and those of the first item of each of its sequences.
pub struct Item {
    /// The elements of the item itself.
    pub own: InMemDicomObject,
    /// The elements of the first items of its sequences.
    pub nested: BTreeMap<Tag, InMemDicomObject>,
}

impl Item {
    /// Interprets an item. `letters` is the element of the file that states its character set, which holds for
    /// items as well.
    fn of(
        path: &Path,
        mut set: DataSet,
        writing: Writing,
        letters: Option<&(VR, Vec<u8>)>,
    ) -> Result<Self, DataError> {
        let lettered = |set: &mut DataSet| {
            if let Some(letters) = letters {
                set.values.entry(tags::SPECIFIC_CHARACTER_SET).or_insert_with(|| letters.clone());
            }
        };
        let mut nested = BTreeMap::new();
        for (tag, items) in std::mem::take(&mut set.items) {
            if let Some(mut first) = items.into_iter().next() {
                lettered(&mut first);
                nested.insert(tag, object(path, &first, writing)?);
            }
        }
        lettered(&mut set);
        Ok(Self { own: object(path, &set, writing)?, nested })
    }
}

/// The elements of a file or an item that are read.
#[derive(Default)]
struct DataSet {
    /// The value representation and the bytes of each element.
    values: BTreeMap<Tag, (VR, Vec<u8>)>,
    /// The first items of sequences.
    items: BTreeMap<Tag, Vec<DataSet>>,
    frames: Vec<Frame>,
    stored: Stored,
}

impl DataSet {
    /// Returns the elements of an item together with those of the first items of its sequences.
    fn flat(self) -> Self {
        let mut values = self.values;
        for first in self.items.into_values().filter_map(|items| items.into_iter().next()) {
            values.extend(first.flat().values);
        }
        Self { values, ..Self::default() }
    }

    /// Returns the number of frames that NumberOfFrames announces; 1 if it is missing.
    fn announced(&self) -> usize {
        let text = self.values.get(&tags::NUMBER_OF_FRAMES).map(|(_, value)| String::from_utf8_lossy(value));
        text.and_then(|text| text.trim_matches(['\0', ' ']).parse().ok()).unwrap_or(1)
    }
}

/// Reads a file once from beginning to end, or only up to its pixels if `only_header`.
///
/// # Errors
/// Returns an error if the file cannot be read, is not a DICOM file, contradicts itself, or needs more memory
/// than `limit`.
pub fn read(path: &Path, limit: Limit, only_header: bool) -> Result<Contents, DataError> {
    read_elements(path, limit, only_header, VALUES)
}

/// Does the same as [`read`], but reads the elements `values`, which should include [`VALUES`].
///
/// # Errors
/// Returns the errors of [`read`].
pub fn read_elements(
    path: &Path,
    limit: Limit,
    only_header: bool,
    values: &'static [&'static [Tag]],
) -> Result<Contents, DataError> {
    let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let length = file.metadata().map_err(|error| DataError::reading(path, &error))?.len();
    if !only_header {
        limit.allow(path, length)?;
    }
    let mut stream = Stream::of_file(path, file, length, limit);
    let head = stream.peek(132)?;
    if !is_dicom(head) {
        return Err(DataError::NotDicom { path: path.to_owned() });
    }
    if is_marked(head) {
        stream.skip(Tag(0, 0), 132, None)?;
    }
    let syntax = meta_group(&mut stream)?;
    let mut writing = Writing::EXPLICIT;
    let syntax = match syntax {
        Some(syntax) => syntax,
        // The first element shows which of two syntaxes applies.
        None => match stream.peek(6)?.get(4..6) {
            Some(kind) if kind.iter().all(u8::is_ascii_uppercase) => "1.2.840.10008.1.2.1".into(),
            _ => IMPLICIT.into(),
        },
    };
    match syntax.as_str() {
        IMPLICIT => writing = Writing::IMPLICIT,
        BIG_ENDIAN => writing.is_big = true,
        DEFLATED => {
            let most = if only_header { limit.0.min(DEFLATED_HEADER) } else { limit.0 };
            stream = stream.inflated(Limit(most));
        }
        _ => {}
    }
    let pixels = if only_header { Pixels::Stop } else { Pixels::Read };
    let wanted = Wanted { values, sequences: SEQUENCES, pixels };
    let mut set = data_set(&mut stream, writing, None, 0, &wanted)?;
    let mut first = |tag: Tag| set.items.remove(&tag).unwrap_or_default();
    let [modality, voi] = [tags::MODALITY_LUT_SEQUENCE, tags::VOILUT_SEQUENCE].map(|tag| {
        let item = first(tag).into_iter().next()?;
        let [descriptor, data] = [tags::LUT_DESCRIPTOR, tags::LUT_DATA].map(|tag| item.values.get(&tag));
        let (_, descriptor) = descriptor?;
        let (kind, data) = data?;
        Some(lut::Table::new(descriptor, (*kind, data.as_slice()), writing))
    });
    let shared = first(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).into_iter().next();
    let shared = shared.map(|item| object(path, &item.flat(), writing)).transpose()?;
    let regions = first(tags::SEQUENCE_OF_ULTRASOUND_REGIONS);
    let regions = regions.iter().map(|item| object(path, item, writing)).collect::<Result<Vec<_>, _>>()?;
    let segments = first(tags::SEGMENT_SEQUENCE);
    let letters = set.values.get(&tags::SPECIFIC_CHARACTER_SET);
    let segments =
        segments.into_iter().map(|item| Item::of(path, item, writing, letters)).collect::<Result<Vec<_>, _>>()?;
    let object = object(path, &set, writing)?;
    Ok(Contents {
        object,
        syntax,
        stored: set.stored,
        tables: [modality.flatten(), voi.flatten()],
        shared: shared.as_ref().map(Frame::of),
        frames: set.frames,
        regions,
        segments,
    })
}

/// Skips the file meta group and returns the transfer syntax in it, if it has one.
fn meta_group(stream: &mut Stream<'_>) -> Result<Option<String>, DataError> {
    let mut syntax = None;
    while stream.peek(2)? == [2, 0] {
        let Some(header) = stream.header(Writing::EXPLICIT)? else { break };
        match header.length {
            Some(length) if header.tag == TRANSFER_SYNTAX && length <= 64 => {
                let mut value = Vec::new();
                stream.value(header, None, &mut value)?;
                syntax = Some(String::from_utf8_lossy(&value).trim_matches(['\0', ' ']).to_owned());
            }
            Some(length) => stream.skip(header.tag, length, None)?,
            None => return Err(stream.damaged("an element of its first group has no length")),
        }
    }
    Ok(syntax)
}

/// Reads elements up to the position `end`, to a delimiter, or to the end of the file. `depth` is the number of
/// sequences around them.
///
/// # Errors
/// Returns an error if an element is damaged or too long, or if sequences are nested too deep.
fn data_set(
    stream: &mut Stream<'_>,
    writing: Writing,
    end: Option<u64>,
    depth: usize,
    wanted: &Wanted,
) -> Result<DataSet, DataError> {
    if depth > DEPTH {
        return Err(stream.damaged(format!("its sequences are nested more than {DEPTH} deep")));
    }
    let mut set = DataSet::default();
    while end.is_none_or(|end| stream.place() < end) {
        let next = match stream.header(writing) {
            // Data after the pixels do not belong to the image, and some files have invalid data there.
            Err(_) if !matches!(set.stored, Stored::None) => break,
            next => next?,
        };
        let Some(header) = next else { break };
        let Header { tag, vr, length } = header;
        let inner = if vr == VR::UN { Writing { is_explicit: false, ..writing } } else { writing };
        match length {
            _ if tag == ITEM_END && depth > 0 && end.is_none() => break,
            // A delimiter outside a sequence has no effect.
            _ if tag.0 == 0xfffe => {}
            _ if tag == tags::PIXEL_DATA && wanted.pixels == Pixels::Stop => break,
            None if tag == tags::PIXEL_DATA => {
                let pieces = pieces(stream, writing, wanted.pixels == Pixels::Read)?;
                if wanted.pixels == Pixels::Read {
                    set.stored = Stored::Pieces(pieces);
                }
            }
            Some(_) if tag == tags::PIXEL_DATA && wanted.pixels == Pixels::Read => {
                let mut bytes = Vec::new();
                stream.value(header, end, &mut bytes)?;
                set.stored = Stored::Native { bytes, writing, is_words: vr == VR::OW };
            }
            _ if tag == tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE && depth == 0 => {
                let behind = stream.end_of(header, end)?;
                let (path, limit, most) = (stream.path(), stream.limit(), set.announced());
                set.frames.clear();
                items(stream, inner, behind, depth, &GROUPS, &mut |item| {
                    limit.allow(path, (set.frames.len() as u64 + 1) * frame::FRAME)?;
                    set.frames.push(Frame::of(&object(path, &item.flat(), inner)?));
                    Ok(set.frames.len() < most)
                })?;
            }
            _ if wanted.sequences.iter().any(|sequence| sequence.tag == tag) => {
                let behind = stream.end_of(header, end)?;
                let Some(sequence) = wanted.sequences.iter().find(|sequence| sequence.tag == tag) else {
                    continue;
                };
                let found = set.items.entry(tag).or_default();
                found.clear();
                items(stream, inner, behind, depth, sequence.of_item, &mut |item| {
                    found.push(item);
                    Ok(found.len() < sequence.most)
                })?;
            }
            None => items(stream, inner, None, depth, &of_values(&[]), &mut |_| Ok(false))?,
            Some(length) if wanted.has(tag) && vr != VR::SQ => {
                let most = if is_table(tag) { MOST_TABLE } else { MOST_TEXT };
                if length > most {
                    let Tag(group, element) = tag;
                    let reason = format!("element ({group:04x},{element:04x}) has {length} bytes, {most} at most");
                    return Err(stream.damaged(reason));
                }
                let mut value = Vec::new();
                stream.value(header, end, &mut value)?;
                set.values.insert(tag, (vr, value));
            }
            Some(length) => match stream.skip(tag, length, end) {
                Err(_) if !matches!(set.stored, Stored::None) => break,
                done => done?,
            },
        }
    }
    Ok(set)
}

/// Returns whether an element is a look-up table.
fn is_table(tag: Tag) -> bool {
    [
        tags::LUT_DATA,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ]
    .contains(&tag)
}

/// Reads the items of a sequence up to the position `end` or to its delimiter. `take` receives the wanted
/// elements of each item and returns whether it wants more; further items are skipped.
fn items(
    stream: &mut Stream<'_>,
    writing: Writing,
    end: Option<u64>,
    depth: usize,
    wanted: &Wanted,
    take: &mut dyn FnMut(DataSet) -> Result<bool, DataError>,
) -> Result<(), DataError> {
    let mut is_wanted = !(wanted.values.is_empty() && wanted.sequences.is_empty());
    while end.is_none_or(|end| stream.place() < end) {
        let Some(header) = stream.header(writing)? else { break };
        match (header.tag, header.length) {
            (SEQUENCE_END, _) => break,
            (ITEM, Some(length)) if !is_wanted => stream.skip(ITEM, length, end)?,
            (ITEM, _) => {
                let behind = stream.end_of(header, end)?;
                let passed = of_values(&[]);
                let item = data_set(stream, writing, behind, depth + 1, if is_wanted { wanted } else { &passed })?;
                is_wanted = is_wanted && take(item)?;
            }
            _ => return Err(stream.damaged("a sequence contains something other than items")),
        }
    }
    Ok(())
}

/// Reads the pieces of encapsulated pixels, or skips them unless `is_wanted`. A file may end after any of them.
fn pieces(stream: &mut Stream<'_>, writing: Writing, is_wanted: bool) -> Result<Pieces, DataError> {
    let Some(left) = stream.left() else {
        return Err(stream.damaged("its pixels are compressed twice"));
    };
    let mut pieces = Pieces::default();
    let mut is_first = true;
    while let Some(header) = stream.header(writing)? {
        match (header.tag, header.length) {
            (SEQUENCE_END, _) => break,
            (ITEM, Some(length)) if !is_wanted => stream.skip(header.tag, length, None)?,
            (ITEM, Some(_)) if is_first => {
                let mut table = Vec::new();
                stream.value(header, None, &mut table)?;
                pieces.table = table.as_chunks().0.iter().map(|&four| u32::from_le_bytes(four)).collect();
                pieces.bytes.reserve_exact(left as usize);
            }
            (ITEM, Some(_)) => {
                stream.value(header, None, &mut pieces.bytes)?;
                pieces.ends.push(pieces.bytes.len());
            }
            _ => return Err(stream.damaged("its pixels contain something other than pieces")),
        }
        is_first = false;
    }
    Ok(pieces)
}

/// Returns the number of bytes of one number of a value representation; 1 for texts and bytes.
fn unit(vr: VR) -> usize {
    match vr {
        VR::OW | VR::SS | VR::US => 2,
        VR::AT | VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}

/// Returns the elements as interpreted by dicom-rs. They are first rewritten with correct value representations
/// and lengths.
fn object(path: &Path, set: &DataSet, writing: Writing) -> Result<InMemDicomObject, DataError> {
    let word = |value: u16| if writing.is_big { value.to_be_bytes() } else { value.to_le_bytes() };
    let long = |value: u32| if writing.is_big { value.to_be_bytes() } else { value.to_le_bytes() };
    let mut bytes = Vec::new();
    for (tag, (vr, value)) in &set.values {
        let known = || StandardDataDictionary.by_tag(*tag).map_or(VR::UN, |entry| entry.vr().relaxed());
        let vr = if *vr == VR::UN { known() } else { *vr };
        // dicom-rs would continue in the middle of a value whose length is not a multiple of its numbers.
        let value = &value[..value.len() - value.len() % unit(vr)];
        bytes.extend(word(tag.0));
        bytes.extend(word(tag.1));
        bytes.extend_from_slice(vr.to_string().as_bytes());
        if is_long(vr) {
            bytes.extend([0, 0]);
            bytes.extend(long(value.len() as u32));
        } else {
            bytes.extend(word(value.len() as u16));
        }
        bytes.extend_from_slice(value);
    }
    let little = || entries::EXPLICIT_VR_LITTLE_ENDIAN.erased();
    let syntax = if writing.is_big { entries::EXPLICIT_VR_BIG_ENDIAN.erased() } else { little() };
    caught(path, || {
        let read = InMemDicomObject::read_dataset_with_ts(bytes.as_slice(), &syntax);
        read.map_err(|error| DataError::damaged(path, chain(&error)))
    })
}
