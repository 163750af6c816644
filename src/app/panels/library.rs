//! Prompts to choose from, beside the picture: the user's own, and those in the form that the models were trained on.

use eframe::egui::Ui;

use super::entries;
use super::panel::Panel;
use crate::app::actions::{self, Choices};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// Favourites and prompts of the past.
pub struct History;

/// Prompts in the form of the training data.
pub struct Presets;

const PLACES: &[Place] = &[
    Place::new(Tab::Read, Column::Right, 1).closed(),
    Place::new(Tab::Prompts, Column::Right, 1).closed(),
    Place::new(Tab::Stages, Column::Right, 1).closed(),
];

const HISTORY: PaneInfo = PaneInfo {
    title: "Prompt history",
    help: "Prompts that you wrote or accepted, and your favourites.",
    places: PLACES,
    ..PaneInfo::new(Pane::HISTORY)
};

const PRESETS: PaneInfo = PaneInfo {
    title: "Prompt presets",
    help: "Prompts in the form that the models were trained on.",
    places: PLACES,
    ..PaneInfo::new(Pane::PRESETS)
};

impl Panel for History {
    fn info(&self) -> &'static PaneInfo {
        &HISTORY
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, &actions::HISTORY, state, commands);
    }
}

impl Panel for Presets {
    fn info(&self) -> &'static PaneInfo {
        &PRESETS
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, &actions::PRESETS, state, commands);
    }
}

fn show(ui: &mut Ui, choices: &Choices, state: &State, commands: &mut Vec<Command>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    entries::all(ui, choices, state, commands);
}
