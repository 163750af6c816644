//! The row above the variants.

use eframe::egui::{Button, ComboBox, Frame, Label, Margin, Panel, RichText, Ui};

use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::panels::widgets::explain;
use crate::app::state::State;
use crate::app::theme;
use crate::app::variants::{MOST, Order, VariantsCommand};

const FORMS: &str = "Pins four forms of the prompt: as a structured sentence, written out as a report, the report condensed to a sentence \
                     again, and no text at all. They show what a model takes from words. F11 shows them one by one.";
const LINKED: &str = "All pictures show the same part of the image. The order, thresholds and prompts of the pins can be \
                      changed at any time; the masks follow.";

/// Draws the row.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let fill = theme::palette(ui.visuals()).panel;
    let frame = Frame::new().fill(fill).inner_margin(Margin::symmetric(8, 4));
    Panel::top("variants toolbar").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let mut ask = |command| commands.push(Command::Variants(command));
            let variants = &state.variants;
            let (is_full, unread) = (variants.pins.len() >= MOST, state.why_no_text());
            let pin = ui.add_enabled(!is_full && unread.is_none(), Button::new("Pin the prompt"));
            let full = format!("At most {MOST} variants can be pinned. Remove one to pin another.");
            let words = unread.unwrap_or(&full);
            if pin.on_hover_text("Ctrl P").on_disabled_hover_text(words).clicked() {
                ask(VariantsCommand::Pin);
            }
            let demonstration =
                ui.add_enabled(unread.is_none(), Button::new("Structured, report, distilled, empty"));
            if demonstration.on_disabled_hover_text(unread.unwrap_or_default()).clicked() {
                ask(VariantsCommand::Demonstrate);
            }
            explain(ui, FORMS);
            if variants.pins.is_empty() {
                let words = match unread {
                    Some(reason) => format!("{reason} There are no variants to compare."),
                    None => "Pin prompts to see their masks side by side.".to_owned(),
                };
                ui.add(Label::new(RichText::new(words).weak()).wrap());
                return;
            }
            ui.separator();
            let name = Order::ALL.iter().find(|(order, _)| *order == variants.order).map_or("", |(_, name)| name);
            let label = ui.label(RichText::new("Order").weak());
            let combo =
                ComboBox::from_id_salt("order of pins").selected_text(name).width(130.0).show_ui(ui, |ui| {
                    for (order, name) in Order::ALL {
                        if ui.selectable_label(order == variants.order, name).clicked() {
                            ask(VariantsCommand::Order(order));
                        }
                    }
                });
            combo.response.labelled_by(label.id);
            let mut heat = variants.heat;
            if ui
                .checkbox(&mut heat, "Probability")
                .on_hover_text("Shows the probability of each pin in colours.")
                .changed()
            {
                ask(VariantsCommand::Heat(heat));
            }
            if ui.button("Remove all").clicked() {
                ask(VariantsCommand::Clear);
            }
            let given = state.can_save_variants();
            let save = ui.add_enabled(given.is_ok(), Button::new("Save as table…"));
            let save = save.on_hover_text("Saves prompts and scores of all pins and of the prompt as CSV.");
            if save.on_disabled_hover_text(given.err().unwrap_or_default()).clicked() {
                commands.push(Command::OpenDialog(DialogKind::SaveVariants));
            }
            explain(ui, LINKED);
            if let Some((done, count)) = variants.progress().filter(|_| variants.is_waiting()) {
                ui.label(RichText::new(format!("{done} of {count} masks")).weak());
            }
        });
        for error in state.variants.errors.iter().flatten() {
            ui.label(RichText::new(error).color(theme::palette(ui.visuals()).error));
        }
    });
}
