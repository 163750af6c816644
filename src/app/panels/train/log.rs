//! The log of the run.

use eframe::egui::{Label, RichText, ScrollArea, TextStyle, Ui};

use crate::app::state::State;

/// Draws the log.
pub fn show(ui: &mut Ui, state: &State) {
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
