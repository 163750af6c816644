//! Threads between the window and the work: commands in, events out, and nobody waits for anybody.
//!
//! One thread owns the model, one reads and writes files. What is large and soon outdated (requests for a
//! prediction, predictions) goes through [`LatestSlot`]s, in which a newer value replaces an older one; the
//! rest goes through bounded channels.

mod display;
mod files_thread;
mod infer_thread;
mod message;
mod outbox;
mod overlay;
mod scores;
mod segmenter;
mod slot;
mod sort;

use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

pub use display::DisplayPixels;
pub use message::{Counts, Event, FileCommand, FileEvent, ModelRequest, PredictRequest, Predicted, Ticket};
pub use outbox::Wake;
pub use overlay::{OverlayPaint, compose};
pub use scores::{THRESHOLD_STEPS, ThresholdCounts, threshold_at, threshold_step};
pub use segmenter::{OpenModel, Segmenter, predictor};
pub use slot::LatestSlot;

use outbox::Outbox;

/// Events that may wait for the window to look at them.
const EVENT_QUEUE: usize = 256;
/// File commands that may wait for the thread.
const FILE_QUEUE: usize = 64;
/// How long to wait for a running prediction when the program ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Too much is waiting for the thread that reads and writes files.
#[derive(Debug, thiserror::Error)]
#[error("Earlier files are still being worked on. Try again in a moment.")]
pub struct Busy;

/// The running threads. Dropping it finishes what files are still to be written and ends the threads.
pub struct Engine {
    models: LatestSlot<ModelRequest>,
    requests: LatestSlot<PredictRequest>,
    predictions: LatestSlot<Predicted>,
    files: Option<Sender<FileCommand>>,
    events: Receiver<Event>,
    files_thread: Option<JoinHandle<()>>,
    quit: Option<Sender<()>>,
    infer_ended: Receiver<()>,
}

impl Engine {
    /// Starts the threads `himix-infer` and `himix-files`. `open` is called on the first of them whenever a
    /// model is asked for, and `wake` after everything reported.
    pub fn start(open: OpenModel, wake: Wake) -> io::Result<Self> {
        let models = LatestSlot::<ModelRequest>::default();
        let requests = LatestSlot::<PredictRequest>::default();
        let predictions = LatestSlot::<Predicted>::default();
        let (events_in, events) = bounded(EVENT_QUEUE);
        let (files, files_in) = bounded(FILE_QUEUE);
        let (quit, quit_in) = bounded(0);
        let (infer_alive, infer_ended) = bounded(0);
        let out = Outbox { events: events_in, wake };
        let infer = infer_thread::InferThread {
            open,
            models: models.clone(),
            requests: requests.clone(),
            predictions: predictions.clone(),
            quit: quit_in,
            out: out.clone(),
            model: None,
        };
        Builder::new().name("himix-infer".into()).spawn(move || {
            let _alive: Sender<()> = infer_alive;
            infer.run();
        })?;
        let files_thread =
            Builder::new().name("himix-files".into()).spawn(move || files_thread::run(&files_in, &out))?;
        Ok(Self {
            models,
            requests,
            predictions,
            files: Some(files),
            events,
            files_thread: Some(files_thread),
            quit: Some(quit),
            infer_ended,
        })
    }

    /// Asks for a model; replaces an earlier wish that is still waiting.
    pub fn open_model(&self, request: ModelRequest) {
        self.models.put(request);
    }

    /// Asks for a prediction; replaces an earlier request that is still waiting.
    pub fn predict(&self, request: PredictRequest) {
        self.requests.put(request);
    }

    /// Forgets a request for a prediction that is still waiting.
    pub fn forget_request(&self) {
        self.requests.take();
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
        self.predictions.take()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.quit = None;
        self.files = None;
        // Nobody reads events any more; a thread that waits to report one must not wait for ever.
        let (_, nobody) = bounded(0);
        self.events = nobody;
        if let Some(thread) = self.files_thread.take() {
            let _ = thread.join();
        }
        let _ = self.infer_ended.recv_timeout(FAREWELL);
    }
}
