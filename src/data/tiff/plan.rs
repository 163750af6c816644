//! Decides which pages of a file are read, and which of its bytes are changed so that the tiff crate decodes
//! plain numbers.

use std::ops::Range;
use std::path::Path;

use super::directory::{Directories, Directory};
use super::guard;
use super::page::{self, Meaning, PHOTOMETRIC, Page, ROWS_PER_STRIP, Refusal};
use super::planes;
use crate::data::{DataError, Limit};

/// The tag ColorMap, the colours of a palette.
const COLOURS: u16 = 320;
/// The tag ImageDescription, a text.
const DESCRIPTION: u16 = 270;
/// The tag SubIFDs, directories outside the chain.
const CHILDREN: u16 = 330;
/// The largest side of a tile in pixels. Usual tiles have some hundred.
const TILE: u32 = 32_768;
/// The photometric interpretation of a page whose samples are to be decoded unchanged.
const BLACK_IS_ZERO: u64 = 1;
/// The largest number of separate ranges of strips whose bits are reversed.
const PARTS: usize = 1 << 18;
/// The number of pages that are named in a note.
const NAMED: usize = 3;

/// A page that is read.
pub(super) struct Planned {
    /// The index of the page in the chain, from 0.
    pub number: usize,
    /// The description of the page.
    pub page: Page,
}

/// The pages of a file that are read, and the changes that this needs.
pub(super) struct Plan {
    /// The pages that are read: at least one, and several if all are alike.
    pub pages: Vec<Planned>,
    /// The number of images in the file, including those that are not read.
    pub total: usize,
    /// The colours of the palette; empty if there is none.
    pub colours: Vec<[u8; 3]>,
    /// The number of bytes that the decoder allocates for the lists of a directory.
    pub lists: u64,
    /// Notes about what is not read.
    pub notes: Vec<String>,
    /// The offsets of bytes that are replaced, with the new bytes.
    changes: Vec<(usize, Vec<u8>)>,
    /// The ranges of the file in which the bits of each byte are in reverse order.
    reversed: Vec<Range<usize>>,
}

impl Plan {
    /// Examines all directories. The memory for the lists of a directory is counted before it is allocated.
    ///
    /// # Errors
    /// Returns an error if the file is damaged or its kind is not supported, or if it needs more memory than
    /// `limit`.
    pub fn of(path: &Path, bytes: &[u8], limit: Limit) -> Result<Self, DataError> {
        let damaged = |reason: &str| DataError::damaged(path, reason);
        let directories = directories(bytes).map_err(|reason| damaged(&reason))?;
        let mut chosen: Vec<usize> = (0..directories.len()).collect();
        chosen.retain(|&number| !page::is_secondary(directories[number]));
        let mut notes = Vec::new();
        if chosen.is_empty() {
            chosen.push(0);
            if directories[0].entry(CHILDREN).is_some() {
                notes.push("It is a reduced copy of an image in a part of the file that is not read.".into());
            }
        }
        // The tiff crate always reads the first directory.
        let first = directories[chosen[0]];
        let mut lists = 0;
        for directory in [directories[0], first] {
            lists = guard::lists(directory).map_err(|reason| damaged(&reason))?.max(lists);
            limit.allow(path, (bytes.len() as u64).saturating_add(lists))?;
        }
        let page = Page::of(first).map_err(|refusal| match refusal {
            Refusal::Damaged(reason) => damaged(&reason),
            Refusal::Kind(reason, mend) => DataError::unsupported(path, &reason, mend),
        })?;
        let colours = colours(first, &page).map_err(|reason| damaged(&reason))?;

        let mut pages = vec![Planned { number: chosen[0], page }];
        // Pages of another kind are counted, and the first of them are described in a note.
        let (mut others, mut count) = (Vec::new(), 0);
        for &number in &chosen[1..] {
            let directory = directories[number];
            let needed = guard::lists(directory).map_err(|reason| damaged(&reason))?;
            limit.allow(path, (bytes.len() as u64).saturating_add(needed))?;
            lists = lists.max(needed);
            let other = match Page::of(directory) {
                Ok(page)
                    if page.is_like(&pages[0].page)
                        && self::colours(directory, &page).as_ref() == Ok(&colours) =>
                {
                    pages.push(Planned { number, page });
                    continue;
                }
                Ok(page) => format!("{}x{}, {}", page.width, page.height, page.in_words(None)),
                Err(Refusal::Kind(kind, _)) => kind,
                Err(Refusal::Damaged(_)) => "damaged".into(),
            };
            count += 1;
            if others.len() < NAMED {
                others.push(other);
            }
        }
        if count > 0 {
            let page = &pages[0].page;
            let more = if count > NAMED { " …" } else { "" };
            notes.push(format!(
                "It has {} pages that differ in size or kind; the first ({}x{}) is read, others are not ({}{more}).",
                chosen.len(),
                page.width,
                page.height,
                others.join("; ")
            ));
            pages.truncate(1);
        }
        notes.extend(further(first, &pages));
        let mut plan =
            Self { pages, total: chosen.len(), colours, lists, notes, changes: Vec::new(), reversed: Vec::new() };
        plan.changes(&directories).map_err(|reason| damaged(&reason))?;
        Ok(plan)
    }

    /// Collects the changes of the file's bytes.
    ///
    /// # Errors
    /// Returns a message if a value that must be changed or the strips cannot be found.
    fn changes(&mut self, directories: &[Directory]) -> Result<(), String> {
        for planned in &self.pages {
            let directory = directories[planned.number];
            let mut set = |tag, value| -> Option<()> {
                let (range, size) =
                    (directory.range(directory.entry(tag)?)?, directory.entry(tag)?.size()? as usize);
                self.changes.push((range.start, directory.written(value, size)));
                (range.len() >= size).then_some(())
            };
            set(PHOTOMETRIC, BLACK_IS_ZERO).ok_or("the meaning of its values is cut off")?;
            // The number of rows of a strip that ends with the image is often the largest possible number.
            if directory.one(ROWS_PER_STRIP).is_some_and(|rows| rows > u64::from(planned.page.height)) {
                set(ROWS_PER_STRIP, planned.page.height.into()).ok_or("the rows of a strip are cut off")?;
            }
            if planned.page.is_reversed {
                self.reversed.extend(guard::parts(directory).ok_or("its strips cannot be found")?);
                self.reversed.sort_by_key(|part| part.start);
                self.reversed = guard::merged(std::mem::take(&mut self.reversed));
                if self.reversed.len() > PARTS {
                    return Err("its strips are in too many places".into());
                }
            }
        }
        Ok(())
    }

    /// Makes the changes in the bytes of the file.
    pub fn prepare(&self, bytes: &mut [u8]) {
        for part in &self.reversed {
            bytes[part.clone()].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        for (start, change) in &self.changes {
            bytes[*start..start + change.len()].copy_from_slice(change);
        }
    }

    /// Examines the directories again after the changes, because overlapping directories may then say something
    /// else. Returns the number of bytes that the decoder allocates in addition to the pages.
    ///
    /// # Errors
    /// Returns a message if a directory was changed by another, or if it announces too large tiles or JPEG
    /// frames.
    pub fn check(&self, bytes: &[u8]) -> Result<u64, String> {
        let directories = directories(bytes)?;
        let mut most = 0;
        if guard::lists(directories[0])? > self.lists {
            return Err("its directories overlap".into());
        }
        for planned in &self.pages {
            let directory = *directories.get(planned.number).ok_or("its directories overlap")?;
            let is_same = guard::lists(directory)? <= self.lists
                && Page::of(directory).is_ok_and(|page| page.is_stored_like(&planned.page));
            if !is_same {
                return Err("its directories overlap".into());
            }
            most = most.max(beside(directory, &planned.page)?);
        }
        let is_zstd = self.pages.iter().any(|planned| planned.page.compression == page::ZSTD);
        Ok(most + if is_zstd { guard::zstd_window(bytes) } else { 0 })
    }
}

/// Returns all directories.
///
/// # Errors
/// Returns a message if there are none, or if they cannot be read reliably.
fn directories(bytes: &[u8]) -> Result<Vec<Directory<'_>>, String> {
    let all = Directories::of(bytes).ok_or("it is no TIFF")?.all();
    let all = all.ok_or("its directories have too many entries")?;
    if all.is_empty() {
        return Err("it has no directory".into());
    }
    // The decoder may continue at another position after such an entry than this program.
    if all.iter().any(|directory| directory.is_big() && directory.has_unknown_types()) {
        return Err("it has numbers of an unknown type".into());
    }
    Ok(all)
}

/// Returns the number of bytes that the decoder allocates in addition to a page: for JPEG its coefficients and
/// its data, and for a row of a tile or a whole tile.
///
/// # Errors
/// Returns a message if tiles or JPEG frames are too large.
fn beside(directory: Directory, page: &Page) -> Result<u64, String> {
    let [columns, rows] = page.chunk();
    if columns > TILE || rows > TILE {
        return Err(format!("it has tiles of {columns}x{rows} pixels"));
    }
    let row = u64::from(columns) * page.samples as u64 * u64::from(page.bits.div_ceil(8));
    let frame = if page.compression == page::JPEG {
        3 * guard::frames(directory, page)? + directory.file().len() as u64
    } else {
        0
    };
    let tile = if planes::is_tiled(page) { row * u64::from(rows) } else { 0 };
    Ok(2 * row + tile + frame)
}

/// Returns the colours of a page's palette. Colours of 16 bits are reduced to 8 bits, as in other programs.
///
/// # Errors
/// Returns a message if the colours are missing or too few.
fn colours(directory: Directory, page: &Page) -> Result<Vec<[u8; 3]>, String> {
    if page.meaning != Meaning::Palette {
        return Ok(Vec::new());
    }
    let numbers = directory.values(COLOURS).ok_or("it has no colours for its palette")?;
    let count = 1_usize << page.bits;
    if numbers.len() < 3 * count {
        return Err(format!("its palette has {} numbers instead of {}", numbers.len(), 3 * count));
    }
    // Some old programs wrote colours of 8 bits.
    let shift = if numbers.iter().all(|&number| number < 256) { 0 } else { 8 };
    Ok((0..count)
        .map(|colour| [0, 1, 2].map(|channel| (numbers[channel * count + colour] >> shift) as u8))
        .collect())
}

/// Returns notes about the parts of the pages that are not read. `directory` is that of the first page.
fn further(directory: Directory, pages: &[Planned]) -> Vec<String> {
    let mut notes = Vec::new();
    let samples = || pages.iter().map(|planned| planned.page.further());
    let (least, most) = (samples().min().unwrap_or(0), samples().max().unwrap_or(0));
    match most {
        0 => {}
        _ if least < most => {
            notes.push(format!("A pixel has {least} to {most} further samples, by its page, which are not read."));
        }
        1 => notes.push("A pixel has a further sample, which is not read.".into()),
        more => notes.push(format!("A pixel has {more} further samples, which are not read.")),
    }
    let pages = pages.len();
    // ImageJ writes one directory for a stack of more than 4 GiB.
    let text = directory.entry(DESCRIPTION).and_then(|entry| directory.content(entry)).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..text.len().min(1000)]);
    let images = text.lines().find_map(|line| line.strip_prefix("images=")?.trim().parse::<usize>().ok());
    if let Some(images) = images.filter(|&images| text.starts_with("ImageJ=") && images > pages) {
        notes.push(format!("ImageJ wrote {images} images into it, of which {pages} can be found and read."));
    }
    notes
}
