//! What a folder offers to look at: the pairs of a data set, the series of a study, or simply its images.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::dataset::{self, Case, Dataset, PairReading, Sample, Splits, natural};
use super::{DataError, Limit, Orientation, dicom};

/// Deepest folder that is looked into, and most items.
const DEPTH: usize = 4;
const MOST: usize = 100_000;
/// Files of a series that are tried for its thumbnail.
const TRIED: usize = 5;
/// Endings of files that are offered without looking into them.
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp", "nii"];

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// Its file; of a series the first.
    pub path: PathBuf,
    /// The files of a series in their order; empty for a lone file.
    pub files: Vec<PathBuf>,
    /// Its masks, if any are known; several are parts of one truth.
    pub truth: Vec<PathBuf>,
    /// Its prompt, if one is known and not empty.
    pub prompt: Option<String>,
    /// The split of the data set that it belongs to; `None` where nothing says so.
    pub split: Option<String>,
    /// How image and masks are read: as the data set says, or the usual way.
    pub reading: PairReading,
}

/// What lies in a folder, in the order in which it is offered: by splits, and by name as people count.
///
/// # Errors
/// There is nothing to look at.
pub fn list(folder: &Path) -> Result<Vec<Item>, DataError> {
    let mut items = pairs(folder);
    if items.is_empty() {
        items = files(folder);
    }
    if items.is_empty() {
        return Err(DataError::NothingToOpen { path: folder.to_owned() });
    }
    Ok(items)
}

/// A lone file of a data set, with what that says of it. `None` where the file belongs to no data set that says anything of it.
pub fn case(path: &Path) -> Option<Item> {
    dataset::cases(path).into_iter().next().map(|case| Item { path: path.to_owned(), ..Item::from(case) })
}

impl From<Case> for Item {
    fn from(Case { name, image, masks, prompt, split, reading }: Case) -> Self {
        let prompt = Some(prompt).filter(|prompt| !prompt.trim().is_empty());
        Self { name, path: image, files: Vec::new(), truth: masks, prompt, split, reading }
    }
}

/// The pairs of all splits of a data set, or of the part of one that the folder is; nothing where the folder is none, has images without
/// masks, or is that of the images alone, all of which are offered.
fn pairs(folder: &Path) -> Vec<Item> {
    let Ok(Splits { names, are_said }) = dataset::splits(folder) else { return Vec::new() };
    let mut items: Vec<Item> = Vec::new();
    for split in names {
        let Ok(dataset) = Dataset::open(folder, &split) else { continue };
        let reading = dataset.reading;
        let cases = dataset.samples.into_iter().map(|Sample { image, masks, prompt, name }| {
            let (split, reading) = (are_said.then(|| split.clone()), reading.clone());
            Item::from(Case { name, image, masks, prompt, split, reading })
        });
        let begin = items.len();
        items.extend(cases);
        items[begin..].sort_by(|a, b| natural(&a.name, &b.name));
    }
    let is_images_alone =
        items.iter().any(|item| item.path.parent() == Some(folder)) && !dataset::cases(folder).is_empty();
    if is_images_alone { Vec::new() } else { items }
}

/// Pictures by their names, and DICOM files by their series.
fn files(folder: &Path) -> Vec<Item> {
    let (mut pictures, mut others) = (Vec::new(), false);
    collect(folder, DEPTH, &mut pictures, &mut others);
    let cases = dataset::cases(folder).into_iter();
    let mut cases: HashMap<Option<OsString>, Case> =
        cases.map(|case| (case.image.file_name().map(OsString::from), case)).collect();
    // Looking for partners reads a folder each time: too slow for many files, which then have none.
    let is_large = pictures.len() > 500;
    let item = |path: PathBuf| {
        let case = cases.remove(&path.file_name().map(OsString::from)).filter(|_| path.parent() == Some(folder));
        let mut item = match case {
            Some(case) => Item { path: path.clone(), ..Item::from(case) },
            None => {
                lone(path.file_name().map(|name| dataset::readable(name).into_owned()).unwrap_or_default(), path)
            }
        };
        if item.truth.is_empty() && !is_large {
            item.truth = dataset::partners(&item.path);
        }
        item
    };
    let mut items: Vec<Item> = pictures.into_iter().map(item).collect();
    // The mask of a picture is offered with it, not beside it.
    let masks: HashSet<PathBuf> = items.iter().flat_map(|item| item.truth.clone()).collect();
    items.retain(|item| !masks.contains(&item.path));
    if others {
        items.extend(dicom::series_in(folder).into_iter().map(|series| Item {
            files: if series.files.len() > 1 { series.files.clone() } else { Vec::new() },
            ..lone(series.name, series.files[0].clone())
        }));
    }
    items
}

/// A case of which nothing is known but its file.
fn lone(name: String, path: PathBuf) -> Item {
    let (files, truth, reading) = (Vec::new(), Vec::new(), PairReading::default());
    Item { name, path, files, truth, prompt: None, split: None, reading }
}

fn collect(folder: &Path, depth: usize, pictures: &mut Vec<PathBuf>, others: &mut bool) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<_> = entries.flatten().collect();
    entries.sort_by(|a, b| natural(&a.file_name().to_string_lossy(), &b.file_name().to_string_lossy()));
    for entry in entries {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if name.starts_with('.') || pictures.len() >= MOST {
            continue;
        }
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            if depth > 0 {
                collect(&path, depth - 1, pictures, others);
            }
            continue;
        }
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        if PICTURES.contains(&end) || name.ends_with(".nii.gz") {
            pictures.push(path);
        } else if matches!(end, "dcm" | "dicom" | "ima" | "")
            || name == "dicomdir"
            || end.bytes().all(|b| b.is_ascii_digit())
        {
            *others = true;
        }
    }
}

/// Reads what an item is, as [`super::open::open_as`] does, at the size of a thumbnail: the middle slice, no side longer than `side`. Where
/// that cannot be read, the next of its series that can.
///
/// # Errors
/// Those of the loaders.
pub fn thumbnail(
    path: &Path,
    files: &[PathBuf],
    side: usize,
    limit: Limit,
    orientation: Orientation,
) -> Result<super::Image, DataError> {
    let mut paths = files.iter().cycle().skip(files.len() / 2).take(files.len().min(TRIED));
    let read = |path: &Path| super::open::open_as(path, limit, orientation, &|_, _| true);
    let scan = read(paths.next().map_or(path, PathBuf::as_path));
    let scan = scan.or_else(|error| paths.find_map(|path| read(path).ok()).ok_or(error))?;
    let slice = scan.slice(scan.slices / 2);
    let seen = scan.first_display_window(&slice);
    Ok(super::preprocess::reduced(&slice, side).windowed(seen.window, seen.is_inverted))
}
