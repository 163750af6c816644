//! The file with the states of a reader's cases.
//!
//! ```json
//! {
//!   "himix_cases": 1,
//!   "reader": "Anna",
//!   "cases": {
//!     "test/Images/a.png": { "state": "done", "at": "2026-11-27T18:12:07.125Z", "mask": "masks/test/Images/a.png" }
//!   }
//! }
//! ```
//!
//! What this version does not know is kept when the file is written again.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{CaseChange, CaseEntry, CaseState, ReaderCases};
use crate::data::error::one_line;
use crate::data::{DataError, write};

/// The name of the file in the folder of its reader.
pub const FILE: &str = "cases.json";
/// The version of the format.
const VERSION: u64 = 1;
/// The largest accepted size, in bytes; a case takes about 150.
const MOST_BYTES: u64 = 64 << 20;
/// The most damaged files that are kept.
const MOST_ASIDE: usize = 100;

/// The content of a file.
#[derive(Debug)]
pub struct CasesFile(Map<String, Value>);

/// Why a file cannot be used.
#[derive(Debug)]
pub enum Refusal {
    /// The system does not read it, or it was written by a newer version. It is left as it is.
    Unusable(DataError),
    /// It is not what it should be. The text says why.
    Damaged(String),
}

impl CasesFile {
    /// Creates the content of a file without cases.
    pub fn new(reader: &str) -> Self {
        let content = json!({ "himix_cases": VERSION, "reader": reader, "cases": {} });
        Self(if let Value::Object(content) = content { content } else { Map::new() })
    }

    /// Reads a file; `None` if it does not exist.
    pub fn read(path: &Path) -> Result<Option<Self>, Refusal> {
        let unreadable = |error: &std::io::Error| Refusal::Unusable(DataError::reading(path, error));
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&error)),
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(Refusal::Damaged(format!("it has more than {} MiB", MOST_BYTES >> 20)));
        }
        let content: Value = serde_json::from_slice(&bytes).map_err(|error| Refusal::Damaged(one_line(&error)))?;
        let version = content.get("himix_cases").and_then(Value::as_u64);
        match (version, content) {
            (Some(version), _) if version > VERSION => {
                let reason = format!("it was written by a newer version of himix, in form {version}");
                Err(Refusal::Unusable(DataError::Unreadable { path: path.to_owned(), reason }))
            }
            (Some(_), Value::Object(content)) if content.get("cases").is_none_or(Value::is_object) => {
                Ok(Some(Self(content)))
            }
            _ => Err(Refusal::Damaged("it has no states of cases".into())),
        }
    }

    /// Reads a file. A damaged one is renamed, and the second value says so.
    ///
    /// # Errors
    /// Returns an error if the system does not read the file, or if it was written by a newer version.
    pub fn read_or_set_aside(path: &Path) -> Result<(Option<Self>, Option<String>), DataError> {
        match Self::read(path) {
            Ok(file) => Ok((file, None)),
            Err(Refusal::Unusable(error)) => Err(error),
            Err(Refusal::Damaged(reason)) => {
                let aside = aside(path);
                std::fs::rename(path, &aside).map_err(|error| DataError::reading(path, &error))?;
                let note = format!(
                    "{}: the states of cases could not be read ({reason}); the file was kept as {}",
                    path.display(),
                    aside.display()
                );
                Ok((None, Some(note)))
            }
        }
    }

    /// Writes the file as a whole.
    pub fn write(&self, path: &Path) -> Result<(), DataError> {
        // Writing strings and numbers to memory does not fail.
        write::bytes(path, &serde_json::to_vec_pretty(&self.0).unwrap_or_default())
    }

    /// Changes some cases and leaves everything else as it is.
    pub fn apply(&mut self, reader: &str, changes: &[CaseChange], at: &str) {
        self.0.insert("himix_cases".into(), VERSION.into());
        self.0.insert("reader".into(), reader.into());
        let Value::Object(cases) = self.0.entry("cases").or_insert_with(|| json!({})) else { return };
        for CaseChange { id, state, mask } in changes {
            let known = cases.entry(id.clone()).or_insert_with(|| json!({}));
            if !known.is_object() {
                *known = json!({});
            }
            known["state"] = json!(state);
            known["at"] = at.into();
            if let Some(mask) = mask {
                known["mask"] = mask.as_str().into();
            }
        }
    }

    /// Returns what the file says. Masks lie in `folder`, that of the reader. A state that this version does not know is
    /// left out.
    pub fn content(mut self, folder: &Path) -> ReaderCases {
        let reader = self.0.get("reader").and_then(Value::as_str).map(str::to_owned);
        let reader = reader.or_else(|| Some(folder.file_name()?.to_string_lossy().into_owned()));
        let entry = |known: &Value| {
            let text = |key: &str| known.get(key).and_then(Value::as_str);
            let state = CaseState::deserialize(known.get("state")?).ok()?;
            let mask = text("mask").filter(|mask| is_below(mask)).map(|mask| folder.join(mask));
            Some(CaseEntry { state, at: text("at").unwrap_or_default().to_owned(), mask })
        };
        let cases = match self.0.remove("cases") {
            Some(Value::Object(cases)) => cases,
            _ => Map::new(),
        };
        let cases = cases.into_iter().filter_map(|(id, known)| Some((id, entry(&known)?))).collect();
        ReaderCases { reader: reader.unwrap_or_default(), cases }
    }

    /// Returns the names of the masks that other cases than `id` have.
    pub fn masks_of_others(&self, id: &str) -> impl Iterator<Item = &str> {
        let cases = self.0.get("cases").and_then(Value::as_object).into_iter().flatten();
        cases.filter(move |(other, _)| *other != id).filter_map(|(_, known)| known.get("mask")?.as_str())
    }

    /// Returns the name of the mask of a case; `None` if it has none.
    pub fn mask(&self, id: &str) -> Option<&str> {
        self.0.get("cases")?.get(id)?.get("mask")?.as_str().filter(|mask| is_below(mask))
    }
}

/// Returns whether a name leads to a place below its folder.
fn is_below(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    parts.all(|part| matches!(part, std::path::Component::Normal(_)))
}

/// Returns a free name for a damaged file.
fn aside(path: &Path) -> PathBuf {
    let name = |number: usize| match number {
        1 => path.with_extension("damaged.json"),
        _ => path.with_extension(format!("damaged-{number}.json")),
    };
    (1..MOST_ASIDE).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(MOST_ASIDE))
}
