//! Axes with round numbers, and plots in them.

use super::page::{GRID, INK, LABEL, TICK, WEAK};
use super::scene::{Anchor, Rect, Scene, Stroke, Text};
use crate::analysis::number::number;

/// The length of a tick, and the distance from the axis to its number, in points.
const TICK_LENGTH: f32 = 2.0;
const TO_NUMBER: f32 = 3.5;
/// The distance from a vertical axis to its name in points, equal for all plots of a page.
const TO_NAME: f32 = 24.0;

/// A value range with ticks.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The first value.
    pub low: f64,
    /// The last value.
    pub high: f64,
    /// The values of the ticks, with their labels.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Creates an axis from exactly `low` to `high`, with about `most` ticks at round numbers.
    pub fn exact(low: f64, high: f64, most: usize) -> Self {
        let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
        Self::stepped(low, high, round_step((high - low) / most.max(1) as f64))
    }

    fn stepped(low: f64, high: f64, step: f64) -> Self {
        let digits = digits_of(step);
        // The range is extended slightly, so that rounding does not lose the last tick.
        let inside = |number: i64| (low - 1e-9 * step..=high + 1e-9 * step).contains(&(number as f64 * step));
        let numbers = (low / step).floor() as i64..=(high / step).ceil() as i64;
        let tick = |at: i64| (at as f64 * step, number(at as f64 * step, digits));
        Self { low, high, ticks: numbers.filter(|at| inside(*at)).map(tick).collect() }
    }

    /// Creates an axis from the round number below all values to the one above them.
    pub fn covering(values: impl IntoIterator<Item = f64>, most: usize) -> Self {
        let finite = values.into_iter().filter(|value| value.is_finite());
        let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let (low, high) = match high - low {
            span if span > 0.0 => (low, high),
            _ if low.is_finite() => (low - 0.5, low + 0.5),
            _ => (0.0, 1.0),
        };
        let step = round_step((high - low) / most.max(1) as f64);
        Self::stepped((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step, step)
    }

    /// Creates an axis of names without numeric order, each centred in an interval of length 1.
    pub fn of_names(names: impl IntoIterator<Item = String>) -> Self {
        let ticks: Vec<_> = names.into_iter().enumerate().map(|(at, name)| (at as f64 + 0.5, name)).collect();
        Self { low: 0.0, high: ticks.len().max(1) as f64, ticks }
    }

    /// Returns the relative position of a value, 0…1 within the range.
    pub fn share(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }
}

/// Returns the smallest value of 1, 2 or 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

/// Returns the number of decimals that distinguish multiples of a step.
fn digits_of(step: f64) -> usize {
    (-step.log10().floor()).clamp(0.0, 9.0) as usize
}

/// A plot area with two axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// The area inside the axes; numbers and names are to its left and below it.
    pub rect: Rect,
    /// The horizontal axis, from left to right.
    pub x: Axis,
    /// The vertical axis, upwards.
    pub y: Axis,
}

impl Plot {
    /// Returns the position of a point on the page.
    pub fn place(&self, [x, y]: [f64; 2]) -> [f32; 2] {
        let Rect { x: left, width, height, .. } = self.rect;
        [left + width * self.x.share(x), self.rect.bottom() - height * self.y.share(y)]
    }

    /// Draws the axes, and a pale line at every tick of the vertical axis. The names of the axes may be empty.
    pub fn frame(&self, scene: &mut Scene, x_name: &str, y_name: &str) {
        let Rect { x: left, .. } = self.rect;
        let (right, bottom) = (self.rect.right(), self.rect.bottom());
        for (value, label) in &self.y.ticks {
            let [_, y] = self.place([self.x.low, *value]);
            scene.line([[left, y], [right, y]], Stroke::solid(GRID, 0.4));
            scene.line([[left - TICK_LENGTH, y], [left, y]], Stroke::solid(WEAK, 0.5));
            let at = [left - TO_NUMBER, y + 0.35 * TICK];
            scene.text(Text::new(at, label, TICK, WEAK).anchored(Anchor::End));
        }
        for (value, label) in &self.x.ticks {
            let [x, _] = self.place([*value, self.y.low]);
            scene.line([[x, bottom], [x, bottom + TICK_LENGTH]], Stroke::solid(WEAK, 0.5));
            let at = [x, bottom + TO_NUMBER + 0.75 * TICK];
            scene.text(Text::new(at, label, TICK, WEAK).anchored(Anchor::Middle));
        }
        scene.line([[left, self.rect.y], [left, bottom], [right, bottom]], Stroke::solid(WEAK, 0.6));
        if !x_name.is_empty() {
            let at = [self.rect.middle(), bottom + TO_NUMBER + 2.1 * TICK];
            scene.text(Text::new(at, x_name, LABEL, INK).anchored(Anchor::Middle));
        }
        if !y_name.is_empty() {
            let at = [left - TO_NAME, self.rect.y + self.rect.height / 2.0];
            scene.text(Text::new(at, y_name, LABEL, INK).anchored(Anchor::Middle).upright());
        }
    }

    /// Draws a line through points.
    pub fn curve(&self, scene: &mut Scene, points: &[[f64; 2]], stroke: Stroke) {
        let points: Vec<[f32; 2]> = points.iter().map(|point| self.place(*point)).collect();
        if points.len() > 1 {
            scene.line(points, stroke);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn ticks_stand_at_round_numbers() {
        assert_eq!(labels(&Axis::exact(0.0, 1.0, 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::exact(0.0, 14.0, 4)), ["0", "5", "10"]);
        assert_eq!(labels(&Axis::exact(-0.03, 0.03, 3)), ["−0.02", "0.00", "0.02"]);
        let axis = Axis::covering([0.013, 0.262], 4);
        assert_eq!((axis.low, labels(&axis)), (0.0, vec!["0.0", "0.1", "0.2", "0.3"]));
        assert!((axis.high - 0.3).abs() < 1e-12);
        assert_eq!(
            labels(&Axis::covering([0.0, 0.3], 3)),
            ["0.0", "0.1", "0.2", "0.3"],
            "an end that is round stays"
        );
    }

    #[test]
    fn nothing_to_cover_is_an_axis_all_the_same() {
        for axis in [Axis::covering([], 4), Axis::covering([2.0], 4), Axis::covering([f64::NAN], 4)] {
            assert!(axis.high > axis.low && axis.ticks.len() > 1, "{axis:?}");
        }
    }

    #[test]
    fn a_point_is_put_where_it_belongs() {
        let plot = Plot {
            rect: Rect::new(10.0, 20.0, 100.0, 50.0),
            x: Axis::exact(0.0, 4.0, 4),
            y: Axis::exact(-1.0, 1.0, 4),
        };
        assert_eq!(plot.place([0.0, -1.0]), [10.0, 70.0]);
        assert_eq!(plot.place([4.0, 1.0]), [110.0, 20.0]);
        assert_eq!(plot.place([1.0, 0.0]), [35.0, 45.0]);
    }
}
