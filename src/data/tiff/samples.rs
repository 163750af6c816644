//! Converts the decoded numbers of a page to channels.

use ::tiff::decoder::DecodingResult;

use super::page::{Form, Meaning, Page};
use crate::data::png::unpack;
use crate::data::raster::Palette;
use crate::data::volume::StoredPixels;
use crate::data::ycbcr;

/// The channels of a page.
pub(super) struct Channels {
    /// The samples of grey, or of red, green and blue, interleaved.
    pub values: StoredPixels,
    /// The alpha channel, if there is one.
    pub alpha: Option<StoredPixels>,
    /// The palette with the index of each pixel, if there is one.
    pub palette: Option<Palette>,
    /// Whether low values are bright. Then `values` are as stored; only unsigned integers of up to 16 bits are
    /// inverted on reading.
    pub is_inverted: bool,
    /// Whether some integers were too large for 32-bit floating point and were rounded.
    pub is_rounded: bool,
}

/// Returns the channels of the decoded data. `colours` are those of the palette. Returns `None` if the data have
/// another type or size than the page announces.
pub(super) fn channels(page: &Page, decoded: DecodingResult, colours: &[[u8; 3]]) -> Option<Channels> {
    let count = usize::try_from(page.pixels()).ok()?;
    if count.checked_mul(page.samples)? != sample_count(page, &decoded)? {
        return None;
    }
    let mut is_rounded = false;
    let [values, alpha] = match decoded {
        DecodingResult::U8(all) if page.bits < 8 => {
            let planes = if page.is_planar { page.samples } else { 1 };
            let in_row = page.width as usize * page.samples / planes;
            let all = unpack(&all, page.bits, in_row, page.height as usize * planes);
            // Grey values and colours are scaled to 8 bits; palette indices stay unchanged.
            let scale = if page.meaning == Meaning::Palette { 1 } else { 255 / ((1_u16 << page.bits) - 1) as u8 };
            split(page, all)
                .map(|part| part.map(|all| StoredPixels::U8(all.into_iter().map(|value| value * scale).collect())))
        }
        DecodingResult::U8(all) => split(page, all).map(|part| part.map(StoredPixels::U8)),
        DecodingResult::U16(all) => split(page, all).map(|part| part.map(StoredPixels::U16)),
        DecodingResult::I16(all) => split(page, all).map(|part| part.map(StoredPixels::I16)),
        DecodingResult::I8(all) => {
            let wide = |all: Vec<i8>| StoredPixels::I16(all.into_iter().map(i16::from).collect());
            split(page, all).map(|part| part.map(wide))
        }
        DecodingResult::F32(all) => split(page, all).map(|part| part.map(StoredPixels::F32)),
        DecodingResult::F16(all) => floats(page, all, half::f16::to_f32),
        DecodingResult::F64(all) => floats(page, all, |value| value as f32),
        DecodingResult::U32(all) => {
            is_rounded = all.iter().any(|&value| value as f32 as u32 != value);
            floats(page, all, |value| value as f32)
        }
        DecodingResult::I32(all) => {
            is_rounded = all.iter().any(|&value| value as f32 as i32 != value);
            floats(page, all, |value| value as f32)
        }
        DecodingResult::U64(all) => {
            is_rounded = all.iter().any(|&value| value as f32 as u64 != value);
            floats(page, all, |value| value as f32)
        }
        DecodingResult::I64(all) => {
            is_rounded = all.iter().any(|&value| value as f32 as i64 != value);
            floats(page, all, |value| value as f32)
        }
    };
    let (mut values, mut palette, mut is_inverted) = (values?, None, false);
    match (page.meaning, &mut values) {
        (Meaning::WhiteIsZero, StoredPixels::U8(all)) => all.iter_mut().for_each(|value| *value = 255 - *value),
        (Meaning::WhiteIsZero, StoredPixels::U16(all)) => {
            all.iter_mut().for_each(|value| *value = 65_535 - *value)
        }
        (Meaning::WhiteIsZero, _) => is_inverted = true,
        (Meaning::Cmyk, StoredPixels::U8(all)) => values = StoredPixels::U8(of_inks(all, 255)),
        (Meaning::Cmyk, StoredPixels::U16(all)) => values = StoredPixels::U16(of_inks(all, 65_535)),
        (Meaning::YCbCr, StoredPixels::U8(all)) => ycbcr::to_rgb(all, ycbcr::Range::Full),
        (Meaning::Palette, StoredPixels::U8(indices)) => {
            let found = Palette { indices: std::mem::take(indices), colours: colours.to_vec() };
            (values, palette) = (StoredPixels::U8(found.look_up()), Some(found));
        }
        (Meaning::BlackIsZero | Meaning::Rgb, _) => {}
        _ => return None,
    }
    Some(Channels { values, alpha, palette, is_inverted, is_rounded })
}

/// Returns the number of decoded samples, or `None` if their type is not that of the page. Samples of less than
/// a byte are packed, so their number is taken from the page.
fn sample_count(page: &Page, decoded: &DecodingResult) -> Option<usize> {
    let (form, bits, length) = match decoded {
        DecodingResult::U8(all) if page.bits < 8 => {
            let is_whole = all.len() as u64 == page.stored();
            return is_whole.then(|| page.pixels() as usize * page.samples);
        }
        DecodingResult::U8(all) => (Form::Unsigned, 8, all.len()),
        DecodingResult::U16(all) => (Form::Unsigned, 16, all.len()),
        DecodingResult::U32(all) => (Form::Unsigned, 32, all.len()),
        DecodingResult::U64(all) => (Form::Unsigned, 64, all.len()),
        DecodingResult::I8(all) => (Form::Signed, 8, all.len()),
        DecodingResult::I16(all) => (Form::Signed, 16, all.len()),
        DecodingResult::I32(all) => (Form::Signed, 32, all.len()),
        DecodingResult::I64(all) => (Form::Signed, 64, all.len()),
        DecodingResult::F16(all) => (Form::Float, 16, all.len()),
        DecodingResult::F32(all) => (Form::Float, 32, all.len()),
        DecodingResult::F64(all) => (Form::Float, 64, all.len()),
    };
    ((form, bits) == (page.form, page.bits)).then_some(length)
}

/// Returns the samples of the colour, interleaved, and those of the alpha channel.
fn split<T: Copy>(page: &Page, all: Vec<T>) -> [Option<Vec<T>>; 2] {
    let (count, samples) = (all.len() / page.samples, page.samples);
    let one = |sample: usize| -> Vec<T> {
        if page.is_planar {
            all[sample * count..(sample + 1) * count].to_vec()
        } else {
            all.iter().skip(sample).step_by(samples).copied().collect()
        }
    };
    let alpha = page.alpha.map(one);
    let colour = page.meaning.samples();
    let values = match (page.is_planar, colour) {
        (_, 1) if samples > 1 => one(0),
        (false, _) if samples == colour => all,
        (false, _) => {
            let mut out = Vec::with_capacity(count * colour);
            all.chunks_exact(samples).for_each(|pixel| out.extend_from_slice(&pixel[..colour]));
            out
        }
        (true, _) => {
            let mut out = Vec::with_capacity(count * colour);
            (0..count).for_each(|pixel| out.extend((0..colour).map(|sample| all[sample * count + pixel])));
            out
        }
    };
    [Some(values), alpha]
}

/// Returns the same as [`split`] after conversion to 32-bit floating point.
fn floats<T: Copy>(page: &Page, all: Vec<T>, convert: impl Fn(T) -> f32) -> [Option<StoredPixels>; 2] {
    split(page, all).map(|part| part.map(|all| StoredPixels::F32(all.into_iter().map(&convert).collect())))
}

/// Converts amounts of the four printing inks to red, green and blue. `most` is the largest amount of an ink.
fn of_inks<T: Copy + Into<u32> + TryFrom<u32>>(inks: &[T], most: u64) -> Vec<T> {
    let mut out = Vec::with_capacity(inks.len() / 4 * 3);
    for pixel in inks.as_chunks::<4>().0 {
        let [c, m, y, k] = pixel.map(|ink| most - u64::from(ink.into()));
        out.extend([c, m, y].iter().filter_map(|light| T::try_from(((light * k + most / 2) / most) as u32).ok()));
    }
    out
}
