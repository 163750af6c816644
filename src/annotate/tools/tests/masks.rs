//! Fill holes, grow and shrink, smooth, interpolate.

use super::{blob, count, covers, foreground, mask, pattern, sums};
use crate::annotate::Region;
use crate::annotate::tools::{
    Length, Spacing, ToolError, fill_holes, gaps, grow_by, interpolate, shrink_by, smooth,
};
use crate::data::Mask;

fn spacing(pixel_mm: [f64; 2]) -> Spacing {
    Spacing { pixel_mm: Some(pixel_mm), slice_mm: None }
}

/// SciPy: the pixels of `ndimage.binary_fill_holes(mask) & ~mask`.
#[test]
fn holes_are_those_of_scipy() {
    let holes: Vec<[usize; 2]> = fill_holes(&pattern(0, 6)).pixels().collect();
    assert_eq!(holes, [[14, 2], [9, 4], [26, 4], [9, 14], [26, 14], [4, 16], [21, 16]]);
}

#[test]
fn a_ring_is_filled_and_a_bay_is_not() {
    let ring = mask(9, 9, |x, y| (x - 4).abs().max((y - 4).abs()) == 3);
    assert_eq!(count(&fill_holes(&ring)), 25);
    let bay = mask(9, 9, |x, y| (x - 4).abs().max((y - 4).abs()) == 3 && (x, y) != (4, 1));
    assert!(fill_holes(&bay).is_empty());
    let rhomb = mask(9, 9, |x, y| (x - 4).abs() + (y - 4).abs() == 3);
    assert_eq!(count(&fill_holes(&rhomb)), 13, "closed across corners");
    for (width, height) in [(0, 0), (1, 7), (7, 1)] {
        assert!(fill_holes(&mask(width.max(1), height.max(1), |x, y| (x + y) % 2 == 0)).is_empty());
    }
    assert!(fill_holes(&Mask { width: 0, height: 0, values: Vec::new() }).is_empty());
}

/// SciPy: `(ndimage.distance_transform_edt(~mask, sampling=(row, column)) <= r).sum()` and `(distance_transform_edt(mask,
/// sampling=…) > r).sum()`.
#[test]
fn growing_and_shrinking_are_those_of_scipy() {
    let blob = blob();
    let cases = [
        ([1.0, 1.0], 1.0, (479, 299)),
        ([1.0, 1.0], 2.5, (617, 209)),
        ([1.0, 1.0], 4.2, (851, 89)),
        ([0.6, 1.5], 1.0, (432, 339)),
        ([0.6, 1.5], 2.5, (634, 194)),
        ([0.6, 1.5], 4.2, (848, 80)),
    ];
    for (pixel_mm, mm, expected) in cases {
        let grown = grow_by(&blob, Length::Mm(mm), &spacing(pixel_mm)).expect("a region");
        let shrunk = shrink_by(&blob, Length::Mm(mm), &spacing(pixel_mm)).expect("a region");
        assert_eq!((count(&grown), count(&shrunk)), expected, "{mm} mm of {pixel_mm:?}");
    }
    let pixels = grow_by(&blob, Length::Pixels(2.5), &spacing([0.6, 1.5])).expect("a region");
    assert_eq!(count(&pixels), 617, "pixels are pixels, whatever their size");
}

#[test]
fn shrinking_what_was_grown_gives_at_least_what_there_was() {
    let mut random = fastrand::Rng::with_seed(8);
    for _ in 0..40 {
        let size = [1 + random.usize(0..30), 1 + random.usize(0..30)];
        let density = random.f64();
        let values: Vec<u8> = (0..size[0] * size[1]).map(|_| u8::from(random.f64() < density)).collect();
        let mask = Mask { width: size[0], height: size[1], values };
        let (by, spacing) = (Length::Mm(0.3 + 3.0 * random.f64()), spacing([0.4, 0.9]));
        let grown = grow_by(&mask, by, &spacing).expect("a region");
        let closed = shrink_by(&grown.to_mask(size[0], size[1]), by, &spacing).expect("a region");
        assert!(covers(&grown, &mask) && covers(&closed, &mask), "closing is extensive");
        let shrunk = shrink_by(&mask, by, &spacing).expect("a region");
        let opened = grow_by(&shrunk.to_mask(size[0], size[1]), by, &spacing).expect("a region");
        assert!(opened.pixels().all(|[x, y]| mask.values[y * size[0] + x] != 0), "opening is anti-extensive");
    }
}

#[test]
fn a_length_that_is_reached_exactly_counts() {
    let point = mask(9, 1, |x, _| x == 4);
    // Three times 0.1 is not 0.3 in binary numbers.
    let grown = grow_by(&point, Length::Mm(0.3), &spacing([0.1, 0.1])).expect("a region");
    assert_eq!(count(&grown), 7);
    let bar = mask(9, 1, |x, _| (1..8).contains(&x));
    assert_eq!(count(&shrink_by(&bar, Length::Mm(0.3), &spacing([0.1, 0.1])).expect("a region")), 1);
}

#[test]
fn the_edge_of_the_image_is_no_background() {
    let full = mask(6, 5, |_, _| true);
    assert_eq!(count(&shrink_by(&full, Length::Pixels(3.0), &Spacing::default()).expect("a region")), 30);
    let half = mask(6, 5, |x, _| x < 3);
    assert_eq!(count(&shrink_by(&half, Length::Pixels(1.0), &Spacing::default()).expect("a region")), 10);
    let empty = mask(6, 5, |_, _| false);
    for region in [grow_by, shrink_by, smooth].map(|tool| tool(&empty, Length::Pixels(2.0), &Spacing::default())) {
        assert_eq!(region, Ok(Region::default()));
    }
}

#[test]
fn mm_without_a_pixel_size_are_refused() {
    for tool in [grow_by, shrink_by, smooth] {
        let refused = |by| tool(&blob(), by, &Spacing::default()).err();
        assert_eq!(refused(Length::Mm(1.0)), Some(ToolError::NoPixelSize));
        assert_eq!(refused(Length::Pixels(-1.0)), Some(ToolError::NotPositive));
    }
    assert!(ToolError::NoPixelSize.to_string().contains("Choose pixels"));
}

/// SciPy: `m = ndimage.gaussian_filter(mask.astype(float), (rows, columns), mode="nearest", truncate=4) >= 0.5`, then
/// `m.sum()`, `(m & ~mask).sum()`.
#[test]
fn smoothing_is_that_of_scipy() {
    let blob = blob();
    let cases = [
        (Length::Pixels(1.0), None, (378, 2)),
        (Length::Pixels(2.0), None, (365, 4)),
        (Length::Mm(1.2), Some([0.6, 1.5]), (376, 4)),
    ];
    for (by, pixel_mm, expected) in cases {
        let smoothed = smooth(&blob, by, &Spacing { pixel_mm, slice_mm: None }).expect("a region");
        let added = smoothed.pixels().filter(|[x, y]| blob.values[y * 50 + x] == 0).count();
        assert_eq!((count(&smoothed), added), expected, "{by:?}");
    }
}

#[test]
fn smoothing_keeps_straight_edges_and_removes_specks() {
    let half = mask(20, 10, |x, y| x < 10 && !(x == 4 && y == 4) || (x, y) == (16, 5));
    let smoothed = smooth(&half, Length::Pixels(1.5), &Spacing::default()).expect("a region");
    assert_eq!(smoothed.to_mask(20, 10), mask(20, 10, |x, _| x < 10));
    let huge = smooth(&half, Length::Pixels(1e9), &Spacing::default());
    assert!(huge.is_ok(), "a length beyond the image does not fill the memory");
    let row = smooth(&mask(9, 1, |x, _| (2..7).contains(&x)), Length::Pixels(1.0), &Spacing::default());
    assert_eq!(row.map(|region| count(&region)), Ok(5));
}

/// SciPy: `sd(m) = where(m, distance_transform_edt(m) - 0.5, 0.5 - distance_transform_edt(~m))`, then the pixels of
/// `(1 - t) * sd(a) + t * sd(b) >= 0` and the sums of their columns and rows.
#[test]
fn interpolation_is_that_of_scipy() {
    let disc = mask(50, 40, |x, y| (x - 20).pow(2) + (y - 18).pow(2) <= 100);
    let bar = mask(50, 40, |x, y| (x - 26).abs() <= 4 && (y - 20).abs() <= 9);
    for (share, expected) in [(0.25, (262, [5715, 4796])), (0.5, (227, [5329, 4231])), (0.75, (194, [4827, 3733]))]
    {
        let region = interpolate(&disc, &bar, share, &Spacing::default()).expect("a region");
        assert_eq!((count(&region), sums(&region)), expected, "{share}");
    }
}

#[test]
fn between_two_discs_lies_a_disc() {
    let disc =
        |radius: f64| mask(101, 101, move |x, y| (((x - 50).pow(2) + (y - 50).pow(2)) as f64).sqrt() <= radius);
    let (small, large) = (disc(10.0), disc(40.0));
    for share in [0.2, 0.5, 0.9] {
        let area = count(&interpolate(&small, &large, share, &spacing([0.7, 0.7])).expect("a region")) as f64;
        let radius = (area / std::f64::consts::PI).sqrt();
        assert!((radius - (10.0 + 30.0 * share)).abs() < 0.5, "{radius} at {share}");
    }
}

#[test]
fn the_ends_of_an_interpolation_are_the_masks() {
    let (a, b) = (blob(), mask(50, 40, |x, y| x > 30 && y < 25));
    let at = |share: f64| interpolate(&a, &b, share, &Spacing::default()).expect("a region").to_mask(50, 40);
    assert_eq!((at(0.0), at(1.0)), (a.clone(), b.clone()));
    assert_eq!((at(-3.0), at(f64::INFINITY)), (a.clone(), b.clone()), "never beyond the ends");
    assert_eq!(interpolate(&a, &a, 0.4, &Spacing::default()).map(|region| count(&region)), Ok(foreground(&a)));
    let empty = mask(50, 40, |_, _| false);
    assert_eq!(interpolate(&a, &empty, 0.5, &Spacing::default()), Ok(Region::default()));
    let full = mask(50, 40, |_, _| true);
    assert_eq!(interpolate(&full, &full, 0.5, &Spacing::default()).map(|region| count(&region)), Ok(2000));
    assert_eq!(interpolate(&a, &pattern(0, 3), 0.5, &Spacing::default()), Err(ToolError::Sizes));
}

#[test]
fn gaps_lie_between_slices_with_a_mask() {
    assert_eq!(gaps([2, 3, 6, 7, 9]), [[3, 6], [7, 9]]);
    assert!(gaps([]).is_empty() && gaps([4]).is_empty() && gaps([4, 5]).is_empty());
}
