//! The orientation in an image's EXIF data, wherever the format stores it.

use image::ImageFormat;

use super::tiff::Directories;
use super::{jpeg, png, webp};

/// Returns the EXIF orientation (1 to 8) of a JPEG, PNG or WebP file, or `None` if the file has none or an
/// invalid one.
pub(super) fn orientation(format: ImageFormat, bytes: &[u8]) -> Option<u16> {
    let data = match format {
        ImageFormat::Jpeg => jpeg::exif(bytes),
        ImageFormat::Png => png::chunk(bytes, b"eXIf"),
        ImageFormat::WebP => webp::chunks(bytes).find(|(name, _)| name == b"EXIF").map(|(_, data)| data),
        _ => None,
    }?;
    // Some programs write the identifier of the JPEG segment before the data in other formats, too.
    let data = data.strip_prefix(b"Exif\0\0").unwrap_or(data);
    Directories::of(data)?.first()?.orientation()
}
