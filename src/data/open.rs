//! Opens any path that holds an image: an image file, a DICOM file, the folder of a series, or a NIfTI volume.

use std::io::Read;
use std::path::Path;

use super::raster::Raster;
use super::volume::Volume;
use super::{DataError, Limit, Orientation, decode, dicom, nifti, tiff};

/// The kind of a file, recognised by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A PNG, JPEG, TIFF, BMP or WebP image, or something unknown.
    Picture,
    /// A DICOM file.
    Dicom,
    /// A NIfTI volume.
    Nifti,
}

/// Recognises the kind of a file by its first 1024 bytes.
///
/// # Errors
/// Returns an error if the file cannot be read.
pub fn content(path: &Path) -> Result<Content, DataError> {
    let mut file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let mut head = Vec::new();
    file.by_ref().take(1024).read_to_end(&mut head).map_err(|error| DataError::reading(path, &error))?;
    Ok(if nifti::is_nifti(&head) {
        Content::Nifti
    } else if dicom::is_marked(&head) {
        // DICOM comes before images: the preamble of some files makes other programs take them for TIFF.
        Content::Dicom
    } else if image::guess_format(&head).is_ok() || tiff::is_tiff(&head) {
        Content::Picture
    } else if dicom::is_dicom(&head) {
        Content::Dicom
    } else {
        Content::Picture
    })
}

/// Reads an image of any kind as a volume.
///
/// From a folder or a DICOMDIR, the largest DICOM series is read, or the one whose number follows the path after
/// `#`; a note names another series if there are several. The stacks of frames in one DICOM file are chosen in
/// the same way ([`dicom::of_stack`]). Pages of equal size become the slices of a stack. An image is turned
/// upright if its file has an orientation. While a series is read, `progress` receives the number of slices read
/// and their total, and returns whether to continue.
///
/// # Errors
/// Returns [`DataError::NoSeries`] if a folder has no series, and [`DataError::Unsupported`] if it has none of
/// the requested number. The other errors are those of [`decode::raster`], [`dicom::open`] and [`nifti::open`].
pub fn open(
    path: &Path,
    limit: Limit,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Volume, DataError> {
    open_as(path, limit, Orientation::default(), progress)
}

/// Does the same as [`open`], with a choice of the treatment of an image's EXIF orientation.
///
/// # Errors
/// Returns the errors of [`open`].
pub fn open_as(
    path: &Path,
    limit: Limit,
    orientation: Orientation,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Volume, DataError> {
    let (of_stack, number) = dicom::of_stack(path);
    let whole = path;
    let path = of_stack.as_path();
    let is_directory = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"));
    if path.is_dir() || is_directory {
        let folder = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
        let series = dicom::series_in(folder);
        let number = number.unwrap_or(1);
        let chosen = series.get(number - 1).ok_or_else(|| match series.len() {
            0 => DataError::NoSeries { path: folder.to_owned() },
            count => {
                let reason = format!("it has {count} series, and none has number {number}");
                DataError::unsupported(folder, &reason, "give the number of an existing one")
            }
        })?;
        let count = chosen.files.len();
        let mut scan = dicom::open_series(&chosen.files, limit, &|done| progress(done, count))?;
        scan.notes.extend(chosen.notes.iter().cloned());
        if let Some((other, second)) = series.iter().enumerate().find(|(_, other)| *other != chosen) {
            let this = if *chosen == series[0] { "the largest".to_owned() } else { format!("number {number}") };
            scan.notes.push(format!(
                "This is {this} of {} series in the folder ({}). To open another, add its number to the name of the folder, for \
                 instance {}#{} ({}).",
                series.len(),
                chosen.name,
                folder.display(),
                other + 1,
                second.name
            ));
        }
        return Ok(scan);
    }
    match content(path)? {
        Content::Nifti => nifti::open(path, limit),
        Content::Dicom => dicom::open(whole, limit),
        Content::Picture => decode::raster(path, limit, orientation).map(Raster::into_volume),
    }
}
