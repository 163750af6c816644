//! Tools that are clicked: flood, region of the prediction, polygon and live wire.

use eframe::egui::{PointerButton, Pos2, Response, Ui};

use super::erases;
use crate::app::annotating::{AnnotateCommand, Tool};
use crate::app::command::Command;
use crate::app::state::State;

/// The distance from the first point of an outline within which a click closes it, in points of the screen.
const NEAR: f32 = 9.0;

/// Turns clicks and the movement of the pointer into commands.
pub fn draw(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    let removes = erases(ui, state);
    let mut send = |command| commands.push(Command::Annotate(command));
    let clicked = response.interact_pointer_pos().filter(|_| response.clicked_by(PointerButton::Primary));
    let is_outline = matches!(state.annotating.tool, Tool::Polygon | Tool::LiveWire);
    // After a quick click elsewhere, the second click at the same place counts as the third.
    let is_second = response.double_clicked() || response.triple_clicked();
    match clicked {
        // The first of the two clicks has added the last point.
        Some(_) if is_outline && is_second && state.annotating.has_outline() => {
            send(AnnotateCommand::CloseOutline { removes });
        }
        // The first of the two clicks has closed the outline, so this one is not to begin another.
        Some(_) if is_outline && is_second => {}
        Some(pos) if closes(state, pos) => send(AnnotateCommand::CloseOutline { removes }),
        Some(pos) => send(AnnotateCommand::Click { at: point(state, pos), removes }),
        // Only these show what a click would do.
        None if state.annotating.tool == Tool::Region || state.annotating.has_outline() => {
            let is_moved = ui.input(|input| input.pointer.delta() != eframe::egui::Vec2::ZERO);
            match response.hover_pos() {
                Some(pos) if is_moved => send(AnnotateCommand::Hover(Some(point(state, pos)))),
                None if is_moved && state.annotating.preview().is_some() => send(AnnotateCommand::Hover(None)),
                _ => {}
            }
        }
        None => {}
    }
}

/// Returns whether a click at this position closes the outline: it has three points, and the first one is there.
pub fn closes(state: &State, pos: Pos2) -> bool {
    let Some(line) = state.annotating.line() else { return false };
    let Some([x, y]) = line.settled.first() else { return false };
    let first = state.view.screen_at(eframe::egui::vec2(*x as f32, *y as f32));
    line.settled.len() > 2 && first.distance(pos) <= NEAR
}

fn point(state: &State, pos: Pos2) -> [f64; 2] {
    let at = state.view.image_at(pos);
    [f64::from(at.x), f64::from(at.y)]
}
