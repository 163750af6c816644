//! Chips: small buttons that are on or off.

use eframe::egui::{Button, Response, RichText, Role, Ui, WidgetInfo, vec2};

/// Draws a chip; `name` is what it is called where it cannot be seen.
pub fn chip(ui: &mut Ui, is_on: bool, text: &str, name: &str) -> Response {
    let response = ui.add(Button::selectable(is_on, text).frame_when_inactive(true));
    let is_enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::Button, is_enabled, is_on, name));
    response
}

/// Draws a name, and chips behind it that go on in the next line.
pub fn line(ui: &mut Ui, name: &str, chips: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0, 4.0);
        ui.label(RichText::new(name).weak());
        chips(ui);
    });
}
