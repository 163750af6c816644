//! What the run has said.

use eframe::egui::{Label, RichText, ScrollArea, TextStyle, Ui};

use crate::app::panels::widgets::section;
use crate::app::state::State;

/// Height of the log, in points.
const HEIGHT: f32 = 150.0;

/// Draws the log.
pub fn show(ui: &mut Ui, state: &State) {
    let Some(run) = &state.training.run else { return };
    section(ui, "Log", "time since the run began here");
    if ui.small_button("Copy log").clicked() {
        ui.ctx().copy_text(run.log.join("\n"));
    }
    let row = ui.text_style_height(&TextStyle::Small);
    ScrollArea::both()
        .id_salt("log")
        .max_height(HEIGHT)
        .min_scrolled_height(HEIGHT)
        .auto_shrink(false)
        .stick_to_bottom(true)
        .show_rows(ui, row, run.log.len(), |ui, rows| {
            for line in &run.log[rows] {
                ui.add(Label::new(RichText::new(line).small().monospace()).extend());
            }
        });
}
