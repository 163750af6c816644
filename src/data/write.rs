//! Writes images, masks and other files, each as a whole or not at all ([`atomic_file`]).

use std::io::{self, Write};
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::DataError;
use super::error::one_line;
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
    atomic_file::write(path, fill)
        .map_err(|error| DataError::Unwritable { path: path.to_owned(), reason: one_line(&error) })
}

/// Like [`file`], for what the user could not make again: returns only when the file is on the disk, where it survives a
/// power failure.
///
/// # Errors
/// Returns the errors of [`file`].
pub fn durably(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), DataError> {
    atomic_file::write_durably(path, fill)
        .map_err(|error| DataError::Unwritable { path: path.to_owned(), reason: one_line(&error) })
}

/// Returns a text for a cell of a table. A spreadsheet takes a text that begins with `=`, `+`, `-`, `@`, a tab or a line
/// break for a formula; such a text gets an apostrophe in front, which spreadsheets do not show.
pub fn text_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

fn png(path: &Path, width: usize, height: usize, bytes: &[u8], color: ExtendedColorType) -> Result<(), DataError> {
    file(path, |out| {
        let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
        let (columns, rows) = (side(width)?, side(height)?);
        // The encoder panics if the buffer has the wrong size.
        let needed = u64::from(columns) * u64::from(rows) * u64::from(color.bits_per_pixel() / 8);
        if needed != bytes.len() as u64 {
            let message = format!("{} bytes do not fill {width}x{height} pixels", bytes.len());
            return Err(io::Error::other(message));
        }
        PngEncoder::new(out).write_image(bytes, columns, rows, color).map_err(io::Error::other)
    })
}
