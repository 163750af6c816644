//! One open model with the thread that owns it, and what goes in and out.

use std::io;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::event_sender::EventSender;
use super::infer_thread::InferThread;
use super::message::{InspectRequest, Inspected, ModelRequest, PredictRequest, Predicted};
use super::priority::{PREDICTION, lower};
use super::segmenter::OpenModel;
use super::slot::LatestSlot;

/// How long to wait for a running prediction when the program ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Slots to and from an inference thread. Dropping it ends the thread after what it is at.
pub(super) struct InferenceWorker {
    pub(super) models: LatestSlot<ModelRequest>,
    pub(super) requests: LatestSlot<PredictRequest>,
    pub(super) predictions: LatestSlot<Predicted>,
    pub(super) looks: LatestSlot<InspectRequest>,
    pub(super) inspections: LatestSlot<Inspected>,
    quit: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl InferenceWorker {
    /// Starts the thread `name`.
    pub(super) fn start(name: &str, open: OpenModel, out: EventSender) -> io::Result<Self> {
        let models = LatestSlot::<ModelRequest>::default();
        let requests = LatestSlot::<PredictRequest>::default();
        let predictions = LatestSlot::<Predicted>::default();
        let looks = LatestSlot::<InspectRequest>::default();
        let inspections = LatestSlot::<Inspected>::default();
        let (quit, quit_in) = bounded(0);
        let (alive, ended) = bounded::<()>(0);
        let thread = InferThread {
            open,
            models: models.clone(),
            requests: requests.clone(),
            predictions: predictions.clone(),
            looks: looks.clone(),
            inspections: inspections.clone(),
            quit: quit_in,
            out,
            model: None,
            seen: None,
        };
        Builder::new().name(name.into()).spawn(move || {
            let _alive: Sender<()> = alive;
            lower(PREDICTION);
            thread.run();
        })?;
        Ok(Self { models, requests, predictions, looks, inspections, quit: Some(quit), ended })
    }

    /// Ends the thread and waits for it, but not for long.
    pub(super) fn end(&mut self) {
        self.quit = None;
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}
