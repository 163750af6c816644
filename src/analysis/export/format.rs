//! The formats of exported labels, by the names that the command line and the window use.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// 8-bit grey PNG, one file for each slice.
    Png,
    /// NIfTI label map, compressed.
    Nifti,
    /// DICOM segmentation.
    DicomSeg,
    /// Table of measurements.
    Csv,
}

impl Format {
    /// All formats, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Png, Self::Nifti, Self::DicomSeg, Self::Csv];

    /// Returns the name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Nifti => "nifti",
            Self::DicomSeg => "dicom-seg",
            Self::Csv => "csv",
        }
    }

    /// Returns the name for display.
    pub fn title(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Nifti => "NIfTI label map",
            Self::DicomSeg => "DICOM segmentation",
            Self::Csv => "Measurements (CSV)",
        }
    }

    /// Returns the end of the names of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => ".png",
            Self::Nifti => ".nii.gz",
            Self::DicomSeg => ".dcm",
            Self::Csv => "_measurements.csv",
        }
    }

    /// Returns the path with the end of the format behind it, if it does not end with one of the format already.
    pub fn completed(self, path: &Path) -> PathBuf {
        let ends: &[&str] = match self {
            Self::Png => &[".png"],
            Self::Nifti => &[".nii.gz", ".nii"],
            Self::DicomSeg => &[".dcm", ".dicom"],
            Self::Csv => &[".csv"],
        };
        let name = path.file_name().unwrap_or_default();
        let lower = name.to_string_lossy().to_lowercase();
        if ends.iter().any(|end| lower.ends_with(end)) {
            return path.to_owned();
        }
        let mut name = name.to_owned();
        name.push(self.ending());
        path.with_file_name(name)
    }
}

/// One or several formats, each once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formats(Vec<Format>);

impl Formats {
    /// Iterates over the formats.
    pub fn iter(&self) -> impl Iterator<Item = Format> {
        self.0.iter().copied()
    }

    /// Returns whether a format is among them.
    pub fn has(&self, format: Format) -> bool {
        self.0.contains(&format)
    }

    /// Returns the names, for instance for a record of what was written.
    pub fn names(&self) -> Vec<String> {
        self.iter().map(|format| format.name().to_owned()).collect()
    }
}

impl FromIterator<Format> for Formats {
    fn from_iter<T: IntoIterator<Item = Format>>(formats: T) -> Self {
        let mut formats: Vec<Format> = formats.into_iter().collect();
        formats.sort_unstable();
        formats.dedup();
        Self(formats)
    }
}

impl fmt::Display for Formats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(","))
    }
}

impl FromStr for Formats {
    type Err = String;

    /// Parses names with commas between them, such as "png,nifti".
    fn from_str(text: &str) -> Result<Self, String> {
        let format =
            |name: &str| Format::ALL.into_iter().find(|format| format.name() == name.trim().to_lowercase());
        let formats: Option<Self> = text.split(',').map(format).collect::<Option<Vec<_>>>().map(Self::from_iter);
        let names = Format::ALL.map(Format::name).join(", ");
        formats.ok_or_else(|| format!("give one or several of {names}, with commas"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_the_end_of_its_format_unless_it_has_one() {
        let completed = |format: Format, name: &str| format.completed(Path::new(name)).display().to_string();
        assert_eq!(completed(Format::Png, "a/b.PNG"), "a/b.PNG");
        assert_eq!(completed(Format::Png, "scan.v2"), "scan.v2.png");
        assert_eq!(completed(Format::Nifti, "scan.nii"), "scan.nii");
        assert_eq!(completed(Format::Nifti, "scan.png"), "scan.png.nii.gz");
        assert_eq!(completed(Format::DicomSeg, "1.2.840"), "1.2.840.dcm");
        assert_eq!(completed(Format::Csv, "scan"), "scan_measurements.csv");
    }

    #[test]
    fn formats_are_named_once_and_in_order() {
        let formats: Formats = "csv, PNG,png".parse().expect("formats");
        assert_eq!((formats.to_string().as_str(), formats.has(Format::Nifti)), ("png,csv", false));
        for text in ["", "png,", "tiff", "png nifti"] {
            assert!(text.parse::<Formats>().is_err_and(|error| error.contains("dicom-seg")), "{text}");
        }
    }
}
