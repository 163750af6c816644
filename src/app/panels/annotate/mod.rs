//! The Annotate tab: the palette at the left edge of the picture, the options of the tool above it, and how the pointer
//! draws.

mod brush;
mod clicks;
mod icons;
pub mod labels;
pub mod operations;
mod options;
mod palette;
mod preview;
pub mod steps;
mod tool_options;

use eframe::egui::{CursorIcon, PointerButton, Response, Ui};

use crate::app::annotating::{AnnotateCommand, RADIUS_STEP, Tool};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::tab::Tab;

/// Draws the options of the tool above the picture and the palette beside it.
pub fn bars(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    options::show(ui, state, commands);
    palette::show(ui, state, commands);
}

/// Returns whether the left button belongs to a tool that draws. While the space bar is held, it moves the picture.
pub fn has_button(ui: &Ui, state: &State) -> bool {
    state.tab == Tab::Annotate
        && state.presentation.is_none()
        && state.annotating.tool != Tool::Hand
        && !ui.input(|input| input.key_down(eframe::egui::Key::Space))
}

/// Returns whether the wheel changes the radius of the tool.
pub fn takes_wheel(ui: &Ui, state: &State) -> bool {
    has_button(ui, state) && ui.input(|input| input.modifiers.shift)
}

/// Returns whether the tool takes pixels away: the eraser does, and the others while Ctrl is held.
fn erases(ui: &Ui, state: &State) -> bool {
    state.annotating.tool == Tool::Eraser || ui.input(|input| input.modifiers.command)
}

/// Turns what the pointer does over the picture into commands of the tool.
pub fn draw(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    if takes_wheel(ui, state) && response.hovered() {
        let notches = super::wheel::notches(ui);
        if notches != 0 {
            let factor = RADIUS_STEP.powi(notches.clamp(-10, 10) as i32);
            commands.push(Command::Annotate(AnnotateCommand::ScaleRadius(factor)));
        }
    }
    if !state.annotating.tool.is_dragged() {
        if has_button(ui, state) {
            clicks::draw(ui, response, state, commands);
        }
        return;
    }
    if state.annotating.is_drawing() && !ui.input(|input| input.pointer.button_down(PointerButton::Primary)) {
        // The button may have been released outside the picture.
        brush::draw(ui, response, state, commands);
        commands.push(Command::Annotate(AnnotateCommand::EndStroke));
    } else if has_button(ui, state) && response.is_pointer_button_down_on() {
        brush::draw(ui, response, state, commands);
    } else if response.clicked_by(PointerButton::Primary) && has_button(ui, state) {
        // Pressed and released within one frame.
        brush::dot(ui, response, state, commands);
    }
}

/// Draws the cursor of the tool, which shows its size.
pub fn cursor(ui: &Ui, response: &Response, state: &State) {
    if !has_button(ui, state) {
        return;
    }
    preview::show(ui, response, state);
    if state.annotating.tool.has_radius() {
        brush::cursor(ui, response, state);
    } else if let Some(at) = response.hover_pos() {
        ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
        palette::mark(ui, response, state, at);
    }
}
