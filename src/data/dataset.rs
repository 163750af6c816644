//! Image, mask and sentence triples in the layout of the authors' repository:
//! `<root>/prompt/<split>.csv` with the columns `Image` and `Description`, images in
//! `<root>/<split>/Images`, masks in `<root>/<split>/GTs` under the image's name, with or without `mask_`.

use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;
use super::error::one_line;

/// One row of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The image's file; existed when the split was opened.
    pub image: PathBuf,
    /// The mask's file; existed when the split was opened.
    pub mask: PathBuf,
    /// The sentence, unchanged.
    pub prompt: String,
    /// The image's file name.
    pub name: String,
}

/// One split of a data set, in the order of its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// The folder that holds `prompt/` and the splits.
    pub root: PathBuf,
    /// Name of the split, for example `train`.
    pub split: String,
    /// The rows; at least one.
    pub samples: Vec<Sample>,
}

impl Dataset {
    /// Opens `split` of the data set in `root` and finds every file that its table names. Headers are
    /// compared without regard to case. Masks may be PNG beside images of another format; `GTs_binary` is
    /// looked into for masks that `GTs` does not have.
    ///
    /// # Errors
    /// The table is missing (the message lists those that exist), unreadable, lacks a column or has no rows;
    /// or files that it names do not exist (the message names the first and counts the rows).
    pub fn open(root: &Path, split: &str) -> Result<Self, DataError> {
        let path = root.join("prompt").join(format!("{split}.csv"));
        if !path.is_file() {
            let available = tables(&root.join("prompt"));
            return Err(DataError::NoSplit { path, available });
        }
        let rows = read_table(&path)?;
        if rows.is_empty() {
            return Err(DataError::EmptySplit { path });
        }
        let folder = root.join(split);
        let count = rows.len();
        let mut samples = Vec::with_capacity(count);
        let (mut first, mut missing) = (None, 0);
        for row in rows {
            match row.find(&folder) {
                Ok(sample) => samples.push(sample),
                Err((line, file)) => {
                    missing += 1;
                    first.get_or_insert((line, file));
                }
            }
        }
        match first {
            Some((line, first)) => Err(DataError::MissingFiles { path, line, first, missing, rows: count }),
            None => Ok(Self { root: root.to_owned(), split: split.to_owned(), samples }),
        }
    }
}

/// A row of the table.
struct Row {
    line: u64,
    name: String,
    prompt: String,
}

impl Row {
    /// The row with its files below `folder`, or its line and the file that is missing.
    fn find(self, folder: &Path) -> Result<Sample, (u64, PathBuf)> {
        let images = folder.join("Images");
        // The tables that the LViT authors publish carry the mask's name in the column of the image.
        let bare = self.name.strip_prefix("mask_").unwrap_or(&self.name);
        let name = [self.name.as_str(), bare].into_iter().find(|name| images.join(name).is_file());
        let Some(name) = name else {
            return Err((self.line, images.join(&self.name)));
        };

        let png = Path::new(name).with_extension("png").to_string_lossy().into_owned();
        let mask = ["GTs", "GTs_binary"]
            .iter()
            .flat_map(|masks| [name, &png].map(|name| (masks, name)))
            .flat_map(|(masks, name)| {
                [format!("mask_{name}"), name.to_owned()].map(|name| folder.join(masks).join(name))
            })
            .find(|mask| mask.is_file());
        let Some(mask) = mask else {
            return Err((self.line, folder.join("GTs").join(format!("mask_{name}"))));
        };
        Ok(Sample { image: images.join(name), mask, name: name.to_owned(), prompt: self.prompt })
    }
}

/// The rows of the table at `path`.
fn read_table(path: &Path) -> Result<Vec<Row>, DataError> {
    let refuse = |error: csv::Error| DataError::Table { path: path.to_owned(), reason: one_line(&error) };
    let mut reader = csv::Reader::from_path(path).map_err(refuse)?;
    let header = reader.headers().map_err(refuse)?.clone();
    let column = |wanted: &str| {
        let same = |name: &str| name.trim_start_matches('\u{feff}').trim().eq_ignore_ascii_case(wanted);
        header.iter().position(same).ok_or_else(|| DataError::NoColumns {
            path: path.to_owned(),
            needed: "Image, Description".into(),
            found: if header.is_empty() { "none".into() } else { header.iter().collect::<Vec<_>>().join(", ") },
        })
    };
    let (image, description) = (column("Image")?, column("Description")?);
    let row = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.map_err(refuse)?;
        Ok(Row {
            line: record.position().map_or(0, csv::Position::line),
            name: record.get(image).unwrap_or_default().trim().to_owned(),
            prompt: record.get(description).unwrap_or_default().to_owned(),
        })
    };
    reader.records().map(row).collect()
}

/// The tables in `folder`, in words.
fn tables(folder: &Path) -> String {
    let mut names: Vec<String> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".csv"))
        .collect();
    names.sort();
    if names.is_empty() { "no tables at all".into() } else { names.join(", ") }
}
