//! Small things that several panels are made of.

use eframe::egui::{self, Align, Color32, Label, Layout, Response, RichText, Sense, Ui, vec2};

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

/// A square in a colour of the overlay.
pub fn swatch(ui: &mut Ui, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(11.0, 11.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.0, colour);
}

/// A "?" that shows `words` under the pointer.
pub fn explain(ui: &mut Ui, words: &str) -> Response {
    let mark = RichText::new("?").small().strong().color(ui.visuals().hyperlink_color);
    ui.label(mark).on_hover_cursor(egui::CursorIcon::Help).on_hover_text(words)
}

/// A whole number in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A number without digits that say nothing: whole where it is large or whole, else three significant digits.
pub fn number(value: f64) -> String {
    let text = if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() >= 1.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    };
    text.replace('-', "−")
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
        assert_eq!((number(12.34).as_str(), number(0.25).as_str()), ("12.3", "0.250"));
        assert_eq!(milliseconds(3.21), "3.2 ms");
        assert_eq!(milliseconds(187.4), "187 ms");
    }
}
