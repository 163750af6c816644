//! Small things that several panels are made of.

use eframe::egui::{
    self, Align, Color32, Label, Layout, Response, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::app::theme;

/// Parts the groups of digits of a large number.
pub const THIN_SPACE: char = '\u{2009}';

/// Leaves the space for [`menu_mark`] after the name of a button that opens a menu.
pub const MENU_SPACE: &str = "     ";

/// A heading within a panel, and beside it, small, how its numbers are meant.
pub fn heading(ui: &mut Ui, title: &str, convention: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).heading().size(14.5));
        if !convention.is_empty() {
            ui.label(RichText::new(convention).small().weak());
        }
    });
}

/// As [`heading`], parted by a line from what is above.
pub fn section(ui: &mut Ui, title: &str, convention: &str) {
    ui.separator();
    heading(ui, title, convention);
}

/// A name on the left and its value on the right.
pub fn row(ui: &mut Ui, name: &str, value: impl Into<RichText>) -> Response {
    row_with(ui, value, |ui| {
        ui.label(RichText::new(name).weak());
    })
}

/// As [`row`], with a square of the overlay's colour before the name.
pub fn legend_row(ui: &mut Ui, colour: Color32, name: &str, value: impl Into<RichText>) -> Response {
    row_with(ui, value, |ui| {
        swatch(ui, colour);
        ui.label(RichText::new(name).weak());
    })
}

/// As [`row`], with a "?" after the name that explains it.
pub fn explained_row(ui: &mut Ui, name: &str, words: &str, value: impl Into<RichText>) -> Response {
    row_with(ui, value, |ui| {
        ui.label(RichText::new(name).weak());
        explain(ui, words);
    })
}

fn row_with(ui: &mut Ui, value: impl Into<RichText>, name: impl FnOnce(&mut Ui)) -> Response {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        name(ui);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.add(Label::new(value.into()).truncate()))
            .inner
    })
    .inner
}

/// A square in a colour of the overlay, with an edge so that white is seen on a light panel too.
pub fn swatch(ui: &mut Ui, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(11.0, 11.0), Sense::hover());
    let edge = Stroke::new(1.0, theme::palette(ui.visuals()).weak);
    ui.painter().rect(rect, 2.0, colour, edge, StrokeKind::Inside);
}

/// A button that opens a menu, with a mark that says so.
pub fn menu(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) -> Response {
    let response = ui.menu_button(format!("{name}{MENU_SPACE}"), content).response;
    menu_mark(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// Draws the triangle of a button that opens a menu. The fonts of the window have no such sign.
pub fn menu_mark(ui: &Ui, button: &Response) {
    let at = pos2(button.rect.right() - 13.0, button.rect.center().y);
    let corners = vec![at + vec2(-4.0, -2.5), at + vec2(4.0, -2.5), at + vec2(0.0, 2.5)];
    let colour = theme::palette(ui.visuals()).weak;
    ui.painter().add(Shape::convex_polygon(corners, colour, Stroke::NONE));
}

/// How the scores of one image are meant: their convention and the threshold of the mask.
pub fn per_image(threshold: f32) -> String {
    format!("per image, {}", at_threshold(threshold))
}

/// The threshold of a mask in words.
pub fn at_threshold(threshold: f32) -> String {
    format!("threshold {threshold:.2}")
}

/// A "?" that shows `words` under the pointer.
pub fn explain(ui: &mut Ui, words: &str) -> Response {
    let mark = RichText::new("?").small().strong().color(ui.visuals().hyperlink_color);
    ui.label(mark).on_hover_cursor(egui::CursorIcon::Help).on_hover_text(words)
}

/// A whole number in groups of three digits.
pub fn grouped(number: u64) -> String {
    in_groups(&number.to_string())
}

/// `digits` in groups of three, parted by thin spaces.
fn in_groups(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(THIN_SPACE);
        }
        text.push(digit);
    }
    text
}

/// A number without digits that say nothing: whole and in groups of three where it is large or whole, else three significant digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    let text = if size >= 100.0 || value.fract() == 0.0 {
        in_groups(&format!("{size:.0}"))
    } else if size >= 1.0 {
        format!("{size:.1}")
    } else {
        format!("{size:.3}")
    };
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero { format!("−{text}") } else { text }
}

/// Milliseconds with a sensible number of digits.
pub fn milliseconds(value: f64) -> String {
    if value >= 10.0 { format!("{value:.0} ms") } else { format!("{value:.1} ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1234), "1\u{2009}234");
        assert_eq!(grouped(12_345_678), "12\u{2009}345\u{2009}678");
        assert_eq!(number(-600.0), "−600");
        assert_eq!((number(-1024.0).as_str(), number(12_345.6).as_str()), ("−1\u{2009}024", "12\u{2009}346"));
        assert_eq!(number(-0.0001), "0.000");
        assert_eq!((number(12.34).as_str(), number(0.25).as_str()), ("12.3", "0.250"));
        assert_eq!(milliseconds(3.21), "3.2 ms");
        assert_eq!(milliseconds(187.4), "187 ms");
    }
}
