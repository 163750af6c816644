//! The panel *Image information*: the metadata in the image file and the values derived from it, each with its
//! source.

use std::sync::Arc;

use eframe::egui::{Button, Id, Label, RichText, Ui, vec2};

use super::panel::Panel;
use super::widgets::{explain, grouped, section};
use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::facts::{Fact, Section, facts, text, truth_facts, without_private};

const WORDS: &str = "What the file states, and what was derived or assumed. Rest the pointer on a value to see where it comes from.";
const IDENTIFIERS: &str = "Name, dates and UIDs, which can identify a person. They are copied only while they are shown. This is switched off \
                           again at the next start.";
/// The share of the panel's width for the names.
const NAMES: f32 = 0.4;

/// The ticket of the image, the slice index and the ticket of the ground truth that the sections were made from.
type Key = (u64, usize, Option<u64>);

/// The metadata in the image file, and the values derived from it.
pub struct Information;

const INFO: PaneInfo = PaneInfo {
    title: "Image information",
    help: "What the file says of the image, and what was derived from it.",
    places: &[Place::new(Tab::Read, Column::Right, 0)],
    size: [272.0, 400.0],
    growth: 1,
    ..PaneInfo::new(Pane::INFORMATION)
};

impl Panel for Information {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.spacing_mut().interact_size.y = 17.0;
    ui.spacing_mut().item_spacing.y = 2.0;
    let Some(all) = sections(ui, state) else {
        ui.add(Label::new(RichText::new("Open an image to see what its file states.").weak()).wrap());
        return;
    };
    ui.horizontal(|ui| {
        let mut is_on = state.show_identifiers;
        let switch = ui.checkbox(&mut is_on, "Identifiers").on_hover_text(IDENTIFIERS);
        if switch.changed() {
            commands.push(Command::ShowIdentifiers(is_on));
        }
        if ui.add(Button::new("Copy").small()).on_hover_text("Copy what is shown here as text.").clicked() {
            let shown = if state.show_identifiers { all.to_vec() } else { without_private(&all) };
            ui.ctx().copy_text(text(&shown));
        }
        explain(ui, WORDS);
    });
    let is_shown = |fact: &&Fact| state.show_identifiers || !fact.is_private;
    for Section { title, rows } in all.iter().filter(|section| section.rows.iter().any(|fact| is_shown(&fact))) {
        section(ui, title, "");
        rows.iter().filter(is_shown).for_each(|fact| row(ui, fact));
    }
    let hidden = all.iter().flat_map(|section| &section.rows).filter(|fact| !is_shown(fact)).count();
    if hidden > 0 {
        let (rows, are) = if hidden == 1 { ("row", "is") } else { ("rows", "are") };
        ui.add_space(4.0);
        let words = format!("{hidden} {rows} that can identify a person {are} not shown.");
        ui.add(Label::new(RichText::new(words).small().weak()).wrap());
    }
}

/// Returns the known facts about the current slice and ground truth, cached until these change; `None` without an
/// image.
fn sections(ui: &Ui, state: &State) -> Option<Arc<Vec<Section>>> {
    let open = state.document.image.as_ref()?;
    let key: Key = (open.ticket, open.slice, state.document.truth.as_ref().map(|truth| truth.ticket));
    let id = Id::unique("information on the image");
    let known: Option<(Key, Arc<Vec<Section>>)> = ui.data(|data| data.get_temp(id));
    if let Some((_, known)) = known.filter(|(of, _)| *of == key) {
        return Some(known);
    }
    let mut all = facts(&open.volume, open.slice, &open.image);
    if let Some(truth) = &state.document.truth {
        // Notes come last, wherever they were found.
        let place = all.iter().position(|section| section.title == "Notes").unwrap_or(all.len());
        all.splice(place..place, truth_facts(&truth.truth));
    }
    let all = Arc::new(all);
    ui.data_mut(|data| data.insert_temp(id, (key, all.clone())));
    Some(all)
}

/// Draws a row: the name at the left, and the value beside it on as many lines as it needs.
fn row(ui: &mut Ui, fact: &Fact) {
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let names = (ui.available_width() * NAMES).round();
        ui.allocate_ui_with_layout(vec2(names, 0.0), *ui.layout(), |ui| {
            ui.set_width(names);
            ui.add(Label::new(RichText::new(&fact.name).weak()).wrap());
        });
        let value = ui.add(Label::new(RichText::new(typographic(&fact.value))).wrap());
        if !fact.origin.is_empty() {
            value.on_hover_text(&fact.origin);
        }
    });
}

/// Replaces hyphens before numbers with minus signs, and keeps a side with its number, or a number with its unit,
/// on one line.
fn typographic(value: &str) -> String {
    let mut before = ' ';
    let letters: Vec<char> = value.chars().collect();
    let sign = |(place, letter): (usize, &char)| {
        let is_number = letters.get(place + 1).is_some_and(char::is_ascii_digit);
        let is_sign = *letter == '-' && is_number && (before.is_whitespace() || before == '(');
        let is_side = "RLAPSI".contains(before) && is_number;
        let is_unit = before.is_ascii_digit() && letters[place + 1..].starts_with(&['m', 'm']);
        let is_bound = *letter == ' ' && (is_side || is_unit);
        before = *letter;
        match (is_sign, is_bound) {
            (true, _) => '−',
            (_, true) => '\u{a0}',
            _ => *letter,
        }
    };
    let text: String = letters.iter().enumerate().map(sign).collect();
    if QUANTITIES.iter().any(|unit| text.contains(unit)) { with_groups(&text) } else { text }
}

/// The units that identify a value as a quantity; the digits of dates and identifiers are not grouped.
const QUANTITIES: [&str; 6] = [" × ", " px", " pixels", " HU", "\u{a0}mm", " slices"];

/// Groups the digits of large numbers in threes.
fn with_groups(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|letter: char| letter.is_ascii_digit()) {
        let length = rest[begin..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len() - begin);
        let (before, digits) = (&rest[..begin], &rest[begin..begin + length]);
        words += before;
        // Decimals and digits that belong to a name are not grouped.
        let is_number = before.chars().next_back().is_none_or(|last| " \u{a0}(−±".contains(last));
        match digits.parse::<u64>() {
            Ok(number) if is_number && !digits.starts_with('0') => words += &grouped(number),
            _ => words += digits,
        }
        rest = &rest[begin + length..];
    }
    words + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_not_hyphens() {
        assert_eq!(
            typographic("-1000 to -5 HU, JPEG-2000, a-1, 1.2-3"),
            "−1\u{2009}000 to −5 HU, JPEG-2000, a-1, 1.2-3"
        );
        assert_eq!(
            typographic("2373 × 1024 pixels, 0.1234 mm"),
            "2\u{2009}373 × 1\u{2009}024 pixels, 0.1234\u{a0}mm"
        );
        assert_eq!(typographic("20260131"), "20260131", "a date is not a quantity");
        assert_eq!(typographic("R 1.5  A 2.0 mm"), "R\u{a0}1.5  A\u{a0}2.0\u{a0}mm");
    }
}
