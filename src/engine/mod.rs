//! Threads between the window and the work. Requests go in, answers and events come out, and neither side blocks
//! the other.
//!
//! One thread owns the model; a second one owns the model for comparison while there is one. While such a model
//! computes on the CPU, a further thread may make it ready on a GPU. Other threads read files, compute (count, measure
//! and render), work through the files of many cases, write files, and train. Every request is a [`Pending`] of the
//! window, which receives the answer. Requests that are large and soon outdated, such as those for a prediction, wait in
//! [`LatestSlot`]s, in which a newer value replaces an older one. All others go through bounded channels.

mod display;
mod enlarge;
mod event;
mod event_sender;
mod figure;
mod guard;
mod infer_thread;
mod inference;
mod inference_worker;
mod job;
pub mod jobs;
mod mask_of;
mod model_job;
mod networks;
mod overlay;
mod pending;
mod priority;
mod scores;
pub mod session;
mod slices;
mod slot;
mod sort;
mod study;
mod thumbnails;
mod training;
mod wake;
mod warm_up;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

pub use crate::data::foreground::{THRESHOLD_STEPS, threshold_at, threshold_step};
pub use crate::text::presets::PRESETS;
pub use display::DisplayPixels;
pub use enlarge::OverlayFrame;
pub use event::{Event, ModelEvent, Slot};
pub use figure::{FigureKind, FigureModel, FigureRequest};
pub use inference::{Counts, InspectRequest, Inspected, PredictRequest, Predicted};
pub use job::{Failure, Job, Task, Ticket, Worker};
pub use mask_of::MaskOf;
pub use model_job::{ModelJob, ModelTask, network_input};
pub use networks::{NetworkCases, NetworksCompared, NetworksRequest};
pub use overlay::{OverlayPaint, compose, striped};
pub use pending::{Asked, Pending, Several};
pub use scores::ThresholdCounts;
pub use slices::{PreparedSlice, SliceRequest};
pub use slot::LatestSlot;
pub use sort::{AsksFor, Sorted};
pub use study::{Study, StudyAnswer, StudyRequest, SweepOver};
pub use thumbnails::ThumbnailRequest;
pub use training::{AblationJob, Trainer, TrainingJob, TrainingUpdate, small_architecture, trainer};
pub use wake::Wake;
pub use worker::Busy;

/// The plain types of training, for a window that must not train by itself.
pub mod run {
    pub use crate::train::config::KEYS;
    pub use crate::train::{
        Ablation, Cell, Control, Epoch, Estimate, Event, Interrupted, Plan, PreviewCase, Queue, QueueEvent,
        QueueView, QueuedRun, RunControl, RunProgress, RunState, StartScores, TrainConfig, Variant, WorkFault,
        Worker,
    };
}

use crate::device::DeviceChoice;
use crate::infer::{ModelInfo, ModelSource, OpenModel};
use event_sender::EventSender;
use inference_worker::InferenceWorker;
use pending::Canceller;
use run::{Estimate, Interrupted, RunControl, TrainConfig};
use slices::Slices;
use thumbnails::Thumbnails;
use training::TrainingController;
use warm_up::Turn;
use worker::WorkerThread;

/// The number of events that may wait for the window.
const EVENT_QUEUE: usize = 256;
/// The time to wait for pending writes when the program ends.
const FAREWELL: Duration = Duration::from_secs(10);
/// The time to wait for a file that is still being read, whose content is not needed any more.
const SHORT_FAREWELL: Duration = Duration::from_secs(1);

/// The running threads. Dropping the engine finishes pending writes, stops a training run at its next step, and
/// ends the threads; it waits for them for a limited time.
pub struct Engine {
    open: OpenModel,
    /// The turn of the models' warm-ups.
    turn: Turn,
    primary: InferenceWorker,
    /// The worker of the model for comparison, while there is one.
    compared: Option<InferenceWorker>,
    training: TrainingController,
    thumbnails: Thumbnails,
    slices: Slices,
    files: WorkerThread,
    compute: WorkerThread,
    sets: WorkerThread,
    storage: WorkerThread,
    events: Receiver<Event>,
    out: EventSender,
    tickets: AtomicU64,
    /// Cancels the most recent study.
    study: Option<Canceller>,
    /// Cancels the most recent comparison of networks.
    networks: Option<Canceller>,
}

impl Engine {
    /// Starts the threads `himix-infer`, `himix-files`, `himix-compute`, `himix-sets`, `himix-storage`,
    /// `himix-thumbnails`, `himix-slices` and `himix-preflight`. `open` is called on the threads that need a model, `trainer` on the
    /// thread of a run, and `wake` after every report.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(open: OpenModel, trainer: Arc<dyn Trainer>, wake: Wake) -> io::Result<Self> {
        priority::share_threads();
        let (events_in, events) = bounded(EVENT_QUEUE);
        let out = EventSender { events: events_in, wake: wake.clone() };
        let turn = Turn::default();
        Ok(Self {
            primary: InferenceWorker::start(Slot::Primary, open.clone(), turn.clone(), out.clone())?,
            turn,
            compared: None,
            slices: Slices::start(wake.clone())?,
            training: TrainingController::start(trainer, open.clone(), wake)?,
            open,
            thumbnails: Thumbnails::start(out.clone())?,
            files: WorkerThread::start("himix-files")?,
            compute: WorkerThread::start("himix-compute")?,
            sets: WorkerThread::start_behind("himix-sets")?,
            storage: WorkerThread::start("himix-storage")?,
            events,
            out,
            tickets: AtomicU64::new(0),
            study: None,
            networks: None,
        })
    }

    /// The next ticket, for a request or for anything else that must be distinguished from earlier ones.
    pub fn ticket(&self) -> Ticket {
        self.tickets.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Requests `job`. The answer goes to `pending`, where `what` describes the request. An earlier request in
    /// `pending` is cancelled.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full. The earlier request then continues.
    pub fn ask<Q, J: Job>(&self, pending: &mut Pending<Q, J::Answer>, what: Q, job: J) -> Result<Ticket, Busy> {
        let ticket = self.ticket();
        let (asked, reply) = pending.prepare(ticket, what, self.out.wake.clone());
        self.worker(J::WORKER).put(job, reply)?;
        pending.sent(asked);
        Ok(ticket)
    }

    /// Like [`Self::ask`], without cancelling the earlier requests in `several`.
    ///
    /// # Errors
    /// [`Busy`] if the queue is full.
    pub fn ask_beside<Q, J: Job>(
        &self,
        several: &mut Several<Q, J::Answer>,
        what: Q,
        job: J,
    ) -> Result<Ticket, Busy> {
        let mut pending = Pending::default();
        let ticket = self.ask(&mut pending, what, job)?;
        several.push(pending);
        Ok(ticket)
    }

    /// Waits until all requests to `worker` are finished, but no longer than `patience`, and returns whether they
    /// are. This is for tests and for the end of the program; the window never waits.
    pub fn wait_for(&self, worker: Worker, patience: Duration) -> bool {
        self.worker(worker).wait(Instant::now() + patience)
    }

    /// Requests a slice and then its neighbours. It replaces an earlier request.
    pub fn prepare_slice(&self, request: SliceRequest) {
        self.slices.prepare(request);
    }

    /// Discards the prepared slices because their image was closed.
    pub fn forget_slices(&self) {
        self.slices.forget();
    }

    /// Slice `slice` of the image, counted from 0, with the mask of `truth`; `None` if it is not prepared.
    pub fn prepared_slice(
        &self,
        image: Ticket,
        slice: usize,
        truth: Option<&Arc<crate::data::Truth>>,
    ) -> Option<PreparedSlice> {
        self.slices.get(image, slice, truth)
    }

    fn worker(&self, worker: Worker) -> &WorkerThread {
        match worker {
            Worker::Files => &self.files,
            Worker::Compute => &self.compute,
            Worker::Sets => &self.sets,
            Worker::Storage => &self.storage,
        }
    }

    fn model(&self, slot: Slot) -> Option<&InferenceWorker> {
        match slot {
            Slot::Primary => Some(&self.primary),
            Slot::Compared => self.compared.as_ref(),
        }
    }

    /// Opens a model in a slot in place of the current one, which stays open if this fails. Starts the thread
    /// `himix-compare` if it is needed. If `device` leads to a GPU, the CPU answers until the GPU is ready, which
    /// [`ModelEvent::WarmUp`] and [`ModelEvent::Updated`] tell.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn open_model(
        &mut self,
        slot: Slot,
        pending: &mut Pending<ModelSource, ModelInfo>,
        source: ModelSource,
        device: DeviceChoice,
    ) -> io::Result<()> {
        if slot == Slot::Compared && self.compared.is_none() {
            let (open, turn, out) = (self.open.clone(), self.turn.clone(), self.out.clone());
            self.compared = Some(InferenceWorker::start(slot, open, turn, out)?);
        }
        let (asked, reply) = pending.prepare(self.ticket(), source.clone(), self.out.wake.clone());
        pending.sent(asked);
        if let Some(model) = self.model(slot) {
            model.requests.models.put((source, device, reply));
        }
        Ok(())
    }

    /// Requests a prediction from the model in a slot. It replaces an earlier request that is still waiting.
    /// Nothing happens if no model was ever requested for the slot.
    pub fn predict(&self, slot: Slot, pending: &mut Pending<(), Predicted>, request: PredictRequest) {
        let Some(model) = self.model(slot) else { return };
        let (asked, reply) = pending.prepare(request.ticket, (), self.out.wake.clone());
        pending.sent(asked);
        model.requests.predictions.put((request, reply));
    }

    /// Requests `job` with the model in a slot. The answer goes to `pending`, where `what` describes the request. An
    /// earlier request in `pending` is cancelled. Nothing happens if no model was ever requested for the slot.
    pub fn ask_model<Q, J: ModelJob>(&self, slot: Slot, pending: &mut Pending<Q, J::Answer>, what: Q, job: J) {
        let Some(model) = self.model(slot) else { return };
        let (asked, reply) = pending.prepare(self.ticket(), what, self.out.wake.clone());
        pending.sent(asked);
        let call = model_job::call(job, reply, model.is_closing.clone());
        // The thread takes calls until the engine is dropped, when nobody waits for the answer.
        let _ = model.requests.jobs.put.send(call);
    }

    /// Withdraws a request for a prediction that is still waiting.
    pub fn forget_request(&self, slot: Slot) {
        if let Some(model) = self.model(slot) {
            model.requests.predictions.take();
        }
    }

    /// Like [`Self::predict`], with an inspection of the network; `what` describes the request.
    pub fn inspect<Q>(&self, slot: Slot, pending: &mut Pending<Q, Inspected>, what: Q, request: InspectRequest) {
        let Some(model) = self.model(slot) else { return };
        let (asked, reply) = pending.prepare(request.of.ticket, what, self.out.wake.clone());
        pending.sent(asked);
        model.requests.inspections.put((request, reply));
    }

    /// Ends the comparison. Its thread and model end after the current request.
    pub fn close_compared(&mut self) {
        self.compared = None;
    }

    /// Starts a long task with a model on the thread `himix-study`. An earlier one is cancelled.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn study<Q>(
        &mut self,
        pending: &mut Pending<Q, StudyAnswer>,
        what: Q,
        request: StudyRequest,
    ) -> io::Result<()> {
        let (asked, reply) = pending.prepare(self.ticket(), what, self.out.wake.clone());
        let canceller = reply.canceller();
        study::begin(request, self.open.clone(), reply)?;
        pending.sent(asked);
        self.study = Some(canceller);
        Ok(())
    }

    /// Starts a comparison of networks on the thread `himix-networks`. An earlier one is cancelled.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn compare_networks<Q>(
        &mut self,
        pending: &mut Pending<Q, Arc<NetworksCompared>>,
        what: Q,
        request: NetworksRequest,
    ) -> io::Result<()> {
        let (asked, reply) = pending.prepare(self.ticket(), what, self.out.wake.clone());
        let canceller = reply.canceller();
        networks::begin(request, self.open.clone(), reply)?;
        pending.sent(asked);
        self.networks = Some(canceller);
        Ok(())
    }

    /// Requests thumbnails. It replaces an earlier request.
    pub fn make_thumbnails(&self, request: ThumbnailRequest) {
        self.thumbnails.requests.put(request);
    }

    /// The next event, if there is one.
    pub fn next_event(&self) -> Option<Event> {
        self.events.try_recv().ok()
    }

    /// Starts a training run on the thread `himix-train`. Returns false if a run is already in progress.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn train(&mut self, job: TrainingJob) -> io::Result<bool> {
        self.training.begin(job)
    }

    /// Begins or continues a study on the thread `himix-train`. Returns false if a run or a study is already in progress.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn begin_ablation(&mut self, job: AblationJob) -> io::Result<bool> {
        self.training.begin_ablation(job)
    }

    /// Whether a training run is in progress.
    pub fn is_training(&self) -> bool {
        self.training.is_running()
    }

    /// Tells the training run to pause, continue or stop. It obeys before its next step.
    pub fn ask_training(&self, control: RunControl) {
        self.training.ask(control);
    }

    /// The queue of the study that is being worked on, once it is open.
    pub fn queue(&self) -> Option<run::Queue> {
        self.training.queue()
    }

    /// Takes the updates of the training run since the last call.
    pub fn training_updates(&self) -> Vec<TrainingUpdate> {
        self.training.updates()
    }

    /// Requests an estimate of a run with these settings, or the reason why it is impossible.
    pub fn estimate(&self, pending: &mut Pending<(), Estimate>, config: TrainConfig) {
        let (asked, reply) = pending.prepare(self.ticket(), (), self.out.wake.clone());
        pending.sent(asked);
        self.training.estimate((config, reply));
    }

    /// Requests the interrupted run in `folder`, if it can be resumed.
    pub fn look_for_interrupted(&self, pending: &mut Pending<PathBuf, Option<Interrupted>>, folder: PathBuf) {
        let (asked, reply) = pending.prepare(self.ticket(), folder.clone(), self.out.wake.clone());
        pending.sent(asked);
        self.training.look_for_interrupted((folder, reply));
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        for worker in [&mut self.storage, &mut self.compute, &mut self.sets, &mut self.files] {
            worker.close();
        }
        for study in [self.study.take(), self.networks.take()].into_iter().flatten() {
            study.cancel();
        }
        // Nobody reads events any more, and a thread that waits to send one must not wait forever.
        let (_, nobody) = bounded(0);
        self.events = nobody;
        self.training.end();
        self.thumbnails.end();
        self.storage.end(FAREWELL);
        self.compute.end(FAREWELL);
        self.sets.end(SHORT_FAREWELL);
        self.files.end(SHORT_FAREWELL);
        self.primary.end();
        if let Some(compared) = &mut self.compared {
            compared.end();
        }
    }
}
