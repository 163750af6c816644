//! Which words of the prompt the mask depends on.

mod picture;
mod sentence;
mod shares;
mod table;

use eframe::egui::{Button, ComboBox, Label, RichText, Ui};

use super::panel::Panel;
use super::widgets::{Work, explain, grouped, heading, progress_bar, section, working_bar};
use crate::app::command::Command;
use crate::app::influence::{InfluenceCommand, Measure, Method};
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::infer::influence::Influence;
use crate::text::prompt::{phrases, words};

const QUESTIONS: &str = "Left out: what would the mask be if nobody had said the word? The words behind it move up, and one beyond \
     the token limit may come in. By [MASK]: what would it be if the word were unreadable, with all others in their place? A model \
     that never met [MASK] in training treats it as a word that it does not know.";
const SHARES: &str = "Shapley values share the effect of the whole prompt among its phrases: each gets the mean of what it adds \
     over every order in which the phrases can be said. Two phrases that say the same share the credit, which leaving out one \
     of them does not show.";
/// How much a result is faded that belongs to something else than what is shown.
const STALE: f32 = 0.55;

/// The influence of the words of the prompt.
pub struct WordInfluence;

const INFO: PaneInfo = PaneInfo {
    title: "Influence of words",
    help: "Which words of the prompt the mask depends on, and where in the image they act.",
    places: &[Place::new(Tab::Prompts, Column::Right, 0)],
    size: [340.0, 400.0],
    ..PaneInfo::new(Pane::INFLUENCE)
};

impl Panel for WordInfluence {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        match (&state.model, &state.document.image) {
            (None, _) => Some("No model is open. Open one from the Model menu."),
            (Some(model), _) if !model.info.reads_text() => {
                Some("This network reads no text, so no word can matter.")
            }
            (Some(_), None) => Some("No image is open. Open one in the Read tab."),
            (Some(_), Some(_)) => None,
        }
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        buttons(ui, state, commands);
        working(ui, state, commands);
        let studies = [&state.influence.words.error, &state.influence.shares.error];
        for error in studies.into_iter().flatten() {
            ui.label(RichText::new(error).color(theme::palette(ui.visuals()).error));
        }
        let now = state.examined();
        if let Some((_, of, _, found)) = &state.influence.words.found {
            faded(ui, of.difference(now.as_ref()), |ui| words_of(ui, state, found, commands));
        } else if state.influence.words.request.pending().is_none() {
            let words = "“Examine words” shows how the mask changes without each of them.";
            ui.label(RichText::new(words).weak());
        }
        if let Some((_, of, _, found)) = &state.influence.shares.found {
            section(ui, "Shapley values", "of the phrases");
            faded(ui, of.difference(now.as_ref()), |ui| shares::show(ui, found));
        }
    }
}

/// Draws a result, faded and with the reason if it belongs to something else than what is shown.
fn faded(ui: &mut Ui, stale: Option<&str>, content: impl FnOnce(&mut Ui)) {
    if let Some(words) = stale {
        ui.label(RichText::new(words).color(theme::palette(ui.visuals()).warning));
    }
    ui.scope(|ui| {
        if stale.is_some() {
            ui.multiply_opacity(STALE);
        }
        content(ui);
    });
}

fn buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let prompt = &state.document.prompt;
    let has_words = !words(prompt).is_empty();
    let influence = &state.influence;
    ui.horizontal_wrapped(|ui| {
        let mut button = |ui: &mut Ui, name: &str, is_running: bool, command: InfluenceCommand| {
            let why_not = if has_words { "It is being computed." } else { "The prompt has no words." };
            let response = ui.add_enabled(has_words && !is_running, Button::new(name));
            let response = response.on_disabled_hover_text(why_not);
            if response.clicked() {
                commands.push(Command::Influence(command));
            }
            response
        };
        let is_running = influence.words.request.pending().is_some();
        button(ui, "Examine words", is_running, InfluenceCommand::Examine);
        explain(ui, QUESTIONS);
        let is_running = influence.shares.request.pending().is_some();
        button(ui, "Shapley values", is_running, InfluenceCommand::Share).on_hover_ui(|ui| {
            let count = phrases(prompt).len();
            ui.label(format!("Predicts every subset of {count} phrases: {} masks.", grouped(1 << count)));
        });
        explain(ui, SHARES);
    });
    if !has_words {
        ui.label(RichText::new("The prompt has no words. Type one below.").weak());
    }
}

/// Draws how far the studies are, with a button that stops them.
fn working(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let influence = &state.influence;
    let words = influence.words.request.pending().map(Work::from);
    let shares = influence.shares.request.pending().map(Work::from);
    let running = [("Words", words), ("Shapley values", shares)];
    let running = running.into_iter().filter_map(|(name, work)| Some((name, work?)));
    for (place, (name, work)) in running.enumerate() {
        let words = |progress: Option<[String; 2]>| match progress {
            Some([done, count]) => format!("{name}: {done} of {count} masks"),
            None => format!("{name}…"),
        };
        // One button stops both.
        if place > 0 {
            let width = ui.available_width() - 70.0;
            progress_bar(ui, width, work, words);
        } else if working_bar(ui, work, words) {
            commands.push(Command::Influence(InfluenceCommand::Cancel));
        }
    }
}

/// Draws the result about the words.
fn words_of(ui: &mut Ui, state: &State, found: &Influence, commands: &mut Vec<Command>) {
    choices(ui, state, found, commands);
    let influence = &state.influence;
    let measure = shown_measure(influence.measure, found);
    sentence::show(ui, influence, found, measure, commands);
    picture::show(ui, influence, found);
    for remark in found.remarks() {
        ui.label(RichText::new(remark).small().weak());
    }
    section(ui, "Words and phrases", "");
    ui.add(Label::new(RichText::new(measure.words()).small().weak()).wrap());
    table::parts(ui, influence, found, measure, commands);
    section(ui, "Exchanges", "of one word for its counterpart");
    table::exchanges(ui, influence, found, measure, commands);
}

/// Returns the chosen measure, or the first one if the result does not have it.
fn shown_measure(chosen: Measure, found: &Influence) -> Measure {
    if chosen == Measure::Dice && found.dice.is_none() { Measure::default() } else { chosen }
}

/// Draws the choices of measure and method.
fn choices(ui: &mut Ui, state: &State, found: &Influence, commands: &mut Vec<Command>) {
    let influence = &state.influence;
    let measure = shown_measure(influence.measure, found);
    let of = format!("mask {:.1} % of the image", 100.0 * found.area);
    heading(ui, "Sentence", "");
    let words = found.dice.map_or_else(|| of.clone(), |dice| format!("{of}, Dice {dice:.3} per image"));
    ui.add(Label::new(RichText::new(words).small().weak()).wrap());
    ui.horizontal_wrapped(|ui| {
        let label = ui.label(RichText::new("Measure").weak());
        ComboBox::from_id_salt("measure")
            .width(96.0)
            .selected_text(measure.name())
            .show_ui(ui, |ui| {
                for other in Measure::ALL.into_iter().filter(|other| shown_measure(*other, found) == *other) {
                    if ui.selectable_label(other == measure, other.name()).on_hover_text(other.words()).clicked() {
                        commands.push(Command::Influence(InfluenceCommand::Measure(other)));
                    }
                }
            })
            .response
            .labelled_by(label.id);
        for method in Method::ALL {
            let is_on = method == Method::LeaveOut || !found.lacks_mask_token;
            let button = Button::selectable(method == influence.method, method.name());
            let response =
                ui.add_enabled(is_on, button).on_hover_text("Colours the sentence and draws the picture by this");
            if response.on_disabled_hover_text("The model has no [MASK].").clicked() {
                commands.push(Command::Influence(InfluenceCommand::Do(method)));
            }
        }
    });
}
