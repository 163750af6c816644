//! Polygon, flood and connected regions.

use super::{count, mask, plain, sums};
use crate::annotate::tools::{
    Connectivity, Interval, SliceView, ToolError, component_at, component_of, flood, grey, polygon,
};
use crate::data::{Image, Pixels};

/// Returns how often a closed line winds around a point.
fn winding(points: &[[f64; 2]], [x, y]: [f64; 2]) -> i32 {
    let mut winding = 0;
    for (index, a) in points.iter().enumerate() {
        let b = points[(index + 1) % points.len()];
        let side = (b[0] - a[0]) * (y - a[1]) - (x - a[0]) * (b[1] - a[1]);
        if a[1] <= y && b[1] > y && side > 0.0 {
            winding += 1;
        } else if a[1] > y && b[1] <= y && side < 0.0 {
            winding -= 1;
        }
    }
    winding
}

#[test]
fn a_polygon_has_the_pixels_that_it_winds_around() {
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..200 {
        let size = [1 + random.usize(0..30), 1 + random.usize(0..30)];
        let corners = random.usize(3..12);
        let points: Vec<[f64; 2]> =
            (0..corners).map(|_| [random.f64() * 50.0 - 10.0, random.f64() * 50.0 - 10.0]).collect();
        let region = polygon(&points, size);
        for (x, y) in (0..size[0]).flat_map(|x| (0..size[1]).map(move |y| (x, y))) {
            let is_inside = winding(&points, [x as f64 + 0.5, y as f64 + 0.5]) != 0;
            assert_eq!(region.contains(x, y), is_inside, "{points:?} at {x}, {y}");
        }
    }
}

/// scikit-image: `r, c = draw.polygon(ys - 0.5, xs - 0.5, (40, 50))`, whose pixels have their centres at whole numbers;
/// then `len(r), c.sum(), r.sum()`.
#[test]
fn a_simple_polygon_is_that_of_scikit_image() {
    let region = polygon(&[[3.2, 2.1], [40.7, 8.3], [30.4, 33.9], [18.6, 12.2], [5.3, 30.8]], [50, 40]);
    assert_eq!((count(&region), sums(&region)), (619, [12469, 8747]));
}

#[test]
fn polygons_with_a_common_side_share_no_pixel() {
    let left = polygon(&[[1.5, 1.5], [4.5, 1.5], [4.5, 6.5], [1.5, 6.5]], [10, 10]);
    let right = polygon(&[[4.5, 1.5], [7.5, 1.5], [7.5, 6.5], [4.5, 6.5]], [10, 10]);
    assert_eq!((count(&left), count(&right)), (15, 15));
    assert!(left.pixels().all(|[x, y]| !right.contains(x, y)));
}

#[test]
fn a_lasso_that_crosses_itself_has_no_hole() {
    // Twice around the same square.
    let square = [[2.0, 2.0], [8.0, 2.0], [8.0, 8.0], [2.0, 8.0]];
    let twice: Vec<[f64; 2]> = square.iter().chain(&square).copied().collect();
    assert_eq!(count(&polygon(&twice, [10, 10])), 36);
}

#[test]
fn a_polygon_needs_three_points() {
    assert!(polygon(&[[0.0, 0.0], [9.0, 9.0]], [10, 10]).is_empty());
    assert!(polygon(&[[0.0, 0.0], [9.0, 9.0], [f64::NAN, 3.0]], [10, 10]).is_empty());
    assert!(polygon(&[[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]], [0, 0]).is_empty());
    assert!(polygon(&[[20.0, 20.0], [29.0, 20.0], [29.0, 29.0]], [10, 10]).is_empty());
    assert_eq!(count(&polygon(&[[-1e9, -1e9], [1e9, -1e9], [1e9, 1e9], [-1e9, 1e9]], [10, 10])), 100);
    assert_eq!(count(&polygon(&[[0.0, 0.0], [9.0, 0.0], [9.0, 1.0], [0.0, 1.0]], [20, 1])), 9, "a row of pixels");
}

/// scikit-image: `segmentation.flood(values, (18, 20), connectivity=1 or 2, tolerance=4)`, then the number of pixels and
/// the sums of their columns and rows.
#[test]
fn a_flood_is_that_of_scikit_image() {
    let at =
        |index: usize| ((index % 50).pow(2) * 3 + (index / 50).pow(2) * 5 + (index % 50) * (index / 50)) % 97 / 8;
    let values: Vec<f32> = (0..2000).map(|index| at(index) as f32).collect();
    let view = plain(&values, 50);
    let interval = Interval::around(&view, [20.5, 18.5], Some(4.0), None).expect("an interval");
    for (connectivity, expected) in
        [(Connectivity::Edge, (8, [156, 140])), (Connectivity::Corner, (1175, [27947, 23385]))]
    {
        let region = flood(&view, [20.5, 18.5], interval, connectivity).expect("a region");
        assert_eq!((count(&region), sums(&region)), expected, "{connectivity:?}");
    }
}

#[test]
fn a_flood_takes_what_lies_in_both_intervals_and_inside() {
    let values: Vec<f32> = (0..100).map(|index| (index % 10) as f32).collect();
    let probability: Vec<f32> = (0..100).map(|index| (index / 10) as f32 / 10.0).collect();
    let inside = mask(10, 10, |x, _| x != 2);
    let view = plain(&values, 10).with_probability(Some(&probability));
    let interval = Interval { value: Some([1.0, 6.0]), probability: Some([0.2, 0.5]) };
    let region = flood(&view, [4.5, 3.5], interval, Connectivity::Edge).expect("a region");
    assert_eq!((region.corner(), region.size(), count(&region)), ([1, 2], [6, 4], 24), "both ends belong to it");
    let view = view.inside(Some(&inside.values));
    let region = flood(&view, [4.5, 3.5], interval, Connectivity::Corner).expect("a region");
    assert_eq!((region.corner(), count(&region)), ([3, 2], 16), "the mask is a barrier");
    assert_eq!(flood(&view, [2.5, 3.5], interval, Connectivity::Edge), Err(ToolError::Blocked));
    assert!(flood(&view, [9.5, 9.5], interval, Connectivity::Edge).expect("a region").is_empty());
}

#[test]
fn a_flood_stops_at_nan_and_starts_in_the_image_only() {
    let values = [1.0, f32::NAN, 1.0, 1.0];
    let view = plain(&values, 4);
    let anything = Interval::default();
    let at = |x: f64| flood(&view, [x, 0.5], anything, Connectivity::Edge).map(|region| count(&region));
    assert_eq!((at(0.5), at(3.9), at(1.5)), (Ok(1), Ok(2), Err(ToolError::Blocked)));
    assert_eq!(
        (at(4.0), at(-0.1), at(f64::NAN)),
        (Err(ToolError::Outside), Err(ToolError::Outside), Err(ToolError::Outside))
    );
    let by_probability = Interval { probability: Some([0.0, 1.0]), ..anything };
    assert_eq!(flood(&view, [0.5, 0.5], by_probability, Connectivity::Edge), Err(ToolError::NoProbability));
}

#[test]
fn a_component_of_the_probability_has_its_own_threshold() {
    let probability = [0.9, 0.6, 0.4, 0.6, 0.9, 0.1, 0.1, 0.1, 0.1, 0.1];
    let values = [0.0; 10];
    let view = plain(&values, 5).with_probability(Some(&probability));
    let at = |threshold: f32| component_of(&view, [0.5, 0.5], threshold).map(|region| count(&region));
    assert_eq!([at(0.9), at(0.5), at(0.4), at(0.95)], [Ok(1), Ok(2), Ok(5), Ok(0)]);
    assert_eq!(component_of(&plain(&values, 5), [0.5, 0.5], 0.5), Err(ToolError::NoProbability));
}

#[test]
fn a_component_of_a_mask_reaches_across_corners() {
    let mask = mask(6, 4, |x, y| (x == y && x < 3) || x == 5);
    let at = |x: f64, y: f64| count(&component_at(&mask, [x, y]));
    assert_eq!((at(0.5, 0.5), at(5.5, 0.5), at(3.5, 0.5), at(-1.0, 0.0)), (3, 4, 0, 0));
}

#[test]
fn a_colour_image_is_seen_by_its_luminance() {
    let pixels = Pixels::U8(vec![255, 0, 0, 0, 255, 0, 0, 0, 255, 100, 100, 100]);
    let values = grey(&Image { width: 4, height: 1, channels: 3, pixels });
    let rounded: Vec<f32> = values.iter().map(|value| (value * 100.0).round() / 100.0).collect();
    assert_eq!(rounded, [54.21, 182.38, 18.41, 100.0]);
    assert_eq!(grey(&Image { width: 2, height: 1, channels: 1, pixels: Pixels::U16(vec![7, 9]) }), [7.0, 9.0]);
}

#[test]
#[should_panic(expected = "3 values of 2x2 pixels")]
fn a_view_has_a_value_for_every_pixel() {
    SliceView::new(2, 2, &[0.0; 3]);
}
