//! A look at the lengths in a DICOM file before it is read: dicom-rs takes memory for an element by what the element claims, and a file of
//! a few kilobytes can claim four gigabytes.

/// Undefined length: what follows ends with a delimiter.
const UNDEFINED: u32 = u32::MAX;

/// How elements are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writing {
    /// Whether elements name their type.
    pub is_explicit: bool,
    /// Whether numbers begin with their greatest byte.
    pub is_big: bool,
}

impl Writing {
    /// By the transfer syntax; none where the data set is deflated.
    pub fn of(syntax: &str) -> Option<Self> {
        match syntax {
            "1.2.840.10008.1.2" => Some(Self { is_explicit: false, is_big: false }),
            "1.2.840.10008.1.2.2" => Some(Self { is_explicit: true, is_big: true }),
            "1.2.840.10008.1.2.1.99" => None,
            _ => Some(Self { is_explicit: true, is_big: false }),
        }
    }
}

/// End of group 2 and the transfer syntax that it names; `start` is 132 behind a preamble, else 0.
pub fn meta_group(bytes: &[u8], start: usize) -> Option<(usize, String)> {
    let (mut place, mut syntax) = (start, None);
    while bytes.get(place..place + 2)? == [2, 0] {
        let element = bytes.get(place..place + 8)?;
        let (length, header) = if is_long(&[element[4], element[5]]) {
            let length = bytes.get(place + 8..place + 12)?;
            (u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize, 12)
        } else {
            (usize::from(u16::from_le_bytes([element[6], element[7]])), 8)
        };
        let value = bytes.get(place + header..place.checked_add(header)?.checked_add(length)?)?;
        if element[2..4] == [0x10, 0] {
            syntax = Some(String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).to_owned());
        }
        place += header + length;
    }
    Some((place, syntax?))
}

/// Types whose length has 32 bits (DICOM PS3.5, 7.1.2).
fn is_long(kind: &[u8; 2]) -> bool {
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"].contains(&kind)
}

/// Whether every element from `start` on fits into a file of `total` bytes, as far as `bytes`, its beginning, tell. The error says what
/// does not.
pub fn check(bytes: &[u8], start: usize, total: u64, writing: Writing) -> Result<(), String> {
    let Writing { mut is_explicit, is_big } = writing;
    let word = |at: usize| -> Option<u16> {
        let pair = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let long = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(if is_big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) })
    };
    let mut place = start;
    let mut is_in_pixels = false;
    // Depth of sequences within one of unknown type, which is written implicitly.
    let mut unknown = 0_u32;
    while let (Some(group), Some(element)) = (word(place), word(place + 2)) {
        let (length, header) = if group == 0xfffe || !is_explicit {
            match long(place + 4) {
                Some(length) => (length, 8),
                None => return Ok(()),
            }
        } else {
            let Some(kind) = bytes.get(place + 4..place + 6) else { return Ok(()) };
            let found = if is_long(&[kind[0], kind[1]]) {
                long(place + 8).map(|length| (length, 12))
            } else {
                word(place + 6).map(|length| (u32::from(length), 8))
            };
            let Some((length, header)) = found else { return Ok(()) };
            if kind == b"UN" && length == UNDEFINED {
                is_explicit = false;
                unknown = 1;
            }
            (length, header)
        };
        let content = place + header;
        let is_pixels = (group, element) == (0x7fe0, 0x0010);
        let is_sequence =
            is_explicit && group != 0xfffe && bytes.get(place + 4..place + 6) == Some(b"SQ".as_slice());
        if length != UNDEFINED && content as u64 + u64::from(length) > total {
            let left = total.saturating_sub(content as u64);
            return Err(format!(
                "element ({group:04x},{element:04x}) claims {length} bytes where the file has {left} left"
            ));
        }
        match (group, element) {
            (0xfffe, 0xe0dd) => {
                is_in_pixels = false;
                if unknown > 0 {
                    unknown -= 1;
                    is_explicit |= unknown == 0 && writing.is_explicit;
                }
                place = content;
            }
            // Of items outside of pixels the content is elements, as in a sequence.
            (0xfffe, _) if !is_in_pixels => place = content,
            _ if length == UNDEFINED => {
                is_in_pixels |= is_pixels;
                if unknown > 0 && !(unknown == 1 && header == 12) {
                    unknown += 1;
                }
                place = content;
            }
            _ if is_sequence => place = content,
            _ => place = content + length as usize,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPLICIT: Writing = Writing { is_explicit: true, is_big: false };
    const IMPLICIT: Writing = Writing { is_explicit: false, is_big: false };

    #[test]
    fn a_claim_beyond_the_file_is_found_wherever_it_stands() {
        let element = |length: u32| {
            let mut bytes = vec![0x08, 0, 0x18, 0];
            bytes.extend(length.to_le_bytes());
            bytes.extend([0; 4]);
            bytes
        };
        let good = element(4);
        assert_eq!(check(&good, 0, 12, IMPLICIT), Ok(()));
        let bad = [good.clone(), element(4_000_000_000)].concat();
        assert!(check(&bad, 0, 24, IMPLICIT).is_err_and(|text| text.contains("4000000000 bytes")));
        // Inside an item of a sequence without a length.
        let mut nested = vec![0x08, 0, 0x40, 0x11, b'S', b'Q', 0, 0, 0xff, 0xff, 0xff, 0xff];
        nested.extend([0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff]);
        nested.extend([0x08, 0, 0x50, 0x11, b'U', b'I', 2, 0, b'1', 0]);
        let whole = nested.len() as u64;
        assert_eq!(check(&nested, 0, whole, EXPLICIT), Ok(()));
        nested.extend([0x08, 0, 0x51, 0x11, b'O', b'B', 0, 0, 0, 0, 0, 0x70]);
        assert!(check(&nested, 0, nested.len() as u64, EXPLICIT).is_err());
        // Pieces of pixels are no elements.
        let mut pixels = vec![0xe0, 0x7f, 0x10, 0, b'O', b'B', 0, 0, 0xff, 0xff, 0xff, 0xff];
        pixels.extend([0xfe, 0xff, 0, 0xe0, 8, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        pixels.extend([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
        assert_eq!(check(&pixels, 0, pixels.len() as u64, EXPLICIT), Ok(()));
    }
}
