//! NumPy archives: a zip file with an array in each entry.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use super::{TensorSource, WeightsError};

const MEND: &str = "download it again";
/// The most bytes of a zip file's end that can hold its last record: the record and the longest comment.
const LONGEST_END: u64 = 22 + 65_535;
/// The most bytes of the list of entries, and of the header of an array.
const LONGEST_LIST: u64 = 16 << 20;
const LONGEST_HEADER: usize = 1 << 16;
/// The most bytes of an array.
const LONGEST_ARRAY: u64 = 4 << 30;

/// An archive of arrays of 32-bit numbers.
pub struct NpzFile {
    path: PathBuf,
    arrays: BTreeMap<String, Array>,
}

/// An array in the archive.
struct Array {
    entry: Entry,
    shape: Vec<usize>,
    /// The number of bytes before the values.
    header: usize,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    F32,
    F64,
}

impl Kind {
    fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// An entry of the zip file.
struct Entry {
    /// The position of its local header.
    start: u64,
    /// The number of bytes in the file.
    packed: u64,
    /// The number of bytes of the content.
    size: u64,
    is_deflated: bool,
}

/// The little-endian number of `N` bytes at a place; `None` beyond the end.
fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut value = [0u8; 8];
    value[..N].copy_from_slice(bytes.get(at..at.checked_add(N)?)?);
    Some(u64::from_le_bytes(value))
}

impl NpzFile {
    /// Reads the list of the arrays and their headers.
    ///
    /// # Errors
    /// The file cannot be read, is no such archive, is damaged, or has an array of another kind of number.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let fail = |reason: String| WeightsError::file(path, reason);
        let mut file = File::open(path)
            .map_err(|error| fail(format!("the archive cannot be opened ({error}); check the path")))?;
        let entries = entries(&mut file)
            .map_err(|reason| fail(format!("this is no readable NumPy archive, .npz ({reason}); {MEND}")))?;
        let mut arrays = BTreeMap::new();
        for (name, entry) in entries {
            let Some(key) = name.strip_suffix(".npy") else { continue };
            let array = array(&mut file, entry).map_err(|reason| fail(format!("{key}: {reason}; {MEND}")))?;
            arrays.insert(key.to_owned(), array);
        }
        if arrays.is_empty() {
            return Err(fail("the archive holds no arrays; choose the file with the weights".into()));
        }
        Ok(Self { path: path.to_path_buf(), arrays })
    }
}

impl TensorSource for NpzFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.arrays.iter().map(|(name, array)| (name.clone(), array.shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |reason: String| WeightsError::file(&self.path, reason);
        let array = self.arrays.get(name).ok_or_else(|| fail(format!("there is no array {name}; {MEND}")))?;
        let mut file = File::open(&self.path).map_err(|error| fail(format!("it cannot be opened ({error})")))?;
        let bytes = content(&mut file, &array.entry, array.entry.size as usize)
            .map_err(|reason| fail(format!("{name}: {reason}; {MEND}")))?;
        let values = &bytes[array.header..];
        Ok(match array.kind {
            Kind::F32 => values.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Kind::F64 => values.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as f32).collect(),
        })
    }
}

/// Reads the list of entries at the end of a zip file.
fn entries(file: &mut File) -> Result<Vec<(String, Entry)>, String> {
    let words = |error: std::io::Error| error.to_string();
    let length = file.seek(SeekFrom::End(0)).map_err(words)?;
    let end_length = length.min(LONGEST_END);
    let end = part(file, length - end_length, end_length)?;
    let at = end.windows(4).rposition(|four| four == b"PK\x05\x06").ok_or("it has no list of entries")?;
    let comment = number::<2>(&end, at + 20).ok_or("its list of entries is cut off")?;
    if at as u64 + 22 + comment != end_length {
        return Err("its end is damaged".into());
    }
    let of_end = |place: usize| number::<4>(&end, at + place).ok_or("its list of entries is cut off");
    let (count, size, start) = (number::<2>(&end, at + 10).unwrap_or(0), of_end(12)?, of_end(16)?);
    if size > LONGEST_LIST || start.checked_add(size).is_none_or(|end| end > length) {
        return Err("its list of entries is damaged".into());
    }
    let list = part(file, start, size)?;
    let (mut entries, mut at) = (Vec::new(), 0);
    for _ in 0..count {
        let field = |place: usize| number::<4>(&list, at + place).ok_or("its list of entries is cut off");
        let short = |place: usize| number::<2>(&list, at + place).ok_or("its list of entries is cut off");
        if field(0)? != 0x0201_4b50 {
            return Err("its list of entries is damaged".into());
        }
        let (method, packed, size, start) = (short(10)?, field(20)?, field(24)?, field(42)?);
        let [name, extra, comment] = [short(28)?, short(30)?, short(32)?].map(|length| length as usize);
        let bytes = list.get(at + 46..at + 46 + name).ok_or("its list of entries is cut off")?;
        let name_text = String::from_utf8_lossy(bytes).into_owned();
        if !matches!(method, 0 | 8) || short(8)? & 1 != 0 {
            return Err(format!("{name_text} is packed in a way that is not known"));
        }
        if [packed, size, start].contains(&u64::from(u32::MAX)) || size > LONGEST_ARRAY {
            return Err(format!("{name_text} is larger than 4 GB"));
        }
        entries.push((name_text, Entry { start, packed, size, is_deflated: method == 8 }));
        at += 46 + name + extra + comment;
    }
    Ok(entries)
}

fn part(file: &mut File, start: u64, length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(start)).map_err(|error| error.to_string())?;
    file.read_exact(&mut bytes).map_err(|_| "it is cut off".to_owned())?;
    Ok(bytes)
}

/// Reads the first `count` bytes of an entry, or all if there are fewer.
fn content(file: &mut File, entry: &Entry, count: usize) -> Result<Vec<u8>, String> {
    let header = part(file, entry.start, 30)?;
    if number::<4>(&header, 0) != Some(0x0403_4b50) {
        return Err("its entry is damaged".into());
    }
    let [name, extra] = [26, 28].map(|at| number::<2>(&header, at).unwrap_or(0));
    file.seek(SeekFrom::Start(entry.start + 30 + name + extra)).map_err(|error| error.to_string())?;
    let packed = file.take(entry.packed);
    let wanted = entry.size.min(count as u64);
    // What the entry announces is not allocated before it is read.
    let mut bytes = Vec::new();
    let read = match entry.is_deflated {
        true => DeflateDecoder::new(packed).take(wanted).read_to_end(&mut bytes),
        false => packed.take(wanted).read_to_end(&mut bytes),
    };
    match read {
        Ok(length) if length as u64 == wanted => Ok(bytes),
        Ok(_) => Err("it is cut off".into()),
        Err(error) => Err(format!("it cannot be unpacked ({error})")),
    }
}

/// Reads the header of an array.
fn array(file: &mut File, entry: Entry) -> Result<Array, String> {
    let bytes = content(file, &entry, LONGEST_HEADER)?;
    if !bytes.starts_with(b"\x93NUMPY") || bytes.len() < 12 {
        return Err("it is no array".into());
    }
    let (start, length) = match bytes[6] {
        1 => (10, number::<2>(&bytes, 8)),
        _ => (12, number::<4>(&bytes, 8)),
    };
    let header = start + length.unwrap_or(u64::MAX).min(LONGEST_HEADER as u64) as usize;
    let text = bytes.get(start..header).ok_or("its header is damaged")?;
    let text = String::from_utf8_lossy(text).replace(char::is_whitespace, "");
    let kind = if text.contains("'descr':'<f4'") {
        Kind::F32
    } else if text.contains("'descr':'<f8'") {
        Kind::F64
    } else {
        return Err("it does not hold 32-bit or 64-bit floating-point numbers".into());
    };
    if !text.contains("'fortran_order':False") {
        return Err("its values are stored column by column".into());
    }
    let (_, shape) = text.split_once("'shape':(").ok_or("its header has no shape")?;
    let (shape, _) = shape.split_once(')').ok_or("its header has no shape")?;
    let shape: Option<Vec<usize>> =
        shape.split(',').filter(|size| !size.is_empty()).map(|size| size.parse().ok()).collect();
    let shape = shape.ok_or("its shape is damaged")?;
    let count = shape.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
    let needed = count.and_then(|count| count.checked_mul(kind.bytes())?.checked_add(header));
    if needed.map(|needed| needed as u64) != Some(entry.size) {
        return Err(format!("its length does not fit its shape, {shape:?}"));
    }
    Ok(Array { entry, shape, header, kind })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    fn npy(shape: &str, values: &[f32]) -> Vec<u8> {
        let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        bytes
    }

    /// A zip file of these entries, written by the format's description.
    pub fn zip(entries: &[(&str, &str, &[f32])], is_deflated: bool) -> Vec<u8> {
        let (mut file, mut list) = (Vec::new(), Vec::new());
        for (name, shape, values) in entries {
            let content = npy(shape, values);
            let mut packed = content.clone();
            if is_deflated {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(&content).expect("packed");
                packed = encoder.finish().expect("packed");
            }
            let name = format!("{name}.npy");
            let start = file.len() as u32;
            let short = |value: usize| (value as u16).to_le_bytes();
            let long = |value: usize| (value as u32).to_le_bytes();
            let mut middle = Vec::new();
            middle.extend(short(20));
            middle.extend(short(0));
            middle.extend(short(if is_deflated { 8 } else { 0 }));
            middle.extend([0; 8]);
            middle.extend(long(packed.len()));
            middle.extend(long(content.len()));
            middle.extend(short(name.len()));
            middle.extend(short(0));
            file.extend(b"PK\x03\x04");
            file.extend(&middle);
            file.extend(name.bytes());
            file.extend(&packed);
            list.extend(b"PK\x01\x02");
            list.extend(short(20));
            list.extend(&middle);
            list.extend([0; 10]);
            list.extend(start.to_le_bytes());
            list.extend(name.bytes());
        }
        let (start, size) = (file.len() as u32, list.len() as u32);
        file.extend(list);
        file.extend(b"PK\x05\x06\0\0\0\0");
        let count = entries.len() as u16;
        file.extend(count.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(size.to_le_bytes());
        file.extend(start.to_le_bytes());
        file.extend([0, 0]);
        file
    }

    fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
        let path = folder.join("weights.npz");
        crate::atomic_file::write(&path, |out| out.write_all(bytes)).expect("written");
        path
    }

    #[test]
    fn arrays_come_back_whether_they_are_packed_or_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let values: Vec<f32> = (0..24).map(|value| value as f32 / 7.0).collect();
        for is_deflated in [false, true] {
            let bytes = zip(&[("a/b", "(2, 3, 4)", &values), ("one", "(24,)", &values)], is_deflated);
            let file = NpzFile::open(&write(folder.path(), &bytes)).expect("opens");
            assert_eq!(file.shapes()["a/b"], [2, 3, 4]);
            assert_eq!(file.shapes()["one"], [24]);
            assert_eq!(file.read("a/b").expect("read"), values);
            assert!(file.read("c").is_err());
        }
    }

    #[test]
    fn damage_is_refused_and_never_panics() {
        let folder = tempfile::tempdir().expect("a folder");
        let values = [1.0f32; 6];
        let sound = zip(&[("a", "(2, 3)", &values)], true);
        for length in 0..sound.len() {
            let path = write(folder.path(), &sound[..length]);
            assert!(NpzFile::open(&path).is_err(), "{length} bytes");
        }
        for place in 0..sound.len() {
            let mut broken = sound.clone();
            broken[place] ^= 0xff;
            if let Ok(file) = NpzFile::open(&write(folder.path(), &broken)) {
                let _ = file.read("a");
            }
        }
        let wrong = zip(&[("a", "(2, 4)", &values)], false);
        let error = NpzFile::open(&write(folder.path(), &wrong)).err().expect("refused").to_string();
        assert!(error.contains("weights.npz") && error.contains("does not fit its shape"), "{error}");
    }
}
