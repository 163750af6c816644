//! Tools that are dragged: strokes of the pointer, and the cursor that shows their size.

use eframe::egui::{CursorIcon, Event, PointerButton, Pos2, Response, Shape, Stroke, Ui, vec2};

use super::erases;
use crate::app::annotating::AnnotateCommand;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;

/// The number of corners with which the outline of the brush is drawn.
const CORNERS: usize = 48;

/// Continues the stroke through all positions of the pointer since the last frame, or begins one.
pub fn draw(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    let is_begun = state.annotating.is_drawing();
    let is_pressed = ui.input(|input| input.pointer.button_pressed(PointerButton::Primary));
    if !is_begun && !is_pressed {
        // The button was pressed for something else, or the stroke was taken back.
        return;
    }
    let mut is_down = is_begun;
    let positions: Vec<Pos2> = ui.input(|input| {
        let position = |event: &Event| match event {
            Event::PointerButton { pos, button: PointerButton::Primary, pressed, .. } => {
                is_down = *pressed;
                Some(*pos)
            }
            Event::PointerMoved(pos) if is_down => Some(*pos),
            _ => None,
        };
        input.events.iter().filter_map(position).collect()
    });
    let from = response.interact_pointer_pos().filter(|_| positions.is_empty() && !is_begun);
    push(positions.into_iter().chain(from), erases(ui, state), state, commands);
}

/// Draws a single dot where the pointer was clicked.
pub fn dot(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    push(response.interact_pointer_pos().into_iter(), erases(ui, state), state, commands);
    commands.push(Command::Annotate(AnnotateCommand::EndStroke));
}

fn push(positions: impl Iterator<Item = Pos2>, erases: bool, state: &State, commands: &mut Vec<Command>) {
    let point = |at: Pos2| {
        let at = state.view.image_at(at);
        [f64::from(at.x), f64::from(at.y)]
    };
    let points: Vec<[f64; 2]> = positions.map(point).collect();
    if !points.is_empty() {
        commands.push(Command::Annotate(AnnotateCommand::Stroke { points, erases }));
    }
}

/// Draws the outline of the brush at the pointer.
pub fn cursor(ui: &Ui, response: &Response, state: &State) {
    let (Some(at), Some(open)) = (response.hover_pos(), &state.document.image) else { return };
    let pixel_mm = open.volume.geometry.pixel_mm;
    let length = state.annotating.radius.length(state.has_pixel_mm());
    let Ok([across, down]) = length.in_pixels(pixel_mm) else { return };
    let centre = state.view.image_at(at);
    let corner = |step: usize| {
        let angle = std::f32::consts::TAU * step as f32 / CORNERS as f32;
        let (sin, cos) = angle.sin_cos();
        state.view.screen_at(centre + vec2(cos * across as f32, sin * down as f32))
    };
    let outline: Vec<Pos2> = (0..CORNERS).map(corner).collect();
    let painter = ui.painter_at(response.rect);
    let colour = if erases(ui, state) { theme::ERASER } else { theme::OVER_PICTURE };
    painter.add(Shape::closed_line(outline.clone(), Stroke::new(3.0, theme::BEHIND_WORDS)));
    painter.add(Shape::closed_line(outline, Stroke::new(1.2, colour)));
    if erases(ui, state) {
        let half = vec2(4.0, 0.0);
        painter.line_segment([at - half, at + half], Stroke::new(1.2, colour));
    }
    ui.ctx().set_cursor_icon(if state.annotating.is_drawing() { CursorIcon::None } else { CursorIcon::Crosshair });
}
