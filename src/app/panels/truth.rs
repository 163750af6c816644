//! The properties of the ground truth, and the choice of its foreground labels.

use std::collections::BTreeSet;

use eframe::egui::{Align, CollapsingHeader, Label as Text, Layout, RichText, ScrollArea, Ui};

use super::widgets::{grouped, row, swatch};
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::text::file_name;
use crate::app::theme;
use crate::data::LabelChoice;
use crate::data::mask::{Label, LabelMap};

/// The height above which the list of labels scrolls, in points.
const HEIGHT: f32 = 150.0;

/// Draws the rows about the ground truth.
pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(open) = &state.document.truth else { return };
    let truth = &open.truth;
    let paths: Vec<String> = truth.files.iter().map(|path| path.display().to_string()).collect();
    let more = match truth.files.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    row(ui, "Ground truth", format!("{}{more}", file_name(&open.path))).on_hover_text(paths.join("\n"));
    let found = truth.laid.labels.kind.words();
    let words = "What the values of the file were found to be: how foreground is told from background.";
    row(ui, "Mask type", RichText::new(&found).small()).on_hover_text(format!("{found}\n{words}"));
    let laid = truth.laid.pairing.words();
    let words = "How the mask was laid on the image.";
    row(ui, "Alignment", RichText::new(&laid).small()).on_hover_text(format!("{laid}\n{words}"));
    if truth.laid.labels.classes().count() > 1 {
        labels(ui, &truth.laid.labels, &truth.choice, commands);
    }
}

/// Draws a warning if the ground truth is empty or covers everything, which makes every score meaningless.
pub fn oddity(ui: &mut Ui, state: &State) {
    if let Some(oddity) = state.document.truth.as_ref().and_then(|open| open.truth.oddity()) {
        let colour = theme::palette(ui.visuals()).warning;
        ui.add(Text::new(RichText::new(oddity.warning()).color(colour).small()).wrap());
    }
}

/// Draws a switch for each label, with its number of pixels in all slices.
fn labels(ui: &mut Ui, map: &LabelMap, choice: &LabelChoice, commands: &mut Vec<Command>) {
    let chosen: Vec<String> =
        map.classes().filter(|label| choice.has(label)).map(|label| label.value.to_string()).collect();
    let title = match choice {
        LabelChoice::Foreground => "Labels: all".to_owned(),
        LabelChoice::Only(_) if chosen.is_empty() => "Labels: none".to_owned(),
        LabelChoice::Only(_) => format!("Labels: {}", chosen.join(", ")),
    };
    CollapsingHeader::new(RichText::new(title).weak()).id_salt("labels of the truth").show(ui, |ui| {
        ScrollArea::vertical().max_height(HEIGHT).id_salt("labels").show(ui, |ui| {
            for label in map.classes() {
                switch(ui, map, choice, label, commands);
            }
        });
        ui.horizontal(|ui| {
            let all = ui.add_enabled(*choice != LabelChoice::Foreground, eframe::egui::Button::new("All").small());
            if all.on_hover_text("All labels but background are foreground.").clicked() {
                commands.push(Command::ChooseLabels(LabelChoice::Foreground));
            }
            let none = ui.add_enabled(!chosen.is_empty(), eframe::egui::Button::new("None").small());
            if none.on_hover_text("No label is foreground: to choose a few of many.").clicked() {
                commands.push(Command::ChooseLabels(LabelChoice::Only(BTreeSet::new())));
            }
        });
    });
}

fn switch(ui: &mut Ui, map: &LabelMap, choice: &LabelChoice, label: &Label, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let mut is_on = choice.has(label);
        if ui.checkbox(&mut is_on, format!("Label {}", label.value)).changed() {
            commands.push(Command::ChooseLabels(with(map, choice, label.value, is_on)));
        }
        if let Some(colour) = label.colour {
            swatch(ui, theme::colour(colour));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let words = format!("{} px", grouped(label.pixels));
            ui.label(RichText::new(words).small()).on_hover_text("Pixels in all slices.");
        });
    });
}

/// Returns the choice with one label added or removed; the default choice if the result equals it.
fn with(map: &LabelMap, choice: &LabelChoice, value: i64, is_on: bool) -> LabelChoice {
    let values = |has: &dyn Fn(&Label) -> bool| -> BTreeSet<i64> {
        map.classes().filter(|label| has(label)).map(|label| label.value).collect()
    };
    let mut chosen = values(&|label| choice.has(label));
    if is_on {
        chosen.insert(value);
    } else {
        chosen.remove(&value);
    }
    let usual = values(&|label| LabelChoice::Foreground.has(label));
    if chosen == usual { LabelChoice::Foreground } else { LabelChoice::Only(chosen) }
}
