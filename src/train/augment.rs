//! Augmentation of a case before a training step.

use super::config::TrainConfig;
use crate::input::Range;

/// The range of the zoom factor.
const ZOOM: std::ops::Range<f64> = 0.95..1.2;
/// The largest rotation angle in radians.
const TURN: f64 = std::f64::consts::PI / 18.0;
/// The range of the logarithm of gamma.
const GAMMA: std::ops::Range<f64> = -0.357..0.336;

/// The augmentation of one case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Augmentation {
    /// The zoom factor; 1 keeps the size.
    pub zoom: f64,
    /// Whether the image is mirrored left to right. "Left" and "right" are then exchanged in the prompt.
    pub flip: bool,
    /// The gamma exponent; 1 keeps the intensities.
    pub gamma: f64,
    /// The rotation angle in radians; 0 keeps the orientation.
    pub turn: f64,
}

impl Augmentation {
    /// No augmentation.
    pub const NONE: Self = Self { zoom: 1.0, flip: false, gamma: 1.0, turn: 0.0 };

    /// Draws an augmentation with the probabilities of the settings.
    pub fn draw(config: &TrainConfig, random: &mut fastrand::Rng) -> Self {
        // All numbers are drawn even if they are not used, so that one setting does not change the effect of
        // another.
        let [zoom, flip, gamma, turn] = std::array::from_fn(|_| random.f64());
        let [by, bend, angle] = std::array::from_fn(|_| random.f64());
        let within = |range: std::ops::Range<f64>, at: f64| range.start + (range.end - range.start) * at;
        Self {
            zoom: if zoom < config.zoom { within(ZOOM, by) } else { 1.0 },
            flip: flip < config.flip,
            gamma: if gamma < config.gamma { within(GAMMA, bend).exp() } else { 1.0 },
            turn: if turn < config.rotate { within(-TURN..TURN, angle) } else { 0.0 },
        }
    }

    /// Applies everything except the zoom to the network's input, planes of `side × side`, and to its target.
    pub fn apply(&self, planes: &mut [f32], target: &mut [f32], side: usize, is_transposed: bool, range: Range) {
        if self.gamma != 1.0 {
            planes.chunks_exact_mut(side * side).for_each(|plane| bend(plane, self.gamma as f32, range));
        }
        if self.turn != 0.0 {
            planes.chunks_exact_mut(side * side).for_each(|plane| turn(plane, side, self.turn, true));
            turn(target, side, self.turn, false);
        }
        if self.flip {
            planes.chunks_exact_mut(side * side).for_each(|plane| flip(plane, side, is_transposed));
            flip(target, side, is_transposed);
        }
    }
}

/// Applies gamma between the minimum and maximum of the plane. A plane that had mean 0 and standard deviation 1 has them
/// again afterwards; in another range, minimum and maximum stay as they are.
fn bend(plane: &mut [f32], gamma: f32, range: Range) {
    let low = plane.iter().copied().fold(f32::INFINITY, f32::min);
    let high = plane.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if high <= low {
        return;
    }
    for value in plane.iter_mut() {
        *value = ((*value - low) / (high - low)).powf(gamma);
    }
    if range == Range::ZScore {
        normalise(plane);
    } else {
        plane.iter_mut().for_each(|value| *value = low + (high - low) * *value);
    }
}

/// Gives the plane mean 0 and standard deviation 1.
///
/// Returns the mean and the standard deviation that it had.
pub fn normalise(plane: &mut [f32]) -> (f32, f32) {
    let count = plane.len() as f32;
    let mean = plane.iter().sum::<f32>() / count;
    let variance = plane.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
    let deviation = variance.sqrt().max(1e-6);
    let factor = 1.0 / deviation;
    for value in plane {
        *value = (*value - mean) * factor;
    }
    (mean, deviation)
}

/// Rotates a plane about its centre. Positions outside take the value at the edge. The interpolation is bilinear
/// if `is_smooth`, and nearest-neighbour otherwise.
fn turn(plane: &mut [f32], side: usize, angle: f64, is_smooth: bool) {
    let source = plane.to_vec();
    let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
    let (middle, last) = ((side as f32 - 1.0) / 2.0, side as f32 - 1.0);
    for (y, row) in plane.chunks_exact_mut(side).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let (dx, dy) = (x as f32 - middle, y as f32 - middle);
            let from_x = (middle + cos * dx - sin * dy).clamp(0.0, last);
            let from_y = (middle + sin * dx + cos * dy).clamp(0.0, last);
            let at = |x: usize, y: usize| source[y.min(side - 1) * side + x.min(side - 1)];
            *value = if is_smooth {
                let (left, top) = (from_x as usize, from_y as usize);
                let (right, low) = (from_x - left as f32, from_y - top as f32);
                let upper = at(left, top) * (1.0 - right) + at(left + 1, top) * right;
                let lower = at(left, top + 1) * (1.0 - right) + at(left + 1, top + 1) * right;
                upper * (1.0 - low) + lower * low
            } else {
                at(from_x.round() as usize, from_y.round() as usize)
            };
        }
    }
}

/// Mirrors left and right, which are the rows of a transposed plane.
fn flip(plane: &mut [f32], side: usize, is_transposed: bool) {
    if is_transposed {
        for x in 0..side / 2 {
            let (front, back) = plane.split_at_mut((side - 1 - x) * side);
            front[x * side..(x + 1) * side].swap_with_slice(&mut back[..side]);
        }
    } else {
        plane.chunks_exact_mut(side).for_each(<[f32]>::reverse);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 8;

    fn plane() -> Vec<f32> {
        (0..SIDE * SIDE).map(|index| ((index * 37) % 64) as f32).collect()
    }

    #[test]
    fn a_mirror_is_its_own_undoing_and_knows_the_axes() {
        let natural = plane();
        let mut turned: Vec<f32> = (0..SIDE * SIDE).map(|i| natural[i % SIDE * SIDE + i / SIDE]).collect();
        let mut flipped = natural.clone();
        flip(&mut flipped, SIDE, false);
        assert_eq!(flipped[0], natural[SIDE - 1]);
        flip(&mut turned, SIDE, true);
        assert!((0..SIDE * SIDE).all(|i| turned[i] == flipped[i % SIDE * SIDE + i / SIDE]));
        flip(&mut flipped, SIDE, false);
        assert_eq!(flipped, natural);
    }

    #[test]
    fn a_quarter_turn_moves_every_pixel_and_loses_none() {
        let (natural, mut turned) = (plane(), plane());
        turn(&mut turned, SIDE, std::f64::consts::FRAC_PI_2, true);
        let moved = |i: usize| natural[(i % SIDE) * SIDE + (SIDE - 1 - i / SIDE)];
        assert!((0..SIDE * SIDE).all(|i| (turned[i] - moved(i)).abs() < 1e-3));
        let mut target: Vec<f32> = natural.iter().map(|value| f32::from(u8::from(*value > 30.0))).collect();
        turn(&mut target, SIDE, 0.1, false);
        assert!(target.iter().all(|value| *value == 0.0 || *value == 1.0));
    }

    #[test]
    fn a_bent_curve_keeps_order_mean_and_deviation() {
        let (natural, mut bent) = (plane(), plane());
        bend(&mut bent, 1.3, Range::ZScore);
        let mean = bent.iter().sum::<f32>() / bent.len() as f32;
        let variance = bent.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / bent.len() as f32;
        assert!(mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3, "{mean} {variance}");
        assert!((0..64).all(|a| (0..64).all(|b| natural[a] >= natural[b] || bent[a] < bent[b])));
        let mut constant = vec![3.0; 64];
        bend(&mut constant, 0.8, Range::ZScore);
        assert_eq!(constant, vec![3.0; 64]);
        let mut unit: Vec<f32> = natural.iter().map(|value| value / 63.0).collect();
        bend(&mut unit, 2.0, Range::Unit);
        assert!(unit.iter().zip(&natural).all(|(bent, value)| (bent - (value / 63.0).powi(2)).abs() < 1e-5));
    }

    #[test]
    fn probabilities_are_kept() {
        let config = TrainConfig { zoom: 0.0, flip: 0.5, gamma: 1.0, ..TrainConfig::default() };
        let mut random = fastrand::Rng::with_seed(1);
        let drawn: Vec<Augmentation> = (0..1000).map(|_| Augmentation::draw(&config, &mut random)).collect();
        let flips = drawn.iter().filter(|a| a.flip).count();
        assert!((420..580).contains(&flips), "{flips}");
        assert!(drawn.iter().all(|a| a.zoom == 1.0 && a.turn == 0.0 && (0.69..1.41).contains(&a.gamma)));
    }

    /// Uses an image that equals its mask, so that every change of one must also occur in the other.
    #[test]
    fn the_mask_goes_where_its_picture_goes() {
        const SIDE: usize = 32;
        let inside = |x: usize, y: usize| (3..12).contains(&x) && (5..24).contains(&y);
        let mask: Vec<f32> =
            (0..SIDE * SIDE).map(|index| f32::from(u8::from(inside(index % SIDE, index / SIDE)))).collect();
        let all = [
            Augmentation { flip: true, ..Augmentation::NONE },
            Augmentation { turn: 0.15, ..Augmentation::NONE },
            Augmentation { turn: -0.15, flip: true, gamma: 1.2, zoom: 1.1 },
        ];
        for (change, is_transposed) in all.into_iter().flat_map(|change| [(change, false), (change, true)]) {
            let (mut planes, mut target) = (mask.repeat(3), mask.clone());
            change.apply(&mut planes, &mut target, SIDE, is_transposed, Range::ZScore);
            let moved = target.iter().zip(&mask).filter(|(new, old)| new != old).count();
            assert!(moved > 40, "{change:?}: the mask was not moved");
            for plane in planes.chunks_exact(SIDE * SIDE) {
                let middle = (plane.iter().copied().fold(f32::NEG_INFINITY, f32::max)
                    + plane.iter().copied().fold(f32::INFINITY, f32::min))
                    / 2.0;
                // A rotated edge is smooth in the image and sharp in the mask.
                let apart = plane.iter().zip(&target).filter(|(a, b)| (**a > middle) != (**b == 1.0)).count();
                let allowed = if change.turn == 0.0 { 0 } else { 12 };
                assert!(apart <= allowed, "{change:?}, transposed {is_transposed}: {apart} pixels are apart");
            }
        }
        let (mut planes, mut target) = (mask.repeat(3), mask.clone());
        Augmentation::NONE.apply(&mut planes, &mut target, SIDE, false, Range::ZScore);
        assert!(planes == mask.repeat(3) && target == mask);
    }
}
