//! Checks what the headers of compressed pixels announce before they are decoded. Decoders allocate memory by
//! these headers and not by those of the DICOM file, and two of the decoders are not written in safe Rust.

use std::ops::Range;

use super::jpeg2000;
use super::reader::Pieces;
use crate::data::jpeg::{self, Frame, is_frame, marker};

/// The largest number of scans of a frame. Each scan takes the time of the whole image although it may have only
/// a few bytes. Encoders make about ten.
const MOST_SCANS: usize = 200;

/// The compression of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// The pixels are not compressed.
    Native,
    /// Run-length encoding (DICOM PS3.5 annex G).
    Rle,
    /// JPEG with 8 or 12 bits, or lossless (ITU-T T.81).
    Jpeg,
    /// JPEG-LS (ITU-T T.87).
    JpegLs,
    /// JPEG 2000 (ITU-T T.800), including its high-throughput form (T.814).
    Jpeg2000,
}

impl Codec {
    /// Returns the codec of a transfer syntax UID, or `None` if it is not supported.
    pub fn of(syntax: &str) -> Option<Self> {
        let syntax = syntax.strip_prefix("1.2.840.10008.1.2")?;
        Some(match syntax {
            "" | ".1" | ".2" | ".1.98" | ".1.99" => Self::Native,
            ".5" => Self::Rle,
            ".4.50" | ".4.51" | ".4.57" | ".4.70" => Self::Jpeg,
            ".4.80" | ".4.81" => Self::JpegLs,
            ".4.90" | ".4.91" | ".4.201" | ".4.202" | ".4.203" => Self::Jpeg2000,
            _ => return None,
        })
    }

    /// Returns the first bytes of every frame; empty if they are not fixed.
    fn magic(self) -> &'static [u8] {
        match self {
            Self::Jpeg | Self::JpegLs => &[0xff, 0xd8, 0xff],
            Self::Jpeg2000 => &[0xff, 0x4f, 0xff, 0x51],
            Self::Native | Self::Rle => &[],
        }
    }
}

/// Returns the name of a transfer syntax's compression with its UID (DICOM PS3.6 annex A), so that users can
/// look for a program that supports it.
pub fn name(syntax: &str) -> String {
    let known = match syntax.strip_prefix("1.2.840.10008.1.2.4.").unwrap_or_default() {
        "50" => "JPEG baseline, process 1",
        "51" => "JPEG extended, process 2 and 4",
        "52" => "JPEG extended with arithmetic coding, process 3 and 5",
        "53" => "JPEG spectral selection, process 6 and 8",
        "54" => "JPEG spectral selection with arithmetic coding, process 7 and 9",
        "55" => "JPEG full progression, process 10 and 12",
        "56" => "JPEG full progression with arithmetic coding, process 11 and 13",
        "57" | "70" => "JPEG lossless, process 14",
        "58" => "JPEG lossless with arithmetic coding, process 15",
        "59" => "hierarchical JPEG, process 16 and 18",
        "60" => "hierarchical JPEG with arithmetic coding, process 17 and 19",
        "61" => "hierarchical JPEG, spectral selection, process 20 and 22",
        "62" => "hierarchical JPEG, spectral selection with arithmetic coding, process 21 and 23",
        "63" => "hierarchical JPEG, full progression, process 24 and 26",
        "64" => "hierarchical JPEG, full progression with arithmetic coding, process 25 and 27",
        "65" => "hierarchical JPEG, lossless, process 28",
        "66" => "hierarchical JPEG, lossless with arithmetic coding, process 29",
        "80" | "81" => "JPEG-LS",
        "90" | "91" => "JPEG 2000",
        "92" | "93" => "JPEG 2000 part 2",
        "100" | "101" | "100.1" | "101.1" => "MPEG-2 video",
        "102" | "103" | "104" | "105" | "106" | "102.1" | "103.1" | "104.1" | "105.1" | "106.1" => "H.264 video",
        "107" | "108" => "H.265 video",
        "110" | "111" | "112" => "JPEG XL",
        "201" | "202" | "203" => "high-throughput JPEG 2000",
        _ => match syntax.strip_prefix("1.2.840.10008.1.2") {
            Some("") => "Implicit VR Little Endian",
            Some(".1") => "Explicit VR Little Endian",
            Some(".1.98") => "Encapsulated Uncompressed Explicit VR Little Endian",
            Some(".1.99") => "Deflated Explicit VR Little Endian",
            Some(".2") => "Explicit VR Big Endian",
            Some(".5") => "RLE lossless",
            _ => return format!("transfer syntax {syntax}"),
        },
    };
    format!("{known}, transfer syntax {syntax}")
}

/// Returns the range of each of `frames` frames in the bytes of the pieces.
///
/// # Errors
/// Returns a message if there are no pixels, or if the frames cannot be separated.
pub fn frames(codec: Codec, pieces: &Pieces, frames: usize) -> Result<Vec<Range<usize>>, String> {
    let starts = || std::iter::once(0).chain(pieces.ends.iter().copied());
    let between = |starts: Vec<usize>| -> Vec<Range<usize>> {
        let ends = starts.iter().skip(1).copied().chain([pieces.bytes.len()]);
        starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
    };
    if pieces.bytes.is_empty() {
        return Err("its pixels are missing".into());
    }
    if frames == 1 {
        return Ok(vec![0..pieces.bytes.len()]);
    }
    if pieces.ends.len() == frames {
        return Ok(between(starts().take(frames).collect()));
    }
    // The file's table separates the frames. Its offsets count eight bytes for the header of each piece before
    // them.
    if pieces.table.len() == frames && pieces.table[0] == 0 {
        let mut told = pieces.table.iter().peekable();
        let begins = |(piece, start): (usize, usize)| {
            told.next_if(|place| **place as usize == start + 8 * piece).map(|_| start)
        };
        let found: Vec<usize> = starts().enumerate().filter_map(begins).collect();
        if found.len() == frames {
            return Ok(between(found));
        }
    }
    // The pieces that begin like a frame separate the frames.
    let magic = codec.magic();
    if !magic.is_empty() {
        let begins = |start: &usize| pieces.bytes[*start..].starts_with(magic);
        let found: Vec<usize> = starts().filter(begins).collect();
        if found.len() == frames && found[0] == 0 {
            return Ok(between(found));
        }
    }
    // The end of each frame separates them, if they follow each other in one piece.
    if codec == Codec::Jpeg {
        let (mut found, mut place) = (Vec::new(), 0);
        while let Some(start) = pieces.bytes[place..].windows(3).position(|three| three == magic) {
            found.push(place + start);
            let Some(length) = jpeg::length(&pieces.bytes[place + start..]) else { break };
            place += start + length;
        }
        if found.len() == frames && found[0] == 0 {
            return Ok(between(found));
        }
    }
    Err(format!("its {frames} frames cannot be separated in {} pieces", pieces.ends.len()))
}

/// The requirements for decoding a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The number of bits of a decoded sample, 8 or 16; for pixels without compression or with RLE, as
    /// allocated.
    pub bits: usize,
    /// The number of bytes of memory, in addition to the stored frame.
    pub bytes: u64,
}

/// Checks that the size in a frame's own header is that in the header of the file: columns, rows and samples per
/// pixel. `bits` is the number of bits of a sample that is not compressed or is compressed by RLE.
///
/// # Errors
/// Returns a message if the sizes differ, or if the frame is damaged or has more than 16 bits.
pub fn check(
    codec: Codec,
    bytes: &[u8],
    [columns, rows, samples]: [usize; 3],
    bits: usize,
) -> Result<Needs, String> {
    let pixels = (columns * rows * samples) as u64;
    let stored = bytes.len() as u64;
    let (announced, working) = match codec {
        Codec::Native | Codec::Rle => return Ok(Needs { bits, bytes: pixels * 4 }),
        // The memory holds copies of the stored data, coefficients or planes, and the samples made from them.
        Codec::Jpeg => {
            let scans = bytes.windows(2).filter(|pair| *pair == [0xff, 0xda]).count();
            if scans > MOST_SCANS {
                return Err(format!("its compressed pixels have {scans} scans"));
            }
            (jpeg_frame(bytes, columns * rows * samples)?, 3 * stored + 8 * pixels)
        }
        Codec::JpegLs => (jpeg_ls(bytes)?, stored + 6 * pixels),
        Codec::Jpeg2000 => {
            let (announced, structures) = jpeg2000::announced(bytes)?;
            (announced, 2 * stored + 10 * pixels + structures)
        }
    };
    if (announced.columns, announced.rows, announced.samples) != (columns, rows, samples) {
        return Err(format!(
            "its compressed pixels are {}x{} with {} samples, but its header says {columns}x{rows} with {samples}",
            announced.columns, announced.rows, announced.samples
        ));
    }
    if announced.bits > 16 {
        return Err(format!("its compressed pixels have {} bits", announced.bits));
    }
    Ok(Needs { bits: if announced.bits > 8 { 16 } else { 8 }, bytes: working })
}

/// Returns the frame header that a decoder finds first. No other position that looks like a frame header may
/// announce more pixels, because damaged lengths could make a decoder take it for the header.
///
/// # Errors
/// Returns a message if there is no frame header, or if another one is larger.
fn jpeg_frame(bytes: &[u8], pixels: usize) -> Result<Frame, String> {
    let found = marker(bytes, is_frame).and_then(|at| Frame::at(bytes, at));
    let announced = found.ok_or("its compressed pixels have no frame header")?;
    let pairs = bytes.windows(2).enumerate().filter(|(_, pair)| pair[0] == 0xff && is_frame(pair[1]));
    let larger = pairs
        .filter_map(|(at, _)| Frame::at(bytes, at))
        .find(|other| other.columns.saturating_mul(other.rows).saturating_mul(other.samples) > pixels);
    match larger {
        Some(other) => Err(format!("its compressed pixels announce {}x{}", other.columns, other.rows)),
        None => Ok(announced),
    }
}

/// Returns the only frame header of JPEG-LS data.
///
/// # Errors
/// Returns a message if there is none or several.
fn jpeg_ls(bytes: &[u8]) -> Result<Frame, String> {
    let missing = "its compressed pixels have no frame header";
    let all: Vec<Frame> = bytes
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == [0xff, 0xf7])
        .filter_map(|(at, _)| Frame::at(bytes, at))
        .collect();
    match all.as_slice() {
        [one] => Ok(*one),
        [] => Err(missing.into()),
        _ => Err("its compressed pixels have several frame headers".into()),
    }
}

/// Returns whether a frame was compressed with loss, as far as its codestream says. Several transfer syntaxes allow
/// both. JPEG 2000 with reversible transforms counts as lossless, although its data may have been shortened.
pub fn is_lossy(codec: Codec, bytes: &[u8]) -> bool {
    match codec {
        Codec::Native | Codec::Rle => false,
        Codec::Jpeg => !jpeg::is_lossless(bytes),
        // The allowed error (NEAR) follows the components in the header of a scan (ITU-T T.87, C.2.3).
        Codec::JpegLs => marker(bytes, |code| code == 0xda).is_some_and(|scan| {
            let components = bytes.get(scan + 4).copied().map_or(0, usize::from);
            bytes.get(scan + 5 + 2 * components).is_some_and(|near| *near > 0)
        }),
        Codec::Jpeg2000 => jpeg2000::is_irreversible(bytes),
    }
}

/// Returns whether the first scan of a JPEG-LS frame has a single component, so that each colour has a plane of
/// its own.
pub fn is_planar(bytes: &[u8]) -> bool {
    marker(bytes, |code| code == 0xda).is_some_and(|scan| bytes.get(scan + 4) == Some(&1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_says_whether_it_lost_information() {
        let jpeg = |code: u8| [0xff, 0xd8, 0xff, code, 0, 11, 8, 0, 3, 0, 5, 1, 1, 0x11, 0, 0xff, 0xd9];
        // ITU-T T.81, table B.1: SOF0 baseline, SOF1 extended, SOF3 lossless.
        assert_eq!([0xc0, 0xc1, 0xc3].map(|code| is_lossy(Codec::Jpeg, &jpeg(code))), [true, true, false]);
        // Of one and of three components, each with its number and its table; NEAR, interleaving and shift.
        let scan = |components: &[u8], near: u8| {
            let mut out = vec![0xff, 0xd8, 0xff, 0xda, 0, 6 + 2 * components.len() as u8, components.len() as u8];
            out.extend(components.iter().flat_map(|component| [*component, 0]));
            out.extend([near, 2, 0, 0xff, 0xd9]);
            out
        };
        for components in [&[1][..], &[1, 2, 3]] {
            assert_eq!([0, 2].map(|near| is_lossy(Codec::JpegLs, &scan(components, near))), [false, true]);
        }
        // ITU-T T.800, table A.20: 0 is the irreversible transform 9-7, 1 the reversible transform 5-3.
        let coding = |way: u8| [0xff, 0x4f, 0xff, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, way];
        assert_eq!([0, 1].map(|way| is_lossy(Codec::Jpeg2000, &coding(way))), [true, false]);
        assert!(!is_lossy(Codec::Native, &[]) && !is_lossy(Codec::Rle, &[]));
    }
}
