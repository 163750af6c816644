//! Writes a segmentation, reads it again and compares it with what was to be written.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dicom_object::{FileDicomObject, FileMetaTableBuilder, InMemDicomObject};

use super::groups::StoredFrame;
use super::object::object;
use super::read::Raw;
use super::sources::Sources;
use super::{Frame, Kind, Segmentation};
use crate::data::dicom::chain;
use crate::data::mask::Agreed;
use crate::data::{DataError, Limit, Volume, write};

/// The UID by which this program marks its files (ImplementationClassUID).
const IMPLEMENTATION: &str = "2.25.202418731561094835519424731680957262611";
/// The transfer syntax of the files: Explicit VR Little Endian.
const SYNTAX: &str = "1.2.840.10008.1.2.1";

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The number of frames.
    pub frames: usize,
    /// Notes for the user, as sentences.
    pub notes: Vec<String>,
}

/// Writes a segmentation of a volume as a DICOM file. `files` are the files or folders that the volume was read
/// from; their headers are read again, for the patient, the study and everything else that the file takes over from
/// its images. The pixels are written in the grid and the orientation of the stored images, whatever the `turn` of
/// the volume. The file is written beside its name, read again and compared; only then does it get its name.
///
/// # Errors
/// Returns [`DataError::NoSegmentation`] if the volume was not read from DICOM, if the segmentation does not fit it, or if
/// one of the images is not among the files or lacks the identifiers for a reference, and [`DataError::Differs`] if the
/// written file differs when it is read again. Returns an error if more memory than `limit` is needed, or if the file
/// cannot be written.
pub fn write(
    path: &Path,
    segmentation: &Segmentation,
    volume: &Volume,
    files: &[PathBuf],
    limit: Limit,
) -> Result<Written, DataError> {
    let sources = Sources::read(path, volume, files, limit)?;
    segmentation.check(path, volume)?;
    let segmentation = segmentation.normal();
    let frames = stored(&segmentation, volume);
    let refuse = |reason: String| DataError::NoSegmentation { path: path.to_owned(), reason };
    let shape = volume.geometry.turn.inverse().shape(volume.shape());
    let [Ok(columns), Ok(rows)] = [shape[0], shape[1]].map(u16::try_from) else {
        return Err(refuse("the image has more than 65535 pixels on a side".into()));
    };
    let bytes = (frames.len() as u64).saturating_mul((shape[0] * shape[1]) as u64);
    // Frames are in memory as they are given, in stored order, packed, and read again.
    limit.allow(path, bytes.saturating_mul(4))?;
    if segmentation.kind == Kind::Fractional && bytes >= u64::from(u32::MAX) - 1 {
        return Err(refuse("the probabilities need more than the 4 GiB that an element can have".into()));
    }
    let mut notes = Vec::new();
    if !sources.is_placed() {
        notes.push("The images have no frame of reference, so the segmentation has no positions; it refers to them alone.".into());
    }
    let object = object(&segmentation, &sources, &frames, [columns, rows]);
    let object = with_meta(object).map_err(|error| refuse(chain(&*error)))?;
    let fill = |out: &mut dyn Write| object.write_all(out).map_err(|error| io::Error::other(chain(&error)));
    write::checked(path, fill, |part| {
        let raw = Raw::read(part, limit).map_err(|error| format!("it cannot be read again: {error}"))?;
        raw.compare(&frames, &sources).map_err(|what| format!("{what} differ"))?;
        let mut opened = raw
            .laid_on(part, volume, Agreed::Refuse, limit)
            .map_err(|error| format!("it cannot be laid on its image again: {error}"))?;
        opened.segmentation.frames.sort_by_key(|frame| (frame.segment, frame.slice));
        match opened.segmentation {
            read if read == segmentation => Ok(()),
            read if read.frames == segmentation.frames => Err("it describes its segments in another way".into()),
            _ => Err("it has other pixels on the image".into()),
        }
    })?;
    Ok(Written { frames: frames.len(), notes })
}

/// Returns the frames in the grid and the orientation of the stored images, sorted by segment and slice. A segment
/// without pixels has one empty frame, because readers expect every segment to have a frame.
fn stored(segmentation: &Segmentation, volume: &Volume) -> Vec<StoredFrame> {
    let [columns, rows, _] = volume.shape();
    let turn = volume.geometry.turn;
    let back = turn.inverse();
    let shape = back.shape(volume.shape());
    let mut frames: Vec<StoredFrame> = segmentation
        .frames
        .iter()
        .map(|Frame { segment, slice, values }| {
            let mut values = values.clone();
            back.apply(&mut values, [columns, rows, 1], 1);
            StoredFrame { segment: *segment, slice: turn.stored([0, 0, *slice], shape)[2], values }
        })
        .collect();
    let slice = frames.first().map_or(0, |frame| frame.slice);
    for segment in 0..segmentation.segments.len() {
        if frames.iter().all(|frame| frame.segment != segment) {
            frames.push(StoredFrame { segment, slice, values: vec![0; columns * rows] });
        }
    }
    frames.sort_by_key(|frame| (frame.segment, frame.slice));
    frames
}

/// Adds the file meta information (PS3.10, 7.1).
fn with_meta(object: InMemDicomObject) -> Result<FileDicomObject<InMemDicomObject>, Box<dyn std::error::Error>> {
    let version = format!("HIMIX_{}", env!("CARGO_PKG_VERSION"));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(SYNTAX)
        .implementation_class_uid(IMPLEMENTATION)
        .implementation_version_name(version.chars().take(16).collect::<String>());
    Ok(object.with_meta(meta)?)
}
