//! The chips of a prompt of polyps.

use eframe::egui::{ComboBox, Role, Ui, WidgetInfo};

use super::chips::{chip, line};
use crate::app::text::capitalised;
use crate::text::prompt::{Colour, Polyps, Shape, Size, number_word};

/// The largest number of polyps that can be clicked; others can be typed.
const MOST: u32 = 6;

/// Draws the chips. Returns what was clicked together.
pub fn chips(ui: &mut Ui, polyps: &Polyps) -> Option<Polyps> {
    let mut built = None;
    line(ui, "Number", |ui| {
        for number in 0..=MOST {
            let is_on = polyps.number == Some(number);
            let name = match number {
                0 => "no polyp".to_owned(),
                1 => "one polyp".to_owned(),
                _ => format!("{} polyps", number_word(number)),
            };
            if chip(ui, is_on, &number.to_string(), &name).clicked() {
                built = Some(polyps.with_number(Some(number).filter(|_| !is_on)));
            }
        }
    });
    line(ui, "Size", |ui| {
        for size in Size::ALL.iter().copied() {
            if chip(
                ui,
                polyps.sizes.contains(&size),
                &capitalised(size.word()),
                &format!("{} size", capitalised(size.word())),
            )
            .clicked()
            {
                built = Some(polyps.with_size_toggled(size));
            }
        }
    });
    line(ui, "Colour", |ui| {
        for colour in Colour::ALL.iter().copied() {
            let is_on = polyps.colour == Some(colour);
            let name = capitalised(colour.word());
            if chip(ui, is_on, &name, &format!("{name} colour")).clicked() {
                built = Some(Polyps { colour: Some(colour).filter(|_| !is_on), ..polyps.clone() });
            }
        }
    });
    line(ui, "Shape", |ui| {
        let named = |shape: Option<Shape>| shape.map_or("Not named", Shape::word);
        let combo = ComboBox::from_id_salt("shape of polyps").selected_text(named(polyps.shape));
        let shown = combo.show_ui(ui, |ui| {
            let all = std::iter::once(None).chain(Shape::ALL.iter().copied().map(Some));
            for shape in all {
                if ui.selectable_label(shape == polyps.shape, named(shape)).clicked() {
                    built = Some(Polyps { shape, ..polyps.clone() });
                }
            }
        });
        shown.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Shape"));
    });
    built
}
