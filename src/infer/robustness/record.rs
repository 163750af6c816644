//! The record of a study in a folder: a table that grows image by image, and the study to which it belongs.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use super::rows::{COLUMNS, row, score};
use super::study::Study;
use super::{Form, FormScore};
use crate::data::{DataError, Dataset, write};
use crate::infer::InferError;

/// The file with the scores.
pub const RECORD: &str = "scores.csv";
/// The file that says what the scores belong to.
pub const STUDY: &str = "study.json";
/// The largest record that is read, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// The record of a study, open for appending.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    file: File,
}

impl Record {
    /// Opens the record in `folder`, which exists, and returns the scores of the images that it holds in full. What was
    /// cut off when an earlier run ended is dropped and computed again. Without a record, one is begun.
    ///
    /// # Errors
    /// The folder has the record of another study, or of an unknown one; a file cannot be read or written.
    pub fn open(
        folder: &Path,
        study: &Study,
        dataset: &Dataset,
        forms: &[Form],
    ) -> Result<(Self, Vec<FormScore>), InferError> {
        let (path, about) = (folder.join(RECORD), folder.join(STUDY));
        let scores = match read(&path)? {
            None => Vec::new(),
            Some(bytes) => {
                let known: Option<Study> = read(&about)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
                let differ = known.map(|known| study.differences(&known));
                let refuse = |reason: String| {
                    let name = path.display();
                    InferError::Refused(format!(
                        "{name}: {reason}; choose another folder, or delete the file to begin anew"
                    ))
                };
                match differ.as_deref() {
                    Some([]) => whole(&bytes, dataset, forms),
                    Some(differ) => {
                        return Err(refuse(format!(
                            "these scores belong to another study, differing in {}",
                            differ.join(", ")
                        )));
                    }
                    None => {
                        return Err(refuse(format!(
                            "the study of these scores is not known, because {STUDY} is missing or damaged"
                        )));
                    }
                }
            }
        };
        let about_text =
            serde_json::to_string_pretty(study).map_err(|error| InferError::Refused(error.to_string()))?;
        write::bytes(&about, about_text.as_bytes())?;
        // What was cut off must not stand before the next row.
        write::file(&path, |out| {
            out.write_all(&lines(std::iter::once(COLUMNS.map(String::from)))?)?;
            out.write_all(&lines(scores.iter().map(row))?)
        })?;
        let file =
            OpenOptions::new().append(true).open(&path).map_err(|error| DataError::writing(&path, error))?;
        Ok((Self { path, file }, scores))
    }

    /// Appends the scores of an image.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append(&mut self, scores: &[FormScore]) -> Result<(), InferError> {
        let written = lines(scores.iter().map(row)).and_then(|bytes| {
            self.file.write_all(&bytes)?;
            self.file.flush()
        });
        Ok(written.map_err(|error| DataError::writing(&self.path, error))?)
    }

    /// Returns the path of the table.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Reads a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, DataError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| DataError::reading(path, &error))?,
    };
    let mut bytes = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(|error| DataError::reading(path, &error))?;
    Ok(Some(bytes))
}

fn lines(rows: impl Iterator<Item = [String; COLUMNS.len()]>) -> std::io::Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.write_record(row)?;
    }
    table.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
}

/// Returns the scores of the images that a table holds in full: every prompt in every form, in the order in which they
/// are computed. A table ends at its first damaged row, and its last row counts only if its line ends.
fn whole(bytes: &[u8], dataset: &Dataset, forms: &[Form]) -> Vec<FormScore> {
    let is_ended = bytes.last() == Some(&b'\n');
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let mut scores: Vec<FormScore> =
        table.records().map_while(Result::ok).map_while(|record| score(&record)).collect();
    if !is_ended {
        scores.pop();
    }
    let mut prompts: HashMap<&str, usize> =
        dataset.samples.iter().map(|sample| (sample.name.as_str(), sample.prompts().count())).collect();
    let mut kept: Vec<FormScore> = Vec::new();
    for image in scores.chunk_by(|a, b| a.image == b.image) {
        let count = prompts.get(image[0].image.as_str()).copied().unwrap_or(0);
        let wanted = (0..count).flat_map(|prompt| forms.iter().map(move |form| (prompt, *form)));
        if count > 0 && image.iter().map(|score| (score.prompt, score.form)).eq(wanted) {
            // An image counts once.
            prompts.remove(image[0].image.as_str());
            kept.extend_from_slice(image);
        }
    }
    kept
}
