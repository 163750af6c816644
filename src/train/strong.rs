//! Stronger augmentation of a case, all of it off by default: scale and elastic deformation of image and mask, and
//! degradations of the image alone.
//!
//! The network normalises every channel to mean 0 and standard deviation 1. Brightness and contrast would be undone by
//! that, if values outside of the image's range were not clipped; after all degradations, the image is normalised again.

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageFormat};

use super::augment::normalise;
use super::clahe::{Equalisation, equalise};
use super::config::TrainConfig;
use super::elastic::deform;
use crate::data::{Mask, preprocess};
use crate::input::{MaskResize, Range};

/// The range of the scale.
const SCALE: std::ops::Range<f64> = 0.7..1.4;
/// The smallest share of the lesion that a scale must leave in the image.
const KEPT: f64 = 0.9;
/// The largest displacement of an elastic deformation as a share of the side.
const DISPLACEMENT: f32 = 0.04;
/// The range of the brightness as a share of the image's range.
const BRIGHTNESS: std::ops::Range<f64> = -0.25..0.25;
/// The range of the logarithm of the contrast, 0.6 to 1.6.
const CONTRAST: std::ops::Range<f64> = -0.51..0.47;
/// The range of the clip limit of CLAHE in multiples of an even histogram.
const CLIP: std::ops::Range<f64> = 1.5..4.0;
/// The range of the standard deviation of the blur in pixels of the network's input.
const BLUR: std::ops::Range<f64> = 0.5..1.5;
/// The range of the standard deviation of the noise in standard deviations of the image.
const NOISE: std::ops::Range<f64> = 0.02..0.2;
/// The range of the JPEG quality.
const QUALITY: std::ops::Range<f64> = 20.0..90.0;
/// The range of the sides of a rectangle as a share of the image's side.
const HOLE: std::ops::Range<f64> = 0.05..0.2;
/// The largest share of the lesion that a rectangle may hide.
const HIDDEN: f32 = 0.25;

/// The stronger augmentation of one case. `None` and 0 leave the case as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strong {
    scale: Option<f64>,
    is_elastic: bool,
    brightness: f64,
    contrast: Option<f64>,
    clahe: Option<f64>,
    blur: Option<f64>,
    noise: Option<f64>,
    jpeg: Option<u8>,
    /// The number of rectangles.
    holes: usize,
    /// The seed of displacements, noise and rectangles.
    seed: u64,
}

impl Strong {
    /// No augmentation.
    pub const NONE: Self = Self {
        scale: None,
        is_elastic: false,
        brightness: 0.0,
        contrast: None,
        clahe: None,
        blur: None,
        noise: None,
        jpeg: None,
        holes: 0,
        seed: 0,
    };

    /// Draws an augmentation with the probabilities of the settings.
    pub fn draw(config: &TrainConfig, random: &mut fastrand::Rng) -> Self {
        // All numbers are drawn even if they are not used, so that one setting does not change the effect of another.
        let mut drawn = |chance: f64, range: std::ops::Range<f64>| {
            let (is_wanted, at) = (random.f64() < chance, random.f64());
            is_wanted.then_some(range.start + (range.end - range.start) * at)
        };
        let scale = drawn(config.scale, SCALE.start.ln()..SCALE.end.ln()).map(f64::exp);
        let is_elastic = drawn(config.elastic, 0.0..1.0).is_some();
        let brightness = drawn(config.brightness, BRIGHTNESS).unwrap_or_default();
        let contrast = drawn(config.contrast, CONTRAST).map(f64::exp);
        let clahe = drawn(config.clahe, CLIP);
        let blur = drawn(config.blur, BLUR);
        let noise = drawn(config.noise, NOISE);
        let jpeg = drawn(config.jpeg, QUALITY).map(|quality| quality as u8);
        let holes = drawn(config.cutout, 1.0..4.0).map_or(0, |holes| holes as usize);
        let seed = random.u64(..);
        Self { scale, is_elastic, brightness, contrast, clahe, blur, noise, jpeg, holes, seed }
    }

    /// The scale for a case with this mask, at which at least nine tenths of the lesion stay in the image, so that its
    /// sentence stays true; `None` if there is no such scale.
    pub fn zoom(&self, mask: &Mask, side: usize) -> Option<f64> {
        let scale = self.scale?;
        if scale <= 1.0 {
            return Some(scale);
        }
        let area = |zoom: f64| {
            preprocess::zoomed_target(mask, side, false, MaskResize::AsHimix, zoom).iter().sum::<f32>()
        };
        let expected = f64::from(area(1.0)) * scale * scale;
        (f64::from(area(scale)) >= KEPT * expected).then_some(scale)
    }

    /// Deforms the planes of the input, `side × side` each, and the target in the same way.
    pub fn deform(&self, planes: &mut [f32], target: &mut [f32], side: usize) {
        if self.is_elastic {
            deform(planes, target, side, DISPLACEMENT * side as f32, &mut self.random(0));
        }
    }

    /// Degrades the planes of the input, `side × side` each. The planes of a grey image stay the same.
    ///
    /// A network with another range than HiMix's receives what was done to the normalised planes in its own range:
    /// brightness and contrast then change it as well.
    pub fn degrade(&self, planes: &mut [f32], target: &[f32], side: usize, range: Range) {
        if (Self { scale: None, is_elastic: false, seed: 0, ..*self }) == Self::NONE {
            return;
        }
        if range == Range::ZScore {
            self.degrade_normalised(planes, target, side);
            planes.chunks_exact_mut(side * side).for_each(|plane| {
                normalise(plane);
            });
            return;
        }
        let levels: Vec<(f32, f32)> = planes.chunks_exact_mut(side * side).map(normalise).collect();
        self.degrade_normalised(planes, target, side);
        for (plane, (mean, deviation)) in planes.chunks_exact_mut(side * side).zip(levels) {
            plane.iter_mut().for_each(|value| *value = (*value * deviation + mean).clamp(0.0, 1.0));
        }
    }

    /// Degrades planes whose channels have mean 0 and standard deviation 1, which they may lose.
    fn degrade_normalised(&self, planes: &mut [f32], target: &[f32], side: usize) {
        let (low, high) = planes.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        if high <= low {
            return;
        }
        if let Some(clip) = self.clahe {
            let how = Equalisation { low, high, clip: clip as f32 };
            planes.chunks_exact_mut(side * side).for_each(|plane| equalise(plane, side, &how));
        }
        if self.brightness != 0.0 || self.contrast.is_some() {
            let (shift, factor) = (self.brightness as f32 * (high - low), self.contrast.unwrap_or(1.0) as f32);
            // The mean of every channel was 0, unless it was equalised.
            planes.iter_mut().for_each(|value| *value = (*value * factor + shift).clamp(low, high));
        }
        if let Some(sigma) = self.blur {
            planes.chunks_exact_mut(side * side).for_each(|plane| blur(plane, side, sigma as f32));
        }
        if let Some(sigma) = self.noise {
            let mut random = self.random(1);
            let noise: Vec<f32> = (0..side * side).map(|_| sigma as f32 * gaussian(&mut random)).collect();
            for plane in planes.chunks_exact_mut(side * side) {
                plane.iter_mut().zip(&noise).for_each(|(value, noise)| *value += noise);
            }
        }
        if let Some(quality) = self.jpeg {
            compress(planes, side, quality, (low, high));
        }
        if self.holes > 0 {
            self.cut(planes, target, side);
        }
    }

    /// Fills rectangles with the mean, except those that would hide more than a quarter of the lesion.
    fn cut(&self, planes: &mut [f32], target: &[f32], side: usize) {
        let mut random = self.random(2);
        let lesion: f32 = target.iter().sum();
        // Brightness, contrast and equalisation have moved it away from 0.
        let mean = |plane: &[f32]| plane.iter().sum::<f32>() / plane.len() as f32;
        let means: Vec<f32> = planes.chunks_exact(side * side).map(mean).collect();
        for _ in 0..self.holes {
            let mut length = || {
                let share = HOLE.start + (HOLE.end - HOLE.start) * random.f64();
                ((share * side as f64) as usize).max(1)
            };
            let (width, height) = (length(), length());
            let (left, top) = (random.usize(..=side - width), random.usize(..=side - height));
            let rows = (top..top + height).map(|y| y * side + left..y * side + left + width);
            let hidden: f32 = rows.clone().map(|row| target[row].iter().sum::<f32>()).sum();
            if hidden > HIDDEN * lesion {
                continue;
            }
            for (plane, mean) in planes.chunks_exact_mut(side * side).zip(&means) {
                rows.clone().for_each(|row| plane[row].fill(*mean));
            }
        }
    }

    /// Random numbers for one of the steps.
    fn random(&self, step: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_add(step))
    }
}

/// A number of the normal distribution (Box and Muller 1958).
fn gaussian(random: &mut fastrand::Rng) -> f32 {
    let (radius, angle) = (1.0 - random.f32(), random.f32() * std::f32::consts::TAU);
    (-2.0 * radius.ln()).sqrt() * angle.cos()
}

/// A Gaussian blur of a plane; positions outside take the value at the edge.
fn blur(plane: &mut [f32], side: usize, sigma: f32) {
    let reach = (3.0 * sigma).ceil() as isize;
    let kernel: Vec<f32> =
        (-reach..=reach).map(|at| (-((at * at) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    // Along the rows first, and then along the columns.
    for (step, across) in [(1, side), (side, 1)] {
        let source = plane.to_vec();
        for line in 0..side {
            let start = line * across;
            for at in 0..side {
                let value = |offset: isize| {
                    let place = (at as isize + offset).clamp(0, side as isize - 1) as usize;
                    source[start + place * step]
                };
                let blurred: f32 =
                    (-reach..=reach).zip(&kernel).map(|(offset, weight)| weight * value(offset)).sum();
                plane[start + at * step] = blurred / sum;
            }
        }
    }
}

/// Compresses three planes as a JPEG and reads it again. `low` and `high` become 0 and 255.
fn compress(planes: &mut [f32], side: usize, quality: u8, (low, high): (f32, f32)) {
    let count = side * side;
    let byte = |value: f32| ((value - low) / (high - low) * 255.0).round().clamp(0.0, 255.0) as u8;
    let pixels: Vec<u8> = (0..count).flat_map(|at| [0, 1, 2].map(|c| byte(planes[c * count + at]))).collect();
    let mut bytes = Vec::new();
    let side_of = u32::try_from(side).unwrap_or(u32::MAX);
    let written = JpegEncoder::new_with_quality(&mut bytes, quality).encode(
        &pixels,
        side_of,
        side_of,
        ExtendedColorType::Rgb8,
    );
    // A picture that cannot be compressed stays as it is.
    let Ok(read) = written.and_then(|()| image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg)) else {
        return;
    };
    for (at, pixel) in read.to_rgb8().pixels().enumerate() {
        for (c, value) in pixel.0.iter().enumerate() {
            planes[c * count + at] = low + f32::from(*value) / 255.0 * (high - low);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 32;

    /// A grey image as the network reads it, and a mask.
    fn case() -> (Vec<f32>, Vec<f32>) {
        let mut plane: Vec<f32> = (0..SIDE * SIDE)
            .map(|at| ((at % SIDE) as f32 * 0.3).sin() + ((at / SIDE) as f32 * 0.2).cos())
            .collect();
        normalise(&mut plane);
        let target =
            (0..SIDE * SIDE).map(|at| f32::from(u8::from((8..20).contains(&(at % SIDE)) && at / SIDE < 10)));
        (plane.repeat(3), target.collect())
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        (a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / a.len() as f32).sqrt()
    }

    #[test]
    fn nothing_changes_unless_it_is_wanted() {
        let drawn = Strong::draw(&TrainConfig::default(), &mut fastrand::Rng::with_seed(3));
        let (before, mask) = case();
        let (mut planes, mut target) = (before.clone(), mask.clone());
        drawn.deform(&mut planes, &mut target, SIDE);
        drawn.degrade(&mut planes, &target, SIDE, Range::ZScore);
        assert!(planes == before && target == mask && drawn.scale.is_none());
    }

    #[test]
    fn each_degradation_changes_the_image_and_keeps_it_grey_and_normalised() {
        let all = [
            Strong { brightness: 0.2, ..Strong::NONE },
            Strong { contrast: Some(1.5), ..Strong::NONE },
            Strong { clahe: Some(3.0), ..Strong::NONE },
            Strong { blur: Some(1.5), ..Strong::NONE },
            Strong { noise: Some(0.2), ..Strong::NONE },
            Strong { jpeg: Some(20), ..Strong::NONE },
            Strong { holes: 3, seed: 4, ..Strong::NONE },
        ];
        for strong in all {
            let (before, target) = case();
            let mut planes = before.clone();
            strong.degrade(&mut planes, &target, SIDE, Range::ZScore);
            let changed = distance(&planes, &before);
            assert!((0.005..1.0).contains(&changed), "{strong:?}: {changed}");
            let (first, rest) = planes.split_at(SIDE * SIDE);
            // JPEG stores colours with a rounding of their own.
            let most = if strong.jpeg.is_some() { 0.1 } else { 0.0 };
            assert!(rest.chunks_exact(SIDE * SIDE).all(|other| distance(first, other) <= most), "{strong:?}");
            let mean = first.iter().sum::<f32>() / first.len() as f32;
            let variance = first.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / first.len() as f32;
            assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-2, "{strong:?}: {mean} {variance}");
        }
    }

    #[test]
    fn a_blur_is_a_weighted_mean_and_keeps_what_is_even() {
        let mut point = vec![0.0; SIDE * SIDE];
        point[16 * SIDE + 16] = 1.0;
        blur(&mut point, SIDE, 1.0);
        // The square of the one-dimensional kernel exp(-x²/2) cut off at 3.
        let sum: f32 = (-3..=3).map(|x| (-(x * x) as f32 / 2.0).exp()).sum();
        assert!((point[16 * SIDE + 16] - 1.0 / (sum * sum)).abs() < 1e-5);
        assert!((point[16 * SIDE + 17] - (-0.5_f32).exp() / (sum * sum)).abs() < 1e-5);
        assert!((point[17 * SIDE + 16] - point[16 * SIDE + 17]).abs() < 1e-6);
        let mut even = vec![2.0; SIDE * SIDE];
        blur(&mut even, SIDE, 1.3);
        assert!(even.iter().all(|value| (value - 2.0).abs() < 1e-5));
    }

    #[test]
    fn rectangles_hide_at_most_a_quarter_of_the_lesion_each() {
        // The lesion is as small as a rectangle, so that most of those on it are left out.
        let target: Vec<f32> = (0..SIDE * SIDE)
            .map(|at| f32::from(u8::from((14..17).contains(&(at % SIDE)) && (14..17).contains(&(at / SIDE)))))
            .collect();
        let mut cut = 0;
        for seed in 0..300 {
            let (mut planes, _) = case();
            let before = planes.clone();
            Strong { holes: 1, seed, ..Strong::NONE }.cut(&mut planes, &target, SIDE);
            let hidden = (0..SIDE * SIDE).filter(|at| target[*at] == 1.0 && planes[*at] != before[*at]).count();
            assert!(hidden as f32 <= 0.25 * 9.0, "{hidden} of 9");
            // A bright image is filled with its own grey, not with black.
            let moved = |planes: &[f32]| planes.iter().map(|value| value + 2.0).collect::<Vec<_>>();
            let mut bright = moved(&before);
            Strong { holes: 1, seed, ..Strong::NONE }.cut(&mut bright, &target, SIDE);
            assert!(distance(&bright, &moved(&planes)) < 1e-3);
            cut += usize::from(planes != before);
        }
        assert!(cut > 200, "only {cut} of 300");
    }

    #[test]
    fn a_scale_that_would_cut_off_the_lesion_is_not_used() {
        let mask = |x: std::ops::Range<usize>| Mask {
            width: SIDE,
            height: SIDE,
            values: (0..SIDE * SIDE)
                .map(|at| u8::from(x.contains(&(at % SIDE)) && (12..20).contains(&(at / SIDE))))
                .collect(),
        };
        let large = Strong { scale: Some(1.4), ..Strong::NONE };
        assert_eq!(large.zoom(&mask(12..20), SIDE), Some(1.4), "in the middle");
        assert_eq!(large.zoom(&mask(0..6), SIDE), None, "at the edge");
        assert_eq!(large.zoom(&mask(0..0), SIDE), Some(1.4), "without a lesion");
        let small = Strong { scale: Some(0.7), ..Strong::NONE };
        assert_eq!(small.zoom(&mask(0..6), SIDE), Some(0.7));
    }

    #[test]
    fn probabilities_and_ranges_are_kept() {
        let config = TrainConfig { scale: 0.5, jpeg: 1.0, cutout: 1.0, ..TrainConfig::default() };
        let mut random = fastrand::Rng::with_seed(1);
        let drawn: Vec<Strong> = (0..1000).map(|_| Strong::draw(&config, &mut random)).collect();
        let scaled = drawn.iter().filter_map(|strong| strong.scale).collect::<Vec<_>>();
        assert!((420..580).contains(&scaled.len()), "{}", scaled.len());
        assert!(scaled.iter().all(|scale| (0.7..1.4).contains(scale)));
        assert!(drawn.iter().all(|strong| strong.jpeg.is_some_and(|quality| (20..90).contains(&quality))));
        assert!(drawn.iter().all(|strong| (1..=3).contains(&strong.holes) && strong.noise.is_none()));
        assert!([1, 2, 3].iter().all(|holes| drawn.iter().any(|strong| strong.holes == *holes)));
    }
}
