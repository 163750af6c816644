//! Counts the different values of a mask file and their pixels.

use std::collections::HashMap;

use crate::data::volume::StoredPixels;

/// The largest number of different values that are distinguished. A mask has a few; an anatomical atlas has
/// several hundred.
pub const MOST: usize = 65_536;

/// The different values of a mask, as far as they can be distinguished.
#[derive(Clone, Debug, PartialEq)]
pub enum Tally {
    /// There are at most [`MOST`] values.
    Few(Counted),
    /// There are more than [`MOST`] values.
    Many {
        /// The smallest value.
        low: f64,
        /// The largest value.
        high: f64,
    },
}

/// The different values of a mask and the value of every pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The different values in ascending order.
    pub values: Vec<f64>,
    /// The number of pixels with each value.
    pub counts: Vec<u64>,
    /// The index in `values` of each pixel's value.
    pub places: Vec<u16>,
}

/// Counts different values, one pixel at a time.
pub struct Counter {
    /// The index of each value in the order of first occurrence, by the bits of the value.
    known: HashMap<u64, u16>,
    values: Vec<f64>,
    counts: Vec<u64>,
    places: Vec<u16>,
    /// The bits and the index of the last value. Neighbouring pixels mostly have the same value.
    last: Option<(u64, u16)>,
    /// The smallest and the largest value.
    range: [f64; 2],
    /// Whether there are more than [`MOST`] values.
    is_many: bool,
    /// The number of values that are NaN or infinite; they count as 0.
    pub strange: usize,
}

impl Counter {
    /// Creates a counter for `count` pixels.
    pub fn new(count: usize) -> Self {
        Self {
            known: HashMap::new(),
            values: Vec::new(),
            counts: Vec::new(),
            places: Vec::with_capacity(count),
            last: None,
            range: [f64::INFINITY, f64::NEG_INFINITY],
            is_many: false,
            strange: 0,
        }
    }

    /// Counts the value of the next pixel.
    pub fn take(&mut self, value: f64) {
        let value = if value.is_finite() {
            // This makes −0 and 0 equal.
            value + 0.0
        } else {
            self.strange += 1;
            0.0
        };
        self.range = [self.range[0].min(value), self.range[1].max(value)];
        if self.is_many {
            return;
        }
        let bits = value.to_bits();
        let place = match self.last {
            Some((last, place)) if last == bits => place,
            _ => match self.known.get(&bits) {
                Some(&place) => place,
                None if self.values.len() == MOST => {
                    self.is_many = true;
                    self.places = Vec::new();
                    return;
                }
                None => {
                    let place = self.values.len() as u16;
                    self.values.push(value);
                    self.counts.push(0);
                    self.known.insert(bits, place);
                    place
                }
            },
        };
        self.last = Some((bits, place));
        self.counts[usize::from(place)] += 1;
        self.places.push(place);
    }

    /// Returns the values in ascending order, with their counts.
    pub fn finish(self) -> Tally {
        if self.is_many {
            return Tally::Many { low: self.range[0], high: self.range[1] };
        }
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|a, b| self.values[*a].total_cmp(&self.values[*b]));
        let mut rank = vec![0_u16; order.len()];
        order.iter().enumerate().for_each(|(place, &was)| rank[was] = place as u16);
        let mut places = self.places;
        places.iter_mut().for_each(|place| *place = rank[usize::from(*place)]);
        Tally::Few(Counted {
            values: order.iter().map(|&was| self.values[was]).collect(),
            counts: order.iter().map(|&was| self.counts[was]).collect(),
            places,
        })
    }
}

impl Tally {
    /// Returns whether each pixel is above 0, if the values are 0, one positive number, or both. Returns `None`
    /// for any other values.
    pub fn channel(&self) -> Option<Vec<bool>> {
        let Self::Few(counted) = self else { return None };
        match counted.values[..] {
            [value] if value >= 0.0 => Some(vec![value > 0.0; counted.places.len()]),
            [0.0, value] if value > 0.0 => Some(counted.places.iter().map(|&place| place == 1).collect()),
            _ => None,
        }
    }

    /// Counts the different numbers of an iterator.
    pub fn of(numbers: impl ExactSizeIterator<Item = f64>) -> Self {
        let mut counter = Counter::new(numbers.len());
        numbers.for_each(|number| counter.take(number));
        counter.finish()
    }

    /// Counts the different values of grey samples.
    pub fn of_values(values: &StoredPixels) -> Self {
        match values {
            StoredPixels::U8(values) => Self::of_whole(values.iter().map(|&value| usize::from(value)), 256, 0),
            StoredPixels::U16(values) => Self::of_whole(values.iter().map(|&value| usize::from(value)), 65_536, 0),
            StoredPixels::I16(values) => {
                Self::of_whole(values.iter().map(|&value| (i32::from(value) + 32_768) as usize), 65_536, -32_768)
            }
            StoredPixels::F32(values) => Self::of(values.iter().map(|&value| f64::from(value))),
        }
    }

    /// Counts the different values of integers below `range`. Each stands for the value that is larger by
    /// `offset`.
    fn of_whole(numbers: impl ExactSizeIterator<Item = usize> + Clone, range: usize, offset: i32) -> Self {
        let mut counts = vec![0_u64; range];
        numbers.clone().for_each(|number| counts[number] += 1);
        let mut place = vec![0_u16; range];
        let mut counted = Counted { values: Vec::new(), counts: Vec::new(), places: Vec::new() };
        for (number, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            place[number] = counted.values.len() as u16;
            counted.values.push(number as f64 + f64::from(offset));
            counted.counts.push(count);
        }
        counted.places = numbers.map(|number| place[number]).collect();
        Self::Few(counted)
    }
}

impl Counted {
    /// Returns the share of the pixels, 0 to 1, whose value lies between a quarter and three quarters of the
    /// range.
    pub fn middle(&self) -> f64 {
        let (Some(low), Some(high)) = (self.values.first(), self.values.last()) else { return 0.0 };
        let quarter = (high - low) / 4.0;
        let is_middle = |value: f64| value > low + quarter && value < high - quarter;
        let pairs = || self.values.iter().zip(&self.counts);
        let middle: u64 = pairs().filter(|(value, _)| is_middle(**value)).map(|(_, count)| count).sum();
        let all: u64 = pairs().map(|(_, count)| count).sum();
        middle as f64 / all.max(1) as f64
    }

    /// Returns for each value whether it fills a pixel and its four neighbours somewhere. The other values occur
    /// only at boundaries. `columns` and `rows` are the size of a slice.
    pub fn interior(&self, columns: usize, rows: usize) -> Vec<bool> {
        let mut is_interior = vec![false; self.values.len()];
        let plane = columns * rows;
        if columns < 3 || rows < 3 {
            return is_interior;
        }
        for slice in self.places.chunks_exact(plane) {
            for row in 1..rows - 1 {
                let line = &slice[row * columns..(row + 1) * columns];
                let (above, below) = (&slice[(row - 1) * columns..], &slice[(row + 1) * columns..]);
                for column in 1..columns - 1 {
                    let place = line[column];
                    is_interior[usize::from(place)] |= line[column - 1] == place
                        && line[column + 1] == place
                        && above[column] == place
                        && below[column] == place;
                }
            }
        }
        is_interior
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_negative_zero_is_no_value_of_its_own() {
        let Tally::Few(counted) = Tally::of([0.0, -0.0, 1.0].into_iter()) else { panic!("few values") };
        assert_eq!((counted.values, counted.counts), (vec![0.0, 1.0], vec![2, 1]));
    }
}
