//! Takes the results of the background threads into the state of the Stages tab.

use std::sync::Arc;

use eframe::egui::{ColorImage, Context, TextureOptions};

use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::notes::Kind;
use crate::engine::{Failure, Inspected, Slot, StudyAnswer};
use crate::infer::ModelSource;

impl HimixApp {
    /// Handles the results that the tab has requested.
    pub(in crate::app) fn take_stages(&mut self, ctx: &Context) {
        for slot in [Slot::Primary, Slot::Compared] {
            let look = self.state.stages.look_mut(slot);
            match look.request.take_any().map(|(_, outcome)| outcome) {
                None => {}
                Some(Ok(inspected)) => self.take_inspection(slot, inspected),
                Some(Err(failure)) => self.inspection_failed(slot, failure),
            }
            self.take_refinement(slot);
        }
        self.take_base(ctx);
        if let Some(outcome) = self.state.stages.work.take() {
            self.take_study(outcome);
        }
    }

    fn take_inspection(&mut self, slot: Slot, inspected: Inspected) {
        // An answer about a previously shown image says nothing about this one.
        if self.state.document.image.as_ref().is_some_and(|open| Arc::ptr_eq(&open.image, &inspected.image)) {
            let look = self.state.stages.look_mut(slot);
            look.error = None;
            look.seen = Some(inspected);
        }
    }

    fn inspection_failed(&mut self, slot: Slot, failure: Failure) {
        let Some(message) = failure.message() else { return };
        // For the open model, the message is shown in place of the stages; for the comparison model, a note is
        // needed.
        if slot == Slot::Compared {
            let text = format!("The compared model shows no stages: {message}");
            self.state.notes.add(Kind::Error, text);
        }
        let look = self.state.stages.look_mut(slot);
        look.error = Some(message);
        look.seen = None;
    }

    fn take_refinement(&mut self, slot: Slot) {
        let refinement = &mut self.state.stages.look_mut(slot).refinement;
        match (refinement.request.take(), refinement.request.asked()) {
            (Some(Ok(steps)), Some((look, ..))) => refinement.steps = Some((*look, steps)),
            (Some(Err(failure)), _) => self.say_failure(failure),
            (Some(Ok(_)), None) | (None, _) => {}
        }
    }

    fn take_base(&mut self, ctx: &Context) {
        let base = &mut self.state.stages.base;
        match base.request.take() {
            None => {}
            Some(Ok(picture)) => {
                if let Some(bytes) = picture.texels.rgba() {
                    let image = ColorImage::from_rgba_unmultiplied([picture.width, picture.height], bytes);
                    let texture = ctx.load_texture("picture beneath the maps", image, TextureOptions::LINEAR);
                    base.texture = Some(texture);
                }
            }
            Some(Err(failure)) => self.say_failure(failure),
        }
    }

    fn take_study(&mut self, outcome: Result<StudyAnswer, Failure>) {
        let state = &mut self.state;
        let is_other = state.stages.work.asked().is_some_and(|work| work.slot == Slot::Compared);
        let answer = match outcome {
            Ok(answer) => answer,
            Err(Failure::Cancelled) => {
                if state.stages.sweeping.take().is_some() && state.stages.swept.is_some() {
                    let words =
                        "The sweep was cancelled before its first case was done. The previous sweep stays.";
                    state.notes.add(Kind::Info, words);
                }
                return;
            }
            Err(Failure::Failed(message)) => {
                state.stages.sweeping = None;
                return state.notes.add(Kind::Error, message);
            }
        };
        match answer {
            StudyAnswer::Swept(result) => {
                for reason in result.skipped.iter().take(3) {
                    state.notes.add(Kind::Warning, format!("Left out of the sweep: {reason}"));
                }
                self.keep_sweep(*result);
            }
            StudyAnswer::Saved { folder } => {
                let words = format!(
                    "The modified model was saved without stage read-outs, because these were fitted to the original. Open it to fit its own. Folder: {}",
                    folder.display()
                );
                state.notes.add(Kind::Info, words);
                state.settings.list_model(ModelSource::new(folder));
            }
            StudyAnswer::Fitted { description } => {
                state
                    .notes
                    .add(Kind::Info, format!("The stage read-outs were saved with the model: {description}."));
                // The model is reopened to load the stage read-outs.
                let open = state.model.as_ref().filter(|_| !is_other).map(|model| model.source.clone());
                self.commands.extend(open.map(Command::OpenModel));
                let other = state.comparison.as_ref().filter(|_| is_other).map(|other| other.source.clone());
                self.commands.extend(other.map(Command::CompareWith));
            }
        }
    }
}
