//! The legend of a map in colours.

use eframe::egui::{Align, Color32, Direction, Layout, Rect, RichText, Role, Sense, Ui, WidgetInfo, vec2};

use crate::data::colour_map::magma;

/// Draws the colour scale of a map from 0 to `most`. `name` is for screen readers; `measure` says what is shown.
pub fn colour_scale(ui: &mut Ui, name: &str, measure: &str, most: &str) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 10.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let steps = 64;
    for step in 0..steps {
        let (from, to) = (step as f32 / steps as f32, (step + 1) as f32 / steps as f32);
        let [r, g, b] = magma((from + to) / 2.0).map(|value| (value * 255.0).round() as u8);
        let across = |t: f32| rect.left() + rect.width() * t;
        let part = Rect::from_x_y_ranges(across(from)..=across(to), rect.y_range());
        ui.painter().rect_filled(part, 0.0, Color32::from_rgb(r, g, b));
    }
    ui.horizontal(|ui| {
        ui.label(RichText::new("0").small().weak());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(most).small().weak());
            ui.with_layout(Layout::centered_and_justified(Direction::LeftToRight), |ui| {
                ui.label(RichText::new(measure).small().weak());
            });
        });
    });
}
