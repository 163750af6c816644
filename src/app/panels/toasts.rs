//! Messages that disappear after a while, shown beside the image and never over it.

use eframe::egui::{
    Align, Align2, Area, Context, Frame, Id, Label, Layout, Margin, Order, Rect, RichText, Stroke, Ui, pos2,
};

use crate::app::command::Command;
use crate::app::notes::{Kind, Note};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;

/// The maximum and minimum width of a message, in points.
const WIDTH: (f32, f32) = (380.0, 180.0);
/// The distance from the edges, in points.
const MARGIN: f32 = 8.0;

/// Draws the messages in a lower corner beside `hero`, the main panel. If there is no room beside it, the bar
/// below the menu shows the newest message from the next frame on.
pub fn show(ctx: &Context, state: &State, hero: Rect, commands: &mut Vec<Command>) {
    let room = beside(ctx.content_rect(), hero, state.tab);
    let id = in_bar();
    if ctx.data(|data| data.get_temp::<bool>(id)).unwrap_or(false) != room.is_none() {
        ctx.data_mut(|data| data.insert_temp(id, room.is_none()));
        ctx.request_repaint();
    }
    let Some(room) = room else { return };
    if state.notes.toasts().next().is_none() {
        return;
    }
    let corner = pos2(room.right() - MARGIN, room.bottom() - MARGIN);
    let area = Area::new(Id::unique("toasts")).order(Order::Middle).pivot(Align2::RIGHT_BOTTOM).fixed_pos(corner);
    area.show(ctx, |ui| {
        ui.set_width(WIDTH.0.min(room.width() - 2.0 * MARGIN));
        ui.spacing_mut().item_spacing.y = 6.0;
        for note in state.notes.toasts() {
            toast(ui, note, commands);
        }
    });
}

/// Returns whether there was no room beside the image in the last frame.
pub fn are_in_bar(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp(in_bar())).unwrap_or(false)
}

fn in_bar() -> Id {
    Id::unique("toasts in the bar")
}

/// Returns the free area: to the right of the main panel, otherwise to its left. In the Train tab, there is no
/// image to keep free.
fn beside(window: Rect, hero: Rect, tab: Tab) -> Option<Rect> {
    let right = Rect::from_x_y_ranges(hero.right()..=window.right(), window.y_range());
    let left = Rect::from_x_y_ranges(window.left()..=hero.left(), window.y_range());
    let all = [right, left].into_iter().find(|room| room.width() >= WIDTH.1 + 2.0 * MARGIN);
    if tab == Tab::Train { Some(window) } else { all }
}

/// Returns the name of a message kind in its colour.
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

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::vec2;

    #[test]
    fn messages_stand_beside_the_picture() {
        let window = Rect::from_min_size(pos2(0.0, 0.0), vec2(1024.0, 640.0));
        let hero = |from: f32, to: f32| Rect::from_x_y_ranges(from..=to, 30.0..=480.0);
        for (from, to) in [(0.0, 752.0), (196.0, 752.0), (300.0, 1024.0)] {
            let room = beside(window, hero(from, to), Tab::Read).expect("room");
            assert!(!room.shrink(1.0).intersects(hero(from, to)) && window.contains_rect(room), "{from} to {to}");
        }
        assert_eq!(beside(window, hero(0.0, 1024.0), Tab::Read), None, "the bar has them then");
        assert_eq!(beside(window, hero(100.0, 900.0), Tab::Stages), None);
    }
}
