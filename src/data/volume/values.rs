//! The stored samples of a volume.

use super::Turn;

/// The stored samples of a volume, slice after slice, row-major with interleaved channels.
#[derive(Clone, Debug, PartialEq)]
pub enum StoredPixels {
    /// Unsigned 8-bit samples.
    U8(Vec<u8>),
    /// Signed 16-bit samples.
    I16(Vec<i16>),
    /// Unsigned 16-bit samples.
    U16(Vec<u16>),
    /// 32-bit floating-point samples, also for all integers that fit into none of the other types.
    F32(Vec<f32>),
}

impl StoredPixels {
    /// Returns the number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::I16(values) => values.len(),
            Self::U16(values) => values.len(),
            Self::F32(values) => values.len(),
        }
    }

    /// Returns whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the sample at index `place`.
    ///
    /// # Panics
    /// Panics if there is no such sample.
    pub fn at(&self, place: usize) -> f32 {
        match self {
            Self::U8(values) => f32::from(values[place]),
            Self::I16(values) => f32::from(values[place]),
            Self::U16(values) => f32::from(values[place]),
            Self::F32(values) => values[place],
        }
    }

    /// Returns the largest sample; minus infinity if there are none.
    pub fn highest(&self) -> f32 {
        (0..self.len()).map(|place| self.at(place)).fold(f32::NEG_INFINITY, f32::max)
    }

    /// Returns whether all pixels, of `channels` interleaved samples each, are equal.
    pub fn is_constant(&self, channels: usize) -> bool {
        (channels..self.len()).all(|place| self.at(place) == self.at(place % channels))
    }

    /// Returns the smallest sample; infinity if there are none.
    pub fn lowest(&self) -> f32 {
        match self {
            Self::U8(values) => values.iter().min().map_or(f32::INFINITY, |&value| f32::from(value)),
            Self::I16(values) => values.iter().min().map_or(f32::INFINITY, |&value| f32::from(value)),
            Self::U16(values) => values.iter().min().map_or(f32::INFINITY, |&value| f32::from(value)),
            Self::F32(values) => values.iter().copied().fold(f32::INFINITY, f32::min),
        }
    }

    /// Returns the two smallest different values of the samples, in ascending order; infinity for each that does
    /// not exist.
    pub fn two_lowest(&self) -> [f32; 2] {
        fn of<T: Copy + PartialOrd + Into<f32>>(values: &[T]) -> [f32; 2] {
            let mut found: [Option<T>; 2] = [None; 2];
            for &value in values {
                match found {
                    [None, _] => found[0] = Some(value),
                    [Some(low), _] if value < low => found = [Some(value), Some(low)],
                    [Some(low), second] if value > low && second.is_none_or(|second| value < second) => {
                        found[1] = Some(value);
                    }
                    _ => {}
                }
            }
            found.map(|value| value.map_or(f32::INFINITY, Into::into))
        }
        match self {
            Self::U8(values) => of(values),
            Self::I16(values) => of(values),
            Self::U16(values) => of(values),
            Self::F32(values) => of(values),
        }
    }

    /// Returns the samples of a range of indices as floating-point numbers.
    pub fn floats(&self, range: std::ops::Range<usize>) -> Vec<f32> {
        match self {
            Self::U8(values) => values[range].iter().map(|&value| f32::from(value)).collect(),
            Self::I16(values) => values[range].iter().map(|&value| f32::from(value)).collect(),
            Self::U16(values) => values[range].iter().map(|&value| f32::from(value)).collect(),
            Self::F32(values) => values[range].to_vec(),
        }
    }

    /// Returns the number of bytes that the samples take.
    pub fn bytes(&self) -> u64 {
        let size = match self {
            Self::U8(_) => 1,
            Self::I16(_) | Self::U16(_) => 2,
            Self::F32(_) => 4,
        };
        self.len() as u64 * size
    }

    /// Reserves memory for `more` additional samples.
    pub fn reserve(&mut self, more: usize) {
        match self {
            Self::U8(values) => values.reserve_exact(more),
            Self::I16(values) => values.reserve_exact(more),
            Self::U16(values) => values.reserve_exact(more),
            Self::F32(values) => values.reserve_exact(more),
        }
    }

    /// Turns the pixels in place as [`Turn::apply`] does. `shape` holds the numbers of columns, rows and slices
    /// before.
    pub fn turn(&mut self, turn: Turn, shape: [usize; 3], channels: usize) {
        match self {
            Self::U8(values) => turn.apply(values, shape, channels),
            Self::I16(values) => turn.apply(values, shape, channels),
            Self::U16(values) => turn.apply(values, shape, channels),
            Self::F32(values) => turn.apply(values, shape, channels),
        }
    }

    /// Appends samples of the same type. Returns `false` if the types differ.
    pub fn append(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::U8(all), Self::U8(more)) => all.extend(more),
            (Self::I16(all), Self::I16(more)) => all.extend(more),
            (Self::U16(all), Self::U16(more)) => all.extend(more),
            (Self::F32(all), Self::F32(more)) => all.extend(more),
            _ => return false,
        }
        true
    }
}
