//! The icons of the tools, drawn with lines, because the fonts of the window have no such signs.

use eframe::egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, pos2};

/// The thickness of a line, in points.
const LINE: f32 = 1.4;

/// Draws an icon in a square.
pub type Icon = fn(&Painter, Rect, Color32);

fn at(rect: Rect, x: f32, y: f32) -> Pos2 {
    pos2(rect.left() + rect.width() * x, rect.top() + rect.height() * y)
}

fn line(painter: &Painter, rect: Rect, colour: Color32, points: &[[f32; 2]]) {
    let points = points.iter().map(|[x, y]| at(rect, *x, *y)).collect();
    painter.add(Shape::line(points, Stroke::new(LINE, colour)));
}

/// Four arrows from the centre.
pub fn hand(painter: &Painter, rect: Rect, colour: Color32) {
    line(painter, rect, colour, &[[0.5, 0.1], [0.5, 0.9]]);
    line(painter, rect, colour, &[[0.1, 0.5], [0.9, 0.5]]);
    line(painter, rect, colour, &[[0.38, 0.22], [0.5, 0.1], [0.62, 0.22]]);
    line(painter, rect, colour, &[[0.38, 0.78], [0.5, 0.9], [0.62, 0.78]]);
    line(painter, rect, colour, &[[0.22, 0.38], [0.1, 0.5], [0.22, 0.62]]);
    line(painter, rect, colour, &[[0.78, 0.38], [0.9, 0.5], [0.78, 0.62]]);
}

/// A brush with its handle.
pub fn brush(painter: &Painter, rect: Rect, colour: Color32) {
    line(painter, rect, colour, &[[0.9, 0.1], [0.48, 0.52]]);
    painter.circle_filled(at(rect, 0.34, 0.66), rect.width() * 0.2, colour);
    line(painter, rect, colour, &[[0.24, 0.78], [0.08, 0.92], [0.36, 0.86]]);
}

/// A slanted eraser on a line.
pub fn eraser(painter: &Painter, rect: Rect, colour: Color32) {
    line(painter, rect, colour, &[[0.55, 0.12], [0.9, 0.42], [0.5, 0.84], [0.14, 0.54], [0.55, 0.12]]);
    line(painter, rect, colour, &[[0.32, 0.36], [0.68, 0.64]]);
    line(painter, rect, colour, &[[0.4, 0.92], [0.95, 0.92]]);
}
