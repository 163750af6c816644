//! Threads between the window and the work: commands in, events out, and nobody waits for anybody.
//!
//! One thread owns the model, a second one the model that it is compared with while there is one, one reads and writes
//! files, one trains. What is large and soon outdated (requests for a prediction, predictions) goes through
//! [`LatestSlot`]s, in which a newer value replaces an older one; the rest goes through bounded channels.

mod display;
mod event_sender;
mod figure;
mod files_thread;
mod infer_thread;
mod inference_worker;
mod message;
mod overlay;
mod priority;
mod scores;
mod segmenter;
mod slot;
mod sort;
mod study;
mod thumbnails;
mod training;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

pub use crate::text::presets::PRESETS;
pub use display::DisplayPixels;
pub use event_sender::Wake;
pub use figure::{FigureKind, FigureModel, FigureRequest};
pub use message::{
    Counts, Event, FileCommand, FileEvent, InspectRequest, Inspected, ModelRequest, PredictRequest, Predicted,
    Ticket, TruthQuestion,
};
pub use overlay::{OverlayPaint, compose, striped};
pub use scores::{THRESHOLD_STEPS, ThresholdCounts, threshold_at, threshold_step};
pub use segmenter::{OpenModel, Segmenter, predictor};
pub use slot::LatestSlot;
pub use study::{Study, StudyEvent, StudyRequest, SweepOver};
pub use thumbnails::ThumbnailRequest;
pub use training::{Trainer, TrainingJob, TrainingUpdate, small_architecture, trainer};

/// The plain types of training, for a window that must not train by itself.
pub mod run {
    pub use crate::train::config::KEYS;
    pub use crate::train::{Control, Epoch, Estimate, Event, Interrupted, PreviewCase, RunControl, TrainConfig};
}

use event_sender::EventSender;
use inference_worker::InferenceWorker;
use run::{RunControl, TrainConfig};
use thumbnails::Thumbnails;
use training::TrainingController;

/// Events that may wait for the window to look at them.
const EVENT_QUEUE: usize = 256;
/// File commands that may wait for the thread.
const FILE_QUEUE: usize = 64;

/// Too much is waiting for the thread that reads and writes files.
#[derive(Debug, thiserror::Error)]
#[error("Earlier files are still being worked on. Try again in a moment.")]
pub struct Busy;

/// The running threads. Dropping it finishes what files are still to be written, stops a training run at its next step, and
/// ends the threads.
pub struct Engine {
    open: OpenModel,
    inference_worker: InferenceWorker,
    /// Of the model that is compared with, while there is one.
    compared: Option<InferenceWorker>,
    training: TrainingController,
    thumbnails: Thumbnails,
    files: Option<Sender<FileCommand>>,
    events: Receiver<Event>,
    files_thread: Option<JoinHandle<()>>,
    out: EventSender,
    /// Breaks off the study that goes on.
    study: Arc<AtomicBool>,
}

impl Engine {
    /// Starts the threads `himix-infer`, `himix-files`, `himix-thumbnails` and `himix-preflight`. `open` is called on an inference thread whenever a
    /// model is asked for, `trainer` on the thread of a run, and `wake` after everything reported.
    pub fn start(open: OpenModel, trainer: Arc<dyn Trainer>, wake: Wake) -> io::Result<Self> {
        priority::share_threads();
        let (events_in, events) = bounded(EVENT_QUEUE);
        let (files, files_in) = bounded(FILE_QUEUE);
        let out = EventSender { events: events_in, wake: wake.clone(), mark: |event| event };
        let inference_worker = InferenceWorker::start("himix-infer", open.clone(), out.clone())?;
        let training = TrainingController::start(trainer, out.clone(), wake)?;
        let thumbnails = Thumbnails::start(out.clone())?;
        let for_files = out.clone();
        let files_thread =
            Builder::new().name("himix-files".into()).spawn(move || files_thread::run(&files_in, &for_files))?;
        let (files, files_thread) = (Some(files), Some(files_thread));
        Ok(Self {
            open,
            inference_worker,
            compared: None,
            training,
            thumbnails,
            files,
            events,
            files_thread,
            out,
            study: Arc::default(),
        })
    }

    /// Asks for a model; replaces an earlier wish that is still waiting.
    pub fn open_model(&self, request: ModelRequest) {
        self.inference_worker.models.put(request);
    }

    /// Asks for a prediction; replaces an earlier request that is still waiting.
    pub fn predict(&self, request: PredictRequest) {
        self.inference_worker.requests.put(request);
    }

    /// Forgets a request for a prediction that is still waiting.
    pub fn forget_request(&self) {
        self.inference_worker.requests.take();
    }

    /// Asks for a look inside the network; replaces an earlier request that is still waiting.
    pub fn inspect(&self, request: InspectRequest) {
        self.inference_worker.looks.put(request);
    }

    /// The newest look inside, if it was not taken yet.
    pub fn take_inspection(&self) -> Option<Inspected> {
        self.inference_worker.inspections.take()
    }

    /// Begins long work with a model on the thread `himix-study`, breaking off what it was at.
    pub fn study(&mut self, request: StudyRequest) -> io::Result<()> {
        self.cancel_study();
        study::begin(request, self.study.clone(), self.out.clone())
    }

    /// Breaks the long work off before its next image.
    pub fn cancel_study(&mut self) {
        self.study.store(true, Ordering::Relaxed);
        self.study = Arc::default();
    }

    /// Asks for thumbnails; replaces an earlier wish.
    pub fn make_thumbnails(&self, request: ThumbnailRequest) {
        self.thumbnails.wishes.put(request);
    }

    /// Hands work to the thread that reads and writes files.
    pub fn file(&self, command: FileCommand) -> Result<(), Busy> {
        match &self.files {
            Some(files) => files.try_send(command).map_err(|_| Busy),
            None => Err(Busy),
        }
    }

    /// The next event, if one waits.
    pub fn next_event(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// The newest prediction, if it was not taken yet.
    pub fn take_prediction(&self) -> Option<Predicted> {
        self.inference_worker.predictions.take()
    }

    /// As [`Self::open_model`], for the model that is compared with: events come as [`Event::Compared`]. Starts the thread
    /// `himix-compare` if there is none.
    pub fn open_compared(&mut self, request: ModelRequest) -> io::Result<()> {
        let inference_worker = match self.compared.take() {
            Some(inference_worker) => inference_worker,
            None => {
                let out = EventSender { mark: |event| Event::Compared(Box::new(event)), ..self.out.clone() };
                InferenceWorker::start("himix-compare", self.open.clone(), out)?
            }
        };
        inference_worker.models.put(request);
        self.compared = Some(inference_worker);
        Ok(())
    }

    /// As [`Self::predict`], with the model that is compared with, if there is one.
    pub fn predict_compared(&self, request: PredictRequest) {
        if let Some(inference_worker) = &self.compared {
            inference_worker.requests.put(request);
        }
    }

    /// As [`Self::take_prediction`], of the model that is compared with.
    pub fn take_compared(&self) -> Option<Predicted> {
        self.compared.as_ref()?.predictions.take()
    }

    /// As [`Self::inspect`], with the model that is compared with, if there is one.
    pub fn inspect_compared(&self, request: InspectRequest) {
        if let Some(inference_worker) = &self.compared {
            inference_worker.looks.put(request);
        }
    }

    /// As [`Self::take_inspection`], of the model that is compared with.
    pub fn take_compared_inspection(&self) -> Option<Inspected> {
        self.compared.as_ref()?.inspections.take()
    }

    /// Ends the comparison; its thread ends, and its model with it, after what it is at.
    pub fn close_compared(&mut self) {
        self.compared = None;
    }

    /// Begins a training run on the thread `himix-train`. False where one goes on already.
    pub fn train(&mut self, work: TrainingJob) -> io::Result<bool> {
        self.training.begin(work)
    }

    /// Whether a training run goes on.
    pub fn is_training(&self) -> bool {
        self.training.is_running()
    }

    /// Asks the training run to pause, go on or stop; heard before its next step.
    pub fn ask_training(&self, control: RunControl) {
        self.training.ask(control);
    }

    /// What the training run has said since the last time.
    pub fn training_updates(&self) -> Vec<TrainingUpdate> {
        self.training.updates()
    }

    /// Asks what a run would take: [`Event::Estimated`]. Replaces an earlier question that is still waiting.
    pub fn estimate(&self, ticket: Ticket, config: TrainConfig) {
        self.training.estimate(ticket, config);
    }

    /// Asks whether the run in `folder` broke off: [`Event::Interrupted`].
    pub fn look_for_interrupted(&self, folder: PathBuf) {
        self.training.look_for_interrupted(folder);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.files = None;
        self.cancel_study();
        // Nobody reads events any more; a thread that waits to report one must not wait for ever.
        let (_, nobody) = bounded(0);
        self.events = nobody;
        self.training.end();
        self.thumbnails.end();
        if let Some(thread) = self.files_thread.take() {
            let _ = thread.join();
        }
        self.inference_worker.end();
        if let Some(inference_worker) = &mut self.compared {
            inference_worker.end();
        }
    }
}
