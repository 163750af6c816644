//! The progress of the run and its controls.

use eframe::egui::{Button, Frame, Label, ProgressBar, RichText, Ui};

use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::empty;
use crate::app::panels::panel::Panel;
use crate::app::panels::widgets::grouped;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::duration;
use crate::app::theme;
use crate::app::training::TrainCommand;
use crate::app::training::run::{self, Phase};
use crate::engine::run::RunControl;

const EMPTY: &[&str] = &[
    "Train a model on your own cases. You can go on reading images while it runs.",
    "Add a folder with images, masks and prompts on the left, or drop it here. Choose what to start from, then start the training.",
    "The weights with the lowest validation loss are kept. A run can be paused, stopped and resumed at any time.",
];

/// The progress of the run and its controls.
pub struct Run;

const INFO: PaneInfo = PaneInfo {
    title: "Run",
    help: "How far the training run is, and its buttons.",
    places: &[Place::new(Tab::Train, Column::Middle, 0)],
    size: [700.0, 132.0],
    growth: 1,
    is_hero: true,
    ..PaneInfo::new(Pane::new("run"))
};

impl Panel for Run {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        offer(ui, state, commands);
        if state.training.run.is_some() {
            head(ui, state, commands);
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
}

/// Draws the offer to resume the run of an earlier session.
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

/// Draws the phase of the run, its progress and its buttons.
fn head(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(run) = &state.training.run else { return };
    ui.horizontal(|ui| {
        ui.label(RichText::new(title(run)).heading());
        if let Some(facts) = &run.facts {
            let words = format!(
                "{} training pairs, {} for validation · {:.2} million parameters · {}",
                grouped(facts.train as u64),
                grouped(facts.validation as u64),
                facts.parameters as f64 / 1e6,
                facts.device
            );
            ui.add(Label::new(RichText::new(words).small().weak()).truncate());
        }
    });
    let folder = run.folder.display().to_string();
    ui.add(Label::new(RichText::new(format!("Run folder: {folder}")).small().weak()).truncate())
        .on_hover_text(&folder);
    if let Some(Err(message)) = &run.outcome {
        let colour = theme::palette(ui.visuals()).error;
        ui.add(Label::new(RichText::new(message).color(colour)).wrap());
    }
    progress(ui, run);
    buttons(ui, state, run, commands);
}

fn title(run: &run::Run) -> String {
    match (&run.phase, run.control) {
        (Phase::Ended, _) => match &run.outcome {
            Some(Ok(reason)) => format!("{}: {reason}", run.end_in_short()),
            _ => run.end_in_short().to_owned(),
        },
        (_, RunControl::Stop) => "Stopping after this step…".into(),
        (Phase::Paused, RunControl::Pause) => "Paused".into(),
        (_, RunControl::Pause) => "Pausing before the next step…".into(),
        (Phase::Preparing(what), _) => format!("Preparing: {what}…"),
        (Phase::Training | Phase::Paused, RunControl::Run) => "Training".into(),
    }
}

/// Formats a number of epochs or steps.
fn count(number: usize) -> String {
    grouped(number as u64)
}

fn progress(ui: &mut Ui, run: &run::Run) {
    let Some(facts) = &run.facts else { return };
    let left = match run.step {
        Some(step) if run.phase != Phase::Ended => format!(", about {} left", duration(step.seconds_left)),
        _ => String::new(),
    };
    let whole = format!("Run: {} of {} epochs{left}", count(run.epochs.len()), count(facts.epochs));
    ui.add(ProgressBar::new(run.share()).text(whole).desired_height(18.0));
    if let Some(step) = run.step.filter(|_| run.phase != Phase::Ended) {
        let what = if step.step == step.steps { ", validating" } else { "" };
        let [at, steps] = [step.step, step.steps].map(count);
        let epoch = format!("Epoch {}: step {at} of {steps}{what}", count(step.epoch));
        ui.add(ProgressBar::new(run.share_of_epoch()).text(epoch).desired_height(18.0));
    }
}

fn buttons(ui: &mut Ui, state: &State, run: &run::Run, commands: &mut Vec<Command>) {
    ui.horizontal_wrapped(|ui| {
        let mut give = |ui: &mut Ui, enabled: bool, text: &str, words: &str, command: Command| {
            let response = ui.add_enabled(enabled, Button::new(text)).on_hover_text(words);
            if response.on_disabled_hover_text(words).clicked() {
                commands.push(command);
            }
        };
        let mut button = |ui: &mut Ui, enabled: bool, text: &str, words: &str, command: TrainCommand| {
            give(ui, enabled, text, words, Command::Train(command));
        };
        if run.phase != Phase::Ended {
            let is_steered = run.control != RunControl::Stop;
            let ending = "The run stops after this step";
            if run.control == RunControl::Pause {
                button(ui, true, "Continue", "Continue with the next step", TrainCommand::Continue);
            } else {
                let words = if is_steered { "Wait before the next step" } else { ending };
                button(ui, is_steered, "Pause", words, TrainCommand::Pause);
            }
            let words = match is_steered {
                true => "End after this step; the best weights so far are kept, and the run can be resumed",
                false => ending,
            };
            button(ui, is_steered, "Stop and keep the best", words, TrainCommand::Stop);
        } else if run.can_resume() {
            let words =
                "Continue from the last checkpoint, to the same weights that an uninterrupted run would have reached";
            button(ui, true, "Resume", words, TrainCommand::Resume);
        }
        let has_best = run.best.is_some();
        let none = "There are no weights before the first epoch is finished";
        let words = if has_best { "Open the best weights so far in the viewer" } else { none };
        button(ui, has_best, "Use this model", words, TrainCommand::UseModel);
        if state.comparison.is_none() {
            let words = if has_best { "Show the best weights so far beside the open model, on the open image and prompt" } else { none };
            button(ui, has_best, "Compare weights", words, TrainCommand::Compare);
        } else {
            let words = "Close the second model";
            give(ui, true, "End comparison", words, Command::EndComparison);
        }
        let best = run.best_epoch().map(|best| {
            let [pooled, per_image] = [best.pooled_dice, best.per_image_dice];
            format!("Best: epoch {}, Dice {pooled:.3} pooled, {per_image:.3} per image, threshold 0.50", best.number)
        });
        let before = run.start.as_ref().map(|start| {
            let [pooled, per_image] = [start.pooled_dice, start.per_image_dice];
            format!("Before the training: Dice {pooled:.3} pooled, {per_image:.3} per image")
        });
        for words in best.into_iter().chain(before) {
            ui.label(RichText::new(words).weak());
        }
    });
}
