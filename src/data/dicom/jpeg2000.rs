//! Reads the markers of a JPEG 2000 codestream (ITU-T T.800 annex A): the size of the image and the number of
//! its parts. The decoder allocates up to a kilobyte for each part, and a part may be a single sample.

use crate::data::jpeg::{Frame, word};

/// The number of packets that are decoded quickly, whatever they contain.
const FEW_PACKETS: u64 = 1 << 20;

/// The number of bytes that the decoder allocates for a possible tile, for a precinct of a subband, and for a
/// code block.
const TILE: u64 = 16 << 10;
const PRECINCT: u64 = 512;
const BLOCK: u64 = 1024;

const SIZE: [u8; 2] = [0xff, 0x51];
const CODING: [u8; 2] = [0xff, 0x52];
const CODING_OF_ONE: [u8; 2] = [0xff, 0x53];
const TILE_PART: [u8; 2] = [0xff, 0x90];

/// Returns the size of the frame and the number of bytes that the decoder allocates for its parts.
///
/// # Errors
/// Returns a message if the size is missing or ambiguous, if the data are cut off, or if they announce more
/// tiles or packets than they can contain.
pub fn announced(bytes: &[u8]) -> Result<(Frame, u64), String> {
    let missing = "its compressed pixels have no size";
    let mut sizes = markers(bytes, SIZE).filter_map(|at| Size::at(bytes, at));
    let size = sizes.next().ok_or(missing)?;
    if sizes.next().is_some() {
        return Err("its compressed pixels have several sizes".into());
    }
    if !size.is_even {
        return Err("the samples of its compressed pixels differ in size".into());
    }
    // Every tile with content takes at least twelve bytes, its header.
    if size.tiles > 65_535 || size.tiles > 1 + bytes.len() as u64 / 12 {
        return Err(format!("its compressed pixels have {} tiles in {} bytes", size.tiles, bytes.len()));
    }
    if !is_whole(bytes) {
        // The decoder fills what is missing without an error.
        return Err("its compressed pixels end within a tile".into());
    }
    let coding = markers(bytes, CODING).filter_map(|at| Coding::at(bytes, at + 2, at + 4));
    // The coding of a single component counts for all of them, wherever it occurs.
    let single = markers(bytes, CODING_OF_ONE).filter_map(|at| Coding::of_one(bytes, at + 2));
    let codings: Vec<Coding> = coding.chain(single).collect();
    // A packet takes at least a byte. The decoder looks for every packet, even if no data are left.
    let packets = codings.iter().map(|coding| coding.packets(&size)).max().unwrap_or(0);
    if packets > FEW_PACKETS.max(8 * bytes.len() as u64) {
        return Err(format!("its compressed pixels have {packets} packets in {} bytes", bytes.len()));
    }
    let parts = codings.iter().map(|coding| coding.memory(&size)).max().unwrap_or(0);
    Ok((size.frame, size.tiles * TILE + parts))
}

/// Returns whether the codestream transforms its components itself (the last byte of SGcod, ITU-T T.800 table
/// A.14).
pub fn is_transformed(bytes: &[u8]) -> bool {
    let coding = markers(bytes, CODING).find(|at| Coding::at(bytes, at + 2, at + 4).is_some());
    coding.and_then(|at| bytes.get(at + 8)).is_some_and(|transform| *transform != 0)
}

/// Returns whether the codestream has the irreversible wavelet transform, which loses information (the last byte of
/// SPcod without precincts, ITU-T T.800 table A.20).
pub fn is_irreversible(bytes: &[u8]) -> bool {
    let coding = markers(bytes, CODING).find(|at| Coding::at(bytes, at + 2, at + 4).is_some());
    coding.and_then(|at| bytes.get(at + 13)).is_some_and(|way| *way == 0)
}

/// Returns whether every tile part has all of the bytes that it announces.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(mut at) = markers(bytes, TILE_PART).find(|at| word(bytes, at + 2) == Some(10)) else { return false };
    while bytes.get(at..at + 2) == Some(&TILE_PART) {
        let (Some(high), Some(low)) = (word(bytes, at + 6), word(bytes, at + 8)) else { return false };
        match high << 16 | low {
            // A length of 0 means that the tile part extends to the end.
            0 => return true,
            length => at += length,
        }
    }
    at <= bytes.len()
}

/// Iterates over all positions at which the decoder may find a marker, even if the lengths before it are wrong.
fn markers(bytes: &[u8], marker: [u8; 2]) -> impl Iterator<Item = usize> {
    bytes.windows(2).enumerate().filter(move |(_, pair)| *pair == marker).map(|(at, _)| at)
}

/// The size of the image and of its tiles (SIZ marker segment).
struct Size {
    frame: Frame,
    /// The numbers of columns and rows of a tile, which is not larger than the image.
    tile: [u64; 2],
    /// The number of tiles.
    tiles: u64,
    /// Whether all components have the full resolution.
    is_even: bool,
}

impl Size {
    /// Reads a SIZ marker segment at `at`. Returns `None` if it is not a valid one.
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let samples = word(bytes, at + 38)?;
        if samples == 0 || word(bytes, at + 2)? != 38 + 3 * samples {
            return None;
        }
        let long = |at: usize| Some((word(bytes, at)? << 16 | word(bytes, at + 2)?) as u64);
        // The size of the image, the size of a tile, and the number of tiles along one axis.
        let axis = |at: usize| -> Option<[u64; 3]> {
            let [size, offset, tile, first] = [at, at + 8, at + 16, at + 24].map(long);
            let (size, tile) = (size?, tile?.max(1));
            let side = size.checked_sub(offset?)?;
            Some([side, tile.min(size), size.checked_sub(first?)?.div_ceil(tile)])
        };
        let ([columns, width, across], [rows, height, down]) = (axis(at + 6)?, axis(at + 10)?);
        let kinds = bytes.get(at + 40..at + 40 + 3 * samples)?.as_chunks::<3>().0;
        let bits = kinds.iter().map(|kind| usize::from(kind[0] & 0x7f) + 1).max()?;
        Some(Self {
            frame: Frame { columns: columns as usize, rows: rows as usize, samples, bits },
            tile: [width, height],
            tiles: across.saturating_mul(down),
            is_even: kinds.iter().all(|kind| kind[1..] == [1, 1]),
        })
    }
}

/// The coding parameters of a component.
#[derive(Debug, PartialEq)]
struct Coding {
    /// The number of quality layers.
    layers: u64,
    /// The number of decomposition levels.
    levels: u32,
    /// The exponents of the width and the height of a code block.
    block: [u32; 2],
    /// The exponents of the width and the height of the precincts of each resolution.
    precincts: Vec<[u32; 2]>,
}

impl Coding {
    /// Reads a COD marker segment, whose length is at `length` and whose coding style is at `style`. Returns
    /// `None` if it is not a valid one.
    fn at(bytes: &[u8], length: usize, style: usize) -> Option<Self> {
        let layers = word(bytes, style + 2)? as u64;
        Self::parameters(bytes, length, style, style + 5).map(|coding| Self { layers, ..coding })
    }

    /// Reads a COC marker segment, which applies to one component. Returns `None` if it is not a valid one.
    fn of_one(bytes: &[u8], length: usize) -> Option<Self> {
        Self::parameters(bytes, length, length + 3, length + 4)
    }

    /// Reads the parameters at `at` that both kinds of segment have.
    fn parameters(bytes: &[u8], length: usize, style: usize, at: usize) -> Option<Self> {
        let [levels, width, height, _, way] = *bytes.get(at..)?.first_chunk::<5>()?;
        let has_precincts = bytes.get(style)? & 1 == 1;
        let sides = if has_precincts { usize::from(levels) + 1 } else { 0 };
        // The length shows whether the position really has such a marker.
        let end = length + word(bytes, length)?;
        if levels > 32 || width > 8 || height > 8 || way > 1 || end != at + 5 + sides {
            return None;
        }
        let precincts = match has_precincts {
            true => {
                bytes.get(at + 5..end)?.iter().map(|both| [u32::from(both & 15), u32::from(both >> 4)]).collect()
            }
            false => vec![[15, 15]; usize::from(levels) + 1],
        };
        Some(Self {
            layers: 1,
            levels: u32::from(levels),
            block: [u32::from(width) + 2, u32::from(height) + 2],
            precincts,
        })
    }

    /// Returns the least number of packets of one tile.
    fn packets(&self, size: &Size) -> u64 {
        let of_layer = self.precincts.iter().enumerate().map(|(resolution, precinct)| {
            let less = (self.levels - resolution as u32).min(40);
            let [across, down] =
                [0, 1].map(|axis| size.tile[axis].div_ceil(1 << less).div_ceil(1 << precinct[axis]));
            across.saturating_mul(down)
        });
        let of_layer = of_layer.fold(0, u64::saturating_add);
        self.layers.saturating_mul(of_layer).saturating_mul(size.frame.samples as u64)
    }

    /// Returns the number of bytes for the parts of one tile; the decoder holds one tile at a time.
    fn memory(&self, size: &Size) -> u64 {
        let count = |side: u64, exponent: u32| side.div_ceil(1 << exponent) + 1;
        let (mut parts, mut most) = (0_u64, 0_u64);
        for (resolution, precinct) in self.precincts.iter().enumerate() {
            let less = self.levels - resolution as u32;
            let sides = size.tile.map(|side| side.div_ceil(1 << less.min(40)));
            let precincts = count(sides[0], precinct[0]) * count(sides[1], precinct[1]);
            most = most.max(precincts);
            // The lowest resolution has one band, the others have three of half the size.
            let (bands, half) = if resolution == 0 { (1, 0) } else { (3, 1) };
            let blocks = [0, 1].map(|axis| {
                let block = self.block[axis].min(precinct[axis].saturating_sub(half));
                count(sides[axis] >> half, block) + count(sides[axis], precinct[axis])
            });
            let blocks = blocks[0].saturating_mul(blocks[1]);
            parts = parts.saturating_add(
                bands * precincts.saturating_mul(PRECINCT).saturating_add(blocks.saturating_mul(BLOCK)),
            );
        }
        // The decoder records the packets that it has met, with two bytes for each layer, precinct and
        // resolution.
        let packets =
            (self.layers + 1).saturating_mul(most).saturating_mul(u64::from(self.levels) + 1).saturating_mul(2);
        parts.saturating_add(packets).saturating_mul(size.frame.samples as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(side: u32, tile: u32, coding: &[u8]) -> Vec<u8> {
        let mut out = vec![0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0];
        out.extend([side, side, 0, 0, tile, tile, 0, 0].iter().flat_map(|number| number.to_be_bytes()));
        out.extend([0, 1, 11, 1, 1, 0xff, 0x52, 0, 2 + coding.len() as u8]);
        out.extend(coding);
        out.extend([0xff, 0x90, 0, 10, 0, 0, 0, 0, 0, 16, 0, 1, 0xff, 0x93, 1, 2, 0xff, 0xd9]);
        out
    }

    #[test]
    fn a_tile_that_is_cut() {
        let usual = stream(20, 20, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        for length in 0..usual.len() - 2 {
            assert!(announced(&usual[..length]).is_err(), "cut at {length}");
        }
        assert!(announced(&usual[..usual.len() - 2]).is_ok(), "all but the end marker");
    }

    #[test]
    fn parts_count() {
        let usual = stream(2000, 2000, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        let (frame, memory) = announced(&usual).expect("a size");
        assert_eq!(frame, Frame { columns: 2000, rows: 2000, samples: 1, bits: 12 });
        // Some thousand blocks of 64x64.
        assert!((1 << 20..4 << 20).contains(&memory), "{memory}");
        let tiny = stream(900, 900, &[1, 0, 0, 1, 0, 0, 4, 4, 0, 1, 0]);
        assert!(announced(&tiny).is_ok_and(|(_, memory)| memory > 810_000 * PRECINCT), "precincts of one sample");
        let layers = stream(60, 60, &[1, 0, 0xff, 0xff, 0, 1, 4, 4, 0, 1, 0x55, 0x55]);
        assert!(announced(&layers).is_ok_and(|(_, memory)| memory > 4 * 65_535), "65535 layers");
        // The coding of a single component counts as well.
        let mut single = stream(900, 900, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        single.extend([0xff, 0x53, 0, 10, 0, 1, 0, 4, 4, 0, 1, 0]);
        assert!(announced(&single).is_ok_and(|(_, memory)| memory > 810_000 * PRECINCT));
    }

    #[test]
    fn more_packets_than_bytes() {
        let refused = |stream: &[u8]| announced(stream).is_err_and(|text| text.contains("packets in"));
        assert!(refused(&stream(2000, 2000, &[1, 0, 0, 1, 0, 0, 4, 4, 0, 1, 0])), "precincts of one sample");
        assert!(refused(&stream(2000, 2000, &[1, 0, 0xff, 0xff, 0, 1, 4, 4, 0, 1, 0x55, 0x55])), "65535 layers");
    }

    #[test]
    fn sizes_that_lie() {
        assert!(announced(&[0xff, 0x4f]).is_err());
        let usual = stream(300, 300, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        assert!(announced(&[usual.clone(), usual].concat()).is_err_and(|text| text.contains("several")));
        let tiles = stream(300, 2, &[0, 0, 0, 1, 0, 5, 4, 4, 0, 1]);
        assert!(announced(&tiles).is_err_and(|text| text.contains("22500 tiles")));
        assert!(announced(&stream(u32::MAX, 1, &[])).is_err());
    }
}
