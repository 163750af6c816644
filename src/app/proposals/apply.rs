//! The commands about proposals, and the answers.

use super::{DescribedMask, DescriptionOf, ProposalsCommand, ProposedFor};
use crate::app::HimixApp;
use crate::app::state::State;
use crate::data::Mask;
use crate::engine::jobs::{DescribeMask, JudgedImage, RefinePrompt, SearchSentence};
use crate::engine::{MaskOf, Slot, threshold_step};

impl State {
    /// Returns what a proposal made now would be about; `None` without an image.
    pub fn proposed_for(&self) -> Option<ProposedFor> {
        let open = self.document.image.as_ref()?;
        let opened = self.model.as_ref().map(|model| model.opened);
        Some(ProposedFor { image: open.layer.key, seen: open.asked, opened, kind: self.proposals.kind })
    }

    /// Returns what a description of this mask would be about now; `None` if there is no such mask.
    pub fn described_now(&self, mask: DescribedMask) -> Option<DescriptionOf> {
        let image = self.proposed_for()?;
        let (ticket, step) = match mask {
            DescribedMask::Shown => (self.shown.as_ref()?.ticket, threshold_step(self.settings.threshold)),
            DescribedMask::Truth => (self.truth_mask()?.0, 0),
        };
        Some(DescriptionOf { image, mask, ticket, step })
    }

    /// Returns the image to describe, as the kind that was chosen.
    fn proposed_image(&mut self) -> Option<JudgedImage> {
        let known = self.judged_image()?;
        Some(match self.proposals.kind {
            Some(kind) if known.kind != Some(kind) => JudgedImage::new(known.image, known.seen, Some(kind)),
            _ => known,
        })
    }
}

impl HimixApp {
    /// Carries out a command about proposals.
    pub(in crate::app) fn apply_proposals(&mut self, command: ProposalsCommand) {
        match command {
            ProposalsCommand::Describe(mask) => self.describe(mask),
            ProposalsCommand::Refine => self.refine(),
            ProposalsCommand::Search => self.search(),
            ProposalsCommand::Cancel => {
                self.state.proposals.refining.cancel();
                self.state.proposals.searching.cancel();
            }
            ProposalsCommand::SetKind(kind) => self.state.proposals.kind = kind,
            ProposalsCommand::Use(sentence) => {
                // What the user had written is not lost.
                let before = self.state.document.prompt.clone();
                if self.state.brought.as_deref() != Some(before.as_str()) {
                    self.state.settings.remember_prompt(&before);
                }
                self.set_prompt(sentence);
            }
        }
    }

    fn describe(&mut self, mask: DescribedMask) {
        let state = &mut self.state;
        let Some(of) = state.described_now(mask) else { return };
        let Some(image) = state.proposed_image() else { return };
        let described = match (mask, &state.shown) {
            (DescribedMask::Shown, Some(shown)) => {
                MaskOf::Prediction(shown.prediction.clone(), state.settings.threshold)
            }
            _ => match state.truth_mask() {
                Some((_, mask)) => MaskOf::Mask(mask),
                None => return,
            },
        };
        let job = DescribeMask { image, mask: described };
        let sent = self.engine.ask(&mut state.proposals.describing, of, job);
        self.say_if_busy(sent);
    }

    fn refine(&mut self) {
        let state = &mut self.state;
        let (Some(of), Some(image)) = (state.proposed_for(), state.proposed_image()) else { return };
        let job = RefinePrompt {
            prompt: state.sent_prompt().into_owned(),
            truth: state.truth_of(&image),
            threshold: state.settings.threshold,
            image,
        };
        self.engine.ask_model(Slot::Primary, &mut state.proposals.refining, of, job);
    }

    fn search(&mut self) {
        let state = &mut self.state;
        let (Some(of), Some(image)) = (state.proposed_for(), state.proposed_image()) else { return };
        let job = SearchSentence { truth: state.truth_of(&image), threshold: state.settings.threshold, image };
        self.engine.ask_model(Slot::Primary, &mut state.proposals.searching, of, job);
    }

    /// Takes the answers that have arrived.
    pub(in crate::app) fn take_proposals(&mut self) {
        let proposals = &mut self.state.proposals;
        let mut failures = Vec::new();
        if let Some(outcome) = proposals.describing.take() {
            match (outcome, proposals.describing.asked().copied()) {
                (Ok((kind, sentence)), Some(of)) => proposals.description = Some((of, kind, sentence)),
                (Ok(_), None) => {}
                (Err(failure), _) => failures.push(failure),
            }
        }
        if let Some(outcome) = proposals.refining.take() {
            match (outcome, proposals.refining.asked().copied()) {
                (Ok(found), Some(of)) => proposals.refinement = Some((of, found)),
                (Ok(_), None) => {}
                (Err(failure), _) => failures.push(failure),
            }
        }
        if let Some(outcome) = proposals.searching.take() {
            match (outcome, proposals.searching.asked().copied()) {
                (Ok(found), Some(of)) => proposals.search = Some((of, found)),
                (Ok(_), None) => {}
                (Err(failure), _) => failures.push(failure),
            }
        }
        failures.into_iter().for_each(|failure| self.say_failure_of_case(failure));
    }
}

impl State {
    /// Returns the ground truth if it has the size of the image.
    fn truth_of(&self, image: &JudgedImage) -> Option<std::sync::Arc<Mask>> {
        let (_, mask) = self.truth_mask()?;
        ((mask.width, mask.height) == (image.image.width, image.image.height)).then_some(mask)
    }
}
