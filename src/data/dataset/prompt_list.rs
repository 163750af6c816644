//! Prompts for one image from a file: a text with one prompt a line, or a table of prompts.

use std::path::Path;

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

/// Returns the prompts in the file at `path` for the image with the file name `image`. Of a table (CSV, XLSX or JSON),
/// these are the prompts of its rows for that image; the extension of the name may differ. Of a text, these are all
/// lines. What is blank is left out.
///
/// # Errors
/// Returns an error if the file cannot be read, if a table lacks a column, or if there is no prompt for the image.
pub fn prompt_list(path: &Path, image: &str) -> Result<PromptList, DataError> {
    let end = path.extension().map(|end| end.to_string_lossy().to_lowercase()).unwrap_or_default();
    let refuse = |reason: String| DataError::PromptList { path: path.to_owned(), reason };
    if !TABLES.contains(&end.as_str()) {
        let text = table::text(path)?;
        let prompts: Vec<String> = text.lines().map(|line| line.trim().to_owned()).collect();
        return filled(prompts, Vec::new(), "line", "lines")
            .ok_or_else(|| refuse("it has no prompt; write one a line".into()));
    }
    let (rows, remarks) = table::read(path)?;
    let wanted = key(image);
    let count = rows.len();
    let is_of_image = |name: &str| key(name) == wanted || mended(name).is_some_and(|name| key(&name) == wanted);
    let rows: Vec<String> =
        rows.into_iter().filter(|row| is_of_image(&row.name)).map(|row| row.prompt.trim().to_owned()).collect();
    if rows.is_empty() {
        return Err(refuse(format!(
            "none of its {count} rows names {image}; give the prompts as a text, one a line"
        )));
    }
    filled(rows, remarks, "row", "rows")
        .ok_or_else(|| refuse(format!("its rows for {image} have no prompt; fill in one")))
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
