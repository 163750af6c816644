//! Compares masks of the network's grid with a ground truth of the image's size, without enlarging them as a whole.

use std::ops::Range;

use super::resample::{Taps, linear_taps};
use super::{Mask, is_foreground};

/// Values closer to the threshold than this are compared one by one, because rounding can put an interpolated value just
/// beyond both of its neighbours.
const MARGIN: f32 = 1e-5;

/// A ground truth that many planes of `size × size` probabilities are compared with, each as if it were enlarged by
/// [`plane_to_image`](super::preprocess::plane_to_image).
///
/// Between two neighbours of the grid an interpolated value lies between theirs. Only where the threshold does too is
/// every pixel computed; elsewhere the pixels were counted beforehand.
#[derive(Debug)]
pub struct EnlargedTruth<'a> {
    truth: &'a Mask,
    size: usize,
    rows: Vec<Taps<2>>,
    columns: Vec<Taps<2>>,
    /// The columns of the image that lie between the same two columns of the grid.
    runs: Vec<Range<usize>>,
    /// The foreground pixels in every run of every row.
    sums: Vec<u32>,
    foreground: u64,
}

impl<'a> EnlargedTruth<'a> {
    /// Counts the pixels of `truth` for planes of `size × size` values.
    pub fn new(truth: &'a Mask, size: usize) -> Self {
        let (columns, rows) = (linear_taps(size, truth.width), linear_taps(size, truth.height));
        let mut runs: Vec<Range<usize>> = Vec::new();
        for (at, taps) in columns.iter().enumerate() {
            match runs.last_mut() {
                Some(run) if columns[run.start].index == taps.index => run.end = at + 1,
                _ => runs.push(at..at + 1),
            }
        }
        let lines = truth.values.chunks_exact(truth.width.max(1));
        let count = |values: &[u8]| values.iter().filter(|value| **value != 0).count() as u32;
        let sums: Vec<u32> =
            lines.flat_map(|line| runs.iter().map(move |run| count(&line[run.clone()]))).collect();
        let foreground = sums.iter().map(|sum| u64::from(*sum)).sum();
        Self { truth, size, rows, columns, runs, sums, foreground }
    }

    /// Returns the numbers of pixels of the mask at `threshold` that are foreground in the ground truth and that are
    /// not, and of the foreground pixels of the ground truth that the mask lacks.
    ///
    /// # Panics
    /// If `plane` does not hold `size * size` values.
    pub fn counts(&self, plane: &[f32], threshold: f32) -> [u64; 3] {
        assert_eq!(plane.len(), self.size * self.size, "a plane of side {}", self.size);
        if plane.is_empty() {
            return [0, 0, self.foreground];
        }
        let (mut hits, mut found) = (0, 0);
        let lines = self.truth.values.chunks_exact(self.truth.width.max(1));
        for ((y, line), sums) in self.rows.iter().zip(lines).zip(self.sums.chunks_exact(self.runs.len().max(1))) {
            let [above, below] = y.index.map(|row| &plane[row * self.size..(row + 1) * self.size]);
            let [w0, w1] = y.weight.map(|weight| weight as f32);
            let blended: Vec<f32> = above.iter().zip(below).map(|(a, b)| w0 * a + w1 * b).collect();
            for (run, &sum) in self.runs.iter().zip(sums) {
                let [a, b] = self.columns[run.start].index.map(|column| blended[column]);
                if a >= threshold + MARGIN && b >= threshold + MARGIN {
                    found += run.len() as u64;
                    hits += u64::from(sum);
                } else if a >= threshold - MARGIN || b >= threshold - MARGIN {
                    for (x, truth) in self.columns[run.clone()].iter().zip(&line[run.clone()]) {
                        let value = x.weight[0] as f32 * a + x.weight[1] as f32 * b;
                        let is_found = u64::from(is_foreground(value, threshold));
                        found += is_found;
                        hits += is_found * u64::from(*truth != 0);
                    }
                }
            }
        }
        [hits, found - hits, self.foreground - hits]
    }
}
