//! Picture files to [`Raster`] and [`Image`]: the format by content, guards before memory is taken, values untouched.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::bmp::BmpDecoder;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::error::{caught, one_line};
use super::raster::{Palette, Raster};
use super::volume::{PictureSource, StoredPixels};
use super::{DataError, Image, Limit, Orientation, exif, jpeg, png, tiff, webp};

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
/// 8 and 16 bit and 32 bit floating point samples keep their stored values, other numbers become floating point; palettes are looked up,
/// an alpha channel is dropped, grey stays one channel. It is turned upright where the file gives an orientation. Of several frames, and
/// of pages that differ in size or kind, the first is read.
///
/// # Errors
/// The file is missing, unreadable, no image, of a kind that is not read, damaged, without pixels, a stack of pages, or
/// larger than 32768 pixels a side or 2 GiB decoded.
pub fn load(path: &Path) -> Result<Image, DataError> {
    load_as(path, Limit::default(), Orientation::default())
}

/// As [`load`], with another limit than 2 GiB for what the image may take, and a choice of its orientation.
///
/// # Errors
/// Those of [`load`].
pub fn load_as(path: &Path, limit: Limit, orientation: Orientation) -> Result<Image, DataError> {
    let raster = raster(path, limit, orientation)?;
    if raster.pages > 1 {
        let reason = format!("it is a stack of {} pages of one size, where one picture is needed", raster.pages);
        return Err(DataError::unsupported(path, &reason, "save the page that is meant as a file of its own"));
    }
    if let StoredPixels::I16(values) = &raster.values {
        // Floating point beside what was read.
        limit.allow(path, 6 * values.len() as u64)?;
    }
    Ok(raster.into_image())
}

/// Reads a picture, or a mask that is kept as one, with all that its file has: pages, palette, alpha channel.
///
/// # Errors
/// Those of [`load`], but for a stack of pages.
pub fn raster(path: &Path, limit: Limit, orientation: Orientation) -> Result<Raster, DataError> {
    let (bytes, format) = read(path, limit)?;
    if format == ImageFormat::Jpeg && !jpeg::is_complete(&bytes) {
        // The decoder paints what is missing grey and says nothing.
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
            .push(format!("It is an animation of {} pictures, of which the first is read.", raster.source.pages));
    }
    Ok(raster)
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

/// Decodes after a look at the header.
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
    // The sides are checked below, where the size can be named.
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

/// What a decoder's error means.
fn refusal(path: &Path, error: ImageError) -> DataError {
    match error {
        ImageError::Limits(_) => DataError::TooLarge { path: path.to_owned(), size: one_line(&error) },
        ImageError::Unsupported(_) => DataError::unsupported(path, &one_line(&error), MEND),
        _ => DataError::damaged(path, error),
    }
}

/// The pixels behind a header; `is_numbered` where those of a palette are to be found afterwards, a byte each.
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
    // What is left beside the picture is for the decoder's own buffers.
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

/// How samples are stored.
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

/// Bits of a pixel and the colours of a BMP that its header counts; its decoder fills them up to 256.
fn bmp_colours(bytes: &[u8], colours: &[[u8; 3]]) -> (usize, Vec<[u8; 3]>) {
    let number = |at: usize| {
        let read = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
        bytes.get(at..).and_then(|rest| rest.first_chunk().map(read)).unwrap_or(0)
    };
    // Headers of 12 bytes have short numbers and no count.
    let (bits, count) =
        if number(14) == 12 { (number(24) & 0xffff, 0) } else { (number(28) & 0xffff, number(46)) };
    let most = 1 << bits.min(8);
    let count = if count == 0 { most } else { count.min(most) };
    (bits, colours[..count.min(colours.len())].to_vec())
}

/// The number of every pixel's colour, the first of equal ones.
fn numbered(values: &StoredPixels, colours: Vec<[u8; 3]>) -> Palette {
    let mut numbers = std::collections::HashMap::new();
    for (number, &colour) in colours.iter().enumerate() {
        numbers.entry(colour).or_insert(number as u8);
    }
    let StoredPixels::U8(values) = values else { return Palette { indices: Vec::new(), colours } };
    let number = |pixel: &[u8; 3]| numbers.get(pixel).copied().unwrap_or(0);
    Palette { indices: values.as_chunks().0.iter().map(number).collect(), colours }
}

/// Bytes that decoding takes: the file, the picture, what the decoder keeps beside it, and the picture and its alpha channel apart.
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
        // Planes of luminance and colour, a frame, and a canvas for it.
        ImageFormat::WebP => picture + 12 * pixels.max(webp::largest_frame(bytes)),
        _ => picture,
    };
    let bare = if decoder.color_type().has_alpha() { picture } else { 0 };
    file + decoded.max(picture + bare)
}

/// Refuses an image without pixels and one that is too large, before its pixels take memory.
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
