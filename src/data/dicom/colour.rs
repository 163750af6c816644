//! Determines the colours of decoded samples. The header of the file names the photometric interpretation (DICOM
//! PS3.3 C.7.6.3.1.2), but a codestream may transform its colours itself, and decoders guess if they are given
//! neither.

use crate::data::jpeg::{is_frame, marker, word};
use crate::data::ycbcr;

/// The codes of JPEG markers: the application segments of JFIF and Adobe, and start of scan.
const JFIF: u8 = 0xe0;
const ADOBE: u8 = 0xee;
const SCAN: u8 = 0xda;

/// Interleaves the samples of a frame that has three planes: red, green and blue.
pub fn interleave(frame: &mut [u8]) {
    let planes = frame.to_vec();
    let plane = frame.len() / 3;
    for (index, pixel) in frame.chunks_exact_mut(3).enumerate() {
        pixel.iter_mut().enumerate().for_each(|(channel, out)| *out = planes[channel * plane + index]);
    }
}

/// Expands two luminances and two colour differences for every two pixels (YBR_FULL_422 without compression) to
/// three samples for each pixel.
pub fn expanded(pairs: &[u8]) -> Vec<u8> {
    pairs.as_chunks().0.iter().flat_map(|&[first, second, b, r]| [first, b, r, second, b, r]).collect()
}

/// Converts samples to red, green and blue if their photometric interpretation is luminance and two colour
/// differences. Other samples are not changed.
pub fn to_rgb(photometric: &str, samples: &mut [u8]) {
    if photometric.starts_with("YBR_FULL") {
        ycbcr::to_rgb(samples, ycbcr::Range::Full);
    } else if photometric.starts_with("YBR_PARTIAL") {
        ycbcr::to_rgb(samples, ycbcr::Range::Partial);
    }
}

/// Returns whether the three components of a JPEG frame are red, green and blue, and a note if the header
/// disagrees. Explicit information in the codestream takes precedence: the transform of an Adobe marker,
/// components named R, G and B, a JFIF marker, or fewer samples of two components. Otherwise the header decides.
pub fn of_jpeg(bytes: &[u8], photometric: &str) -> (bool, Option<&'static str>) {
    let header = photometric == "RGB";
    let frame = marker(bytes, is_frame);
    let component =
        |number: usize, part: usize| frame.and_then(|at| bytes.get(at + 10 + 3 * number + part)).copied();
    let adobe = marker(bytes, |code| code == ADOBE || code == SCAN)
        .filter(|at| bytes.get(at + 1) == Some(&ADOBE) && bytes.get(at + 4..at + 9) == Some(b"Adobe"))
        .and_then(|at| bytes.get(at + 15));
    let is_jfif = marker(bytes, |code| code == JFIF || code == SCAN)
        .is_some_and(|at| bytes.get(at + 4..at + 8) == Some(b"JFIF"));
    let is_reduced = component(0, 1) != component(1, 1);
    let names = [0, 1, 2].map(|number| component(number, 0));
    let codestream = match adobe {
        Some(transform) => Some(*transform == 0),
        None if names == [b'R', b'G', b'B'].map(Some) => Some(true),
        None if is_jfif || is_reduced => Some(false),
        None => None,
    };
    let note = match codestream {
        Some(is_rgb) if is_rgb != header => Some(if is_rgb {
            "The header says that colours are luminance and differences, the JPEG stream says red, green, blue; the stream is followed."
        } else {
            "The header says that colours are red, green, blue, the JPEG stream says luminance and differences; the stream is followed."
        }),
        _ => None,
    };
    (codestream.unwrap_or(header), note)
}

/// Returns the frame with its components renamed to R, G, B if `is_rgb`, and otherwise to 1, 2, 3, because the
/// decoder gives these names precedence.
pub fn with_components(bytes: &[u8], is_rgb: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let Some(at) = marker(bytes, is_frame) else { return out };
    let names = if is_rgb { *b"RGB" } else { [1, 2, 3] };
    let Some(old) = bytes.get(at + 10..at + 19).map(|three| [three[0], three[3], three[6]]) else { return out };
    // If two components have the same name, the scans are ambiguous, so nothing is renamed.
    if old[0] == old[1] || old[1] == old[2] || old[0] == old[2] {
        return out;
    }
    let new = |name: u8| old.iter().position(|other| *other == name).map(|place| names[place]);
    (0..3).for_each(|number| out[at + 10 + 3 * number] = names[number]);
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| marker(rest, |code| code == SCAN)) {
        at += next;
        let count = bytes.get(at + 4).copied().map_or(0, usize::from);
        let is_one = word(bytes, at + 2) == Some(6 + 2 * count);
        for place in (0..count).map(|number| at + 5 + 2 * number).filter(|_| is_one) {
            if let Some(name) = out.get_mut(place) {
                *name = new(*name).unwrap_or(*name);
            }
        }
    }
    out
}

/// Returns a note if the header contradicts a JPEG 2000 codestream about whether the codestream transforms its
/// components; `is_transformed` says whether it does.
pub fn of_jpeg2000(is_transformed: bool, photometric: &str) -> Option<&'static str> {
    match (is_transformed, photometric) {
        (false, "YBR_RCT" | "YBR_ICT") => Some(
            "The header says that the JPEG 2000 stream transforms its colours, but it does not; they are shown as stored.",
        ),
        (true, other) if other.starts_with("YBR_FULL") => Some(
            "The header says that colours are luminance and differences, but the JPEG 2000 stream transforms them itself; the stream is followed.",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_of_two_pixels() {
        assert_eq!(expanded(&[10, 20, 1, 2, 30, 40, 3, 4]), [10, 1, 2, 20, 1, 2, 30, 3, 4, 40, 3, 4]);
    }

    #[test]
    fn the_equations_of_the_standard() {
        // Y = 0.299 R + 0.587 G + 0.114 B and so on for the colour (200, 100, 50).
        let mut full = [124, 86, 182];
        to_rgb("YBR_FULL", &mut full);
        assert!(full.iter().zip([200_i16, 100, 50]).all(|(a, b)| (i16::from(*a) - b).abs() <= 1), "{full:?}");
        // The same colour with black at 16: Y = 16 + 0.2568 R + 0.5041 G + 0.0979 B.
        let mut partial = [123, 91, 175];
        to_rgb("YBR_PARTIAL_422", &mut partial);
        assert!(
            partial.iter().zip([200_i16, 100, 50]).all(|(a, b)| (i16::from(*a) - b).abs() <= 2),
            "{partial:?}"
        );
        let mut other = [1, 2, 3];
        to_rgb("RGB", &mut other);
        assert_eq!(other, [1, 2, 3]);
    }

    fn jpeg(before: &[u8], names: [u8; 3], factor: u8) -> Vec<u8> {
        let [a, b, c] = names;
        let mut out = [&[0xff, 0xd8], before].concat();
        out.extend([0xff, 0xc0, 0, 17, 8, 0, 8, 0, 8, 3, a, factor, 0, b, 0x11, 0, c, 0x11, 0]);
        out.extend([0xff, 0xda, 0, 12, 3, a, 0, b, 0, c, 0, 0, 63, 0, 1, 2, 0xff, 0xd9]);
        out
    }

    #[test]
    fn stream_and_header_decide() {
        let adobe = |transform| [b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0".as_slice(), &[transform]].concat();
        let jfif = b"\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";
        let of = |bytes: &[u8], photometric| {
            let (is_rgb, note) = of_jpeg(bytes, photometric);
            (is_rgb, note.is_some())
        };
        let silent = jpeg(&[], [1, 2, 3], 0x11);
        assert_eq!(of(&silent, "RGB"), (true, false));
        assert_eq!(of(&silent, "YBR_FULL_422"), (false, false));
        assert_eq!(of(&jpeg(&[], [1, 2, 3], 0x21), "RGB"), (false, true));
        assert_eq!(of(&jpeg(b"", *b"RGB", 0x11), "YBR_FULL"), (true, true));
        assert_eq!(of(&jpeg(&adobe(0), [1, 2, 3], 0x11), "RGB"), (true, false));
        assert_eq!(of(&jpeg(&adobe(1), [1, 2, 3], 0x11), "RGB"), (false, true));
        assert_eq!(of(&jpeg(jfif, [1, 2, 3], 0x11), "YBR_FULL"), (false, false));
        // The segment of another program says nothing about colours.
        let other = b"\xff\xee\0\x0eOther\0\x64\0\0\0\0\0";
        assert_eq!(of(&jpeg(other, [1, 2, 3], 0x11), "YBR_FULL"), (false, false));
        let named = with_components(&silent, true);
        assert_eq!(named, jpeg(&[], *b"RGB", 0x11));
        assert_eq!(with_components(&named, false), silent);
        let twice = jpeg(&[], [7, 7, 7], 0x11);
        assert_eq!(with_components(&twice, true), twice);
    }
}
