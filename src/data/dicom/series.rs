//! Slices of a series, from the files of a folder or a DICOMDIR, in their order in space.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::arrange::arrange;
use super::attributes::Attributes;
use super::frame::Frame;
use super::stacks::{Stack, lie_alike, stacks};
use super::{finish, linear, open, read, said_of_place, scan};
use crate::data::volume::{Mapping, Placement, Source, Volume};
use crate::data::{DataError, Limit};

/// Deepest folder that is looked into, and most files.
const DEPTH: usize = 6;
const FILES: usize = 20_000;
/// How often the memory of a slice is needed while it is decoded.
const WORKING: u64 = 16;
/// Files that are named of those that a stack had to leave out.
const NAMED: usize = 3;

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What it is, without anything about the patient: "CT, 300 slices, CHEST". Of several stacks of one series what differs, too: "MR, 20
    /// slices, T2, echo 2".
    pub name: String,
    /// Its files, from the feet to the head or in the order of their numbers. Of frames that make several stacks in one file it is that file
    /// with a number behind its name, as [`super::of_stack`] reads it.
    pub files: Vec<PathBuf>,
    /// What there is to say of it, in words.
    pub notes: Vec<String>,
}

/// The series in a folder, the largest first; a DICOMDIR stands for its folder. Files that are no DICOM pictures are passed over, and so are
/// second copies of one object. A series whose files do not fit into one stack, or lie at the same positions several times, is several here:
/// all of them can be opened.
pub fn series_in(folder: &Path) -> Vec<Series> {
    let mut files = Vec::new();
    collect(folder, DEPTH, &mut files, &mut HashSet::new());
    let headers: Vec<(PathBuf, Attributes)> = files
        .into_par_iter()
        .filter_map(|path| {
            let mut contents = read(&path, Limit::default(), true).ok()?;
            let attributes = Attributes::of(&path, &mut contents).ok()?;
            Some((path, attributes))
        })
        .collect();
    let (mut known, mut copied) = (Known::default(), HashMap::<String, usize>::new());
    let mut groups: BTreeMap<String, Vec<Vec<(PathBuf, Attributes)>>> = BTreeMap::new();
    for (path, attributes) in headers {
        // A file without a series is one of its own.
        let series = &attributes.source.series;
        let series = if series.is_empty() { path.display().to_string() } else { series.clone() };
        if !known.is_new(&attributes) {
            *copied.entry(series).or_default() += 1;
            continue;
        }
        let stacks = groups.entry(series).or_default();
        match stacks.iter_mut().find(|stack| misfit(&stack[0].1, &attributes).is_none()) {
            Some(stack) => stack.push((path, attributes)),
            None => stacks.push(vec![(path, attributes)]),
        }
    }
    let mut stacks: Vec<Vec<Series>> = Vec::new();
    for (series, slices) in groups {
        let note = copies(copied.get(&series).copied().unwrap_or(0));
        stacks.extend(slices.into_iter().map(|slices| separated(slices, note.as_ref())));
    }
    stacks.sort_by(|a, b| a[0].name.cmp(&b[0].name));
    let mut series: Vec<Series> = stacks.into_iter().flatten().collect();
    // Stable: those of one series stay in their order.
    series.sort_by_key(|series| std::cmp::Reverse(series.files.len()));
    series
}

/// The files of a folder, each once: links may lead to the same file again, or around in a circle.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, met: &mut HashSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    if let Ok(true_folder) = folder.canonicalize() {
        met.insert(true_folder);
    }
    for path in paths {
        if files.len() >= FILES {
            return;
        }
        let is_new = path.canonicalize().is_ok_and(|true_path| met.insert(true_path));
        if !is_new {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                collect(&path, depth - 1, files, met);
            }
        } else {
            files.push(path);
        }
    }
}

/// The stacks of files that fit into one.
fn separated(mut slices: Vec<(PathBuf, Attributes)>, note: Option<&String>) -> Vec<Series> {
    slices.sort_by(|(path_a, a), (path_b, b)| a.instance.total_cmp(&b.instance).then_with(|| path_a.cmp(path_b)));
    let notes: Vec<String> = note.cloned().into_iter().collect();
    let name = |attributes: &Attributes, count: usize, stack: &str| {
        let modality = if attributes.modality.is_empty() { "DICOM" } else { attributes.modality.as_str() };
        let many = if count == 1 { String::new() } else { format!("{count} slices") };
        let parts = [modality, &many, &attributes.source.series_description, stack];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    };
    if let [(path, attributes)] = slices.as_slice() {
        if !attributes.segmentation.is_empty() {
            let name = name(attributes, attributes.frames, "");
            return vec![Series { name, files: vec![path.clone()], notes }];
        }
        let stacks = attributes.stacks();
        let is_one = stacks.len() == 1;
        let series = stacks.into_iter().enumerate().map(|(number, stack)| {
            let mut file = path.clone();
            if !is_one {
                file.as_mut_os_string().push(format!("#{}", number + 1));
            }
            let count = if is_one { attributes.frames } else { stack.members.len() };
            let name = name(attributes, count, &stack.name);
            Series { name, files: vec![file], notes: notes.clone() }
        });
        return series.collect();
    }
    let frames: Vec<&Frame> = slices.iter().map(|(_, attributes)| &attributes.own).collect();
    let series = stacks(&frames).into_iter().map(|Stack { name: stack, members, .. }| Series {
        name: name(&slices[members[0]].1, members.len(), &stack),
        files: members.iter().map(|member| slices[*member].0.clone()).collect(),
        notes: notes.clone(),
    });
    series.collect()
}

/// Objects that were met, by their names.
#[derive(Default)]
struct Known(HashMap<String, Vec<Met>>);

/// Place, number and time of an object, and what its pixels are.
type Met = (Option<[f64; 3]>, f64, String, String);

impl Known {
    /// Whether this is the first of its name. Some programs give all objects the same; what lies elsewhere, has another number, another time or
    /// other pixels is no copy.
    fn is_new(&mut self, attributes: &Attributes) -> bool {
        let Some(name) = attributes.source.sop_instances.first().filter(|name| !name.is_empty()) else {
            return true;
        };
        let Attributes { columns, rows, frames, bits_allocated, is_signed, photometric, .. } = attributes;
        let place = (attributes.own.orientation, &attributes.frame_of_reference);
        let kind = format!("{:?}", (columns, rows, frames, bits_allocated, is_signed, photometric, place));
        let own = (attributes.own.position, attributes.instance, attributes.own.time.clone(), kind);
        let met = self.0.entry(name.clone()).or_default();
        if met.contains(&own) {
            return false;
        }
        met.push(own);
        true
    }
}

/// What there is to say of files that are copies of others.
fn copies(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("One file is a copy of another, of the same object, and is counted once.".into()),
        _ => Some(format!("{count} files are copies of others, of the same objects, and are counted once.")),
    }
}

/// What a file has that keeps it out of the stack of `first`, if anything.
fn misfit(first: &Attributes, other: &Attributes) -> Option<&'static str> {
    let size = |of: &Attributes| (of.columns, of.rows);
    let kind = |of: &Attributes| {
        (of.samples, of.bits_allocated, of.is_signed, of.is_palette(), of.photometric == "MONOCHROME1")
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
    } else if !lie_alike(first.own.orientation, other.own.orientation) {
        Some("it lies in another direction")
    } else if first.frame_of_reference != other.frame_of_reference {
        Some("it is positioned in another frame of reference")
    } else {
        None
    }
}

/// Reads a file that is to stand in the stack of `first`.
fn slice(path: &Path, limit: Limit, first: Option<&Attributes>) -> Result<(Volume, Attributes), DataError> {
    let mut contents = read(path, limit, false)?;
    let attributes = Attributes::of(path, &mut contents)?;
    if let Some(reason) = first.and_then(|first| misfit(first, &attributes)) {
        return Err(DataError::Misfit { path: path.to_owned(), reason });
    }
    Ok((scan(path, contents, &attributes, &[], limit)?, attributes))
}

/// Reads the files of a series as one stack, in the order of their positions. `progress` hears how many are read and says whether to go on. A
/// file that cannot be read, or does not fit to the first that can, is left out, and a note of the stack says so; so it is with copies, and
/// with files that lie where others do and make stacks of their own ([`series_in`] has these apart).
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
    let mut known = Known::default();
    known.is_new(&first);
    let mut copied = 0;
    let mut frames = vec![first.own.clone()];
    let mut objects = first.source.sop_instances.clone();
    let mut pairs = vec![pair(&whole.mapping)];
    let shapes = |of: &Attributes| {
        (of.own.is_sigmoid, of.own.named_windows().iter().map(|named| named.window).collect::<Vec<_>>())
    };
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
            if !known.is_new(&attributes) {
                copied += 1;
                continue;
            }
            let pair = pair(&slice.mapping);
            // Compressed pixels and tables may be of another kind than the headers tell.
            let is_same = slice.channels == whole.channels && pair.is_some() == pairs[0].is_some();
            if !is_same || !whole.values.append(slice.values) {
                let reason = "its pixels are of another kind";
                left_out.push(DataError::Misfit { path: path.clone(), reason });
                continue;
            }
            is_one_curve &= shapes(&attributes) == shapes(&first) && slice.mapping == whole.mapping;
            frames.push(attributes.own);
            objects.extend(attributes.source.sop_instances);
            pairs.push(pair);
            whole.slices += 1;
        }
    }
    whole.notes.extend(said(&left_out, files.len()));
    whole.notes.extend(copies(copied));
    if first.frames == 1 {
        let made = stacks(&frames.iter().collect::<Vec<_>>());
        let order = made.first().map_or_else(Vec::new, |stack| stack.members.clone());
        if !order.iter().copied().eq(0..whole.slices) {
            let plane = whole.columns * whole.rows * whole.channels;
            arrange(&mut whole.values, plane, &order);
            whole.slices = order.len();
            frames = order.iter().map(|member| frames[*member].clone()).collect();
            pairs = order.iter().map(|member| pairs[*member]).collect();
            objects = order.iter().map(|member| objects[*member].clone()).collect();
        }
        whole.notes.extend(made.first().and_then(|stack| stack.note.clone()));
        if let [shown, others @ ..] = made.as_slice()
            && !others.is_empty()
        {
            let named: Vec<&str> = others.iter().take(NAMED).map(|stack| stack.name.as_str()).collect();
            let more = if others.len() > NAMED { ", …" } else { "" };
            whole.notes.push(format!(
                "The files make {} stacks; this is {}. Open the folder to choose another: {}{more}.",
                made.len(),
                shown.name,
                named.join(", ")
            ));
        }
    }
    // Scanners other than CT may scale every slice differently.
    if let Some(pairs) = pairs.into_iter().collect::<Option<Vec<[f32; 2]>>>() {
        whole.mapping = linear(pairs);
    }
    finish(&mut whole, &first, is_one_curve);
    if let Source::Dicom(source) = &mut whole.source {
        source.sop_instances = objects;
    }
    if first.frames == 1 {
        let positions: Option<Vec<[f64; 3]>> = frames.iter().map(|frame| frame.position).collect();
        let placement = whole.geometry.placement.take();
        whole.geometry.placement =
            placement.zip(positions).map(|(placement, positions)| Placement { positions, ..placement });
    }
    whole.geometry.derive();
    said_of_place(&mut whole);
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
        let more = left_out.len() - NAMED;
        text += &format!(" {more} more {} left out.", if more == 1 { "was" } else { "were" });
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
