//! Connected components of a mask or of a stack of masks, and tools that keep some of them.

use super::spans::{self, Span};
use super::{Connectivity, Spacing, ToolError};
use crate::annotate::Region;
use crate::data::Mask;

/// A connected component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The number of its pixels.
    pub pixels: usize,
    /// Its rows of pixels with the slice that each lies in, by slice, row and column.
    spans: Vec<(usize, Span)>,
}

impl Component {
    /// Returns the pixels by slice, in ascending order of slices.
    pub fn regions(&self) -> Vec<(usize, Region)> {
        let by_slice = self.spans.chunk_by(|a, b| a.0 == b.0);
        by_slice.map(|spans| (spans[0].0, region(spans.iter().map(|(_, span)| *span)))).collect()
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

/// Returns the connected components of a stack, of which only the slices with a mask are given, in ascending order with
/// their indices. Slices are neighbours if their indices are. The components are in the order of their first pixels,
/// by slice, row and column. For a single slice, `slices` has one entry.
pub fn components(slices: &[(usize, &Mask)], connectivity: Connectivity) -> Vec<Component> {
    let runs: Vec<Vec<Span>> = slices.iter().map(|(_, mask)| spans::of_mask(&mask.values, mask.width)).collect();
    let mut begins = Vec::with_capacity(runs.len());
    let mut count = 0;
    for runs in &runs {
        begins.push(count);
        count += runs.len();
    }
    let mut sets = Sets::new(count);
    for (at, (slice, _)) in slices.iter().enumerate() {
        join(&mut sets, [(&runs[at], begins[at]); 2], &[1], connectivity);
        if at > 0 && slices[at - 1].0 + 1 == *slice {
            let rows: &[isize] = if connectivity == Connectivity::Edge { &[0] } else { &[-1, 0, 1] };
            join(&mut sets, [(&runs[at - 1], begins[at - 1]), (&runs[at], begins[at])], rows, connectivity);
        }
    }
    let mut places = vec![usize::MAX; count];
    let mut found: Vec<Component> = Vec::new();
    for (at, (slice, _)) in slices.iter().enumerate() {
        for (index, span) in runs[at].iter().enumerate() {
            let root = sets.root(begins[at] + index);
            if places[root] == usize::MAX {
                places[root] = found.len();
                found.push(Component { pixels: 0, spans: Vec::new() });
            }
            let component = &mut found[places[root]];
            component.pixels += span.len();
            component.spans.push((*slice, *span));
        }
    }
    found
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
        let mut kept: Vec<(usize, Span)> =
            choose(&found).into_iter().flat_map(|index| found[index].spans.iter().copied()).collect();
        kept.sort_unstable();
        for (slice, _) in part {
            let of_slice = kept.iter().filter(|(of, _)| of == slice);
            left.push((*slice, region(of_slice.map(|(_, span)| *span))));
        }
    }
    left
}

fn region(spans: impl Iterator<Item = Span>) -> Region {
    spans::region(&spans.collect::<Vec<Span>>())
}

/// Joins the runs that touch: those in a row of the first list with those in the rows of the second list that are lower
/// by one of `rows`. Each list comes with the number of its first run.
fn join(
    sets: &mut Sets,
    [(upper, upper_first), (lower, lower_first)]: [(&[Span], usize); 2],
    rows: &[isize],
    connectivity: Connectivity,
) {
    let reach = usize::from(connectivity == Connectivity::Corner);
    for shift in rows {
        let mut from = 0;
        for (index, span) in upper.iter().enumerate() {
            let Some(row) = span.row.checked_add_signed(*shift) else { continue };
            // Runs are sorted, so those that end before this one begins are never needed again.
            while lower.get(from).is_some_and(|other| (other.row, other.end + reach) <= (row, span.start)) {
                from += 1;
            }
            let touching =
                lower[from..].iter().take_while(|other| (other.row, other.start) < (row, span.end + reach));
            for (step, _) in touching.enumerate() {
                sets.unite(upper_first + index, lower_first + from + step);
            }
        }
    }
}

/// Disjoint sets of numbers.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    /// Returns the smallest number of the set.
    fn root(&mut self, mut of: usize) -> usize {
        while self.parents[of] != of {
            self.parents[of] = self.parents[self.parents[of]];
            of = self.parents[of];
        }
        of
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }
}
