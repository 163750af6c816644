//! The queue of a study, and the form that begins one.

use eframe::egui::{
    Button, CollapsingHeader, Frame, Grid, Id, Label, Response, RichText, Role, ScrollArea, TextEdit, Ui,
    WidgetInfo,
};

use crate::app::command::Command;
use crate::app::pane::{Column, Pane, PaneInfo, Place};
use crate::app::panels::panel::{Around, Panel};
use crate::app::panels::widgets::explain;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::theme;
use crate::app::training::study::{Study, StudyField};
use crate::app::training::{TrainCommand, Training};
use crate::engine::jobs::QueueChange;
use crate::engine::run::{QueueView, QueuedRun, RunControl, RunProgress, RunState};

/// The width of the names of the fields, in points.
const NAMES: f32 = 138.0;
/// What a study is.
const WHAT: &str = "Trains variants of HiMix, or several networks, with these settings, one after another or one on each graphics \
                    card, scores them and compares them with the full model or the first network. “himix ablate” does the same.";

/// The runs of a study.
pub struct Queue;

const INFO: PaneInfo = PaneInfo {
    title: "Study",
    help: "The runs of an ablation study: their order, and how far they are.",
    places: &[Place::new(Tab::Train, Column::Middle, 1)],
    size: [700.0, 200.0],
    ..PaneInfo::new(Pane::new("study"))
};

impl Panel for Queue {
    fn info(&self) -> &'static PaneInfo {
        &INFO
    }

    fn around(&self) -> Around {
        Around::Margin
    }

    fn missing(&self, state: &State) -> Option<&'static str> {
        let study = &state.training.study;
        let is_empty = study.view.is_none() && study.offer.is_none() && study.error.is_none();
        is_empty.then_some("The runs of a study appear here. Begin one under “Ablation study” in the settings.")
    }

    fn is_idle(&self, state: &State, _is_front: bool) -> bool {
        self.missing(state).is_some()
    }

    fn show(&self, ui: &mut Ui, state: &mut State, commands: &mut Vec<Command>) {
        let study = &state.training.study;
        if let Some(message) = &study.error {
            let colour = theme::palette(ui.visuals()).error;
            ui.add(Label::new(RichText::new(message).color(colour)).wrap());
        }
        offer(ui, study, commands);
        if let Some(view) = &study.view {
            head(ui, study, view, commands);
            ScrollArea::both().id_salt("study").auto_shrink(false).show(ui, |ui| runs(ui, study, view, commands));
        }
    }
}

fn say(commands: &mut Vec<Command>, command: TrainCommand) {
    commands.push(Command::Train(command));
}

/// Draws the offer to continue the study of an earlier session.
fn offer(ui: &mut Ui, study: &Study, commands: &mut Vec<Command>) {
    let Some(offer) = &study.offer else { return };
    Frame::group(ui.style()).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let [finished, all] = offer.runs;
        let words = format!("A study was interrupted: {finished} of {all} runs are finished.");
        ui.label(RichText::new(words).strong());
        ui.label(RichText::new(offer.folder.display().to_string()).weak());
        ui.horizontal(|ui| {
            if ui.button("Continue study").clicked() {
                say(commands, TrainCommand::ContinueStudy);
            }
            let words = "The study stays in its folder; “himix ablate” continues it as well.";
            if ui.button("Do not offer this study again").on_hover_text(words).clicked() {
                say(commands, TrainCommand::ForgetStudy);
            }
        });
    });
}

/// Draws the number of runs in each state and the buttons.
fn head(ui: &mut Ui, study: &Study, view: &QueueView, commands: &mut Vec<Command>) {
    let folder = view.folder.display().to_string();
    ui.horizontal_wrapped(|ui| {
        let [finished, failed, removed] =
            [RunState::Finished, RunState::Failed, RunState::Removed].map(|state| view.count(state));
        let all = view.runs.len() - removed;
        let mut words = format!("{finished} of {all} runs are finished");
        if failed > 0 {
            words += &format!(", {failed} failed");
        }
        ui.label(RichText::new(words).strong()).on_hover_text(&folder);
        match (study.is_active, view.command) {
            (true, RunControl::Run) => {
                if ui.button("Pause study").clicked() {
                    say(commands, TrainCommand::Pause);
                }
            }
            (true, RunControl::Pause) => {
                if ui.button("Go on with study").clicked() {
                    say(commands, TrainCommand::Continue);
                }
            }
            (true, RunControl::Stop) => {
                ui.label(RichText::new("Stopping after this step…").weak());
            }
            (false, _) if study.can_continue() => {
                let words = "Goes on with the runs that wait, and tries again those that failed.";
                if ui.button("Continue study").on_hover_text(words).clicked() {
                    say(commands, TrainCommand::ContinueStudy);
                }
            }
            (false, _) => {
                ui.label(RichText::new("The report lies in the folder of the study.").weak())
                    .on_hover_text(&folder);
            }
        }
        let may_stop = study.is_active && view.command != RunControl::Stop;
        let words = "Every run keeps a checkpoint, and the study can be continued.";
        if may_stop && ui.button("Stop study").on_hover_text(words).clicked() {
            say(commands, TrainCommand::Stop);
        }
    });
}

/// Draws a row for each run.
fn runs(ui: &mut Ui, study: &Study, view: &QueueView, commands: &mut Vec<Command>) {
    let palette = theme::palette(ui.visuals());
    Grid::new("runs of a study").num_columns(5).striped(true).spacing([14.0, 3.0]).show(ui, |ui| {
        for (run, RunProgress { epochs, dice_per_image }) in &view.runs {
            let name = format!("{}, seed {}", run.variant.title(), run.seed);
            ui.label(&name);
            let colour = match run.state {
                RunState::Failed => palette.error,
                RunState::Running => ui.visuals().strong_text_color(),
                _ => ui.visuals().weak_text_color(),
            };
            let state = ui.label(RichText::new(run.state.name()).color(colour));
            if let Some(error) = &run.error {
                state.on_hover_text(error);
            }
            ui.label(match epochs {
                0 => String::new(),
                epochs => format!("{epochs} of at most {} epochs", view.plan.settings.epochs),
            });
            ui.label(dice_per_image.map_or_else(String::new, |dice| format!("Dice {dice:.3}")))
                .on_hover_text("Per image, validation, best epoch so far");
            ui.horizontal(|ui| {
                ui.add_enabled_ui(study.is_active, |ui| changes(ui, run, commands))
                    .response
                    .on_disabled_hover_text("The queue is not being worked on. Continue the study first.");
            });
            ui.end_row();
        }
    });
}

/// Draws the buttons that change the place of a run.
fn changes(ui: &mut Ui, run: &QueuedRun, commands: &mut Vec<Command>) {
    let mut button = |ui: &mut Ui, text: &str, does: &str, change: fn(String) -> QueueChange| {
        if named(ui, text, &format!("{does}: {}, seed {}", run.variant.title(), run.seed)).clicked() {
            say(commands, TrainCommand::ChangeQueue(change(run.name())));
        }
    };
    match run.state {
        RunState::Waiting => {
            button(ui, "Up", "Move up", QueueChange::Earlier);
            button(ui, "Down", "Move down", QueueChange::Later);
            button(ui, "Remove", "Remove from the study", QueueChange::Remove);
        }
        RunState::Running => button(ui, "Remove", "Stop and remove from the study", QueueChange::Remove),
        RunState::Failed => button(ui, "Try again", "Try again", QueueChange::Restore),
        RunState::Removed => button(ui, "Put back", "Put back", QueueChange::Restore),
        RunState::Finished => {}
    }
}

/// A small button whose name for assistive technology says which run it concerns.
fn named(ui: &mut Ui, text: &str, name: &str) -> Response {
    let response = ui.add(Button::new(text).small()).on_hover_text(name);
    let is_enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, name));
    response
}

/// Draws the form that begins a study with the settings of the tab.
pub fn form(ui: &mut Ui, training: &Training, commands: &mut Vec<Command>) {
    CollapsingHeader::new("Ablation study").show(ui, |ui| {
        ui.add(Label::new(RichText::new(WHAT).small().weak()).wrap());
        for (field, name, meaning) in StudyField::ALL {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                let begin = ui.cursor().left();
                let label = ui.label(RichText::new(name).weak());
                explain(ui, meaning);
                ui.add_space((begin + NAMES - ui.cursor().left()).max(0.0));
                let mut typed = training.study.text(field).to_owned();
                let id = Id::unique(("field of a study", name));
                let edit = TextEdit::singleline(&mut typed).id(id).desired_width(f32::INFINITY);
                let response = ui.add(edit).labelled_by(label.id);
                if response.changed() {
                    say(commands, TrainCommand::TypeStudy(field, typed));
                }
            });
        }
        let plan = training.form.config().and_then(|config| training.study.plan(config));
        match plan {
            Ok(plan) => {
                let count = plan.variants.len() * plan.seeds.len();
                let words = format!("{count} run{}", if count == 1 { "" } else { "s" });
                ui.label(RichText::new(words).small().weak());
                if ui.button("Start study").clicked() {
                    say(commands, TrainCommand::StartStudy);
                }
            }
            Err(message) => {
                let colour = theme::palette(ui.visuals()).warning;
                ui.add(Label::new(RichText::new(message).small().color(colour)).wrap());
                ui.add_enabled(false, Button::new("Start study"));
            }
        }
    });
}
