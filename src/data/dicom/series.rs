//! Slices of a series, from the files of a folder or a DICOMDIR, in their order in space.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::attributes::Attributes;
use super::{finish, open, read, scan};
use crate::data::volume::{Mapping, Placement, Volume};
use crate::data::{DataError, Limit};

/// Deepest folder that is looked into, and most files.
const DEPTH: usize = 6;
const FILES: usize = 20_000;
/// How often the memory of a slice is needed while it is decoded.
const WORKING: u64 = 16;
/// Difference of the parts of two directions up to which slices lie alike: half a degree, more than scanners round away.
const ALIKE: f64 = 0.01;
/// Files that are named of those that a stack had to leave out.
const NAMED: usize = 3;

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What it is, without anything about the patient: "CT, 300 slices, CHEST".
    pub name: String,
    /// Its files, from the feet to the head or in the order of their numbers.
    pub files: Vec<PathBuf>,
}

/// The series in a folder, the largest first; a DICOMDIR stands for its folder. Files that are no DICOM pictures are passed over. A
/// series whose files do not fit into one stack is several here: all of them can be opened.
pub fn series_in(folder: &Path) -> Vec<Series> {
    let mut files = Vec::new();
    collect(folder, DEPTH, &mut files);
    let headers: Vec<(PathBuf, Attributes)> = files
        .into_par_iter()
        .filter_map(|path| {
            let contents = read(&path, Limit::default(), true).ok()?;
            let attributes = Attributes::of(&path, &contents).ok()?;
            Some((path, attributes))
        })
        .collect();
    let mut groups: BTreeMap<String, Vec<Vec<(PathBuf, Attributes)>>> = BTreeMap::new();
    for (path, attributes) in headers {
        // A file without a series is one of its own.
        let series =
            if attributes.series.is_empty() { path.display().to_string() } else { attributes.series.clone() };
        let stacks = groups.entry(series).or_default();
        match stacks.iter_mut().find(|stack| misfit(&stack[0].1, &attributes).is_none()) {
            Some(stack) => stack.push((path, attributes)),
            None => stacks.push(vec![(path, attributes)]),
        }
    }
    let mut series: Vec<Series> = groups.into_values().flatten().map(sorted).collect();
    series.sort_by(|a, b| b.files.len().cmp(&a.files.len()).then_with(|| a.name.cmp(&b.name)));
    series
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if files.len() >= FILES {
            return;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files);
            }
        } else {
            files.push(path);
        }
    }
}

fn sorted(mut slices: Vec<(PathBuf, Attributes)>) -> Series {
    let has_depth = slices.iter().all(|(_, attributes)| attributes.depth().is_some());
    let place = |attributes: &Attributes| match attributes.depth() {
        Some(depth) if has_depth => depth,
        _ => attributes.instance,
    };
    slices.sort_by(|(path_a, a), (path_b, b)| place(a).total_cmp(&place(b)).then_with(|| path_a.cmp(path_b)));
    let first = &slices[0].1;
    let modality = if first.modality.is_empty() { "DICOM" } else { first.modality.as_str() };
    let count = if slices.len() == 1 { first.frames } else { slices.len() };
    let many = if count == 1 { String::new() } else { format!(", {count} slices") };
    let description =
        if first.description.is_empty() { String::new() } else { format!(", {}", first.description) };
    let name = format!("{modality}{many}{description}");
    Series { name, files: slices.into_iter().map(|(path, _)| path).collect() }
}

/// What a file has that keeps it out of the stack of `first`, if anything.
fn misfit(first: &Attributes, other: &Attributes) -> Option<&'static str> {
    let size = |of: &Attributes| (of.columns, of.rows);
    let kind = |of: &Attributes| {
        (of.samples, of.bits_allocated, of.is_signed, of.is_palette(), of.photometric == "MONOCHROME1")
    };
    let lies_alike = match (first.orientation, other.orientation) {
        (Some(a), Some(b)) => a.iter().zip(b).all(|(a, b)| (a - b).abs() < ALIKE),
        (a, b) => a.is_none() && b.is_none(),
    };
    if size(first) != size(other) {
        Some("it is of another size")
    } else if first.frames.max(other.frames) > 1 {
        Some(if first.frames == other.frames {
            "it has several frames"
        } else {
            "it has another number of frames"
        })
    } else if kind(first) != kind(other) {
        Some("its pixels are of another kind")
    } else if !lies_alike {
        Some("it lies in another direction")
    } else if first.frame_of_reference != other.frame_of_reference {
        Some("it is positioned in another frame of reference")
    } else {
        None
    }
}

/// Reads a file that is to stand in the stack of `first`.
fn slice(path: &Path, limit: Limit, first: Option<&Attributes>) -> Result<(Volume, Attributes), DataError> {
    let contents = read(path, limit, false)?;
    let attributes = Attributes::of(path, &contents)?;
    if let Some(reason) = first.and_then(|first| misfit(first, &attributes)) {
        return Err(DataError::Misfit { path: path.to_owned(), reason });
    }
    Ok((scan(path, contents, &attributes, limit)?, attributes))
}

/// Reads the files of a series as one stack. `progress` hears how many are read and says whether to go on. A file that cannot be read, or
/// does not fit to the first that can, is left out, and a note of the stack says so.
///
/// # Errors
/// Not one file can be read (the error is that of the first), or all together need more memory than `limit`; or reading was broken off.
pub fn open_series(
    files: &[PathBuf],
    limit: Limit,
    progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Volume, DataError> {
    if let [only] = files {
        return open(only, limit);
    }
    let done = std::sync::atomic::AtomicUsize::new(0);
    // What is wrong with one file is no reason to show none; what ends all is.
    let try_one = |path: &PathBuf, limit: Limit, first: Option<&Attributes>| {
        if !progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1) {
            return Err(DataError::Cancelled { path: path.clone() });
        }
        match slice(path, limit, first) {
            Err(error @ DataError::BeyondLimit { .. }) => Err(error),
            tried => Ok(tried),
        }
    };
    let mut left_out = Vec::new();
    let mut untried = files.iter();
    let (first_path, (mut whole, first)) = loop {
        let Some(path) = untried.next() else {
            let none = DataError::NotDicom { path: PathBuf::new() };
            return Err(left_out.into_iter().next().unwrap_or(none));
        };
        match try_one(path, limit, None)? {
            Ok(read) => break (path, read),
            Err(error) => left_out.push(error),
        }
    };
    let rest = untried.as_slice();
    let mut positions = vec![first.position];
    let mut pairs = vec![pair(&whole.mapping)];
    let shapes =
        |of: &Attributes| (of.is_sigmoid, of.windows().iter().map(|named| named.window).collect::<Vec<_>>());
    let mut is_one_curve = true;
    // What the stack takes, and what a slice takes while it is read: no more of them at a time than fit beside the stack.
    let one = whole.values.bytes();
    let stack = one.saturating_mul(rest.len() as u64 + 1);
    limit.allow(first_path, stack.saturating_add(one))?;
    let room = limit.0 - stack;
    let at_once = (room / one.saturating_mul(WORKING).max(1)).clamp(1, 64) as usize;
    let share = Limit(room / at_once.min(rayon::current_num_threads()) as u64);
    whole.values.reserve(whole.values.len() * rest.len());
    for paths in rest.chunks(at_once) {
        let tried = paths.par_iter().map(|path| try_one(path, share, Some(&first)));
        let tried: Vec<_> = tried.collect::<Result<_, DataError>>()?;
        for (tried, path) in tried.into_iter().zip(paths) {
            let (slice, attributes) = match tried {
                Ok(read) => read,
                Err(error) => {
                    left_out.push(error);
                    continue;
                }
            };
            let pair = pair(&slice.mapping);
            // Compressed pixels and tables may be of another kind than the headers tell.
            let is_same = slice.channels == whole.channels && pair.is_some() == pairs[0].is_some();
            if !is_same || !whole.values.append(slice.values) {
                let reason = "its pixels are of another kind";
                left_out.push(DataError::Misfit { path: path.clone(), reason });
                continue;
            }
            is_one_curve &= shapes(&attributes) == shapes(&first) && slice.mapping == whole.mapping;
            positions.push(attributes.position);
            pairs.push(pair);
            whole.slices += 1;
        }
    }
    whole.notes.extend(said(&left_out, files.len()));
    // Scanners other than CT may scale every slice differently.
    if let Some(pairs) = pairs.into_iter().collect::<Option<Vec<[f32; 2]>>>() {
        let is_same = pairs.iter().all(|pair| *pair == pairs[0]);
        whole.mapping = match (is_same, pairs[0]) {
            (true, [1.0, 0.0]) => Mapping::Same,
            (true, pair) => Mapping::Linear(vec![pair]),
            (false, _) => Mapping::Linear(pairs),
        };
    }
    finish(&mut whole, &first, is_one_curve);
    place(&mut whole, positions);
    Ok(whole)
}

/// What there is to say where some of `count` files were left out: the first few by name.
fn said(left_out: &[DataError], count: usize) -> Option<String> {
    let were = match left_out.len() {
        0 => return None,
        1 => "was",
        _ => "were",
    };
    let mut text = format!("{} of {count} files {were} left out of this series.", left_out.len());
    left_out.iter().take(NAMED).for_each(|reason| text += &format!(" {reason}."));
    if left_out.len() > NAMED {
        text += &format!(" So it is with {} more.", left_out.len() - NAMED);
    }
    Some(text)
}

fn pair(mapping: &Mapping) -> Option<[f32; 2]> {
    match mapping {
        Mapping::Same => Some([1.0, 0.0]),
        Mapping::Linear(pairs) => pairs.first().copied(),
        Mapping::Table { .. } => None,
    }
}

/// Where the slices lie. Says so where one is missing.
fn place(whole: &mut Volume, positions: Vec<Option<[f64; 3]>>) {
    let positions: Option<Vec<[f64; 3]>> = positions.into_iter().collect();
    let placement = whole.geometry.placement.take();
    whole.geometry.placement =
        placement.zip(positions).map(|(placement, positions)| Placement { positions, ..placement });
    whole.geometry.derive();
    if !whole.geometry.gaps().is_empty() {
        whole.notes.push("The slices are not evenly spaced: some may be missing.".into());
    }
}
