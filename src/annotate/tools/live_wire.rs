//! The live wire: the path along edges from an anchor to the pointer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::edges::{Scales, gradient};
use super::slice_view::pixel_at;
use super::{SliceView, ToolError};

/// The cost of a pixel on the strongest edges; one without an edge costs 1 more.
const ON_EDGE: f32 = 0.03;
/// The steps to the eight neighbours, in columns and rows.
const STEPS: [[isize; 2]; 8] = [[-1, 0], [1, 0], [0, -1], [0, 1], [-1, -1], [1, -1], [-1, 1], [1, 1]];
/// Marks a pixel that no path has reached.
const NOWHERE: u8 = u8::MAX;

/// The cheapest paths from an anchor along edges (Mortensen & Barrett, *Intelligent scissors for image composition*,
/// 1995): Dijkstra's algorithm over the eight neighbours of every pixel, where a step costs its length times one less
/// the strength of the edge. Paths are computed outwards from the anchor and only as far as they were asked for, so that
/// moving the pointer back computes nothing.
#[derive(Clone, Debug)]
pub struct LiveWire {
    size: [usize; 2],
    steps: [f64; 2],
    /// The gradient of a strong edge.
    strong: f32,
    costs: Vec<f32>,
    /// The step that leads to each pixel, by its place in [`STEPS`].
    arrived_by: Vec<u8>,
    is_settled: Vec<bool>,
    waiting: BinaryHeap<Reverse<(u32, u32)>>,
    anchor: usize,
}

impl LiveWire {
    /// Sets the anchor.
    ///
    /// # Errors
    /// Returns an error if the anchor lies outside the image.
    pub fn new(view: &SliceView, anchor: [f64; 2]) -> Result<Self, ToolError> {
        let anchor = view.index(anchor).ok_or(ToolError::Outside)?;
        let count = view.values().len();
        let mut costs = vec![f32::INFINITY; count];
        costs[anchor] = 0.0;
        Ok(Self {
            size: view.size(),
            steps: view.steps(),
            strong: Scales::of(view).gradient,
            costs,
            arrived_by: vec![NOWHERE; count],
            is_settled: vec![false; count],
            waiting: BinaryHeap::from([Reverse((0, anchor as u32))]),
            anchor,
        })
    }

    /// Computes paths until the one to the pixel at `point` is known, but of at most `most` further pixels. Returns
    /// whether that was enough; a point outside the image needs nothing. `view` is the slice of [`LiveWire::new`].
    ///
    /// # Panics
    /// Panics if `view` has another size.
    pub fn advance(&mut self, view: &SliceView, point: [f64; 2], most: usize) -> bool {
        assert_eq!(view.size(), self.size, "the slice of the anchor");
        let Some([x, y]) = pixel_at(point, self.size) else { return true };
        let [width, height] = self.size;
        let target = y * width + x;
        let mut left = most;
        while !self.is_settled[target] {
            if left == 0 {
                return false;
            }
            let Some(Reverse((_, pixel))) = self.waiting.pop() else { return true };
            let index = pixel as usize;
            if std::mem::replace(&mut self.is_settled[index], true) {
                continue;
            }
            left -= 1;
            let (x, y) = (index % width, index / width);
            for (number, [across, down]) in STEPS.iter().enumerate() {
                let column = x.checked_add_signed(*across).filter(|column| *column < width);
                let row = y.checked_add_signed(*down).filter(|row| *row < height);
                let (Some(column), Some(row)) = (column, row) else { continue };
                let next = row * width + column;
                if self.is_settled[next] {
                    continue;
                }
                let length = (*across as f64 * self.steps[0]).hypot(*down as f64 * self.steps[1]) as f32;
                let cost = self.costs[index] + length * self.cost(view, next);
                if cost < self.costs[next] {
                    self.costs[next] = cost;
                    self.arrived_by[next] = number as u8;
                    self.waiting.push(Reverse((cost.to_bits(), next as u32)));
                }
            }
        }
        true
    }

    /// Returns the pixels from the anchor to the one at `point`, both included; `None` if the path is not known yet or
    /// the point lies outside the image.
    pub fn path(&self, point: [f64; 2]) -> Option<Vec<[usize; 2]>> {
        let [mut x, mut y] = pixel_at(point, self.size)?;
        let width = self.size[0];
        if !self.is_settled[y * width + x] {
            return None;
        }
        let mut path = vec![[x, y]];
        while y * width + x != self.anchor {
            let [across, down] = STEPS.get(usize::from(self.arrived_by[y * width + x]))?;
            (x, y) = (x.checked_add_signed(-across)?, y.checked_add_signed(-down)?);
            path.push([x, y]);
        }
        path.reverse();
        Some(path)
    }

    /// Returns what a way to a pixel costs for its length.
    fn cost(&self, view: &SliceView, index: usize) -> f32 {
        let gradient = gradient(view, index);
        // Pixels without a value are no edges that a user wants to follow.
        let strength =
            if self.strong > 0.0 && gradient.is_finite() { (gradient / self.strong).min(1.0) } else { 0.0 };
        ON_EDGE + 1.0 - strength
    }
    /// Returns what a way to each pixel costs for its length.
    #[cfg(test)]
    pub(super) fn costs_for_test(&self, view: &SliceView) -> Vec<f32> {
        (0..view.values().len()).map(|index| self.cost(view, index)).collect()
    }
}
