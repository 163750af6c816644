//! Whatever a path is: a picture, a DICOM file, a series, a volume.

use std::io::Read;
use std::path::Path;

use super::raster::Raster;
use super::volume::Volume;
use super::{DataError, Limit, Orientation, decode, dicom, nifti, tiff};

/// What a path is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// PNG, JPEG, TIFF, BMP, WebP, or nothing that is known.
    Picture,
    /// A DICOM file.
    Dicom,
    /// A NIfTI volume.
    Nifti,
}

/// Looks at the first bytes of a file.
///
/// # Errors
/// It cannot be read.
pub fn content(path: &Path) -> Result<Content, DataError> {
    let mut file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let mut head = Vec::new();
    file.by_ref().take(1024).read_to_end(&mut head).map_err(|error| DataError::reading(path, &error))?;
    Ok(if nifti::is_nifti(&head) {
        Content::Nifti
    } else if dicom::is_marked(&head) {
        // Before pictures: the preamble of some files makes a TIFF of them for other programs.
        Content::Dicom
    } else if image::guess_format(&head).is_ok() || tiff::is_tiff(&head) {
        Content::Picture
    } else if dicom::is_dicom(&head) {
        Content::Dicom
    } else {
        Content::Picture
    })
}

/// Reads a file of any kind. `progress` hears how many slices of a series are read and says whether to go on. A folder or a DICOMDIR
/// gives its largest series, or the one whose number stands behind the path, and a note says where there are others; so it is with the
/// stacks of frames in a DICOM file ([`dicom::of_stack`]). Pages of one size make a stack; a picture is turned upright where it gives an
/// orientation.
///
/// # Errors
/// Those of the loaders; see [`decode::raster`], [`dicom::open`], [`nifti::open`].
pub fn open(
    path: &Path,
    limit: Limit,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Volume, DataError> {
    open_as(path, limit, Orientation::default(), progress)
}

/// As [`open`], with a choice of what is done about the orientation that a picture gives.
///
/// # Errors
/// Those of [`open`].
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
                let reason = format!("it has {count} series and no number {number}");
                DataError::unsupported(folder, &reason, "give the number of one that it has")
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
