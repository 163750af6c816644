//! Common parts of the panels beside the stages: they need a model, and show the long task that is running.

use eframe::egui::Ui;

use crate::app::command::Command;
use crate::app::panels::widgets::working_bar;
use crate::app::stages::StagesCommand;
use crate::app::state::State;

/// Returns the reason why a panel about the network has nothing to show; `None` if a model is open.
pub fn needs_model(state: &State) -> Option<&'static str> {
    state.model.is_none().then_some("No model is open. Open one from the Model menu.")
}

/// Draws the progress of a long task, if one is running.
pub fn working(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(work) = state.stages.work.pending() else { return };
    let is_cancelled = working_bar(ui, work, |progress| match progress {
        Some([done, count]) => format!("{}: {done} of {count}", work.what.words),
        None => format!("{}…", work.what.words),
    });
    if is_cancelled {
        commands.push(Command::Stages(StagesCommand::CancelWork));
    }
}
