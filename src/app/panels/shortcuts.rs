//! The page that lists all keys and lets the user change them.

use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, Ui};

use crate::app::actions::{self, Action, Group, WINDOWS};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;

const WORDS: &str = "Click a key to change it, + for one more; a right click takes it away, Esc leaves it as it is. While a text field has the cursor, \
                     letters are text.";
/// The keys that cannot be changed, and the mouse controls.
const FIXED: &[(&str, &str)] = &[
    ("Wheel, Ctrl wheel, pinch", "Zoom; in a stack the wheel alone goes through the slices"),
    ("Drag, middle drag", "Move the picture"),
    ("Double-click", "Fit the window"),
    ("Right-drag", "Window (across) and level (up, down)"),
    ("Shift-drag", "Ruler"),
    ("Drag with a model that takes a box", "Draw the box; drag its edges, its corners or its inside"),
    (
        "Esc",
        "Leave the prompt or the presentation, close a page, cancel opening, dismiss messages, remove the ruler or the box",
    ),
    ("Enter", "Leave the prompt"),
    ("Ctrl Z, Ctrl Shift Z", "Undo and redo in the prompt while it has the cursor"),
    ("Ctrl +  −  0", "Larger, smaller, normal text"),
    ("Ctrl Tab", "The next panel of the stack under the pointer"),
];
/// The height of the page, in points; the rest is scrolled.
const HEIGHT: f32 = 420.0;

/// Draws the page.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(812.0);
    ui.horizontal(|ui| {
        let button = Button::new("Reset all keys");
        if ui.add_enabled(state.settings.keys.are_changed(), button).clicked() {
            commands.push(Command::ResetKeys(None));
        }
        ui.add(Label::new(RichText::new(WORDS).small().weak()).wrap());
    });
    ui.separator();
    ScrollArea::vertical().max_height(HEIGHT).min_scrolled_height(HEIGHT).auto_shrink([false, true]).show(
        ui,
        |ui| {
            ui.horizontal_top(|ui| {
                for groups in Group::ALL.chunks(Group::ALL.len().div_ceil(2)) {
                    ui.vertical(|ui| {
                        ui.set_width(392.0);
                        groups.iter().for_each(|group| list(ui, state, *group, commands));
                    });
                }
            });
            ui.label(RichText::new("Mouse, and keys that stay").heading());
            Grid::new("fixed").num_columns(2).spacing([20.0, 3.0]).show(ui, |ui| {
                for (keys, words) in FIXED {
                    ui.label(RichText::new(*keys).weak());
                    ui.label(*words);
                    ui.end_row();
                }
            });
        },
    );
}

fn list(ui: &mut Ui, state: &State, group: Group, commands: &mut Vec<Command>) {
    ui.label(RichText::new(group.name()).heading());
    Grid::new(group.name()).num_columns(2).spacing([12.0, 2.0]).min_col_width(266.0).show(ui, |ui| {
        for action in actions::all().filter(|action| action.group == group) {
            let label = ui.label(name(state, action));
            if !action.undo.words().is_empty() {
                label.on_hover_text(action.undo.words());
            }
            ui.horizontal(|ui| keys(ui, state, action, commands));
            ui.end_row();
        }
    });
    ui.add_space(8.0);
}

/// Returns what an action does; for a preset, it includes the display window.
fn name(state: &State, action: &Action) -> String {
    let number = WINDOWS.iter().position(|window| window.id == action.id).filter(|number| *number > 0);
    let windows = state.document.image.as_ref().map(|open| open.windows(&state.settings));
    match number.and_then(|number| windows?.into_iter().nth(number)) {
        Some((window, _)) => format!("{}: {window}", action.name),
        None => action.full_name(),
    }
}

fn keys(ui: &mut Ui, state: &State, action: &Action, commands: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.x = 3.0;
    ui.spacing_mut().button_padding.x = 5.0;
    let palette = theme::palette(ui.visuals());
    let awaited = state.rebinding.filter(|(of, _)| *of == action.id).map(|(_, place)| place);
    let bindings = &state.settings.keys;
    for (place, chord) in bindings.of(action).iter().enumerate() {
        if awaited == Some(Some(place)) {
            ui.label(RichText::new("press a key…").small().color(palette.accent));
            continue;
        }
        let button = Button::new(RichText::new(chord.to_string()).color(palette.accent));
        let response = ui.add(button).on_hover_text(format!("Change the key of “{}”", action.full_name()));
        if response.clicked() {
            commands.push(Command::Rebind(Some((action.id, Some(place)))));
        }
        if response.secondary_clicked() {
            commands.push(Command::Unbind(action.id, place));
        }
    }
    if awaited == Some(None) {
        ui.label(RichText::new("press a key…").small().color(palette.accent));
    } else if ui.small_button("+").on_hover_text(format!("One more key for “{}”", action.full_name())).clicked()
    {
        commands.push(Command::Rebind(Some((action.id, None))));
    }
    if bindings.is_changed(action) {
        let hint = format!("Back to the usual keys of “{}”", action.full_name());
        if ui.small_button("Reset").on_hover_text(hint).clicked() {
            commands.push(Command::ResetKeys(Some(action.id)));
        }
    }
}
