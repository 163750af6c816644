//! Pixels of the transfer syntax Explicit VR Big Endian (DICOM PS3.5, A.3).

use himix::data::Limit;
use himix::data::dicom::open;
use himix::data::volume::StoredPixels;

use super::fixtures::{folder, put};
use super::hostile::dicom_start;

/// Makes an element with the most significant byte first.
fn element(group: u16, number: u16, kind: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = [group, number].iter().flat_map(|part| part.to_be_bytes()).collect();
    out.extend(kind);
    if [b"OB", b"OW"].contains(&kind) {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_be_bytes());
    } else {
        out.extend((value.len() as u16).to_be_bytes());
    }
    out.extend(value);
    out
}

/// Reads an 8-bit image of `columns` by `rows` pixels and `frames` frames whose pixels are stored as these bytes,
/// in words of 16 bits (OW).
fn words(samples: u16, photometric: &str, [columns, rows, frames]: [u16; 3], stored: &[u8]) -> Vec<u8> {
    let number = |number, value: u16| element(0x28, number, b"US", &value.to_be_bytes());
    let bytes = [
        dicom_start("1.2.840.10008.1.2.2"),
        number(2, samples),
        element(0x28, 4, b"CS", photometric.as_bytes()),
        number(6, 0),
        element(0x28, 8, b"IS", format!("{frames} ").as_bytes()),
        number(0x10, rows),
        number(0x11, columns),
        number(0x100, 8),
        number(0x101, 8),
        number(0x102, 7),
        number(0x103, 0),
        element(0x7fe0, 0x10, b"OW", stored),
    ];
    let folder = folder();
    let path = put(&folder, "big.dcm", &bytes.concat());
    match open(&path, Limit::default()).unwrap_or_else(|error| panic!("{error}")).values {
        StoredPixels::U8(values) => values,
        other => panic!("{other:?}"),
    }
}

/// The first of two bytes in a word is the less significant one, which comes second here. With an odd number of
/// bytes, the one that fills the last word comes before the last pixel. pydicom reads the same.
#[test]
fn an_odd_number_of_bytes_in_words() {
    assert_eq!(words(1, "MONOCHROME2 ", [3, 1, 1], &[2, 1, 0, 3]), [1, 2, 3]);
    assert_eq!(words(1, "MONOCHROME2 ", [2, 1, 1], &[2, 1]), [1, 2]);
    // Frames of three pixels each: the second begins within a word.
    assert_eq!(words(1, "MONOCHROME2 ", [3, 1, 3], &[2, 1, 4, 3, 6, 5, 8, 7, 0, 9]), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(words(3, "RGB ", [1, 1, 1], &[2, 1, 0, 3]), [1, 2, 3]);
}

/// Two pixels share their colour differences (DICOM PS3.3, C.7.6.3.1.2): luminances 50 and 100, differences 128
/// (none) and 178, of which R = Y + 1.402 · 50 and G = Y − 0.7141 · 50.
#[test]
fn colours_for_every_other_pixel_in_words() {
    let colours = words(3, "YBR_FULL_422", [2, 1, 1], &[100, 50, 178, 128]);
    for (found, wanted) in colours.iter().zip([120, 14, 50, 170, 64, 100_u8]) {
        assert!(found.abs_diff(wanted) <= 1, "{colours:?}");
    }
    assert_eq!(colours.len(), 6);
}
