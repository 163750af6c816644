//! The command palette, which finds every command by its name.

use eframe::egui::{
    Align2, Area, Context, Frame, Id, Key, Modifiers, Order, RichText, ScrollArea, TextEdit, Ui, vec2,
};

use crate::app::actions::{self, Given, Undo};
use crate::app::command::Command;
use crate::app::state::State;

/// The number of commands that are visible at once.
const ROWS: usize = 12;

/// An action or a choice.
struct Entry {
    name: String,
    /// Its keys, or the reason why it is not available.
    detail: String,
    /// Additional search words.
    words: &'static str,
    given: Given,
    undo: Undo,
}

/// Returns all actions and choices; unavailable ones come last.
fn entries(state: &State) -> Vec<Entry> {
    let keys = &state.settings.keys;
    let mut all: Vec<Entry> = Vec::new();
    for action in actions::all().filter(|action| action.is_in_palette) {
        let given = action.given(state);
        let title = if action.is_on.is_some() { action.full_name() } else { action.title(state) };
        let key = || if action.keyless.contains(&state.tab) { String::new() } else { keys.label(action) };
        let detail = given.as_ref().err().map_or_else(key, |reason| (*reason).to_owned());
        all.push(Entry { name: title, detail, words: action.words, given, undo: action.undo });
    }
    for choices in actions::choices() {
        for choice in (choices.all)(state) {
            let name = match choices.prefix {
                "" => choice.name,
                prefix => format!("{prefix}: {}", choice.name),
            };
            let detail = match (&choice.given, choice.is_on) {
                (Err(reason), _) => (*reason).to_owned(),
                (Ok(_), Some(true)) if choice.detail.is_empty() => "on".to_owned(),
                _ => choice.detail,
            };
            all.push(Entry { name, detail, words: choices.words, given: choice.given, undo: choices.undo });
        }
    }
    all.sort_by_key(|entry| entry.given.is_err());
    all
}

/// Returns the entries whose names or search words contain every typed word. Entries that begin with the text come
/// first, and unavailable ones last.
fn matching(state: &State, typed: &str) -> Vec<Entry> {
    let typed = typed.to_lowercase();
    let mut found = entries(state);
    found.retain(|entry| {
        let (name, words) = (entry.name.to_lowercase(), entry.words.to_lowercase());
        typed.split_whitespace().all(|word| name.contains(word) || words.contains(word))
    });
    let holds_all = |name: &str| typed.split_whitespace().all(|word| name.contains(word));
    found.sort_by_key(|entry| {
        let name = entry.name.to_lowercase();
        (entry.given.is_err(), !name.starts_with(typed.trim()), !holds_all(&name))
    });
    found
}

/// Draws the palette, if it is open.
pub fn show(ctx: &Context, state: &mut State, commands: &mut Vec<Command>) {
    let Some(mut typed) = state.palette.clone() else { return };
    let id = Id::unique("command palette");
    let chosen: usize = ctx.data(|data| data.get_temp(id)).unwrap_or(0);
    let found = matching(state, &typed);
    let chosen = chosen.min(found.len().saturating_sub(1));
    let (mut go, mut leave, mut next) = (false, false, chosen);
    ctx.input_mut(|input| {
        go = input.consume_key(Modifiers::NONE, Key::Enter);
        leave = input.consume_key(Modifiers::NONE, Key::Escape);
        if input.consume_key(Modifiers::NONE, Key::ArrowDown) {
            next = (chosen + 1).min(found.len().saturating_sub(1));
        }
        if input.consume_key(Modifiers::NONE, Key::ArrowUp) {
            next = chosen.saturating_sub(1);
        }
    });
    let mut clicked = None;
    let area = Area::new(id).order(Order::Foreground).anchor(Align2::CENTER_TOP, vec2(0.0, 60.0));
    let response = area.show(ctx, |ui| {
        Frame::popup(ui.style()).show(ui, |ui| {
            ui.set_width(460.0);
            let field = TextEdit::singleline(&mut typed).hint_text("Type a command…").desired_width(f32::INFINITY);
            let response = ui.add(field);
            response.widget_info(|| {
                eframe::egui::WidgetInfo::labeled(eframe::egui::Role::TextInput, true, "Command palette")
            });
            response.request_focus();
            if response.changed() {
                next = 0;
            }
            rows(ui, &found, chosen, next != chosen, &mut clicked);
        });
    });
    ctx.data_mut(|data| data.insert_temp(id, next));
    let run = clicked.or_else(|| go.then_some(chosen));
    let run = run.and_then(|place| found.get(place)?.given.clone().ok());
    if let Some(command) = run {
        commands.push(Command::ShowPalette(None));
        commands.push(command);
        ctx.data_mut(|data| data.remove::<usize>(id));
    } else if leave || response.response.clicked_elsewhere() {
        commands.push(Command::ShowPalette(None));
        ctx.data_mut(|data| data.remove::<usize>(id));
    } else if state.palette.as_ref() != Some(&typed) {
        commands.push(Command::ShowPalette(Some(typed)));
    }
}

fn rows(ui: &mut Ui, found: &[Entry], chosen: usize, has_moved: bool, clicked: &mut Option<usize>) {
    if found.is_empty() {
        ui.label(RichText::new("No matching command").weak());
    }
    // The area remembers its size: without a minimum height, the list would stay as small as a search with few
    // hits made it.
    let height = 24.0 * ROWS as f32;
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
        for (place, entry) in found.iter().enumerate() {
            let button = eframe::egui::Button::selectable(place == chosen, entry.name.as_str())
                .shortcut_text(entry.detail.as_str())
                .truncate()
                .min_size(vec2(ui.available_width(), 20.0));
            let response = ui.add_enabled(entry.given.is_ok(), button);
            if place == chosen && has_moved {
                response.scroll_to_me(None);
            }
            let words = entry.undo.words();
            let response = if words.is_empty() { response } else { response.on_hover_text(words) };
            if response.clicked() {
                *clicked = Some(place);
            }
        }
    });
}
