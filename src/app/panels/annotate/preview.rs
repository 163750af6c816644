//! What a tool would paint, drawn over the picture.

use eframe::egui::epaint::Mesh;
use eframe::egui::{Color32, Painter, Pos2, Rect, Response, Shape, Stroke, Ui, vec2};

use super::{clicks, erases};
use crate::app::state::State;
use crate::app::theme;

/// The opacity of pixels that would be painted.
const OPACITY: f32 = 0.5;
/// The radius of a corner of a polygon, in points.
const CORNER: f32 = 3.0;

/// Draws the pixels and the line of the tool.
pub fn show(ui: &Ui, response: &Response, state: &State) {
    let painter = ui.painter_at(response.rect);
    let colour = if erases(ui, state) { theme::ERASER } else { colour(state) };
    pixels(&painter, response.rect, state, colour);
    line(&painter, response, state, colour);
}

/// Returns the colour of the active label; without a label, that of words over the picture.
fn colour(state: &State) -> Color32 {
    let label = state.annotating.active.and_then(|id| state.document.annotation.label(id));
    label.map_or(theme::OVER_PICTURE, |label| {
        let [red, green, blue] = label.colour;
        Color32::from_rgb(red, green, blue)
    })
}

fn pixels(painter: &Painter, seen: Rect, state: &State, colour: Color32) {
    let Some(preview) = state.annotating.preview() else { return };
    let mut mesh = Mesh::default();
    for [row, start, end] in &preview.runs {
        let corner = state.view.screen_at(vec2(*start as f32, *row as f32));
        let end = state.view.screen_at(vec2(*end as f32, *row as f32 + 1.0));
        let run = Rect::from_min_max(corner, end);
        if run.intersects(seen) {
            mesh.add_colored_rect(run, colour.gamma_multiply(OPACITY));
        }
    }
    painter.add(Shape::mesh(mesh));
}

fn line(painter: &Painter, response: &Response, state: &State, colour: Color32) {
    let Some(line) = state.annotating.line() else { return };
    let place = |point: &[f64; 2]| state.view.screen_at(vec2(point[0] as f32, point[1] as f32));
    let settled: Vec<Pos2> = line.settled.iter().map(place).collect();
    let next: Vec<Pos2> = settled.last().copied().into_iter().chain(line.next.iter().map(place)).collect();
    let behind = Stroke::new(3.5, theme::BEHIND_WORDS);
    for points in [&settled, &next] {
        painter.add(Shape::line(points.clone(), behind));
    }
    painter.add(Shape::line(settled.clone(), Stroke::new(1.6, colour)));
    painter.add(Shape::line(next, Stroke::new(1.2, colour)));
    if line.has_corners {
        for corner in &settled {
            painter.circle(*corner, CORNER, colour, Stroke::new(1.0, theme::BEHIND_WORDS));
        }
    }
    let Some(first) = settled.first() else { return };
    if response.hover_pos().is_some_and(|pos| clicks::closes(state, pos)) {
        painter.circle_stroke(*first, 2.0 * CORNER, Stroke::new(1.6, theme::OVER_PICTURE));
    }
}
