//! Whether a JPEG file has its end. Decoders fill a missing rest with grey, which a network would
//! take for tissue.

/// Start and end of image (ITU-T T.81, table B.1).
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;

/// Walks from marker to marker up to the end marker. Segments are jumped over by their length, so that
/// the end marker of a thumbnail within one does not count.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    loop {
        let Some(at) = rest.iter().position(|&byte| byte == 0xFF) else {
            return false;
        };
        let Some(&marker) = rest.get(at + 1) else {
            return false;
        };
        rest = &rest[at + 1..];
        match marker {
            // A fill byte: the marker's code is still to come.
            0xFF => continue,
            END_OF_IMAGE => return true,
            // A stuffed zero, a restart marker and others that stand alone.
            0x00 | 0x01 | 0xD0..=START_OF_IMAGE => rest = &rest[1..],
            _ => {
                let Some(&[high, low]) = rest.get(1..3) else {
                    return false;
                };
                let length = usize::from(u16::from_be_bytes([high, low]));
                let Some(behind) = rest.get(1 + length..) else {
                    return false;
                };
                rest = behind;
            }
        }
    }
}
