//! Reads the chunks and frames of a WebP file before it is decoded. The decoder allocates memory for a frame
//! before it compares the frame's size with the size in the file header.

/// The start code of a lossy frame (RFC 6386, 9.1).
const START: [u8; 3] = [0x9d, 0x01, 0x2a];

/// Iterates over the name and content of every complete chunk of the container (RFC 9649, 2.3).
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 12;
    std::iter::from_fn(move || {
        let (name, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        at = at.checked_add(length.checked_next_multiple_of(2)?)?.checked_add(8)?;
        Some((*name, rest.get(..length)?))
    })
}

/// Returns the number of images of an animation, or 1 if it is not an animation.
pub(super) fn frames(bytes: &[u8]) -> usize {
    chunks(bytes).filter(|(name, _)| name == b"ANMF").count().max(1)
}

/// Returns whether an image of the file was compressed lossily.
pub(super) fn is_lossy(bytes: &[u8]) -> bool {
    let is_so = |(name, _): ([u8; 4], &[u8])| name == *b"VP8 ";
    chunks(bytes).any(|(name, content)| {
        // The header of an animation frame has 16 bytes, four more than that of a file.
        let mut within = content.get(4..).filter(|_| name == *b"ANMF").into_iter().flat_map(chunks);
        is_so((name, content)) || within.any(is_so)
    })
}

/// Returns the number of pixels of the largest lossy frame, or 0 if there is none. Every position is searched at
/// which the decoder could find a frame.
pub(super) fn largest_frame(bytes: &[u8]) -> u64 {
    let chunks = bytes.windows(4).enumerate().filter(|(_, name)| name == b"VP8 ");
    let size = |(at, _): (usize, &[u8])| -> Option<u64> {
        let [start @ .., a, b, c, d] = *bytes.get(at + 11..)?.first_chunk::<7>()?;
        let side = |low, high| u64::from(u16::from_le_bytes([low, high]) & 0x3fff);
        (start == START).then(|| side(a, b) * side(c, d))
    };
    chunks.filter_map(size).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_within_another_chunk() {
        let frame = [b"VP8 \x0a\0\0\0\x10\0\0".as_slice(), &START, &[0xff, 0x3f, 0x10, 0x40]].concat();
        assert_eq!(largest_frame(&[b"RIFF____WEBPANMF____".as_slice(), &frame].concat()), 0x3fff * 0x10);
        assert_eq!(largest_frame(&frame[..frame.len() - 1]), 0, "cut");
        assert_eq!(largest_frame(b"RIFF____WEBPVP8L"), 0);
    }

    #[test]
    fn frames_and_losses_are_told() {
        let chunk = |name: &[u8; 4], content: &[u8]| {
            [name.as_slice(), &(content.len() as u32).to_le_bytes(), content, &[0][..content.len() % 2]].concat()
        };
        let file = |parts: &[Vec<u8>]| [b"RIFF____WEBP".to_vec(), parts.concat()].concat();
        let frame = |kind| chunk(b"ANMF", &[vec![0; 16], chunk(kind, b"x")].concat());
        assert!(is_lossy(&file(&[chunk(b"VP8 ", b"odd")])));
        assert!(!is_lossy(&file(&[chunk(b"VP8X", b"odd"), chunk(b"VP8L", b"x")])));
        let moving = file(&[chunk(b"VP8X", b"odd"), frame(b"VP8L"), frame(b"VP8 ")]);
        assert!(is_lossy(&moving));
        assert_eq!(frames(&moving), 2);
        assert!(!is_lossy(&file(&[frame(b"VP8L")])));
    }
}
