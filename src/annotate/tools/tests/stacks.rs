//! Components of slices and stacks, and what is kept of them.

use super::{foreground, mask, pattern};
use crate::annotate::Region;
use crate::annotate::tools::{
    Component, Connectivity, Extent, Smallest, Spacing, ToolError, components, drop_smaller, keep_largest,
};
use crate::data::Mask;

fn largest(components: &[Component]) -> Vec<usize> {
    let mut sizes: Vec<usize> = components.iter().map(|component| component.pixels).collect();
    sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    sizes.truncate(5);
    sizes
}

/// SciPy: `ndimage.label(mask, generate_binary_structure(2, 1))` or `label(mask, ones((3, 3)))`, the number of labels
/// and the five largest of `bincount`.
#[test]
fn the_components_of_a_slice_are_those_of_scipy() {
    let mask = pattern(0, 6);
    let of = |connectivity| components(&[(4, &mask)], connectivity);
    let (edge, corner) = (of(Connectivity::Edge), of(Connectivity::Corner));
    assert_eq!((edge.len(), largest(&edge)), (67, vec![13, 12, 12, 12, 11]));
    assert_eq!((corner.len(), largest(&corner)), (39, vec![17, 17, 17, 13, 13]));
    for found in [&edge, &corner] {
        assert_eq!(found.iter().map(|component| component.pixels).sum::<usize>(), foreground(&mask));
    }
}

/// SciPy: `ndimage.label` of four slices with `generate_binary_structure(3, 1)` or `ones((3, 3, 3))`.
#[test]
fn the_components_of_a_stack_are_those_of_scipy() {
    for (below, edges, corners) in
        [(6, (300, vec![17, 17, 17, 16, 16]), (1, vec![870])), (3, (303, vec![4; 5]), (14, vec![425, 2, 2, 2, 2]))]
    {
        let masks: Vec<Mask> = (0..4).map(|z| pattern(z, below)).collect();
        let slices: Vec<(usize, &Mask)> = masks.iter().enumerate().collect();
        let of = |connectivity| components(&slices, connectivity);
        let (edge, corner) = (of(Connectivity::Edge), of(Connectivity::Corner));
        assert_eq!((edge.len(), largest(&edge)), edges);
        assert_eq!((corner.len(), largest(&corner)), corners);
    }
}

#[test]
fn slices_that_do_not_follow_each_other_are_not_connected() {
    let full = mask(3, 3, |_, _| true);
    let of = |slices: [usize; 3]| {
        let slices: Vec<(usize, &Mask)> = slices.iter().map(|slice| (*slice, &full)).collect();
        components(&slices, Connectivity::Corner).len()
    };
    assert_eq!((of([2, 3, 4]), of([2, 3, 5]), of([2, 4, 6])), (1, 2, 3));
}

#[test]
fn a_component_gives_its_pixels_by_slice() {
    let (first, second) = (mask(4, 2, |x, y| x == y), mask(4, 2, |x, _| x == 3));
    let found = components(&[(7, &first), (8, &second)], Connectivity::Edge);
    let regions: Vec<Vec<(usize, Region)>> = found.iter().map(Component::regions).collect();
    assert_eq!(regions.len(), 3);
    assert_eq!(regions[0], [(7, Region::new([0, 0], [1, 1], vec![1]))]);
    assert_eq!(regions[2], [(8, Region::new([3, 0], [1, 2], vec![1, 1]))]);
}

fn bars() -> [Mask; 2] {
    // Of 4, 3 and 1 pixels; and of 2 and 5 pixels, of which the first continues the bar of 3.
    let rows = |lengths: [i64; 3]| mask(8, 6, move |x, y| y % 2 == 0 && x < lengths[(y / 2) as usize]);
    [rows([4, 3, 1]), rows([0, 2, 5])]
}

fn counts(left: &[(usize, Region)]) -> Vec<(usize, usize)> {
    left.iter().map(|(slice, region)| (*slice, region.pixels().count())).collect()
}

#[test]
fn the_largest_are_kept_by_slice_or_over_the_stack() {
    let [first, second] = bars();
    let slices = [(0, &first), (1, &second)];
    let keep = |count, extent| counts(&keep_largest(&slices, count, extent, Connectivity::Edge));
    assert_eq!(keep(1, Extent::Slice), [(0, 4), (1, 5)]);
    // The bars of 1 and 5 lie above each other, as do those of 3 and 2.
    assert_eq!(keep(1, Extent::Stack), [(0, 1), (1, 5)]);
    assert_eq!(keep(2, Extent::Stack), [(0, 4), (1, 7)]);
    assert_eq!(keep(0, Extent::Stack), [(0, 0), (1, 0)]);
    assert_eq!(keep(9, Extent::Slice), [(0, 8), (1, 7)]);
    let equal = mask(5, 1, |x, _| x % 2 == 0);
    let kept = keep_largest(&[(0, &equal)], 1, Extent::Slice, Connectivity::Edge);
    assert_eq!(kept[0].1.pixels().collect::<Vec<_>>(), [[0, 0]], "the first of equals");
}

#[test]
fn the_small_are_dropped_by_pixels_area_or_volume() {
    let [first, second] = bars();
    let slices = [(0, &first), (1, &second)];
    let spacing = Spacing { pixel_mm: Some([0.1, 0.7]), slice_mm: Some(3.0) };
    let drop =
        |than, extent| drop_smaller(&slices, than, &spacing, extent, Connectivity::Edge).map(|left| counts(&left));
    assert_eq!(drop(Smallest::Pixels(3.0), Extent::Slice), Ok(vec![(0, 7), (1, 5)]));
    // Three pixels are 0.21 mm², which has no exact binary representation.
    assert_eq!(drop(Smallest::Mm2(0.21), Extent::Slice), Ok(vec![(0, 7), (1, 5)]));
    assert_eq!(drop(Smallest::Mm3(0.21 * 5.0), Extent::Stack), Ok(vec![(0, 4), (1, 7)]), "5 voxels");
    assert_eq!(drop(Smallest::Mm2(1.0), Extent::Stack), Err(ToolError::WrongUnit));
    assert_eq!(drop(Smallest::Mm3(1.0), Extent::Slice), Err(ToolError::WrongUnit));
    assert_eq!(drop(Smallest::Pixels(f64::NAN), Extent::Slice), Err(ToolError::NotPositive));
    let plane = Spacing { slice_mm: None, ..spacing };
    let volume = drop_smaller(&slices, Smallest::Mm3(1.0), &plane, Extent::Stack, Connectivity::Edge);
    assert_eq!(volume, Err(ToolError::NoSliceDistance));
    let area = drop_smaller(&slices, Smallest::Mm2(1.0), &Spacing::default(), Extent::Slice, Connectivity::Edge);
    assert_eq!(area, Err(ToolError::NoPixelSize));
}

#[test]
fn nothing_has_no_components() {
    let empty = mask(4, 4, |_, _| false);
    assert!(components(&[(0, &empty)], Connectivity::Corner).is_empty());
    assert!(components(&[], Connectivity::Corner).is_empty());
    assert!(keep_largest(&[], 1, Extent::Stack, Connectivity::Corner).is_empty());
    assert!(keep_largest(&[(3, &empty)], 1, Extent::Stack, Connectivity::Corner)[0].1.is_empty());
}
