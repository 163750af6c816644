//! Lists what can be displayed from a folder: the pairs of a data set, the series of a study, or images.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::dataset::{self, Case, Dataset, PairReading, Sample, Splits, natural};
use super::{DataError, Limit, Orientation, cases, dicom};

/// The number of levels of subfolders that are searched.
const DEPTH: usize = 4;
/// The most image files at which the search of subfolders ends, so that the folder may be a whole disk. Pairs and
/// series are not counted: a data set is one folder for each split or the rows of a table, which has a limit of its
/// own, and 150,000 pairs take seconds and 2 KiB each at most.
const MOST: usize = 100_000;
/// The most files of a series that are tried for its thumbnail.
const TRIED: usize = 5;
/// Extensions of files that are listed without reading them.
const PICTURES: &[&str] = &["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp", "nii"];

/// One entry of a worklist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The displayed name.
    pub name: String,
    /// The file of the image, or the first file of a series.
    pub path: PathBuf,
    /// The files of a series in their order; empty for a single file.
    pub files: Vec<PathBuf>,
    /// The files of the known masks; several masks are parts of one ground truth.
    pub truth: Vec<PathBuf>,
    /// The prompt, or `None` if it is not known or blank.
    pub prompt: Option<String>,
    /// The other prompts of the case, in the order of its table; usually none.
    pub variants: Vec<String>,
    /// The split of the data set to which the image belongs, or `None` if it is not known.
    pub split: Option<String>,
    /// How image and masks are read: as the settings of the data set say, or by default.
    pub reading: PairReading,
}

/// Lists the content of a folder in display order: by split, and by the natural order of the names.
///
/// # Errors
/// Returns [`DataError::NothingToOpen`] if there is nothing to display.
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

/// Returns the item of a single file, with the masks, the prompt and the split that its data set gives it.
/// `None` if no data set says anything about the file.
pub fn case(path: &Path) -> Option<Item> {
    dataset::cases(path).into_iter().next().map(|case| Item { path: path.to_owned(), ..Item::from(case) })
}

impl From<Case> for Item {
    fn from(Case { name, image, masks, prompt, variants, split, reading }: Case) -> Self {
        let prompt = Some(prompt).filter(|prompt| !prompt.trim().is_empty());
        Self { name, path: image, files: Vec::new(), truth: masks, prompt, variants, split, reading }
    }
}

/// Returns the pairs of all splits of a data set, or of the part of a data set that the folder is. Returns none
/// if the folder is neither, if its images have no masks, or if it is the folder of the images alone, whose
/// content [`files`] lists in full.
fn pairs(folder: &Path) -> Vec<Item> {
    let Ok(Splits { names, are_said }) = dataset::splits(folder) else { return Vec::new() };
    let mut items: Vec<Item> = Vec::new();
    for split in names {
        let Ok(dataset) = Dataset::open(folder, &split) else { continue };
        let reading = dataset.reading;
        let cases = dataset.samples.into_iter().map(|Sample { image, masks, prompt, variants, name }| {
            let (split, reading) = (are_said.then(|| split.clone()), reading.clone());
            Item::from(Case { name, image, masks, prompt, variants, split, reading })
        });
        let begin = items.len();
        items.extend(cases);
        items[begin..].sort_by(|a, b| natural(&a.name, &b.name));
    }
    let is_images_alone =
        items.iter().any(|item| item.path.parent() == Some(folder)) && !dataset::cases(folder).is_empty();
    if is_images_alone { Vec::new() } else { items }
}

/// Lists the images of a folder by their names, and its DICOM files by their series.
fn files(folder: &Path) -> Vec<Item> {
    let (mut pictures, mut others) = (Vec::new(), false);
    collect(folder, DEPTH, &mut pictures, &mut others);
    let cases = dataset::cases(folder).into_iter();
    let mut cases: HashMap<Option<OsString>, Case> =
        cases.map(|case| (case.image.file_name().map(OsString::from), case)).collect();
    // Searching for the masks of an image reads a folder each time, which is too slow for many images.
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
    // The mask of an image is listed with it, not beside it.
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

/// Returns an item of which only the name and the file are known.
fn lone(name: String, path: PathBuf) -> Item {
    let (files, truth, variants, reading) = (Vec::new(), Vec::new(), Vec::new(), PairReading::default());
    Item { name, path, files, truth, prompt: None, variants, split: None, reading }
}

/// Appends the image files of a folder, and of its subfolders down to `depth` levels, to `pictures`. Sets
/// `others` if there are files that may be DICOM.
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
            if depth > 0 && name != cases::FOLDER {
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

/// Reads the thumbnail of an item: its middle slice in the first display window, no side longer than `side`
/// pixels. If the middle file of a series cannot be read, the next files of the series are tried.
///
/// # Errors
/// Returns the error of [`super::open::open_as`] for the first file that was tried, if none can be read.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_and_deep_folders_are_not_listed() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut place = folder.path().to_owned();
        for depth in 0..DEPTH + 3 {
            std::fs::create_dir_all(&place).expect("a folder");
            for name in [format!("{depth}.png"), format!(".{depth}.png")] {
                crate::data::write::png8(&place.join(name), 2, 1, &[0, 255]).expect("written");
            }
            place.push("deeper");
        }
        let items = list(folder.path()).expect("a list");
        let mut names: Vec<String> = items.into_iter().map(|item| item.name).collect();
        names.sort();
        let expected: Vec<String> = (0..=DEPTH).map(|depth| format!("{depth}.png")).collect();
        assert_eq!(names, expected);
    }
}
