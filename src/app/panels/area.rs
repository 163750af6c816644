//! The box of a model that takes one: drawn and dragged in the picture, and its numbers in place of the prompt.

use eframe::egui::{
    CursorIcon, DragValue, Id, Label, PointerButton, Pos2, Rect, Response, RichText, Stroke, StrokeKind, Ui, vec2,
};

use super::widgets::milliseconds;
use crate::app::boxed::{BoxCommand, Drag, Grip};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::theme;
use crate::data::Area;

const NO_PICTURE: &str =
    "This model wants a box and reads no text. Open a picture first, then drag a box around the lesion in it.";
const WANTED: &str = "This model wants a box and reads no text: drag one around the lesion in the picture.";
const WANTED_IN_READ: &str =
    "This model wants a box and reads no text: drag one around the lesion in the picture of the tab Read.";
const HOW: &str = "Drag the edges, corners or inside of the box to change it; Escape removes it.";
const HOW_IN_READ: &str = "The box is changed by its numbers here, or in the picture of the tab Read.";
const WHOLE_WHY: &str = "Sets the box around the whole picture. The model then gets no hint of the place.";

/// The distance from an edge within which it is taken hold of, in points of the screen.
const NEAR: f32 = 7.0;
/// The thickness of the box's outline, and the side length of the squares at its corners, in points.
const LINE: f32 = 1.5;
const HANDLE: f32 = 7.0;

/// Draws the numbers of the box and its buttons, if the open model takes one. Returns whether it does.
pub fn bar(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) -> bool {
    if !state.takes_box() {
        return false;
    }
    let area = state.document.area;
    let words = match (state.document.image.is_some(), area.is_some(), state.draws_box()) {
        (false, ..) => NO_PICTURE,
        (true, false, true) => WANTED,
        (true, false, false) => WANTED_IN_READ,
        (true, true, true) => HOW,
        (true, true, false) => HOW_IN_READ,
    };
    ui.add(Label::new(RichText::new(words).weak()).wrap());
    let Some(open) = &state.document.image else { return true };
    let (width, height) = (open.image.width as f32, open.image.height as f32);
    ui.horizontal_wrapped(|ui| {
        if let Some(mut edited) = area {
            let mut is_changed = false;
            for (name, value, most) in [
                ("Left", &mut edited.left, width),
                ("Top", &mut edited.top, height),
                ("Right", &mut edited.right, width),
                ("Bottom", &mut edited.bottom, height),
            ] {
                let label = ui.label(RichText::new(name).small().weak());
                let field = DragValue::new(value).range(0.0..=most).speed(1.0).max_decimals(1).suffix(" px");
                is_changed |= ui.add(field).labelled_by(label.id).changed();
            }
            if is_changed {
                commands.push(Command::Box(BoxCommand::Set(edited)));
            }
        }
        if ui.button("Whole picture").on_hover_text(WHOLE_WHY).clicked() {
            commands.push(Command::Box(BoxCommand::Whole));
        }
        if area.is_some() && ui.button("Remove box").clicked() {
            commands.push(Command::Box(BoxCommand::Clear));
        }
    });
    if let Some(shown) = &state.shown {
        let time = milliseconds(shown.prediction.milliseconds.total);
        let words = if state.is_dimmed() { format!("The mask belongs to an earlier box · {time}") } else { time };
        ui.label(RichText::new(words).small().weak());
    }
    true
}

fn drag_id() -> Id {
    Id::unique("drag of the box")
}

/// Turns drags with the left button into commands. Call it where [`State::draws_box`].
pub fn draw(ui: &Ui, response: &Response, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = &state.document.image else { return };
    let size = [open.image.width, open.image.height];
    let image_at = |pos: Pos2| {
        let at = state.view.image_at(pos);
        [at.x, at.y]
    };
    // The zoom may differ between the axes of a picture whose pixels are not square.
    let near = |pos: Pos2| {
        let [a, b] = [image_at(pos), image_at(pos + vec2(NEAR, NEAR))];
        (b[0] - a[0]).abs().max((b[1] - a[1]).abs())
    };
    let is_ruler = ui.input(|input| input.modifiers.shift);
    let area = state.document.area;
    if response.drag_started_by(PointerButton::Primary) && !is_ruler {
        // A drag is detected only after a few points.
        let pressed = ui.input(|input| input.pointer.press_origin()).or(response.interact_pointer_pos());
        if let Some(pressed) = pressed {
            let from = image_at(pressed);
            let grip = Grip::at(area, from, near(pressed));
            ui.data_mut(|data| data.insert_temp(drag_id(), Drag { grip, before: area, from }));
        }
    }
    let drag = ui.data(|data| data.get_temp::<Drag>(drag_id()));
    if let (Some(drag), Some(pointer)) = (drag, response.interact_pointer_pos()) {
        let wanted = drag.to(image_at(pointer), size);
        let has_ended = response.drag_stopped();
        // A box of no area is refused when the button is released, not on the way.
        if wanted.clipped(size[0], size[1]).is_ok() || has_ended {
            commands.push(Command::Box(BoxCommand::Set(wanted)));
        }
    }
    if !response.dragged_by(PointerButton::Primary) {
        ui.data_mut(|data| data.remove::<Drag>(drag_id()));
        if let Some(pointer) = response.hover_pos() {
            ui.ctx().set_cursor_icon(cursor(Grip::at(area, image_at(pointer), near(pointer))));
        }
    }
}

fn cursor(grip: Grip) -> CursorIcon {
    match grip {
        Grip::New => CursorIcon::Crosshair,
        Grip::Inside => CursorIcon::Move,
        Grip::Edges { across: 0, .. } => CursorIcon::ResizeVertical,
        Grip::Edges { down: 0, .. } => CursorIcon::ResizeHorizontal,
        Grip::Edges { across, down } if across == down => CursorIcon::ResizeNwSe,
        Grip::Edges { .. } => CursorIcon::ResizeNeSw,
    }
}

/// Draws the box over the picture, if the open model takes one.
pub fn show(ui: &Ui, rect: Rect, state: &State) {
    let Some(Area { left, top, right, bottom }) = state.document.area.filter(|_| state.takes_box()) else {
        return;
    };
    let corner = |x, y| state.view.screen_at(vec2(x, y));
    let frame = Rect::from_two_pos(corner(left, top), corner(right, bottom));
    let colour = theme::palette(ui.visuals()).accent;
    let painter = ui.painter().with_clip_rect(rect);
    // The dark margin keeps the line visible on a mask of nearly the same colour and on white.
    let margin = Stroke::new(LINE + 2.0, theme::BEHIND_WORDS);
    painter.rect_stroke(frame, 0.0, margin, StrokeKind::Middle);
    painter.rect_stroke(frame, 0.0, Stroke::new(LINE, colour), StrokeKind::Middle);
    if state.draws_box() {
        for corner in [frame.left_top(), frame.right_top(), frame.left_bottom(), frame.right_bottom()] {
            painter.rect_filled(Rect::from_center_size(corner, vec2(HANDLE, HANDLE)), 1.0, colour);
        }
    }
}
