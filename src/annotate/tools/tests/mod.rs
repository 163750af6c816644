//! Tests of the tools against formulas, against the definition on random input, and against values of SciPy 1.17 and
//! scikit-image 0.26; a test with such a value states the call that gave it.

mod brush;
mod fronts;
mod masks;
mod regions;
mod stacks;

use super::SliceView;
use crate::annotate::Region;
use crate::data::Mask;

/// Makes a mask from a rule for columns and rows.
fn mask(width: usize, height: usize, is_set: impl Fn(i64, i64) -> bool) -> Mask {
    let at = |index: usize| u8::from(is_set((index % width) as i64, (index / width) as i64));
    Mask { width, height, values: (0..width * height).map(at).collect() }
}

/// The pattern of slice `z` from which the reference values of components were made.
fn pattern(z: i64, below: i64) -> Mask {
    mask(30, 20, |x, y| (x * x * 3 + y * y * 5 + x * y * 7 + z * 11 + x * 2) % 17 < below)
}

/// A disc, a bar that touches it, and a small disc near the upper edge.
fn blob() -> Mask {
    mask(50, 40, |x, y| {
        let within = |column: i64, row: i64, squared: i64| (x - column).pow(2) + (y - row).pow(2) <= squared;
        within(20, 18, 81) || ((x - 34).abs() <= 7 && (y - 22).abs() <= 4) || within(45, 5, 2)
    })
}

fn count(region: &Region) -> usize {
    region.pixels().count()
}

/// Returns the sums of the columns and of the rows of a region's pixels, which tell it from most others.
fn sums(region: &Region) -> [usize; 2] {
    region.pixels().fold([0; 2], |sum, [x, y]| [sum[0] + x, sum[1] + y])
}

fn foreground(mask: &Mask) -> usize {
    mask.foreground()
}

/// Returns whether the foreground of one mask lies within another region.
fn covers(region: &Region, mask: &Mask) -> bool {
    Region::from_mask(mask).pixels().all(|[x, y]| region.contains(x, y))
}

fn plain(values: &[f32], width: usize) -> SliceView<'_> {
    SliceView::new(width, values.len() / width, values)
}
