//! The pixels of a segmentation as bytes: bits without padding between frames, or one byte for each pixel.

/// Packs pixels as bits, those of a later frame directly after those of the one before, the first pixel of a byte in
/// its lowest bit (DICOM PS3.5, 8.1.1 and annex D). A value other than 0 is 1. The number of bytes is even.
pub fn bits<'a>(frames: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (place, value) in frames.flatten().enumerate() {
        if place % 8 == 0 {
            bytes.push(0);
        }
        if let (Some(last), true) = (bytes.last_mut(), *value != 0) {
            *last |= 1 << (place % 8);
        }
    }
    even(bytes)
}

/// Joins the pixels of all frames, one byte each. The number of bytes is even.
pub fn bytes<'a>(frames: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    even(frames.flatten().copied().collect())
}

/// Adds a byte if their number is odd.
fn even(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::dicom::segments::unpacked;

    #[test]
    fn frames_of_a_size_that_is_no_multiple_of_eight_follow_each_other() {
        let frames: [[u8; 3]; 3] = [[1, 0, 255], [0, 0, 1], [1, 1, 0]];
        let packed = bits(frames.iter().map(<[u8; 3]>::as_slice));
        assert_eq!(packed, [0b1110_0101, 0b0], "3 × 3 bits, then a byte to make it even");
        for (number, frame) in frames.iter().enumerate() {
            let expected: Vec<u8> = frame.iter().map(|value| u8::from(*value != 0)).collect();
            assert_eq!(unpacked(&packed, 3, number).collect::<Vec<_>>(), expected);
        }
        assert_eq!(bytes([[1_u8, 2, 3].as_slice()].into_iter()), [1, 2, 3, 0]);
    }
}
