//! Drawing functions for synthetic images: planes of brightness, soft edges and smooth noise.

use crate::data::Mask;
use crate::data::mask::components::{Connectivity, Run, components};

/// A square plane of numbers, row-major.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Side of the plane in pixels.
    pub side: usize,
    /// `side * side` values.
    pub values: Vec<f32>,
}

impl Plane {
    /// Returns the plane whose pixels have the values of `value(x, y)` at their centres; x and y run from 0 to
    /// 1.
    pub fn of(side: usize, value: impl Fn(f32, f32) -> f32) -> Self {
        let at = |index: usize| (index as f32 + 0.5) / side as f32;
        let values = (0..side * side).map(|index| value(at(index % side), at(index / side))).collect();
        Self { side, values }
    }

    /// Returns the value of a pixel.
    pub fn at(&self, x: usize, y: usize) -> f32 {
        self.values[y * self.side + x]
    }

    /// Replaces the value of every pixel by `change(x, y, value)`; x and y are the pixel's centre and run from 0
    /// to 1.
    pub fn change(&mut self, change: impl Fn(f32, f32, f32) -> f32) {
        let side = self.side;
        for (index, value) in self.values.iter_mut().enumerate() {
            let (x, y) = (index % side, index / side);
            *value = change((x as f32 + 0.5) / side as f32, (y as f32 + 0.5) / side as f32, *value);
        }
    }
}

/// Returns the index of the pixel at a position; x and y run from 0 to 1.
pub fn place(x: f32, y: f32, side: usize) -> usize {
    (y * side as f32) as usize * side + (x * side as f32) as usize
}

/// Returns the random noise of one pixel of a grey image, within ±3 times `strength` and mostly near 0.
pub fn grain_of(random: &mut fastrand::Rng, strength: f32) -> f32 {
    strength * (random.f32() + random.f32() + random.f32() - 1.5) * 2.0
}

/// Returns 0 at `from`, 1 at `to` and a smooth transition between them; beyond them it is constant. `from` may
/// be larger than `to`.
pub fn step(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Returns a bell-shaped function of `x`: 1 at 0 and ½ at ±`width`.
pub fn bell(x: f32, width: f32) -> f32 {
    1.0 / (1.0 + (x / width).powi(4))
}

/// Returns the distance from the centre of an ellipse with the half axes `half`, scaled to 1 on its boundary.
pub fn ellipse(x: f32, y: f32, middle: (f32, f32), half: (f32, f32)) -> f32 {
    let (dx, dy) = ((x - middle.0) / half.0, (y - middle.1) / half.1);
    (dx * dx + dy * dy).sqrt()
}

/// Smooth gradient noise (Perlin, *Improving Noise*, 2002) of one seed, from about −1 to 1, with features of
/// size 1. Its random gradients come from integer arithmetic, so that they are the same on every machine.
#[derive(Clone, Copy, Debug)]
pub struct Noise(pub u32);

impl Noise {
    /// Returns the contribution of a lattice corner at the offset (`dx`, `dy`) from it: a slope in a
    /// pseudo-random direction.
    fn corner(self, x: i32, y: i32, dx: f32, dy: f32) -> f32 {
        let mut h = self.0 ^ (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
        h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
        h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
        h ^= h >> 15;
        let along = |bits: u32| (bits & 0xFFFF) as f32 / 32_768.0 - 1.0;
        along(h) * dx + along(h >> 16) * dy
    }

    /// Returns one octave of the noise.
    pub fn at(self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (dx, dy) = (x - left, y - top);
        let (u, v) = (dx * dx * (3.0 - 2.0 * dx), dy * dy * (3.0 - 2.0 * dy));
        let (i, j) = (left as i32, top as i32);
        let upper = self.corner(i, j, dx, dy) * (1.0 - u) + self.corner(i + 1, j, dx - 1.0, dy) * u;
        let lower =
            self.corner(i, j + 1, dx, dy - 1.0) * (1.0 - u) + self.corner(i + 1, j + 1, dx - 1.0, dy - 1.0) * u;
        // Values mostly lie within ±0.6; this scales them to about ±1.
        1.6 * (upper * (1.0 - v) + lower * v)
    }

    /// Returns a sum of octaves, each with half the feature size and half the strength of the one before.
    pub fn cloud(self, x: f32, y: f32, octaves: u32) -> f32 {
        let mut sum = 0.0;
        let (mut scale, mut strength) = (1.0, 0.5);
        for octave in 0..octaves {
            sum += strength * Self(self.0.wrapping_add(octave * 77)).at(x * scale, y * scale);
            scale *= 2.0;
            strength *= 0.5;
        }
        sum
    }

    /// Returns a pattern of thin lines, which lie where the noise crosses zero: 1 on a line, falling off around
    /// it.
    pub fn lines(self, x: f32, y: f32, width: f32) -> f32 {
        bell(self.at(x, y), width)
    }
}

/// Removes all but the largest connected component (four neighbours) of the pixels that are not 0.
pub fn largest_part(mask: &mut [u8], side: usize) {
    let mut best: Vec<usize> = Vec::new();
    for part in parts(mask, side) {
        if part.len() > best.len() {
            best = part;
        }
    }
    mask.fill(0);
    for index in best {
        mask[index] = 1;
    }
}

/// Returns the connected components (four neighbours) of the pixels that are not 0, each as the indices of its
/// pixels in ascending order.
pub fn parts(mask: &[u8], side: usize) -> Vec<Vec<usize>> {
    let mask = Mask { width: side, height: mask.len() / side.max(1), values: mask.to_vec() };
    let indices = |run: &Run| run.row * side + run.start..run.row * side + run.end;
    let found = components(&[(0, &mask)], Connectivity::Edge).into_iter();
    found.map(|part| part.runs.iter().flat_map(indices).collect()).collect()
}
