//! The command palette: every command by its name.

use eframe::egui::{
    Align2, Area, Context, Frame, Id, Key, Modifiers, Order, RichText, ScrollArea, TextEdit, Ui, vec2,
};

use super::menu::UPRIGHT;
use crate::app::command::Command;
use crate::app::dialogs::{DialogKind, OverlaySize};
use crate::app::keys::Action;
use crate::app::layout::Pane;
use crate::app::state::{Page, State, file_name};
use crate::app::theme::{Scheme, ThemeChoice};
use crate::data::samples::SAMPLES;
use crate::device::DeviceChoice;
use crate::infer::{BUNDLED_NAME, ModelSource};

/// Commands that are seen at once.
const ROWS: usize = 12;

/// A command with its name and its keys.
type Entry = (String, String, Command);

/// Every command that can be given now.
fn entries(state: &State) -> Vec<Entry> {
    let settings = &state.settings;
    let mut all: Vec<Entry> = Vec::new();
    let is_listed = |action: &&Action| {
        action.works_in(state.tab) && **action != Action::Palette && !Action::WINDOWS.contains(*action)
    };
    for action in Action::ALL.iter().filter(is_listed) {
        if let Some(command) = action.command(state) {
            all.push((action.name().to_owned(), settings.keys.label(*action), command));
        }
    }
    let windows = state.image.as_ref().map(|open| open.windows(settings)).unwrap_or_default();
    for (number, (name, window)) in windows.into_iter().enumerate() {
        let keys = Action::WINDOWS.get(number).map_or_else(String::new, |action| settings.keys.label(*action));
        all.push((format!("Window: {name}"), keys, Command::SetWindow(window)));
    }
    let mut add = |name: &str, command: Command| all.push((name.to_owned(), String::new(), command));
    add("Open model folder…", Command::OpenDialog(DialogKind::ModelFolder));
    add("Open model file…", Command::OpenDialog(DialogKind::ModelFile));
    add("Open the bundled model", Command::OpenModel(ModelSource::new(BUNDLED_NAME)));
    if state.image.is_some() {
        add("Open ground truth…", Command::OpenDialog(DialogKind::Truth));
    }
    if state.shown.is_some() {
        for size in OverlaySize::ALL {
            add(&format!("Save overlay {}…", size.name()), Command::OpenDialog(DialogKind::SaveOverlay(size)));
        }
    }
    if state.truth.is_some() {
        add("Close ground truth", Command::CloseTruth);
    }
    add("Fill areas on or off", Command::Fill(!settings.fill));
    add("Outlines on or off", Command::Contour(!settings.contour));
    add("Smooth picture on or off", Command::Smooth(!settings.smooth));
    add("Patient's name on or off", Command::ShowPatient(!settings.show_patient));
    add(&format!("{UPRIGHT}: on or off"), Command::Upright(!settings.upright));
    add("Empty the prompt", Command::SetPrompt(String::new()));
    if let Some(layout) = state.layouts.get(state.tab) {
        for pane in state.tab.panes().iter().filter(|pane| !pane.is_hero()) {
            let word = if layout.is_open(*pane) { "Close" } else { "Open" };
            add(&format!("{word} panel: {}", pane.title()), Command::OpenPane(*pane, !layout.is_open(*pane)));
        }
    }
    add("Reset the layout", Command::ResetLayout);
    add("Window presets…", Command::ShowPage(Some(Page::Presets)));
    for (scheme, name) in Scheme::ALL {
        add(&format!("Colours of the overlay: {name}"), Command::UseColours(scheme));
    }
    add("Dark theme", Command::SetTheme(ThemeChoice::Dark));
    add("Light theme", Command::SetTheme(ThemeChoice::Light));
    add("Compute on the CPU", Command::SetDevice(DeviceChoice::Cpu));
    add("Compute on the GPU", Command::SetDevice(DeviceChoice::Gpu(None)));
    add("Choose the device automatically", Command::SetDevice(DeviceChoice::Auto));
    add("Messages", Command::OpenPane(Pane::Messages, true));
    add("About HiMix", Command::ShowPage(Some(Page::About)));
    for sample in SAMPLES {
        add(&format!("Sample case: {}", sample.title), Command::OpenSample(sample));
    }
    for path in &settings.recent {
        add(&format!("Open recent: {}", file_name(path)), Command::OpenPaths(vec![path.clone()]));
    }
    for prompt in settings.favourites.iter().chain(&settings.prompts) {
        add(&format!("Prompt: {prompt}"), Command::SetPrompt(prompt.clone()));
    }
    all
}

/// Those whose names hold every word that is typed; what begins with it first.
fn matching(state: &State, typed: &str) -> Vec<Entry> {
    let typed = typed.to_lowercase();
    let mut found = entries(state);
    found.retain(|(name, ..)| {
        let name = name.to_lowercase();
        typed.split_whitespace().all(|word| name.contains(word))
    });
    found.sort_by_key(|(name, ..)| !name.to_lowercase().starts_with(typed.trim()));
    found
}

/// Draws the palette, where it is open.
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
    if let Some((_, _, command)) = run.and_then(|place| found.get(place)) {
        commands.push(Command::ShowPalette(None));
        commands.push(command.clone());
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
        ui.label(RichText::new("No command has such a name.").weak());
    }
    // The area remembers its size: without a least height the list would stay as small as a search with few hits made it.
    let height = 24.0 * ROWS as f32;
    ScrollArea::vertical().max_height(height).min_scrolled_height(height).show(ui, |ui| {
        for (place, (name, keys, _)) in found.iter().enumerate() {
            let button = eframe::egui::Button::selectable(place == chosen, name.as_str())
                .shortcut_text(keys.as_str())
                .truncate()
                .min_size(vec2(ui.available_width(), 20.0));
            let response = ui.add(button);
            if place == chosen && has_moved {
                response.scroll_to_me(None);
            }
            if response.clicked() {
                *clicked = Some(place);
            }
        }
    });
}
