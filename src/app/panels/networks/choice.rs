//! The networks that are compared, and the cases.

use std::path::PathBuf;

use eframe::egui::{Button, DragValue, Label, RichText, TextEdit, Ui};

use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::networks::{CasesOf, MOST, NetworksCommand, NetworksField};
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::{section, working_bar};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::infer::comparison::{Entrant, EntrantSource};

const FOLDER: &str = "The folder of a model, or of predictions by another program.";
const KEPT: &str = "A folder for the masks that are made, so that a stopped comparison goes on where it was. Without one it begins anew.";

/// Networks and cases.
pub struct Choice;

const INFO: PaneInfo = PaneInfo {
    title: "Compared networks",
    help: "Which networks are compared, and on which cases.",
    places: &[Place::new(Tab::Compare, Column::Left, 0)],
    size: [300.0, 600.0],
    ..PaneInfo::new(Pane::new("compared_networks"))
};

impl Panel for Choice {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        chosen(ui, state, commands);
        adding(ui, state, commands);
        cases(ui, state, commands);
        running(ui, state, commands);
    }
}

fn put(commands: &mut Vec<Command>, command: NetworksCommand) {
    commands.push(Command::Networks(command));
}

/// Draws the networks, each with its name, which can be changed.
fn chosen(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let count = state.networks.chosen.len();
    if count == 0 {
        let words = format!("Add 2 to {MOST} networks: models, or folders of predictions by other programs.");
        ui.add(Label::new(RichText::new(words).weak()).wrap());
    }
    for (place, Entrant { name, source }) in state.networks.chosen.iter().enumerate() {
        let (kind, path) = match source {
            EntrantSource::Model(source) => ("Model", source.path()),
            EntrantSource::Predictions(path) => ("Predictions", path.as_path()),
        };
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new(format!("Network {}", place + 1)).weak());
            let mut text = name.clone();
            let width = (ui.available_width() - 78.0).max(60.0);
            let field = ui.add(TextEdit::singleline(&mut text).desired_width(width)).labelled_by(label.id);
            if field.on_hover_text(format!("{kind}: {}", path.display())).changed() {
                put(commands, NetworksCommand::Rename(place, text));
            }
            let remove = ui.button("Remove").on_hover_text(format!("Compare without {name}"));
            if remove.clicked() {
                put(commands, NetworksCommand::Remove(place));
            }
        });
    }
}

/// Draws the ways to add a network.
fn adding(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let networks = &state.networks;
    let is_full = networks.chosen.len() >= MOST;
    let full = format!("At most {MOST} networks can be compared. Remove one first.");
    let has_model = state.model.is_some();
    let open = ui.add_enabled(has_model && !is_full, Button::new("Add open models"));
    let why_not = if is_full { full.as_str() } else { "No model is open. Open one from the Model menu." };
    if open.on_disabled_hover_text(why_not).clicked() {
        put(commands, NetworksCommand::AddOpen);
    }
    let asks =
        path(ui, "Folder", "model or predictions", FOLDER, &networks.typed.path, NetworksField::Path, commands);
    if asks {
        commands.push(Command::OpenDialog(DialogKind::NetworkFolder));
    }
    ui.horizontal(|ui| {
        let is_typed = !networks.typed.path.trim().is_empty();
        let why_not = if is_full { full.as_str() } else { "Choose a folder first." };
        let path = PathBuf::from(networks.typed.path.trim());
        let ways = [
            ("Add as model", NetworksCommand::AddModel(path.clone())),
            ("Add as predictions", NetworksCommand::AddPredictions(path)),
        ];
        for (words, command) in ways {
            let button = ui.add_enabled(is_typed && !is_full, Button::new(words));
            if button.on_disabled_hover_text(why_not).clicked() {
                put(commands, command);
            }
        }
    });
}

fn cases(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    section(ui, "Cases", "");
    let networks = &state.networks;
    for (of, words) in [(CasesOf::Image, "The open image and prompt"), (CasesOf::Data, "Cases of a data set")] {
        if ui.radio(networks.of == of, words).clicked() {
            put(commands, NetworksCommand::Of(of));
        }
    }
    if networks.of == CasesOf::Data {
        let hint = state.worklist.as_ref().map(|list| file_name(&list.folder)).unwrap_or_default();
        let whole = state.worklist.as_ref().map(|list| list.folder.display().to_string()).unwrap_or_default();
        if path(ui, "Data set", &hint, &whole, &networks.typed.folder, NetworksField::Folder, commands) {
            commands.push(Command::OpenDialog(DialogKind::NetworksData));
        }
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new("Split").weak());
            let mut split = networks.typed.split.clone();
            if ui.add(TextEdit::singleline(&mut split).desired_width(80.0)).labelled_by(label.id).changed() {
                put(commands, NetworksCommand::Type(NetworksField::Split, split));
            }
            let label = ui.label(RichText::new("At most").weak());
            let mut most = networks.most;
            let words = |most: f64, _: std::ops::RangeInclusive<usize>| match most as usize {
                0 => "all".to_owned(),
                most => most.to_string(),
            };
            let value = DragValue::new(&mut most).range(0..=100_000).custom_formatter(words);
            if ui.add(value).labelled_by(label.id).on_hover_text("Number of cases; 0 for all").changed() {
                put(commands, NetworksCommand::Most(most));
            }
        });
        ui.horizontal(|ui| {
            let label = ui.label(RichText::new("Only").weak());
            let mut only = networks.typed.only.clone();
            let field = TextEdit::singleline(&mut only).hint_text("file names, separated by commas");
            if ui.add(field.desired_width(f32::INFINITY)).labelled_by(label.id).changed() {
                put(commands, NetworksCommand::Type(NetworksField::Only, only));
            }
        });
    }
    if path(ui, "Keep in", "nowhere", KEPT, &networks.typed.kept, NetworksField::Kept, commands) {
        commands.push(Command::OpenDialog(DialogKind::NetworksKept));
    }
}

/// Draws a field for a folder; `hint` stands in the empty field and must be short, `words` are shown when the pointer rests on it.
/// Returns whether a dialog is asked for.
fn path(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    words: &str,
    value: &str,
    field: NetworksField,
    commands: &mut Vec<Command>,
) -> bool {
    let mut text = value.to_owned();
    let mut asks = false;
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new(name).weak());
        let width = (ui.available_width() - 84.0).max(60.0);
        let edit = TextEdit::singleline(&mut text).hint_text(hint).desired_width(width);
        let edit = ui.add(edit).labelled_by(label.id);
        let edit = if words.is_empty() { edit } else { edit.on_hover_text(words) };
        if edit.changed() {
            put(commands, NetworksCommand::Type(field, text.clone()));
        }
        asks = ui.button("Choose…").clicked();
    });
    asks
}

fn running(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    ui.separator();
    let Some(work) = state.networks.pending.pending() else {
        let why_not = state.networks_refusal();
        let start = ui.add_enabled(why_not.is_none(), Button::new("Compare networks"));
        if start.on_disabled_hover_text(why_not.unwrap_or_default()).clicked() {
            put(commands, NetworksCommand::Start);
        }
        return;
    };
    let is_cancelled = working_bar(ui, work, |progress| match progress {
        Some([done, count]) => format!("{done} of {count} masks"),
        None => "Opening the first network…".to_owned(),
    });
    if is_cancelled {
        put(commands, NetworksCommand::Cancel);
    }
}
