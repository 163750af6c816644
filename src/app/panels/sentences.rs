//! Sentences to choose from: used lately, favourites, presets; and the predictions of this session.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use crate::app::command::Command;
use crate::app::state::{Page, State};
use crate::app::text::PRESETS;
use crate::app::theme;

/// Width of a menu of sentences, points.
const WIDTH: f32 = 420.0;

/// The buttons beside the prompt.
pub fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.menu_button("History", |ui| history(ui, state, commands));
    ui.menu_button("Presets", |ui| presets(ui, commands));
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
    super::menu::item(ui, true, "Type in the prompt", "/", Command::FocusPrompt, commands);
    super::menu::item(
        ui,
        !state.prompt.is_empty(),
        "Empty the prompt",
        "",
        Command::SetPrompt(String::new()),
        commands,
    );
    ui.separator();
    ui.menu_button("History", |ui| history(ui, state, commands));
    ui.menu_button("Presets", |ui| presets(ui, commands));
    ui.separator();
    let past = Command::ShowPage(Some(Page::Past));
    super::menu::item(ui, true, "Past predictions", "L", past, commands);
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

/// The page of past predictions.
pub fn past(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(560.0);
    if state.past.is_empty() {
        ui.label(
            RichText::new("A mask that has been looked at for a second is kept here until the program ends.")
                .weak(),
        );
    }
    ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
        for past in &state.past {
            let palette = theme::palette(ui.visuals());
            ui.horizontal(|ui| {
                let button =
                    ui.button(past.title()).on_hover_text("Show it again: picture, prompt, model and threshold.");
                if button.clicked() {
                    commands.push(Command::Recall(past.id));
                    commands.push(Command::ShowPage(None));
                }
                let dice = past.dice.map_or(String::new(), |dice| format!(" · Dice {dice:.3} per image"));
                let words = format!("{} · threshold {:.2}{dice}", past.model_name, past.threshold);
                ui.label(RichText::new(words).small().weak());
            });
            let text = if past.prompt.trim().is_empty() { "(empty prompt)" } else { past.prompt.as_str() };
            ui.add(Label::new(RichText::new(text).color(palette.text)).wrap());
            ui.add_space(6.0);
        }
    });
}
