//! Common properties of all plots in panels: numbered axis marks, and no reaction to the wheel, because the panels
//! scroll.

use std::fmt::Debug;
use std::hash::Hash;

use eframe::egui::{Id, Vec2b};
use egui_plot::{AxisHints, GridInput, GridMark, Plot};

/// The maximum number of marks along an axis.
const MARKS: f64 = 4.5;

/// Creates a plot of `height` points whose axes have marks at round numbers, spaced so that each number fits.
/// `whole_x` restricts the horizontal axis to whole numbers.
pub fn base<'a>(id: impl Hash + Debug, height: f32, whole_x: bool) -> Plot<'a> {
    let marks = move |is_whole: bool| move |input: GridInput| marks(input.bounds, is_whole);
    let numbers = |mark: GridMark, _: &_| words(mark);
    // The marks are chosen to fit the available space, so each may have its number.
    let x = AxisHints::new_x().formatter(numbers).label_spacing(10.0..=20.0);
    let y = AxisHints::new_y().formatter(numbers).label_spacing(6.0..=12.0).min_thickness(34.0);
    Plot::new(("plot", Id::unique(id)))
        .height(height)
        .show_background(false)
        .show_axes(Vec2b::TRUE)
        .x_grid_spacer(marks(whole_x))
        .y_grid_spacer(marks(false))
        .custom_x_axes(vec![x])
        .custom_y_axes(vec![y])
        .allow_scroll(false)
        .allow_zoom(false)
        .allow_drag(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
}

/// Returns marks at multiples of 1, 2 or 5 times a power of ten, few enough for a small plot.
fn marks((first, last): (f64, f64), is_whole: bool) -> Vec<GridMark> {
    let range = last - first;
    if !(range.is_finite() && range > 0.0) {
        return Vec::new();
    }
    let decade = 10_f64.powf((range / MARKS).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * decade).into_iter().find(|step| range / step <= MARKS);
    let step = step.unwrap_or(decade * 10.0).max(if is_whole { 1.0 } else { 0.0 });
    let begin = (first / step).ceil() as i64;
    (begin..)
        .map(|number| number as f64 * step)
        .take_while(|value| *value <= last)
        .map(|value| GridMark { value, step_size: step })
        .collect()
}

/// Formats the number of a mark with as many digits as the distance between marks needs.
fn words(mark: GridMark) -> String {
    let digits = (-mark.step_size.log10().floor()).clamp(0.0, 6.0) as usize;
    if mark.value != 0.0 && mark.step_size < 1e-4 {
        // The number of digits makes the numbers of neighbouring marks different.
        let digits = (mark.value.abs().log10().floor() - mark.step_size.log10().floor()).max(0.0) as usize;
        return format!("{:.digits$e}", mark.value).replace('-', "−");
    }
    let text = format!("{:.digits$}", mark.value);
    if text.trim_start_matches('-').bytes().all(|byte| matches!(byte, b'0' | b'.')) {
        return "0".into();
    }
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(bounds: (f64, f64), is_whole: bool) -> Vec<f64> {
        marks(bounds, is_whole).into_iter().map(|mark| mark.value).collect()
    }

    #[test]
    fn marks_are_few_and_round() {
        assert_eq!(values((0.0, 4.2), true), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(values((-0.6, 20.6), true), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(values((0.0, 1.0), false), [0.0, 0.5, 1.0]);
        assert_eq!(values((0.0, 0.9), true), [0.0], "no halves of an epoch");
        assert_eq!(values((2.0, 2.0), false), Vec::<f64>::new());
        for (low, high) in [(0.0, 1e-7), (-3.0, 1e9), (0.1, 0.1003)] {
            let count = values((low, high), false).len();
            assert!((1..=5).contains(&count), "{low} to {high}: {count}");
        }
    }

    #[test]
    fn numbers_have_the_digits_that_tell_marks_apart() {
        let text = |value: f64, step_size: f64| words(GridMark { value, step_size });
        assert_eq!(text(0.5, 0.5), "0.5");
        assert_eq!(text(-0.02, 0.01), "−0.02");
        assert_eq!(text(15.0, 5.0), "15");
        assert_eq!(text(-1e-17, 0.5), "0");
        assert_eq!(text(2e-5, 1e-5), "2e−5");
        assert_eq!(text(2.9995e-4, 5e-8), "2.9995e−4");
        assert_eq!(text(3e-4, 5e-8), "3.0000e−4");
    }
}
