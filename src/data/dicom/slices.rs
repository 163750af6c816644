//! Reads the files of a series as one stack of slices of the same kind and unit, in spatial order.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::arrange::arrange;
use super::attributes::Attributes;
use super::frame::Frame;
use super::series::{Known, copies, misfit};
use super::stacks::stacks;
use super::{finish, linear, open, read, said_of_place, units, volume};
use crate::data::volume::{Placement, Source, StoredPixels, ValueMapping, Volume};
use crate::data::{DataError, Limit};

/// The memory that a slice takes while it is decoded, as a multiple of its size.
const WORKING: u64 = 16;
/// The number of files that were left out, or of other stacks, that are named in a note.
const NAMED: usize = 3;

/// A slice whose pixels are in the stack.
#[derive(Clone)]
struct Member {
    /// The file of the slice.
    path: PathBuf,
    /// The attributes of the slice.
    frame: Frame,
    /// SOPInstanceUID.
    object: String,
    /// Rescale slope and intercept. `None` if the slice has a look-up table.
    pair: Option<[f32; 2]>,
    /// The unit of its values.
    unit: String,
}

impl Member {
    fn new(path: &Path, slice: &Volume, attributes: &Attributes) -> Self {
        let object = attributes.source.sop_instances.first().cloned().unwrap_or_default();
        let (frame, unit) = (attributes.own.clone(), units::of(attributes));
        Self { path: path.to_owned(), frame, object, pair: pair(&slice.mapping), unit }
    }
}

/// The slices whose values have the same unit.
struct Unit {
    name: String,
    count: usize,
    /// The first of these slices, without its pixels and their mapping. `None` if it is the first slice of all.
    start: Option<(Volume, Attributes)>,
}

/// Reads a file as a slice of the stack of `first`. Any file fits if `first` is `None`.
///
/// # Errors
/// Returns an error if the file cannot be read or does not fit.
fn slice(path: &Path, limit: Limit, first: Option<&Attributes>) -> Result<(Volume, Attributes), DataError> {
    let mut contents = read(path, limit, false)?;
    let attributes = Attributes::of(path, &mut contents)?;
    if let Some(reason) = first.and_then(|first| misfit(first, &attributes)) {
        return Err(DataError::Misfit { path: path.to_owned(), reason });
    }
    Ok((volume(path, contents, &attributes, &[], limit)?, attributes))
}

/// Reads the files of a series as one stack, in the order of their positions. `progress` receives the number of
/// files read so far and returns whether to continue. A file is left out, with a note, if it cannot be read,
/// does not fit the first one that can, is a copy, has values of another unit than most, or lies at the position
/// of another and so belongs to another stack ([`super::series_in`] separates these).
///
/// # Errors
/// Returns the error of the first file if no file can be read. Returns an error if all files together need more
/// memory than `limit`, or if reading was cancelled.
pub fn open_series(
    files: &[PathBuf],
    limit: Limit,
    progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Volume, DataError> {
    if let [only] = files {
        return open(only, limit);
    }
    let done = std::sync::atomic::AtomicUsize::new(0);
    // An error of one file does not prevent the others from being read. Only an exceeded memory limit and a
    // cancellation end everything.
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
    let lost = |volume: &Volume| matches!(&volume.source, Source::Dicom(source) if source.is_lossy);
    let mut is_lossy = lost(&whole);
    let mut members = vec![Member::new(first_path, &whole, &first)];
    let mut found = vec![Unit { name: units::of(&first), count: 1, start: None }];
    // The memory holds the stack and what each slice takes while it is read, so only as many slices are read at
    // the same time as fit.
    let one = whole.values.bytes();
    let stack = one.saturating_mul(rest.len() as u64 + 1);
    limit.allow(first_path, stack.saturating_add(one))?;
    let available = limit.0 - stack;
    let at_once = (available / one.saturating_mul(WORKING).max(1)).clamp(1, 64) as usize;
    let share = Limit(available / at_once.min(rayon::current_num_threads()) as u64);
    whole.values.reserve(whole.values.len() * rest.len());
    for paths in rest.chunks(at_once) {
        let tried = paths.par_iter().map(|path| try_one(path, share, Some(&first)));
        let tried: Vec<_> = tried.collect::<Result<_, DataError>>()?;
        for (tried, path) in tried.into_iter().zip(paths) {
            let (mut slice, attributes) = match tried {
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
            if let Some(reason) = mismatch(&whole, &slice) {
                left_out.push(DataError::Misfit { path: path.clone(), reason });
                continue;
            }
            let member = Member::new(path, &slice, &attributes);
            if !whole.values.append(std::mem::replace(&mut slice.values, StoredPixels::U8(Vec::new()))) {
                left_out.push(DataError::Misfit { path: path.clone(), reason: ANOTHER_KIND });
                continue;
            }
            is_lossy |= lost(&slice);
            slice.mapping = ValueMapping::Same;
            match found.iter_mut().find(|unit| unit.name == member.unit) {
                Some(unit) => unit.count += 1,
                None => {
                    found.push(Unit { name: member.unit.clone(), count: 1, start: Some((slice, attributes)) });
                }
            }
            members.push(member);
            whole.slices += 1;
        }
    }
    if first.frames > 1 {
        // A file with several frames is read alone, because its frames have their own order and values.
        drop(whole);
        let mut whole = open(first_path, limit)?;
        whole.notes.splice(0..0, said(&left_out, files.len()).into_iter().chain(copies(copied)));
        return Ok(whole);
    }
    // The stack has the unit of most of its slices, and all other attributes of the first of these. If two units
    // are equally frequent, that of the first slice is used.
    let most = found.into_iter().enumerate().max_by_key(|(number, unit)| (unit.count, Reverse(*number)));
    let first = match most.and_then(|(_, unit)| unit.start) {
        Some((start, attributes)) => {
            let Volume { slices, values, mapping, .. } = std::mem::replace(&mut whole, start);
            (whole.slices, whole.values, whole.mapping) = (slices, values, mapping);
            attributes
        }
        None => first,
    };
    let unit = units::of(&first);
    let (fitting, others): (Vec<_>, Vec<_>) =
        members.into_iter().enumerate().partition(|(_, member)| member.unit == unit);
    let reason = "its values have another unit, or none";
    left_out.extend(others.into_iter().map(|(_, member)| DataError::Misfit { path: member.path, reason }));
    whole.notes.extend(said(&left_out, files.len()));
    whole.notes.extend(copies(copied));
    let members = in_order(&mut whole, &fitting);
    // Scanners other than CT may scale every slice differently, so each slice has its own rescale.
    if let Some(pairs) = members.iter().map(|member| member.pair).collect::<Option<Vec<[f32; 2]>>>() {
        whole.mapping = linear(pairs);
        let missing = members.iter().filter(|member| member.frame.rescale.is_none()).count();
        if missing < members.len() {
            whole.notes.extend(units::unscaled(missing, "slice"));
        }
    }
    finish(&mut whole, &first, &members.iter().map(|member| &member.frame).collect::<Vec<_>>());
    let positions: Option<Vec<[f64; 3]>> = members.iter().map(|member| member.frame.position).collect();
    if let Source::Dicom(source) = &mut whole.source {
        source.sop_instances = members.into_iter().map(|member| member.object).collect();
        source.is_lossy = is_lossy;
    }
    let placement = whole.geometry.placement.take();
    whole.geometry.placement =
        placement.zip(positions).map(|(placement, positions)| Placement { positions, ..placement });
    whole.geometry.derive();
    said_of_place(&mut whole);
    Ok(whole)
}

const ANOTHER_KIND: &str = "its pixels are of another kind";

/// Returns the reason why a slice does not fit into a stack although its header does, or `None` if it fits.
/// Compressed pixels and tables may be of another kind.
fn mismatch(whole: &Volume, slice: &Volume) -> Option<&'static str> {
    match (&whole.mapping, &slice.mapping) {
        _ if whole.channels != slice.channels => Some(ANOTHER_KIND),
        (ValueMapping::Table { .. }, ValueMapping::Table { .. }) => {
            (whole.mapping != slice.mapping).then_some("it has another look-up table")
        }
        (ValueMapping::Table { .. }, _) | (_, ValueMapping::Table { .. }) => Some(ANOTHER_KIND),
        _ => None,
    }
}

/// Reorders the slices of `whole` to the first stack that the slices in `numbered` form, and drops all others.
/// `numbered` has the index of each slice in `whole`. Returns the slices of the first stack; a note names
/// further stacks.
fn in_order(whole: &mut Volume, numbered: &[(usize, Member)]) -> Vec<Member> {
    let made = stacks(&numbered.iter().map(|(_, member)| &member.frame).collect::<Vec<_>>());
    let Some((shown, others)) = made.split_first() else { return Vec::new() };
    let order: Vec<usize> = shown.members.iter().map(|member| numbered[*member].0).collect();
    if !order.iter().copied().eq(0..whole.slices) {
        let plane = whole.columns * whole.rows * whole.channels;
        arrange(&mut whole.values, plane, &order);
        whole.slices = order.len();
    }
    whole.notes.extend(shown.note.clone());
    if !others.is_empty() {
        let named: Vec<&str> = others.iter().take(NAMED).map(|stack| stack.name.as_str()).collect();
        let more = if others.len() > NAMED { ", …" } else { "" };
        whole.notes.push(format!(
            "The files form {} stacks; this is {}. Open the folder to choose another: {}{more}.",
            made.len(),
            shown.name,
            named.join(", ")
        ));
    }
    shown.members.iter().map(|member| numbered[*member].1.clone()).collect()
}

/// Returns a note with the reasons for the first few files if some of `count` files were left out.
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

/// Returns the slope and intercept of a mapping, or `None` for a table.
fn pair(mapping: &ValueMapping) -> Option<[f32; 2]> {
    match mapping {
        ValueMapping::Same => Some([1.0, 0.0]),
        ValueMapping::Linear(pairs) => pairs.first().copied(),
        ValueMapping::Table { .. } => None,
    }
}
