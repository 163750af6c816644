//! Sentences to choose from: used lately, favourites, presets; and the predictions of this session.

use eframe::egui::{Button, Label, RichText, ScrollArea, Ui};

use super::widgets;
use crate::app::command::Command;
use crate::app::keys::Action;
use crate::app::state::State;
use crate::app::text::PRESETS;

/// Width of a menu of sentences, points.
const WIDTH: f32 = 420.0;

/// The buttons beside the prompt.
pub fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    widgets::menu(ui, "History", |ui| history(ui, state, commands));
    widgets::menu(ui, "Presets", |ui| presets(ui, commands));
    let prompt = state.prompt.trim();
    let is_favourite = state.settings.favourites.iter().any(|other| other == prompt);
    let words = if is_favourite { "Take it from the favourites" } else { "Keep it among the favourites" };
    let button = eframe::egui::Button::selectable(is_favourite, "Favourite");
    let response = ui.add_enabled(!prompt.is_empty(), button).on_hover_text(words);
    if response.clicked() {
        commands.push(Command::Favourite(prompt.to_owned(), !is_favourite));
    }
}

/// The menu of the same name.
pub fn menu(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    super::menu::act(ui, state, Action::FocusPrompt, commands);
    let empty = Command::SetPrompt(String::new());
    super::menu::item(ui, !state.prompt.is_empty(), "Empty the prompt", empty, commands);
    ui.separator();
    ui.menu_button("History", |ui| history(ui, state, commands));
    ui.menu_button("Presets", |ui| presets(ui, commands));
    ui.separator();
    super::menu::act(ui, state, Action::Past, commands);
}

fn sentence(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) {
    let button = eframe::egui::Button::new(text).wrap();
    if ui.add(button).clicked() {
        commands.push(Command::SetPrompt(text.to_owned()));
        ui.close();
    }
}

fn history(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(WIDTH);
    let settings = &state.settings;
    ScrollArea::vertical().max_height(380.0).show(ui, |ui| {
        for (title, sentences) in [("Favourites", &settings.favourites), ("Used lately", &settings.prompts)] {
            if !sentences.is_empty() {
                ui.label(RichText::new(title).small().weak());
                sentences.iter().for_each(|text| sentence(ui, text, commands));
            }
        }
        if settings.favourites.is_empty() && settings.prompts.is_empty() {
            ui.label(RichText::new("Prompts that brought a mask are kept here.").weak());
        }
    });
}

fn presets(ui: &mut Ui, commands: &mut Vec<Command>) {
    ui.set_width(WIDTH);
    for (title, sentences) in PRESETS {
        ui.label(RichText::new(title).small().weak());
        sentences.iter().for_each(|text| sentence(ui, text, commands));
    }
    ui.label(RichText::new("“left” is the left of the image.").small().weak());
}

/// The panel of past predictions.
pub fn past(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if state.past.is_empty() {
        let words = "A mask that has been looked at for a second is kept here until the program ends.";
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
    for past in &state.past {
        ui.spacing_mut().item_spacing.y = 2.0;
        let hint = "Show it again: picture, prompt, model and threshold.";
        if ui.add(Button::new(past.title()).truncate()).on_hover_text(hint).clicked() {
            commands.push(Command::Recall(past.id));
        }
        let text = if past.prompt.trim().is_empty() { "(empty prompt)" } else { past.prompt.as_str() };
        ui.add(Label::new(text).wrap());
        let dice = past.dice.map_or(String::new(), |dice| format!(" · Dice {dice:.3} per image"));
        let words = format!("{} · threshold {:.2}{dice}", past.model_name, past.threshold);
        ui.add(Label::new(RichText::new(words).small().weak()).wrap());
        ui.add_space(6.0);
    }
}
