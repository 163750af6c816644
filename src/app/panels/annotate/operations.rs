//! Operations on the active label as a whole.

use eframe::egui::{Button, DragValue, Label, RichText, Ui};

use crate::annotate::Operation;
use crate::annotate::tools::{Extent, Smallest};
use crate::app::annotating::{AnnotateCommand, OperationOptions};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::working_bar;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::capitalised;

/// Buttons that change the active label: holes, parts, outline, slices.
pub struct Operations;

const INFO: PaneInfo = PaneInfo {
    title: "Operations",
    help: "Operations on the active label: fill holes, drop parts, smooth, grow, shrink, interpolate.",
    places: &[Place::new(Tab::Annotate, Column::Right, 0)],
    size: [272.0, 250.0],
    ..PaneInfo::new(Pane::new("operations"))
};

const SMOOTH: &str = "The standard deviation of a Gaussian. Details that are smaller disappear.";

impl Panel for Operations {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let Some(label) = state.annotating.active else {
            return Some("There is no label yet. Draw something first.");
        };
        let is_locked = state.document.annotation.label(label).is_some_and(|label| label.is_locked);
        is_locked.then_some("The label is locked. Unlock it to change it.")
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let Some(open) = &state.document.image else { return };
        let (is_stack, has_mm) = (open.volume.slices > 1, state.has_pixel_mm());
        let mut options = state.annotating.operations;
        if let Some(asked) = state.annotating.operating.pending() {
            let name = capitalised(asked.what.operation.step());
            if working_bar(ui, asked, |_| name) {
                commands.push(Command::Annotate(AnnotateCommand::CancelOperation));
            }
            return;
        }
        let mut send = |operation| commands.push(Command::Annotate(AnnotateCommand::Operate(operation)));
        if is_stack {
            ui.horizontal_wrapped(|ui| {
                ui.radio_value(&mut options.extent, Extent::Slice, "This slice");
                ui.radio_value(&mut options.extent, Extent::Stack, "All slices");
            });
        } else {
            options.extent = Extent::Slice;
        }
        if has_mm {
            ui.checkbox(&mut options.in_mm, "Lengths in mm");
        }
        if ui.button("Fill holes").clicked() {
            send(Operation::FillHoles);
        }
        ui.horizontal_wrapped(|ui| {
            if ui.button("Keep the largest").clicked() {
                send(Operation::KeepLargest(options.count));
            }
            let field = ui.add(DragValue::new(&mut options.count).speed(0.05).range(1..=999));
            field.widget_info(|| spin("Number of parts to keep", options.count as f64));
        });
        ui.horizontal_wrapped(|ui| {
            if ui.button("Drop smaller than").clicked() {
                send(Operation::DropSmaller(options.smallest(has_mm)));
            }
            let unit = match options.smallest(has_mm) {
                Smallest::Pixels(_) => " px",
                Smallest::Mm2(_) => " mm²",
                Smallest::Mm3(_) => " mm³",
            };
            let place = usize::from(options.in_mm && has_mm);
            let value = &mut options.smallest[place];
            let field = ui.add(DragValue::new(value).speed(0.5).range(0.1..=1e7).max_decimals(1).suffix(unit));
            field.widget_info(|| spin("Smallest part to keep", options.smallest[place]));
        });
        by(ui, &mut options, has_mm, &mut send);
        if is_stack {
            ui.horizontal_wrapped(|ui| {
                if ui
                    .button("Interpolate")
                    .on_hover_text("Fill the slices between two slices of the label.")
                    .clicked()
                {
                    send(Operation::Interpolate);
                }
                if ui.button("Copy to the next slice").clicked() {
                    send(Operation::CopyToNext);
                }
            });
        }
        if options != state.annotating.operations {
            commands.push(Command::Annotate(AnnotateCommand::SetOperations(options)));
        }
    }
}

/// Draws what smooths, grows and shrinks, with their length.
fn by(ui: &mut Ui, options: &mut OperationOptions, has_mm: bool, send: &mut impl FnMut(Operation)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let length = options.length(has_mm);
        if ui.add(Button::new("Smooth")).on_hover_text(SMOOTH).clicked() {
            send(Operation::Smooth(length));
        }
        if ui.button("Grow").clicked() {
            send(Operation::Grow(length));
        }
        if ui.button("Shrink").clicked() {
            send(Operation::Shrink(length));
        }
        ui.add(Label::new(RichText::new("by").weak()));
        let is_mm = options.in_mm && has_mm;
        let value = &mut options.by[usize::from(is_mm)];
        let suffix = if is_mm { " mm" } else { " px" };
        let field = ui.add(DragValue::new(value).speed(0.05).range(0.1..=500.0).max_decimals(1).suffix(suffix));
        field.widget_info(|| spin("Length of the operation", options.by[usize::from(is_mm)]));
    });
}

fn spin(name: &str, value: f64) -> eframe::egui::WidgetInfo {
    let mut info = eframe::egui::WidgetInfo::labeled(eframe::egui::Role::SpinButton, true, name);
    info.value = Some(value);
    info
}
