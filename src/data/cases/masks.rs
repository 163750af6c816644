//! Names of masks, and the masks that two readers made of the same cases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::file::FILE;
use super::{CaseState, CaseStore, ReaderCases, is_same_reader};
use crate::data::DataError;
use crate::data::dataset::{self, readable};

/// The folder of the masks in the folder of a reader.
const MASKS: &str = "masks";
/// The ends of names of stacks, which `.png` does not replace letter by letter.
const STACKS: [&str; 2] = [".nii.gz", ".nii"];
/// The ends of names of images, in lower case.
const ENDS: [&str; 11] =
    [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".dcm", ".dicom", ".ima", ".nrrd"];
/// The most masks of a folder.
const MOST: usize = 200_000;
/// The number of levels of subfolders that are searched.
const DEPTH: usize = 8;

/// Two masks of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPair {
    /// The name of the case.
    pub case: String,
    /// The files of the masks of the first and of the second reader.
    pub masks: [PathBuf; 2],
}

/// The masks of two readers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskPairs {
    /// The names of the readers.
    pub readers: [String; 2],
    /// The cases that both have, sorted by name.
    pub pairs: Vec<MaskPair>,
    /// The cases that only the first and only the second has, sorted by name.
    pub alone: [Vec<String>; 2],
    /// Notes about files of states that could not be read.
    pub notes: Vec<String>,
}

/// Returns whether this is the name of a stack.
pub fn is_stack(name: &str) -> bool {
    let name = name.to_lowercase();
    STACKS.iter().any(|end| name.ends_with(end))
}

/// Returns the name without the end of an image, a stack or a mask.
fn stem(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let end = STACKS.iter().chain(&ENDS).find(|end| lower.len() > end.len() && lower.ends_with(**end));
    end.map_or(name, |end| &name[..name.len() - end.len()])
}

/// Returns possible names for the mask of a case below the folder of a reader, the plainest first.
pub fn names(id: &str, is_stack: bool) -> impl Iterator<Item = String> {
    let safe = |letter: char| {
        let is_unsafe = letter.is_control() || "<>:\"\\|?*".contains(letter);
        if is_unsafe { '_' } else { letter }
    };
    let parts = id.split('/').filter(|part| !part.is_empty() && *part != ".");
    let parts: Vec<String> =
        parts.map(|part| if part == ".." { "up".into() } else { part.chars().map(safe).collect() }).collect();
    let whole = parts.join("/");
    let (above, last) =
        whole.rsplit_once('/').map_or((String::new(), whole.as_str()), |(a, b)| (format!("{a}/"), b));
    let plain = format!("{above}{}", stem(last));
    let end = if is_stack { "nii.gz" } else { "png" };
    let numbered = plain.clone();
    let first = [format!("{MASKS}/{plain}.{end}"), format!("{MASKS}/{whole}.{end}")];
    first.into_iter().chain((2..).map(move |number| format!("{MASKS}/{numbered}-{number}.{end}")))
}

/// Pairs the masks of two folders by their names below the folder, without regard to case, to the kind of file and to marks
/// of a mask such as `mask_` or `_mask`. The folder of a reader stands for the masks in it.
///
/// # Errors
/// Returns an error if a folder cannot be read or has no masks.
pub fn pairs_of_folders(folders: [&Path; 2]) -> Result<MaskPairs, DataError> {
    let found = [of_folder(folders[0])?, of_folder(folders[1])?];
    let mut readers = folders.map(|folder| {
        let folder = crate::data::paths::canonical(folder);
        folder.file_name().map(|name| readable(name).into_owned()).unwrap_or_default()
    });
    if readers[0] == readers[1] {
        readers = folders.map(|folder| folder.display().to_string());
    }
    Ok(paired(readers, found, Vec::new()))
}

impl CaseStore {
    /// Pairs the accepted masks of two readers, given by their names, or of the only two that there are.
    ///
    /// # Errors
    /// Returns an error if there is no such reader, or if none are given and there are not exactly two.
    pub fn pairs(&self, readers: Option<[&str; 2]>) -> Result<MaskPairs, DataError> {
        let (known, notes) = self.read();
        let names: Vec<&str> = known.iter().map(|known| known.reader.as_str()).collect();
        let refuse = |reason: String| {
            let reason = [reason].into_iter().chain(notes.iter().cloned()).collect::<Vec<_>>().join("; ");
            DataError::Readers { path: self.home().to_owned(), reason }
        };
        let wanted = match (readers, names.as_slice()) {
            (Some(readers), _) => readers,
            (None, [a, b]) => [*a, *b],
            (None, []) => {
                return Err(refuse(
                    "no reader has accepted a mask here; accept masks in the window, or give two folders of masks"
                        .into(),
                ));
            }
            (None, [one]) => {
                return Err(refuse(format!("only {one} has worked here; the masks of two readers are needed")));
            }
            (None, many) => {
                return Err(refuse(format!("there are several readers; choose two of {}", many.join(", "))));
            }
        };
        let of = |name: &str| {
            let found = known.iter().find(|known| is_same_reader(&known.reader, name));
            found.ok_or_else(|| refuse(format!("there is no reader {name}; there are: {}", names.join(", "))))
        };
        let [first, second] = [of(wanted[0])?, of(wanted[1])?];
        if is_same_reader(&first.reader, &second.reader) {
            return Err(refuse(format!("{} is one reader; give two", first.reader)));
        }
        let readers = [first.reader.clone(), second.reader.clone()];
        let masks = [accepted(first), accepted(second)];
        Ok(paired(readers, masks, notes))
    }
}

/// Returns the masks of the cases that a reader has not rejected or taken back.
fn accepted(reader: &ReaderCases) -> Masks {
    let counts = |state: CaseState| matches!(state, CaseState::Draft | CaseState::Done);
    let masks = reader.cases.iter().filter(|(_, entry)| counts(entry.state));
    masks.filter_map(|(id, entry)| Some((id.clone(), (id.clone(), entry.mask.clone()?)))).collect()
}

/// The names and files of masks, by a key that both readers have in common.
type Masks = BTreeMap<String, (String, PathBuf)>;

fn paired(readers: [String; 2], [first, mut second]: [Masks; 2], notes: Vec<String>) -> MaskPairs {
    let (mut pairs, mut alone) = (Vec::new(), [Vec::new(), Vec::new()]);
    for (key, (case, mask)) in first {
        match second.remove(&key) {
            Some((_, other)) => pairs.push(MaskPair { case, masks: [mask, other] }),
            None => alone[0].push(case),
        }
    }
    alone[1].extend(second.into_values().map(|(case, _)| case));
    pairs.sort_by(|a: &MaskPair, b| dataset::natural(&a.case, &b.case));
    alone.iter_mut().for_each(|names| names.sort_by(|a, b| dataset::natural(a, b)));
    MaskPairs { readers, pairs, alone, notes }
}

fn of_folder(folder: &Path) -> Result<Masks, DataError> {
    std::fs::read_dir(folder).map_err(|error| DataError::reading(folder, &error))?;
    let own = folder.join(MASKS);
    let folder = if folder.join(FILE).exists() && own.is_dir() { own } else { folder.to_owned() };
    let mut found = Masks::new();
    collect(&folder, String::new(), DEPTH, &mut found);
    if found.is_empty() { Err(DataError::NothingToOpen { path: folder }) } else { Ok(found) }
}

/// Collects the masks of a folder, whose names begin with `above`.
fn collect(folder: &Path, above: String, depth: usize, found: &mut Masks) {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().map(|name| readable(name).into_owned()) else { continue };
        if name.starts_with('.') || found.len() >= MOST {
            continue;
        }
        let below = format!("{above}{name}");
        if path.is_dir() {
            if depth > 0 {
                collect(&path, below + "/", depth - 1, found);
            }
            continue;
        }
        let bare = stem(&name);
        if bare != name {
            // Among files of one key the first by name is taken.
            let key = format!("{}{}", dataset::fold(&above), dataset::key(bare));
            found.entry(key).or_insert((below, path));
        }
    }
}
