//! The parts of the window. A panel looks at the state and makes commands.

mod canvas;
mod dock;
mod empty;
mod hud;
mod information;
mod level;
mod menu;
mod model;
mod pages;
mod palette;
mod plot;
mod presentation;
mod presets;
mod prompt;
mod prompts;
mod question;
mod result;
mod scores;
mod shortcuts;
mod stages;
mod toasts;
mod tokens;
mod train;
mod truth;
mod widgets;
mod worklist;

use eframe::egui::{CentralPanel, Ui};

use super::command::Command;
use super::state::State;
use crate::render::Picture;

/// Draws the window.
pub fn show(ui: &mut Ui, state: &mut State, picture: &Picture, commands: &mut Vec<Command>) {
    if state.presentation.is_some() {
        presentation::show(ui, state, picture, commands);
    } else {
        menu::show(ui, state, commands);
        question::show(ui, state, commands);
        let hero = CentralPanel::no_frame().show(ui, |ui| dock::show(ui, state, picture, commands)).inner;
        toasts::show(ui.ctx(), state, hero, commands);
    }
    pages::show(ui.ctx(), state, commands);
    palette::show(ui.ctx(), state, commands);
    train::ask_before_closing(ui.ctx(), state, commands);
}
