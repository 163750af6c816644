//! The page for editing the display windows assigned to the number keys.

use eframe::egui::{Button, Grid, Label, RichText, ScrollArea, TextEdit, Ui};

use super::level::numbers;
use crate::app::command::Command;
use crate::app::settings::usual_presets;
use crate::app::state::State;
use crate::app::theme;
use crate::data::volume::{Modality, NamedWindow, Window};

/// The number of presets that have a key, apart from the full range on 0.
const KEYS: usize = 9;
/// The width of a name field, in points.
const NAME: f32 = 150.0;
/// The maximum number of presets.
const MOST: usize = 40;

/// Draws the page: the presets for the modality of the open image, or for CT.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(520.0);
    let open = state.document.image.as_ref();
    let kind = open.map_or(Modality::Ct, |open| open.volume.modality);
    let presets = state.settings.presets.get(&kind).cloned().unwrap_or_default();
    let mut edited = presets.clone();
    let of = match kind {
        Modality::Picture => "plain images",
        Modality::Ct => "CT images",
        Modality::Radiograph => "radiographs",
        Modality::Other => "other scans",
    };
    let words = format!("Presets for {of}. Windows that a file brings along follow them.");
    ui.add(Label::new(RichText::new(words).weak()).wrap());
    if open.is_some_and(|open| !open.has_presets()) {
        let words =
            "The open image is not in Hounsfield units: these windows do not apply to it and are not offered.";
        ui.add(Label::new(RichText::new(words).color(theme::palette(ui.visuals()).warning)).wrap());
    }
    ui.add_space(4.0);
    if presets.is_empty() {
        ui.label("There are no presets.");
    }
    let mut change = None;
    ScrollArea::vertical().max_height(340.0).show(ui, |ui| {
        Grid::new("presets").num_columns(4).spacing([8.0, 4.0]).show(ui, |ui| {
            for (place, preset) in edited.iter_mut().enumerate() {
                let key = if place < KEYS { (place + 1).to_string() } else { String::new() };
                ui.label(RichText::new(key).weak());
                let name = TextEdit::singleline(&mut preset.name);
                ui.add_sized([NAME, ui.spacing().interact_size.y], name).widget_info(|| {
                    let label = format!("Name of preset {}", place + 1);
                    eframe::egui::WidgetInfo::labeled(eframe::egui::Role::TextInput, true, label)
                });
                ui.horizontal(|ui| {
                    if let Some(window) = numbers(ui, preset.window, ["Width", "Level"]) {
                        preset.window = window;
                    }
                });
                ui.horizontal(|ui| change = row_buttons(ui, place, presets.len()).or(change));
                ui.end_row();
            }
        });
    });
    match change {
        Some(Change::Swap(a, b)) => edited.swap(a, b),
        Some(Change::Remove(place)) => drop(edited.remove(place)),
        None => {}
    }
    ui.add_space(4.0);
    ui.horizontal(|ui| {
        let now = open.filter(|open| open.has_presets()).map(|open| open.seen.window);
        let add =
            ui.add_enabled(now.is_some() && presets.len() < MOST, Button::new("Add the window as it is now"));
        if let (true, Some(window)) = (add.clicked(), now) {
            edited.push(NamedWindow { name: name_of(window), window });
        }
        let usual = usual_presets().remove(&kind).unwrap_or_default();
        if ui.add_enabled(usual != presets, Button::new("Reset the presets")).clicked() {
            edited = usual;
        }
    });
    if edited != presets && edited.iter().all(|preset| preset.window.is_sound()) {
        commands.push(Command::SetPresets(kind, edited));
    }
}

/// A change of the list.
#[derive(Clone, Copy)]
enum Change {
    Swap(usize, usize),
    Remove(usize),
}

fn row_buttons(ui: &mut Ui, place: usize, count: usize) -> Option<Change> {
    let mut change = None;
    if ui.add_enabled(place > 0, Button::new("Up").small()).on_hover_text("To the key before").clicked() {
        change = Some(Change::Swap(place, place - 1));
    }
    if ui.add_enabled(place + 1 < count, Button::new("Down").small()).on_hover_text("To the next key").clicked() {
        change = Some(Change::Swap(place, place + 1));
    }
    if ui.small_button("Remove").clicked() {
        change = Some(Change::Remove(place));
    }
    change
}

fn name_of(window: Window) -> String {
    let text = format!("W {:.0} L {:.0}", window.width, window.centre);
    text.replace('-', "−")
}
