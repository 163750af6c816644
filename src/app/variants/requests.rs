//! What the pins ask of the threads, and the answers.

use std::sync::Arc;
use std::time::Duration;

use super::{Pin, PinnedMask, PinnedOf};
use crate::app::HimixApp;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::engine::jobs::{CompareVariants, CountPixels, JudgeMask, PredictVariants};
use crate::engine::{Failure, Slot, threshold_step};
use crate::render::ProbabilityLayer;

/// The slots of models, in the order of the requests.
const SLOTS: [Slot; 2] = [Slot::Primary, Slot::Compared];

impl State {
    /// Returns what the mask of a pin is made of now; `None` without an image or its model.
    pub fn wanted_mask(&self, pin: &Pin) -> Option<PinnedOf> {
        let open = self.document.image.as_ref()?;
        let slot = pin.slot();
        let opened = match slot {
            Slot::Primary => self.model.as_ref()?.opened,
            Slot::Compared => {
                let comparison = self.comparison.as_ref()?;
                comparison.info.as_ref()?;
                comparison.opening.newest()
            }
        };
        let prompt = pin.sent().to_owned();
        Some(PinnedOf { prompt, slot, opened, image: open.layer.key, seen: open.asked })
    }

    /// Returns whether the mask of a pin belongs to what it is now.
    pub fn is_current(&self, pin: &Pin) -> bool {
        let wanted = self.wanted_mask(pin);
        pin.mask.as_ref().is_some_and(|mask| Some(&mask.of) == wanted.as_ref())
    }
}

impl HimixApp {
    /// Requests everything that the pins lack while they are shown. Called once per frame.
    pub(in crate::app) fn request_variants(&mut self) {
        for pin in &mut self.state.variants.pins {
            if pin.typing.as_ref().is_some_and(|typing| typing.rest().is_zero()) {
                pin.typing = None;
            }
        }
        if self.state.tab != Tab::Prompts || self.state.document.image.is_none() {
            return;
        }
        SLOTS.into_iter().enumerate().for_each(|(index, slot)| self.request_masks(index, slot));
        self.request_counts();
        self.request_judgement();
        self.request_differences();
    }

    /// Returns how long it takes until a word that is being typed in a pin counts as complete.
    pub(in crate::app) fn until_pins_typed(&self) -> Option<Duration> {
        self.state.variants.pins.iter().filter_map(|pin| pin.typing.as_ref()).map(|typing| typing.rest()).min()
    }

    fn request_masks(&mut self, index: usize, slot: Slot) {
        let state = &self.state;
        let pins = state.variants.pins.iter().filter(|pin| pin.slot() == slot && !state.is_current(pin));
        let mut wanted: Vec<PinnedOf> = Vec::new();
        for of in pins.filter_map(|pin| state.wanted_mask(pin)) {
            if !wanted.contains(&of) {
                wanted.push(of);
            }
        }
        let request = &state.variants.predictions[index];
        let is_asked = request.asked().is_some_and(|asked| wanted.iter().all(|of| asked.contains(of)));
        if wanted.is_empty() || is_asked {
            return;
        }
        let Some(open) = &state.document.image else { return };
        let job = PredictVariants {
            image: open.image.clone(),
            seen: open.asked,
            prompts: wanted.iter().map(|of| of.prompt.clone()).collect(),
            truth: state.truth_mask(),
        };
        self.state.variants.errors[index] = None;
        self.engine.ask_model(slot, &mut self.state.variants.predictions[index], wanted, job);
    }

    /// Requests the pixel counts of a mask that was made before the ground truth was there.
    fn request_counts(&mut self) {
        let state = &self.state;
        if state.variants.counts.pending().is_some() {
            return;
        }
        let truth = state.truth_mask();
        let key = truth.as_ref().map(|(ticket, _)| *ticket);
        let masks = state.variants.pins.iter().filter(|pin| state.is_current(pin));
        let lacking = masks.filter_map(|pin| pin.mask.as_ref()).find(|mask| mask.counts.truth != key);
        let (Some(mask), Some(truth)) = (lacking, truth) else { return };
        let (ticket, prediction) = (mask.ticket, mask.prediction.clone());
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.variants.counts, ticket, CountPixels { prediction, truth });
    }

    /// Requests what the rules say of a mask, one at a time.
    fn request_judgement(&mut self) {
        let state = &mut self.state;
        if state.variants.judging.pending().is_some() {
            return;
        }
        let Some(image) = state.judged_image() else { return };
        let lacking = state.variants.pins.iter().find_map(|pin| {
            let step = threshold_step(pin.spec.threshold);
            let mask = pin.mask.as_ref().filter(|_| state.is_current(pin))?;
            let is_known = mask.judgement.as_ref().is_some_and(|(of, _)| *of == step);
            let is_asked = state.variants.judging.asked() == Some(&(mask.ticket, step));
            (!is_known && !is_asked).then(|| (mask.ticket, step, mask.prediction.clone(), pin.spec.threshold))
        });
        let Some((ticket, step, prediction, threshold)) = lacking else { return };
        let job = JudgeMask { image, prediction, threshold };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.variants.judging, (ticket, step), job);
    }

    /// Requests the comparison of the masks with each other.
    fn request_differences(&mut self) {
        let state = &self.state;
        let known = state.variants.pins.iter().filter(|pin| state.is_current(pin));
        let known: Vec<_> =
            known.filter_map(|pin| Some((pin.id, pin.mask.as_ref()?, pin.spec.threshold))).collect();
        let of = known.iter().map(|(id, mask, threshold)| (*id, mask.ticket, threshold_step(*threshold)));
        let of: Vec<_> = of.collect();
        let comparing = &state.variants.comparing;
        if of.len() < 2 || comparing.asked() == Some(&of) || comparing.pending().is_some() {
            return;
        }
        let masks = known.iter().map(|(_, mask, threshold)| (mask.prediction.clone(), *threshold)).collect();
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.variants.comparing, of, CompareVariants { masks });
    }

    /// Takes the answers.
    pub(in crate::app) fn take_variants(&mut self) {
        for index in 0..SLOTS.len() {
            let request = &mut self.state.variants.predictions[index];
            let Some(outcome) = request.take() else { continue };
            let Some(asked) = request.asked().cloned() else { continue };
            match outcome {
                Ok(answers) => {
                    for (of, (prediction, counts)) in asked.into_iter().zip(answers) {
                        let ticket = self.ticket();
                        let grid = &prediction.probability_model;
                        let (size, values) = ([grid.width, grid.height], Arc::new(grid.values.clone()));
                        let layer = ProbabilityLayer { key: ticket, size, values };
                        let misread = prediction.tokens.reading.misread(&prediction.prompt);
                        let mask = PinnedMask { ticket, of, prediction, layer, counts, misread, judgement: None };
                        self.take_mask(mask);
                    }
                }
                Err(Failure::Cancelled) => {}
                Err(Failure::Failed(message)) => self.state.variants.errors[index] = Some(message),
            }
        }
        let variants = &mut self.state.variants;
        if let (Some(Ok(counts)), Some(of)) = (variants.counts.take(), variants.counts.asked().copied()) {
            let masks = variants.pins.iter_mut().filter_map(|pin| pin.mask.as_mut());
            masks.filter(|mask| mask.ticket == of).for_each(|mask| mask.counts = counts.clone());
        }
        let variants = &mut self.state.variants;
        if let (Some(Ok(judgement)), Some((of, step))) =
            (variants.judging.take(), variants.judging.asked().copied())
        {
            // Pins of the same prompt share a mask, but not its threshold.
            for pin in variants.pins.iter_mut().filter(|pin| threshold_step(pin.spec.threshold) == step) {
                if let Some(mask) = pin.mask.as_mut().filter(|mask| mask.ticket == of) {
                    mask.judgement = Some((step, judgement.clone()));
                }
            }
        }
        let variants = &mut self.state.variants;
        if let (Some(Ok(differences)), Some(of)) = (variants.comparing.take(), variants.comparing.asked().cloned())
        {
            let key = self.engine.ticket();
            let plane = &differences.disagreement;
            let values = Arc::new(plane.values.clone());
            let layer = ProbabilityLayer { key, size: [plane.width, plane.height], values };
            self.state.variants.differences = Some((of, differences, layer));
        }
    }

    /// Gives a mask to every pin that wants it.
    fn take_mask(&mut self, mask: PinnedMask) {
        let state = &self.state;
        let is_wanted = |pin: &Pin| state.wanted_mask(pin).as_ref() == Some(&mask.of);
        let wanting: Vec<u64> =
            state.variants.pins.iter().filter(|pin| is_wanted(pin)).map(|pin| pin.id).collect();
        for pin in self.state.variants.pins.iter_mut().filter(|pin| wanting.contains(&pin.id)) {
            pin.mask = Some(mask.clone());
        }
    }
}
