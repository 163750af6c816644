//! Regions of connected pixels around a point.

use super::slice_view::pixel_at;
use super::spans::{self, Span};
use super::{SliceView, ToolError};
use crate::annotate::Region;
use crate::data::Mask;
use crate::data::mask::components::Connectivity;

/// The values and probabilities of the pixels that a tool takes; both ends belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The lowest and the highest value; `None` if the value does not matter.
    pub value: Option<[f32; 2]>,
    /// The lowest and the highest probability; `None` if the probability does not matter.
    pub probability: Option<[f32; 2]>,
}

impl Interval {
    /// Returns the interval around the value and the probability at a point. A tolerance is the greatest difference;
    /// `None` if the value or the probability does not matter.
    ///
    /// # Errors
    /// Returns an error if the point lies outside the image or where tools may not go, or if the probability shall
    /// matter and there is no prediction.
    pub fn around(
        view: &SliceView,
        point: [f64; 2],
        value: Option<f32>,
        probability: Option<f32>,
    ) -> Result<Self, ToolError> {
        let index = view.seed(point)?;
        let range = |at: f32, tolerance: f32| [at - tolerance, at + tolerance];
        let value = value.map(|tolerance| range(view.values()[index], tolerance));
        let probability = match probability {
            Some(tolerance) => Some(range(view.probability().ok_or(ToolError::NoProbability)?[index], tolerance)),
            None => None,
        };
        Ok(Self { value, probability })
    }

    /// Returns whether a pixel of a slice lies in the interval. NaN lies in none, and without a prediction no pixel
    /// lies in an interval of probabilities.
    pub fn contains(&self, view: &SliceView, index: usize) -> bool {
        let within = |[low, high]: [f32; 2], at: f32| low <= at && at <= high;
        self.value.is_none_or(|range| within(range, view.values()[index]))
            && self.probability.is_none_or(|range| view.probability().is_some_and(|map| within(range, map[index])))
    }
}

/// Returns the pixels of an interval that are connected to the pixel at a point; empty if that one is not in the
/// interval.
///
/// # Errors
/// Returns an error if the point lies outside the image or where tools may not go, or if the interval is one of
/// probabilities and there is no prediction.
pub fn flood(
    view: &SliceView,
    point: [f64; 2],
    interval: Interval,
    connectivity: Connectivity,
) -> Result<Region, ToolError> {
    let seed = view.seed(point)?;
    if interval.probability.is_some() && view.probability().is_none() {
        return Err(ToolError::NoProbability);
    }
    let takes = |index: usize| view.is_open(index) && interval.contains(view, index);
    Ok(spans::region(&connected(view.size(), [seed], connectivity, takes)))
}

/// Returns the connected region of the probability map at and above `threshold` that contains a point; empty if the
/// probability there is lower. Pixels that share a corner are connected.
///
/// # Errors
/// Returns an error if there is no prediction, or if the point lies outside the image or where tools may not go.
pub fn component_of(view: &SliceView, point: [f64; 2], threshold: f32) -> Result<Region, ToolError> {
    let interval = Interval { value: None, probability: Some([threshold, f32::INFINITY]) };
    flood(view, point, interval, Connectivity::Corner)
}

/// Returns the connected region of a mask that contains a point; empty if there is none or the point lies outside.
/// Pixels that share a corner are connected.
pub fn component_at(mask: &Mask, point: [f64; 2]) -> Region {
    let size = [mask.width, mask.height];
    let seed = pixel_at(point, size).map(|[x, y]| y * mask.width + x);
    spans::region(&connected(size, seed, Connectivity::Corner, |index| mask.values[index] != 0))
}

/// Returns the pixels for which `takes` holds and that are connected to one of the seeds for which it holds too.
pub(super) fn connected(
    [width, height]: [usize; 2],
    seeds: impl IntoIterator<Item = usize>,
    connectivity: Connectivity,
    takes: impl Fn(usize) -> bool,
) -> Vec<Span> {
    let mut is_taken = vec![false; width * height];
    let mut waiting: Vec<usize> = seeds.into_iter().collect();
    let mut found = Vec::new();
    let reach = usize::from(connectivity == Connectivity::Corner);
    while let Some(index) = waiting.pop() {
        if is_taken[index] || !takes(index) {
            continue;
        }
        let (x, row) = (index % width, index / width);
        let first = row * width;
        let is_free = |at: &usize| !is_taken[first + at] && takes(first + at);
        let start = (0..x).rev().take_while(is_free).last().unwrap_or(x);
        let end = (x + 1..width).take_while(is_free).last().unwrap_or(x) + 1;
        is_taken[first + start..first + end].fill(true);
        found.push(Span { row, start, end });
        let (left, right) = (start.saturating_sub(reach), (end + reach).min(width));
        for other in [row.checked_sub(1), Some(row + 1).filter(|below| *below < height)].into_iter().flatten() {
            let mut was_free = false;
            let (first, end) = (other * width + left, other * width + right);
            for (at, is_taken) in is_taken.iter().enumerate().take(end).skip(first) {
                let is_free = !is_taken && takes(at);
                // One pixel of a run is enough, because a run is taken as a whole.
                if is_free && !was_free {
                    waiting.push(at);
                }
                was_free = is_free;
            }
        }
    }
    found
}
