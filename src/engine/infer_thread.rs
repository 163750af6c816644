//! The thread that owns the model.

use std::sync::Arc;

use crossbeam_channel::{Receiver, select};

use super::event_sender::{EventSender, guarded};
use super::message::{Counts, Event, InspectRequest, Inspected, ModelRequest, PredictRequest, Predicted};
use super::scores::ThresholdCounts;
use super::segmenter::{OpenModel, Segmenter};
use super::slot::LatestSlot;
use crate::data::Image;
use crate::data::volume::DisplayWindow;
use crate::device::DeviceChoice;
use crate::infer::{Inspection, ModelSource, Prediction};

/// Everything the thread works with.
pub(super) struct InferThread {
    pub(super) open: OpenModel,
    pub(super) models: LatestSlot<ModelRequest>,
    pub(super) requests: LatestSlot<PredictRequest>,
    pub(super) predictions: LatestSlot<Predicted>,
    pub(super) looks: LatestSlot<InspectRequest>,
    pub(super) inspections: LatestSlot<Inspected>,
    pub(super) quit: Receiver<()>,
    pub(super) out: EventSender,
    pub(super) model: Option<(ModelSource, Box<dyn Segmenter>)>,
    /// The picture that was asked about last, and what the network saw of it.
    pub(super) seen: Option<(Arc<Image>, DisplayWindow, Arc<Image>)>,
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
                recv(self.looks.arrivals()) -> _ => {
                    self.open_waiting_model();
                    if let Some(request) = self.looks.take() {
                        self.look(request);
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
        match self.twice(|thread| thread.predict(&request)) {
            None => return,
            Some(Ok(prediction)) => self.deliver(request, prediction),
            Some(Err(message)) => self.out.send(Event::PredictionFailed { ticket: request.ticket, message }),
        }
        self.pass_on_notices();
    }

    fn look(&mut self, request: InspectRequest) {
        let ticket = request.of.ticket;
        match self.twice(|thread| thread.inspect(&request)) {
            None => return,
            Some(Ok(inspection)) => {
                let counts = counts(&request.of, &inspection.prediction);
                let InspectRequest { of, overrides, .. } = request;
                let inspection = Arc::new(inspection);
                self.inspections.put(Inspected { ticket, image: of.image, overrides, inspection, counts });
                (self.out.wake)();
            }
            Some(Err(message)) => self.out.send(Event::InspectionFailed { ticket, message }),
        }
        self.pass_on_notices();
    }

    /// Does `job`, after a panic of the model once more with the model opened again; none where there is no model any more.
    fn twice<T>(&mut self, job: impl Fn(&mut Self) -> Result<T, Failure>) -> Option<Result<T, String>> {
        let mut result = job(self);
        if let Err(Failure::Panicked(reason)) = &result {
            let reason = reason.clone();
            if !self.reopen_on_cpu(&reason) {
                return None;
            }
            result = job(self);
            if matches!(result, Err(Failure::Panicked(_))) && !self.reopen_on_cpu(&reason) {
                return None;
            }
        }
        Some(result.map_err(|failure| match failure {
            Failure::Refused(message) => message,
            Failure::Panicked(reason) => {
                format!("The prediction failed ({reason}). Try another prompt, image or model.")
            }
        }))
    }

    fn predict(&mut self, request: &PredictRequest) -> Result<Prediction, Failure> {
        let prediction = self.ask(request, |model, image| model.predict(image, &request.prompt))?;
        must_fit(&prediction, &request.image)?;
        Ok(prediction)
    }

    fn inspect(&mut self, request: &InspectRequest) -> Result<Inspection, Failure> {
        let InspectRequest { of, overrides, wanted } = request;
        let inspection =
            self.ask(of, |model, image| model.inspect(image, &of.prompt, overrides.as_ref(), *wanted))?;
        must_fit(&inspection.prediction, &of.image)?;
        Ok(inspection)
    }

    /// Asks the model about a picture as it is seen.
    fn ask<T>(
        &mut self,
        request: &PredictRequest,
        question: impl FnOnce(&mut dyn Segmenter, &Image) -> Result<T, String>,
    ) -> Result<T, Failure> {
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
        guarded(|| question(model.as_mut(), &image)).map_err(Failure::Panicked)?.map_err(Failure::Refused)
    }

    fn deliver(&self, request: PredictRequest, prediction: Prediction) {
        let counts = counts(&request, &prediction);
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

/// Refuses masks of another size than the image's.
fn must_fit(prediction: &Prediction, image: &Image) -> Result<(), Failure> {
    let (width, height) = (image.width, image.height);
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
    Ok(())
}

/// At every threshold, against the request's truth.
fn counts(request: &PredictRequest, prediction: &Prediction) -> Counts {
    let truth = request.truth.as_ref().map(|(_, mask)| mask.values.as_slice());
    let table = Arc::new(ThresholdCounts::new(&prediction.probability.values, truth));
    Counts { truth: request.truth.as_ref().map(|(ticket, _)| *ticket), table }
}
