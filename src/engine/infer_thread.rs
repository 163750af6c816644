//! The thread that owns the model.

use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, at, never, select, unbounded};

use super::event::{Event, ModelEvent, Slot};
use super::event_sender::EventSender;
use super::guard::guarded;
use super::inference::{Counts, InspectRequest, Inspected, PredictRequest, Predicted};
use super::job::{self, Ticket};
use super::model_job::{Call, Visit, Visitor, network_input};
use super::pending::Reply;
use super::slot::LatestSlot;
use super::warm_up::{Message, Turn, WarmUpThread};
use crate::data::Image;
use crate::data::volume::DisplayWindow;
use crate::device::DeviceChoice;
use crate::device::precedence::{PRECEDENCE, Residence};
use crate::infer::{
    InferError, Inspection, ModelInfo, ModelSource, OpenModel, Prediction, Segmenter, WarmUp, Warmed, same_mask,
};

const NO_MODEL: &str = "No model is open. Open one from the Model menu.";

/// The requests to an inference thread, each in a slot with its reply channel.
#[derive(Clone, Default)]
pub(super) struct Requests {
    /// Models to open in place of the current one.
    pub(super) models: LatestSlot<(ModelSource, DeviceChoice, Reply<ModelInfo>)>,
    pub(super) predictions: LatestSlot<(PredictRequest, Reply<Predicted>)>,
    pub(super) inspections: LatestSlot<(InspectRequest, Reply<Inspected>)>,
    /// Jobs that wait for a handle of the model.
    pub(super) jobs: Calls,
}

/// The channel for jobs.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) put: Sender<Call>,
    pub(super) take: Receiver<Call>,
}

impl Default for Calls {
    fn default() -> Self {
        let (put, take) = unbounded();
        Self { put, take }
    }
}

/// The state of the thread.
pub(super) struct InferThread {
    /// The slot of the model.
    pub(super) slot: Slot,
    pub(super) open: OpenModel,
    pub(super) requests: Requests,
    pub(super) quit: Receiver<()>,
    pub(super) out: EventSender,
    pub(super) model: Option<(ModelSource, Box<dyn Segmenter>)>,
    /// Where the model lives, so that a training run on the same card lets it go first.
    pub(super) residence: Option<Residence<'static>>,
    /// The ticket of the request that opened the model.
    pub(super) opened: Ticket,
    /// The warm-up of the GPU that is to take over, while there is one.
    pub(super) warm_up: Option<WarmUpThread>,
    /// The turn of the warm-ups of all models.
    pub(super) turn: Turn,
    /// The stored image of the last request with a display window, that display window, and the resulting network
    /// input.
    pub(super) seen: Option<(Arc<Image>, DisplayWindow, Arc<Image>)>,
    /// The predictions that jobs ask for because they could not be given a model of their own.
    pub(super) visits: (Sender<Visit>, Receiver<Visit>),
}

/// The reason why there is no prediction.
enum Failure {
    /// The model rejected the request.
    Refused(String),
    /// The model panicked, and its state cannot be trusted any more.
    Panicked(String),
}

impl InferThread {
    /// Runs until the engine is dropped.
    pub(super) fn run(mut self) {
        loop {
            let warm_up = self.warm_up.as_ref().map_or_else(never, |warm_up| warm_up.messages.clone());
            let late = self.warm_up.as_ref().and_then(WarmUpThread::deadline).map_or_else(never, at);
            select! {
                recv(self.quit) -> _ => {
                    if let Some(warm_up) = self.warm_up.take() {
                        warm_up.end();
                    }
                    return;
                }
                recv(warm_up) -> message => self.hear(message.ok()),
                recv(late) -> _ => self.give_warm_up_up(),
                recv(self.requests.models.arrivals()) -> _ => self.open_waiting_model(),
                recv(self.requests.predictions.arrivals()) -> _ => {
                    // A model that was requested earlier is opened first.
                    self.open_waiting_model();
                    if let Some((request, reply)) = self.requests.predictions.take() {
                        self.answer(request, reply);
                    }
                }
                recv(self.requests.inspections.arrivals()) -> _ => {
                    self.open_waiting_model();
                    if let Some((request, reply)) = self.requests.inspections.take() {
                        self.look(request, reply);
                    }
                }
                recv(self.requests.jobs.take) -> call => {
                    self.open_waiting_model();
                    if let Ok(call) = call {
                        call(self.handle());
                    }
                }
                recv(self.visits.1) -> visit => {
                    // What the window shows comes before the many predictions of a job.
                    self.open_waiting_model();
                    if let Some((request, reply)) = self.requests.predictions.take() {
                        self.answer(request, reply);
                    }
                    if let Some((request, reply)) = self.requests.inspections.take() {
                        self.look(request, reply);
                    }
                    if let Ok(visit) = visit {
                        self.receive(visit);
                    }
                }
            }
        }
    }

    /// Opens the model that was requested last. The CPU answers at once, and a GPU takes over when it is ready.
    fn open_waiting_model(&mut self) {
        let Some((source, device, reply)) = self.requests.models.take() else { return };
        match self.open_model(&source, DeviceChoice::Cpu) {
            Ok(mut model) => {
                let info = model.info();
                // The messages about opening are in `info`.
                model.take_notices();
                self.end_warm_up();
                let warm_up = model.on_gpu(device);
                self.model = Some((source, model));
                self.settle(&info);
                self.opened = reply.ticket;
                reply.answer(Ok(info));
                if let Some(warm_up) = warm_up {
                    self.begin_warm_up(warm_up);
                }
            }
            Err(message) => reply.answer(Err(job::Failure::Failed(message))),
        }
    }

    fn begin_warm_up(&mut self, warm_up: WarmUp) {
        match WarmUpThread::start(self.slot, warm_up, self.turn.clone()) {
            Ok(thread) => self.warm_up = Some(thread),
            Err(error) => self.say(ModelEvent::Notice(format!(
                "The GPU is not used, because no thread could be started ({error}). The CPU is used."
            ))),
        }
    }

    /// Ends the warm-up, if there is one, which is abandoned unless it has ended by itself.
    fn end_warm_up(&mut self) -> Option<WarmUpThread> {
        let ended = self.warm_up.take()?;
        self.say(ModelEvent::WarmUp(None));
        Some(ended)
    }

    /// Leaves a warm-up behind whose driver does not answer.
    fn give_warm_up_up(&mut self) {
        let Some(hung) = self.end_warm_up() else { return };
        self.turn.take_away();
        let device = hung.device.clone().unwrap_or_else(|| "The GPU".into());
        self.say(ModelEvent::Notice(format!(
            "{device} does not answer while it is made ready. The CPU is used. Choose the device again to try once more; if it hangs again, update the graphics driver."
        )));
    }

    /// Handles a message of the warm-up; `None` if its thread ended without a word.
    fn hear(&mut self, message: Option<Message>) {
        let outcome = match message {
            Some(Message::Begins) => return self.warm_up.iter_mut().for_each(WarmUpThread::begins),
            Some(Message::Progress(progress)) => {
                self.warm_up.iter_mut().for_each(|warm_up| warm_up.hear_of(&progress.device));
                return self.say(ModelEvent::WarmUp(Some(progress)));
            }
            Some(Message::Done(outcome)) => outcome,
            None => Err("its thread ended".into()),
        };
        let device = self.end_warm_up().and_then(|warm_up| warm_up.device.clone());
        let device = device.unwrap_or_else(|| "The GPU".into());
        let changed = match outcome {
            Ok(Warmed::Ready(ready)) => self.change_over(ready),
            Ok(Warmed::NoGpu(notice)) => {
                return notice.into_iter().for_each(|notice| self.say(ModelEvent::Notice(notice)));
            }
            Ok(Warmed::Abandoned) => return,
            Err(reason) => Err(reason),
        };
        if let Err(reason) = changed {
            self.say(ModelEvent::Notice(format!(
                "{device} is not used ({reason}). The CPU is used. Choose the device again to try once more."
            )));
        }
    }

    /// Puts the model that is ready on a GPU in the place of the current one, if both make the same mask. This
    /// happens between two requests.
    fn change_over(&mut self, mut ready: Box<dyn Segmenter>) -> Result<(), String> {
        let Some((_, current)) = &mut self.model else { return Ok(()) };
        let compared = guarded(|| same_mask(current.as_mut(), ready.as_mut())).flatten();
        let dropped = match compared {
            Ok(()) => std::mem::replace(current, ready),
            Err(_) => ready,
        };
        // A model of a broken device may panic when it is dropped.
        let _ = guarded(move || drop(dropped));
        compared?;
        let info = self.model.as_ref().map(|(_, model)| model.info());
        info.into_iter().for_each(|info| self.say_updated(info));
        self.pass_on_notices();
        Ok(())
    }

    fn open_model(&self, source: &ModelSource, device: DeviceChoice) -> Result<Box<dyn Segmenter>, String> {
        guarded(|| (self.open)(source, device))
            .map(|opened| opened.map_err(|error| error.to_string()))
            .unwrap_or_else(|reason| {
                let file = source.path().display();
                Err(format!(
                    "The model could not be opened ({reason}). Check that the file is a HiMix model: {file}"
                ))
            })
    }

    fn answer(&mut self, request: PredictRequest, reply: Reply<Predicted>) {
        let predicted = self.twice(|thread| thread.predict(&request)).map(|prediction| {
            let counts = Counts::of(&prediction, request.truth.as_ref());
            let (ticket, image, prediction) = (request.ticket, request.image, Arc::new(prediction));
            Predicted { ticket, image, prediction, counts }
        });
        reply.answer(predicted);
        self.pass_on_notices();
    }

    fn look(&mut self, request: InspectRequest, reply: Reply<Inspected>) {
        let inspected = self.twice(|thread| thread.inspect(&request)).map(|inspection| {
            let InspectRequest { of, overrides, .. } = request;
            let counts = Counts::of(&inspection.prediction, of.truth.as_ref());
            let inspection = Arc::new(inspection);
            Inspected { ticket: of.ticket, image: of.image, overrides, inspection, counts }
        });
        reply.answer(inspected);
        self.pass_on_notices();
    }

    /// Runs `work`. If the model panics, it is opened again and `work` runs once more. If the model cannot be
    /// opened again, which [`ModelEvent::Lost`] reports, the work is cancelled.
    fn twice<T>(&mut self, work: impl Fn(&mut Self) -> Result<T, Failure>) -> Result<T, job::Failure> {
        let mut result = work(self);
        if let Err(Failure::Panicked(reason)) = &result {
            let reason = reason.clone();
            if !self.reopen_on_cpu(&reason) {
                return Err(job::Failure::Cancelled);
            }
            result = work(self);
            if matches!(result, Err(Failure::Panicked(_))) && !self.reopen_on_cpu(&reason) {
                return Err(job::Failure::Cancelled);
            }
        }
        result.map_err(|failure| match failure {
            Failure::Refused(message) => message.into(),
            Failure::Panicked(reason) => {
                format!("The prediction failed ({reason}). Try another prompt, image or model.").into()
            }
        })
    }

    /// A handle of the model for another thread, or the reason why there is none.
    fn handle(&self) -> Result<Box<dyn Segmenter>, String> {
        let Some((_, model)) = &self.model else { return Err(NO_MODEL.into()) };
        if let Some(shared) = model.share() {
            return Ok(shared);
        }
        let (info, opened, visits) = (model.info(), self.opened, self.visits.0.clone());
        Ok(Box::new(Visitor { info, opened, visits, image: None }))
    }

    /// Computes a prediction for a job.
    fn receive(&mut self, visit: Visit) {
        let model = self.model.as_mut().filter(|_| visit.opened == self.opened);
        let Some((_, model)) = model else { return visit.refuse() };
        if let Err(reason) = visit.compute(model.as_mut()) {
            self.reopen_on_cpu(&reason);
        }
        self.pass_on_notices();
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

    /// Asks the model about an image with its display window.
    fn ask<T>(
        &mut self,
        request: &PredictRequest,
        question: impl FnOnce(&mut dyn Segmenter, &Image) -> Result<T, InferError>,
    ) -> Result<T, Failure> {
        let Some((_, model)) = &mut self.model else {
            return Err(Failure::Refused(NO_MODEL.into()));
        };
        let image = match (request.seen, &self.seen) {
            (None, _) => request.image.clone(),
            (Some(seen), Some((of, how, image))) if Arc::ptr_eq(of, &request.image) && *how == seen => {
                image.clone()
            }
            (Some(seen), _) => {
                let image = network_input(&request.image, Some(seen));
                self.seen = Some((request.image.clone(), seen, image.clone()));
                image
            }
        };
        let _computing = self.residence.as_ref().map(Residence::compute);
        let answer = guarded(|| question(model.as_mut(), &image)).map_err(Failure::Panicked)?;
        answer.map_err(|error| Failure::Refused(error.to_string()))
    }

    /// Opens the same model again on the CPU after a panic. Returns whether that succeeded.
    fn reopen_on_cpu(&mut self, reason: &str) -> bool {
        let Some((source, broken)) = self.model.take() else { return false };
        // A model that panicked may panic again when it is dropped.
        let _ = guarded(move || drop(broken));
        match self.open_model(&source, DeviceChoice::Cpu) {
            Ok(model) => {
                let notice = format!("The model stopped ({reason}) and was opened again on the CPU.");
                self.say(ModelEvent::Notice(notice));
                self.say_updated(model.info());
                self.model = Some((source, model));
                true
            }
            Err(error) => {
                let message = format!("The model stopped ({reason}) and could not be opened again: {error}");
                self.end_warm_up();
                self.residence = None;
                self.say(ModelEvent::Lost(message));
                false
            }
        }
    }

    fn pass_on_notices(&mut self) {
        let Some((_, model)) = &mut self.model else { return };
        let notices = model.take_notices();
        if !notices.is_empty() {
            let info = model.info();
            self.say_updated(info);
            notices.into_iter().for_each(|notice| self.say(ModelEvent::Notice(notice)));
        }
    }

    /// Records where the model lives.
    fn settle(&mut self, info: &ModelInfo) {
        self.residence = Some(PRECEDENCE.settle(&info.device));
    }

    fn say_updated(&mut self, info: ModelInfo) {
        // The device may be another.
        self.settle(&info);
        self.say(ModelEvent::Updated { opened: self.opened, info: Box::new(info) });
    }

    fn say(&self, event: ModelEvent) {
        self.out.send(Event::Model { slot: self.slot, event });
    }
}

/// Rejects masks whose size differs from that of the image.
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
