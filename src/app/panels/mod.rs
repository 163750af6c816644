//! The parts of the window. A panel looks at the state and makes commands.

mod canvas;
mod empty;
mod hud;
mod level;
mod menu;
mod model;
mod pages;
mod palette;
mod prompt;
mod result;
mod scores;
mod sentences;
mod stages;
mod toasts;
mod tokens;
mod train;
mod widgets;
mod worklist;

use eframe::egui::Ui;

use super::command::Command;
use super::state::{State, Tab};
use crate::render::Picture;

/// Draws the window.
pub fn show(ui: &mut Ui, state: &mut State, picture: &Picture, commands: &mut Vec<Command>) {
    menu::show(ui, state, commands);
    let canvas = match state.tab {
        Tab::Read => {
            result::show(ui, state, commands);
            worklist::show(ui, state, commands);
            prompt::show(ui, state, commands);
            level::slices(ui, state, commands);
            canvas::show(ui, state, picture, commands)
        }
        Tab::Stages => stages::show(ui, state, commands),
        Tab::Train => train::show(ui, state, commands),
    };
    toasts::show(ui.ctx(), state, canvas, commands);
    pages::show(ui.ctx(), state, commands);
    palette::show(ui.ctx(), state, commands);
    train::ask_before_closing(ui.ctx(), state, commands);
}
