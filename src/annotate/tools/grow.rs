//! Growing a region from a point: a front that is slowed down by unlike pixels and by edges.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::edges::{Scales, gradient};
use super::spans::{self, Span};
use super::{SliceView, ToolError};
use crate::annotate::Region;

/// The pixels around the seed, on every side, from which the likeness to it is measured.
const NEAR: usize = 2;

/// How much the front is slowed down. A way through pixels like the seed costs its length; every weight adds to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GrowSettings {
    /// What a pixel costs more whose value differs from that around the seed by a tenth of the range of the slice. It
    /// grows with the square of the difference.
    pub value: f32,
    /// What a pixel costs more whose probability differs from that around the seed by 0.25. It grows with the square of
    /// the difference; without a prediction it does not matter.
    pub probability: f32,
    /// What a pixel costs more at which the values change by a tenth of the range of the slice from one pixel to the
    /// next. It grows with the square of the change.
    pub edges: f32,
}

impl Default for GrowSettings {
    fn default() -> Self {
        Self { value: 1.0, probability: 1.0, edges: 20.0 }
    }
}

/// The front of a region that grows from a seed. It reaches a pixel at its *arrival*: the length of the cheapest way from
/// the seed, in mm or, if the pixel size is not known, in pixels, where unlike pixels and edges lengthen the way. The
/// region at a threshold is what is reached up to it, so that changing the threshold computes nothing anew; the front
/// goes on only when the threshold exceeds what was reached before.
///
/// It solves the eikonal equation by fast marching (Sethian, *A fast marching level set method for monotonically
/// advancing fronts*, 1996) from pixel to pixel that share an edge.
#[derive(Clone, Debug)]
pub struct Front {
    size: [usize; 2],
    steps: [f32; 2],
    settings: GrowSettings,
    /// The value and the probability around the seed.
    like: [f32; 2],
    /// A tenth of the range of the values.
    tenth: f32,
    /// The arrival at every pixel; infinite where the front has not been.
    arrivals: Vec<f32>,
    /// The pixels that the front has passed, in the order of arrival.
    passed: Vec<u32>,
    is_passed: Vec<bool>,
    /// The pixels next to the front by their arrival so far. Arrivals are not negative, so that their bits are ordered
    /// as the numbers are.
    waiting: BinaryHeap<Reverse<(u32, u32)>>,
}

impl Front {
    /// Places the seed.
    ///
    /// # Errors
    /// Returns an error if the seed lies outside the image, on a pixel without a value, or outside the mask that the
    /// view is confined to.
    pub fn new(view: &SliceView, seed: [f64; 2], settings: GrowSettings) -> Result<Self, ToolError> {
        let seed = view.seed(seed)?;
        let count = view.values().len();
        // A uniform slice has no range; any difference would then be a large one.
        let tenth = (Scales::of(view).range / 10.0).max(f32::MIN_POSITIVE.sqrt());
        let mut front = Self {
            size: view.size(),
            steps: view.steps().map(|step| step as f32),
            settings,
            like: around(view, seed),
            tenth,
            arrivals: vec![f32::INFINITY; count],
            passed: Vec::new(),
            is_passed: vec![false; count],
            waiting: BinaryHeap::new(),
        };
        front.arrivals[seed] = 0.0;
        front.waiting.push(Reverse((0, seed as u32)));
        Ok(front)
    }

    /// Lets the front go on until it has passed every pixel that it reaches up to `threshold`, but by at most `most`
    /// pixels. Returns whether that was enough. `view` is the slice of [`Front::new`].
    ///
    /// # Panics
    /// Panics if `view` has another size.
    pub fn advance(&mut self, view: &SliceView, threshold: f32, most: usize) -> bool {
        assert_eq!(view.size(), self.size, "the slice of the seed");
        let [width, height] = self.size;
        let end = self.passed.len().saturating_add(most);
        while let Some(Reverse((bits, pixel))) = self.waiting.peek().copied() {
            if f32::from_bits(bits) > threshold {
                return true;
            }
            let index = pixel as usize;
            if self.is_passed[index] {
                self.waiting.pop();
                continue;
            }
            if self.passed.len() >= end {
                return false;
            }
            self.waiting.pop();
            self.is_passed[index] = true;
            self.passed.push(pixel);
            let (x, y) = (index % width, index / width);
            let across = [(x > 0).then(|| index - 1), (x + 1 < width).then(|| index + 1)];
            let down = [(y > 0).then(|| index - width), (y + 1 < height).then(|| index + width)];
            for next in across.into_iter().chain(down).flatten() {
                if self.is_passed[next] || !view.is_open(next) {
                    continue;
                }
                let arrival = self.arrival(next, self.cost(view, next));
                if arrival < self.arrivals[next] {
                    self.arrivals[next] = arrival;
                    self.waiting.push(Reverse((arrival.to_bits(), next as u32)));
                }
            }
        }
        true
    }

    /// Returns the pixels that the front has passed up to `threshold`.
    pub fn region(&self, threshold: f32) -> Region {
        let count = self.passed.partition_point(|pixel| self.arrivals[*pixel as usize] <= threshold);
        let width = self.size[0];
        let span = |pixel: &u32| {
            let (start, row) = (*pixel as usize % width, *pixel as usize / width);
            Span { row, start, end: start + 1 }
        };
        spans::region(&self.passed[..count].iter().map(span).collect::<Vec<Span>>())
    }

    /// Returns the arrival at the pixel in this column and row; `None` if the front has not passed it.
    pub fn at(&self, x: usize, y: usize) -> Option<f32> {
        let is_within = x < self.size[0] && y < self.size[1];
        let index = is_within.then(|| y * self.size[0] + x)?;
        self.is_passed[index].then(|| self.arrivals[index])
    }

    /// Returns the arrival at a pixel over its neighbours that the front has passed.
    fn arrival(&self, index: usize, cost: f32) -> f32 {
        let [width, height] = self.size;
        let (x, y) = (index % width, index / width);
        let passed = |at: usize| if self.is_passed[at] { self.arrivals[at] } else { f32::INFINITY };
        let left = if x > 0 { passed(index - 1) } else { f32::INFINITY };
        let right = if x + 1 < width { passed(index + 1) } else { f32::INFINITY };
        let above = if y > 0 { passed(index - width) } else { f32::INFINITY };
        let below = if y + 1 < height { passed(index + width) } else { f32::INFINITY };
        let [across, down] = [left.min(right), above.min(below)];
        let [column, row] = self.steps;
        let straight = (across + column * cost).min(down + row * cost);
        if !across.is_finite() || !down.is_finite() {
            return straight;
        }
        // ((T − across) / column)² + ((T − down) / row)² = cost², the larger solution, relative to the earlier of both
        // so that no digits are lost far from the seed.
        let first = across.min(down);
        let [p, q] = [1.0 / (column * column), 1.0 / (row * row)];
        let [a, d] = [across - first, down - first];
        let (sum, mean) = (p + q, a * p + d * q);
        let rest = mean * mean - sum * (a * a * p + d * d * q - cost * cost);
        if rest < 0.0 {
            return straight;
        }
        let both = (mean + rest.sqrt()) / sum;
        // The solution holds only if the front comes from both sides.
        if both >= a.max(d) { first + both } else { straight }
    }

    /// Returns what a way through a pixel costs for its length, at least 1.
    fn cost(&self, view: &SliceView, index: usize) -> f32 {
        let value = (view.values()[index] - self.like[0]) / self.tenth;
        let probability = view.probability().map_or(0.0, |map| (map[index] - self.like[1]) / 0.25);
        let change = gradient(view, index) / self.tenth;
        let weigh = |weight: f32, by: f32| if weight > 0.0 { weight * by * by } else { 0.0 };
        let settings = &self.settings;
        let cost = 1.0
            + weigh(settings.value, value)
            + weigh(settings.probability, probability)
            + weigh(settings.edges, change);
        // A cost beyond all bounds stays a number, so that arrivals do.
        if cost.is_finite() { cost.min(1e9) } else { 1e9 }
    }
}

/// Returns the mean value and the mean probability of the pixels around a seed where tools may go.
fn around(view: &SliceView, seed: usize) -> [f32; 2] {
    let [width, height] = view.size();
    let (x, y) = (seed % width, seed / width);
    let rows = y.saturating_sub(NEAR)..(y + NEAR + 1).min(height);
    let (mut count, mut value, mut probability) = (0.0, 0.0, 0.0);
    for row in rows {
        for column in x.saturating_sub(NEAR)..(x + NEAR + 1).min(width) {
            let index = row * width + column;
            if view.is_open(index) {
                count += 1.0;
                value += view.values()[index];
                probability += view.probability().map_or(0.0, |map| map[index]);
            }
        }
    }
    [value / count, probability / count]
}
