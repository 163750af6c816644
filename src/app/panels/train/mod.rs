//! The Train tab: settings on the left, the run on the right.

mod chart;
mod charts;
mod compare;
mod log;
mod run;
mod settings;
mod strip;

use eframe::egui::{Context, Frame, Id, Label, Modal, RichText, Ui};

use super::empty;
use crate::app::command::Command;
use crate::app::state::State;
use crate::app::training::{Closing, TrainCommand};

const EMPTY: &[&str] = &[
    "Train a model on your own cases. You can go on reading images while it runs.",
    "Add a folder with images, masks and prompts on the left, or drop it here. Choose what to start from, then start the training.",
    "The weights with the lowest validation loss are kept. A run can be paused, stopped and resumed at any time.",
];

/// The panel of settings.
pub fn settings(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    settings::show(ui, state, commands);
}

/// The panel of the run: its progress and its controls.
pub fn run(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    offer(ui, state, commands);
    if state.training.run.is_some() {
        run::head(ui, state, commands);
    } else {
        ui.add_space(4.0);
        ui.heading("No training run yet");
        for words in EMPTY {
            ui.add_space(4.0);
            ui.add(Label::new(*words).wrap());
        }
    }
    if ui.input(|input| !input.raw.hovered_files.is_empty()) {
        empty::drop_target(ui, ui.clip_rect(), "Drop a data set or a settings file (TOML)");
    }
}

/// The panel of validation cases.
pub fn cases(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    match &state.training.run {
        Some(run) if !run.preview.cases.is_empty() => strip::show(ui, state, commands),
        _ => hint(ui, "Fixed cases of the validation split appear here, with the masks of every epoch."),
    }
}

/// The panel of curves.
pub fn curves(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    match &state.training.run {
        Some(_) => charts::show(ui, state, commands),
        None => hint(ui, "Losses and scores appear here, epoch by epoch."),
    }
}

/// The panel of the comparison with another model.
pub fn comparison(ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
    if state.training.comparison.is_none() {
        hint(ui, "“Compare” shows the best weights of the run beside the open model here, on the open image.");
    }
    compare::show(ui, state, commands);
}

/// The panel of the log.
pub fn log(ui: &mut Ui, state: &State) {
    match &state.training.run {
        Some(_) => log::show(ui, state),
        None => hint(ui, "The log of a run appears here."),
    }
}

fn hint(ui: &mut Ui, words: &str) {
    ui.add(Label::new(RichText::new(words).weak()).wrap());
}

/// The run of an earlier session.
fn offer(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(offer) = &state.training.offer else { return };
    Frame::group(ui.style()).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let done = match offer.run.epoch {
            0 => "before its first epoch was finished".to_owned(),
            1 => "after 1 epoch".to_owned(),
            epochs => format!("after {epochs} epochs"),
        };
        ui.label(RichText::new(format!("A training run was interrupted {done}.")).strong());
        ui.label(RichText::new(offer.folder.display().to_string()).weak());
        ui.horizontal(|ui| {
            if ui.button("Resume").clicked() {
                commands.push(Command::Train(TrainCommand::Resume));
            }
            let words = "The run stays in its folder; “himix train --resume” continues it.";
            if ui.button("Do not offer again").on_hover_text(words).clicked() {
                commands.push(Command::Train(TrainCommand::Forget));
            }
        });
    });
    ui.add_space(4.0);
}

/// Asks what shall become of a run that goes on when the window is to be closed.
pub fn ask_before_closing(ctx: &Context, state: &State, commands: &mut Vec<Command>) {
    let closing = state.training.closing;
    let mut button = |ui: &mut Ui, text: &str, command: TrainCommand| {
        if ui.button(text).clicked() {
            commands.push(Command::Train(command));
            if closing == Closing::AfterStop {
                commands.push(Command::Quit);
            }
        }
    };
    if !matches!(closing, Closing::Asks | Closing::AfterStop) {
        return;
    }
    Modal::new(Id::unique("closing")).show(ctx, |ui| {
        ui.set_width(400.0);
        if closing == Closing::Asks {
            ui.heading("A training run is in progress");
            ui.label("If you stop it, its best weights are kept, and it can be resumed when the window is opened again.");
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                button(ui, "Keep training", TrainCommand::KeepTraining);
                button(ui, "Stop and close", TrainCommand::StopAndClose);
            });
        } else {
            ui.heading("The run stops after this step");
            ui.label("The window closes when its checkpoint is written. If you close now, the run can be resumed from the checkpoint before.");
            ui.add_space(8.0);
            button(ui, "Close now", TrainCommand::CloseNow);
        }
    });
}
