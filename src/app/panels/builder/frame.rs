//! The diagram of an endoscopy frame: nine fields, three by three.

use eframe::egui::{Align2, CursorIcon, Rect, Role, Sense, Stroke, StrokeKind, TextStyle, Ui, WidgetInfo, vec2};

use super::lung_fields::{fill, hint};
use crate::app::theme;
use crate::text::prompt::{Place, Polyps};

/// The greatest width and the height of the diagram, in points.
const SIZE: [f32; 2] = [300.0, 168.0];
/// The space between two fields, in points.
const GAP: f32 = 3.0;

/// Draws the diagram. Returns the prompt after a click on a field.
pub fn show(ui: &mut Ui, polyps: &Polyps) -> Option<Polyps> {
    let palette = theme::palette(ui.visuals());
    let font = TextStyle::Small.resolve(ui.style());
    let size = vec2(ui.available_width().min(SIZE[0]), SIZE[1]);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let cell = (size + vec2(GAP, GAP)) / 3.0;
    let mut built = None;
    for place in Place::ALL.iter().copied() {
        let (row, column) = place.cell();
        let corner = rect.min + vec2(cell.x * column as f32, cell.y * row as f32);
        let field = Rect::from_min_size(corner, cell - vec2(GAP, GAP));
        let response = ui.interact(field, ui.scope_id().with(("place", place)), Sense::click());
        let count = polyps.places.iter().filter(|other| **other == place).count();
        let is_on = count > 0;
        let name = format!("Place {} (of the image)", place.word());
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, is_on, &name));
        let edge = match (response.has_focus(), is_on) {
            (true, _) => Stroke::new(2.5, palette.accent),
            (false, true) => Stroke::new(1.5, palette.accent),
            (false, false) => Stroke::new(1.0, palette.weak),
        };
        ui.painter().rect(field, 3.0, fill(palette, is_on, &response), edge, StrokeKind::Inside);
        let colour = if is_on { palette.chosen } else { palette.weak };
        let text = if count > 1 { format!("{} ×{count}", place.word()) } else { place.word().to_owned() };
        ui.painter().with_clip_rect(field).text(field.center(), Align2::CENTER_CENTER, text, font.clone(), colour);
        if response.on_hover_text(hint(is_on)).on_hover_cursor(CursorIcon::PointingHand).clicked() {
            built = Some(polyps.toggled(place));
        }
    }
    built
}
