//! What the threads report for the tab.

use std::sync::Arc;

use eframe::egui::{ColorImage, Context, TextureOptions};

use super::StagesCommand;
use crate::analysis::refinement::Step;
use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::notes::Kind;
use crate::engine::{DisplayPixels, Inspected, StudyEvent, Ticket};
use crate::infer::ModelSource;

impl HimixApp {
    /// Takes in looks inside.
    pub(in crate::app) fn take_inspections(&mut self) {
        if let Some(inspected) = self.engine.take_inspection() {
            self.take_inspection(inspected, false);
        }
        if let Some(inspected) = self.engine.take_compared_inspection() {
            self.take_inspection(inspected, true);
        }
    }

    fn take_inspection(&mut self, inspected: Inspected, is_other: bool) {
        // An answer about an image that was shown before says nothing about this one.
        if self.state.image.as_ref().is_some_and(|open| Arc::ptr_eq(&open.image, &inspected.image)) {
            let stages = &mut self.state.stages;
            let look = if is_other { &mut stages.other } else { &mut stages.look };
            look.error = None;
            look.seen = Some(inspected);
        }
    }

    pub(in crate::app) fn inspection_failed(&mut self, ticket: Ticket, message: String) {
        let stages = &mut self.state.stages;
        for look in [&mut stages.look, &mut stages.other] {
            if look.asked.as_ref().is_some_and(|(_, asked)| *asked == ticket) {
                look.error = Some(message.clone());
                look.seen = None;
            }
        }
    }

    /// Whether the picture was asked for by this tab.
    pub(in crate::app) fn take_base(&mut self, ctx: &Context, ticket: Ticket, picture: &DisplayPixels) -> bool {
        let base = &mut self.state.stages.base;
        if base.asked.is_none_or(|(_, _, _, asked)| asked != ticket) {
            return false;
        }
        if let Some(bytes) = picture.texels.rgba() {
            let image = ColorImage::from_rgba_unmultiplied([picture.width, picture.height], bytes);
            base.texture = Some(ctx.load_texture("picture beneath the maps", image, TextureOptions::LINEAR));
        }
        true
    }

    pub(in crate::app) fn take_steps(&mut self, ticket: Ticket, steps: Vec<Step>) {
        let stages = &mut self.state.stages;
        for look in [&mut stages.look, &mut stages.other] {
            if look.refinement.asked.is_some_and(|(asked, ..)| asked == ticket) {
                look.refinement.is_awaited = false;
                look.refinement.steps = Some((ticket, steps.clone()));
            }
        }
    }

    pub(in crate::app) fn take_study(&mut self, ticket: Ticket, event: StudyEvent) {
        let state = &mut self.state;
        let Some(working) = state.stages.working.as_mut().filter(|working| working.ticket == ticket) else {
            return;
        };
        if let StudyEvent::Progress { done, count } = event {
            working.progress = Some((done, count));
            return;
        }
        let is_other = working.is_other;
        state.stages.working = None;
        match event {
            StudyEvent::Progress { .. } => {}
            StudyEvent::Cancelled => {
                if state.stages.sweeping.take().is_some() && state.stages.swept.is_some() {
                    let words =
                        "The sweep was cancelled before its first case was done. The previous sweep stays.";
                    state.notes.add(Kind::Info, words);
                }
            }
            StudyEvent::Failed(message) => {
                state.stages.sweeping = None;
                state.notes.add(Kind::Error, message);
            }
            StudyEvent::Swept(result) => {
                for reason in result.skipped.iter().take(3) {
                    state.notes.add(Kind::Warning, format!("Left out of the sweep: {reason}"));
                }
                self.keep_sweep(*result);
            }
            StudyEvent::Saved { folder } => {
                let words = format!(
                    "The modified model was saved without stage read-outs, because these were fitted to the original. Open it to fit its own. Folder: {}",
                    folder.display()
                );
                state.notes.add(Kind::Info, words);
                state.settings.list_model(ModelSource::new(folder).into());
            }
            StudyEvent::Fitted { description } => {
                state
                    .notes
                    .add(Kind::Info, format!("The stage read-outs were saved with the model: {description}."));
                // The model is opened again with them.
                let open = state.model.as_ref().filter(|_| !is_other).map(|model| model.source.clone());
                self.commands.extend(open.map(Command::OpenModel));
                let other =
                    state.training.comparison.as_ref().filter(|_| is_other).map(|other| other.source.clone());
                self.commands.extend(other.map(|source| Command::Stages(StagesCommand::CompareWith(source))));
            }
        }
    }
}
