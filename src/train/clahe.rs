//! Contrast-limited adaptive histogram equalisation (Zuiderveld 1994).

/// The number of tiles along a side.
const TILES: usize = 4;
/// The number of bins of a histogram.
const BINS: usize = 256;

/// How a plane is equalised.
#[derive(Clone, Copy, Debug)]
pub struct Equalisation {
    /// The smallest value.
    pub low: f32,
    /// The largest value.
    pub high: f32,
    /// The largest count of a bin in multiples of that of an even histogram. The counts above it are spread over all bins.
    pub clip: f32,
}

/// Equalises a plane of `side × side`. Between the centres of the tiles, their curves are interpolated.
pub fn equalise(plane: &mut [f32], side: usize, how: &Equalisation) {
    let range = how.high - how.low;
    if range <= 0.0 || side < TILES {
        return;
    }
    let bin = |value: f32| (((value - how.low) / range * BINS as f32) as usize).min(BINS - 1);
    let tile = |at: usize| at * TILES / side;
    let mut counts = vec![[0_u32; BINS]; TILES * TILES];
    for (at, value) in plane.iter().enumerate() {
        counts[tile(at / side) * TILES + tile(at % side)][bin(*value)] += 1;
    }
    let curves: Vec<[f32; BINS]> = counts.iter().map(|counts| curve(counts, how.clip)).collect();
    // The two tiles on both sides of a position, and how near it is to the second.
    let places: Vec<(usize, usize, f32)> = (0..side)
        .map(|at| {
            let place = ((at as f32 + 0.5) * TILES as f32 / side as f32 - 0.5).clamp(0.0, (TILES - 1) as f32);
            let first = (place as usize).min(TILES - 1);
            (first, (first + 1).min(TILES - 1), place - first as f32)
        })
        .collect();
    for (at, value) in plane.iter_mut().enumerate() {
        let ((top, bottom, low), (left, right, across)) = (places[at / side], places[at % side]);
        let bin = bin(*value);
        let row = |row: usize| {
            curves[row * TILES + left][bin] * (1.0 - across) + curves[row * TILES + right][bin] * across
        };
        *value = how.low + range * (row(top) * (1.0 - low) + row(bottom) * low);
    }
}

/// The curve of a histogram, 0 to 1: the share of values up to each bin, with the counts limited.
fn curve(counts: &[u32; BINS], clip: f32) -> [f32; BINS] {
    let total: u32 = counts.iter().sum();
    let even = total as f32 / BINS as f32;
    let most = (clip * even).max(1.0);
    let above: f32 = counts.iter().map(|count| (*count as f32 - most).max(0.0)).sum();
    let mut sum = 0.0;
    std::array::from_fn(|bin| {
        sum += (counts[bin] as f32).min(most) + above / BINS as f32;
        sum / (total as f32).max(1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_rises_to_one_and_no_steeper_than_its_limit() {
        let mut counts = [0; BINS];
        counts[10] = 5000;
        counts[200] = 1000;
        let curve = curve(&counts, 2.0);
        assert!((curve[BINS - 1] - 1.0).abs() < 1e-4);
        assert!(curve.windows(2).all(|pair| pair[1] >= pair[0]));
        let steepest = curve.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f32::max);
        // Two even bins, and what was cut off, spread over all.
        assert!(steepest <= 3.0 / BINS as f32 + 1e-4, "{steepest}");
    }

    #[test]
    fn a_faint_difference_becomes_stronger_and_the_order_stays() {
        const SIDE: usize = 64;
        let mut plane: Vec<f32> =
            (0..SIDE * SIDE).map(|at| 0.40 + 0.1 * ((at % SIDE) as f32 / SIDE as f32)).collect();
        plane[0] = 0.0;
        plane[SIDE * SIDE - 1] = 1.0;
        let before = plane.clone();
        equalise(&mut plane, SIDE, &Equalisation { low: 0.0, high: 1.0, clip: 4.0 });
        let spread = |plane: &[f32]| plane[30 * SIDE + 60] - plane[30 * SIDE + 4];
        assert!(spread(&plane) > 1.2 * spread(&before), "{} {}", spread(&plane), spread(&before));
        assert!(plane.iter().all(|value| (0.0..=1.0).contains(value)));
        let constant = &mut [0.5; 64];
        equalise(constant, 8, &Equalisation { low: 0.5, high: 0.5, clip: 2.0 });
        assert_eq!(*constant, [0.5; 64]);
    }
}
