//! Small widgets that several panels use.

use eframe::egui::containers::menu::{MenuButton, MenuConfig};
use eframe::egui::{
    self, Align, Button, Color32, Label, Layout, PopupCloseBehavior, ProgressBar, Response, RichText, Role, Sense,
    Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::app::theme;
use crate::engine::Asked;

/// Separates the digit groups of a large number.
pub const THIN_SPACE: char = '\u{2009}';

/// Reserves the space for [`menu_mark`] after the name of a button that opens a menu.
pub const MENU_SPACE: &str = "     ";

/// The width of [`menu_mark`] without the margin of its button, in points.
pub const MARK: f32 = 14.0;

/// Draws a heading within a panel, with the convention of its numbers beside it in small letters.
pub fn heading(ui: &mut Ui, title: &str, convention: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(title).heading().size(14.5));
        if !convention.is_empty() {
            ui.label(RichText::new(convention).small().weak());
        }
    });
}

/// Like [`heading`], with a separator above it.
pub fn section(ui: &mut Ui, title: &str, convention: &str) {
    ui.separator();
    heading(ui, title, convention);
}

/// Draws a name at the left and its value at the right.
pub fn row(ui: &mut Ui, name: &str, value: impl Into<RichText>) -> Response {
    row_with(ui, value, |ui| {
        ui.label(RichText::new(name).weak());
    })
}

/// Like [`row`], with a square in the overlay's colour before the name.
pub fn legend_row(ui: &mut Ui, colour: Color32, name: &str, value: impl Into<RichText>) -> Response {
    row_with(ui, value, |ui| {
        swatch(ui, colour);
        ui.label(RichText::new(name).weak());
    })
}

/// Like [`row`], with a "?" after the name that shows an explanation.
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

/// Draws a square in an overlay colour, with an edge that keeps white visible on a light panel.
pub fn swatch(ui: &mut Ui, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(vec2(11.0, 11.0), Sense::hover());
    let edge = Stroke::new(1.0, theme::palette(ui.visuals()).weak);
    ui.painter().rect(rect, 2.0, colour, edge, StrokeKind::Inside);
}

/// Draws a button that opens a menu, with a mark that indicates this.
pub fn menu(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) -> Response {
    menu_with(ui, name, None, content)
}

/// Like [`menu`], for a menu of controls: a click on one of them does not close it.
pub fn menu_that_stays(ui: &mut Ui, name: &str, content: impl FnOnce(&mut Ui)) -> Response {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    menu_with(ui, name, Some(config), content)
}

fn menu_with(ui: &mut Ui, name: &str, config: Option<MenuConfig>, content: impl FnOnce(&mut Ui)) -> Response {
    let mut button = MenuButton::new(format!("{name}{MENU_SPACE}"));
    button.config = config;
    let response = button.ui(ui, content).0;
    menu_mark(ui, &response);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// Goes to the next line of a wrapped row if less than `width` points are left in this one. Widgets do so by themselves,
/// but not groups of widgets, which would be squeezed.
pub fn make_space(ui: &mut Ui, width: f32) {
    if ui.available_size_before_wrap().x < width {
        ui.end_row();
    }
}

/// Draws the triangle of a button that opens a menu, because the fonts of the window lack this symbol.
pub fn menu_mark(ui: &Ui, button: &Response) {
    let at = pos2(button.rect.right() - 13.0, button.rect.center().y);
    let corners = vec![at + vec2(-4.0, -2.5), at + vec2(4.0, -2.5), at + vec2(0.0, 2.5)];
    let colour = theme::palette(ui.visuals()).weak;
    ui.painter().add(Shape::convex_polygon(corners, colour, Stroke::NONE));
}

/// Describes the convention for the scores of one image, and the threshold of the mask.
pub fn per_image(threshold: f32) -> String {
    format!("per image, {}", at_threshold(threshold))
}

/// Describes the threshold of a mask.
pub fn at_threshold(threshold: f32) -> String {
    format!("threshold {threshold:.2}")
}

/// Draws a "?" that shows `words` as a tooltip.
pub fn explain(ui: &mut Ui, words: &str) -> Response {
    let mark = RichText::new("?").small().strong().color(ui.visuals().hyperlink_color);
    ui.label(mark).on_hover_cursor(egui::CursorIcon::Help).on_hover_text(words)
}

/// How far a request is that takes a while.
#[derive(Clone, Copy)]
pub struct Work {
    progress: Option<(usize, usize)>,
    is_cancelled: bool,
}

impl<Q> From<&Asked<Q>> for Work {
    fn from(asked: &Asked<Q>) -> Self {
        Self { progress: asked.progress(), is_cancelled: asked.is_cancelled() }
    }
}

/// Draws how far a request is, with a button that cancels it, and returns whether the button was clicked. `words` makes
/// the text of the amount done and the total, or says what goes on while they are not known.
pub fn working_bar(ui: &mut Ui, work: impl Into<Work>, words: impl FnOnce(Option<[String; 2]>) -> String) -> bool {
    let work = work.into();
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 70.0).max(40.0);
        progress_bar(ui, width, work, words);
        let cancel = ui.add_enabled(!work.is_cancelled, Button::new("Cancel"));
        cancel.on_disabled_hover_text("The work ends after the step in progress.").clicked()
    })
    .inner
}

/// Draws the bar of [`working_bar`] alone, for work that is cancelled by the button of another.
pub fn progress_bar(
    ui: &mut Ui,
    width: f32,
    Work { progress, is_cancelled }: Work,
    words: impl FnOnce(Option<[String; 2]>) -> String,
) {
    let share = progress.map_or(0.0, |(done, count)| done as f32 / count.max(1) as f32);
    let text = match is_cancelled {
        true => "Ending…".to_owned(),
        false => words(progress.map(|(done, count)| [done, count].map(|part| grouped(part as u64)))),
    };
    ui.add(ProgressBar::new(share).text(RichText::new(text).small()).desired_width(width));
}

/// Formats a whole number in groups of three digits.
pub fn grouped(number: u64) -> String {
    in_groups(&number.to_string())
}

/// Groups `digits` in threes, separated by thin spaces.
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

/// Formats a number without meaningless digits: large and whole numbers as integers in groups of three, others
/// with three significant digits.
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

/// Formats milliseconds with a sensible number of digits.
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
