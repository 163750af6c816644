//! The Shapley values of the phrases.

use eframe::egui::{Grid, RichText, Ui};

use crate::app::influence::Measure;
use crate::app::panels::widgets::{explained_row, row};
use crate::infer::influence::{PhraseShares, Worth};

const OVERLAP: &str = "Dice of a mask with the mask of the whole prompt, at the size of the network's output: what the phrase \
                       does to make the mask what it is.";

/// Draws the table.
pub fn show(ui: &mut Ui, found: &PhraseShares) {
    let has_dice = found.whole.dice.is_some();
    Grid::new("shares of phrases").striped(true).min_col_width(48.0).spacing([8.0, 2.0]).show(ui, |ui| {
        let titles = ["Phrase", "Area", "Overlap"].into_iter().chain(has_dice.then_some("Dice"));
        titles.for_each(|title| drop(ui.label(RichText::new(title).small().weak())));
        ui.end_row();
        for phrase in &found.phrases {
            ui.label(&found.prompt[phrase.bytes.clone()]);
            numbers(ui, &phrase.value);
        }
        ui.label(RichText::new("Sum").strong());
        let [whole, none] = [found.whole, found.none];
        let dice = whole.dice.zip(none.dice).map(|(whole, none)| whole - none);
        numbers(ui, &Worth { area: whole.area - none.area, overlap: whole.overlap - none.overlap, dice });
    });
    let area = |worth: &Worth| format!("{:.1} % of the image", 100.0 * worth.area);
    row(ui, "Mask of the whole prompt", area(&found.whole));
    row(ui, "Mask without these phrases", area(&found.none));
    explained_row(ui, "Overlap without these phrases", OVERLAP, format!("{:.3}", found.none.overlap));
    for remark in found.remarks() {
        ui.label(RichText::new(remark).small().weak());
    }
}

fn numbers(ui: &mut Ui, worth: &Worth) {
    ui.label(Measure::Area.format(worth.area));
    ui.label(Measure::Dice.format(worth.overlap));
    if let Some(dice) = worth.dice {
        ui.label(Measure::Dice.format(dice));
    }
    ui.end_row();
}
