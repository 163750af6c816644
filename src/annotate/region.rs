//! Sets of pixels of one slice, such as those that a tool selects.

use crate::data::Mask;

/// A set of pixels of a slice, which is stored within a bounding box. The box is not necessarily the smallest one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Region {
    corner: [usize; 2],
    size: [usize; 2],
    /// 1 for the pixels of the region, row-major.
    pixels: Vec<u8>,
}

impl Region {
    /// Creates a region from the column and row of the top left pixel of its bounding box, the numbers of columns and
    /// rows, and a value for each pixel of the box, row-major: 0 for pixels outside the region.
    ///
    /// # Panics
    /// Panics if there is not exactly one value for each pixel.
    pub fn new(corner: [usize; 2], size: [usize; 2], pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), size[0] * size[1], "one value for each pixel");
        Self { corner, size, pixels }
    }

    /// Creates the region of the foreground of a mask. Its bounding box is as small as possible.
    pub fn from_mask(mask: &Mask) -> Self {
        let Some([[left, top], [right, bottom]]) = bounds(&mask.values, mask.width) else {
            return Self::default();
        };
        let rows = mask.values.chunks_exact(mask.width).take(bottom + 1).skip(top);
        let pixels = rows.flat_map(|row| row[left..=right].iter().map(|value| u8::from(*value != 0))).collect();
        Self::new([left, top], [right + 1 - left, bottom + 1 - top], pixels)
    }

    /// Returns a mask of this size. Pixels outside it are left out.
    pub fn to_mask(&self, width: usize, height: usize) -> Mask {
        let mut values = vec![0; width * height];
        for [x, y] in self.pixels().filter(|[x, y]| *x < width && *y < height) {
            values[y * width + x] = 1;
        }
        Mask { width, height, values }
    }

    /// Returns the column and row of the top left pixel of the bounding box.
    pub fn corner(&self) -> [usize; 2] {
        self.corner
    }

    /// Returns the numbers of columns and rows of the bounding box.
    pub fn size(&self) -> [usize; 2] {
        self.size
    }

    /// Returns whether the region has no pixels.
    pub fn is_empty(&self) -> bool {
        self.pixels.iter().all(|value| *value == 0)
    }

    /// Returns whether the region has the pixel in this column and row.
    pub fn contains(&self, x: usize, y: usize) -> bool {
        let [left, top] = self.corner;
        let [width, height] = self.size;
        x >= left && y >= top && x - left < width && y - top < height && {
            self.pixels[(y - top) * width + x - left] != 0
        }
    }

    /// Returns the column and row of every pixel of the region, row by row.
    pub fn pixels(&self) -> impl Iterator<Item = [usize; 2]> + '_ {
        let ([left, top], [width, _]) = (self.corner, self.size);
        let set = self.pixels.iter().enumerate().filter(|(_, value)| **value != 0);
        set.map(move |(at, _)| [left + at % width, top + at / width])
    }
}

/// Returns the first and last column and row with a value other than 0; `None` if there is none.
fn bounds(values: &[u8], width: usize) -> Option<[[usize; 2]; 2]> {
    let mut found: Option<[[usize; 2]; 2]> = None;
    for (y, row) in values.chunks_exact(width.max(1)).enumerate() {
        let Some(first) = row.iter().position(|value| *value != 0) else { continue };
        let last = row.iter().rposition(|value| *value != 0).unwrap_or(first);
        let [[left, top], [right, _]] = found.unwrap_or([[first, y], [last, y]]);
        found = Some([[left.min(first), top], [right.max(last), y]]);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_the_foreground_of_its_mask() {
        let mask = Mask { width: 4, height: 3, values: vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0] };
        let region = Region::from_mask(&mask);
        assert_eq!((region.corner(), region.size()), ([1, 1], [2, 2]));
        assert_eq!(region.pixels().collect::<Vec<_>>(), [[1, 1], [2, 2]]);
        assert_eq!(region.to_mask(4, 3), mask);
        assert!(region.contains(2, 2) && !region.contains(2, 1) && !region.contains(0, 0));
        assert!(!region.contains(3, 2) && !region.is_empty());
    }

    #[test]
    fn a_region_may_reach_beyond_the_slice_and_may_be_empty() {
        let region = Region::new([1, 0], [3, 1], vec![1, 1, 1]);
        assert_eq!(region.to_mask(2, 1).values, [0, 1]);
        let empty = Region::from_mask(&Mask { width: 2, height: 2, values: vec![0; 4] });
        assert!(empty.is_empty() && empty.pixels().next().is_none());
        assert!(Region::from_mask(&Mask { width: 0, height: 0, values: Vec::new() }).is_empty());
    }
}
