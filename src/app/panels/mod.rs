//! The parts of the window. A panel reads the state and creates commands.

mod annotate;
mod area;
mod batch;
mod builder;
mod canvas;
mod cases;
mod checks;
mod colour_scale;
mod completion;
mod dock;
pub mod empty;
mod entries;
mod export;
mod hud;
mod influence;
mod information;
mod keeping;
mod level;
mod library;
mod measurements;
mod menu;
mod messages;
mod model;
mod networks;
mod notes;
mod offer;
mod pages;
mod palette;
pub mod panel;
mod past;
mod plot;
mod preferences;
mod presentation;
mod presets;
mod prompt;
mod prompts;
mod proposals;
mod question;
mod report;
mod result;
mod robustness;
mod scores;
mod session;
mod shortcuts;
mod stages;
mod toasts;
mod train;
mod truth;
mod uncertainty;
mod variants;
mod wheel;
pub mod widgets;
mod words;
mod worklist;

use eframe::egui::{CentralPanel, Ui};

use self::panel::Panel;
use super::command::Command;
use super::comparison;
use super::pane::Panes;
use super::state::State;

/// All panels, in the order of the View menu and of shared places. To add a panel, add its file and a line here.
pub const PANELS: &[&dyn Panel] = &[
    &worklist::Cases,
    &canvas::Canvas,
    &variants::Variants,
    &annotate::labels::Labels,
    &annotate::operations::Operations,
    &annotate::steps::Steps,
    &builder::Builder,
    &influence::WordInfluence,
    &stages::Stages,
    &prompt::Prompt,
    &result::Scores,
    &cases::pair::TrainingPair,
    &cases::readers::ReadersPanel,
    &information::Information,
    &level::Level,
    &measurements::MeasurementsPanel,
    &batch::Batch,
    &report::Report,
    &model::Network,
    &past::Past,
    &stages::what_if::WhatIf,
    &stages::spectrum::Spectrum,
    &stages::fusion::Fusion,
    &stages::refinement::Numbers,
    &stages::sweep::Sweep,
    &networks::grid::NetworksGrid,
    &networks::choice::Choice,
    &networks::numbers::NetworksNumbers,
    &train::settings::Settings,
    &train::run::Run,
    &train::study::Queue,
    &train::strip::Cases,
    &train::charts::Curves,
    &comparison::panel::SideBySide,
    &train::log::Log,
    &variants::differences::DifferencesPanel,
    &robustness::Robustness,
    &proposals::Proposals,
    &library::History,
    &library::Presets,
    &messages::Messages,
];

/// Returns the descriptions of the panels, for the layouts.
pub fn infos() -> Panes {
    Panes::new(PANELS.iter().map(|panel| panel.info()))
}

/// Draws the window.
pub fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    if state.presentation.is_some() {
        presentation::show(ui, state, commands);
    } else {
        menu::show(ui, state, commands);
        notes::show(ui, state, commands);
        session::show(ui, state, commands);
        keeping::show(ui, state, commands);
        question::show(ui, state, commands);
        let hero = CentralPanel::no_frame().show(ui, |ui| dock::show(ui, state, PANELS, commands)).inner;
        toasts::show(ui.ctx(), state, hero, commands);
    }
    pages::show(ui.ctx(), state, commands);
    palette::show(ui.ctx(), state, commands);
    train::ask_before_closing(ui.ctx(), state, commands);
    keeping::ask_before_closing(ui.ctx(), state, commands);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::app::layout::{Layouts, StoredLayouts};
    use crate::app::pane::PaneInfo;
    use crate::app::tab::Tab;

    #[test]
    fn every_panel_is_named_once_and_stands_somewhere() {
        let mut names = HashSet::new();
        for info in PANELS.iter().map(|panel| panel.info()) {
            assert!(names.insert(info.pane), "{}", info.pane.name());
            assert!(!info.title.is_empty() && info.help.ends_with('.'), "{}", info.pane.name());
            assert!(!info.places.is_empty(), "{}", info.pane.name());
        }
        for tab in Tab::ALL {
            assert_eq!(infos().of(tab).filter(|info| info.is_hero).count(), 1, "{tab:?} is for one panel");
        }
    }

    /// Settings written by version 0.1, with the Read tab rearranged by hand.
    const STORED: &str = include_str!("../../../tests/fixtures/v0_1/layout.json");

    #[test]
    fn layouts_of_version_0_1_come_back_as_they_were() {
        let settings: serde_json::Value = serde_json::from_str(STORED).expect("settings");
        let stored: StoredLayouts = serde_json::from_value(settings["layouts"].clone()).expect("layouts");
        assert_ne!(stored, StoredLayouts::default());
        // A panel that is newer stands beside those of its place; `layout` tests where.
        let text = settings["layouts"].to_string();
        let is_stored = |info: &&PaneInfo| text.contains(&format!("\"pane\":\"{}\"", info.pane.name()));
        let panes = Panes::new(PANELS.iter().map(|panel| panel.info()).filter(is_stored));
        let now = serde_json::to_value(Layouts::new(&stored, panes).stored()).expect("JSON");
        // Tasks that are newer have their usual layouts.
        for (task, layout) in settings["layouts"].as_object().expect("layouts by task") {
            assert_eq!(&now[task], layout, "{task}");
        }
    }
}
