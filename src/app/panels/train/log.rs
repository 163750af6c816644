//! The log of the run.

use eframe::egui::{Label, RichText, ScrollArea, TextStyle, Ui};

use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::{Around, Panel};
use crate::app::state::State;
use crate::app::tab::Tab;

/// The messages of the run.
pub struct Log;

const INFO: PaneInfo = PaneInfo {
    title: "Run log",
    help: "What the training run says of itself.",
    places: &[Place::new(Tab::Train, Column::Middle, 4)],
    size: [700.0, 106.0],
    ..PaneInfo::new(Pane::new("log"))
};

impl Panel for Log {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.training.run.is_none().then_some("The log of a run appears here.")
    }

    fn is_idle(&self, state: &State, _is_front: bool) -> bool {
        state.training.run.is_none()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, _commands: &mut Vec<Command>) {
        show(ui, state);
    }
}

/// Draws the log.
fn show(ui: &mut Ui, state: &State) {
    let Some(run) = &state.training.run else { return };
    ui.horizontal(|ui| {
        if ui.small_button("Copy log").clicked() {
            ui.ctx().copy_text(run.log.join("\n"));
        }
        ui.label(RichText::new("Time since the run started here").small().weak());
    });
    let row = ui.text_style_height(&TextStyle::Monospace);
    ScrollArea::both().id_salt("log").auto_shrink(false).stick_to_bottom(true).show_rows(
        ui,
        row,
        run.log.len(),
        |ui, rows| {
            for line in &run.log[rows] {
                ui.add(Label::new(RichText::new(line).monospace()).extend());
            }
        },
    );
}
