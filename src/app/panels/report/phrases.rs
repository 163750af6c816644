//! The list of the phrases of a report, with what each gave.

use eframe::egui::{Label, RichText, ScrollArea, Ui};

use crate::app::panels::widgets::grouped;
use crate::app::report::{Kind, Row};
use crate::app::theme;

/// The greatest height of the list, in rows.
const ROWS: usize = 9;

/// Draws the list. Only the visible rows are laid out.
pub fn show(ui: &mut Ui, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    let count = |wanted: &[Kind]| rows.iter().filter(|row| wanted.contains(&row.kind)).count() as u64;
    let taken = count(&[Kind::Taken, Kind::Possible]);
    let counts = [
        (taken, "taken"),
        (count(&[Kind::LeftOut]), "left out"),
        (count(&[Kind::NotUnderstood]), "not understood"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, name)| format!("{} {name}", grouped(count))).collect();
    ui.label(RichText::new(format!("Phrases: {}", counts.join(", "))).small().weak());
    let palette = theme::palette(ui.visuals());
    let height = ui.text_style_height(&eframe::egui::TextStyle::Body);
    let spacing = ui.spacing().item_spacing.y;
    let area = ScrollArea::vertical().id_salt("phrases").max_height(ROWS as f32 * (height + spacing));
    area.show_rows(ui, height, rows.len(), |ui, visible| {
        for row in &rows[visible] {
            let colour = match row.kind {
                Kind::Taken | Kind::Possible => palette.accent,
                Kind::LeftOut => palette.weak,
                Kind::NotUnderstood => palette.warning,
            };
            let text = format!("“{}”: {}", row.phrase, row.meaning);
            ui.add(Label::new(RichText::new(&text).color(colour)).truncate()).on_hover_text(text);
        }
    });
}
