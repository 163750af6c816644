//! Growing from a seed, and the live wire.

use super::{count, mask, plain};
use crate::annotate::tools::{Front, GrowSettings, LiveWire, ToolError};

const NO_LIMIT: usize = usize::MAX;

/// Two halves of different values; the edge lies between the columns 19 and 20.
fn halves() -> Vec<f32> {
    (0..1600).map(|index| if index % 40 < 20 { 100.0 } else { 200.0 }).collect()
}

#[test]
fn on_uniform_ground_the_arrival_is_the_distance() {
    let values = vec![7.0; 101 * 101];
    let view = plain(&values, 101).with_pixel_mm(Some([0.5, 0.8]));
    let mut front = Front::new(&view, [50.5, 50.5], GrowSettings::default()).expect("a front");
    assert!(front.advance(&view, f32::INFINITY, NO_LIMIT));
    for (x, y) in (0..101).flat_map(|x| (0..101).map(move |y| (x, y))) {
        let exact = ((x as f64 - 50.0) * 0.5).hypot((y as f64 - 50.0) * 0.8);
        let found = f64::from(front.at(x, y).expect("passed"));
        // First-order fast marching is exact along rows and columns; its error grows with the logarithm of the distance.
        assert!(found >= exact - 1e-3 && found <= exact + 1.0, "{found} for {exact} at {x}, {y}");
        assert!((x != 50 && y != 50) || (found - exact).abs() < 1e-3, "{found} for {exact} at {x}, {y}");
    }
    let area = count(&front.region(15.0)) as f64 * 0.4;
    assert!((area / (std::f64::consts::PI * 225.0) - 1.0).abs() < 0.08, "{area} mm²");
}

#[test]
fn an_edge_is_a_barrier() {
    let values = halves();
    let view = plain(&values, 40);
    let grown = |settings: GrowSettings| {
        let mut front = Front::new(&view, [10.5, 20.5], settings).expect("a front");
        front.advance(&view, 40.0, NO_LIMIT);
        front.region(40.0)
    };
    let free = grown(GrowSettings { value: 0.0, probability: 0.0, edges: 0.0 });
    assert_eq!(count(&free), 1600, "without weights nothing stops it");
    let only_edges = grown(GrowSettings { value: 0.0, probability: 0.0, edges: 20.0 });
    assert!(only_edges.pixels().all(|[x, _]| x < 20) && count(&only_edges) >= 40 * 19);
    let only_value = grown(GrowSettings { value: 5.0, probability: 0.0, edges: 0.0 });
    assert!(only_value.pixels().all(|[x, _]| x < 20) && count(&only_value) == 800);
}

#[test]
fn the_probability_is_a_barrier_where_the_values_are_none() {
    let values = vec![1.0; 1600];
    let probability: Vec<f32> = halves().iter().map(|value| if *value < 150.0 { 0.9 } else { 0.05 }).collect();
    let view = plain(&values, 40).with_probability(Some(&probability));
    let settings = GrowSettings { value: 1.0, probability: 5.0, edges: 20.0 };
    let mut front = Front::new(&view, [10.5, 20.5], settings).expect("a front");
    front.advance(&view, 45.0, NO_LIMIT);
    let region = front.region(45.0);
    assert_eq!((count(&region), region.pixels().map(|[x, _]| x).max()), (800, Some(19)));
}

#[test]
fn a_front_stays_inside_and_goes_around() {
    // A wall with a gap in its last row.
    let inside = mask(20, 20, |x, y| x != 10 || y == 19);
    let values = vec![0.0; 400];
    let view = plain(&values, 20).inside(Some(&inside.values));
    let mut front = Front::new(&view, [5.5, 0.5], GrowSettings::default()).expect("a front");
    front.advance(&view, f32::INFINITY, NO_LIMIT);
    assert_eq!(count(&front.region(f32::INFINITY)), 381);
    assert_eq!(front.at(10, 5), None);
    assert!(front.at(11, 0).expect("reached around the wall") > 38.0);
    let outside = Front::new(&view, [10.5, 0.5], GrowSettings::default());
    assert_eq!(outside.err(), Some(ToolError::Blocked));
}

#[test]
fn a_larger_threshold_only_adds_and_a_smaller_one_computes_nothing() {
    let mut random = fastrand::Rng::with_seed(4);
    let values: Vec<f32> = (0..60 * 50).map(|_| random.f32() * 100.0).collect();
    let view = plain(&values, 60);
    let new = || Front::new(&view, [30.5, 20.5], GrowSettings::default()).expect("a front");
    let (mut live, mut at_once) = (new(), new());
    at_once.advance(&view, 300.0, NO_LIMIT);
    let mut before = 0;
    for threshold in [0.0, 20.0, 50.0, 120.0, 300.0] {
        // In small portions, as a window does between frames.
        while !live.advance(&view, threshold, 37) {}
        let region = live.region(threshold);
        assert_eq!(region, at_once.region(threshold));
        assert!(count(&region) >= before.max(1));
        before = count(&region);
    }
    assert!(live.advance(&view, 20.0, 0), "it was computed already");
    assert_eq!(live.region(20.0), at_once.region(20.0));
    assert!(live.region(-1.0).is_empty());
}

#[test]
fn a_front_never_enters_nan_and_needs_a_seed_in_the_image() {
    let mut values = vec![1.0; 30];
    values[10] = f32::NAN;
    let view = plain(&values, 30);
    let mut front = Front::new(&view, [3.5, 0.5], GrowSettings::default()).expect("a front");
    front.advance(&view, f32::INFINITY, NO_LIMIT);
    assert_eq!(count(&front.region(f32::INFINITY)), 10);
    let seed = |x: f64| Front::new(&view, [x, 0.5], GrowSettings::default()).err();
    assert_eq!(
        (seed(10.5), seed(31.0), seed(f64::NAN)),
        (Some(ToolError::Blocked), Some(ToolError::Outside), Some(ToolError::Outside))
    );
}

/// The cheapest way by relaxing every step until nothing changes (Bellman & Ford) costs the same as the wire's.
#[test]
fn the_live_wire_is_the_cheapest_path() {
    let mut random = fastrand::Rng::with_seed(9);
    for (width, height) in [(1, 1), (1, 12), (12, 1), (9, 7)] {
        let values: Vec<f32> = (0..width * height).map(|_| random.f32()).collect();
        let view = plain(&values, width).with_pixel_mm(Some([1.0, 1.5]));
        let mut wire = LiveWire::new(&view, [0.5, 0.5]).expect("an anchor");
        assert!(wire.advance(&view, [width as f64 - 0.5, height as f64 - 0.5], NO_LIMIT));
        let cost = wire.costs_for_test(&view);
        let mut best = vec![f64::INFINITY; values.len()];
        best[0] = 0.0;
        for _ in 0..values.len() {
            for from in 0..values.len() {
                for to in 0..values.len() {
                    let across = (from % width).abs_diff(to % width);
                    let down = (from / width).abs_diff(to / width);
                    if across.max(down) == 1 {
                        let length = (across as f64).hypot(down as f64 * 1.5);
                        best[to] = best[to].min(best[from] + length * f64::from(cost[to]));
                    }
                }
            }
        }
        let path = wire.path([width as f64 - 0.5, height as f64 - 0.5]).expect("a path");
        let steps = path.windows(2).map(|pair| {
            let [across, down] = [0, 1].map(|axis| pair[0][axis].abs_diff(pair[1][axis]) as f64);
            assert!(across.max(down) == 1.0, "neighbours");
            across.hypot(down * 1.5) * f64::from(cost[pair[1][1] * width + pair[1][0]])
        });
        let total: f64 = steps.sum();
        let expected = best[values.len() - 1];
        assert!((total - expected).abs() < 1e-4, "{total} for {expected} of {width}x{height}");
    }
}

#[test]
fn the_live_wire_follows_an_edge_around_a_corner() {
    // A bright square from 10 to 29; its left and lower sides lead from one corner to the opposite one.
    let values: Vec<f32> = (0..1600)
        .map(
            |index| {
                if (10..30).contains(&(index % 40)) && (10..30).contains(&(index / 40)) { 200.0 } else { 50.0 }
            },
        )
        .collect();
    let view = plain(&values, 40);
    let mut wire = LiveWire::new(&view, [10.5, 10.5]).expect("an anchor");
    assert!(wire.advance(&view, [29.5, 29.5], NO_LIMIT));
    let path = wire.path([29.5, 29.5]).expect("a path");
    assert_eq!((path.first(), path.last()), (Some(&[10, 10]), Some(&[29, 29])));
    let is_near_outline = |[x, y]: &[usize; 2]| [9, 10, 29, 30].contains(x) || [9, 10, 29, 30].contains(y);
    assert!(path.iter().all(is_near_outline), "{path:?}");
}

#[test]
fn the_live_wire_goes_on_in_portions_and_back_for_nothing() {
    let values = halves();
    let view = plain(&values, 40);
    let mut wire = LiveWire::new(&view, [19.5, 1.5]).expect("an anchor");
    let (far, near) = ([19.5, 38.5], [19.5, 10.5]);
    assert!(!wire.advance(&view, far, 5) && wire.path(far).is_none(), "not yet");
    while !wire.advance(&view, far, 100) {}
    let path = wire.path(far).expect("a path");
    assert_eq!(path.len(), 38, "straight along the edge");
    assert!(wire.advance(&view, near, 0), "it was computed on the way");
    assert_eq!(wire.path(near).map(|path| path.len()), Some(10));
    assert!(wire.advance(&view, [-3.0, 0.0], 0) && wire.path([-3.0, 0.0]).is_none());
    assert_eq!(LiveWire::new(&view, [40.0, 1.0]).err(), Some(ToolError::Outside));
    let uniform = vec![f32::NAN; 16];
    let view = plain(&uniform, 4);
    let mut wire = LiveWire::new(&view, [0.5, 0.5]).expect("an anchor");
    assert!(wire.advance(&view, [3.5, 3.5], NO_LIMIT));
    assert_eq!(wire.path([3.5, 3.5]).map(|path| path.len()), Some(4), "the straight way where there are no edges");
}
