//! The Stages tab: all decoder stages side by side, and the intermediate results and parameters of the network.

mod channels;
pub mod fusion;
mod grid;
mod legend;
mod panes;
mod parameter;
pub mod refinement;
pub mod spectrum;
pub mod sweep;
mod toolbar;
pub mod what_if;
pub mod working;

use eframe::egui::{CentralPanel, Frame, RichText, Ui};

use super::empty;
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::{self, Around};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::NO_STAGES;
use crate::app::theme;

/// The reason why no other work can be started while a long task is running.
const BUSY: &str = "Wait until the work that is in progress has finished, or cancel it.";

/// The decoder stages side by side.
pub struct Stages;

const INFO: PaneInfo = PaneInfo {
    title: "Stages",
    help: "The stages of the decoder side by side.",
    places: &[Place::new(Tab::Stages, Column::Middle, 0)],
    size: [800.0, 600.0],
    growth: 3,
    is_hero: true,
    ..PaneInfo::new(Pane::new("stages"))
};

impl panel::Panel for Stages {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Bare
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the stages.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    toolbar::show(ui, state, commands);
    pictures(ui, state, commands);
}

/// Draws only the images, or the reason why there are none.
pub fn pictures(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    let fill = theme::palette(ui.visuals()).canvas;
    CentralPanel::default().frame(Frame::central_panel(ui.style()).fill(fill).inner_margin(6)).show(ui, |ui| {
        let rect = ui.max_rect();
        match nothing(state) {
            Some(words) => message(ui, words),
            None => panes::show(ui, state, commands),
        }
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            empty::drop_target(ui, rect, "Drop an image, a mask, a model or a session");
        }
    });
}

/// Returns the reason why there are no stages to show.
fn nothing(state: &State) -> Option<&str> {
    match (&state.document.image, &state.model, &state.stages.look) {
        (None, _, _) if state.failed.is_some() => state.failed.as_deref(),
        (None, _, _) => Some("Open an image to see it stage by stage on its way through the network."),
        (_, None, _) if state.jobs.model.pending().is_some() => Some("The stages appear when the model is open."),
        (_, None, _) => Some("No model is open. Open one from the Model menu."),
        _ if state.has_no_stages() => Some(NO_STAGES),
        _ if state.is_without_prompt() => Some("The prompt is empty. Type what to segment to see the stages."),
        (_, _, look) => match (&look.error, &look.seen) {
            (Some(error), _) => Some(error),
            (None, None) => Some("The stages appear in a moment."),
            _ => None,
        },
    }
}

fn message(ui: &mut Ui, words: &str) {
    let colour = theme::palette(ui.visuals()).canvas_text;
    ui.centered_and_justified(|ui| ui.label(RichText::new(words).color(colour).size(15.0)));
}
