//! The record of a batch: what became of every image with every prompt.

use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::data::{DataError, write};

/// The name of the record in the folder of the results.
pub const MANIFEST: &str = "manifest.json";
/// The version of the format.
const VERSION: u32 = 1;
/// The most bytes of a manifest that are read: more than a million masks.
const MOST: u64 = 1 << 30;

/// What became of a mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was made and written in all formats.
    Done,
    /// It was not made, or not written in all formats. It is tried again in the next run.
    #[default]
    Failed,
}

/// An image with one prompt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The path of the image below the folder of the images, with `/` between its parts.
    pub image: String,
    /// The size of the image's file in bytes, and the time of its last change in seconds since 1970.
    pub image_bytes: u64,
    pub image_changed: u64,
    /// The prompt.
    pub prompt: String,
    /// What became of it.
    pub state: State,
    /// The reason if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The name of the model.
    pub model: String,
    /// The threshold.
    pub threshold: f32,
    /// Level and width of the display window; `None` for the first window of every slice.
    pub window: Option<[f32; 2]>,
    /// The names of the formats.
    pub formats: Vec<String>,
    /// The number of slices.
    pub slices: usize,
    /// The number of foreground pixels in all slices.
    pub foreground_pixels: u64,
    /// The largest presence of all slices, 0…1; `None` if the model does not say.
    pub presence: Option<f32>,
    /// The files below the folder of the results, with `/` between their parts.
    pub files: Vec<String>,
    /// Notes about the image and the files.
    pub notes: Vec<String>,
}

impl Entry {
    /// Returns whether `other` asks for the same mask of the same image.
    fn is_same_work(&self, other: &Self) -> bool {
        let work = |entry: &Self| {
            (entry.image_bytes, entry.image_changed, entry.threshold, entry.window, entry.model.clone())
        };
        work(self) == work(other) && other.formats.iter().all(|format| self.formats.contains(format))
    }
}

/// The record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub version: u32,
    /// The folder of the images.
    pub folder: String,
    /// The masks in the order in which they were first made.
    pub cases: Vec<Entry>,
    /// The place of every image and prompt in the list.
    #[serde(skip)]
    places: std::collections::HashMap<(String, String), usize>,
}

impl Manifest {
    /// Reads the record in the folder of the results; an empty one if there is none.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is damaged, or was written by a later version.
    pub fn open(out: &Path) -> Result<Self, DataError> {
        let path = out.join(MANIFEST);
        let empty =
            Self { version: VERSION, folder: String::new(), cases: Vec::new(), places: Default::default() };
        let file = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(empty),
            file => file.map_err(|error| DataError::reading(&path, &error))?,
        };
        let remedy = "choose another folder with --out, or remove it to begin anew";
        let refuse = |reason: String| DataError::Unsupported { path: path.clone(), reason, mend: remedy.into() };
        if file.len() > MOST {
            return Err(refuse("it is too long for a manifest of himix batch".into()));
        }
        let bytes = std::fs::read(&path).map_err(|error| DataError::reading(&path, &error))?;
        let mut read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| refuse(format!("no manifest of himix batch: {error}")))?;
        if read.version != VERSION {
            return Err(refuse(format!("a manifest of version {}", read.version)));
        }
        let key = |entry: &Entry| (entry.image.clone(), entry.prompt.clone());
        read.places = read.cases.iter().enumerate().map(|(place, entry)| (key(entry), place)).collect();
        Ok(read)
    }

    /// Returns whether the mask that `entry` asks for was made before and its files exist.
    pub fn has_done(&self, entry: &Entry, out: &Path) -> bool {
        let place = self.places.get(&(entry.image.clone(), entry.prompt.clone()));
        place.map(|place| &self.cases[*place]).is_some_and(|known| {
            known.state == State::Done
                && known.is_same_work(entry)
                && known.files.iter().all(|file| out.join(file).is_file())
        })
    }

    /// Adds an entry, in place of an earlier one of the same image and prompt.
    pub fn put(&mut self, entry: Entry) {
        let key = (entry.image.clone(), entry.prompt.clone());
        match self.places.get(&key) {
            Some(place) => self.cases[*place] = entry,
            None => {
                self.places.insert(key, self.cases.len());
                self.cases.push(entry);
            }
        }
    }

    /// Writes the record into the folder of the results.
    ///
    /// # Errors
    /// Returns [`DataError::Unwritable`] if it cannot be written.
    pub fn write(&self, out: &Path) -> Result<(), DataError> {
        let path = out.join(MANIFEST);
        let fail =
            |error: serde_json::Error| DataError::Unwritable { path: path.clone(), reason: error.to_string() };
        let text = serde_json::to_vec_pretty(self).map_err(fail)?;
        write::bytes(&path, &text)
    }
}

/// Returns the size of a file in bytes and the time of its last change in seconds since 1970; 0 if it is not known.
pub fn stamp(path: &Path) -> (u64, u64) {
    let Ok(file) = std::fs::metadata(path) else { return (0, 0) };
    let changed = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    (file.len(), changed.map_or(0, |time| time.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(prompt: &str) -> Entry {
        let formats = vec!["png".into(), "csv".into()];
        let (state, files) = (State::Done, vec!["a/mask.png".into()]);
        Entry {
            image: "a.png".into(),
            prompt: prompt.into(),
            threshold: 0.5,
            state,
            formats,
            files,
            ..Entry::default()
        }
    }

    #[test]
    fn what_was_done_is_known_as_long_as_nothing_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        let mut manifest = Manifest::open(out).expect("none yet");
        manifest.put(entry("left"));
        manifest.put(Entry { state: State::Failed, ..entry("right") });
        manifest.put(Entry { threshold: 0.4, ..entry("left") });
        manifest.write(out).expect("written");
        let read = Manifest::open(out).expect("a manifest");
        assert_eq!(read, manifest);
        assert_eq!(read.cases.len(), 2);
        let asked = Entry { threshold: 0.4, ..entry("left") };
        assert!(!read.has_done(&asked, out), "its file is missing");
        std::fs::create_dir(out.join("a")).expect("a folder");
        std::fs::write(out.join("a/mask.png"), "").expect("written");
        assert!(read.has_done(&asked, out));
        assert!(read.has_done(&Entry { formats: vec!["csv".into()], ..asked.clone() }, out));
        for other in [
            Entry { threshold: 0.5, ..asked.clone() },
            Entry { model: "other".into(), ..asked.clone() },
            Entry { image_bytes: 7, ..asked.clone() },
            Entry { formats: vec!["nifti".into()], ..asked.clone() },
            Entry { prompt: "right".into(), ..asked.clone() },
            Entry { window: Some([0.0, 1.0]), ..asked },
        ] {
            assert!(!read.has_done(&other, out), "{other:?}");
        }
    }

    #[test]
    fn another_file_of_this_name_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        for content in ["{}", "[1]", r#"{"version": 2, "folder": "", "cases": []}"#, "not json"] {
            std::fs::write(folder.path().join(MANIFEST), content).expect("written");
            let error = Manifest::open(folder.path()).expect_err("refused").to_string();
            assert!(error.contains(MANIFEST) && error.contains("--out"), "{content}: {error}");
        }
    }
}
