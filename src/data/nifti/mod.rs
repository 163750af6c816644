//! NIfTI-1 volumes (`.nii`, `.nii.gz`): header by the nifti crate, voxels under a memory limit, shown in the plane of their first two
//! axes with the patient's right or front at the left and the front or head at the top.

mod form;
mod samples;

use std::io::{BufReader, Read};
use std::path::Path;

use ::nifti::{Endianness, NiftiHeader};
use flate2::read::MultiGzDecoder;

use super::error::{caught, one_line};
use super::mask::tally::{Counter, Tally};
use super::volume::geometry::{norm, plus, scaled};
use super::volume::{
    Geometry, Modality, NamedWindow, NiftiSource, Placement, SliceDistance, Source, Turn, ValueMapping, Volume,
    Window,
};
use super::{DataError, Limit};
use form::Form;
use samples::Sample;

/// Bytes of the header.
const HEADER: usize = 348;
/// The compressed form of a volume is no smaller than this share of it; deflate reaches 1032 : 1.
const DENSEST: u64 = 1100;

/// Lowest values of CT in HU; scanners write down to −1024, some reconstructions further.
const AIR: std::ops::RangeInclusive<f32> = -1500.0..=-900.0;
/// A lowest value below this, and at least so far below the next one, is padding.
const PADDED: f32 = -1100.0;
const APART: f32 = 200.0;

/// Most bytes between header and voxels, where programs put notes.
const MOST_NOTES: u64 = 64 << 20;

/// Whether a header is of the second version of the format, with room for larger volumes.
fn is_second(bytes: &[u8]) -> bool {
    bytes.get(4..7).is_some_and(|magic| magic == b"n+2" || magic == b"ni2")
}

/// Whether the first bytes of a file are those of a NIfTI file.
pub fn is_nifti(bytes: &[u8]) -> bool {
    let magic = |bytes: &[u8]| {
        bytes.get(344..347).is_some_and(|magic| magic == b"n+1" || magic == b"ni1") || is_second(bytes)
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut head = Vec::new();
        // Of a part of the file, the end is missing: what could be read counts.
        let _ = MultiGzDecoder::new(bytes).take(HEADER as u64).read_to_end(&mut head);
        return magic(&head);
    }
    magic(bytes)
}

/// A file whose header is read and whose voxels come next.
struct Opened {
    header: NiftiHeader,
    shape: [usize; 3],
    /// Sizes of the axes beyond the third, but for those of 1.
    further: Vec<usize>,
    sample: Sample,
    stream: Box<dyn Read>,
}

impl Opened {
    /// Of the volumes along the further axes the first is to be read, where `is_first_only`, or all.
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
        stream.read_exact(&mut head).map_err(|_| DataError::damaged(path, "it ends within its header"))?;
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

    fn is_big(&self) -> bool {
        self.header.endianness == Endianness::Big
    }

    /// Slope and intercept, where the header has some that change something.
    fn scaling(&self) -> Option<[f32; 2]> {
        let pair @ [slope, intercept] = [self.header.scl_slope, self.header.scl_inter];
        let is_meant = slope.is_finite() && intercept.is_finite() && slope != 0.0;
        (is_meant && pair != [1.0, 0.0]).then_some(pair)
    }

    /// Where the voxels lie as they are stored, what the header says of itself, notes and assumptions; with the turn that shows them upright.
    fn described(&self) -> (Geometry, NiftiSource, [Vec<String>; 2], Turn) {
        let Form { used, affine, notes, assumptions } = Form::of(&self.header, self.shape);
        let scale = form::unit_scale(&self.header);
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
            // RAS to DICOM's patient coordinates.
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
            data_type: self.sample.name(),
            scaling: [self.header.scl_slope, self.header.scl_inter],
            further_axes: self.further.clone(),
        };
        (geometry, source, [notes, assumptions], turn)
    }
}

/// Reads a volume; of several in time the first, and a note says so.
///
/// # Errors
/// It is no NIfTI file, its header contradicts itself or the file, or it needs more memory than `limit`.
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
        let reason = format!("{read} bytes of voxels where its header announces {bytes}");
        return Err(DataError::damaged(path, reason));
    }
    let (geometry, source, [notes, assumptions], turn) = opened.described();
    let mut volume = Volume { channels, ..Volume::plain(columns, rows, slices, values) };
    volume.geometry = geometry;
    volume.source = Source::Nifti(Box::new(source));
    volume.notes = notes;
    volume.assumptions = assumptions;
    volume.modality = Modality::Other;
    if let [count, ..] = opened.further[..] {
        volume.notes.push(format!("It has {count} volumes, one behind the other; the first is shown."));
    }
    if strange > 0 {
        volume.notes.push(format!("{strange} of its voxels are not numbers; they are shown as its lowest value."));
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

/// What the voxels of a file of labels are.
pub enum Voxels {
    /// The values of the only volume.
    Labels(Tally),
    /// Of several volumes, which are channels of classes, whether a voxel belongs to each.
    Channels(Vec<Vec<bool>>),
}

/// Most volumes that are taken for channels of classes.
const MOST_CHANNELS: usize = 4096;

/// The values of a file of labels, as they are stored, and where they lie.
pub struct Labelled {
    /// Columns, rows and slices as they are stored.
    pub shape: [usize; 3],
    /// What the voxels are.
    pub voxels: Voxels,
    /// Where the voxels lie as they are stored.
    pub geometry: Geometry,
    /// What the header says of itself.
    pub source: NiftiSource,
    /// What there is to say of it.
    pub notes: Vec<String>,
    /// What shows the voxels upright.
    pub turn: Turn,
}

/// Reads all values of a file, of every volume of it; `None` for colours, which [`open`] reads.
///
/// # Errors
/// As [`open`].
pub fn labelled(path: &Path, limit: Limit) -> Result<Option<Labelled>, DataError> {
    let mut opened = Opened::of(path, limit, false)?;
    if opened.sample.channels() > 1 {
        return Ok(None);
    }
    let shape = opened.shape;
    let count: usize = shape.iter().product();
    let volumes: usize = opened.further.iter().product();
    let refuse = |reason: String| DataError::NotAMask { path: path.to_owned(), reason };
    if volumes > MOST_CHANNELS {
        return Err(refuse(format!("it has {volumes} volumes")));
    }
    // Of every volume whether a voxel belongs to it, and of one at a time the place of its value in a list, twice.
    let kept = (count as u64).saturating_mul(volumes as u64);
    limit.allow(path, kept.saturating_add(8 * count as u64).saturating_add(64 * volumes as u64))?;
    let [slope, intercept] = opened.scaling().unwrap_or([1.0, 0.0]).map(f64::from);
    let is_big = opened.is_big();
    // What is assumed of a mask shows where it is laid on its image, or refused.
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
            return Err(DataError::damaged(path, format!("{read} voxels where its header announces {count}")));
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
                    "it has {volumes} volumes, and volume {number} has more than 0 and one other value, so they are no channels of \
                     classes; give one volume of labels"
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

/// Unit and padding, of which a header says nothing. Air of −1000 and below is found in nothing but CT, and a lowest value far below
/// all others is what was written where nothing was measured.
fn meaning(volume: &mut Volume) {
    let [lowest, second] = volume.values.two_lowest().map(|stored| volume.mapping.of(stored));
    let mut air = lowest;
    if lowest < PADDED && second - lowest >= APART {
        volume.padding = Some(lowest);
        air = second;
    }
    // Phases and differences run as far below 0 as above it.
    let highest = volume.mapping.of(volume.values.highest()).max(volume.mapping.of(volume.values.lowest()));
    let is_symmetric = (highest + air).abs() < 0.02 * air.abs();
    if AIR.contains(&air) && !is_symmetric {
        volume.modality = Modality::Ct;
        volume.unit = "HU";
        volume.assumptions.push(format!(
            "A NIfTI file does not say its unit; the values are taken for Hounsfield units, because the lowest, {air}, is that of air."
        ));
    } else {
        // Far below nothing in particular: a value like the others.
        volume.padding = None;
    }
}

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
