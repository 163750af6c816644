//! Image files to [`Image`]: the format by content, guards before memory is taken, values untouched.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::error::{caught, one_line};
use super::{DataError, Image, Limit, Pixels, jpeg, tiff, webp};

/// What to do about a kind of picture that is not read.
const MEND: &str = "save it as a PNG or TIFF with all of its bits";

/// Longest side that is read, in pixels.
const MAX_SIDE: u32 = 32_768;
/// Largest magnitude of a floating point sample. Beyond it sums of squares would leave the range of `f64`
/// and a resampled value that of `f32`; no instrument delivers such values.
const MAX_FLOAT: f32 = 1e30;

/// Most bytes that the decoder may take for what stands before the pixels: colour profiles and texts, which nobody looks at.
const MAX_NOTES: u64 = 8 << 20;

/// Reads a PNG, JPEG, TIFF, BMP or WebP image, recognised by its content.
///
/// 8 and 16 bit and 32 bit floating point samples keep their stored values; palettes are expanded to
/// colour, an alpha channel is dropped, grey stays one channel. Of several pages or frames the first is
/// read. An orientation tag is not applied, because the reference loader does not apply it either.
///
/// # Errors
/// The file is missing, unreadable, no image, of a kind that is not read, damaged, without pixels, or
/// larger than 32768 pixels a side or 2 GiB decoded.
pub fn load(path: &Path) -> Result<Image, DataError> {
    load_within(path, Limit::default())
}

/// As [`load`], with another limit than 2 GiB for what the image may take.
///
/// # Errors
/// Those of [`load`].
pub fn load_within(path: &Path, limit: Limit) -> Result<Image, DataError> {
    let (bytes, format) = read(path, limit)?;
    if format == ImageFormat::Jpeg && !jpeg::is_complete(&bytes) {
        // The decoder paints what is missing grey and says nothing.
        return Err(DataError::damaged(path, "the JPEG data ends before its end marker"));
    }
    let image = match caught(path, || decode(path, &bytes, format, limit)) {
        Err(unsupported @ DataError::Unsupported { .. }) if format == ImageFormat::Tiff => {
            grey_float(path, &bytes, limit)?.ok_or(unsupported)?
        }
        other => other?,
    };
    if let Pixels::F32(values) = &image.pixels
        && values.iter().any(|value| !value.is_finite() || value.abs() > MAX_FLOAT)
    {
        let mend = "replace them by numbers and save it again";
        return Err(DataError::unsupported(path, "it has pixels that are not finite numbers", mend));
    }
    Ok(image)
}

/// The content of the file and its format. Nothing but the first bytes is read of a file that is no image.
fn read(path: &Path, limit: Limit) -> Result<(Vec<u8>, ImageFormat), DataError> {
    let length = fs::metadata(path).map_err(|error| DataError::reading(path, &error))?.len();
    let mut file = File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let mut bytes = Vec::new();
    let mut take = |limit: u64, bytes: &mut Vec<u8>| {
        (&mut file).take(limit).read_to_end(bytes).map_err(|error| DataError::reading(path, &error))
    };
    take(16, &mut bytes)?;
    if bytes.is_empty() {
        return Err(DataError::damaged(path, "the file is empty"));
    }
    let format = match image::guess_format(&bytes) {
        Ok(
            format @ (ImageFormat::Png
            | ImageFormat::Jpeg
            | ImageFormat::Tiff
            | ImageFormat::Bmp
            | ImageFormat::WebP),
        ) => format,
        Ok(other) => {
            return Err(DataError::unsupported(path, &format!("{other:?}"), MEND));
        }
        Err(_) => {
            return Err(DataError::NotAnImage { path: path.to_owned() });
        }
    };
    limit.allow(path, length)?;
    bytes.reserve_exact(length as usize);
    take(limit.0, &mut bytes)?;
    Ok((bytes, format))
}

/// Decodes after a look at the header.
fn decode(path: &Path, bytes: &[u8], format: ImageFormat, limit: Limit) -> Result<Image, DataError> {
    let refuse = |error: ImageError| match error {
        ImageError::Limits(_) => DataError::TooLarge { path: path.to_owned(), size: one_line(&error) },
        ImageError::Unsupported(_) => DataError::unsupported(path, &one_line(&error), MEND),
        _ => DataError::damaged(path, error),
    };
    let lists = match format {
        ImageFormat::Tiff => tiff::lists(bytes).map_err(|reason| DataError::damaged(path, reason))?,
        _ => 0,
    };
    limit.allow(path, bytes.len() as u64 + lists)?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // The sides are checked below, where the size can be named.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some((limit.0 - bytes.len() as u64 - lists).min(MAX_NOTES));
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(refuse)?;
    let (width, height) = decoder.dimensions();
    check_sides(path, width, height)?;
    if format == ImageFormat::Tiff {
        tiff::check_frames(bytes, width, height).map_err(|reason| DataError::damaged(path, reason))?;
    }
    limit.allow(path, lists + needs(format, bytes, &decoder))?;
    // What is left beside the picture is for the decoder's own buffers.
    limits.max_alloc = Some(limit.0 - bytes.len() as u64 - lists - decoder.total_bytes());
    decoder.set_limits(limits).map_err(refuse)?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(refuse)?;

    let (channels, pixels) = match decoded {
        DynamicImage::ImageLuma8(buffer) => (1, Pixels::U8(buffer.into_raw())),
        DynamicImage::ImageLumaA8(buffer) => (1, Pixels::U8(without_alpha(&buffer, 2))),
        DynamicImage::ImageRgb8(buffer) => (3, Pixels::U8(buffer.into_raw())),
        DynamicImage::ImageRgba8(buffer) => (3, Pixels::U8(without_alpha(&buffer, 4))),
        DynamicImage::ImageLuma16(buffer) => (1, Pixels::U16(buffer.into_raw())),
        DynamicImage::ImageLumaA16(buffer) => (1, Pixels::U16(without_alpha(&buffer, 2))),
        DynamicImage::ImageRgb16(buffer) => (3, Pixels::U16(buffer.into_raw())),
        DynamicImage::ImageRgba16(buffer) => (3, Pixels::U16(without_alpha(&buffer, 4))),
        DynamicImage::ImageRgb32F(buffer) => (3, Pixels::F32(buffer.into_raw())),
        DynamicImage::ImageRgba32F(buffer) => (3, Pixels::F32(without_alpha(&buffer, 4))),
        other => {
            let reason = format!("{:?}", other.color());
            return Err(DataError::unsupported(path, &reason, MEND));
        }
    };
    Ok(Image { width: width as usize, height: height as usize, channels, pixels })
}

/// Bytes that decoding takes: the file, the picture, what the decoder keeps beside it, and the picture without its alpha channel.
fn needs(format: ImageFormat, bytes: &[u8], decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let (file, picture) = (bytes.len() as u64, decoder.total_bytes());
    let decoded = match format {
        // A copy of the file; coefficients of 16 bit where they come in several scans, or may.
        ImageFormat::Jpeg => {
            let kept = if jpeg::is_progressive(bytes) || jpeg::scans(bytes) > 1 {
                8 * pixels.next_multiple_of(1024)
            } else {
                0
            };
            file + picture + kept
        }
        // The samples as they are stored; of JPEG within it a frame with its coefficients.
        ImageFormat::Tiff => {
            let stored = u64::from(decoder.original_color_type().bits_per_pixel().max(8)) * pixels / 8;
            picture + picture.max(stored) + 3 * tiff::largest_frame(bytes)
        }
        // Planes of luminance and colour, a frame, and a canvas for it.
        ImageFormat::WebP => picture + 12 * pixels.max(webp::largest_frame(bytes)),
        _ => picture,
    };
    let bare = if decoder.color_type().has_alpha() { picture } else { 0 };
    file + decoded.max(picture + bare)
}

/// The one common TIFF that the `image` crate refuses: grey, 32 bit floating point.
fn grey_float(path: &Path, bytes: &[u8], limit: Limit) -> Result<Option<Image>, DataError> {
    let Some(layout) = tiff::Layout::of(bytes) else {
        return Ok(None);
    };
    let needed = bytes.len() as u64 + u64::from(layout.width) * u64::from(layout.height) * 4;
    check_sides(path, layout.width, layout.height)?;
    limit.allow(path, needed)?;
    layout.read(bytes).map(Some).ok_or_else(|| DataError::damaged(path, "the TIFF ends before its pixels do"))
}

/// Refuses an image without pixels and one that is too large, before its pixels take memory.
fn check_sides(path: &Path, width: u32, height: u32) -> Result<(), DataError> {
    if width == 0 || height == 0 {
        return Err(DataError::NoPixels { path: path.to_owned(), width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(DataError::TooLarge { path: path.to_owned(), size: format!("{width}x{height} pixels") });
    }
    Ok(())
}

/// Interleaved samples with the last of `channels` left out.
fn without_alpha<T: Copy>(values: &[T], channels: usize) -> Vec<T> {
    let mut out = Vec::with_capacity(values.len() / channels * (channels - 1));
    for pixel in values.chunks_exact(channels) {
        out.extend_from_slice(&pixel[..channels - 1]);
    }
    out
}

/// INTERIM
pub(super) fn raster(
    path: &Path,
    limit: Limit,
    _orientation: super::Orientation,
) -> Result<super::raster::Raster, DataError> {
    let image = load_within(path, limit)?;
    let values = match image.pixels {
        Pixels::U8(v) => super::volume::Values::U8(v),
        Pixels::U16(v) => super::volume::Values::U16(v),
        Pixels::F32(v) => super::volume::Values::F32(v),
    };
    let is_lossy = std::fs::read(path).is_ok_and(|b| b.starts_with(&[0xff, 0xd8]));
    Ok(super::raster::Raster {
        columns: image.width,
        rows: image.height,
        pages: 1,
        channels: image.channels,
        values,
        alpha: None,
        palette: None,
        is_lossy,
        turn: Default::default(),
        source: Default::default(),
        notes: Vec::new(),
    })
}
