//! The names and colours of the values of a label map, in ITK-SNAP's label description file beside it.
//!
//! A line is a value, red, green, blue, opacity (0 to 1), whether the label is visible, whether it has a mesh, and the
//! name in quotation marks. Lines that begin with `#` are comments. ITK-SNAP opens it by Segmentation > Import label
//! descriptions.

use std::path::{Path, PathBuf};

use super::NamedLabel;
use crate::data::{DataError, write};

/// The most bytes of a label file that are read; 255 names need a few thousand.
const MOST: u64 = 1 << 20;

const HEADER: &str = "\
################################################
# ITK-SnAP Label Description File
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
# Where:
#    IDX:   Zero-based index
#    -R-:   Red color component (0..255)
#    -G-:   Green color component (0..255)
#    -B-:   Blue color component (0..255)
#    -A-:   Label transparency (0.00 .. 1.00)
#    VIS:   Label visibility (0 or 1)
#    MSH:   Label mesh visibility (0 or 1)
#  LABEL:   Label description
################################################
";

/// Returns the label file of a label map: `mask.labels.txt` for `mask.nii.gz` and `mask.nii`.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let cut = [".nii.gz", ".nii", ".gz"].into_iter().find(|end| name.to_lowercase().ends_with(end));
    let stem = cut.map_or(name.as_ref(), |end| &name[..name.len() - end.len()]);
    path.with_file_name(format!("{stem}.labels.txt"))
}

/// Writes a label file. It is read again and compared before it gets its name.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if it cannot be written, and [`DataError::Differs`] if it reads back differently.
pub fn write(path: &Path, labels: &[NamedLabel]) -> Result<(), DataError> {
    let labels: Vec<NamedLabel> =
        labels.iter().map(|label| NamedLabel { name: writable(label), ..label.clone() }).collect();
    let mut text = HEADER.to_owned() + "    0     0    0    0        0  0  0    \"Clear Label\"\n";
    for NamedLabel { value, name, colour: [r, g, b] } in &labels {
        text += &format!("{value:5} {r:5} {g:4} {b:4}        1  1  1    \"{name}\"\n");
    }
    let check = |part: &Path| match read(part) == labels {
        true => Ok(()),
        false => Err("its labels have other names or colours".into()),
    };
    write::checked(path, |out| out.write_all(text.as_bytes()), check)
}

/// Returns the name of a label as the format can hold it: on one line, without quotation marks, and not empty.
fn writable(label: &NamedLabel) -> String {
    let name = label.name.replace('"', "'").split_whitespace().collect::<Vec<_>>().join(" ");
    // As ITK-SNAP names a label without a name.
    if name.is_empty() { format!("Label {}", label.value) } else { name }
}

/// Reads a label file. Returns no labels if there is no such file; lines that are not as in the format are passed over.
pub fn read(path: &Path) -> Vec<NamedLabel> {
    let is_small = std::fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MOST);
    let Some(bytes) = is_small.then(|| std::fs::read(path).ok()).flatten() else { return Vec::new() };
    String::from_utf8_lossy(&bytes).lines().filter_map(line).collect()
}

fn line(line: &str) -> Option<NamedLabel> {
    let (numbers, name) = line.split_once('"')?;
    let name = name.rsplit_once('"')?.0.trim().to_owned();
    let mut numbers = numbers.split_whitespace().map(|number| number.parse::<f64>().ok());
    let mut byte = || numbers.next()?.filter(|value| (0.0..=255.0).contains(value)).map(|value| value as u8);
    let value = byte()?;
    let colour = [byte()?, byte()?, byte()?];
    (value > 0 && !name.is_empty()).then_some(NamedLabel { value, name, colour })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = beside(&folder.path().join("Mask.NII.gz"));
        assert_eq!(path.file_name().and_then(|name| name.to_str()), Some("Mask.labels.txt"));
        assert_eq!(read(&path), []);
        let named = |value, name: &str| NamedLabel { value, name: name.into(), colour: [255, 0, value] };
        write(&path, &[named(1, "left lung"), named(2, " "), named(255, "a \"b\"\nc")]).expect("written");
        assert_eq!(read(&path), [named(1, "left lung"), named(2, "Label 2"), named(255, "a 'b' c")]);
        // What the reader does not take back is not written: the file stays as it was.
        let long = "x".repeat(1 << 20);
        assert!(matches!(write(&path, &[named(1, &long)]), Err(DataError::Differs { .. })));
        assert_eq!(read(&path).len(), 3);
        write::bytes(&path, b"# x\n1 2 3\n 7 1 2 300 1 1 1 \"bad\"\n8 1 2 3 1 1 1 \"good\"\n\xff\"")
            .expect("written");
        assert_eq!(read(&path), [NamedLabel { value: 8, name: "good".into(), colour: [1, 2, 3] }]);
    }
}
