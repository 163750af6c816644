//! Pixels of the transfer syntax Explicit VR Big Endian (DICOM PS3.5, A.3).

use himix::data::Limit;
use himix::data::Volume;
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
/// in words of 16 bits (OW). `more` are elements before the pixels.
fn read(samples: u16, photometric: &str, [columns, rows, frames]: [u16; 3], more: &[u8], stored: &[u8]) -> Volume {
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
        more.to_vec(),
        element(0x7fe0, 0x10, b"OW", stored),
    ];
    let folder = folder();
    let path = put(&folder, "big.dcm", &bytes.concat());
    open(&path, Limit::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn words(samples: u16, photometric: &str, size: [u16; 3], stored: &[u8]) -> Vec<u8> {
    match read(samples, photometric, size, &[], stored).values {
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

/// A Modality LUT Sequence with the 8-bit entries 5, 6 and 7 in two words, as pydicom 3.0 writes it in this syntax: with the
/// words 0x0605 and 0x0007 as numbers (US), and with the same words as a string of words (OW).
#[test]
fn a_table_of_bytes_in_words() {
    let numbers: &[u8] = &[
        0x00, 0x28, 0x30, 0x00, 0x53, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2c, 0xff, 0xfe, 0xe0, 0x00, 0x00,
        0x00, 0x00, 0x24, 0x00, 0x28, 0x30, 0x02, 0x55, 0x53, 0x00, 0x06, 0x00, 0x03, 0x00, 0x00, 0x00, 0x08,
        0x00, 0x28, 0x30, 0x04, 0x4c, 0x4f, 0x00, 0x02, 0x55, 0x53, 0x00, 0x28, 0x30, 0x06, 0x55, 0x53, 0x00,
        0x04, 0x06, 0x05, 0x00, 0x07,
    ];
    let words: &[u8] = &[
        0x00, 0x28, 0x30, 0x00, 0x53, 0x51, 0x00, 0x00, 0x00, 0x00, 0x00, 0x30, 0xff, 0xfe, 0xe0, 0x00, 0x00,
        0x00, 0x00, 0x28, 0x00, 0x28, 0x30, 0x02, 0x55, 0x53, 0x00, 0x06, 0x00, 0x03, 0x00, 0x00, 0x00, 0x08,
        0x00, 0x28, 0x30, 0x04, 0x4c, 0x4f, 0x00, 0x02, 0x55, 0x53, 0x00, 0x28, 0x30, 0x06, 0x4f, 0x57, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x04, 0x06, 0x05, 0x00, 0x07,
    ];
    for sequence in [numbers, words] {
        // The pixels 2, 0 and 1, and the byte that fills the last word.
        let volume = read(1, "MONOCHROME2 ", [3, 1, 1], sequence, &[0, 2, 0, 1]);
        assert_eq!(volume.slice(0).floats().collect::<Vec<_>>(), [7.0, 5.0, 6.0]);
    }
}
