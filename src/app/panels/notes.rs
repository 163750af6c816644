//! The bar below the menu with the notes about the open case. It takes one line, and a click expands it.

use eframe::egui::{
    Align, Button, CursorIcon, Frame, Id, Label, Layout, Margin, Panel, Popup, PopupCloseBehavior, Response,
    RichText, ScrollArea, Sense, Stroke, Ui,
};

use super::toasts;
use crate::app::command::Command;
use crate::app::notes::Note;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;

/// The maximum height of the list, in points.
const LIST: f32 = 320.0;

/// Draws the bar if there are notes, or a message for which there is no room beside the image.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let count = state.notes.case().len();
    let toast = state.notes.toasts().next().filter(|_| toasts::are_in_bar(ui.ctx()));
    if state.tab == Tab::Train || (count == 0 && toast.is_none()) {
        return;
    }
    let palette = theme::palette(ui.visuals());
    let frame = Frame::new().fill(palette.bar).inner_margin(Margin::symmetric(10, 2)).stroke(Stroke::NONE);
    Panel::top("notes on the case").frame(frame).show(ui, |ui| match toast {
        Some(note) => message(ui, note, commands),
        None => notes(ui, state, count, commands),
    });
}

fn message(ui: &mut Ui, note: &Note, commands: &mut Vec<Command>) {
    line(ui, toasts::heading(ui, note.kind), &note.text, |ui| {
        if ui.button("Dismiss").clicked() {
            commands.push(Command::Dismiss(note.id));
        }
    });
}

fn notes(ui: &mut Ui, state: &State, count: usize, commands: &mut Vec<Command>) {
    let Some(newest) = state.notes.case().next_back() else { return };
    let words = if count == 1 { "1 note".to_owned() } else { format!("{count} notes") };
    let heading = RichText::new("Note").strong().color(theme::palette(ui.visuals()).warning);
    let mut button: Option<Response> = None;
    let text = line(ui, heading, newest, |ui| {
        button = Some(ui.add(Button::new(words).small()).on_hover_text("Show the notes on this case."));
    });
    let Some(button) = button else { return };
    let id = Id::unique("list of the notes");
    if text.clicked() || button.clicked() {
        Popup::toggle_id(ui.ctx(), id);
    }
    let popup = Popup::from_response(&button).id(id).open_memory(None);
    popup.close_behavior(PopupCloseBehavior::CloseOnClickOutside).width(420.0).show(|ui| {
        ui.set_max_width(420.0);
        if let Some(open) = &state.document.image {
            ui.add(Label::new(RichText::new(&open.name).strong()).truncate());
        }
        ScrollArea::vertical().max_height(LIST).show(ui, |ui| {
            for note in state.notes.case().rev() {
                ui.separator();
                ui.add(Label::new(note).wrap().selectable(true));
            }
        });
        ui.separator();
        if ui.button("Hide the notes on this case").clicked() {
            commands.push(Command::HideNotes);
            ui.close();
        }
    });
}

/// Draws one line: heading and as much of the text as fits at the left, and the controls at the right.
fn line(ui: &mut Ui, heading: RichText, text: &str, right: impl FnOnce(&mut Ui)) -> Response {
    ui.horizontal(|ui| {
        ui.label(heading);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            right(ui);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let label = Label::new(text).truncate().selectable(false).sense(Sense::click());
                ui.add(label).on_hover_cursor(CursorIcon::PointingHand)
            })
            .inner
        })
        .inner
    })
    .inner
}
