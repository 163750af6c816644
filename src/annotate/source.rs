//! Where a picture came from.

use std::path::{Path, PathBuf};

use crate::data::samples::SampleCase;

/// Where a picture came from, so that it can be opened again.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A file, or the files of a series.
    Files(PathBuf, Vec<PathBuf>),
    /// A sample case.
    Sample(SampleCase),
}

impl Source {
    /// What one of several is called: a lone file has frames (DICOM), a series or a volume has slices.
    pub fn piece(&self) -> &'static str {
        match self {
            Self::Files(path, files) if files.len() < 2 => {
                let name = file_name(path).to_lowercase();
                let is_volume = name.ends_with(".nii") || name.ends_with(".nii.gz");
                if is_volume { "Slice" } else { "Frame" }
            }
            _ => "Slice",
        }
    }

    /// What it is called: a series as its folder, because its files are not all there is of it, and may be left out.
    pub fn name(&self) -> String {
        match self {
            Self::Files(path, files) if files.len() > 1 => path.parent().map(file_name).unwrap_or_default(),
            Self::Files(path, _) => file_name(path),
            Self::Sample(sample) => sample.title.to_owned(),
        }
    }
}

/// The last part of a path, for people.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
