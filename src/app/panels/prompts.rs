//! The buttons beside the prompt: prompts to choose from, and favourites.

use eframe::egui::{Button, Ui};

use super::entries;
use crate::app::actions;
use crate::app::command::Command;
use crate::app::state::State;

/// Draws the buttons.
pub fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    entries::button(ui, &actions::HISTORY, state, commands);
    entries::button(ui, &actions::PRESETS, state, commands);
    let prompt = state.document.prompt.trim();
    let is_favourite = state.settings.favourites.iter().any(|other| other == prompt);
    let words = if is_favourite { "Take it from the favourites" } else { "Keep it among the favourites" };
    let button = Button::selectable(is_favourite, "Favourite");
    let response = ui.add_enabled(!prompt.is_empty(), button).on_hover_text(words);
    if response.on_disabled_hover_text("The prompt is empty.").clicked() {
        commands.push(Command::Favourite(prompt.to_owned(), !is_favourite));
    }
}
