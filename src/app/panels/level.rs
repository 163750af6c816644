//! Window and level, inversion, and what the network saw; beneath the picture the slices of a stack.

use eframe::egui::{Button, ComboBox, DragValue, Panel, RichText, Slider, Ui};

use super::widgets::{explain, section};
use crate::app::command::Command;
use crate::app::state::State;
use crate::data::scan::Window;

const NETWORK: &str = "Changing the window changes what you see, not the mask. The network looks at the picture in the window in which \
                       it was asked last.";

/// The section of the panel on the right.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = &state.image else { return };
    section(ui, "Window", open.scan.unit);
    let seen = open.seen;
    let windows = open.windows();
    let name = windows.iter().find(|(_, window)| *window == seen.window).map_or("Own", |(name, _)| name);
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Preset").weak());
        let preset = ComboBox::from_id_salt("window preset").selected_text(name).width(132.0);
        let shown = preset.show_ui(ui, |ui| {
            for (number, (name, window)) in windows.iter().enumerate() {
                let text = format!("{number}  {name}");
                if ui.selectable_label(*window == seen.window, text).clicked() {
                    commands.push(Command::SetWindow(*window));
                }
            }
        });
        shown.response.labelled_by(label.id);
        let mut inverted = seen.is_inverted;
        if ui.checkbox(&mut inverted, "Invert").changed() {
            commands.push(Command::Invert(inverted));
        }
    });
    ui.horizontal(|ui| {
        let Window { mut centre, mut width } = seen.window;
        let speed = (width / 200.0).max(1e-3);
        let label = ui.label(RichText::new("Width").weak());
        let value = DragValue::new(&mut width).speed(speed).range(1e-3..=1e7).max_decimals(1);
        let wide = ui.add(value).labelled_by(label.id);
        let label = ui.label(RichText::new("Level").weak());
        let level = ui.add(DragValue::new(&mut centre).speed(speed).max_decimals(1)).labelled_by(label.id);
        if wide.changed() || level.changed() {
            commands.push(Command::SetWindow(Window { centre, width }));
        }
    });
    if open.is_seen_otherwise() && state.model.is_some() {
        ui.horizontal(|ui| {
            if ui.button("Predict with this window").clicked() {
                commands.push(Command::UseWindow);
            }
            explain(ui, NETWORK);
        });
    }
}

/// The strip of slices beneath the picture; nothing for a lone picture.
pub fn slices(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = state.image.as_ref().filter(|open| open.scan.slices > 1) else { return };
    Panel::bottom("slices").show(ui, |ui| {
        ui.horizontal(|ui| {
            let is_playing = state.playing.is_some();
            let word = if is_playing { "Pause" } else { "Play" };
            if ui.add_sized([58.0, 20.0], Button::new(word)).clicked() {
                commands.push(Command::Play(!is_playing));
            }
            let label = ui.label(RichText::new("Slice").weak());
            let mut slice = open.slice + 1;
            ui.spacing_mut().slider_width = (ui.available_width() - 70.0).max(60.0);
            let slider = Slider::new(&mut slice, 1..=open.scan.slices);
            if ui.add(slider).labelled_by(label.id).changed() {
                commands.push(Command::ShowSlice(slice - 1));
            }
        });
    });
}
