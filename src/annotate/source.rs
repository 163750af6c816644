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

    /// What its slice of this number, from 0, is called.
    pub fn name_of(&self, slice: usize) -> String {
        format!("{}, {} {}", self.name(), self.piece().to_lowercase(), slice + 1)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Files(path, _) => file_name(path),
            Self::Sample(sample) => sample.title.to_owned(),
        }
    }
}

/// The last part of a path, for people.
fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
