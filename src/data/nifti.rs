//! NIfTI-1 volumes (`.nii`, `.nii.gz`): header by the nifti crate, voxels under a memory limit, shown in the plane of their first two
//! axes with the patient's right or front at the left and the front or head at the top, as far as flipping does it.

use std::io::{BufReader, Read};
use std::path::Path;

use ::nifti::{Endianness, NiftiHeader};
use flate2::read::MultiGzDecoder;

use super::error::{caught, one_line};
use super::scan::{Kind, Mapping, Scan, Sides, Values};
use super::{DataError, Limit};

/// Bytes of the header.
const HEADER: usize = 348;
/// The compressed form of a volume is no smaller than this share of it; deflate reaches 1032 : 1.
const DENSEST: u64 = 1100;

/// Most bytes between header and voxels, where programs put notes.
const MOST_NOTES: u64 = 64 << 20;

/// Whether the first bytes of a file are those of a NIfTI file.
pub fn is_nifti(bytes: &[u8]) -> bool {
    let magic = |bytes: &[u8]| bytes.get(344..347).is_some_and(|magic| magic == b"n+1" || magic == b"ni1");
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut head = Vec::new();
        // Of a part of the file, the end is missing: what could be read counts.
        let _ = MultiGzDecoder::new(bytes).take(HEADER as u64).read_to_end(&mut head);
        return magic(&head);
    }
    magic(bytes)
}

/// Reads a volume; of several in time the first.
///
/// # Errors
/// It is no NIfTI file, its header contradicts itself or the file, or it needs more memory than `limit`.
pub fn open(path: &Path, limit: Limit) -> Result<Scan, DataError> {
    let length = std::fs::metadata(path).map_err(|error| DataError::reading(path, &error))?.len();
    let mut file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let mut start = [0; 2];
    file.read_exact(&mut start).map_err(|_| DataError::damaged(path, "the file is empty"))?;
    let is_packed = start == [0x1f, 0x8b];
    let file = std::fs::File::open(path).map_err(|error| DataError::reading(path, &error))?;
    let file = BufReader::new(file);
    let mut stream: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };

    let mut head = vec![0; HEADER];
    stream.read_exact(&mut head).map_err(|_| DataError::damaged(path, "it ends within its header"))?;
    let header = caught(path, || {
        let header = NiftiHeader::from_reader(head.as_slice());
        let mut header = header.map_err(|error| DataError::damaged(path, one_line(&error)))?;
        header.fix();
        Ok(header)
    })?;
    if &header.magic[..3] == b"ni1" {
        let reason = "a header whose voxels are in another file (.img); convert it to one .nii.gz".into();
        return Err(DataError::Unsupported { path: path.to_owned(), reason });
    }
    let [columns, rows, slices] = dimensions(path, &header)?;
    let count = columns as u64 * rows as u64 * slices as u64;
    let sample = Sample::of(path, header.datatype)?;
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
    let values = sample.read(&mut stream, count as usize, header.endianness == Endianness::Big);
    let values = values.map_err(|error| DataError::damaged(path, one_line(&error)))?;
    let read = values.len() as u64 * sample.bytes();
    if read < bytes {
        let reason = format!("{read} bytes of voxels where its header announces {bytes}");
        return Err(DataError::damaged(path, reason));
    }
    Ok(scan(&header, [columns, rows, slices], values))
}

fn dimensions(path: &Path, header: &NiftiHeader) -> Result<[usize; 3], DataError> {
    let dim = header.dim().map_err(|error| DataError::damaged(path, one_line(&error)))?;
    let side = |axis: usize| dim.get(axis).map_or(1, |&side| usize::from(side));
    let sides = [side(0), side(1), side(2)];
    if sides.contains(&0) {
        let (width, height) = (sides[0] as u32, sides[1] as u32);
        return Err(DataError::NoPixels { path: path.to_owned(), width, height });
    }
    Ok(sides)
}

#[derive(Clone, Copy)]
enum Sample {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Sample {
    fn of(path: &Path, code: i16) -> Result<Self, DataError> {
        Ok(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            other => {
                let reason = format!("NIfTI data type {other}");
                return Err(DataError::Unsupported { path: path.to_owned(), reason });
            }
        })
    }

    fn bytes(self) -> u64 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Most bytes that a sample takes while it is read: whole numbers are kept in 16 bit until one does not fit.
    fn kept(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::I8 | Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 | Self::F64 => 2 + 4,
        }
    }

    /// At most `count` samples; fewer where the file ends before.
    fn read(self, from: &mut dyn Read, count: usize, is_big: bool) -> std::io::Result<Values> {
        Ok(match self {
            Self::U8 => {
                let mut values = Vec::with_capacity(count);
                from.take(count as u64).read_to_end(&mut values)?;
                Values::U8(values)
            }
            Self::I8 => Values::I16(collect(from, count, is_big, |[byte]: [u8; 1]| i16::from(byte as i8))?),
            Self::I16 => Values::I16(collect(from, count, is_big, i16::from_le_bytes)?),
            Self::U16 => Values::U16(collect(from, count, is_big, u16::from_le_bytes)?),
            Self::I32 => wide(from, count, is_big, |bytes| i32::from_le_bytes(bytes) as f32)?.finish(),
            Self::U32 => wide(from, count, is_big, |bytes| u32::from_le_bytes(bytes) as f32)?.finish(),
            Self::F32 => wide(from, count, is_big, f32::from_le_bytes)?.finish(),
            Self::F64 => wide(from, count, is_big, |bytes| f64::from_le_bytes(bytes) as f32)?.finish(),
        })
    }
}

/// Hands `count` samples of `N` bytes to `take`, the least byte first; fewer where the file ends before.
fn each<const N: usize>(
    from: &mut dyn Read,
    count: usize,
    is_big: bool,
    mut take: impl FnMut([u8; N]),
) -> std::io::Result<()> {
    let mut from = from.take(count as u64 * N as u64);
    let mut piece = Vec::with_capacity(N << 13);
    loop {
        piece.clear();
        if (&mut from).take(N as u64 * (1 << 13)).read_to_end(&mut piece)? < N {
            return Ok(());
        }
        for sample in piece.as_chunks::<N>().0 {
            let mut sample = *sample;
            if is_big {
                sample.reverse();
            }
            take(sample);
        }
    }
}

fn collect<const N: usize, T>(
    from: &mut dyn Read,
    count: usize,
    is_big: bool,
    make: impl Fn([u8; N]) -> T,
) -> std::io::Result<Vec<T>> {
    let mut values = Vec::with_capacity(count);
    each(from, count, is_big, |sample| values.push(make(sample)))?;
    Ok(values)
}

/// Numbers of 32 bit and more.
enum Wide {
    /// So far all are whole and fit 16 bits.
    Narrow(Vec<i16>),
    /// Some do not.
    Float(Vec<f32>),
}

impl Wide {
    fn finish(self) -> Values {
        match self {
            Self::Narrow(values) => Values::I16(values),
            Self::Float(values) => Values::F32(values),
        }
    }
}

fn wide<const N: usize>(
    from: &mut dyn Read,
    count: usize,
    is_big: bool,
    make: impl Fn([u8; N]) -> f32,
) -> std::io::Result<Wide> {
    let fits = |value: f32| value.fract() == 0.0 && (-32_768.0..=32_767.0).contains(&value);
    let mut values = Wide::Narrow(Vec::with_capacity(count));
    each(from, count, is_big, |sample| {
        let value = make(sample);
        match &mut values {
            Wide::Narrow(narrow) if fits(value) => narrow.push(value as i16),
            Wide::Narrow(narrow) => {
                let mut floats = Vec::with_capacity(count);
                floats.extend(narrow.iter().map(|&value| f32::from(value)));
                floats.push(if value.is_finite() { value } else { 0.0 });
                values = Wide::Float(floats);
            }
            Wide::Float(floats) => floats.push(if value.is_finite() { value } else { 0.0 }),
        }
    })?;
    Ok(values)
}

/// Directions of the three axes of the voxels in RAS coordinates, mm a step; none where the header does not say.
fn axes(header: &NiftiHeader) -> Option<[[f64; 3]; 3]> {
    if header.sform_code > 0 {
        let row = [header.srow_x, header.srow_y, header.srow_z].map(|row| row.map(f64::from));
        return Some(std::array::from_fn(|axis| std::array::from_fn(|part| row[part][axis])));
    }
    if header.qform_code <= 0 {
        return None;
    }
    // Quaternion to rotation, as nifti1.h has it.
    let [b, c, d] = [header.quatern_b, header.quatern_c, header.quatern_d].map(f64::from);
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let flip = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
    let [x, y, z] = [1, 2, 3].map(|axis| f64::from(header.pixdim[axis]));
    let z = z * flip;
    Some([
        [(a * a + b * b - c * c - d * d) * x, (2.0 * (b * c + a * d)) * x, (2.0 * (b * d - a * c)) * x],
        [(2.0 * (b * c - a * d)) * y, (a * a + c * c - b * b - d * d) * y, (2.0 * (c * d + a * b)) * y],
        [(2.0 * (b * d + a * c)) * z, (2.0 * (c * d - a * b)) * z, (a * a + d * d - b * b - c * c) * z],
    ])
}

fn scan(header: &NiftiHeader, [columns, rows, slices]: [usize; 3], mut values: Values) -> Scan {
    let mut sides = None;
    let mut spacing = [1, 2, 3].map(|axis| f64::from(header.pixdim[axis]).abs());
    if let Some(axes) = axes(header) {
        // RAS to DICOM's patient coordinates.
        let mut patient = axes.map(|[x, y, z]| [-x, -y, z]);
        for axis in 0..3 {
            let length = axes[axis].iter().map(|part| part * part).sum::<f64>().sqrt();
            if length.is_finite() && length > 0.0 {
                spacing[axis] = length;
            }
        }
        // Right, or front, at the left; front, or head, at the top; slices from the feet up.
        let shape = [columns, rows, slices];
        for (axis, wanted) in [['L', 'P', 'S'], ['P', 'I', 'L'], ['S', 'P', 'L']].iter().enumerate() {
            let main = patient[axis].iter().map(|part| part.abs()).enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
            let Some((part, _)) = main else { continue };
            let letters = [['R', 'L'], ['A', 'P'], ['I', 'S']];
            let points_to = letters[part][usize::from(patient[axis][part] > 0.0)];
            let is_wanted = wanted.contains(&points_to);
            if !is_wanted {
                flip(&mut values, shape, axis);
                patient[axis] = patient[axis].map(|part| -part);
            }
        }
        sides = Sides::new(patient[0], patient[1]);
    }
    let mut scan = Scan::plain(columns, rows, slices, values);
    let (slope, intercept) = (header.scl_slope, header.scl_inter);
    if slope.is_finite() && intercept.is_finite() && slope != 0.0 && (slope, intercept) != (1.0, 0.0) {
        scan.mapping = Mapping::Linear(vec![[slope, intercept]]);
    }
    scan.sides = sides;
    scan.spacing_mm = spacing.iter().all(|side| side.is_finite() && *side > 0.0).then_some(spacing);
    scan.kind = Kind::Other;
    // The header does not say what made it. Air of −1000 and below is found in nothing but CT.
    let lowest = scan.values.lowest().min(0.0);
    if scan.mapping == Mapping::Same && (-4096.0..=-900.0).contains(&lowest) {
        scan.kind = Kind::Ct;
        scan.unit = "HU";
    }
    scan
}

fn flip(values: &mut Values, shape: [usize; 3], axis: usize) {
    fn turn<T>(values: &mut [T], [columns, rows, slices]: [usize; 3], axis: usize) {
        match axis {
            0 => values.chunks_exact_mut(columns).for_each(<[T]>::reverse),
            1 => {
                for slice in values.chunks_exact_mut(columns * rows) {
                    for row in 0..rows / 2 {
                        let (upper, lower) = slice.split_at_mut((rows - 1 - row) * columns);
                        upper[row * columns..(row + 1) * columns].swap_with_slice(&mut lower[..columns]);
                    }
                }
            }
            _ => {
                let size = columns * rows;
                for slice in 0..slices / 2 {
                    let (front, back) = values.split_at_mut((slices - 1 - slice) * size);
                    front[slice * size..(slice + 1) * size].swap_with_slice(&mut back[..size]);
                }
            }
        }
    }
    match values {
        Values::U8(values) => turn(values, shape, axis),
        Values::I16(values) => turn(values, shape, axis),
        Values::U16(values) => turn(values, shape, axis),
        Values::F32(values) => turn(values, shape, axis),
    }
}
