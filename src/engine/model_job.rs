//! Jobs that need masks of an open model while the user goes on typing: each runs on a thread of its own, with a
//! handle of the model.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Builder;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::guard::guarded;
use super::job::{Failure, Ticket};
use super::pending::Reply;
use super::priority::{LAB, lower};
use crate::data::Image;
use crate::data::volume::DisplayWindow;
use crate::infer::{InferError, InspectOptions, Inspection, ModelInfo, Overrides, Prediction, Segmenter};

/// A request to an open model that takes many predictions. See ARCHITECTURE.md, *Adding a job*.
pub trait ModelJob: Send + 'static {
    /// The type of the answer.
    type Answer: Send + 'static;

    /// Runs the job on a thread of its own. `model` shares the weights of the open model; where it cannot, its
    /// predictions are computed between those that the window asks for.
    ///
    /// # Errors
    /// The job failed, with one line that says what to do, or it was cancelled.
    fn run(self, model: &mut dyn Segmenter, task: &ModelTask<'_>) -> Result<Self::Answer, Failure>;
}

/// A running [`ModelJob`], as seen by the job itself.
pub struct ModelTask<'a> {
    progress: &'a (dyn Fn(usize, usize) + Sync),
    is_cancelled: &'a (dyn Fn() -> bool + Sync),
}

impl ModelTask<'_> {
    /// Reports that `done` of `count` is done. Breaks if the answer is not needed any more.
    pub fn progress(&self, done: usize, count: usize) -> ControlFlow<()> {
        (self.progress)(done, count);
        if self.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Whether the answer is not needed any more.
    pub fn is_cancelled(&self) -> bool {
        (self.is_cancelled)()
    }
}

/// The image as the network receives it in a display window; `None` for the stored image.
pub fn network_input(image: &Arc<Image>, seen: Option<DisplayWindow>) -> Arc<Image> {
    match seen {
        Some(seen) => Arc::new(image.windowed(seen.window, seen.is_inverted)),
        None => image.clone(),
    }
}

/// A request that waits for the inference thread to hand it a handle of the model, or the reason why there is none.
pub(super) type Call = Box<dyn FnOnce(Result<Box<dyn Segmenter>, String>) + Send>;

/// Makes a call of a job; `is_closing` tells that its model is not needed any more.
pub(super) fn call<J: ModelJob>(job: J, reply: Reply<J::Answer>, is_closing: Arc<AtomicBool>) -> Call {
    Box::new(move |model| {
        let thread = reply.another();
        let work = move || {
            lower(LAB);
            let is_cancelled = || thread.is_cancelled() || is_closing.load(Ordering::Relaxed);
            let outcome = match model {
                Ok(_) if is_cancelled() => Err(Failure::Cancelled),
                Ok(mut model) => {
                    let task = ModelTask {
                        progress: &|done, count| thread.progress(done, count),
                        is_cancelled: &is_cancelled,
                    };
                    guarded(|| job.run(model.as_mut(), &task)).unwrap_or_else(|reason| {
                        Err(Failure::Failed(format!("The computation stopped ({reason}).")))
                    })
                }
                Err(reason) => Err(Failure::Failed(reason)),
            };
            // A cancelled prediction fails for reasons that nobody needs to know.
            let outcome = outcome.map_err(|failure| if is_cancelled() { Failure::Cancelled } else { failure });
            thread.answer(outcome);
        };
        if let Err(error) = Builder::new().name("himix-lab".into()).spawn(work) {
            let message = format!("No thread could be started ({error}). Close other programs.");
            reply.answer(Err(Failure::Failed(message)));
        }
    })
}

/// A prediction that a [`Visitor`] asks of the inference thread.
pub(super) struct Visit {
    /// The ticket of the request that opened the model.
    pub(super) opened: Ticket,
    image: Arc<Image>,
    prompt: String,
    /// The parameters of an inspection; `None` for a prediction.
    inspection: Option<(Option<Overrides>, InspectOptions)>,
    answer: Sender<Result<Inspection, InferError>>,
}

impl Visit {
    /// Computes what was asked for with `model`, and answers. Returns the reason of a panic.
    pub(super) fn compute(self, model: &mut dyn Segmenter) -> Result<(), String> {
        let Self { image, prompt, inspection, answer, .. } = self;
        let computed = guarded(|| match &inspection {
            Some((overrides, wanted)) => model.inspect(&image, &prompt, overrides.as_ref(), *wanted),
            None => model.predict(&image, &prompt).map(only),
        });
        let (outcome, panic) = match computed {
            Ok(outcome) => (outcome, Ok(())),
            Err(reason) => (Err(InferError::Refused(format!("The prediction failed ({reason})."))), Err(reason)),
        };
        // A job that was cancelled does not wait any more.
        let _ = answer.send(outcome);
        panic
    }

    /// Answers that the model was replaced.
    pub(super) fn refuse(self) {
        let _ = self.answer.send(Err("Another model was opened meanwhile. Start again.".into()));
    }
}

/// An inspection that holds nothing but a prediction.
fn only(prediction: Prediction) -> Inspection {
    Inspection { prediction, stages: Vec::new(), similarity: Vec::new(), explained: 0 }
}

/// A handle of a model that cannot be shared: it asks the inference thread for each prediction.
pub(super) struct Visitor {
    /// Information about the model.
    pub(super) info: ModelInfo,
    /// The ticket of the request that opened the model.
    pub(super) opened: Ticket,
    /// The way to the inference thread.
    pub(super) visits: Sender<Visit>,
    /// The image of the last prediction: jobs ask for many predictions of one image.
    pub(super) image: Option<Arc<Image>>,
}

impl Visitor {
    fn ask(
        &mut self,
        image: &Image,
        prompt: &str,
        inspection: Option<(Option<Overrides>, InspectOptions)>,
    ) -> Result<Inspection, InferError> {
        let ended = || InferError::from("The model was closed. Start again.");
        let image = match self.image.take().filter(|last| **last == *image) {
            Some(last) => last,
            None => Arc::new(image.clone()),
        };
        self.image = Some(image.clone());
        let (answer, answered): (_, Receiver<_>) = bounded(1);
        let visit = Visit { opened: self.opened, image, prompt: prompt.to_owned(), inspection, answer };
        self.visits.send(visit).map_err(|_| ended())?;
        answered.recv().map_err(|_| ended())?
    }
}

impl Segmenter for Visitor {
    fn info(&self) -> ModelInfo {
        self.info.clone()
    }

    fn predict(&mut self, image: &Image, prompt: &str) -> Result<Prediction, InferError> {
        Ok(self.ask(image, prompt, None)?.prediction)
    }

    fn inspect(
        &mut self,
        image: &Image,
        prompt: &str,
        overrides: Option<&Overrides>,
        wanted: InspectOptions,
    ) -> Result<Inspection, InferError> {
        self.ask(image, prompt, Some((overrides.cloned(), wanted)))
    }

    fn take_notices(&mut self) -> Vec<String> {
        // The inference thread reports them.
        Vec::new()
    }
}
