//! Prompts and predictions of this session.

use std::time::Duration;

use super::HimixApp;
use super::command::Command;
use super::record::{PredictionRecord, PromptOf, Source};
use super::state::OpenImage;

/// A prediction that was shown for this long is kept; intermediate results while typing are not.
pub const SETTLED: Duration = Duration::from_millis(900);
/// The maximum number of predictions that are kept.
const KEPT: usize = 200;

impl HimixApp {
    /// Keeps the displayed prediction once it has been shown for long enough. Returns the remaining time, if any.
    pub(super) fn keep_prediction(&mut self) -> Option<Duration> {
        let state = &self.state;
        let shown = state.predicted_now().ok()?;
        if state.kept == Some(shown.ticket) {
            return None;
        }
        if let Some(rest) = SETTLED.checked_sub(shown.since.elapsed()).filter(|rest| !rest.is_zero()) {
            return Some(rest);
        }
        let (open, model): (&OpenImage, _) = (state.document.image.as_ref()?, state.model.as_ref()?);
        let past = PredictionRecord {
            id: shown.ticket,
            source: open.source.clone(),
            name: open.name.clone(),
            slice: open.slice,
            asked: open.asked,
            prompt: shown.prediction.prompt.clone(),
            model: model.source.clone(),
            model_name: model.info.name.clone(),
            threshold: state.settings.threshold,
            dice: state.confusion().map(|counts| counts.dice()),
        };
        let state = &mut self.state;
        state.kept = Some(past.id);
        // The history is what the user wrote or accepted, not what cases bring along.
        if state.brought.as_deref() != Some(past.prompt.as_str()) {
            state.settings.remember_prompt(&past.prompt);
        }
        state.past.retain(|other| !other.is_like(&past));
        state.past.insert(0, past);
        state.past.truncate(KEPT);
        None
    }

    /// Restores a past prediction: image, prompt, threshold and model.
    pub(super) fn recall(&mut self, id: u64) {
        let Some(past) = self.state.past.iter().find(|past| past.id == id).cloned() else { return };
        self.state.settings.threshold = past.threshold;
        if self.state.model.as_ref().is_none_or(|model| model.source != past.model) {
            self.open_model(past.model.clone());
        }
        self.state.prompt_of = PromptOf::User;
        self.state.document.prompt = past.prompt.clone();
        match &mut self.state.document.image {
            Some(open) if open.source == past.source => {
                open.asked = past.asked;
                if open.asked_slice() != past.slice {
                    self.show_slice(past.slice);
                } else {
                    self.request_prediction();
                }
            }
            _ => {
                self.state.recalled = Some(past.clone());
                match past.source {
                    Source::Files(path, files) => drop(self.open_files(path, files)),
                    Source::Sample(sample) => self.commands.push(Command::OpenSample(sample)),
                }
            }
        }
    }

    /// Restores the state of a recalled prediction after its image has been opened.
    pub(super) fn finish_recall(&mut self) {
        let Some(past) = self.state.recalled.take() else { return };
        let Some(open) = self.state.document.image.as_mut().filter(|open| open.source == past.source) else {
            return;
        };
        open.asked = past.asked;
        self.state.document.prompt = past.prompt;
        if open.slice == past.slice {
            self.request_prediction();
        } else {
            self.show_slice(past.slice);
        }
    }
}
