//! How the masks of the open model change with the wording of the prompts of a data set.

use eframe::egui::{Button, DragValue, Label, RichText, TextEdit, Ui};

use super::panel::Panel;
use super::stages::working::needs_model;
use super::widgets::{grouped, row, section, working_bar};
use crate::analysis::number::{probability, signed};
use crate::analysis::robustness::{FormSummary, Loss};
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::robustness::RobustnessCommand;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::engine::jobs::FormsStudied;
use crate::infer::robustness::Form;

/// The number of worst cases that are listed.
const LISTED: usize = 12;
const NO_DATA: &str = "Choose the folder of a data set, or open one in the worklist.";
const NO_TEXT: &str = "This network reads no prompt, so there are no forms of one to compare.";
const BOX_ONLY: &str =
    "This network is prompted by a box and reads no text, so there are no forms of one to compare.";
const NO_FORMS: &str = "Choose a form beside the structured prompts.";

/// Masks of a data set for several forms of its prompts.
pub struct Robustness;

const INFO: PaneInfo = PaneInfo {
    title: "Robustness",
    help: "How the masks of a data set change with the wording of its prompts.",
    places: &[Place::new(Tab::Prompts, Column::Right, 0).closed()],
    size: [380.0, 480.0],
    ..PaneInfo::new(Pane::new("robustness"))
};

impl Panel for Robustness {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let unread = || state.reads_no_text().then_some(if state.takes_box() { BOX_ONLY } else { NO_TEXT });
        needs_model(state).or_else(unread)
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        settings(ui, state, commands);
        running(ui, state, commands);
        if let Some(found) = &state.robustness.found {
            show_found(ui, found, commands);
        }
    }
}

fn settings(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let robustness = &state.robustness;
    let mut set = |command| commands.push(Command::Robustness(command));
    let hint = state.worklist.as_ref().map(|list| list.folder.display().to_string()).unwrap_or_default();
    let path = |ui: &mut Ui, name: &str, hint: &str, value: &str| -> (Option<String>, bool) {
        let (mut text, mut is_asked) = (value.to_owned(), false);
        let mut is_changed = false;
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new(name).weak());
            let width = (ui.available_width() - 84.0).max(60.0);
            let field = ui.add(TextEdit::singleline(&mut text).hint_text(hint).desired_width(width));
            is_changed = field.labelled_by(label.id).changed();
            is_asked = ui.button("Choose…").clicked();
        });
        (is_changed.then_some(text), is_asked)
    };
    let (folder, asks_folder) = path(ui, "Data set", &hint, &robustness.folder);
    folder.into_iter().for_each(|text| set(RobustnessCommand::Folder(text)));
    let (out, asks_out) = path(ui, "Results", "not written", &robustness.out);
    out.into_iter().for_each(|text| set(RobustnessCommand::Out(text)));
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new("Split").weak());
        let mut split = robustness.split.clone();
        if ui.add(TextEdit::singleline(&mut split).desired_width(80.0)).labelled_by(label.id).changed() {
            set(RobustnessCommand::Split(split));
        }
        let label = ui.label(RichText::new("Seed").weak());
        let mut seed = robustness.seed;
        if ui.add(DragValue::new(&mut seed)).labelled_by(label.id).changed() {
            set(RobustnessCommand::Seed(seed));
        }
    });
    ui.horizontal_wrapped(|ui| {
        for form in Form::ALL.into_iter().filter(|form| *form != Form::Structured) {
            let mut is_on = robustness.forms.contains(&form);
            let mut response = ui.checkbox(&mut is_on, form.name());
            if form == Form::Description {
                response =
                    response.on_hover_text("A rule's sentence about the ground truth: it looks at the answer.");
            }
            if response.changed() {
                set(RobustnessCommand::Form(form, is_on));
            }
        }
    });
    for (is_asked, kind) in [(asks_folder, DialogKind::StudyData), (asks_out, DialogKind::StudyResults)] {
        if is_asked {
            commands.push(Command::OpenDialog(kind));
        }
    }
}

fn running(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let robustness = &state.robustness;
    let Some(work) = robustness.pending.pending() else {
        let why_not = match robustness.folder(state) {
            None => Some(NO_DATA),
            Some(_) if robustness.forms.iter().all(|form| *form == Form::Structured) => Some(NO_FORMS),
            Some(_) => None,
        };
        let start = ui.add_enabled(why_not.is_none(), Button::new("Start the study"));
        if start.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            commands.push(Command::Robustness(RobustnessCommand::Start));
        }
        return;
    };
    let is_cancelled = working_bar(ui, work, |progress| match progress {
        Some([done, count]) => format!("{done} of {count} images"),
        None => "Reading the data set…".to_owned(),
    });
    if is_cancelled {
        commands.push(Command::Robustness(RobustnessCommand::Cancel));
    }
}

fn show_found(ui: &mut Ui, found: &FormsStudied, commands: &mut Vec<Command>) {
    let outcome = &found.outcome;
    section(ui, "Forms", &format!("{} images", grouped(outcome.images as u64)));
    // One below the other, because a table of all columns is wider than the panel.
    let heads = ["Dice pooled", "Dice per image", "Empty", "Agreement", "Difference of pooled Dice", "p"];
    for summary in &outcome.report.summaries {
        let [name, values @ ..] = cells(summary);
        ui.label(RichText::new(name).strong());
        for (head, value) in heads.iter().zip(values) {
            row(ui, head, value);
        }
        ui.add_space(4.0);
    }
    for note in &outcome.report.notes {
        ui.add(Label::new(RichText::new(note).small().weak()).wrap());
    }
    if !outcome.report.worst.is_empty() {
        section(ui, "Greatest loss", "Dice of one image");
    }
    for (loss, path) in outcome.report.worst.iter().zip(&found.paths).take(LISTED) {
        let Loss { image, form, text, dice_structured, dice, .. } = loss;
        let words = format!("{}: {dice_structured:.3} to {dice:.3}, {image}", form.name());
        let hover = if text.is_empty() {
            "No text. Click to open the case.".to_owned()
        } else {
            format!("{text}\nClick to open the case.")
        };
        if ui.link(words).on_hover_text(hover).clicked() {
            commands.push(Command::OpenPaths(vec![path.clone()]));
        }
    }
    if let Some(folder) = outcome.files.first().and_then(|file| file.parent()) {
        ui.add(Label::new(RichText::new(format!("Written to {}", folder.display())).small().weak()).wrap());
    }
}

fn cells(summary: &FormSummary) -> [String; 7] {
    let dash = || "–".to_owned();
    let name = summary.form.name().to_owned();
    if summary.masks == 0 {
        return [name, dash(), dash(), dash(), dash(), dash(), dash()];
    }
    let (difference, p) = summary.difference.as_ref().map_or_else(
        || (dash(), dash()),
        |one| {
            let at = one.pooled_dice;
            let [estimate, low, high] = [at.estimate, at.low, at.high].map(|value| signed(value, 3));
            (format!("{estimate} ({low} to {high})"), probability(one.p_holm))
        },
    );
    let agreement = if summary.comparable > 0 { format!("{:.2}", summary.agreement.mean) } else { dash() };
    [
        name,
        format!("{:.3}", summary.pooled.dice()),
        format!("{:.3} ± {:.3}", summary.dice.mean, summary.dice.std),
        format!("{:.0} %", 100.0 * summary.empty as f64 / summary.masks as f64),
        agreement,
        difference,
        p,
    ]
}
