//! The source of an image.

use std::path::{Path, PathBuf};

use crate::data::samples::SampleCase;

/// The source of an image, from which it can be opened again.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A file, or the files of a series.
    Files(PathBuf, Vec<PathBuf>),
    /// A sample case.
    Sample(SampleCase),
}

impl Source {
    /// Returns the name of one of its parts: a single file has frames (DICOM), a series or a volume has slices.
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

    /// Returns the display name. A series is named after its folder, because its list of files can be empty or
    /// incomplete.
    pub fn name(&self) -> String {
        match self {
            Self::Files(path, files) if files.len() > 1 => path.parent().map(file_name).unwrap_or_default(),
            Self::Files(path, _) => file_name(path),
            Self::Sample(sample) => sample.title.to_owned(),
        }
    }
}

/// Returns the last part of a path, for display.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
