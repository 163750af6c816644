//! NIfTI-1 volumes (`.nii`, `.nii.gz`). The nifti crate reads the header; the voxels are read here under a
//! memory limit. The plane of the first two axes is displayed with the patient's right or front at the left, and
//! the front or head at the top.

mod form;
mod samples;
mod write;
mod write_grid;

use std::io::{BufReader, Read};
use std::path::Path;

use ::nifti::{Endianness, NiftiHeader};
use flate2::read::MultiGzDecoder;

use super::error::{caught, one_line};
use super::mask::tally::{Counter, Tally};
use super::volume::geometry::{norm, plus, scaled};
use super::volume::{
    Geometry, Modality, NamedWindow, NiftiFields, NiftiSource, Placement, SliceDistance, Source, Turn,
    ValueMapping, Volume, Window,
};
use super::{DataError, Limit};
use form::Form;
use samples::Sample;
pub use write::label_map;

/// The size of the header in bytes.
const HEADER: usize = 348;
/// The largest ratio of a volume to its compressed form. Deflate reaches 1032 : 1.
const DENSEST: u64 = 1100;

/// The range of the lowest value of a CT in HU. Scanners write values down to −1024, and some reconstructions
/// lower ones.
const AIR: std::ops::RangeInclusive<f32> = -1500.0..=-900.0;
/// A lowest value is padding if it is below this limit and lies at least [`APART`] below the next value.
const PADDED: f32 = -1100.0;
/// The smallest distance of padding from the next value.
const APART: f32 = 200.0;

/// The largest number of bytes up to the voxels. Programs write notes between header and voxels.
const MOST_NOTES: u64 = 64 << 20;

/// Returns whether a header is that of NIfTI-2, the format for larger volumes.
fn is_second(bytes: &[u8]) -> bool {
    bytes.get(4..7).is_some_and(|magic| magic == b"n+2" || magic == b"ni2")
}

/// Returns whether the first bytes of a file, which may be compressed with gzip, are those of a NIfTI file.
pub fn is_nifti(bytes: &[u8]) -> bool {
    let magic = |bytes: &[u8]| {
        bytes.get(344..347).is_some_and(|magic| magic == b"n+1" || magic == b"ni1") || is_second(bytes)
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut head = Vec::new();
        // The end of the compressed data may be missing, so an error is ignored; the header is enough.
        let _ = MultiGzDecoder::new(bytes).take(HEADER as u64).read_to_end(&mut head);
        return magic(&head);
    }
    magic(bytes)
}

/// An open file whose header has been read. The voxels come next in the stream.
struct Opened {
    header: NiftiHeader,
    shape: [usize; 3],
    /// The sizes of the axes beyond the third that are above 1.
    further: Vec<usize>,
    sample: Sample,
    stream: Box<dyn Read>,
}

impl Opened {
    /// Opens a file and reads its header. If the file has several volumes along the further axes, the limit is
    /// checked for the first only if `is_first_only`, otherwise for all.
    ///
    /// # Errors
    /// Returns an error if the file cannot be read, is NIfTI-2, has its voxels in another file, contradicts
    /// itself, or needs more memory than `limit`.
    fn of(path: &Path, limit: Limit, is_first_only: bool) -> Result<Self, DataError> {
        let length = std::fs::metadata(path).map_err(|error| DataError::reading(path, &error))?.len();
        let mut file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
        let mut start = [0; 2];
        file.read_exact(&mut start).map_err(|_| DataError::damaged(path, "the file is empty"))?;
        let is_packed = start == [0x1f, 0x8b];
        let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
        let file = BufReader::new(file);
        let mut stream: Box<dyn Read> =
            if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };

        let mut head = vec![0; HEADER];
        stream.read_exact(&mut head).map_err(|_| DataError::damaged(path, "it ends in its header"))?;
        if is_second(&head) {
            let mend = "save it as NIfTI-1, for instance with nibabel's Nifti1Image";
            return Err(DataError::unsupported(path, "NIfTI-2", mend));
        }
        let header = caught(path, || {
            let header = NiftiHeader::from_reader(head.as_slice());
            let mut header = header.map_err(|error| DataError::damaged(path, one_line(&error)))?;
            header.fix();
            Ok(header)
        })?;
        if &header.magic[..3] == b"ni1" {
            let reason = "a header whose voxels are in another file, .img";
            let mend = "convert both to one .nii.gz, for instance with dcm2niix or nibabel";
            return Err(DataError::unsupported(path, reason, mend));
        }
        let (shape, further) = dimensions(path, &header)?;
        let sample = Sample::of(path, header.datatype)?;
        let volumes = if is_first_only { 1 } else { further.iter().map(|side| *side as u64).product() };
        let count = shape.iter().fold(volumes, |product: u64, side| product.saturating_mul(*side as u64));
        let bytes = count.saturating_mul(sample.bytes());
        limit.allow(path, count.saturating_mul(sample.kept()))?;
        let most = if is_packed { length.saturating_mul(DENSEST) } else { length };
        if bytes > most {
            let reason = format!("its header announces {bytes} bytes of voxels and the file has {length}");
            return Err(DataError::damaged(path, reason));
        }
        let offset = header.vox_offset as u64;
        if header.vox_offset < 0.0 || offset > MOST_NOTES.min(length.saturating_mul(DENSEST)) {
            return Err(DataError::damaged(path, "its voxels begin outside the file"));
        }
        let skip = offset.saturating_sub(HEADER as u64);
        std::io::copy(&mut (&mut stream).take(skip), &mut std::io::sink())
            .map_err(|error| DataError::damaged(path, one_line(&error)))?;
        Ok(Self { header, shape, further, sample, stream })
    }

    /// Returns the number of volumes along all further axes.
    fn volumes(&self) -> usize {
        self.further.iter().product()
    }

    /// Returns whether the file is big-endian.
    fn is_big(&self) -> bool {
        self.header.endianness == Endianness::Big
    }

    /// Returns slope and intercept (scl_slope, scl_inter), or `None` if they are invalid or change nothing.
    fn scaling(&self) -> Option<[f32; 2]> {
        let pair @ [slope, intercept] = [self.header.scl_slope, self.header.scl_inter];
        let is_meant = slope.is_finite() && intercept.is_finite() && slope != 0.0;
        (is_meant && pair != [1.0, 0.0]).then_some(pair)
    }

    /// Returns the geometry of the voxels in stored order, the header's description of itself, notes and
    /// assumptions, and the turn that displays the voxels upright.
    fn described(&self) -> (Geometry, NiftiSource, [Vec<String>; 2], Turn) {
        let Form { used, affine, notes, assumptions } = Form::of(&self.header, self.shape);
        let scale = form::unit_scale(self.header.xyzt_units);
        let spacing = [1, 2, 3].map(|axis| f64::from(self.header.pixdim[axis]).abs() * scale);
        let is_length = |side: &f64| side.is_finite() && *side > 0.0;
        let [column, row, slice] = spacing;
        let mut geometry = Geometry {
            pixel_mm: Some([column, row]).filter(|sides| sides.iter().all(is_length)),
            slice_mm: Some(slice).filter(is_length),
            slice_from: SliceDistance::Spacing,
            ..Geometry::default()
        };
        let mut turn = Turn::NONE;
        if let Some(affine) = affine {
            // RAS coordinates are converted to those of DICOM (LPS).
            let patient = |[x, y, z]: [f64; 3]| [-x, -y, z];
            let axes = [0, 1, 2].map(|axis| patient(form::axis(&affine, axis)));
            let lengths = axes.map(norm);
            let first = patient(form::axis(&affine, 3));
            let position = |slice| plus(first, scaled(axes[2], slice as f64));
            geometry.pixel_mm = Some([lengths[0], lengths[1]]);
            geometry.slice_mm = Some(lengths[2]);
            geometry.placement = Some(Placement {
                across: scaled(axes[0], 1.0 / lengths[0]),
                down: scaled(axes[1], 1.0 / lengths[1]),
                positions: (0..self.shape[2]).map(position).collect(),
            });
            geometry.derive();
            turn = form::upright(axes);
        }
        let source = NiftiSource {
            sform_code: self.header.sform_code,
            qform_code: self.header.qform_code,
            used,
            affine,
            fields: fields(&self.header),
            data_type: self.sample.name(),
            scaling: [self.header.scl_slope, self.header.scl_inter],
            further_axes: self.further.clone(),
        };
        (geometry, source, [notes, assumptions], turn)
    }
}

/// Returns the fields of a header from which the sizes and positions of its voxels follow.
fn fields(header: &NiftiHeader) -> NiftiFields {
    NiftiFields {
        pixdim: std::array::from_fn(|axis| header.pixdim[axis]),
        units: header.xyzt_units,
        quaternion: [header.quatern_b, header.quatern_c, header.quatern_d],
        offset: [header.quatern_x, header.quatern_y, header.quatern_z],
        rows: [header.srow_x, header.srow_y, header.srow_z],
    }
}

/// Reads a volume. If the file has several, for instance time points, the first is read and a note says so.
///
/// # Errors
/// Returns an error if the file is not a supported NIfTI-1 file, if its header contradicts itself or the file,
/// or if it needs more memory than `limit`.
pub fn open(path: &Path, limit: Limit) -> Result<Volume, DataError> {
    let mut opened = Opened::of(path, limit, true)?;
    let [columns, rows, slices] = opened.shape;
    let count = columns * rows * slices;
    let is_big = opened.is_big();
    let (values, strange) = opened
        .sample
        .read(&mut opened.stream, count, is_big)
        .map_err(|error| DataError::damaged(path, one_line(&error)))?;
    let channels = opened.sample.channels();
    let bytes = count as u64 * opened.sample.bytes();
    let read = (values.len() / channels) as u64 * opened.sample.bytes();
    if read < bytes {
        let reason = format!("{read} bytes of voxels instead of {bytes}");
        return Err(DataError::damaged(path, reason));
    }
    let (geometry, source, [notes, assumptions], turn) = opened.described();
    let mut volume = Volume { channels, ..Volume::plain(columns, rows, slices, values) };
    volume.geometry = geometry;
    volume.source = Source::Nifti(Box::new(source));
    volume.notes = notes;
    volume.assumptions = assumptions;
    volume.modality = Modality::Other;
    let count = opened.volumes();
    if count > 1 {
        volume.notes.push(format!("It has {count} volumes; the first is shown."));
    }
    if strange > 0 {
        volume.notes.push(format!("{strange} of its voxels are not numbers; they are shown as the lowest value."));
    }
    volume.mapping = opened.scaling().map_or(ValueMapping::Same, |pair| ValueMapping::Linear(vec![pair]));
    if channels == 1 {
        meaning(&mut volume);
        let [low, high] = [opened.header.cal_min, opened.header.cal_max];
        if low.is_finite() && high.is_finite() && high > low {
            let window = Window::of_range(low, high);
            volume.windows.push(NamedWindow { name: "File (cal_min to cal_max)".into(), window });
        }
    }
    volume.turn(turn);
    Ok(volume)
}

/// The voxels of a label file.
pub enum Voxels {
    /// The different values of a single volume, with the value of every voxel.
    Labels(Tally),
    /// One list for each of several volumes, each of which is the channel of a class: whether each voxel belongs
    /// to it.
    Channels(Vec<Vec<bool>>),
}

/// The largest number of volumes that are interpreted as channels of classes.
const MOST_CHANNELS: usize = 4096;

/// The voxels of a label file in stored order, with their position.
pub struct Labelled {
    /// The numbers of columns, rows and slices in stored order.
    pub shape: [usize; 3],
    /// The labels or channels of the voxels.
    pub voxels: Voxels,
    /// The geometry of the voxels in stored order.
    pub geometry: Geometry,
    /// The header's description of itself.
    pub source: NiftiSource,
    /// Notes about the file.
    pub notes: Vec<String>,
    /// The turn that displays the voxels upright.
    pub turn: Turn,
}

/// Reads the voxels of all volumes of a label file. Returns `None` for colours, which [`open`] reads.
///
/// # Errors
/// Returns the errors of [`open`], and an error if the volumes are too many or are not channels of classes.
pub fn labelled(path: &Path, limit: Limit) -> Result<Option<Labelled>, DataError> {
    let mut opened = Opened::of(path, limit, false)?;
    if opened.sample.channels() > 1 {
        return Ok(None);
    }
    let shape = opened.shape;
    let count: usize = shape.iter().product();
    let volumes = opened.volumes();
    let refuse = |reason: String| DataError::NotAMask { path: path.to_owned(), reason };
    if volumes > MOST_CHANNELS {
        return Err(refuse(format!("it has {volumes} volumes")));
    }
    // The memory holds for every volume whether each voxel belongs to it, and for one volume at a time the index
    // of each value, twice.
    let kept = (count as u64).saturating_mul(volumes as u64);
    limit.allow(path, kept.saturating_add(8 * count as u64).saturating_add(64 * volumes as u64))?;
    let [slope, intercept] = opened.scaling().unwrap_or([1.0, 0.0]).map(f64::from);
    let is_big = opened.is_big();
    // The assumptions are not needed: if one of them is wrong, the mask does not align with its image.
    let (geometry, source, [mut notes, _], turn) = opened.described();
    let mut lone = None;
    let mut channels = Vec::new();
    let mut strange = 0;
    for _ in 0..volumes {
        let mut counter = Counter::new(count);
        let mut take = |voxel: &[f64]| counter.take(voxel[0] * slope + intercept);
        let read = opened
            .sample
            .numbers(&mut opened.stream, count, is_big, &mut take)
            .map_err(|error| DataError::damaged(path, one_line(&error)))?;
        if read < count {
            return Err(DataError::damaged(path, format!("{read} voxels instead of {count}")));
        }
        strange += counter.strange;
        let tally = counter.finish();
        if volumes == 1 {
            lone = Some(tally);
        } else {
            let channel = tally.channel();
            channels.push(channel.ok_or_else(|| {
                let number = channels.len();
                refuse(format!(
                    "it has {volumes} volumes, and volume {number} has more values than 0 and one other, so they are not channels of classes; give one volume of labels"
                ))
            })?);
        }
    }
    if strange > 0 {
        notes.push(format!("{strange} of its voxels are not numbers; they count as 0."));
    }
    let voxels = lone.map_or(Voxels::Channels(channels), Voxels::Labels);
    Ok(Some(Labelled { shape, voxels, geometry, source, notes, turn }))
}

/// Derives the unit and the padding value, which a header does not have. Air of about −1000 occurs only in CT,
/// and a lowest value far below all others marks voxels without a measurement.
fn meaning(volume: &mut Volume) {
    let [lowest, second] = volume.values.two_lowest().map(|stored| volume.mapping.of(stored));
    let mut air = lowest;
    if lowest < PADDED && second - lowest >= APART {
        volume.padding = Some(lowest);
        air = second;
    }
    // In phase and difference images, values extend as far below 0 as above it.
    let highest = volume.mapping.of(volume.values.highest()).max(volume.mapping.of(volume.values.lowest()));
    let is_symmetric = (highest + air).abs() < 0.02 * air.abs();
    if AIR.contains(&air) && !is_symmetric {
        volume.modality = Modality::Ct;
        volume.unit = "HU";
        volume.assumptions.push(format!(
            "NIfTI files have no unit; Hounsfield units are assumed, because the lowest value, {air}, is that of air."
        ));
    } else {
        // If this is not CT, a value far below the others is an ordinary value.
        volume.padding = None;
    }
}

/// Returns the sizes of the first three axes, and those of further axes that are above 1.
///
/// # Errors
/// Returns an error if the header's dimensions are invalid or one of the first three is 0.
fn dimensions(path: &Path, header: &NiftiHeader) -> Result<([usize; 3], Vec<usize>), DataError> {
    let dim = header.dim().map_err(|error| DataError::damaged(path, one_line(&error)))?;
    let side = |axis: usize| dim.get(axis).map_or(1, |&side| usize::from(side));
    let sides = [side(0), side(1), side(2)];
    if sides.contains(&0) {
        let (width, height) = (sides[0] as u32, sides[1] as u32);
        return Err(DataError::NoPixels { path: path.to_owned(), width, height });
    }
    let further = (3..dim.len()).map(side).filter(|side| *side > 1).collect();
    Ok((sides, further))
}
