//! Prompts for one image from a file: a text with one prompt a line, or a table of prompts.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::marks::key;
use super::names::mended;
use super::table;
use crate::data::DataError;

/// The extensions of tables; a file of any other is a text.
const TABLES: [&str; 4] = ["csv", "tsv", "xlsx", "json"];

/// Prompts for one image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptList {
    /// The prompts without surrounding spaces, at least one, in the order of the file.
    pub prompts: Vec<String>,
    /// What the reader of the file noticed, one line each, such as rows without a prompt.
    pub remarks: Vec<String>,
}

/// A file of prompts that was read once for many images.
#[derive(Clone, Debug)]
pub struct PromptFile {
    path: PathBuf,
    content: Content,
}

/// What the file has.
#[derive(Clone, Debug)]
enum Content {
    /// One prompt a line, for every image.
    Lines(Vec<String>),
    /// The prompts by the keys of the images' names, with the number of rows and remarks about the table.
    Table { prompts: HashMap<String, Vec<String>>, rows: usize, remarks: Vec<String> },
}

impl PromptFile {
    /// Reads a file of prompts: a table (CSV, XLSX or JSON) with rows for images, or a text with one prompt a line.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, or if a table lacks a column.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
        let content = if TABLES.contains(&end.as_str()) {
            let (all, remarks) = table::read(path)?;
            let rows = all.len();
            let mut prompts: HashMap<String, Vec<String>> = HashMap::new();
            for row in all {
                let name = key(&row.name);
                let other = mended(&row.name).map(|name| key(&name)).filter(|other| *other != name);
                for name in std::iter::once(name).chain(other) {
                    prompts.entry(name).or_default().push(row.prompt.trim().to_owned());
                }
            }
            Content::Table { prompts, rows, remarks }
        } else {
            Content::Lines(table::text(path)?.lines().map(|line| line.trim().to_owned()).collect())
        };
        Ok(Self { path: path.to_owned(), content })
    }

    /// Returns the prompts for the image with the file name `image`. Of a table, these are the prompts of its rows for
    /// that image; the extension of the name may differ. Of a text, these are all lines. What is blank is left out.
    ///
    /// # Errors
    /// Returns [`DataError::PromptList`] if there is no prompt for the image.
    pub fn prompts(&self, image: &str) -> Result<PromptList, DataError> {
        let refuse = |reason: String| DataError::PromptList { path: self.path.clone(), reason };
        match &self.content {
            Content::Lines(lines) => filled(lines.clone(), Vec::new(), "line", "lines")
                .ok_or_else(|| refuse("it has no prompt; write one a line".into())),
            Content::Table { prompts, rows, remarks } => {
                let found = prompts.get(&key(image)).ok_or_else(|| {
                    refuse(format!(
                        "none of its {rows} rows names {image}; give the prompts as a text, one a line"
                    ))
                })?;
                filled(found.clone(), remarks.clone(), "row", "rows")
                    .ok_or_else(|| refuse(format!("its rows for {image} have no prompt; fill in one")))
            }
        }
    }
}

/// Returns the prompts in the file at `path` for the image with the file name `image` ([`PromptFile`]).
///
/// # Errors
/// Returns the errors of [`PromptFile::read`] and [`PromptFile::prompts`].
pub fn prompt_list(path: &Path, image: &str) -> Result<PromptList, DataError> {
    PromptFile::read(path)?.prompts(image)
}

/// Leaves out what is blank, with a remark; `None` if nothing is left.
fn filled(prompts: Vec<String>, mut remarks: Vec<String>, one: &str, many: &str) -> Option<PromptList> {
    let count = prompts.len();
    let prompts: Vec<String> = prompts.into_iter().filter(|prompt| !prompt.is_empty()).collect();
    match count - prompts.len() {
        0 => {}
        1 => remarks.push(format!("1 {one} without a prompt was passed over")),
        blank => remarks.push(format!("{blank} {many} without a prompt were passed over")),
    }
    (!prompts.is_empty()).then_some(PromptList { prompts, remarks })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, content: &str, image: &str) -> Result<PromptList, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        crate::data::write::bytes(&path, content.as_bytes()).expect("written");
        prompt_list(&path, image).map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_has_one_prompt_a_line() {
        let found = list("prompts.txt", "left lung\r\n\n  right lung  \nleft lung", "a.png").expect("prompts");
        assert_eq!(found.prompts, ["left lung", "right lung", "left lung"]);
        assert_eq!(found.remarks, ["1 line without a prompt was passed over"]);
        for content in ["", "\n \n"] {
            let error = list("prompts.txt", content, "a.png").expect_err("no prompt");
            assert!(error.contains("prompts.txt") && error.contains("no prompt"), "{error}");
        }
    }

    #[test]
    fn a_table_has_the_rows_of_the_image() {
        let table = "Image,Description\na.png,one\nb.png,two\nmask_A.jpg,three\na.png,\n";
        let found = list("prompts.csv", table, "a.png").expect("prompts");
        assert_eq!(found.prompts, ["one", "three"]);
        assert_eq!(found.remarks, ["1 row without a prompt was passed over"]);
        let json = r#"{"a.png": ["x", "y"], "b.png": "z"}"#;
        assert_eq!(list("p.JSON", json, "a.png").expect("prompts").prompts, ["x", "y"]);
        let error = list("prompts.csv", table, "c.png").expect_err("no row");
        assert!(error.contains("none of its 4 rows names c.png"), "{error}");
        let error = list("prompts.csv", "Image,Description\na.png,\n", "a.png").expect_err("no prompt");
        assert!(error.contains("its rows for a.png have no prompt"), "{error}");
        assert!(list("prompts.csv", "left lung\nright lung\n", "a.png").is_err());
    }
}
