//! Connected components of a mask or of a stack of masks, and tools that keep some of them.

use super::spans::{self, Span};
use super::{Spacing, ToolError};
use crate::annotate::Region;
use crate::data::Mask;
use crate::data::mask::components::{Connectivity, Run, components as connected};

/// A connected component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The number of its pixels.
    pub pixels: usize,
    /// Its runs of pixels, by slice, row and column.
    runs: Vec<Run>,
}

impl Component {
    /// Returns the pixels by slice, in ascending order of slices.
    pub fn regions(&self) -> Vec<(usize, Region)> {
        let by_slice = self.runs.chunk_by(|a, b| a.slice == b.slice);
        by_slice.map(|runs| (runs[0].slice, region(runs))).collect()
    }
}

/// Whether a tool treats every slice by itself or the stack as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// Every slice by itself.
    #[default]
    Slice,
    /// The stack as a whole.
    Stack,
}

/// The size below which a component is dropped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smallest {
    /// A number of pixels, in a stack of voxels.
    Pixels(f64),
    /// An area in mm², in single slices.
    Mm2(f64),
    /// A volume in mm³, in a stack.
    Mm3(f64),
}

impl Smallest {
    /// Returns the size in pixels.
    fn in_pixels(self, spacing: &Spacing, extent: Extent) -> Result<f64, ToolError> {
        let pixels = match (self, extent) {
            (Self::Pixels(pixels), _) => pixels,
            (Self::Mm2(area), Extent::Slice) => area / spacing.pixel_mm2()?,
            (Self::Mm3(volume), Extent::Stack) => volume / spacing.voxel_mm3()?,
            _ => return Err(ToolError::WrongUnit),
        };
        if pixels.is_finite() && pixels > 0.0 { Ok(pixels) } else { Err(ToolError::NotPositive) }
    }
}

/// Returns the connected components of a stack, see [`connected`].
pub fn components(slices: &[(usize, &Mask)], connectivity: Connectivity) -> Vec<Component> {
    let found = connected(slices, connectivity).into_iter();
    found.map(|component| Component { pixels: component.pixels() as usize, runs: component.runs }).collect()
}

/// Keeps the `count` largest components and returns what is left, one region for every slice that is given. Of equally
/// large ones the first is kept. By slice, the largest of every slice are kept.
pub fn keep_largest(
    slices: &[(usize, &Mask)],
    count: usize,
    extent: Extent,
    connectivity: Connectivity,
) -> Vec<(usize, Region)> {
    keep(slices, extent, connectivity, |components| {
        let mut order: Vec<usize> = (0..components.len()).collect();
        // A stable sort keeps the first of equals in front.
        order.sort_by_key(|index| std::cmp::Reverse(components[*index].pixels));
        order.truncate(count);
        order
    })
}

/// Drops the components that are smaller than a size and returns what is left, one region for every slice that is given.
///
/// # Errors
/// Returns an error if the size is in mm and the spacing is not known, if it is an area for a stack or a volume for
/// single slices, or if it is not a positive number.
pub fn drop_smaller(
    slices: &[(usize, &Mask)],
    than: Smallest,
    spacing: &Spacing,
    extent: Extent,
    connectivity: Connectivity,
) -> Result<Vec<(usize, Region)>, ToolError> {
    let least = than.in_pixels(spacing, extent)?;
    // A size in mm that is a whole number of pixels is not to fail by rounding.
    let is_kept = |component: &Component| component.pixels as f64 >= least * (1.0 - 1e-9);
    Ok(keep(slices, extent, connectivity, |components| {
        (0..components.len()).filter(|index| is_kept(&components[*index])).collect()
    }))
}

/// Returns the chosen components, one region for every slice.
fn keep(
    slices: &[(usize, &Mask)],
    extent: Extent,
    connectivity: Connectivity,
    choose: impl Fn(&[Component]) -> Vec<usize>,
) -> Vec<(usize, Region)> {
    let length = if extent == Extent::Slice { 1 } else { slices.len().max(1) };
    let mut left = Vec::new();
    for part in slices.chunks(length) {
        let found = components(part, connectivity);
        let mut kept: Vec<Run> =
            choose(&found).into_iter().flat_map(|index| found[index].runs.iter().copied()).collect();
        kept.sort_unstable();
        for (slice, _) in part {
            let first = kept.partition_point(|run| run.slice < *slice);
            let end = kept.partition_point(|run| run.slice <= *slice);
            left.push((*slice, region(&kept[first..end])));
        }
    }
    left
}

/// Returns the pixels of runs of one slice.
fn region(runs: &[Run]) -> Region {
    spans::region(&runs.iter().map(|&Run { row, start, end, .. }| Span { row, start, end }).collect::<Vec<Span>>())
}
