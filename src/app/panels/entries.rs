//! Menu entries: actions and choices with their keys at the right edge, switches with a check mark, and disabled
//! entries with the reason in a tooltip.

use eframe::egui::{
    Atom, Button, Checkbox, IntoAtoms, Label, RadioButton, Response, RichText, ScrollArea, Ui, Widget,
};

use crate::app::actions::{Action, Choice, Choices, Given, Item, Shape};
use crate::app::command::Command;
use crate::app::state::State;

/// The height of the window that the menu bar, the menu frame and the window edge take up, in points.
const AROUND: f32 = 56.0;
/// The minimum height of a scrolling menu, in points.
const LEAST: f32 = 120.0;
/// The maximum height of a menu of long texts, in points.
const TEXTS: f32 = 380.0;

/// Draws the entries of a menu. A menu that is higher than the window scrolls.
pub fn menu(ui: &mut Ui, items: &[Item], state: &State, commands: &mut Vec<Command>) {
    scrolled(ui, f32::INFINITY, |ui| self::items(ui, items, state, commands));
}

fn items(ui: &mut Ui, items: &[Item], state: &State, commands: &mut Vec<Command>) {
    for item in items {
        match item {
            Item::Action(action) => self::action(ui, action, state, commands),
            Item::Choices(choices) => self::choices(ui, choices, state, commands),
            Item::Menu(name, items) => {
                ui.menu_button(*name, |ui| menu(ui, items, state, commands));
            }
            Item::Line => {
                ui.separator();
            }
        }
    }
}

fn scrolled(ui: &mut Ui, most: f32, content: impl FnOnce(&mut Ui)) {
    let height = (ui.ctx().content_rect().height() - AROUND).max(LEAST).min(most);
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, content);
}

/// Draws an action.
pub fn action(ui: &mut Ui, action: &Action, state: &State, commands: &mut Vec<Command>) {
    let keys = if action.keyless.contains(&state.tab) { String::new() } else { state.settings.keys.label(action) };
    let is_on = action.is_on.map(|is_on| is_on(state));
    let given = action.given(state);
    let title = action.title(state);
    let content = with_detail(&title, &keys);
    let response = match is_on {
        Some(mut is_on) => entry(ui, &given, Checkbox::new(&mut is_on, content)),
        None => entry(ui, &given, Button::new(content)),
    };
    give(response, given, commands);
}

/// Draws choices, either as a submenu or one by one.
pub fn choices(ui: &mut Ui, choices: &Choices, state: &State, commands: &mut Vec<Command>) {
    match choices.shape {
        Shape::Hidden => {}
        Shape::Lines => all(ui, choices, state, commands),
        Shape::Submenu | Shape::Texts(_) => submenu(ui, choices, state, commands),
    }
}

fn submenu(ui: &mut Ui, choices: &Choices, state: &State, commands: &mut Vec<Command>) {
    let is_texts = matches!(choices.shape, Shape::Texts(_));
    // An empty list of texts opens all the same, to explain how it is filled.
    if !is_texts && !choices.none.is_empty() && (choices.all)(state).is_empty() {
        ui.add_enabled(false, Button::new(choices.name)).on_disabled_hover_text(choices.none);
        return;
    }
    let most = if is_texts { TEXTS } else { f32::INFINITY };
    ui.menu_button(choices.name, |ui| {
        if let Shape::Texts(width) = choices.shape {
            ui.set_width(width);
        }
        scrolled(ui, most, |ui| all(ui, choices, state, commands));
    });
}

/// Draws each choice.
pub fn all(ui: &mut Ui, choices: &Choices, state: &State, commands: &mut Vec<Command>) {
    let all = (choices.all)(state);
    if all.is_empty() {
        ui.label(RichText::new(choices.none).weak());
    }
    let mut heading = "";
    for choice in all {
        if choice.heading != heading {
            heading = choice.heading;
            ui.label(RichText::new(heading).small().weak());
        }
        self::choice(ui, choices, choice, commands);
    }
}

fn choice(ui: &mut Ui, of: &Choices, choice: Choice, commands: &mut Vec<Command>) {
    let Choice { name, detail, hint, is_on, given, .. } = choice;
    if matches!(of.shape, Shape::Texts(_)) {
        let response = ui.add(Button::new(name).wrap());
        return give(response, given, commands);
    }
    let content = with_detail(&name, &detail);
    let response = match is_on {
        Some(mut is_on) if of.is_several => entry(ui, &given, Checkbox::new(&mut is_on, content)),
        Some(is_on) => entry(ui, &given, RadioButton::new(is_on, content)),
        None => entry(ui, &given, Button::new(content)),
    };
    let response = if hint.is_empty() { response } else { response.on_hover_text(hint) };
    give(response, given, commands);
}

/// Returns a name with its keys or other details at the right edge.
fn with_detail<'a>(name: &'a str, detail: &'a str) -> eframe::egui::Atoms<'a> {
    let mut atoms = name.into_atoms();
    if !detail.is_empty() {
        atoms.push_right(Atom::grow());
        atoms.push_right(RichText::new(detail).weak());
    }
    atoms
}

fn entry(ui: &mut Ui, given: &Given, widget: impl Widget) -> Response {
    let response = ui.add_enabled(given.is_ok(), widget);
    match given {
        Ok(_) => response,
        Err(reason) => response.on_disabled_hover_text(*reason),
    }
}

fn give(response: Response, given: Given, commands: &mut Vec<Command>) {
    if response.clicked()
        && let Ok(command) = given
    {
        commands.push(command);
    }
}

/// Draws an action of the preferences as a switch or a button.
pub fn preference(ui: &mut Ui, action: &Action, state: &State, commands: &mut Vec<Command>) {
    let given = action.given(state);
    let response = match action.is_on.map(|is_on| is_on(state)) {
        Some(mut is_on) => entry(ui, &given, Checkbox::new(&mut is_on, action.name)),
        None => entry(ui, &given, Button::new(action.name)),
    };
    give(response, given, commands);
}

/// Draws choices of the preferences: their name, and each of them beside it.
pub fn preferences(ui: &mut Ui, choices: &Choices, state: &State, commands: &mut Vec<Command>) {
    ui.horizontal_wrapped(|ui| {
        ui.add(Label::new(RichText::new(choices.name).weak()));
        for choice in (choices.all)(state) {
            let Choice { name, is_on, given, .. } = choice;
            let response = entry(ui, &given, RadioButton::new(is_on == Some(true), name));
            give(response, given, commands);
        }
    });
}
