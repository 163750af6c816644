//! What the frames of a WebP file announce: the decoder takes memory for one before it compares its size with that of the file.

/// Start of a frame (RFC 6386, 9.1).
const START: [u8; 3] = [0x9d, 0x01, 0x2a];

/// Pixels of the largest lossy frame, wherever a chunk of such a frame can begin.
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
}
