//! The panels of the Train tab, and the question asked before the window is closed during a run.

mod chart;
pub mod charts;
pub mod log;
pub mod run;
pub mod settings;
pub mod strip;
pub mod study;

use eframe::egui::{Context, Id, Modal, Ui};

use crate::app::command::Command;
use crate::app::state::State;
use crate::app::training::{Closing, TrainCommand};

/// Asks what to do with the active run when the window is about to be closed.
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
