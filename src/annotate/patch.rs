//! Changes of the pixels of a mask, as small as what was changed.

use serde::{Deserialize, Serialize};

use crate::data::Mask;

/// Pixels of a slice that change from foreground to background or the other way. Applying a patch twice changes
/// nothing, so that the same patch undoes and redoes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// The column and row of the top left pixel of the bounding box.
    corner: [u32; 2],
    /// The numbers of columns and rows of the bounding box.
    size: [u32; 2],
    /// Lengths of runs through the box, row by row: of pixels that stay, of pixels that change, and so on. What
    /// follows the last run stays.
    runs: Vec<u32>,
}

impl Patch {
    /// Creates the patch of the pixels in a box for which `is_changed` returns true. The arguments of `is_changed`
    /// are column and row of the slice. Returns `None` if no pixel changes.
    pub fn new(corner: [usize; 2], size: [usize; 2], is_changed: impl Fn(usize, usize) -> bool) -> Option<Self> {
        let (mut runs, mut length, mut changes) = (Vec::new(), 0, false);
        for y in corner[1]..corner[1] + size[1] {
            for x in corner[0]..corner[0] + size[0] {
                if is_changed(x, y) != changes {
                    runs.push(length);
                    (length, changes) = (0, !changes);
                }
                length += 1;
            }
        }
        if changes {
            runs.push(length);
        }
        let to_u32 = |side: usize| side as u32;
        (!runs.is_empty()).then(|| Self { corner: corner.map(to_u32), size: size.map(to_u32), runs })
    }

    /// Returns the column and row of the top left pixel of the bounding box.
    pub fn corner(&self) -> [usize; 2] {
        self.corner.map(|side| side as usize)
    }

    /// Returns the numbers of columns and rows of the bounding box.
    pub fn size(&self) -> [usize; 2] {
        self.size.map(|side| side as usize)
    }

    /// Returns whether the patch lies within slices of this many columns and rows. A patch from a damaged file may
    /// not.
    pub fn fits(&self, [columns, rows]: [usize; 2]) -> bool {
        let end = |axis: usize| u64::from(self.corner[axis]) + u64::from(self.size[axis]);
        let pixels = u64::from(self.size[0]) * u64::from(self.size[1]);
        let covered = self.runs.iter().map(|run| u64::from(*run)).sum::<u64>();
        end(0) <= columns as u64 && end(1) <= rows as u64 && covered <= pixels
    }

    /// Changes the pixels of a mask, and returns by how much the number of its foreground pixels grows.
    ///
    /// # Panics
    /// Panics if the patch does not fit the mask.
    pub fn apply(&self, mask: &mut Mask) -> i64 {
        let mut grows = 0;
        self.each_run(|x, y, length| {
            let from = y * mask.width + x;
            for value in &mut mask.values[from..from + length] {
                *value ^= 1;
                grows += if *value == 1 { 1 } else { -1 };
            }
        });
        grows
    }

    /// Returns the patch that does what these patches do one after the other; `None` if together they change nothing.
    /// The box around them is passed through once, however many they are.
    pub fn joined<'a>(patches: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        let ends = |patch: &Self| [0, 1].map(|axis| patch.corner()[axis] + patch.size()[axis]);
        let first = patches.clone().next()?;
        let (corner, end) = patches.clone().fold((first.corner(), ends(first)), |(corner, end), patch| {
            let (other, other_end) = (patch.corner(), ends(patch));
            ([0, 1].map(|axis| corner[axis].min(other[axis])), [0, 1].map(|axis| end[axis].max(other_end[axis])))
        });
        let size = [end[0] - corner[0], end[1] - corner[1]];
        let mut changed = vec![false; size[0] * size[1]];
        for patch in patches {
            patch.each_run(|x, y, length| {
                let from = (y - corner[1]) * size[0] + x - corner[0];
                changed[from..from + length].iter_mut().for_each(|value| *value = !*value);
            });
        }
        Self::new(corner, size, |x, y| changed[(y - corner[1]) * size[0] + x - corner[0]])
    }

    /// Returns the memory of the patch, in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.runs.len() * size_of::<u32>()
    }

    /// Calls `changed` with column, row and length for every run of pixels in a row that change.
    fn each_run(&self, mut changed: impl FnMut(usize, usize, usize)) {
        let ([left, top], width) = (self.corner(), self.size()[0]);
        let mut at = 0;
        for (turn, run) in self.runs.iter().enumerate() {
            let end = at + *run as usize;
            while turn % 2 == 1 && at < end {
                let length = (width - at % width).min(end - at);
                changed(left + at % width, top + at / width, length);
                at += length;
            }
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(corner: [usize; 2], size: [usize; 2], pixels: &[[usize; 2]]) -> Option<Patch> {
        Patch::new(corner, size, |x, y| pixels.contains(&[x, y]))
    }

    #[test]
    fn it_changes_its_pixels_and_changes_them_back() {
        let patch = patch([1, 0], [2, 2], &[[2, 0], [1, 1], [2, 1]]).expect("it changes pixels");
        assert_eq!(patch.runs, [1, 3]);
        let mut mask = Mask { width: 3, height: 2, values: vec![0, 0, 0, 1, 1, 0] };
        assert_eq!(patch.apply(&mut mask), 1);
        assert_eq!(mask.values, [0, 0, 1, 1, 0, 1]);
        assert_eq!(patch.apply(&mut mask), -1);
        assert_eq!(mask.values, [0, 0, 0, 1, 1, 0]);
    }

    #[test]
    fn patches_become_one_that_changes_what_an_odd_number_of_them_changes() {
        let first = patch([0, 0], [2, 1], &[[0, 0], [1, 0]]).expect("it changes pixels");
        let second = patch([1, 0], [2, 2], &[[1, 0], [2, 1]]).expect("it changes pixels");
        let third = patch([2, 1], [1, 1], &[[2, 1]]).expect("it changes pixels");
        let seen = |patches: &[&Patch]| {
            let mut mask = Mask { width: 3, height: 2, values: vec![0; 6] };
            Patch::joined(patches.iter().copied())?.apply(&mut mask);
            Some(mask.values)
        };
        assert_eq!(seen(&[&first, &second]), Some(vec![1, 0, 0, 0, 0, 1]));
        assert_eq!(seen(&[&first, &second, &third]), Some(vec![1, 0, 0, 0, 0, 0]));
        assert_eq!((seen(&[&first, &first]), seen(&[])), (None, None));
        assert_eq!(Patch::joined([&second].into_iter()), Some(second.clone()));
    }

    #[test]
    fn it_is_known_whether_a_patch_fits() {
        assert_eq!(patch([0, 0], [2, 2], &[]), None);
        let patch = patch([1, 1], [2, 1], &[[2, 1]]).expect("it changes pixels");
        assert!(patch.fits([3, 2]) && !patch.fits([2, 2]) && !patch.fits([3, 1]));
        let damaged = Patch { runs: vec![u32::MAX, u32::MAX], ..patch };
        assert!(!damaged.fits([3, 2]));
    }
}
