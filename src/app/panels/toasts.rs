//! Messages in the corner of the picture.

use eframe::egui::{
    Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, Order, Rect, RichText, Stroke, Ui, pos2,
};

use crate::app::command::Command;
use crate::app::notes::{Kind, Note};
use crate::app::state::State;
use crate::app::theme;

const WIDTH: f32 = 380.0;

/// Distance from the edges of the picture: beneath are its scale and the value under the pointer, and above are the buttons of the stages.
const MARGIN: [f32; 2] = [12.0, 64.0];

/// Height in which three of them have room, with the margin.
const LEAST: f32 = 300.0;

/// Draws the toasts in the lower right corner of `canvas`.
pub fn show(ctx: &Context, state: &State, canvas: Rect, commands: &mut Vec<Command>) {
    if state.notes.toasts().next().is_none() {
        return;
    }
    // What is too low for them would not keep them from the menus.
    let canvas = if canvas.height() < LEAST { ctx.content_rect() } else { canvas };
    let width = WIDTH.min(canvas.width() - 24.0);
    let corner = pos2(canvas.right() - MARGIN[0], canvas.bottom() - MARGIN[1]);
    let area = Area::new(Id::unique("toasts")).order(Order::Middle).pivot(Align2::RIGHT_BOTTOM).fixed_pos(corner);
    area.show(ctx, |ui| {
        ui.set_width(width);
        ui.spacing_mut().item_spacing.y = 6.0;
        for note in state.notes.toasts() {
            toast(ui, note, commands);
        }
    });
}

/// What a kind is called and its colour.
pub fn heading(ui: &Ui, kind: Kind) -> RichText {
    let palette = theme::palette(ui.visuals());
    match kind {
        Kind::Info => RichText::new("Done").color(palette.accent),
        Kind::Warning => RichText::new("Note").color(palette.warning),
        Kind::Error => RichText::new("Error").color(palette.error),
    }
    .strong()
}

fn toast(ui: &mut Ui, note: &Note, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    let edge = match note.kind {
        Kind::Info => palette.accent,
        Kind::Warning => palette.warning,
        Kind::Error => palette.error,
    };
    let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, edge)).inner_margin(Margin::symmetric(12, 8));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            ui.label(heading(ui, note.kind));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Dismiss").clicked() {
                    commands.push(Command::Dismiss(note.id));
                }
            });
        });
        ui.add(Label::new(&note.text).wrap());
    });
}
