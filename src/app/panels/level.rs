//! The display window, its inversion and the window of the network input; below the image, the slices of a stack.

use eframe::egui::{Button, Color32, ComboBox, DragValue, Frame, Panel, RichText, Slider, SliderClamping, Ui};

use super::panel;
use super::widgets::{THIN_SPACE, explain, number};
use crate::app::command::Command;
use crate::app::page::Page;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::volume::{Modality, Window};

const NETWORK: &str = "Changing the window changes what you see, not the mask. The network looks at the picture in the window in which \
                       it was asked last.";

const BRIGHTNESS: &str = "Brightness";
const CONTRAST: &str = "Contrast";
/// The width of a number field, in points.
const FIELD: f32 = 58.0;
/// The width of the labels and the unit beside the number fields, in points.
const NAMES: f32 = 100.0;
/// The width of the switch "Invert", in points.
const INVERT: f32 = 84.0;

/// The number of contrast doublings at the end of the slider.
const MOST_CONTRAST: f32 = 3.0;

/// The display window.
pub struct Level;

const INFO: PaneInfo = PaneInfo {
    title: "Window",
    help: "Brightness and contrast of the picture: window and level.",
    places: &[Place::new(Tab::Read, Column::Right, 1), Place::new(Tab::Annotate, Column::Right, 1).closed()],
    ..PaneInfo::new(Pane::new("window"))
};

impl panel::Panel for Level {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = &state.document.image else {
        ui.label(RichText::new("Open an image to adjust brightness and contrast.").weak());
        return;
    };
    let seen = open.seen;
    let windows = open.windows(&state.settings);
    let name = windows.iter().find(|(_, window)| *window == seen.window).map_or("Own", |(name, _)| name);
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(RichText::new("Preset").weak());
        let width = (ui.available_width() - INVERT).clamp(80.0, 132.0);
        let preset =
            ComboBox::from_id_salt("window preset").selected_text(name).width(width).height(360.0).truncate();
        let shown = preset.show_ui(ui, |ui| {
            for (number, (name, window)) in windows.iter().enumerate() {
                let text = if number < 10 { format!("{number}  {name}") } else { name.clone() };
                if ui.selectable_label(*window == seen.window, text).clicked() {
                    commands.push(Command::SetWindow(*window));
                }
            }
            ui.separator();
            if ui.button("Edit presets…").clicked() {
                commands.push(Command::ShowPage(Some(Page::Presets)));
                ui.close();
            }
        });
        shown.response.labelled_by(label.id);
        let mut inverted = open.is_inverted();
        if ui.checkbox(&mut inverted, "Invert").changed() {
            commands.push(Command::Invert(inverted));
        }
    });
    ui.horizontal_wrapped(|ui| {
        let unit = open.volume.unit;
        if let Some(window) = numbers(ui, seen.window, ["Width", "Level"]) {
            commands.push(Command::SetWindow(window));
        }
        ui.label(RichText::new(unit).weak());
    });
    if open.image.channels > 1 || open.volume.modality == Modality::Picture {
        brightness(ui, seen.window, open.full, commands);
    }
    if open.is_seen_otherwise() && state.model.is_some() {
        ui.horizontal(|ui| {
            if ui.button("Predict with this window").clicked() {
                commands.push(Command::UseWindow);
            }
            explain(ui, NETWORK);
        });
    }
}

/// Draws width and level as number fields. Returns the new window if one of them was changed.
pub fn numbers(ui: &mut Ui, window: Window, names: [&str; 2]) -> Option<Window> {
    let Window { mut centre, mut width } = window;
    let speed = (width / 200.0).max(1e-3);
    let label = ui.label(RichText::new(names[0]).weak());
    // Both fields, their labels and the unit are in one row, if the panel is not too narrow.
    let size = [((ui.available_width() - NAMES) / 2.0).clamp(46.0, FIELD), ui.spacing().interact_size.y];
    let shown = |value: f64, _| if value.abs() >= 1000.0 { number(value.round()) } else { short(value) };
    let typed = |text: &str| text.replace('−', "-").replace(THIN_SPACE, "").trim().parse().ok();
    let field = |value| DragValue::new(value).speed(speed).custom_formatter(shown).custom_parser(typed);
    let wide = ui.add_sized(size, field(&mut width).range(1e-3..=1e7)).labelled_by(label.id);
    let label = ui.label(RichText::new(names[1]).weak());
    let level = ui.add_sized(size, field(&mut centre)).labelled_by(label.id);
    (wide.changed() || level.changed()).then_some(Window { centre, width })
}

/// Formats a value with at most one decimal.
fn short(value: f64) -> String {
    let text = if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.1}") };
    text.replace('-', "−")
}

/// Draws the controls for images without a unit: brightness moves the level and contrast changes the width; both
/// are 0 for the unmodified image.
fn brightness(ui: &mut Ui, window: Window, full: Window, commands: &mut Vec<Command>) {
    let brightness = 100.0 * (full.centre - window.centre) / full.width;
    let contrast = 100.0 * (full.width / window.width).log2() / MOST_CONTRAST;
    for (name, mut value) in [(BRIGHTNESS, brightness), (CONTRAST, contrast)] {
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new(name).weak());
            let indent = ui.max_rect().left() + 78.0 - ui.cursor().left();
            ui.add_space(indent.max(0.0));
            ui.spacing_mut().slider_width = (ui.available_width() - 54.0).max(40.0);
            // The value is shown without decimals but must not be rounded or clamped unless it is edited, because
            // the window can be set elsewhere.
            let slider = Slider::new(&mut value, -100.0..=100.0)
                .clamping(SliderClamping::Edits)
                .custom_formatter(|value, _| whole(value))
                .custom_parser(|text| text.replace('−', "-").trim().parse().ok())
                .smart_aim(false);
            if ui.add(slider).labelled_by(label.id).changed() {
                let moved = match name {
                    BRIGHTNESS => Window { centre: full.centre - value * full.width / 100.0, ..window },
                    _ => Window { width: full.width / (value * MOST_CONTRAST / 100.0).exp2(), ..window },
                };
                commands.push(Command::SetWindow(moved));
            }
        });
    }
}

/// Formats a value without decimals, and zero without a sign.
fn whole(value: f64) -> String {
    format!("{:.0}", value.round() + 0.0).replace('-', "−")
}

/// Draws the slice strip below the image; nothing is drawn for a single image.
pub fn slices(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = state.document.image.as_ref().filter(|open| open.volume.slices > 1) else { return };
    let frame = Frame::side_top_panel(ui.style()).fill(Color32::TRANSPARENT);
    Panel::bottom("slices").frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            let is_playing = state.playing.is_some();
            let word = if is_playing { "Pause" } else { "Play" };
            if ui.add_sized([58.0, 20.0], Button::new(word)).clicked() {
                commands.push(Command::Play(!is_playing));
            }
            let label = ui.label(RichText::new(open.source.piece()).weak());
            let mut slice = open.asked_slice() + 1;
            ui.spacing_mut().slider_width = (ui.available_width() - 70.0).max(60.0);
            let slider = Slider::new(&mut slice, 1..=open.volume.slices);
            if ui.add(slider).labelled_by(label.id).changed() {
                commands.push(Command::ShowSlice(slice - 1));
            }
        });
    });
}
