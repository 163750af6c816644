//! The error of reading and writing files. Every message is one line that names the file, the fault and the
//! remedy.

use std::io;
use std::path::{Path, PathBuf};

use super::{MOST_LABELS, Orientation};

/// An input that cannot be used, or an output that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The file does not exist.
    #[error("{}: there is no such file; check the path", path.display())]
    Missing {
        /// The file asked for.
        path: PathBuf,
    },
    /// The file exists, but the system cannot read it.
    #[error("{}: the file cannot be read ({reason}); check that it is a file and that you have permission to read it", path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The content has none of the known image formats, whatever the file's name is.
    #[error("{}: this is not an image file; give a PNG, JPEG, TIFF, BMP, WebP, DICOM or NIfTI file", path.display())]
    NotAnImage {
        /// The file asked for.
        path: PathBuf,
    },
    /// The image has a format or a variant that is not supported.
    #[error("{}: this kind of image is not supported ({reason}); {mend}", path.display())]
    Unsupported {
        /// The file asked for.
        path: PathBuf,
        /// The format or the variant.
        reason: String,
        /// What to do.
        mend: String,
    },
    /// The pixels of a DICOM file are compressed in a way that is not supported.
    #[error(
        "{}: its compression is not supported ({name}); decompress it to Explicit VR Little Endian, \
         for instance with gdcmconv --raw or dcmdjpeg",
        path.display()
    )]
    Compression {
        /// The file asked for.
        path: PathBuf,
        /// Name of the compression.
        name: String,
    },
    /// The content ends early or is inconsistent.
    #[error("{}: the file is truncated or damaged ({reason}); export it again from its source", path.display())]
    Damaged {
        /// The file asked for.
        path: PathBuf,
        /// What the decoder reports.
        reason: String,
    },
    /// The image has no pixels.
    #[error("{}: the image has no pixels ({width}x{height}); export it again from its source", path.display())]
    NoPixels {
        /// The file asked for.
        path: PathBuf,
        /// Width that the header gives, in pixels.
        width: u32,
        /// Height that the header gives, in pixels.
        height: u32,
    },
    /// The image, or other data in its file, exceeds a fixed limit. The limit prevents a small file from filling
    /// the memory.
    #[error(
        "{}: the image is too large ({size}); \
         scale it down or crop it",
        path.display()
    )]
    TooLarge {
        /// The file asked for.
        path: PathBuf,
        /// The size in words, with the limit if a side is too long.
        size: String,
    },
    /// Reading the file would take more memory than the user's limit for one file.
    #[error(
        "{}: it needs {} of memory and the limit is {}; raise the limit in the settings, or open a smaller part",
        path.display(), amount(*needed), amount(*limit)
    )]
    BeyondLimit {
        /// The file.
        path: PathBuf,
        /// Bytes that the file would take.
        needed: u64,
        /// Bytes that one file may take.
        limit: u64,
    },
    /// The file is not a DICOM file.
    #[error("{}: this is not a DICOM file; give a DICOM file or the folder of a series", path.display())]
    NotDicom {
        /// The file.
        path: PathBuf,
    },
    /// The DICOM file has no image, for instance because it is a report.
    #[error("{}: this DICOM file has no image; open one of the images of its study", path.display())]
    NoPixelData {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be put into one stack with the other files of its series.
    #[error("{}: it does not fit the others of its series ({reason}); open it alone", path.display())]
    Misfit {
        /// The file.
        path: PathBuf,
        /// What is different about it.
        reason: &'static str,
    },
    /// The folder has no DICOM images.
    #[error("{}: no DICOM images were found in this folder; open the folder that has them", path.display())]
    NoSeries {
        /// The folder.
        path: PathBuf,
    },
    /// The folder contains nothing that can be opened.
    #[error("{}: no images were found in this folder; open one that has images", path.display())]
    NothingToOpen {
        /// The folder.
        path: PathBuf,
    },
    /// The user cancelled the reading.
    #[error("{}: opening was cancelled", path.display())]
    Cancelled {
        /// The file that was to be read next.
        path: PathBuf,
    },
    /// The file is not a mask.
    #[error("{}: this is not a mask ({reason}); give a file whose values or colours distinguish lesion and background", path.display())]
    NotAMask {
        /// The file.
        path: PathBuf,
        /// What the file is instead.
        reason: String,
    },
    /// The voxels of the mask lie at other positions than those of the image.
    #[error(
        "{}: the mask is on another grid ({mask}) than the image ({image}); give the mask that was drawn on this image, \
         or have this one resampled by position{}",
        path.display(), if *fits_by_number { ", or matched by voxel indices" } else { "" }
    )]
    MaskGrid {
        /// The mask's file.
        path: PathBuf,
        /// Grid of the mask, in words.
        mask: String,
        /// Grid of the image, in words.
        image: String,
        /// Whether the mask has as many voxels along each axis, stored in the same order of axes.
        fits_by_number: bool,
    },
    /// The mask has another frame of reference than the image, so that their positions cannot be compared.
    #[error(
        "{}: the mask has another frame of reference ({mask}) than the image ({image}); give a mask of this image, or match it by voxel indices",
        path.display()
    )]
    MaskFrame {
        /// The mask's file.
        path: PathBuf,
        /// UID of the mask's frame of reference.
        mask: String,
        /// UID of the image's frame of reference.
        image: String,
    },
    /// The segmentation was drawn on other images, and has no positions by which it could be laid on these.
    #[error(
        "{}: it is a segmentation of other images than the open ones, and has no positions to compare; open the series that it was drawn on",
        path.display()
    )]
    SegmentationOfOthers {
        /// The segmentation's file.
        path: PathBuf,
    },
    /// No segmentation in DICOM can be written for the image, or this segmentation cannot.
    #[error("{}: no DICOM segmentation was written: {reason}", path.display())]
    NoSegmentation {
        /// The target.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The mask has one slice and does not say to which of the image's slices it belongs.
    #[error("{}: the mask has one slice and the image {slices}; give the slice on which it was drawn", path.display())]
    MaskSlice {
        /// The mask's file.
        path: PathBuf,
        /// Number of slices of the image.
        slices: usize,
    },
    /// The mask and the image have different sizes.
    #[error(
        "{}: the mask is {mask_width}x{mask_height} but the image is {width}x{height}; \
         give the mask that was drawn on this image",
        path.display()
    )]
    MaskSize {
        /// The mask's file.
        path: PathBuf,
        /// Width of the mask, in pixels.
        mask_width: usize,
        /// Height of the mask, in pixels.
        mask_height: usize,
        /// Width of the image, in pixels.
        width: usize,
        /// Height of the image, in pixels.
        height: usize,
    },
    /// The mask fits the image only if the image's EXIF orientation is treated in the other way.
    #[error(
        "{}: the mask ({mask_width}x{mask_height}) fits the image only {}; read the image {} by orientation = \"{}\" in \
         himix-data.toml in the folder of the data set, or give the mask that was drawn on it as it is read now",
        path.display(), other_way(*orientation).0, other_way(*orientation).1, other_way(*orientation).2
    )]
    MaskTurned {
        /// The mask's file.
        path: PathBuf,
        /// Width of the mask, in pixels.
        mask_width: usize,
        /// Height of the mask, in pixels.
        mask_height: usize,
        /// How the image was read.
        orientation: Orientation,
    },
    /// The mask and the image have different numbers of slices.
    #[error(
        "{}: the mask has {mask_slices} slices but the image {slices}; \
         give the mask that was drawn on this image, or that of one slice",
        path.display()
    )]
    MaskSlices {
        /// The mask's file.
        path: PathBuf,
        /// Number of slices of the mask.
        mask_slices: usize,
        /// Number of slices of the image.
        slices: usize,
    },
    /// The folder has no split of that name.
    #[error("{}: there is no split '{split}'; the folder has {available}", path.display())]
    NoSplit {
        /// The folder.
        path: PathBuf,
        /// The split asked for.
        split: String,
        /// The splits that exist, in words.
        available: String,
    },
    /// The folder has no images in any of the places where a data set has them.
    #[error(
        "{}: no images were found; a data set has images in this folder, in images/ beside masks/, in SPLIT/Images beside \
         SPLIT/GTs, or in Train_Folder/img",
        path.display()
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
    },
    /// There are images, but no masks for them.
    #[error(
        "{}: split {split} has images but no masks; put a mask of the same name for each into GTs/ or masks/ beside this folder",
        path.display()
    )]
    NoMasks {
        /// The folder of the images.
        path: PathBuf,
        /// The split.
        split: String,
    },
    /// None of the split's pairs of image and mask can be used.
    #[error("{}: none of the {count} pairs of split {split} can be used; the first: {reason}", path.display())]
    NothingUsable {
        /// The data set.
        path: PathBuf,
        /// The split.
        split: String,
        /// Number of pairs.
        count: usize,
        /// What is wrong with the first pair.
        reason: String,
    },
    /// None of the split's masks has foreground.
    #[error("{}: none of the {count} masks of split {split} has foreground{hint}", path.display())]
    EmptyMasks {
        /// The data set.
        path: PathBuf,
        /// The split.
        split: String,
        /// Number of masks.
        count: usize,
        /// The end of the message: what to do, if something is known.
        hint: &'static str,
    },
    /// The settings file of the data set is invalid.
    #[error(
        "{}: the settings of the data set cannot be read ({reason}); they may be orientation, mask_rule, several and labels",
        path.display()
    )]
    Setting {
        /// The settings file.
        path: PathBuf,
        /// The line and what is wrong with it.
        reason: String,
    },
    /// The table of a split lacks a column.
    #[error("{}: the columns {needed} are needed but the table has {found}; rename or add them in its first line", path.display())]
    NoColumns {
        /// The table.
        path: PathBuf,
        /// The columns that are needed, in words.
        needed: String,
        /// The columns of the table, in words.
        found: String,
    },
    /// The table cannot be read as CSV.
    #[error("{}: the table cannot be read ({reason}); save it as comma-separated UTF-8 text", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// The line and what is wrong with it.
        reason: String,
    },
    /// A file of prompts has none for the image.
    #[error("{}: {reason}", path.display())]
    PromptList {
        /// The file.
        path: PathBuf,
        /// What is missing, and what to do.
        reason: String,
    },
    /// The table of the split has no rows below its header.
    #[error("{}: the split has no rows; add one line for each image", path.display())]
    EmptySplit {
        /// The table.
        path: PathBuf,
    },
    /// The table names files that do not exist.
    #[error(
        "{}: line {line} needs {}, which does not exist ({missing} of {rows} rows lack their image or mask); \
         put the files in place or remove those rows",
        path.display(), first.display()
    )]
    MissingFiles {
        /// The table.
        path: PathBuf,
        /// Line of the first row that lacks a file, counted from 1.
        line: u64,
        /// The first file that is missing.
        first: PathBuf,
        /// Number of rows that lack their image or mask.
        missing: usize,
        /// Number of rows in all.
        rows: usize,
    },
    /// Another program has changed the target since this program read or wrote it.
    #[error(
        "{}: another program has changed the file since it was opened; save under another name, or say that it is to be replaced",
        path.display()
    )]
    ChangedByOthers {
        /// The target.
        path: PathBuf,
    },
    /// Two readers cannot be compared.
    #[error("{}: {reason}", path.display())]
    Readers {
        /// The folder of the data.
        path: PathBuf,
        /// What is missing, and what there is.
        reason: String,
    },
    /// A folder cannot have the results of a batch.
    #[error("{}: {reason}", path.display())]
    Results {
        /// The folder, or a file in it.
        path: PathBuf,
        /// Why not, and what to do.
        reason: String,
    },
    /// A folder of predictions, or one of its files, cannot be used.
    #[error("{}: these predictions cannot be used: {reason}", path.display())]
    Predictions {
        /// The folder or the file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A pair cannot be added to a data set.
    #[error("{}: the pair cannot be saved here ({reason}); choose another folder, such as an empty one", path.display())]
    Append {
        /// The folder or the table of the data set.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The target cannot be written.
    #[error("{}: the file cannot be written ({reason}); check that its folder exists, is writable and has space", path.display())]
    Unwritable {
        /// The target.
        path: PathBuf,
        /// What the system or the encoder says.
        reason: String,
    },
    /// What was written is not what is read again.
    #[error("{}: what was written reads back differently ({reason}), so the file was not kept; write it to another disk", path.display())]
    Differs {
        /// The target.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// There are more labels than the values of a label map can tell apart.
    #[error("{}: {count} labels are too many for a label map, which holds {}; choose fewer labels", path.display(), MOST_LABELS)]
    TooManyLabels {
        /// The target, or the file with the labels.
        path: PathBuf,
        /// Number of labels.
        count: usize,
    },
    /// The format cannot hold the positions of the image or its labels.
    #[error("{}: {reason}", path.display())]
    NotRepresentable {
        /// The target.
        path: PathBuf,
        /// What cannot be written, and what to do.
        reason: String,
    },
}

/// Formats a number of bytes in MiB, or in GiB from 1000 MiB.
fn amount(bytes: u64) -> String {
    let mebibytes = bytes as f64 / f64::from(1 << 20);
    if mebibytes < 1000.0 { format!("{mebibytes:.0} MiB") } else { format!("{:.1} GiB", mebibytes / 1024.0) }
}

/// Describes the treatment of the orientation with which a mask would fit, given the one that was `read`: in
/// words, as an adverb for the advice, and as the value of the setting.
fn other_way(read: Orientation) -> (&'static str, &'static str, &'static str) {
    match read {
        Orientation::Upright => {
            ("as its pixels are stored, before its EXIF orientation is applied", "as stored", "as_stored")
        }
        Orientation::AsStored => ("upright, with its EXIF orientation applied", "upright", "upright"),
    }
}

impl DataError {
    /// Converts an I/O error that occurred while reading `path`.
    pub(crate) fn reading(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing { path: path.to_owned() },
            _ => Self::Unreadable { path: path.to_owned(), reason: one_line(error) },
        }
    }

    /// Returns the error of a target that cannot be written, with the reason of the system or the encoder.
    pub(crate) fn writing(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Unwritable { path: path.to_owned(), reason: one_line(&reason) }
    }

    /// Returns the error of a file that is not supported. `mend` tells the user what to do about it.
    pub(super) fn unsupported(path: &Path, reason: &str, mend: &str) -> Self {
        Self::Unsupported { path: path.to_owned(), reason: one_line(&reason), mend: mend.to_owned() }
    }

    /// Returns the error of a file whose content ends early or is inconsistent.
    pub(super) fn damaged(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: one_line(&reason) }
    }
}

/// Calls another library's decoder. If it panics, as some do on damaged files, returns [`DataError::Damaged`].
pub(super) fn caught<T>(path: &Path, decode: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    let decoded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode));
    decoded.unwrap_or_else(|_| Err(DataError::damaged(path, "its decoder failed")))
}

/// Puts the text of another library's error on one line.
pub(super) fn one_line(text: &dyn std::fmt::Display) -> String {
    let text = text.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_three_digits_at_most_before_the_point() {
        let of = |mebibytes: u64| amount(mebibytes << 20);
        assert_eq!([of(3), of(999), of(1000), of(3 * 1024)], ["3 MiB", "999 MiB", "1.0 GiB", "3.0 GiB"]);
    }
}
