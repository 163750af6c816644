//! The location of a data set: its absolute path, and its path relative to the run folder, which stays valid if
//! both are moved together.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::TrainError;
use super::manifest::Manifest;
use crate::data::dataset;
use crate::data::paths::{canonical, plain, way};

/// Both paths of a data set. Parts of a path that are not Unicode are lost in the record; such a location must be
/// given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The absolute path when the run was started or last resumed.
    pub absolute: String,
    /// The path relative to the run folder; `None` if there is no such path, for example to another drive.
    pub relative: Option<String>,
}

impl Place {
    /// The location of a data set for the run in `folder`, which need not exist yet.
    pub fn of(root: &Path, folder: &Path) -> Self {
        let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let relative = way(&canonical(folder), &canonical(root));
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self { absolute: text(&absolute), relative: relative.as_deref().map(text) }
    }

    /// The name of the data set, for messages.
    pub fn name(&self) -> String {
        let path = Path::new(&self.absolute);
        path.file_name().map_or_else(|| self.absolute.clone(), |name| name.to_string_lossy().into_owned())
    }

    /// The possible current locations of the data set, the more likely one first.
    fn candidates(&self, folder: &Path) -> Vec<PathBuf> {
        let relative = self.relative.as_ref().map(|relative| plain(&canonical(folder).join(relative)));
        std::iter::once(PathBuf::from(&self.absolute)).chain(relative).collect()
    }
}

/// Finds the current locations of the data sets of the run in `folder`: the locations given by the user, otherwise
/// the recorded ones, otherwise (for a run of an older version) those of its settings.
///
/// # Errors
/// A data set is at none of its locations, or the user gives another number of data sets than the run has.
pub fn find(
    folder: &Path,
    recorded: Option<&Manifest>,
    settings: &[PathBuf],
    given: &[PathBuf],
) -> Result<Vec<PathBuf>, TrainError> {
    let places: Vec<Vec<PathBuf>> = match recorded {
        Some(manifest) => manifest.data.iter().map(|entry| entry.place.candidates(folder)).collect(),
        None => settings.iter().map(|path| vec![path.clone()]).collect(),
    };
    if !given.is_empty() {
        let names: Vec<String> = places.iter().filter_map(|place| place.first()).map(|path| shown(path)).collect();
        return match (given.len() == places.len(), names.len()) {
            (true, _) => Ok(given.to_vec()),
            (false, 0) => Err(TrainError::Config("this run has no data sets; leave out --data".into())),
            (false, count) => Err(TrainError::Config(format!(
                "this run has {count} data {} ({}), not {}; name each with a --data of its own, in this order",
                if count == 1 { "set" } else { "sets" },
                names.join(", "),
                given.len()
            ))),
        };
    }
    places.into_iter().map(|candidates| existing(folder, candidates)).collect()
}

fn existing(folder: &Path, candidates: Vec<PathBuf>) -> Result<PathBuf, TrainError> {
    // An empty folder, such as the mount point of a disk, is not a data set.
    if let Some(found) = candidates.iter().find(|path| dataset::splits(path).is_ok()) {
        return Ok(found.clone());
    }
    let mut tried = candidates.iter().map(|path| shown(path)).collect::<Vec<_>>();
    tried.dedup();
    Err(TrainError::Folder(format!(
        "the data set of this run is not there any more (looked for {}); say where it is with himix train --resume {} --data DIR",
        tried.join(" and "),
        folder.display()
    )))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_where_it_was_or_where_it_went_with_the_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().canonicalize().expect("a path");
        let put = |name: &str| {
            let images = home.join(name).join("data/images");
            std::fs::create_dir_all(&images).expect("a folder");
            std::fs::create_dir_all(home.join(name).join("run")).expect("a folder");
            std::fs::write(images.join("a.png"), "").expect("a file");
        };
        put("old");
        let (data, run) = (home.join("old/data"), home.join("old/run"));
        let entry = super::super::manifest::Entry {
            place: Place::of(&data, &run),
            reading: None,
            train: Vec::new(),
            validation: Vec::new(),
        };
        let manifest = Manifest { data: vec![entry] };
        let look = |run: &Path, given: &[PathBuf]| find(run, Some(&manifest), &[], given);
        assert_eq!(look(&run, &[]).expect("found"), std::slice::from_ref(&data));
        std::fs::rename(home.join("old"), home.join("new")).expect("moved");
        let moved = home.join("new/run");
        assert_eq!(look(&moved, &[]).expect("found"), [home.join("new/data")]);
        std::fs::remove_dir_all(home.join("new/data/images")).expect("removed");
        let error = look(&moved, &[]).expect_err("lost").to_string();
        for part in [data.to_string_lossy().as_ref(), "new/data", "--data DIR", "new/run"] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(look(&moved, &["x".into()]).expect("taken"), [PathBuf::from("x")]);
        let error = look(&moved, &["x".into(), "y".into()]).expect_err("too many").to_string();
        assert!(error.contains("1 data set (") && error.contains("not 2"), "{error}");
    }
}
