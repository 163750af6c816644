//! TIFF and BigTIFF. The tiff crate decodes strips and tiles to plain numbers. This module decides what these
//! mean and which pages belong together, and explains what is not supported.

mod directory;
mod guard;
mod page;
mod plan;
mod planes;
mod samples;

use std::io::Cursor;
use std::path::Path;

use ::tiff::TiffError;
use ::tiff::decoder::{Decoder, DecodingResult, Limits};

pub(super) use directory::Directories;
use page::Page;
use plan::Plan;
use samples::Channels;

use super::raster::Raster;
use super::volume::PictureSource;
use super::{DataError, Limit};

/// The advice for a kind of file that the tiff crate refuses.
const MEND: &str = "convert it to a TIFF without compression, for instance with tiffcp -c none";

/// Returns whether a file begins like a TIFF or BigTIFF.
pub(super) fn is_tiff(bytes: &[u8]) -> bool {
    Directories::of(bytes).is_some()
}

/// Reads a TIFF: all pages if they have the same size and kind, otherwise the first. `check` receives the path,
/// the width and the height, and refuses sizes that are not supported.
///
/// # Errors
/// Returns an error if the file is damaged or not supported, if `check` refuses its size, or if it needs more
/// memory than `limit`.
pub(super) fn read(
    path: &Path,
    mut bytes: Vec<u8>,
    limit: Limit,
    check: impl Fn(&Path, u32, u32) -> Result<(), DataError>,
) -> Result<Raster, DataError> {
    let damaged = |reason: String| DataError::damaged(path, reason);
    let plan = Plan::of(path, &bytes, limit)?;
    let (first, count) = (&plan.pages[0].page, plan.pages.len());
    check(path, first.width, first.height)?;
    // The memory holds the file, all pages, and one of them as decoded and again while it is appended to the
    // others. All pages take the same memory once they are read, but not as stored, because one may have samples
    // that are not read.
    let copies = if count > 1 { count as u64 + 1 } else { 1 };
    let largest = |of: fn(&Page) -> u64| plan.pages.iter().map(|planned| of(&planned.page)).max().unwrap_or(0);
    let needed = bytes.len() as u64 + plan.lists + copies * first.read() + largest(Page::decoded);
    limit.allow(path, needed)?;
    plan.prepare(&mut bytes);
    let beside = plan.check(&bytes).map_err(damaged)?;
    limit.allow(path, needed.saturating_add(beside))?;

    let refuse = |error| refusal(path, error);
    let mut decoder = Decoder::new(Cursor::new(&bytes[..])).map_err(refuse)?;
    let mut limits = Limits::unlimited();
    // The crate counts the lists of the directories against this limit as well.
    limits.decoding_buffer_size = (largest(Page::stored) + plan.lists) as usize + size_of::<u64>();
    decoder = decoder.with_limits(limits.clone());
    let mut raster: Option<Raster> = None;
    let mut is_rounded = false;
    for planned in &plan.pages {
        decoder.seek_to_image(planned.number).map_err(refuse)?;
        let decoded = if planes::is_tiled(&planned.page) {
            planes::read(&mut decoder, &planned.page, &limits).map_err(refuse)?
        } else {
            let mut decoded = DecodingResult::U8(Vec::new());
            decoder.read_image_to_buffer(&mut decoded).map_err(refuse)?;
            decoded
        };
        let channels = samples::channels(&planned.page, decoded, &plan.colours)
            .ok_or_else(|| damaged("the samples of a page differ from its description".into()))?;
        is_rounded |= channels.is_rounded;
        match &mut raster {
            Some(raster) => append(raster, channels),
            None => {
                let mut one = begin(&plan, channels);
                let more = count - 1;
                one.values.reserve(more * one.values.len());
                if let Some(alpha) = &mut one.alpha {
                    alpha.reserve(more * alpha.len());
                }
                if let Some(palette) = &mut one.palette {
                    palette.indices.reserve_exact(more * palette.indices.len());
                }
                raster = Some(one);
            }
        }
    }
    let mut raster = raster.ok_or_else(|| damaged("it has no page".into()))?;
    raster.pages = count;
    raster.notes = plan.notes;
    if is_rounded {
        let note = "Whole numbers of more than 24 bits were rounded to 32-bit floating point.";
        raster.notes.push(note.into());
    }
    Ok(raster)
}

/// Makes a raster of the first page that is read.
fn begin(plan: &Plan, channels: Channels) -> Raster {
    let page = &plan.pages[0].page;
    let source = PictureSource {
        format: "TIFF",
        samples: page.in_words(Some(plan.colours.len())),
        orientation: page.orientation,
        pages: plan.total,
    };
    let (width, height) = (page.width as usize, page.height as usize);
    let mut raster = Raster::plain(width, height, page.channels(), channels.values, source);
    (raster.alpha, raster.palette) = (channels.alpha, channels.palette);
    raster.is_inverted = channels.is_inverted;
    raster.is_lossy = plan.pages.iter().any(|planned| planned.page.compression == page::JPEG);
    raster
}

/// Appends the samples of a further page, which is of the same kind as the first.
fn append(raster: &mut Raster, channels: Channels) {
    raster.values.append(channels.values);
    if let (Some(all), Some(more)) = (&mut raster.alpha, channels.alpha) {
        all.append(more);
    }
    if let (Some(all), Some(more)) = (&mut raster.palette, channels.palette) {
        all.indices.extend(more.indices);
    }
}

/// Converts an error of the tiff crate.
fn refusal(path: &Path, error: TiffError) -> DataError {
    match error {
        TiffError::UnsupportedError(kind) => {
            DataError::unsupported(path, &format!("a TIFF with something unusual: {kind}"), MEND)
        }
        TiffError::LimitsExceeded => {
            DataError::damaged(path, "it unpacks to more data than its directories announce")
        }
        _ => DataError::damaged(path, error),
    }
}
