//! Reads voxels in the data types of NIfTI-1.

use std::io::Read;
use std::path::Path;

use crate::data::DataError;
use crate::data::volume::StoredPixels;

/// The data type of a voxel (nifti1.h, "TYPE OF DATA").
#[derive(Clone, Copy)]
pub enum Sample {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
    I64,
    U64,
    /// Three bytes: red, green and blue.
    Rgb,
    /// Four bytes: red, green, blue and opacity.
    Rgba,
}

impl Sample {
    /// Returns the data type of a header's `datatype` code.
    ///
    /// # Errors
    /// Returns an error for complex numbers, 128-bit floating point, single bits, and undefined codes.
    pub fn of(path: &Path, code: i16) -> Result<Self, DataError> {
        Ok(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            128 => Self::Rgb,
            2304 => Self::Rgba,
            other => {
                let name = match other {
                    1 => "one bit for each voxel",
                    32 | 1792 => "complex numbers",
                    1536 => "128 bit floating point",
                    _ => "a data type that the format does not define",
                };
                let mend = "save it with real numbers of 8 to 64 bit, for instance with nibabel's set_data_dtype";
                return Err(DataError::unsupported(path, &format!("NIfTI data type {other}, {name}"), mend));
            }
        })
    }

    /// Returns the number of bytes of a voxel in the file.
    pub fn bytes(self) -> u64 {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 | Self::I64 | Self::U64 => 8,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Returns the number of channels of a voxel after reading; opacity is not read.
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Rgba => 3,
            _ => 1,
        }
    }

    /// Returns the name of the data type in nibabel.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "uint8",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::U16 => "uint16",
            Self::I32 => "int32",
            Self::U32 => "uint32",
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::I64 => "int64",
            Self::U64 => "uint64",
            Self::Rgb => "RGB24",
            Self::Rgba => "RGBA32",
        }
    }

    /// Returns the largest number of bytes that a voxel takes while it is read. Numbers of 32 or more bits are
    /// stored as 16-bit integers until one does not fit; then these are copied to 32-bit floating point.
    pub fn kept(self) -> u64 {
        match self {
            Self::U8 => 1,
            Self::I8 | Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 | Self::F64 | Self::I64 | Self::U64 => 2 + 4,
            Self::Rgb | Self::Rgba => 3,
        }
    }

    /// Reads at most `count` voxels, fewer if the file ends earlier. `is_big` says whether the file is
    /// big-endian. Returns the samples and the number of them that are NaN or infinite; these are replaced by
    /// the lowest finite value.
    pub fn read(self, from: &mut dyn Read, count: usize, is_big: bool) -> std::io::Result<(StoredPixels, usize)> {
        let mut strange = 0;
        let values = match self {
            Self::U8 => {
                let mut values = Vec::with_capacity(count);
                from.take(count as u64).read_to_end(&mut values)?;
                StoredPixels::U8(values)
            }
            Self::I8 => StoredPixels::I16(collect(from, count, is_big, |[byte]: [u8; 1]| i16::from(byte as i8))?),
            Self::I16 => StoredPixels::I16(collect(from, count, is_big, i16::from_le_bytes)?),
            Self::U16 => StoredPixels::U16(collect(from, count, is_big, u16::from_le_bytes)?),
            Self::I32 => wide(from, count, is_big, &mut strange, |bytes| i32::from_le_bytes(bytes) as f32)?,
            Self::U32 => wide(from, count, is_big, &mut strange, |bytes| u32::from_le_bytes(bytes) as f32)?,
            Self::I64 => wide(from, count, is_big, &mut strange, |bytes| i64::from_le_bytes(bytes) as f32)?,
            Self::U64 => wide(from, count, is_big, &mut strange, |bytes| u64::from_le_bytes(bytes) as f32)?,
            Self::F32 => wide(from, count, is_big, &mut strange, f32::from_le_bytes)?,
            Self::F64 => wide(from, count, is_big, &mut strange, |bytes| f64::from_le_bytes(bytes) as f32)?,
            Self::Rgb => StoredPixels::U8(colours(from, count, |[r, g, b]: [u8; 3]| [r, g, b])?),
            Self::Rgba => StoredPixels::U8(colours(from, count, |[r, g, b, _]: [u8; 4]| [r, g, b])?),
        };
        Ok((values, strange))
    }

    /// Passes at most `count` voxels, fewer if the file ends earlier, to `take` without scaling. Each call gets
    /// the channels of a voxel as `f64`, which represents every integer up to 2^53 exactly. `is_big` says
    /// whether the file is big-endian. Returns the number of voxels read.
    pub fn numbers(
        self,
        from: &mut dyn Read,
        count: usize,
        is_big: bool,
        take: &mut dyn FnMut(&[f64]),
    ) -> std::io::Result<usize> {
        let mut read = 0;
        let mut one = |number: f64| {
            read += 1;
            take(&[number]);
        };
        match self {
            Self::U8 => each(from, count, is_big, |[byte]: [u8; 1]| one(f64::from(byte)))?,
            Self::I8 => each(from, count, is_big, |[byte]: [u8; 1]| one(f64::from(byte as i8)))?,
            Self::I16 => each(from, count, is_big, |bytes| one(f64::from(i16::from_le_bytes(bytes))))?,
            Self::U16 => each(from, count, is_big, |bytes| one(f64::from(u16::from_le_bytes(bytes))))?,
            Self::I32 => each(from, count, is_big, |bytes| one(f64::from(i32::from_le_bytes(bytes))))?,
            Self::U32 => each(from, count, is_big, |bytes| one(f64::from(u32::from_le_bytes(bytes))))?,
            Self::I64 => each(from, count, is_big, |bytes| one(i64::from_le_bytes(bytes) as f64))?,
            Self::U64 => each(from, count, is_big, |bytes| one(u64::from_le_bytes(bytes) as f64))?,
            Self::F32 => each(from, count, is_big, |bytes| one(f64::from(f32::from_le_bytes(bytes))))?,
            Self::F64 => each(from, count, is_big, |bytes| one(f64::from_le_bytes(bytes)))?,
            Self::Rgb => each(from, count, false, |rgb: [u8; 3]| {
                read += 1;
                take(&rgb.map(f64::from));
            })?,
            Self::Rgba => each(from, count, false, |[r, g, b, _]: [u8; 4]| {
                read += 1;
                take(&[r, g, b].map(f64::from));
            })?,
        }
        Ok(read)
    }
}

/// Passes `count` samples of `N` bytes to `take`, with the least significant byte first. There are fewer if the
/// file ends earlier.
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

/// Reads `count` samples of `N` bytes each and converts them.
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

/// Values that are stored in the file with 32 or more bits.
enum Wide {
    /// All values so far are integers that fit into 16 bits.
    Narrow(Vec<i16>),
    /// At least one value does not fit into a 16-bit integer.
    Float(Vec<f32>),
}

impl Wide {
    fn finish(self) -> StoredPixels {
        match self {
            Self::Narrow(values) => StoredPixels::I16(values),
            Self::Float(values) => StoredPixels::F32(values),
        }
    }
}

/// Reads `count` colours of `N` bytes each and returns the interleaved samples that `colour` keeps.
fn colours<const N: usize>(
    from: &mut dyn Read,
    count: usize,
    colour: impl Fn([u8; N]) -> [u8; 3],
) -> std::io::Result<Vec<u8>> {
    let mut values = Vec::with_capacity(3 * count);
    each(from, count, false, |sample| values.extend(colour(sample)))?;
    Ok(values)
}

/// Reads `count` numbers of 32 or more bits as 16-bit integers if all fit, otherwise as 32-bit floating point.
/// Values that are not finite become the lowest finite value and are counted in `strange`.
fn wide<const N: usize>(
    from: &mut dyn Read,
    count: usize,
    is_big: bool,
    strange: &mut usize,
    make: impl Fn([u8; N]) -> f32,
) -> std::io::Result<StoredPixels> {
    let fits = |value: f32| value.fract() == 0.0 && (-32_768.0..=32_767.0).contains(&value);
    let mut values = Wide::Narrow(Vec::with_capacity(count));
    each(from, count, is_big, |sample| {
        let value = make(sample);
        match &mut values {
            Wide::Narrow(narrow) if fits(value) => narrow.push(value as i16),
            Wide::Narrow(narrow) => {
                let mut floats = Vec::with_capacity(count);
                floats.extend(narrow.iter().map(|&value| f32::from(value)));
                floats.push(value);
                values = Wide::Float(floats);
            }
            Wide::Float(floats) => floats.push(value),
        }
    })?;
    let mut values = values.finish();
    if let StoredPixels::F32(floats) = &mut values {
        let lowest = floats.iter().copied().filter(|value| value.is_finite()).fold(f32::INFINITY, f32::min);
        let lowest = if lowest.is_finite() { lowest } else { 0.0 };
        for value in floats.iter_mut().filter(|value| !value.is_finite()) {
            *value = lowest;
            *strange += 1;
        }
    }
    Ok(values)
}
