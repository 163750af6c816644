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

/// Returns why a panel about text layers and filters shows nothing: no model is open, or its network has neither.
pub fn needs_overrides(state: &State) -> Option<&'static str> {
    const NOTHING: &str = "This network has no spectrum filters and mixes no layers of a text.";
    let is_nothing = |state: &State| state.model.as_ref().is_some_and(|model| model.info.overrides.is_nothing());
    needs_model(state).or_else(|| is_nothing(state).then_some(NOTHING))
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
