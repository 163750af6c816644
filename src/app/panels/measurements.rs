//! Areas, diameters, volumes and values of what is looked at.

use eframe::egui::{Color32, Label, RichText, Ui};

use super::panel::Panel;
use super::widgets::{number, swatch};
use crate::analysis::export::Format;
use crate::analysis::measurements::{ComponentMeasures, LabelMeasures, Units};
use crate::app::command::Command;
use crate::app::export::ExportCommand;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;

/// The number of components of a label that are listed; the table has all of them.
const LISTED: usize = 12;
/// The width in points below which the name has a line of its own.
const NARROW: f32 = 400.0;

/// Measurements of the labels.
pub struct MeasurementsPanel;

const INFO: PaneInfo = PaneInfo {
    title: "Measurements",
    help: "Areas, diameters, volumes and values of every connected region of the mask that is looked at.",
    places: &[Place::new(Tab::Annotate, Column::Right, 1), Place::new(Tab::Read, Column::Right, 0).closed()],
    ..PaneInfo::new(Pane::new("measurements"))
};

impl Panel for MeasurementsPanel {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        state.measured_of().is_none().then_some("Draw something, or type a prompt, to measure it.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        state.export.is_measured = true;
        let Some((of, found)) = &state.export.measured else {
            ui.label(RichText::new("…").weak());
            return;
        };
        // What is drawn just now is measured when the stroke has ended.
        let is_old = state.measured_of() != Some(*of);
        ui.add_enabled_ui(!is_old, |ui| {
            heads(ui, &found.units);
            found.labels.iter().for_each(|label| rows(ui, label, &found.units));
            if found.labels.iter().all(|label| label.components.is_empty()) {
                ui.label(RichText::new("No pixel has a label.").weak());
            }
            for note in &found.notes {
                ui.add(Label::new(RichText::new(note).small().weak()).wrap());
            }
        });
        if ui.button("Save table…").clicked() {
            commands.push(Command::Export(ExportCommand::Show(Format::Csv)));
        }
    }
}

fn heads(ui: &mut Ui, units: &Units) {
    let value = match units.value.as_str() {
        "" => "Mean ± SD".to_owned(),
        unit => format!("Mean ± SD ({unit})"),
    };
    let diameters = format!("Diameters ({})", units.length.words());
    let size = match units.voxel_mm3 {
        Some(_) => "Volume (mm³)".to_owned(),
        None => format!("Area ({})", units.area_words()),
    };
    let head = |text: String| RichText::new(text).small().weak();
    line(ui, |_| (), [size, diameters, value].map(head), "");
}

fn rows(ui: &mut Ui, label: &LabelMeasures, units: &Units) {
    let count = label.components.len();
    for (index, component) in label.components.iter().take(LISTED).enumerate() {
        let name = |ui: &mut Ui| {
            ui.horizontal(|ui| {
                let [r, g, b] = label.colour;
                swatch(ui, Color32::from_rgb(r, g, b));
                let name = if count > 1 { format!("{} {}", label.name, index + 1) } else { label.name.clone() };
                ui.add(Label::new(name).truncate());
            });
        };
        let (cells, hover) = cells(component, units);
        line(ui, name, cells.map(RichText::new), &hover);
    }
    if count > LISTED {
        ui.label(RichText::new(format!("and {} more", count - LISTED)).small().weak());
    }
}

/// Draws a name and three numbers beside it, or below it where the panel is narrow. Each has a share of the width, so that
/// nothing has to be scrolled sideways.
fn line(ui: &mut Ui, name: impl FnOnce(&mut Ui), cells: [RichText; 3], hover: &str) {
    let is_narrow = ui.available_width() < NARROW;
    let mut name = Some(name);
    if is_narrow {
        name.take().into_iter().for_each(|name| name(ui));
    }
    ui.columns(if is_narrow { 3 } else { 4 }, |columns| {
        let numbers = columns.len() - cells.len();
        name.into_iter().for_each(|name| name(&mut columns[0]));
        for (ui, cell) in columns[numbers..].iter_mut().zip(cells) {
            let cell = ui.add(Label::new(cell).wrap());
            if !hover.is_empty() {
                cell.on_hover_text(hover);
            }
        }
    });
}

fn cells(component: &ComponentMeasures, units: &Units) -> ([String; 3], String) {
    let dash = || "–".to_owned();
    let longest = component.longest();
    let area = |part: &crate::analysis::measurements::SliceMeasures| part.area_mm2.unwrap_or(part.pixels as f64);
    let largest = component.slices.iter().map(area).fold(0.0, f64::max);
    let size = component.volume_mm3.unwrap_or(largest);
    let diameters = longest.map_or_else(dash, |part| {
        format!("{} × {}", number(part.longest.length), number(part.perpendicular.length))
    });
    let values =
        component.values.map_or_else(dash, |values| format!("{} ± {}", number(values.mean), number(values.std)));
    let slices = match (component.slices.first(), component.slices.last()) {
        (Some(first), Some(last)) if first.slice != last.slice => {
            format!("Slices {} to {}. ", first.slice + 1, last.slice + 1)
        }
        _ => String::new(),
    };
    let at = longest.map_or(0, |part| part.slice + 1);
    let hover = format!(
        "{slices}Largest area in a slice: {} {}. The longest diameter is in slice {at}, between outer pixel edges; the second \
         is at right angles to it.",
        number(largest),
        units.area_words()
    );
    ([number(size), diameters, values], hover)
}
