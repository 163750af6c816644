//! Finds the series in the files of a folder or a DICOMDIR: which files belong together, and their spatial
//! order.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::attributes::Attributes;
use super::frame::Frame;
use super::stacks::{Stack, lie_alike, stacks};
use super::{read, units};
use crate::data::Limit;
use crate::data::cases_folder::CASES_FOLDER;
use crate::data::dataset::names::natural;

/// The largest depth of folders below the first that are searched.
const DEPTH: usize = 6;
/// The largest number of files that are searched.
const FILES: usize = 20_000;

/// Files that belong together, or a stack of frames in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// A description without patient data, for instance "CT, 300 slices, CHEST". If a series forms several
    /// stacks, it includes what distinguishes them: "MR, 20 slices, T2, echo 2".
    pub name: String,
    /// The files, in the order of their positions or, without these, by their numbers. For one of several stacks
    /// in a file, this is the path of the file with the number of the stack, as [`super::of_stack`] reads it.
    pub files: Vec<PathBuf>,
    /// Notes about the series.
    pub notes: Vec<String>,
}

/// Returns the series in a folder, the largest first. A DICOMDIR stands for its folder. Files that are not DICOM
/// images are skipped, and so are second copies of an object. If the files of a series do not fit into one
/// stack, or if several lie at the same positions, they are returned as several series, each of which can be
/// opened.
pub fn series_in(folder: &Path) -> Vec<Series> {
    let files = files_in(folder);
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
        // A file without a SeriesInstanceUID is a series of its own.
        let series = &attributes.source.series;
        let series = if series.is_empty() { path.display().to_string() } else { series.clone() };
        if !known.is_new(&attributes) {
            *copied.entry(series).or_default() += 1;
            continue;
        }
        let stacks = groups.entry(series).or_default();
        let fits = |first: &Attributes| {
            misfit(first, &attributes).is_none() && units::of(first) == units::of(&attributes)
        };
        match stacks.iter_mut().find(|stack| fits(&stack[0].1)) {
            Some(stack) => stack.push((path, attributes)),
            None => stacks.push(vec![(path, attributes)]),
        }
    }
    let mut stacks: Vec<Vec<Series>> = Vec::new();
    for (series, slices) in groups {
        let note = copies(copied.get(&series).copied().unwrap_or(0));
        stacks.extend(slices.into_iter().map(|slices| separated(slices, note.as_ref())));
    }
    stacks.sort_by(|a, b| natural(&a[0].name, &b[0].name));
    let mut series: Vec<Series> = stacks.into_iter().flatten().collect();
    // The sort is stable, so the stacks of one series keep their order.
    series.sort_by_key(|series| std::cmp::Reverse(series.files.len()));
    series
}

/// Returns the name of a series with the number of slices in its stack, `read`, in place of the number of files,
/// `listed`. The two differ if the pixels of a file cannot be read, which its header does not show.
pub fn recounted(name: &str, listed: usize, read: usize) -> String {
    let slices = if read == 1 { "1 slice".to_owned() } else { format!("{read} slices") };
    name.replacen(&format!(", {listed} slices"), &format!(", {slices}"), 1)
}

/// Returns the files of a folder and of those below it, as [`series_in`] searches them.
pub(in crate::data) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    collect(folder, DEPTH, &mut files, &mut HashSet::new());
    files
}

/// Collects the files of a folder, each of them once, because links may lead to the same file again or form a
/// loop.
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
            if depth > 0 && !path.ends_with(CASES_FOLDER) {
                collect(&path, depth - 1, files, met);
            }
        } else {
            files.push(path);
        }
    }
}

/// Separates files that fit into one stack into the stacks that they form. `note` is added to each.
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

/// The objects that have been met, by their SOPInstanceUID.
#[derive(Default)]
pub struct Known(HashMap<String, Vec<Met>>);

/// The position, number and time of an object, and the kind of its pixels.
type Met = (Option<[f64; 3]>, f64, String, String);

impl Known {
    /// Returns whether this object is the first with its SOPInstanceUID. Some programs give all objects the same
    /// UID, so an object with another position, number, time or kind of pixels is not a copy.
    pub fn is_new(&mut self, attributes: &Attributes) -> bool {
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

/// Returns a note about `count` files that are copies of others, or `None` if there are none.
pub fn copies(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("One file is a copy of another, of the same object, and is counted once.".into()),
        _ => Some(format!("{count} files are copies of others, of the same objects, and are counted once.")),
    }
}

/// Returns the reason why a file does not fit into the stack of `first`, or `None` if it fits.
pub fn misfit(first: &Attributes, other: &Attributes) -> Option<&'static str> {
    let size = |of: &Attributes| (of.columns, of.rows);
    let kind = |of: &Attributes| {
        (of.samples, of.bits_allocated, of.is_signed, of.is_palette(), of.photometric == "MONOCHROME1")
    };
    if size(first) != size(other) {
        Some("it has another size")
    } else if first.frames.max(other.frames) > 1 {
        Some(if first.frames == other.frames {
            "it has several frames"
        } else {
            "it has another number of frames"
        })
    } else if kind(first) != kind(other) {
        Some("its pixels are of another kind")
    } else if !lie_alike(first.own.orientation, other.own.orientation) {
        Some("it has another orientation")
    } else if first.frame_of_reference != other.frame_of_reference {
        Some("it has another frame of reference")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_followed_so_deep_and_no_deeper() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut place = folder.path().to_owned();
        for _ in 0..DEPTH + 3 {
            std::fs::create_dir_all(&place).expect("a folder");
            std::fs::write(place.join("file"), "").expect("written");
            place.push("deeper");
        }
        let mut files = Vec::new();
        collect(folder.path(), DEPTH, &mut files, &mut HashSet::new());
        assert_eq!(files.len(), DEPTH + 1);
    }
}
