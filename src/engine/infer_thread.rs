//! The thread that owns the model.

use std::sync::Arc;

use crossbeam_channel::{Receiver, select};

use super::message::{Counts, Event, ModelRequest, PredictRequest, Predicted};
use super::outbox::{Outbox, guarded};
use super::scores::ThresholdCounts;
use super::segmenter::{OpenModel, Segmenter};
use super::slot::LatestSlot;
use crate::data::Image;
use crate::data::scan::Seen;
use crate::device::DeviceChoice;
use crate::infer::{ModelSource, Prediction};

/// Everything the thread works with.
pub(super) struct InferThread {
    pub(super) open: OpenModel,
    pub(super) models: LatestSlot<ModelRequest>,
    pub(super) requests: LatestSlot<PredictRequest>,
    pub(super) predictions: LatestSlot<Predicted>,
    pub(super) quit: Receiver<()>,
    pub(super) out: Outbox,
    pub(super) model: Option<(ModelSource, Box<dyn Segmenter>)>,
    /// The picture that was asked about last, and what the network saw of it.
    pub(super) seen: Option<(Arc<Image>, Seen, Arc<Image>)>,
}

/// Why there is no prediction.
enum Failure {
    /// The model said so.
    Refused(String),
    /// It panicked, and its state cannot be trusted any more.
    Panicked(String),
}

impl InferThread {
    /// Works until the engine is dropped.
    pub(super) fn run(mut self) {
        loop {
            select! {
                recv(self.quit) -> _ => return,
                recv(self.models.arrivals()) -> _ => self.open_waiting_model(),
                recv(self.requests.arrivals()) -> _ => {
                    // A model that was asked for first is opened first.
                    self.open_waiting_model();
                    if let Some(request) = self.requests.take() {
                        self.answer(request);
                    }
                }
            }
        }
    }

    fn open_waiting_model(&mut self) {
        let Some(ModelRequest { ticket, source, device }) = self.models.take() else { return };
        match self.open_model(&source, device) {
            Ok(mut model) => {
                let info = model.info();
                // What there was to say of the opening is in `info`.
                model.take_notices();
                self.model = Some((source.clone(), model));
                self.out.send(Event::ModelOpened { ticket, source, info });
            }
            Err(message) => self.out.send(Event::ModelFailed { ticket, message }),
        }
    }

    fn open_model(&self, source: &ModelSource, device: DeviceChoice) -> Result<Box<dyn Segmenter>, String> {
        guarded(|| (self.open)(source, device)).unwrap_or_else(|reason| {
            let file = source.model.display();
            Err(format!("The model could not be opened ({reason}). Check that the file is a HiMix model: {file}"))
        })
    }

    fn answer(&mut self, request: PredictRequest) {
        let mut result = self.predict(&request);
        if let Err(Failure::Panicked(reason)) = &result {
            let reason = reason.clone();
            if !self.reopen_on_cpu(&reason) {
                return;
            }
            result = self.predict(&request);
            if matches!(result, Err(Failure::Panicked(_))) && !self.reopen_on_cpu(&reason) {
                return;
            }
        }
        match result {
            Ok(prediction) => self.deliver(request, prediction),
            Err(Failure::Refused(message)) => {
                self.out.send(Event::PredictionFailed { ticket: request.ticket, message });
            }
            Err(Failure::Panicked(reason)) => {
                let message = format!("The prediction failed ({reason}). Try another prompt, image or model.");
                self.out.send(Event::PredictionFailed { ticket: request.ticket, message });
            }
        }
        self.pass_on_notices();
    }

    fn predict(&mut self, request: &PredictRequest) -> Result<Prediction, Failure> {
        let Some((_, model)) = &mut self.model else {
            return Err(Failure::Refused("No model is open. Open one from the Model menu.".into()));
        };
        let image = match (request.seen, &self.seen) {
            (None, _) => request.image.clone(),
            (Some(seen), Some((of, how, image))) if Arc::ptr_eq(of, &request.image) && *how == seen => {
                image.clone()
            }
            (Some(seen), _) => {
                let image = Arc::new(request.image.windowed(seen.window, seen.is_inverted));
                self.seen = Some((request.image.clone(), seen, image.clone()));
                image
            }
        };
        let prediction = guarded(|| model.predict(&image, &request.prompt))
            .map_err(Failure::Panicked)?
            .map_err(Failure::Refused)?;
        let (width, height) = (request.image.width, request.image.height);
        let plane = &prediction.probability;
        let grid = &prediction.probability_model;
        if (plane.width, plane.height, plane.values.len()) != (width, height, width * height)
            || grid.values.len() != grid.width * grid.height
        {
            let size = format!("{} × {}", plane.width, plane.height);
            let message =
                format!("The model answered with a mask of {size} pixels for an image of {width} × {height}.");
            return Err(Failure::Refused(message));
        }
        Ok(prediction)
    }

    fn deliver(&self, request: PredictRequest, prediction: Prediction) {
        let truth = request.truth.as_ref().map(|(_, mask)| mask.values.as_slice());
        let table = Arc::new(ThresholdCounts::new(&prediction.probability.values, truth));
        let counts = Counts { truth: request.truth.as_ref().map(|(ticket, _)| *ticket), table };
        let (ticket, image, prediction) = (request.ticket, request.image, Arc::new(prediction));
        self.predictions.put(Predicted { ticket, image, prediction, counts });
        (self.out.wake)();
    }

    /// After a panic: the same model, afresh and on the CPU. Whether there is a model again.
    fn reopen_on_cpu(&mut self, reason: &str) -> bool {
        let Some((source, broken)) = self.model.take() else { return false };
        // A model that panicked may panic again when it is taken apart.
        let _ = guarded(move || drop(broken));
        match self.open_model(&source, DeviceChoice::Cpu) {
            Ok(model) => {
                let notice = format!("The model stopped ({reason}) and was opened again on the CPU.");
                self.out.send(Event::Notice(notice));
                self.out.send(Event::ModelUpdated(model.info()));
                self.model = Some((source, model));
                true
            }
            Err(error) => {
                let message = format!("The model stopped ({reason}) and could not be opened again: {error}");
                self.out.send(Event::ModelLost { message });
                false
            }
        }
    }

    fn pass_on_notices(&mut self) {
        let Some((_, model)) = &mut self.model else { return };
        let notices = model.take_notices();
        if !notices.is_empty() {
            self.out.send(Event::ModelUpdated(model.info()));
            notices.into_iter().for_each(|notice| self.out.send(Event::Notice(notice)));
        }
    }
}
