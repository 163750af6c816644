//! The brush, the sphere and the smart brush.

use super::{count, plain};
use crate::annotate::Region;
use crate::annotate::tools::{Interval, Length, SmartStroke, SphereStroke, Stroke, ToolError, sections};
use crate::data::volume::{Geometry, Placement};

/// Returns the squared distance from a point to a segment, where lengths are divided by the radii.
fn squared_distance(point: [f64; 2], [from, to]: [[f64; 2]; 2], radii: [f64; 2]) -> f64 {
    let [p, a, b] = [point, from, to].map(|[x, y]| [x / radii[0], y / radii[1]]);
    let [across, down] = [b[0] - a[0], b[1] - a[1]];
    let length = across * across + down * down;
    let share = if length > 0.0 { ((p[0] - a[0]) * across + (p[1] - a[1]) * down) / length } else { 0.0 };
    let share = share.clamp(0.0, 1.0);
    (p[0] - a[0] - share * across).powi(2) + (p[1] - a[1] - share * down).powi(2)
}

#[test]
fn a_stroke_covers_the_pixels_within_the_radius_of_its_path() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..200 {
        let size = [1 + random.usize(0..40), 1 + random.usize(0..40)];
        let pixel_mm = [0.4 + random.f64(), 0.4 + random.f64()];
        let mut stroke = Stroke::new(size, Length::Mm(1.2 + 4.0 * random.f64()), Some(pixel_mm)).expect("a brush");
        let mut place = || [random.f64() * 60.0 - 10.0, random.f64() * 60.0 - 10.0];
        let [from, to] = [place(), place()];
        let [first, second] = [stroke.extend(&[from]), stroke.extend(&[to])];
        for (x, y) in (0..size[0]).flat_map(|x| (0..size[1]).map(move |y| (x, y))) {
            let squared = squared_distance([x as f64 + 0.5, y as f64 + 0.5], [from, to], stroke.radii());
            // The brush is so large that every pixel on its path has its centre within it.
            if (squared - 1.0).abs() > 1e-6 {
                let is_painted = first.contains(x, y) || second.contains(x, y);
                assert_eq!(is_painted, squared < 1.0, "{size:?}, {from:?} to {to:?} at {x}, {y}");
            }
        }
    }
}

#[test]
fn a_small_brush_leaves_no_gap() {
    let mut stroke = Stroke::new([50, 20], Length::Pixels(0.3), None).expect("a brush");
    let path = stroke.extend(&[[1.2, 1.7], [47.1, 17.9]]);
    let rows: Vec<Vec<usize>> =
        (0..20).map(|y| (0..50).filter(|x| path.contains(*x, y)).collect::<Vec<_>>()).collect();
    assert!(rows[1..=17].iter().all(|row| row.windows(2).all(|pair| pair[1] == pair[0] + 1) && !row.is_empty()));
    assert!(rows.windows(2).skip(1).take(16).all(|rows| rows[1].contains(rows[0].last().expect("a pixel"))));
    let point = Stroke::new([5, 5], Length::Pixels(0.1), None).expect("a brush").extend(&[[2.9, 3.1]]);
    assert_eq!(point.pixels().collect::<Vec<_>>(), [[2, 3]]);
}

/// scikit-image: `len(draw.ellipse(18.3, 20.8, 7.5, 5.0, (40, 50))[0])` for the centre of row 18.3 and column 20.8.
#[test]
fn a_circle_in_mm_is_an_ellipse_of_pixels_that_are_not_square() {
    let mut stroke = Stroke::new([50, 40], Length::Mm(3.0), Some([0.6, 0.4])).expect("a brush");
    assert_eq!(stroke.radii().map(|radius| (radius * 1e9).round() / 1e9), [5.0, 7.5]);
    assert_eq!(count(&stroke.extend(&[[21.3, 18.8]])), 118);
}

#[test]
fn the_parts_of_a_stroke_are_the_stroke() {
    let points: Vec<[f64; 2]> =
        (0..60).map(|step| [step as f64 * 1.7, 30.0 + 25.0 * (f64::from(step) / 5.0).sin()]).collect();
    let mut whole = Stroke::new([100, 60], Length::Pixels(3.5), None).expect("a brush");
    let mut parts = whole.clone();
    let whole = whole.extend(&points).to_mask(100, 60);
    let mut painted = vec![0; 6000];
    for points in points.chunks(7) {
        let part = parts.extend(points);
        assert!(part.size()[0] < 30, "a part is no larger than it needs to be");
        part.pixels().for_each(|[x, y]| painted[y * 100 + x] = 1);
    }
    assert_eq!(painted, whole.values);
}

#[test]
fn ten_thousand_points_are_painted_at_once() {
    let mut random = fastrand::Rng::with_seed(1);
    let points: Vec<[f64; 2]> = (0..10_000).map(|_| [random.f64() * 512.0, random.f64() * 512.0]).collect();
    let region = Stroke::new([512, 512], Length::Pixels(8.0), None).expect("a brush").extend(&points);
    assert!(count(&region) > 260_000, "nearly everything");
}

#[test]
fn points_that_are_nowhere_do_no_harm() {
    let mut stroke = Stroke::new([8, 8], Length::Pixels(2.0), None).expect("a brush");
    assert!(stroke.extend(&[[f64::NAN, 1.0], [f64::INFINITY, 1.0]]).is_empty());
    assert!(stroke.extend(&[]).is_empty());
    assert!(stroke.extend(&[[-1e12, 4.0]]).is_empty());
    assert_eq!(stroke.extend(&[[1e12, 4.0]]).size()[0], 8, "the stroke runs through the image");
    assert!(Stroke::new([0, 0], Length::Pixels(2.0), None).expect("a brush").extend(&[[0.0, 0.0]]).is_empty());
    let thin = Stroke::new([1, 9], Length::Pixels(1.0), None).expect("a brush").extend(&[[0.5, 4.5]]);
    assert_eq!(thin.pixels().collect::<Vec<_>>(), [[0, 3], [0, 4], [0, 5]]);
}

#[test]
fn mm_need_a_pixel_size() {
    let stroke = |radius, pixel_mm| Stroke::new([8, 8], radius, pixel_mm).map(|stroke| stroke.radii());
    assert_eq!(stroke(Length::Mm(2.0), None), Err(ToolError::NoPixelSize));
    assert_eq!(stroke(Length::Mm(2.0), Some([0.0, 1.0])), Err(ToolError::NoPixelSize));
    assert_eq!(stroke(Length::Mm(f64::NAN), Some([1.0, 1.0])), Err(ToolError::NotPositive));
    assert_eq!(stroke(Length::Pixels(0.0), None), Err(ToolError::NotPositive));
    assert_eq!(stroke(Length::Pixels(2.0), None), Ok([2.0, 2.0]));
}

fn stack(slice_mm: Option<f64>) -> Geometry {
    Geometry { pixel_mm: Some([0.5, 0.5]), slice_mm, ..Geometry::default() }
}

#[test]
fn a_sphere_has_the_volume_of_a_sphere() {
    let geometry = stack(Some(0.5));
    let mut stroke = SphereStroke::new(&geometry, [64, 64, 64], 30, 10.0).expect("a sphere");
    let regions = stroke.extend(&[[32.0, 32.0]]);
    let slices: Vec<usize> = regions.iter().map(|(slice, _)| *slice).collect();
    // A section of radius 0 is none, so 20 slices of 0.5 mm above and below would be one too many.
    assert_eq!(slices, (11..50).collect::<Vec<_>>());
    let voxels: usize = regions.iter().map(|(_, region)| count(region)).sum();
    let volume = voxels as f64 * 0.125;
    assert!((volume / (4.0 / 3.0 * std::f64::consts::PI * 1000.0) - 1.0).abs() < 0.01, "{volume} mm³");
    let at = |slice: usize| regions.iter().find(|(of, _)| *of == slice).map(|(_, region)| region.clone());
    assert_eq!(at(18), at(42), "it is the same above and below");
}

#[test]
fn a_sphere_needs_the_distance_between_slices_only_where_there_are_several() {
    assert_eq!(sections(&stack(None), 3, 1, 4.0), Err(ToolError::NoSliceDistance));
    assert_eq!(sections(&Geometry::default(), 3, 1, 4.0), Err(ToolError::NoPixelSize));
    assert_eq!(sections(&stack(None), 1, 0, 4.0).map(|found| found.len()), Ok(1));
    assert_eq!(sections(&stack(Some(1.0)), 3, 3, 4.0), Err(ToolError::Outside));
    assert_eq!(sections(&stack(Some(1.0)), 3, 1, -1.0), Err(ToolError::NotPositive));
}

#[test]
fn the_sphere_stays_in_place_in_the_patient_if_the_stack_is_tilted() {
    // Each slice lies 3 mm further along the normal and 4 mm further down than the one before.
    let positions = (0..5).map(|slice| [0.0, 4.0 * f64::from(slice), 3.0 * f64::from(slice)]).collect();
    let placement = Some(Placement { across: [1.0, 0.0, 0.0], down: [0.0, 1.0, 0.0], positions });
    let geometry = Geometry { pixel_mm: Some([1.0, 2.0]), slice_mm: Some(5.0), placement, ..Geometry::default() };
    let found = sections(&geometry, 5, 2, 5.0).expect("a sphere");
    let sections: Vec<_> = found.iter().map(|section| (section.slice, section.radius_mm, section.shift)).collect();
    assert_eq!(sections, [(1, 4.0, [0.0, 2.0]), (2, 5.0, [0.0, 0.0]), (3, 4.0, [0.0, -2.0])]);
    let centre = |section: &crate::annotate::tools::Section| {
        geometry.place(10.0 + section.shift[0], 10.0 + section.shift[1], section.slice).expect("a place")
    };
    let places: Vec<[f64; 3]> = found.iter().map(centre).collect();
    assert!(places.iter().all(|place| (place[0], place[1]) == (places[0][0], places[0][1])), "{places:?}");
}

#[test]
fn the_smart_brush_stays_on_its_side_of_an_edge() {
    // Columns 0 to 9 are dark, 10 to 19 bright, with a dark island on the bright side.
    let value = |index: usize| if index % 20 < 10 || index % 20 > 16 { 10.0 } else { 200.0 };
    let values: Vec<f32> = (0..400).map(value).collect();
    let view = plain(&values, 20);
    let interval = Interval::around(&view, [8.5, 10.5], Some(20.0), None).expect("an interval");
    let mut stroke = SmartStroke::new(&view, Length::Pixels(9.0), interval).expect("a brush");
    let region = stroke.extend(&view, &[[8.5, 10.5]]);
    let whole = Stroke::new([20, 20], Length::Pixels(9.0), None).expect("a brush").extend(&[[8.5, 10.5]]);
    let expected: Vec<[usize; 2]> = whole.pixels().filter(|[x, _]| *x < 10).collect();
    assert!(whole.contains(17, 10), "the brush reaches the dark columns on the other side");
    assert_eq!(region.pixels().collect::<Vec<_>>(), expected);
    assert_eq!(stroke.extend(&view, &[[14.5, 10.5]]).pixels().map(|[x, _]| x).max(), Some(9));
    let over = stroke.extend(&view, &[[18.5, 10.5]]);
    assert!(over.contains(19, 10) && over.pixels().all(|[x, _]| x > 16), "where the path is, it paints");
}

#[test]
fn the_smart_brush_reads_the_probability_and_needs_one() {
    let values = vec![f32::NAN; 100];
    let view = plain(&values, 10);
    let interval = Interval { value: None, probability: Some([0.5, 1.0]) };
    assert_eq!(SmartStroke::new(&view, Length::Pixels(3.0), interval).err(), Some(ToolError::NoProbability));
    assert_eq!(
        Interval::around(&view, [2.0, 2.0], Some(1.0), None),
        Err(ToolError::Blocked),
        "a value that is NaN"
    );
    let values = vec![0.0; 100];
    let probability: Vec<f32> = (0..100).map(|index| if index % 10 < 4 { 0.9 } else { 0.1 }).collect();
    let view = plain(&values, 10).with_probability(Some(&probability));
    let mut stroke = SmartStroke::new(&view, Length::Pixels(3.0), interval).expect("a brush");
    let region = stroke.extend(&view, &[[2.5, 5.5]]);
    assert!(!region.is_empty() && region.pixels().all(|[x, _]| x < 4));
    assert_eq!(stroke.extend(&view, &[[-40.0, 5.5]]).pixels().map(|[x, _]| x).min(), Some(0));
    let nothing: Region =
        SmartStroke::new(&view, Length::Pixels(3.0), interval).expect("a brush").extend(&view, &[]);
    assert!(nothing.is_empty());
}
