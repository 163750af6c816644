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

/// A brush beside the edge that it keeps to.
pub fn smart_brush(painter: &Painter, rect: Rect, colour: Color32) {
    brush(painter, rect, colour);
    line(painter, rect, colour, &[[0.62, 0.94], [0.7, 0.74], [0.94, 0.62]]);
}

/// A loop with its end.
pub fn lasso(painter: &Painter, rect: Rect, colour: Color32) {
    let round = (0..=16).map(|step| {
        let (sin, cos) = (std::f32::consts::TAU * step as f32 / 16.0).sin_cos();
        at(rect, 0.52 + 0.42 * cos, 0.36 + 0.28 * sin)
    });
    painter.add(Shape::line(round.collect(), Stroke::new(LINE, colour)));
    line(painter, rect, colour, &[[0.24, 0.56], [0.14, 0.72], [0.3, 0.8], [0.2, 0.95]]);
}

/// A polygon with its corners.
pub fn polygon(painter: &Painter, rect: Rect, colour: Color32) {
    let corners = [[0.18, 0.3], [0.62, 0.12], [0.88, 0.56], [0.5, 0.88], [0.14, 0.74]];
    line(painter, rect, colour, &[corners[0], corners[1], corners[2], corners[3], corners[4], corners[0]]);
    for [x, y] in corners {
        painter.circle_filled(at(rect, x, y), rect.width() * 0.09, colour);
    }
}

/// An edge with two anchors on it.
pub fn live_wire(painter: &Painter, rect: Rect, colour: Color32) {
    line(painter, rect, colour, &[[0.1, 0.84], [0.22, 0.5], [0.44, 0.56], [0.54, 0.22], [0.9, 0.14]]);
    for [x, y] in [[0.1, 0.84], [0.9, 0.14]] {
        painter.rect_filled(Rect::from_center_size(at(rect, x, y), rect.size() * 0.2), 0.0, colour);
    }
}

/// A drop.
pub fn flood(painter: &Painter, rect: Rect, colour: Color32) {
    line(painter, rect, colour, &[[0.28, 0.5], [0.5, 0.08], [0.72, 0.5]]);
    let round = (0..=10).map(|step| {
        let (sin, cos) =
            (0.2 - (std::f32::consts::PI + 0.4) * step as f32 / 10.0 + std::f32::consts::PI).sin_cos();
        at(rect, 0.5 + 0.26 * cos, 0.62 + 0.26 * sin)
    });
    painter.add(Shape::line(round.collect(), Stroke::new(LINE, colour)));
}

/// A dot in two rings, of which the outer one is broken.
pub fn grow(painter: &Painter, rect: Rect, colour: Color32) {
    let ring = |radius: f32, from: f32, to: f32| {
        let corner = |step: u8| {
            let angle = std::f32::consts::TAU * (from + (to - from) * f32::from(step) / 12.0);
            [0.5 + radius * angle.cos(), 0.5 + radius * angle.sin()]
        };
        (0..=12).map(corner).collect::<Vec<_>>()
    };
    painter.circle_filled(at(rect, 0.5, 0.5), rect.width() * 0.13, colour);
    line(painter, rect, colour, &ring(0.28, 0.0, 1.0));
    for part in 0..4_u8 {
        let from = f32::from(part) / 4.0;
        line(painter, rect, colour, &ring(0.46, from, from + 0.17));
    }
}

/// A region that is pointed at.
pub fn region(painter: &Painter, rect: Rect, colour: Color32) {
    line(
        painter,
        rect,
        colour,
        &[[0.1, 0.4], [0.3, 0.14], [0.66, 0.18], [0.8, 0.42], [0.62, 0.6], [0.26, 0.66], [0.1, 0.4]],
    );
    line(painter, rect, colour, &[[0.5, 0.4], [0.92, 0.74], [0.72, 0.76], [0.62, 0.94], [0.5, 0.4]]);
}
