//! The buttons beside the prompt: prompts to choose from, and favourites.

use std::f32::consts::TAU;

use eframe::egui::{Button, Pos2, Response, Role, Shape, Stroke, Ui, Vec2, WidgetInfo, vec2};

use crate::app::command::Command;
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::app::theme;

/// The distance of the tips of the star from its middle, and that of the corners between them, in points.
const OUTER: f32 = 7.5;
const INNER: f32 = 3.2;

/// Draws the buttons, which are off if the network reads no prompt.
pub fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let unread = state.why_no_text();
    for (name, pane) in [("History", Pane::HISTORY), ("Presets", Pane::PRESETS)] {
        let is_open = state.is_seen(pane);
        let response =
            ui.add_enabled(unread.is_none(), Button::selectable(is_open, name).frame_when_inactive(true));
        let response = response.on_disabled_hover_text(unread.unwrap_or_default());
        if response.on_hover_text("Prompts to choose from, beside the picture").clicked() {
            commands.push(Command::OpenPane(pane, !is_open));
        }
    }
    let prompt = state.document.prompt.trim();
    let is_favourite = state.settings.favourites.iter().any(|other| other == prompt);
    let words = if is_favourite { "Take it from the favourites" } else { "Keep it among the favourites" };
    let response = ui
        .add_enabled_ui(unread.is_none() && !prompt.is_empty(), |ui| star(ui, is_favourite))
        .inner
        .on_hover_text(words);
    if response.on_disabled_hover_text(unread.unwrap_or("The prompt is empty.")).clicked() {
        commands.push(Command::Favourite(prompt.to_owned(), !is_favourite));
    }
}

/// Draws the star of a favourite as a button, filled if `is_on`: the fonts of the window have none.
fn star(ui: &mut Ui, is_on: bool) -> Response {
    let response =
        ui.add(Button::new("").min_size(Vec2::splat(ui.spacing().interact_size.y)).frame_when_inactive(false));
    let is_enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, is_enabled, is_on, "Favourite"));
    let palette = theme::palette(ui.visuals());
    let colour = match (is_enabled, is_on || response.hovered()) {
        (false, _) => palette.weak.gamma_multiply(0.5),
        (true, false) => palette.weak,
        (true, true) => palette.accent,
    };
    let middle = response.rect.center() + vec2(0.0, 0.5);
    let corner = |index: usize| {
        let radius = if index.is_multiple_of(2) { OUTER } else { INNER };
        middle + radius * Vec2::angled(TAU * index as f32 / 10.0 - TAU / 4.0)
    };
    let corners: Vec<Pos2> = (0..10).map(corner).collect();
    if is_on {
        // A star is not convex, so each of its rays is drawn alone, and the pentagon between them.
        for tip in (0..10).step_by(2) {
            let ray = vec![corners[(tip + 9) % 10], corners[tip], corners[tip + 1]];
            ui.painter().add(Shape::convex_polygon(ray, colour, Stroke::NONE));
        }
        let inner = corners.iter().skip(1).step_by(2).copied().collect();
        ui.painter().add(Shape::convex_polygon(inner, colour, Stroke::NONE));
    }
    ui.painter().add(Shape::closed_line(corners, Stroke::new(1.2, colour)));
    response
}
