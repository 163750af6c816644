//! The reordering of pixels from their stored to their displayed order.

use serde::{Deserialize, Serialize};

/// A reordering of a stack of images: a rotation by multiples of 90°, a reflection, or both. First columns and
/// rows are exchanged if it is `transposed`; then the axes of the result that are `reversed` are reversed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Turn {
    /// Whether columns and rows are exchanged.
    pub transposed: bool,
    /// Which axes of the result are reversed: columns, rows, slices.
    pub reversed: [bool; 3],
}

impl Turn {
    /// Leaves pixels as they are stored.
    pub const NONE: Self = Self { transposed: false, reversed: [false; 3] };

    /// Returns the turn that makes an image of EXIF orientation (TIFF 6.0, tag 274) 1 to 8 upright, or `None` for any
    /// other number.
    pub fn of_exif(orientation: u16) -> Option<Self> {
        let (transposed, columns, rows) = match orientation {
            1 => (false, false, false),
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => return None,
        };
        Some(Self { transposed, reversed: [columns, rows, false] })
    }

    /// Returns whether the turn moves no pixel.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Returns the turn that undoes this one.
    pub fn inverse(self) -> Self {
        let [columns, rows, slices] = self.reversed;
        let reversed = if self.transposed { [rows, columns, slices] } else { self.reversed };
        Self { transposed: self.transposed, reversed }
    }

    /// Returns the single turn that has the effect of this one followed by `next`.
    pub fn then(self, next: Self) -> Self {
        let [columns, rows, slices] = self.reversed;
        let first = if next.transposed { [rows, columns, slices] } else { self.reversed };
        Self {
            transposed: self.transposed != next.transposed,
            reversed: std::array::from_fn(|axis| first[axis] != next.reversed[axis]),
        }
    }

    /// Returns the numbers of columns, rows and slices of the result, given those of the stored pixels.
    pub fn shape(self, [columns, rows, slices]: [usize; 3]) -> [usize; 3] {
        if self.transposed { [rows, columns, slices] } else { [columns, rows, slices] }
    }

    /// Returns the stored column, row and slice of the pixel that is displayed at column, row and slice `shown`.
    /// `shape` holds the numbers of columns, rows and slices of the stored pixels.
    pub fn stored(self, shown: [usize; 3], shape: [usize; 3]) -> [usize; 3] {
        let of_result = self.shape(shape);
        let [column, row, slice] =
            std::array::from_fn(
                |axis| {
                    if self.reversed[axis] { of_result[axis] - 1 - shown[axis] } else { shown[axis] }
                },
            );
        if self.transposed { [row, column, slice] } else { [column, row, slice] }
    }

    /// Turns pixels of `channels` interleaved samples in place. `shape` holds the numbers of columns, rows and
    /// slices before. A transposition takes additional memory for one slice.
    ///
    /// # Panics
    /// Panics if the number of samples does not match `shape` and `channels`.
    pub fn apply<T: Copy>(self, values: &mut [T], shape: [usize; 3], channels: usize) {
        let [columns, rows, slices] = shape;
        assert_eq!(values.len(), columns * rows * slices * channels, "samples of {shape:?}");
        let plane = columns * rows * channels;
        if plane == 0 {
            return;
        }
        if self.transposed {
            let mut before = Vec::with_capacity(plane);
            for slice in values.chunks_exact_mut(plane) {
                before.clear();
                before.extend_from_slice(slice);
                for (place, pixel) in slice.chunks_exact_mut(channels).enumerate() {
                    let (row, column) = (place / rows, place % rows);
                    let from = (column * columns + row) * channels;
                    pixel.copy_from_slice(&before[from..from + channels]);
                }
            }
        }
        let [columns, rows, _] = self.shape(shape);
        let line = columns * channels;
        if self.reversed[0] {
            for row in values.chunks_exact_mut(line) {
                row.reverse();
                if channels > 1 {
                    row.chunks_exact_mut(channels).for_each(<[T]>::reverse);
                }
            }
        }
        if self.reversed[1] {
            values.chunks_exact_mut(plane).for_each(|slice| reverse_blocks(slice, line, rows));
        }
        if self.reversed[2] {
            reverse_blocks(values, plane, slices);
        }
    }

    /// Describes in words how the turn changes the stored pixels.
    pub fn name(self) -> String {
        let [columns, rows, slices] = self.reversed;
        let plane = match (self.transposed, columns, rows) {
            (false, false, false) => "",
            (false, true, false) => "mirrored left to right",
            (false, true, true) => "turned by 180°",
            (false, false, true) => "mirrored top to bottom",
            (true, false, false) => "columns and rows exchanged",
            (true, true, false) => "turned by 90° clockwise",
            (true, true, true) => "columns and rows exchanged and turned by 180°",
            (true, false, true) => "turned by 90° counter-clockwise",
        };
        match (plane, slices) {
            ("", false) => "as stored".into(),
            ("", true) => "slices in reverse order".into(),
            (plane, false) => plane.into(),
            (plane, true) => format!("{plane}, slices in reverse order"),
        }
    }
}

/// Reverses the order of `count` blocks of `size` values each.
fn reverse_blocks<T>(values: &mut [T], size: usize, count: usize) {
    for front in 0..count / 2 {
        let (before, behind) = values.split_at_mut((count - 1 - front) * size);
        before[front * size..(front + 1) * size].swap_with_slice(&mut behind[..size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Turn> {
        (0..16).map(|bits| Turn { transposed: bits & 1 > 0, reversed: [bits & 2 > 0, bits & 4 > 0, bits & 8 > 0] })
    }

    #[test]
    fn there_and_back_and_one_behind_the_other() {
        let shape = [3, 2, 2];
        let stored: Vec<u8> = (0..24).collect();
        for turn in all() {
            let mut turned = stored.clone();
            turn.apply(&mut turned, shape, 2);
            let [columns, rows, slices] = turn.shape(shape);
            for (place, pixel) in turned.chunks(2).enumerate() {
                let shown = [place % columns, place / columns % rows, place / columns / rows];
                let [x, y, z] = turn.stored(shown, shape);
                let from = ((z * shape[1] + y) * shape[0] + x) * 2;
                assert_eq!(pixel, &stored[from..from + 2], "{turn:?} {shown:?}");
            }
            assert_eq!(turned.len(), columns * rows * slices * 2);
            let mut back = turned.clone();
            turn.inverse().apply(&mut back, turn.shape(shape), 2);
            assert_eq!(back, stored, "{turn:?}");
            for next in all() {
                let (mut twice, mut once) = (turned.clone(), stored.clone());
                next.apply(&mut twice, turn.shape(shape), 2);
                turn.then(next).apply(&mut once, shape, 2);
                assert_eq!(twice, once, "{turn:?} then {next:?}");
            }
        }
    }

    /// The eight orientations of TIFF 6.0: where the first row and the first column of the stored image lie in the
    /// scene.
    #[test]
    fn orientations_as_the_standard_has_them() {
        // These are the images that a camera stores of the scene "ab/cd/ef" if row 0 and column 0 lie at the named
        // edges.
        let scene = *b"abcdef";
        let stored: [(u16, [usize; 2], &[u8; 6]); 8] = [
            (1, [2, 3], b"abcdef"),
            (2, [2, 3], b"badcfe"),
            (3, [2, 3], b"fedcba"),
            (4, [2, 3], b"efcdab"),
            (5, [3, 2], b"acebdf"),
            (6, [3, 2], b"bdface"),
            (7, [3, 2], b"fdbeca"),
            (8, [3, 2], b"ecafdb"),
        ];
        for (number, [columns, rows], pixels) in stored {
            let turn = Turn::of_exif(number).expect("an orientation");
            let mut shown = *pixels;
            turn.apply(&mut shown, [columns, rows, 1], 1);
            assert_eq!((shown, turn.shape([columns, rows, 1])), (scene, [2, 3, 1]), "{number}");
        }
        assert_eq!(Turn::of_exif(0), None);
        assert_eq!(Turn::of_exif(6).map(Turn::name).as_deref(), Some("turned by 90° clockwise"));
    }
}
