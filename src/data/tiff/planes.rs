//! Decodes tiles in separate planes. The tiff crate interprets the tiles of every plane but the first as
//! continuing the image below it and returns the last of them whole, so tiles are cropped and put together here.

use std::io::{Read, Seek};

use ::tiff::TiffResult;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};

use super::page::Page;

/// Returns whether a page is decoded by this module: it has tiles in separate planes.
pub(super) fn is_tiled(page: &Page) -> bool {
    page.is_planar && page.tile.is_some()
}

/// Decodes a page, plane after plane, within the limits that the tiff crate has for other pages.
///
/// # Errors
/// Returns the errors of the decoder.
pub(super) fn read(
    decoder: &mut Decoder<impl Read + Seek>,
    page: &Page,
    limits: &Limits,
) -> TiffResult<DecodingResult> {
    let (all, [width, height]) = (decoder.image_buffer_layout()?, page.chunk().map(|side| side as usize));
    let mut decoded = DecodingResult::U8(Vec::new());
    decoded.resize_to(&all, limits)?;
    let mut buffer = decoded.as_buffer(0);
    let out = buffer.as_bytes_mut();

    let bytes = |pixels: usize| (pixels * usize::from(page.bits)).div_ceil(8);
    let (columns, rows) = (page.width as usize, page.height as usize);
    let (across, down) = (columns.div_ceil(width), rows.div_ceil(height));
    let line = bytes(columns);
    let mut tile = Vec::new();
    for number in 0..across * down * page.samples {
        let (plane, place) = (number / (across * down), number % (across * down));
        let [x, y] = [place % across * width, place / across * height];
        let kept = bytes(width.min(columns - x));
        let layout = decoder.image_chunk_buffer_layout(number as u32)?;
        let stride = layout.row_stride.map_or(kept, usize::from);
        tile.clear();
        tile.resize(layout.complete_len, 0);
        decoder.read_chunk_bytes(number as u32, &mut tile)?;
        let start = (plane * rows + y) * line + bytes(x);
        for (row, from) in tile.chunks_exact(stride).take(height.min(rows - y)).enumerate() {
            out[start + row * line..][..kept].copy_from_slice(&from[..kept]);
        }
    }
    Ok(decoded)
}
