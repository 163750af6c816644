//! Reads PNG files with a palette, whose indices the general decoder discards, and the chunks of any PNG file.

use std::io::Cursor;
use std::path::Path;

use super::error::one_line;
use super::raster::{Palette, Raster};
use super::volume::{PictureSource, StoredPixels};
use super::{DataError, Limit};

/// Length of the signature in bytes (PNG, third edition, 5.2).
const SIGNATURE: usize = 8;

/// Iterates over the name and content of every complete chunk.
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut at = SIGNATURE;
    std::iter::from_fn(move || {
        let (length, rest) = bytes.get(at..)?.split_first_chunk::<4>()?;
        let (name, rest) = rest.split_first_chunk::<4>()?;
        let length = u32::from_be_bytes(*length) as usize;
        at = at.checked_add(length)?.checked_add(12)?;
        Some((name, rest.get(..length)?))
    })
}

/// Returns the content of the first chunk of this name, or `None` if there is none.
pub(super) fn chunk<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    chunks(bytes).find(|(found, _)| *found == name).map(|(_, content)| content)
}

/// Returns the number of images of an animation (chunk `acTL`), or 1 if it is not an animation.
pub(super) fn frames(bytes: &[u8]) -> usize {
    let count = chunk(bytes, b"acTL").and_then(<[u8]>::first_chunk::<4>);
    count.map_or(1, |count| u32::from_be_bytes(*count).max(1) as usize)
}

/// Returns whether the header says that the pixels are palette indices.
pub(super) fn has_palette(bytes: &[u8]) -> bool {
    chunk(bytes, b"IHDR").and_then(|header| header.get(9)) == Some(&3)
}

/// Reads a PNG with a palette. `check` receives the width and height in pixels and refuses sizes that are not
/// supported.
///
/// # Errors
/// Returns an error if `check` refuses the size, or if the file is damaged, lacks its palette or exceeds a
/// limit.
pub(super) fn indexed(
    path: &Path,
    bytes: &[u8],
    limit: Limit,
    check: impl Fn(&Path, u32, u32) -> Result<(), DataError>,
) -> Result<Raster, DataError> {
    let refuse = |error: ::png::DecodingError| match error {
        ::png::DecodingError::LimitsExceeded => {
            DataError::TooLarge { path: path.to_owned(), size: one_line(&error) }
        }
        _ => DataError::damaged(path, error),
    };
    limit.allow(path, bytes.len() as u64)?;
    // Colour profiles and texts are skipped, so that only the palette is left before the pixels.
    let limits = ::png::Limits { bytes: (limit.0 - bytes.len() as u64).min(8 << 20) as usize };
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(::png::Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let header = decoder.read_header_info().map_err(refuse)?;
    let (width, height, bits) = (header.width, header.height, header.bit_depth as u8);
    check(path, width, height)?;
    let count = u64::from(width) * u64::from(height);
    // There must be memory for the stored rows, and for an index, a colour and an opacity of each pixel.
    let rows = u64::from(height) * (u64::from(width) * u64::from(bits)).div_ceil(8);
    limit.allow(path, bytes.len() as u64 + rows + 5 * count)?;

    let mut reader = decoder.read_info().map_err(refuse)?;
    let (colours, opacities) = {
        let info = reader.info();
        let colours = info.palette.as_deref().unwrap_or(&[]).as_chunks::<3>().0.to_vec();
        (colours, info.trns.as_deref().map(<[u8]>::to_vec))
    };
    if colours.is_empty() {
        return Err(DataError::damaged(path, "its pixels are palette indices and there is no palette"));
    }
    let mut packed = vec![0; rows as usize];
    reader.next_frame(&mut packed).map_err(refuse)?;
    let indices = match bits {
        8 => packed,
        _ => unpack(&packed, bits, width as usize, height as usize),
    };
    let alpha = opacities.map(|opacities| {
        let opacity = |&index: &u8| opacities.get(usize::from(index)).copied().unwrap_or(255);
        StoredPixels::U8(indices.iter().map(opacity).collect())
    });
    let source = PictureSource {
        format: "PNG",
        samples: format!("palette of {} colours, {bits} bit", colours.len()),
        pages: frames(bytes),
        ..PictureSource::default()
    };
    let palette = Palette { indices, colours };
    let mut raster =
        Raster::plain(width as usize, height as usize, 3, StoredPixels::U8(palette.look_up()), source);
    (raster.alpha, raster.palette) = (alpha, Some(palette));
    Ok(raster)
}

/// Unpacks samples of 1, 2 or 4 bits to one byte each. Every row of `in_row` samples begins with a new byte.
pub(super) fn unpack(packed: &[u8], bits: u8, in_row: usize, rows: usize) -> Vec<u8> {
    let (in_byte, mask) = (8 / usize::from(bits), (1_u16 << bits) as u8 - 1);
    let mut out = Vec::with_capacity(in_row * rows);
    for row in packed.chunks_exact(in_row.div_ceil(in_byte).max(1)).take(rows) {
        out.extend((0..in_row).map(|sample| {
            let shift = 8 - usize::from(bits) * (sample % in_byte + 1);
            row[sample / in_byte] >> shift & mask
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_less_than_a_byte() {
        assert_eq!(unpack(&[0b1010_0000, 0b0110_0000], 1, 3, 2), [1, 0, 1, 0, 1, 1]);
        assert_eq!(unpack(&[0b1101_0010, 0b1000_0000], 2, 5, 1), [3, 1, 0, 2, 2]);
        assert_eq!(unpack(&[0xab, 0xc0], 4, 3, 1), [10, 11, 12]);
    }
}
