//! The influence of words, phrases and exchanges as numbers.

use eframe::egui::{Grid, Response, RichText, Ui};

use crate::app::command::Command;
use crate::app::influence::{InfluenceCommand, InfluenceState, Measure, Method, Selection};
use crate::infer::influence::{Change, Influence, PartInfluence};

/// The maximum number of characters of a part in its row.
const LONGEST: usize = 30;
/// The minimum width of a column, in points.
const COLUMN: f32 = 56.0;

/// Draws the words and the phrases with both methods side by side.
pub fn parts(
    ui: &mut Ui,
    influence: &InfluenceState,
    found: &Influence,
    measure: Measure,
    commands: &mut Vec<Command>,
) {
    grid("influence of parts").show(ui, |ui| {
        for (title, parts, select) in [
            ("Word", &found.words, Selection::Word as fn(usize) -> Selection),
            ("Phrase", &found.phrases, Selection::Phrase),
        ] {
            ui.label(RichText::new(title).small().weak());
            Method::ALL.iter().for_each(|method| drop(ui.label(RichText::new(method.name()).small().weak())));
            ui.end_row();
            for (place, part) in parts.iter().enumerate() {
                let text = &found.prompt[part.bytes.clone()];
                name(ui, influence, text, select(place), commands).on_hover_ui(|ui| numbers(ui, part));
                for method in Method::ALL {
                    let value = method.of(part).and_then(|effect| measure.of(&effect.change));
                    ui.label(value.map_or("–".to_owned(), |value| measure.format(value)));
                }
                ui.end_row();
            }
        }
    });
}

/// Draws the exchanges.
pub fn exchanges(
    ui: &mut Ui,
    influence: &InfluenceState,
    found: &Influence,
    measure: Measure,
    commands: &mut Vec<Command>,
) {
    if found.exchanges.is_empty() {
        ui.label(RichText::new("No word of the prompt has a counterpart, such as left and right.").weak());
        return;
    }
    grid("influence of exchanges").show(ui, |ui| {
        for (place, exchange) in found.exchanges.iter().enumerate() {
            let change = &exchange.effect.change;
            let response = name(ui, influence, &exchange.label, Selection::Exchange(place), commands);
            response.on_hover_ui(|ui| drop(ui.label(all(change))));
            ui.label(measure.of(change).map_or("–".to_owned(), |value| measure.format(value)));
            ui.end_row();
        }
    });
}

fn grid(id: &str) -> Grid {
    Grid::new(id).striped(true).min_col_width(COLUMN).spacing([8.0, 2.0])
}

/// Draws the text of a part; a click selects it.
fn name(
    ui: &mut Ui,
    influence: &InfluenceState,
    text: &str,
    selection: Selection,
    commands: &mut Vec<Command>,
) -> Response {
    let is_selected = influence.selected == Some(selection);
    let short = match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
        None => text.to_owned(),
    };
    let response = ui.selectable_label(is_selected, short);
    if response.clicked() {
        let selection = Some(selection).filter(|_| !is_selected);
        commands.push(Command::Influence(InfluenceCommand::Select(selection)));
    }
    response
}

/// Writes all measures of a part by both methods.
pub fn numbers(ui: &mut Ui, part: &PartInfluence) {
    for method in Method::ALL {
        if let Some(effect) = method.of(part) {
            ui.label(RichText::new(method.name()).strong());
            ui.label(all(&effect.change));
            ui.label(
                RichText::new(if effect.text.is_empty() { "(no text)" } else { &effect.text }).small().weak(),
            );
        }
    }
}

/// Writes all measures of a change.
fn all(change: &Change) -> String {
    let known = Measure::ALL.into_iter().filter_map(|measure| {
        Some(format!("{} {}", measure.name().to_lowercase(), measure.format(measure.of(change)?)))
    });
    known.collect::<Vec<_>>().join(", ")
}
