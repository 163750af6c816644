//! A chart with a title, a legend with the newest values, and lines.

use eframe::egui::{Color32, RichText, TextStyle, Ui, vec2};
use egui_plot::{Line, PlotPoints, Points};

use crate::app::panels::plot;
use crate::app::panels::widgets::swatch;
use crate::app::theme;

/// The height of the plot area, in points.
const HEIGHT: f32 = 118.0;
/// Lines with more values than this are drawn without markers.
const MARKED: usize = 60;
/// Lines with more values than this are thinned out, because a chart has fewer pixels.
const DRAWN: usize = 1500;
/// The opacity of raw values below smoothed ones.
const FAINT: f32 = 0.45;

/// A line of a chart.
pub struct Series {
    /// The name of the line.
    pub name: String,
    /// The colour of the line.
    pub colour: Color32,
    /// Pairs of epoch and value, in order.
    pub points: Vec<[f64; 2]>,
    /// Whether the line is drawn faint behind the others, without a legend entry.
    pub is_background: bool,
}

/// The settings that all charts share.
#[derive(Clone, Copy)]
pub struct Style {
    /// The width, in points.
    pub width: f32,
    /// The share of previous values in a smoothed line, 0…1; 0 means no smoothing.
    pub smoothing: f64,
    /// Whether the values are shares, whose axis ends at multiples of 0.1.
    pub is_share: bool,
}

/// Draws a chart; `convention` explains its numbers.
pub fn show(ui: &mut Ui, title: &str, convention: &str, series: &[Series], style: Style) {
    ui.allocate_ui(vec2(style.width, HEIGHT + 62.0), |ui| {
        ui.vertical(|ui| {
            ui.set_width(style.width);
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.horizontal(|ui| {
                ui.label(RichText::new(title).strong());
                if !convention.is_empty() {
                    ui.label(RichText::new(convention).small().weak());
                }
            });
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                series.iter().filter(|line| !line.is_background).for_each(|line| legend(ui, line));
            });
            lines(ui, title, series, style);
        });
    });
}

/// Draws the name of a line and its newest value, kept with its colour.
fn legend(ui: &mut Ui, line: &Series) {
    let value = line.points.last().map_or("–".into(), |[_, value]| number(*value));
    let text = format!("{} {value}", line.name);
    let font = TextStyle::Small.resolve(ui.style());
    let width = ui.painter().layout_no_wrap(text.clone(), font, line.colour).size().x;
    if ui.available_size_before_wrap().x < width + 22.0 {
        ui.end_row();
    }
    swatch(ui, line.colour);
    ui.label(RichText::new(text).small());
    ui.add_space(4.0);
}

fn lines(ui: &mut Ui, title: &str, series: &[Series], style: Style) {
    let raw = theme::palette(ui.visuals()).weak;
    let mut plot = plot::base(("chart", title), HEIGHT, true).width(style.width).include_x(0.0).include_x(1.0);
    if style.is_share {
        let [low, high] = tenths(series);
        plot = plot.include_y(low).include_y(high);
    }
    plot.show(ui, |drawing| {
        for line in series.iter().filter(|line| line.is_background) {
            drawing.line(
                Line::new(line.name.clone(), drawn(&line.points)).color(raw.gamma_multiply(FAINT)).width(1.0),
            );
        }
        for line in series.iter().filter(|line| !line.is_background) {
            let is_smoothed = style.smoothing > 0.0;
            let (colour, width) =
                if is_smoothed { (line.colour.gamma_multiply(FAINT), 1.0) } else { (line.colour, 1.6) };
            if line.points.len() <= MARKED {
                let marks = Points::new(line.name.clone(), drawn(&line.points));
                drawing.points(marks.color(colour).radius(if is_smoothed { 1.6 } else { 2.2 }));
            }
            drawing.line(Line::new(line.name.clone(), drawn(&line.points)).color(colour).width(width));
            if is_smoothed {
                let smooth = smoothed(&line.points, style.smoothing);
                let name = format!("{}, smoothed", line.name);
                drawing.line(Line::new(name, drawn(&smooth)).color(line.colour).width(1.8));
            }
        }
    });
}

/// Returns the multiples of 0.1 that enclose all values; a constant line has a range too.
fn tenths(series: &[Series]) -> [f64; 2] {
    let values = series.iter().flat_map(|line| line.points.iter().map(|[_, value]| *value));
    let (low, high) = values.fold((1f64, 0f64), |(low, high), value| (low.min(value), high.max(value)));
    let low = (low.min(high) * 10.0).floor() / 10.0;
    [low, ((high * 10.0).ceil() / 10.0).max(low + 0.1)]
}

/// Returns at most [`DRAWN`] of `points`, evenly spaced and including the last.
fn drawn(points: &[[f64; 2]]) -> PlotPoints<'static> {
    let stride = points.len().div_ceil(DRAWN).max(1);
    let offset = points.len().saturating_sub(1) % stride;
    points.iter().copied().skip(offset).step_by(stride).collect()
}

/// Returns the exponential moving average with a share `share` of previous values, with bias correction at the
/// start.
fn smoothed(points: &[[f64; 2]], share: f64) -> Vec<[f64; 2]> {
    let (mut sum, mut weight) = (0.0, 0.0);
    let next = |&[x, y]: &[f64; 2]| {
        sum = share * sum + (1.0 - share) * y;
        weight = share * weight + (1.0 - share);
        [x, sum / weight]
    };
    points.iter().map(next).collect()
}

/// Formats a value with three significant digits.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size < 1e-3 => format!("{value:.1e}"),
        size if size < 0.1 => format!("{value:.4}"),
        size if size < 10.0 => format!("{value:.3}"),
        _ => format!("{value:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_keeps_a_constant_and_damps_a_peak() {
        let flat = smoothed(&[[1.0, 2.0], [2.0, 2.0]], 0.9);
        assert!(flat.iter().all(|[_, y]| (y - 2.0).abs() < 1e-12));
        let peak = smoothed(&[[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]], 0.5);
        assert_eq!((peak[0], peak[1]), ([1.0, 0.0], [2.0, 2.0 / 3.0]));
    }

    #[test]
    fn shares_lie_between_tenths() {
        let of = |values: &[f64]| {
            let points = values.iter().map(|value| [0.0, *value]).collect();
            let line = Series { name: String::new(), colour: Color32::WHITE, points, is_background: false };
            tenths(&[line]).map(|value| (value * 1000.0).round() / 1000.0)
        };
        assert_eq!(of(&[0.0, 0.0]), [0.0, 0.1]);
        assert_eq!(of(&[0.249, 0.251]), [0.2, 0.3]);
        assert_eq!(of(&[0.71, 0.82]), [0.7, 0.9]);
        assert_eq!(of(&[]), [0.0, 0.1]);
    }

    #[test]
    fn a_thinned_line_ends_where_it_ends() {
        let points: Vec<[f64; 2]> = (0..4001).map(|x| [f64::from(x), 0.0]).collect();
        let drawn = drawn(&points);
        assert!(drawn.points().len() <= DRAWN);
        assert_eq!(drawn.points().last().map(|point| point.x), Some(4000.0));
    }
}
