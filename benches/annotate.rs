//! Measures the tools of annotation on a picture of 2373×2373 px. Every time is also given as a multiple of the time to
//! decode a JPEG of this size, which is measured beside it, because machines differ.
//!
//! `cargo bench --bench annotate`.

// Benches may write their files directly.
#![allow(clippy::disallowed_methods)]

use std::time::Instant;

use himix::annotate::tools::{
    Connectivity, Extent, Front, GrowSettings, Interval, Length, LiveWire, SliceView, SmartStroke, Spacing,
    SphereStroke, Stroke, component_of, fill_holes, flood, grow_by, interpolate, keep_largest, polygon, shrink_by,
    smooth,
};
use himix::data::Mask;
use himix::data::volume::Geometry;

const SIDE: usize = 2373;
const TRIES: usize = 9;

/// Returns the median milliseconds of some calls.
fn median<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..TRIES)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(call());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[TRIES / 2]
}

fn disc(column: f64, row: f64, radius: f64) -> Mask {
    let is_set = |at: usize| ((at % SIDE) as f64 - column).hypot((at / SIDE) as f64 - row) <= radius;
    Mask { width: SIDE, height: SIDE, values: (0..SIDE * SIDE).map(|at| u8::from(is_set(at))).collect() }
}

fn main() {
    let mut random = fastrand::Rng::with_seed(1);
    // A soft bright disc on a dark ground, with noise.
    let shade = |at: usize| {
        let far = ((at % SIDE) as f32 - 1200.0).hypot((at / SIDE) as f32 - 1100.0);
        1.0 / (1.0 + ((far - 600.0) / 4.0).exp())
    };
    let values: Vec<f32> = (0..SIDE * SIDE).map(|at| 60.0 + 120.0 * shade(at) + 8.0 * random.f32()).collect();
    let probability: Vec<f32> = (0..SIDE * SIDE).map(shade).collect();
    let view =
        SliceView::new(SIDE, SIDE, &values).with_pixel_mm(Some([0.14, 0.14])).with_probability(Some(&probability));
    let (seed, size) = ([1200.5, 1100.5], [SIDE, SIDE]);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let jpeg = folder.path().join("large.jpg");
    let large = image::RgbImage::from_fn(SIDE as u32, SIDE as u32, |x, y| {
        image::Rgb([(x / 9) as u8, (y / 9) as u8, (x ^ y) as u8])
    });
    large.save(&jpeg).expect("written");
    let unit = median(|| image::open(&jpeg).expect("a picture"));
    println!("decoding a JPEG of {SIDE}×{SIDE} px: {unit:.0} ms, the unit of the second column");
    let report = |name: &str, ms: f64| println!("{name:58} {ms:9.2} ms {:8.4}", ms / unit);

    let brush = || Stroke::on(&view, Length::Pixels(40.0)).expect("a brush");
    let mut stroke = brush();
    stroke.extend(&[seed]);
    let mut column = 1200.5;
    let event = median(|| {
        column += 12.0;
        stroke.extend(&[[column, 1100.5]])
    });
    report("brush of 40 px, one event", event);
    let points: Vec<[f64; 2]> =
        (0..10_000).map(|_| [random.f64() * SIDE as f64, random.f64() * SIDE as f64]).collect();
    let path: Vec<[f64; 2]> = (0..10_000)
        .map(|at| at as f64 / 300.0)
        .map(|at| [1200.0 + 30.0 * at * at.cos(), 1100.0 + 30.0 * at * at.sin()])
        .collect();
    report("brush of 40 px, 10,000 points along a spiral", median(|| brush().extend(&path)));
    report("brush of 40 px, 10,000 lines across the picture", median(|| brush().extend(&points)));
    let geometry = Geometry { pixel_mm: Some([0.14, 0.14]), slice_mm: Some(0.5), ..Geometry::default() };
    let sphere = || SphereStroke::new(&geometry, [SIDE, SIDE, 60], 30, 5.6).expect("a sphere");
    report("sphere of 5.6 mm in 23 slices, one event", median(|| sphere().extend(&[seed, [1212.5, 1100.5]])));
    report("lasso of 10,000 points", median(|| polygon(&path, size)));

    let interval = Interval::around(&view, seed, Some(20.0), None).expect("an interval");
    report("flood of a disc of 600 px", median(|| flood(&view, seed, interval, Connectivity::Edge)));
    report("connected region of the probability", median(|| component_of(&view, seed, 0.4)));
    let mut smart = SmartStroke::new(&view, Length::Pixels(40.0), interval).expect("a brush");
    report("smart brush of 40 px, one event", median(|| smart.extend(&view, &[seed])));

    let front = || Front::new(&view, seed, GrowSettings::default()).expect("a seed");
    report("grow: the seed", median(front));
    let mut passed = 0;
    let grown = median(|| {
        let mut front = front();
        front.advance(&view, 70.0, usize::MAX);
        passed = front.region(70.0).pixels().count();
        front
    });
    report(&format!("grow: to 70 mm, {passed} px"), grown);
    let (mut live, mut threshold) = (front(), 30.0);
    live.advance(&view, threshold, usize::MAX);
    let drag = median(|| {
        threshold += 0.28;
        live.advance(&view, threshold, usize::MAX);
        live.region(threshold)
    });
    report("grow: a drag by 2 px at 30 mm, with its region", drag);
    let wire = || LiveWire::new(&view, [1800.5, 1100.5]).expect("an anchor");
    report("live wire: the anchor", median(wire));
    let along = median(|| {
        let mut wire = wire();
        wire.advance(&view, [1624.5, 1524.5], usize::MAX);
        wire.path([1624.5, 1524.5])
    });
    report("live wire: along an edge of 470 px", along);

    let mask = disc(1200.0, 1100.0, 600.0);
    let other = disc(1260.0, 1180.0, 500.0);
    let spacing = Spacing { pixel_mm: Some([0.14, 0.14]), slice_mm: None };
    report("fill holes", median(|| fill_holes(&mask)));
    report("keep the largest", median(|| keep_largest(&[(0, &mask)], 1, Extent::Slice, Connectivity::Corner)));
    report("smooth by 1 mm", median(|| smooth(&mask, Length::Mm(1.0), &spacing)));
    report("grow by 2 mm", median(|| grow_by(&mask, Length::Mm(2.0), &spacing)));
    report("shrink by 2 mm", median(|| shrink_by(&mask, Length::Mm(2.0), &spacing)));
    report("interpolate one slice", median(|| interpolate(&mask, &other, 0.5, &spacing)));
}
