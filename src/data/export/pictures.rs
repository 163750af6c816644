//! Labels as PNG files, one for each slice.

use std::path::{Path, PathBuf};

use super::LabelValues;
use crate::data::{DataError, write};

/// Returns the files of a stack with `slices` slices: `path` itself for a single one, otherwise one for each slice with
/// its number, from 1, behind the name: `mask_001.png`.
pub fn picture_paths(path: &Path, slices: usize) -> Vec<PathBuf> {
    if slices == 1 {
        return vec![path.to_owned()];
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let digits = slices.to_string().len().max(3);
    (1..=slices).map(|number| path.with_file_name(format!("{stem}_{number:0digits$}.png"))).collect()
}

/// Writes the labels as 8-bit grey PNG files in displayed order and returns their paths ([`picture_paths`]). A pixel has
/// the value of its label, or 255 if there is only one. Each file is read again and compared before it gets its name.
///
/// # Errors
/// Returns [`DataError::Unwritable`] if a file cannot be written, and [`DataError::Differs`] if it reads back
/// differently.
pub fn pictures(path: &Path, labels: &LabelValues) -> Result<Vec<PathBuf>, DataError> {
    let [columns, rows, slices] = labels.shape;
    let paths = picture_paths(path, slices);
    let scale = if labels.labels.len() == 1 { 255 } else { 1 };
    for (slice, path) in paths.iter().enumerate() {
        let values: Vec<u8> = labels.slice(slice).iter().map(|value| value * scale).collect();
        write::png8_checked(path, columns, rows, &values)?;
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::export::NamedLabel;

    #[test]
    fn one_label_is_white_and_several_have_their_values() {
        let folder = tempfile::tempdir().expect("a folder");
        let named = |value| NamedLabel { value, name: value.to_string(), colour: [0; 3] };
        let written = |labels: &[u8], values: &[u8], slices: usize| -> Vec<(String, Vec<u8>)> {
            let labels = labels.iter().copied().map(named).collect();
            let labels = LabelValues { shape: [2, 1, slices], values: values.to_vec(), labels, overlap: 0 };
            let paths = pictures(&folder.path().join("mask.png"), &labels).expect("written");
            let read = |path: PathBuf| {
                let pixels = image::open(&path).expect("a picture").into_luma8().into_raw();
                (path.file_name().expect("a name").to_string_lossy().into_owned(), pixels)
            };
            paths.into_iter().map(read).collect()
        };
        assert_eq!(written(&[1], &[0, 1], 1), [("mask.png".to_owned(), vec![0, 255])]);
        let stack = [("mask_001.png".to_owned(), vec![0, 1]), ("mask_002.png".to_owned(), vec![2, 0])];
        assert_eq!(written(&[1, 2], &[0, 1, 2, 0], 2), stack);
    }
}
