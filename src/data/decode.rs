//! Decodes image files to [`Raster`] and [`Image`]. The format is recognised by content, sizes are checked before
//! memory is allocated, and samples keep their stored values.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::error::{caught, one_line};
use super::raster::{Palette, Raster};
use super::volume::{PictureSource, StoredPixels};
use super::{DataError, Image, Limit, Orientation, exif, jpeg, png, tiff, webp};

/// Advice in the message about a kind of image that is not supported.
const MEND: &str = "save it as a PNG or TIFF with all of its bits";

/// The longest accepted side, in pixels.
const MAX_SIDE: u32 = 32_768;
/// The largest accepted magnitude of a floating-point sample. Larger values could make sums of squares overflow
/// `f64` and resampled values overflow `f32`; no instrument delivers such values.
const MAX_FLOAT: f32 = 1e30;

/// The most bytes that the decoder may allocate for the colour profiles and texts before the pixels, which are
/// not used.
const MAX_NOTES: u64 = 8 << 20;

/// Reads a PNG, JPEG, TIFF, BMP or WebP image, recognised by its content.
///
/// 8-bit, 16-bit and 32-bit floating-point samples keep their stored values; other numbers become floating
/// point. Palette indices are replaced by their colours, an alpha channel is dropped, and a grey image keeps its
/// single channel. The image is turned upright if the file has an orientation. If the file is an animation, or
/// has pages that differ in size or kind, only the first image is read.
///
/// # Errors
/// Returns an error if the file is missing, unreadable, not an image, not supported, damaged, without pixels, a stack
/// of pages, has a side longer than 32768 pixels, or needs more than 2 GiB of memory.
pub fn load(path: &Path) -> Result<Image, DataError> {
    load_as(path, Limit::default(), Orientation::default())
}

/// Does the same as [`load`], with a choice of the memory limit and of the treatment of the orientation.
///
/// # Errors
/// Returns the errors of [`load`].
pub fn load_as(path: &Path, limit: Limit, orientation: Orientation) -> Result<Image, DataError> {
    let raster = raster(path, limit, orientation)?;
    if raster.pages > 1 {
        let reason = format!("it is a stack of {} pages, and a single image is needed", raster.pages);
        return Err(DataError::unsupported(path, &reason, "save the page as a separate file"));
    }
    if let StoredPixels::I16(values) = &raster.values {
        // The floating-point copy exists beside the values that were read.
        limit.allow(path, 6 * values.len() as u64)?;
    }
    Ok(raster.into_image())
}

/// Reads an image, or a mask that is stored as an image, with its pages, palette and alpha channel.
///
/// # Errors
/// Returns the errors of [`load`], except that a stack of pages is accepted.
pub fn raster(path: &Path, limit: Limit, orientation: Orientation) -> Result<Raster, DataError> {
    let (bytes, format) = read(path, limit)?;
    if format == ImageFormat::Jpeg && !jpeg::is_complete(&bytes) {
        // The decoder would silently fill the missing part with grey.
        return Err(DataError::damaged(path, "the JPEG data ends before its end marker"));
    }
    let found = if format == ImageFormat::Tiff { None } else { exif::orientation(format, &bytes) };
    let mut raster = caught(path, || match format {
        ImageFormat::Tiff => tiff::read(path, bytes, limit, check_sides),
        ImageFormat::Png if png::has_palette(&bytes) => png::indexed(path, &bytes, limit, check_sides),
        _ => decode(path, &bytes, format, limit),
    })?;
    if let StoredPixels::F32(values) = &raster.values
        && values.iter().any(|value| !value.is_finite() || value.abs() > MAX_FLOAT)
    {
        let mend = "replace them by numbers and save it again";
        return Err(DataError::unsupported(path, "it has pixels that are not finite numbers", mend));
    }
    raster.source.orientation = found.or(raster.source.orientation);
    raster.orient(path, limit, orientation)?;
    if raster.source.pages > 1 && format != ImageFormat::Tiff {
        raster
            .notes
            .push(format!("It is an animation of {} images, of which the first is read.", raster.source.pages));
    }
    Ok(raster)
}

/// Reads the content of a file and recognises its format. If the file is not an image, only its first 16 bytes
/// are read.
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
        _ if tiff::is_tiff(&bytes) => ImageFormat::Tiff,
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Bmp | ImageFormat::WebP)) => format,
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

/// Decodes the content after checking the header.
fn decode(path: &Path, bytes: &[u8], format: ImageFormat, limit: Limit) -> Result<Raster, DataError> {
    let refuse = |error| refusal(path, error);
    limit.allow(path, bytes.len() as u64)?;
    if format == ImageFormat::Bmp {
        let decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(refuse)?;
        let palette = decoder.get_palette().map(|colours| bmp_colours(bytes, colours));
        let mut raster = pixels(path, bytes, format, limit, decoder, palette.is_some())?;
        if let Some((bits, colours)) = palette {
            raster.source.samples = format!("palette of {} colours, {bits} bit", colours.len());
            raster.palette = Some(numbered(&raster.values, colours));
        }
        return Ok(raster);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // The sides are checked below, where the message can name the size.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some((limit.0 - bytes.len() as u64).min(MAX_NOTES));
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(refuse)?;
    let mut raster = pixels(path, bytes, format, limit, decoder, false)?;
    (raster.is_lossy, raster.source.pages) = match format {
        ImageFormat::Jpeg => (true, 1),
        ImageFormat::WebP => (webp::is_lossy(bytes), webp::frames(bytes)),
        _ => (false, png::frames(bytes)),
    };
    Ok(raster)
}

/// Converts a decoder's error.
fn refusal(path: &Path, error: ImageError) -> DataError {
    match error {
        ImageError::Limits(_) => DataError::TooLarge { path: path.to_owned(), size: one_line(&error) },
        ImageError::Unsupported(_) => DataError::unsupported(path, &one_line(&error), MEND),
        _ => DataError::damaged(path, error),
    }
}

/// Reads the pixels that follow a header. `is_numbered` says that the caller will reconstruct the palette
/// indices afterwards, so that the memory check counts one more byte per pixel.
fn pixels(
    path: &Path,
    bytes: &[u8],
    format: ImageFormat,
    limit: Limit,
    mut decoder: impl ImageDecoder,
    is_numbered: bool,
) -> Result<Raster, DataError> {
    let refuse = |error| refusal(path, error);
    let (width, height) = decoder.dimensions();
    check_sides(path, width, height)?;
    let numbers = if is_numbered { u64::from(width) * u64::from(height) } else { 0 };
    limit.allow(path, needs(format, bytes, &decoder) + numbers)?;
    // The decoder's own buffers may take what the file and the image leave of the limit.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(limit.0 - bytes.len() as u64 - decoder.total_bytes());
    decoder.set_limits(limits).map_err(refuse)?;
    let samples = in_words(decoder.original_color_type());
    let decoded = DynamicImage::from_decoder(decoder).map_err(refuse)?;

    fn apart<T: Copy>(
        wrap: fn(Vec<T>) -> StoredPixels,
        all: Vec<T>,
        channels: usize,
    ) -> (usize, StoredPixels, Option<StoredPixels>) {
        let alpha = all.iter().skip(channels - 1).step_by(channels).copied().collect();
        let mut bare = Vec::with_capacity(all.len() / channels * (channels - 1));
        all.chunks_exact(channels).for_each(|pixel| bare.extend_from_slice(&pixel[..channels - 1]));
        (channels - 1, wrap(bare), Some(wrap(alpha)))
    }
    let (channels, values, alpha) = match decoded {
        DynamicImage::ImageLuma8(buffer) => (1, StoredPixels::U8(buffer.into_raw()), None),
        DynamicImage::ImageLumaA8(buffer) => apart(StoredPixels::U8, buffer.into_raw(), 2),
        DynamicImage::ImageRgb8(buffer) => (3, StoredPixels::U8(buffer.into_raw()), None),
        DynamicImage::ImageRgba8(buffer) => apart(StoredPixels::U8, buffer.into_raw(), 4),
        DynamicImage::ImageLuma16(buffer) => (1, StoredPixels::U16(buffer.into_raw()), None),
        DynamicImage::ImageLumaA16(buffer) => apart(StoredPixels::U16, buffer.into_raw(), 2),
        DynamicImage::ImageRgb16(buffer) => (3, StoredPixels::U16(buffer.into_raw()), None),
        DynamicImage::ImageRgba16(buffer) => apart(StoredPixels::U16, buffer.into_raw(), 4),
        other => {
            let reason = format!("{:?}", other.color());
            return Err(DataError::unsupported(path, &reason, MEND));
        }
    };
    let name = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Bmp => "BMP",
        _ => "WebP",
    };
    let source = PictureSource { format: name, samples, pages: 1, ..PictureSource::default() };
    let mut raster = Raster::plain(width as usize, height as usize, channels, values, source);
    raster.alpha = alpha;
    Ok(raster)
}

/// Describes how samples are stored: their kind and the bits per sample, for instance "grey, 16 bit".
fn in_words(kind: ExtendedColorType) -> String {
    let (channels, bits) = (kind.channel_count(), kind.bits_per_pixel());
    let name = match kind {
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => "CMYK",
        _ if channels >= 3 => "colour",
        _ => "grey",
    };
    let has_alpha = name != "CMYK" && channels.is_multiple_of(2);
    format!(
        "{name}{}, {} bit",
        if has_alpha { " with alpha channel" } else { "" },
        bits / u16::from(channels.max(1))
    )
}

/// Returns the bits per pixel and the palette of a BMP file. The decoder pads the palette to 256 colours; the
/// result has as many as the header states.
fn bmp_colours(bytes: &[u8], colours: &[[u8; 3]]) -> (usize, Vec<[u8; 3]>) {
    let number = |at: usize| {
        let read = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
        bytes.get(at..).and_then(|rest| rest.first_chunk().map(read)).unwrap_or(0)
    };
    // Headers of 12 bytes have 16-bit numbers and no count.
    let (bits, count) =
        if number(14) == 12 { (number(24) & 0xffff, 0) } else { (number(28) & 0xffff, number(46)) };
    let most = 1 << bits.min(8);
    let count = if count == 0 { most } else { count.min(most) };
    (bits, colours[..count.min(colours.len())].to_vec())
}

/// Returns the palette with the index of every pixel's colour. Where several entries have the same colour, the
/// first is taken.
fn numbered(values: &StoredPixels, colours: Vec<[u8; 3]>) -> Palette {
    let mut numbers = std::collections::HashMap::new();
    for (number, &colour) in colours.iter().enumerate() {
        numbers.entry(colour).or_insert(number as u8);
    }
    let StoredPixels::U8(values) = values else { return Palette { indices: Vec::new(), colours } };
    let number = |pixel: &[u8; 3]| numbers.get(pixel).copied().unwrap_or(0);
    Palette { indices: values.as_chunks().0.iter().map(number).collect(), colours }
}

/// Returns the most bytes that decoding holds at a time: the file and the image, and either the decoder's own
/// buffers or, if there is an alpha channel, the copy in which colours and alpha channel are separate.
fn needs(format: ImageFormat, bytes: &[u8], decoder: &impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let (file, picture) = (bytes.len() as u64, decoder.total_bytes());
    let decoded = match format {
        // The decoder copies the file, and keeps 16-bit coefficients if there can be several scans.
        ImageFormat::Jpeg => {
            let kept = if jpeg::is_progressive(bytes) || jpeg::scans(bytes) > 1 {
                8 * pixels.next_multiple_of(1024)
            } else {
                0
            };
            file + picture + kept
        }
        // The decoder holds the planes of luminance and colour, a frame, and the canvas of the animation.
        ImageFormat::WebP => picture + 12 * pixels.max(webp::largest_frame(bytes)),
        _ => picture,
    };
    let bare = if decoder.color_type().has_alpha() { picture } else { 0 };
    file + decoded.max(picture + bare)
}

/// Refuses an image without pixels or with a side that is too long, before memory for its pixels is allocated.
fn check_sides(path: &Path, width: u32, height: u32) -> Result<(), DataError> {
    if width == 0 || height == 0 {
        return Err(DataError::NoPixels { path: path.to_owned(), width, height });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        let size = format!("{width}x{height} pixels; the limit is {MAX_SIDE} pixels a side");
        return Err(DataError::TooLarge { path: path.to_owned(), size });
    }
    Ok(())
}
