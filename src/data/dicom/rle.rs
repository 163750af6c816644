//! Run-length encoding (DICOM PS3.5 annex G). It is decoded here because the library's decoder allocates memory
//! for as many segments as the data claim and unpacks a segment of any length.

/// The largest number of segments that the header can hold.
const SEGMENTS: usize = 15;

/// Decodes a frame of `pixels` pixels with `samples` samples of `bytes` bytes each. The samples of the result
/// are interleaved, with the least significant byte first. Returns `None` if the frame is damaged.
pub fn decode(frame: &[u8], pixels: usize, samples: usize, bytes: usize) -> Option<Vec<u8>> {
    let long = |at: usize| Some(u32::from_le_bytes(*frame.get(at..at + 4)?.first_chunk()?) as usize);
    let count = samples.checked_mul(bytes)?;
    if count == 0 || count > SEGMENTS || long(0)? < count {
        return None;
    }
    let stride = count;
    let mut out = vec![0; pixels.checked_mul(stride)?];
    for segment in 0..count {
        let start = long(4 + 4 * segment)?;
        let end = if segment + 1 < long(0)?.min(SEGMENTS) { long(8 + 4 * segment)? } else { frame.len() };
        // The segments of a sample begin with its most significant byte.
        let (sample, byte) = (segment / bytes, bytes - 1 - segment % bytes);
        let places = out.iter_mut().skip(sample * bytes + byte).step_by(stride);
        unpack(frame.get(start..end)?, places)?;
    }
    Some(out)
}

/// Unpacks the runs and literals of a segment to `places`. Returns `None` if the segment ends before all places
/// have a byte.
fn unpack<'a>(mut segment: &[u8], mut places: impl Iterator<Item = &'a mut u8>) -> Option<()> {
    let mut next = places.next();
    while next.is_some() {
        let (&head, rest) = segment.split_first()?;
        segment = rest;
        match head {
            0..=127 => {
                let (literal, rest) = segment.split_at_checked(usize::from(head) + 1)?;
                segment = rest;
                for &byte in literal {
                    let Some(place) = next else { break };
                    *place = byte;
                    next = places.next();
                }
            }
            // The standard gives this value no effect.
            128 => {}
            _ => {
                let (&byte, rest) = segment.split_first()?;
                segment = rest;
                for _ in 0..257 - usize::from(head) {
                    let Some(place) = next else { break };
                    *place = byte;
                    next = places.next();
                }
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a frame with a header and these segments.
    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut out = (segments.len() as u32).to_le_bytes().to_vec();
        let mut start = 64;
        for number in 0..SEGMENTS {
            let offset = segments.get(number).map_or(0, |segment| {
                start += segment.len();
                start - segment.len()
            });
            out.extend((offset as u32).to_le_bytes());
        }
        segments.iter().for_each(|segment| out.extend_from_slice(segment));
        out
    }

    #[test]
    fn runs_and_literals_of_words() {
        // Most significant bytes 1, 1, 1; least significant 7, 8, 9.
        let whole = frame(&[&[0xfe, 1], &[0x80, 2, 7, 8, 9]]);
        assert_eq!(decode(&whole, 3, 1, 2), Some(vec![7, 1, 8, 1, 9, 1]));
        // 8-bit colours.
        let colours = frame(&[&[1, 10, 11], &[0xff, 20], &[0, 30, 0, 31]]);
        assert_eq!(decode(&colours, 2, 3, 1), Some(vec![10, 20, 30, 11, 20, 31]));
    }

    #[test]
    fn what_is_cut_or_lies_is_refused() {
        let whole = frame(&[&[0xfe, 1], &[2, 7, 8, 9]]);
        for length in 0..whole.len() {
            assert_eq!(decode(&whole[..length], 3, 1, 2), None, "cut at {length}");
        }
        let mut many = whole.clone();
        many[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decode(&many, 3, 1, 2).is_none_or(|out| out.len() == 6), "four thousand million segments");
        assert_eq!(decode(&whole, 4, 1, 2), None, "a pixel more than there is");
        assert_eq!(decode(&whole, 3, 3, 2), None, "fewer segments than samples");
    }
}
