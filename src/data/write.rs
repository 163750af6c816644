//! Writes images, masks and other files, each as a whole or not at all ([`atomic_file`]).

use std::io::{self, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::error::one_line;
use super::volume::StoredPixels;
use super::{DataError, Limit, Orientation, decode};
use crate::atomic_file;

/// Writes an 8-bit grey PNG; `values` holds `width * height` bytes, row-major.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if the file cannot be written or if the number of values does not match the
/// size.
pub fn png8(path: &Path, width: usize, height: usize, values: &[u8]) -> Result<(), DataError> {
    png(path, width, height, values, ExtendedColorType::L8)
}

/// Writes a 16-bit grey PNG; `values` holds `width * height` numbers, row-major.
///
/// # Errors
/// Returns the errors of [`png8`].
pub fn png16(path: &Path, width: usize, height: usize, values: &[u16]) -> Result<(), DataError> {
    png(path, width, height, bytemuck::cast_slice(values), ExtendedColorType::L16)
}

/// Writes an 8-bit RGB PNG; `values` holds `3 * width * height` bytes, interleaved, row-major.
///
/// # Errors
/// Returns the errors of [`png8`].
pub fn png_rgb(path: &Path, width: usize, height: usize, values: &[u8]) -> Result<(), DataError> {
    png(path, width, height, values, ExtendedColorType::Rgb8)
}

/// Writes `content` to a file.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if the file cannot be written.
pub fn bytes(path: &Path, content: &[u8]) -> Result<(), DataError> {
    file(path, |out| out.write_all(content))
}

/// Writes a file through `fill`, so that the content need not be in memory as a whole.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if the file cannot be written or `fill` fails; the target is then
/// unchanged.
pub fn file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DataError> {
    atomic_file::write(path, fill).map_err(|error| DataError::writing(path, error))
}

/// Like [`file`], for what the user could not make again: returns only when the file is on the disk, where it survives a
/// power failure.
///
/// # Errors
/// Returns the errors of [`file`].
pub fn durably(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DataError> {
    atomic_file::write_durably(path, fill).map_err(|error| DataError::writing(path, error))
}

/// Writes a file through `fill`. It gets its name only after `check` has read it again under a temporary path; `check`
/// returns what is wrong with it.
///
/// # Errors
/// Returns the errors of [`file`], and [`DataError::Differs`] if `check` finds a difference; the target is then
/// unchanged.
pub fn checked(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    check: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<(), DataError> {
    let fail = |error: io::Error| DataError::writing(path, error);
    let differs = |reason: String| DataError::Differs { path: path.to_owned(), reason: one_line(&reason) };
    atomic_file::write_checked(path, fail, fill, |part| check(part).map_err(differs))
}

/// Writes an 8-bit grey PNG like [`png8`], reads it again and compares it.
///
/// # Errors
/// Returns the errors of [`png8`] and [`checked`].
pub fn png8_checked(path: &Path, width: usize, height: usize, values: &[u8]) -> Result<(), DataError> {
    let check = |part: &Path| {
        let raster =
            decode::raster(part, Limit::default(), Orientation::AsStored).map_err(|error| error.to_string())?;
        let is_same = (raster.columns, raster.rows, raster.channels) == (width, height, 1)
            && matches!(&raster.values, StoredPixels::U8(read) if read == values);
        if is_same { Ok(()) } else { Err("it has other pixels".into()) }
    };
    checked(path, |out| encode(out, width, height, values, ExtendedColorType::L8), check)
}

/// Returns a text for a cell of a table. A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a line
/// break for a formula; such a text gets an apostrophe in front, which spreadsheets do not show.
pub fn text_cell(text: &str) -> String {
    if is_guarded(text) { format!("'{text}") } else { text.to_owned() }
}

/// Returns the text of a cell that [`text_cell`] made.
pub fn text_of_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| is_guarded(text)).unwrap_or(cell)
}

/// Returns whether a text begins like a formula, or like one with an apostrophe in front.
fn is_guarded(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r', '\n'])
}

fn png(path: &Path, width: usize, height: usize, bytes: &[u8], color: ExtendedColorType) -> Result<(), DataError> {
    file(path, |out| encode(out, width, height, bytes, color))
}

fn encode(
    out: &mut dyn Write,
    width: usize,
    height: usize,
    bytes: &[u8],
    color: ExtendedColorType,
) -> io::Result<()> {
    let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
    let (columns, rows) = (side(width)?, side(height)?);
    // The encoder panics if the buffer has the wrong size.
    let needed = u64::from(columns) * u64::from(rows) * u64::from(color.bits_per_pixel() / 8);
    if needed != bytes.len() as u64 {
        let message = format!("{} bytes do not fill {width}x{height} pixels", bytes.len());
        return Err(io::Error::other(message));
    }
    PngEncoder::new(out).write_image(bytes, columns, rows, color).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_no_formulas_and_give_their_text_back() {
        for (text, cell) in
            [("=1+1", "'=1+1"), ("-left", "'-left"), ("'=x", "''=x"), ("left", "left"), ("'a", "'a")]
        {
            assert_eq!((text_cell(text).as_str(), text_of_cell(cell)), (cell, text));
        }
        assert_eq!(text_of_cell("=old"), "=old", "of a table that was written without it");
    }
}
