//! Takes the results of the second model into the state.

use std::sync::Arc;

use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::engine::{Failure, ModelEvent, Predicted};
use crate::infer::ModelInfo;

impl HimixApp {
    /// Handles an event of the comparison model's thread.
    pub(in crate::app) fn take_compared_event(&mut self, event: ModelEvent) {
        if matches!(event, ModelEvent::Updated { .. }) {
            // The answer to the request that opened the model comes another way and may not be taken yet.
            self.take_comparison();
        }
        let Some(comparison) = &mut self.state.comparison else { return };
        match event {
            ModelEvent::Updated { opened, info } => {
                if opened == comparison.opening.newest() {
                    comparison.info = Some(*info);
                }
            }
            ModelEvent::WarmUp(progress) => comparison.warm_up = progress,
            ModelEvent::Lost(message) => {
                comparison.info = None;
                comparison.predicted = None;
                let newest = comparison.prediction.newest();
                comparison.prediction.forget(newest);
                self.compared_failed(message.into());
            }
            ModelEvent::Notice(text) => {
                self.state.notes.add(Kind::Warning, format!("The compared model: {text}"));
            }
        }
    }

    /// Handles the results requested from the comparison model.
    pub(in crate::app) fn take_comparison(&mut self) {
        let Some(comparison) = &mut self.state.comparison else { return };
        let opened = comparison.opening.take();
        let predicted = comparison.prediction.take_any().map(|(_, outcome)| outcome);
        let mut failures = Vec::new();
        for painting in &mut comparison.paintings {
            match painting.request.take() {
                None => {}
                Some(Ok(picture)) => painting.fresh = Some(picture),
                Some(Err(failure)) => failures.push(failure),
            }
        }
        failures.into_iter().for_each(|failure| self.say_failure(failure));
        match opened {
            None => {}
            Some(Ok(info)) => self.compared_opened(info),
            Some(Err(failure)) => self.compared_failed(failure),
        }
        match predicted {
            None => {}
            Some(Ok(predicted)) => self.take_compared_prediction(predicted),
            Some(Err(failure)) => self.compared_failed(failure),
        }
    }

    fn compared_opened(&mut self, info: ModelInfo) {
        let Some(comparison) = &mut self.state.comparison else { return };
        self.state.settings.list_model(comparison.source.clone());
        for notice in &info.notices {
            self.state.notes.add(Kind::Warning, format!("The compared model: {notice}"));
        }
        comparison.info = Some(info);
        self.request_compared();
    }

    /// Tells the user why the comparison model has no result: in place of its mask, and as a message, because
    /// another tab may be open.
    fn compared_failed(&mut self, failure: Failure) {
        let (Some(comparison), Some(message)) = (&mut self.state.comparison, failure.message()) else {
            return;
        };
        self.state.notes.add(Kind::Error, format!("The compared model: {message}"));
        comparison.error = Some(message);
    }

    fn take_compared_prediction(&mut self, predicted: Predicted) {
        let Some(comparison) = &mut self.state.comparison else { return };
        // An answer about a previously shown image says nothing about this one.
        if self.state.document.image.as_ref().is_some_and(|open| Arc::ptr_eq(&open.image, &predicted.image)) {
            comparison.error = None;
            comparison.predicted = Some(predicted);
        }
    }
}
