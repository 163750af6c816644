//! The settings of a training run.

use eframe::egui::{
    Align, Button, CollapsingHeader, ComboBox, Id, Label, Layout, Panel, RichText, ScrollArea, TextEdit, Ui,
};

use super::study;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::{self, Around};
use crate::app::panels::widgets::{explain, grouped, section};
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::{capitalised, duration, file_name, memory};
use crate::app::theme;
use crate::app::training::preset::Preset;
use crate::app::training::{TrainCommand, Training};
use crate::engine::run::{Estimate, KEYS};

/// The width of the setting names, in points.
const NAMES: f32 = 138.0;

/// The settings that differ between most runs; the others are listed under "More settings".
const COMMON: [&str; 5] = ["start", "epochs", "batch_size", "lr", "phantoms"];
/// The settings whose key is too short to serve as a name.
const NAMED: [(&str, &str); 7] = [
    ("out", "Run folder"),
    ("start", "Initial weights"),
    ("lr", "Learning rate"),
    ("min_lr", "Final learning rate"),
    ("ema_decay", "EMA decay"),
    ("clahe", "CLAHE"),
    ("jpeg", "JPEG"),
];
/// The settings that have their own place.
const ELSEWHERE: [&str; 2] = ["data", "out"];
/// The settings with a few possible values, and the names of these values.
const CHOICES: [(&str, &[(&str, &str)]); 8] = [
    ("mask_rule", &[("found", "Found from its values"), ("half", "Above half"), ("exactly_255", "Exactly 255")]),
    ("train_text", &[("", "Automatic"), ("true", "Yes"), ("false", "No")]),
    ("optimiser", &[("adamw", "AdamW"), ("sgd", "Gradient descent with momentum")]),
    ("schedule", &[("cosine", "Cosine, by epoch"), ("polynomial", "Polynomial, by step")]),
    ("restarts", &[("true", "Yes"), ("false", "No")]),
    ("criterion", &[("loss", "Loss"), ("dice_per_image", "Dice per image")]),
    (
        "loss",
        &[
            ("binary", "Dice + cross-entropy"),
            ("literal", "Dice + cross-entropy of the foreground"),
            ("dice", "Dice"),
            ("double_sigmoid", "Dice + cross-entropy, second sigmoid"),
            ("focal", "Dice + focal"),
            ("tversky", "Tversky"),
        ],
    ),
    ("empty_truth", &[("smoothed", "As published"), ("area", "By predicted area")]),
];

/// The settings of a training run.
pub struct Settings;

const INFO: PaneInfo = PaneInfo {
    title: "Settings",
    help: "Data and settings of a training run.",
    places: &[Place::new(Tab::Train, Column::Left, 0)],
    size: [300.0, 600.0],
    growth: 1,
    ..PaneInfo::new(Pane::new("settings"))
};

impl panel::Panel for Settings {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        show(ui, state, commands);
    }
}

/// Draws the panel.
fn show(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    ui.scope(|ui| {
        let may_start = state.training.may_start();
        Panel::bottom("training start").show(ui, |ui| {
            ui.add_space(4.0);
            estimate(ui, &state.training);
            ui.add_space(4.0);
            let button = |ui: &mut Ui| ui.add_sized([ui.available_width(), 28.0], Button::new("Start training"));
            let response = ui.add_enabled_ui(may_start.is_ok(), button).inner;
            if let Err(reason) = may_start {
                response.on_disabled_hover_text(reason);
            } else if response.clicked() {
                commands.push(Command::Train(TrainCommand::Start));
            }
            ui.add_space(4.0);
        });
        ScrollArea::vertical().id_salt("settings").auto_shrink(false).show(ui, |ui| {
            ui.add_enabled_ui(!state.training.goes_on(), |ui| {
                // The scroll bar stands beside the fields.
                ui.set_max_width(ui.available_width() - 8.0);
                ui.label(RichText::new("Data").heading().size(14.5));
                data(ui, &state.training, commands);
                section(ui, "Start from", "");
                presets(ui, state, commands);
                section(ui, "Settings", "");
                common(ui, &state.training, commands);
                more(ui, &state.training, commands);
                study::form(ui, &state.training, commands);
            });
        });
    });
}

/// Draws the estimated cost of the run, or what is missing.
fn estimate(ui: &mut Ui, training: &Training) {
    let palette = theme::palette(ui.visuals());
    match (&training.estimated, training.form.config()) {
        _ if training.goes_on() => {
            ui.label(RichText::new("A training run is in progress.").weak());
        }
        (_, Err(message)) => {
            ui.add(Label::new(RichText::new(message).color(palette.warning)).wrap());
        }
        (Some(Err(message)), _) => {
            ui.add(Label::new(RichText::new(message).color(palette.error)).wrap());
        }
        (Some(Ok(estimate)), _) => known(ui, estimate),
        (None, _) => {
            ui.label(RichText::new("Looking through the data…").weak());
        }
    }
}

fn known(ui: &mut Ui, estimate: &Estimate) {
    let found =
        format!("{} to train on, {} to validate on", pairs(estimate.train), grouped(estimate.validation as u64));
    ui.label(found);
    let words = "The time is right within a factor of two, the memory to a fifth; the run itself soon gives better estimates.";
    let cost = format!(
        "About {} an epoch, {} of memory, {:.1} million parameters",
        duration(estimate.seconds_per_epoch),
        memory(estimate.bytes),
        estimate.parameters as f64 / 1e6
    );
    ui.add(Label::new(RichText::new(cost).weak()).wrap()).on_hover_text(words);
    if !estimate.notes.is_empty() {
        let count = estimate.notes.len();
        let title = format!("{count} note{} on the data", if count == 1 { "" } else { "s" });
        let colour = theme::palette(ui.visuals()).warning;
        CollapsingHeader::new(RichText::new(title).color(colour)).id_salt("notes").show(ui, |ui| {
            ScrollArea::vertical().id_salt("notes on the data").max_height(110.0).show(ui, |ui| {
                for note in &estimate.notes {
                    ui.add(Label::new(RichText::new(note).small()).wrap());
                }
            });
        });
    }
}

fn pairs(count: usize) -> String {
    format!("{} pair{}", grouped(count as u64), if count == 1 { "" } else { "s" })
}

fn data(ui: &mut Ui, training: &Training, commands: &mut Vec<Command>) {
    for (number, folder) in training.form.data.iter().enumerate() {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.small_button("Remove").clicked() {
                    commands.push(Command::Train(TrainCommand::RemoveData(number)));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(Label::new(file_name(folder)).truncate()).on_hover_text(folder.display().to_string());
                });
            });
        });
    }
    ui.horizontal(|ui| {
        if ui.button("Add folder…").clicked() {
            commands.push(Command::OpenDialog(DialogKind::TrainData));
        }
        let words = "Enter adds it. Folders can be dropped here too.";
        let label = ui.label(RichText::new("Or path").weak()).on_hover_text(words);
        let mut typed = training.form.typed.clone();
        let field = TextEdit::singleline(&mut typed)
            .id(Id::unique("path of data of a training run"))
            .desired_width(f32::INFINITY);
        let response = ui.add(field).labelled_by(label.id);
        if response.changed() {
            commands.push(Command::Train(TrainCommand::TypeData(typed.clone())));
        }
        if response.lost_focus() && !typed.trim().is_empty() {
            commands.push(Command::Train(TrainCommand::AddData(typed.trim().into())));
        }
    });
}

fn presets(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    for preset in Preset::all() {
        let enabled = preset != Preset::FineTune || state.model.is_some();
        ui.add_enabled_ui(enabled, |ui| {
            let response = ui.radio(state.training.preset == Some(preset), preset.name());
            if response.clicked() {
                commands.push(Command::Train(TrainCommand::Take(preset)));
            }
            response.on_hover_text(preset.explanation()).on_disabled_hover_text("No model is open.");
        });
    }
    if let Some(preset) = state.training.preset {
        ui.add(Label::new(RichText::new(preset.explanation()).small().weak()).wrap());
    }
    ui.horizontal(|ui| {
        if ui.small_button("Load…").on_hover_text("Loads the settings of a TOML file").clicked() {
            commands.push(Command::OpenDialog(DialogKind::LoadSettings));
        }
        let may_save = state.training.form.config().is_ok();
        let save = ui.add_enabled(may_save, Button::new("Save…").small());
        let save = save.on_disabled_hover_text("A setting has to be corrected first");
        if save
            .on_hover_text("Saves these settings as a TOML file, which “himix train --config” reads too")
            .clicked()
        {
            commands.push(Command::OpenDialog(DialogKind::SaveSettings));
        }
    });
}

fn common(ui: &mut Ui, training: &Training, commands: &mut Vec<Command>) {
    setting(ui, training, "out", Some(DialogKind::RunFolder), commands);
    for key in COMMON {
        let dialog = (key == "start").then_some(DialogKind::StartModel);
        setting(ui, training, key, dialog, commands);
    }
}

fn more(ui: &mut Ui, training: &Training, commands: &mut Vec<Command>) {
    let others = KEYS.iter().map(|(key, _)| *key).filter(|key| !COMMON.contains(key) && !ELSEWHERE.contains(key));
    let others: Vec<&'static str> = others.collect();
    // A faulty setting must be visible.
    let is_faulty = others.iter().any(|key| training.form.fault_of(key).is_some());
    CollapsingHeader::new("More settings").open(is_faulty.then_some(true)).show(ui, |ui| {
        for key in others {
            setting(ui, training, key, None, commands);
        }
    });
}

/// Converts the key of a setting to a name in sentence case.
fn in_words(key: &str) -> String {
    capitalised(&key.replace('_', " "))
}

/// Draws a setting: its name with an explanation, its field, and its error below.
fn setting(
    ui: &mut Ui,
    training: &Training,
    key: &'static str,
    dialog: Option<DialogKind>,
    commands: &mut Vec<Command>,
) {
    let meaning = KEYS.iter().find(|(known, _)| *known == key).map_or("", |(_, meaning)| meaning);
    let text = training.form.text(key);
    let fault = training.form.fault_of(key);
    let colour = theme::palette(ui.visuals()).error;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        let begin = ui.cursor().left();
        let name = NAMED.iter().find(|(known, _)| *known == key).map(|(_, name)| (*name).to_owned());
        let name = ui.label(RichText::new(name.unwrap_or_else(|| in_words(key))).weak());
        explain(ui, &format!("{key}: {meaning}"));
        // All fields are aligned.
        ui.add_space((begin + NAMES - ui.cursor().left()).max(0.0));
        if let Some(purpose) = dialog {
            let words = "Choose a folder with the system's dialog";
            if ui.small_button("…").on_hover_text(words).clicked() {
                commands.push(Command::OpenDialog(purpose));
            }
        }
        let mut typed = text.to_owned();
        let choices = CHOICES.iter().find(|(known, _)| *known == key).map(|(_, values)| *values);
        let response = match choices {
            Some(values) => {
                let shown = values.iter().find(|(value, _)| *value == text).map_or(text, |(_, name)| name);
                let combo = ComboBox::from_id_salt(key).selected_text(shown).width(ui.available_width());
                combo
                    .truncate()
                    .show_ui(ui, |ui| {
                        for (value, name) in values {
                            ui.selectable_value(&mut typed, (*value).to_owned(), *name);
                        }
                    })
                    .response
                    .on_hover_text(shown)
            }
            None => {
                // By its key, a field keeps the focus when rows above it come and go.
                let id = Id::unique(("setting of a training run", key));
                let mut field = TextEdit::singleline(&mut typed).id(id).desired_width(f32::INFINITY);
                if fault.is_some() {
                    field = field.text_color(colour);
                }
                ui.add(field.hint_text("None"))
            }
        };
        response.labelled_by(name.id);
        if typed != text {
            commands.push(Command::Train(TrainCommand::Set(key, typed)));
        }
    });
    if let Some(fault) = fault {
        ui.add(Label::new(RichText::new(fault).small().color(colour)).wrap());
    }
}
