//! Reads the markers of a JPEG file before it is decoded: what the frame header announces, and whether the file
//! has its end marker. Decoders fill missing image data with grey, which a network would take for tissue.

/// The codes of the markers "start of image" and "end of image" (ITU-T T.81, table B.1).
const START_OF_IMAGE: u8 = 0xD8;
const END_OF_IMAGE: u8 = 0xD9;

/// Returns whether the data have an end marker.
pub(super) fn is_complete(bytes: &[u8]) -> bool {
    length(bytes).is_some()
}

/// Returns the number of bytes up to the end marker, or `None` if it is missing. Segments are skipped by their
/// length, so the end marker of an embedded thumbnail does not count.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)? + 1;
        match *bytes.get(at)? {
            // This is a fill byte; the marker's code follows.
            0xFF => {}
            END_OF_IMAGE => return Some(at + 1),
            // A stuffed zero, a restart marker or another marker without a length.
            0x00 | 0x01 | 0xD0..=START_OF_IMAGE => at += 1,
            _ => {
                let length = bytes.get(at + 1..at + 3)?;
                at += 1 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}

/// Returns the EXIF data (EXIF 2.32, 4.7.2): the content of the first APP1 segment with the identifier "Exif"
/// before the frame header. `None` if there is no such segment.
pub(super) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let at = marker(rest, |code| code == 0xE1 || code == 0xDA || is_frame(code))?;
        if rest[at + 1] != 0xE1 {
            return None;
        }
        let segment = rest.get(at + 4..at + 2 + word(rest, at + 2)?)?;
        if let Some(data) = segment.strip_prefix(b"Exif\0\0") {
            return Some(data);
        }
        // `marker` skips two bytes: the start marker of a file, or here the last bytes of this segment.
        rest = rest.get(at + word(rest, at + 2)?..)?;
    }
}

/// The frame header of a JPEG or JPEG-LS image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// Pixels per row.
    pub columns: usize,
    /// Number of rows.
    pub rows: usize,
    /// Samples per pixel.
    pub samples: usize,
    /// Bits per sample.
    pub bits: usize,
}

impl Frame {
    /// Reads the frame header whose marker is at byte `at`. Returns `None` if the data end early or if the
    /// length in the header does not match its number of samples.
    pub fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let samples = usize::from(*bytes.get(at + 9)?);
        let is_one = word(bytes, at + 2)? == 8 + 3 * samples;
        let (rows, columns) = (word(bytes, at + 5)?, word(bytes, at + 7)?);
        is_one.then_some(Self { columns, rows, samples, bits: usize::from(bytes[at + 4]) })
    }
}

/// Returns the big-endian 16-bit number at byte `at`, or `None` if the data end before it.
pub(super) fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?])))
}

/// Returns the position of the first marker for which `is_it` holds, or `None` if there is none. The first two
/// bytes and the contents of segments are skipped.
pub(super) fn marker(bytes: &[u8], is_it: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = 2;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        match *bytes.get(at + 1)? {
            0xFF => at += 1,
            code if is_it(code) => return Some(at),
            0x00 | 0x01 | 0xD0..=END_OF_IMAGE => at += 2,
            _ => at += 2 + word(bytes, at + 2)?,
        }
    }
}

/// Returns whether this is the code of a marker that begins a frame header.
pub(super) fn is_frame(code: u8) -> bool {
    matches!(code, 0xC0..=0xCF) && !matches!(code, 0xC4 | 0xC8 | 0xCC)
}

/// Returns whether the image is coded progressively (SOF2, SOF6, SOF10 or SOF14 of table B.1).
pub(super) fn is_progressive(bytes: &[u8]) -> bool {
    marker(bytes, is_frame).is_some_and(|at| matches!(bytes[at + 1], 0xC2 | 0xC6 | 0xCA | 0xCE))
}

/// Returns whether the image is coded without loss (SOF3), in which case the colours are stored unchanged.
pub(super) fn is_lossless(bytes: &[u8]) -> bool {
    marker(bytes, is_frame).is_some_and(|at| bytes[at + 1] == 0xC3)
}

/// Returns the frame headers at all positions that a decoder could take for one. This is for files that may
/// contain JPEG data somewhere inside.
pub(super) fn frames(bytes: &[u8]) -> impl Iterator<Item = Frame> {
    let pairs = bytes.windows(2).enumerate().filter(|(_, pair)| pair[0] == 0xFF && is_frame(pair[1]));
    pairs.filter_map(|(at, _)| {
        // Headers that no decoder accepts are left out; otherwise any large file would contain some.
        let frame = Frame::at(bytes, at)?;
        let factors = (0..frame.samples).map(|sample| bytes.get(at + 11 + 3 * sample));
        let mut sides = factors.flat_map(|both| both.map_or([0, 0], |both| [both >> 4, both & 15]));
        let is_one = [8, 12].contains(&frame.bits) && (1..=4).contains(&frame.samples);
        (is_one && sides.all(|side| (1..=4).contains(&side))).then_some(frame)
    })
}

/// Returns the number of scans of the image.
pub(super) fn scans(bytes: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while let Some(next) = bytes.get(at..).and_then(|rest| marker(rest, |code| code == 0xDA)) {
        at += next;
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_header_says_how_a_picture_is_coded() {
        let with = |code: u8| {
            [&[0xff, 0xd8, 0xff, code, 0, 11, 8, 0, 3, 0, 5, 1, 1, 0x11, 0][..], &[0xff, 0xd9]].concat()
        };
        let kinds = [0xc0, 0xc2, 0xc3, 0xca].map(|code| (is_lossless(&with(code)), is_progressive(&with(code))));
        assert_eq!(kinds, [(false, false), (false, true), (true, false), (false, true)]);
        let frame = Frame::at(&with(0xc3), 2).expect("a frame");
        assert_eq!((frame.columns, frame.rows, frame.samples, frame.bits), (5, 3, 1, 8));
    }
}
