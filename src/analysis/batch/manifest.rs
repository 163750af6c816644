//! The record of a batch: what became of every image with every prompt.

use std::collections::{HashMap, HashSet};
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
    /// It was written in some of the formats, and refused by the others. It is tried again in the next run.
    Partial,
    /// It was not made, or written in no format. It is tried again in the next run.
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
    /// The reason if it failed, or why some formats are missing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
    /// The name of the model.
    pub model: String,
    /// A hash of its files; `None` in a manifest of an earlier version.
    #[serde(default)]
    pub model_content: Option<String>,
    /// A hash of the list of codes for DICOM segmentations; `None` if there is none among the formats.
    #[serde(default)]
    pub segment_codes: Option<String>,
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
    /// Returns whether `other` asks for the same mask of the same image. The name of a model does not tell: one that was
    /// trained again keeps it.
    fn is_same_work(&self, other: &Self) -> bool {
        let work = |entry: &Self| (entry.image_bytes, entry.image_changed, entry.threshold, entry.window);
        let is_same_model = self.model_content.is_some() && self.model_content == other.model_content;
        let has_codes = other.segment_codes.is_none() || self.segment_codes == other.segment_codes;
        let is_same = work(self) == work(other) && self.model == other.model && is_same_model && has_codes;
        is_same && other.formats.iter().all(|format| self.formats.contains(format))
    }

    /// Returns the folders of its files below the folder of the results.
    fn folders(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.rsplit_once('/').map_or("", |(folder, _)| folder))
    }
}

/// The record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the format.
    pub version: u32,
    /// The folder of the images.
    pub folder: String,
    /// The masks in the order in which they were made.
    pub cases: Vec<Entry>,
    /// The place of every image and prompt in the list.
    #[serde(skip)]
    places: HashMap<(String, String), usize>,
    /// The folders in which files of the list lie, or lay.
    #[serde(skip)]
    folders: HashSet<String>,
}

impl Manifest {
    /// Reads the record in the folder of the results; an empty one if there is none.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is damaged, or was written by a later version.
    pub fn open(out: &Path) -> Result<Self, DataError> {
        let path = out.join(MANIFEST);
        let empty = Self {
            version: VERSION,
            folder: String::new(),
            cases: Vec::new(),
            places: HashMap::new(),
            folders: HashSet::new(),
        };
        let file = match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(empty),
            file => file.map_err(|error| DataError::reading(&path, &error))?,
        };
        let refuse = |reason: String| {
            let reason = format!("{reason}; choose another folder with --out, or remove the file to begin anew");
            DataError::Results { path: path.clone(), reason }
        };
        if file.len() > MOST {
            return Err(refuse("it is too long for a manifest of himix batch".into()));
        }
        let bytes = std::fs::read(&path).map_err(|error| DataError::reading(&path, &error))?;
        let mut read: Self = serde_json::from_slice(&bytes)
            .map_err(|error| refuse(format!("this is no manifest of himix batch ({error})")))?;
        if read.version != VERSION {
            return Err(refuse(format!("this is a manifest of version {}, which is not known", read.version)));
        }
        read.find_places();
        Ok(read)
    }

    fn find_places(&mut self) {
        let key = |entry: &Entry| (entry.image.clone(), entry.prompt.clone());
        self.places = self.cases.iter().enumerate().map(|(place, entry)| (key(entry), place)).collect();
        self.folders = self.cases.iter().flat_map(Entry::folders).map(str::to_owned).collect();
    }

    /// Returns whether the mask that `entry` asks for was made before and its files exist in `folder`, which is below the
    /// folder of the results.
    pub fn has_done(&self, entry: &Entry, folder: &str, out: &Path) -> bool {
        let place = self.places.get(&(entry.image.clone(), entry.prompt.clone()));
        place.map(|place| &self.cases[*place]).is_some_and(|known| {
            known.state == State::Done
                && known.is_same_work(entry)
                && known.folders().all(|known| known == folder)
                && known.files.iter().all(|file| out.join(file).is_file())
        })
    }

    /// Returns whether an entry may have files in this folder.
    pub fn has_files_in(&self, folder: &str) -> bool {
        self.folders.contains(folder)
    }

    /// Forgets every entry with a file in one of the folders, because the files are replaced by those of another.
    pub fn forget(&mut self, folders: &HashSet<&str>) {
        self.cases.retain(|entry| !entry.folders().any(|folder| folders.contains(folder)));
        self.find_places();
    }

    /// Adds an entry, in place of an earlier one of the same image and prompt.
    pub fn put(&mut self, entry: Entry) {
        self.folders.extend(entry.folders().map(str::to_owned));
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
        let text = serde_json::to_vec_pretty(self).map_err(|error| DataError::writing(&path, error))?;
        write::bytes(&path, &text)
    }
}

/// Returns a path with `/` between its parts on every system.
pub fn slashes(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
        .replacen("//", "/", 1)
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
            model_content: Some("1f".into()),
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
        assert_eq!(read.cases, manifest.cases);
        assert_eq!(read.cases.len(), 2);
        let asked = Entry { threshold: 0.4, ..entry("left") };
        assert!(!read.has_done(&asked, "a", out), "its file is missing");
        std::fs::create_dir(out.join("a")).expect("a folder");
        std::fs::write(out.join("a/mask.png"), "").expect("written");
        assert!(read.has_done(&asked, "a", out));
        assert!(!read.has_done(&asked, "a/0", out), "its files are asked for in another folder");
        assert!(read.has_done(&Entry { formats: vec!["csv".into()], ..asked.clone() }, "a", out));
        let mut earlier = read.clone();
        earlier.cases.iter_mut().for_each(|entry| entry.model_content = None);
        assert!(!earlier.has_done(&asked, "a", out), "nobody knows which model it was");
        assert!(!earlier.has_done(&Entry { model_content: None, ..asked.clone() }, "a", out));
        for other in [
            Entry { threshold: 0.5, ..asked.clone() },
            Entry { model: "other".into(), ..asked.clone() },
            Entry { model_content: Some("2e".into()), ..asked.clone() },
            Entry { segment_codes: Some("3d".into()), ..asked.clone() },
            Entry { image_bytes: 7, ..asked.clone() },
            Entry { formats: vec!["nifti".into()], ..asked.clone() },
            Entry { prompt: "right".into(), ..asked.clone() },
            Entry { window: Some([0.0, 1.0]), ..asked },
        ] {
            assert!(!read.has_done(&other, "a", out), "{other:?}");
        }
    }

    #[test]
    fn what_is_replaced_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut manifest = Manifest::open(folder.path()).expect("none yet");
        let with = |prompt: &str, files: &[&str]| Entry {
            files: files.iter().map(|file| (*file).to_owned()).collect(),
            ..entry(prompt)
        };
        manifest.put(with("left", &["a.png/0/mask.png"]));
        manifest.put(with("right", &["a.png/1/mask.png"]));
        manifest.put(with("both", &["mask.png"]));
        assert!(manifest.has_files_in("a.png/1") && !manifest.has_files_in("a.png") && manifest.has_files_in(""));
        manifest.forget(&["a.png/0", "b.png"].into());
        let left: Vec<&str> = manifest.cases.iter().map(|entry| entry.prompt.as_str()).collect();
        assert_eq!(left, ["right", "both"]);
        assert!(!manifest.has_files_in("a.png/0"));
        // The places are found anew.
        manifest.put(with("both", &["a.png/0/mask.png"]));
        assert_eq!((manifest.cases.len(), manifest.cases[1].files[0].as_str()), (2, "a.png/0/mask.png"));
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
