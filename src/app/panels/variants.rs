//! The Prompts tab: variants of a prompt side by side.

use eframe::egui::{CentralPanel, Frame, RichText, Ui};

use super::panel::{Around, Panel};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;

/// The pinned variants side by side.
pub struct Variants;

const INFO: PaneInfo = PaneInfo {
    title: "Variants",
    help: "Prompts side by side on the same image, with what changes between their masks.",
    places: &[Place::new(Tab::Prompts, Column::Middle, 0)],
    size: [800.0, 600.0],
    growth: 3,
    is_hero: true,
    ..PaneInfo::new(Pane::new("variants"))
};

impl Panel for Variants {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Bare
    }

    fn show(&self, ui: &mut Ui, _: &mut State, _: &mut Vec<Command>) {
        let fill = theme::palette(ui.visuals()).canvas;
        CentralPanel::default().frame(Frame::central_panel(ui.style()).fill(fill)).show(ui, |ui| {
            ui.centered_and_justified(|ui| ui.label(RichText::new("Pin a prompt to compare it with others.")));
        });
    }
}
