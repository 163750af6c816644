//! Slices of a series, from the files of a folder or a DICOMDIR, in their order in space.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::attributes::Attributes;
use super::{open, read, scan};
use crate::data::scan::{Mapping, Scan};
use crate::data::{DataError, Limit};

/// Deepest folder that is looked into, and most files.
const DEPTH: usize = 6;
const FILES: usize = 20_000;
/// How often the memory of a slice is needed while it is decoded.
const WORKING: u64 = 12;

/// Files that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What it is, without anything about the patient: "CT, 300 slices, CHEST".
    pub name: String,
    /// Its files, from the feet to the head or in the order of their numbers.
    pub files: Vec<PathBuf>,
}

/// The series in a folder, the largest first; a DICOMDIR stands for its folder. Files that are no DICOM pictures are passed over.
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
    let mut groups: BTreeMap<(String, usize, usize), Vec<(PathBuf, Attributes)>> = BTreeMap::new();
    for (path, attributes) in headers {
        // A file without a series is one of its own.
        let series =
            if attributes.series.is_empty() { path.display().to_string() } else { attributes.series.clone() };
        groups.entry((series, attributes.columns, attributes.rows)).or_default().push((path, attributes));
    }
    let mut series: Vec<Series> = groups.into_values().map(sorted).collect();
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

/// Reads the files of a series as one stack. `progress` hears how many are read and says whether to go on.
///
/// # Errors
/// A file cannot be read, differs in size or kind from the first, or all together need more memory than `limit`; or reading was broken
/// off.
pub fn open_series(
    files: &[PathBuf],
    limit: Limit,
    progress: &(dyn Fn(usize) -> bool + Sync),
) -> Result<Scan, DataError> {
    let Some(first_path) = files.first() else {
        return Err(DataError::NotDicom { path: PathBuf::new() });
    };
    let mut whole = open(first_path, limit)?;
    if files.len() == 1 {
        return Ok(whole);
    }
    let first = Attributes::of(first_path, &read(first_path, limit, true)?)?;
    let mut depths = vec![first.depth()];
    let mut pairs = vec![pair(&whole.mapping)];
    // What the stack takes, and what a slice takes while it is read: no more of them at a time than fit beside the stack.
    let slice = whole.values.bytes();
    let stack = slice.saturating_mul(files.len() as u64);
    limit.allow(first_path, stack.saturating_add(slice))?;
    let room = limit.0 - stack;
    let at_once = (room / slice.saturating_mul(WORKING).max(1)).clamp(1, 64) as usize;
    let share = Limit(room / at_once.min(rayon::current_num_threads()) as u64);
    whole.values.reserve(whole.values.len() * (files.len() - 1));
    let done = std::sync::atomic::AtomicUsize::new(1);
    let differs =
        |path: &Path| DataError::damaged(path, "it differs in size or kind from the first slice of its series");
    let one = |path: &PathBuf| {
        if !progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1) {
            return Err(DataError::Cancelled { path: path.clone() });
        }
        let contents = read(path, share, false)?;
        let attributes = Attributes::of(path, &contents)?;
        if attributes.bytes() > first.bytes() {
            return Err(differs(path));
        }
        Ok((scan(path, contents, &attributes, share)?, attributes))
    };
    for paths in files[1..].chunks(at_once) {
        let slices: Vec<(Scan, Attributes)> = paths.par_iter().map(one).collect::<Result<_, DataError>>()?;
        for ((slice, attributes), path) in slices.into_iter().zip(paths) {
            let is_same = (slice.columns, slice.rows, slice.channels, slice.slices)
                == (whole.columns, whole.rows, whole.channels, 1);
            depths.push(attributes.depth());
            pairs.push(pair(&slice.mapping));
            if !is_same || !whole.values.append(slice.values) {
                return Err(differs(path));
            }
            whole.slices += 1;
        }
    }
    // Scanners other than CT may scale every slice differently.
    if let Some(pairs) = pairs.into_iter().collect::<Option<Vec<[f32; 2]>>>() {
        let is_same = pairs.iter().all(|pair| *pair == pairs[0]);
        whole.mapping = match (is_same, pairs[0]) {
            (true, [1.0, 0.0]) => Mapping::Same,
            (true, pair) => Mapping::Linear(vec![pair]),
            (false, _) => Mapping::Linear(pairs),
        };
    }
    spacing(&mut whole, &depths);
    Ok(whole)
}

fn pair(mapping: &Mapping) -> Option<[f32; 2]> {
    match mapping {
        Mapping::Same => Some([1.0, 0.0]),
        Mapping::Linear(pairs) => pairs.first().copied(),
        Mapping::Table { .. } => None,
    }
}

/// The distance of slices by their positions; what the header says of their thickness is something else. Says so where a slice is missing.
fn spacing(whole: &mut Scan, depths: &[Option<f64>]) {
    let Some(depths) = depths.iter().copied().collect::<Option<Vec<f64>>>() else { return };
    let mut steps: Vec<f64> = depths.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    let Some(&middle) = steps.get(steps.len() / 2) else { return };
    if let Some(spacing) = &mut whole.spacing_mm
        && middle > 1e-3
    {
        spacing[2] = middle;
    }
    if steps.last().is_some_and(|last| *last > 1.5 * middle && middle > 1e-3) {
        whole.notes.push("The slices are not evenly spaced: some may be missing.".into());
    }
}
