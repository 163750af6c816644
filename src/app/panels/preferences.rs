//! The general section of the preferences, with every setting that has no place in a panel. Keys and display
//! window presets are the other sections of the same page.

use eframe::egui::{RichText, ScrollArea, Ui};

use super::entries;
use crate::app::actions::{Item, Section, items};
use crate::app::command::Command;
use crate::app::state::State;

/// The maximum height of the page, in points; the rest is scrolled.
const HEIGHT: f32 = 420.0;

/// Draws the page.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.set_width(520.0);
    ScrollArea::vertical().auto_shrink([false, true]).max_height(HEIGHT).show(ui, |ui| {
        for section in Section::ALL {
            ui.label(RichText::new(section.name()).heading());
            for item in items() {
                match item {
                    Item::Action(action) if action.section == Some(section) => {
                        entries::preference(ui, action, state, commands);
                    }
                    Item::Choices(choices) if choices.section == Some(section) => {
                        entries::preferences(ui, choices, state, commands);
                    }
                    _ => {}
                }
            }
            ui.add_space(8.0);
        }
    });
}
