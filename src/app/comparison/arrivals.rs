//! What the threads report of the second model, taken into the state.

use std::sync::Arc;

use crate::app::HimixApp;
use crate::engine::{DisplayPixels, Event, Ticket};

impl HimixApp {
    /// Takes in what the thread of the compared model reports.
    pub(in crate::app) fn take_compared(&mut self, event: Event) {
        let Some(comparison) = &mut self.state.comparison else { return };
        match event {
            Event::ModelOpened { ticket, info, .. } if ticket == comparison.ticket => {
                comparison.info = Some(info);
                self.state.settings.list_model(comparison.source.clone().into());
                self.request_compared();
            }
            Event::ModelFailed { ticket, message } if ticket == comparison.ticket => {
                comparison.error = Some(message);
            }
            Event::ModelUpdated(info) => comparison.info = Some(info),
            Event::ModelLost { message } => {
                comparison.info = None;
                comparison.error = Some(message);
            }
            Event::PredictionFailed { ticket, message } if ticket == comparison.newest => {
                comparison.error = Some(message);
            }
            _ => {}
        }
    }

    /// Takes in its newest prediction.
    pub(in crate::app) fn take_compared_prediction(&mut self) {
        let Some(predicted) = self.engine.take_compared() else { return };
        let Some(comparison) = &mut self.state.comparison else { return };
        // An answer about an image that was shown before says nothing about this one.
        if self.state.image.as_ref().is_some_and(|open| Arc::ptr_eq(&open.image, &predicted.image)) {
            comparison.error = None;
            comparison.predicted = Some(predicted);
        }
    }

    /// Takes in a picture of the comparison.
    pub(in crate::app) fn take_painting(&mut self, ticket: Ticket, picture: DisplayPixels) {
        let Some(comparison) = &mut self.state.comparison else { return };
        for painting in &mut comparison.paintings {
            if painting.asked.as_ref().is_some_and(|(_, asked)| *asked == ticket) {
                painting.fresh = Some(picture.clone());
            }
        }
    }
}
