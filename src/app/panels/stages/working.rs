//! Common parts of the panels beside the stages: they need a model, and show the long task that is running.

use eframe::egui::{Button, ProgressBar, RichText, Ui};

use crate::app::command::Command;
use crate::app::panels::widgets::grouped;
use crate::app::stages::StagesCommand;
use crate::app::state::State;

/// Returns the reason why a panel about the network has nothing to show; `None` if a model is open.
pub fn needs_model(state: &State) -> Option<&'static str> {
    state.model.is_none().then_some("No model is open. Open one from the Model menu.")
}

/// Draws the progress of a long task, if one is running.
pub fn working(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(work) = state.stages.work.pending() else { return };
    ui.horizontal(|ui| {
        let share = work.progress().map_or(0.0, |(done, count)| done as f32 / count.max(1) as f32);
        let text = match work.progress() {
            _ if work.is_cancelled() => "Ending…".to_owned(),
            Some((done, count)) => {
                let [done, count] = [done, count].map(|part| grouped(part as u64));
                format!("{}: {done} of {count}", work.what.words)
            }
            None => format!("{}…", work.what.words),
        };
        let bar = ProgressBar::new(share).text(RichText::new(text).small());
        ui.add(bar.desired_width(ui.available_width() - 70.0));
        let cancel = ui.add_enabled(!work.is_cancelled(), Button::new("Cancel"));
        if cancel.on_disabled_hover_text("The work ends after the step in progress.").clicked() {
            commands.push(Command::Stages(StagesCommand::CancelWork));
        }
    });
}
