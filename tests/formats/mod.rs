//! Headers of DICOM and NIfTI files byte by byte, for files that the tests make.

// Not every test needs both formats.
#![allow(dead_code)]

/// Makes a NIfTI header in mm with space for the extension flag, 352 bytes: sizes of the axes, data type by its code
/// with its bits, and the rows of an sform if the voxels have a position.
pub fn nifti(sizes: &[usize], code: i16, bits: i16, rows: Option<[[f32; 4]; 3]>) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    put(40, &(sizes.len() as u16).to_le_bytes());
    for axis in 0..7 {
        put(42 + 2 * axis, &(sizes.get(axis).copied().unwrap_or(1) as u16).to_le_bytes());
    }
    put(70, &code.to_le_bytes());
    put(72, &bits.to_le_bytes());
    for axis in 0..4 {
        put(76 + 4 * axis, &1_f32.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(123, &[2]);
    if let Some(rows) = rows {
        put(254, &1_i16.to_le_bytes());
        for (at, value) in rows.iter().flatten().enumerate() {
            put(280 + 4 * at, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    bytes
}

/// Makes an element of a DICOM file, explicit VR, least significant byte first; a value of odd length is padded.
pub fn element(group: u16, number: u16, kind: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = [group, number].iter().flat_map(|part| part.to_le_bytes()).collect();
    out.extend(kind);
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if kind == b"UI" { 0 } else { b' ' });
    }
    if kind == b"OW" {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

/// Makes an element of group 0028 with a 16-bit number.
pub fn number(number: u16, value: u16) -> Vec<u8> {
    element(0x28, number, b"US", &value.to_le_bytes())
}

/// Makes a DICOM file of one grey 16-bit image, explicit VR, little-endian: its elements in the order of their tags,
/// `more` among them.
pub fn grey_dicom([columns, rows]: [u16; 2], pixels: &[u16], more: &[Vec<u8>]) -> Vec<u8> {
    let mut elements = vec![
        element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1"),
        number(2, 1),
        element(0x28, 4, b"CS", b"MONOCHROME2"),
        number(0x10, rows),
        number(0x11, columns),
        number(0x100, 16),
        number(0x101, 16),
        number(0x103, 0),
        element(0x7fe0, 0x10, b"OW", &pixels.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>()),
    ];
    elements.extend_from_slice(more);
    let half = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
    elements.sort_by_key(|element| (half(element), half(&element[2..])));
    [vec![0; 128], b"DICM".to_vec(), elements.concat()].concat()
}
