//! Commands and requests of the panel about the influence of words.

use std::sync::Arc;

use super::{Examined, InfluenceCommand, SIDE, Shown, Study};
use crate::app::HimixApp;
use crate::app::pane::Pane;
use crate::app::state::State;
use crate::engine::jobs::{ExamineWords, ExaminedPrompt, PaintDifference, SharePhrases};
use crate::engine::{Engine, ModelJob, Slot, threshold_step};

impl HimixApp {
    /// Applies `command`.
    pub(in crate::app) fn apply_influence(&mut self, command: InfluenceCommand) {
        let asked = self.state.examined_prompt();
        let influence = &mut self.state.influence;
        match command {
            InfluenceCommand::Examine => {
                begin(&self.engine, &mut influence.words, asked, ExamineWords);
                if !self.state.is_seen(Pane::INFLUENCE) {
                    self.open_pane(Pane::INFLUENCE, true);
                }
            }
            InfluenceCommand::Share => begin(&self.engine, &mut influence.shares, asked, SharePhrases),
            InfluenceCommand::Cancel => {
                influence.words.request.cancel();
                influence.shares.request.cancel();
            }
            InfluenceCommand::Select(selection) => influence.selected = selection,
            InfluenceCommand::Do(method) => influence.method = method,
            InfluenceCommand::Measure(measure) => influence.measure = measure,
        }
    }

    /// Requests the picture of the part that is selected, unless it was requested. Called once per frame.
    pub(in crate::app) fn paint_influence(&mut self) {
        let is_seen = self.state.is_seen(Pane::INFLUENCE);
        let influence = &mut self.state.influence;
        let (Some(selected), Some((ticket, _, shown, found))) = (influence.selected, &influence.words.found)
        else {
            return;
        };
        let of = (*ticket, selected, influence.method);
        if !is_seen || influence.painting.asked() == Some(&of) {
            return;
        }
        let Some((effect, _)) = selected.effect(found, influence.method) else { return };
        let probabilities = [found.probability.clone(), effect.probability.clone()];
        let job = PaintDifference { image: shown.image.clone(), seen: shown.window, probabilities, side: SIDE };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut influence.painting, of, job);
    }
}

/// Begins a study of the prompt that is shown, if there is an image and a model.
fn begin<T, J: ModelJob<Answer = Arc<T>>>(
    engine: &Engine,
    study: &mut Study<T>,
    asked: Option<((Examined, Shown), ExaminedPrompt)>,
    job: impl FnOnce(ExaminedPrompt) -> J,
) {
    let Some((of, prompt)) = asked else { return };
    study.error = None;
    engine.ask_model(Slot::Primary, &mut study.request, of, job(prompt));
}

impl State {
    /// Returns what would be examined now; `None` without an image or a model.
    pub fn examined(&self) -> Option<Examined> {
        let (open, model) = (self.document.image.as_ref()?, self.model.as_ref()?);
        Some(Examined {
            image: (open.ticket, open.slice),
            window: open.asked,
            truth: self.truth_mask().map(|(ticket, _)| ticket),
            prompt: self.document.prompt.clone(),
            model: model.opened,
            threshold: threshold_step(self.settings.threshold),
        })
    }

    fn examined_prompt(&self) -> Option<((Examined, Shown), ExaminedPrompt)> {
        let (of, open) = (self.examined()?, self.document.image.as_ref()?);
        let shown = Shown { image: open.image.clone(), window: open.painted() };
        let prompt = ExaminedPrompt {
            image: open.image.clone(),
            seen: open.asked,
            prompt: of.prompt.clone(),
            truth: self.truth_mask().map(|(_, mask)| mask),
            threshold: self.settings.threshold,
        };
        Some(((of, shown), prompt))
    }
}
