//! The thread of a run.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::mailbox::{Mailbox, TrainingUpdate};
use super::study::{self, SharedQueue};
use super::trainer::{AblationJob, Trainer, TrainingJob};
use crate::engine::guard::guarded;
use crate::engine::priority::{TRAINING, lower};
use crate::infer::OpenModel;
use crate::train::{Control, Event, RunControl};

/// The time to wait for the last checkpoint when the program ends. An older checkpoint exists in any case.
const FAREWELL: Duration = Duration::from_secs(5);

/// What the thread does.
pub(super) enum Work {
    /// A run.
    Run(TrainingJob),
    /// A study.
    Study(AblationJob),
}

/// A run or a study that was started.
pub(super) struct Running {
    control: Control,
    /// The queue of a study, while it is open.
    pub(super) queue: SharedQueue,
    ended: Receiver<()>,
}

impl Running {
    /// Starts the thread `himix-train`. It computes on separate threads with a lower priority and releases all
    /// resources when it ends.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn start(
        trainer: Arc<dyn Trainer>,
        open: OpenModel,
        work: Work,
        mailbox: Arc<Mailbox>,
    ) -> io::Result<Self> {
        let control = Control::default();
        let (alive, ended) = bounded::<()>(0);
        let queue = SharedQueue::default();
        let (hand, shared) = (control.clone(), queue.clone());
        Builder::new().name("himix-train".into()).spawn(move || {
            let alive: Sender<()> = alive;
            lower(TRAINING);
            let outcome = in_own_pool(|| match &work {
                Work::Run(job) => train(&*trainer, job, &hand, &mailbox),
                Work::Study(job) => study(&*trainer, &open, job, &hand, &shared, &mailbox),
            });
            // The run must be over before its end is reported, because the receiver may start another run.
            drop(alive);
            mailbox.put(TrainingUpdate::Ended(outcome));
        })?;
        Ok(Self { control, queue, ended })
    }

    /// Sends a command to the run, or to all runs of a study.
    pub(super) fn ask(&self, command: RunControl) {
        self.control.ask(command);
        if let Some(queue) = study::held(&self.queue) {
            queue.ask(command);
        }
    }

    /// Whether the run has not ended.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.ended.try_recv(), Err(TryRecvError::Empty))
    }

    /// Waits for the end of the run for a limited time.
    pub(super) fn wait(&self) {
        let waited: Result<(), RecvTimeoutError> = self.ended.recv_timeout(FAREWELL);
        // Nothing is ever sent: the wait ends when the channel is closed or the time is over.
        let _ = waited;
    }
}

/// Runs `job` on threads for which no prediction waits.
fn in_own_pool(job: impl FnOnce() -> Result<(), String> + Send) -> Result<(), String> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("himix-train-{number}")).build();
    match pool {
        Ok(pool) => pool.install(job),
        Err(error) => Err(format!("No thread could be started for the training ({error}). Close other programs.")),
    }
}

fn study(
    trainer: &dyn Trainer,
    open: &OpenModel,
    job: &AblationJob,
    control: &Control,
    queue: &SharedQueue,
    mailbox: &Mailbox,
) -> Result<(), String> {
    let worked = guarded(|| study::work(trainer, open, job, control, queue, mailbox));
    worked.unwrap_or_else(|reason| {
        study::put(queue, None);
        Err(format!("The study broke off ({reason}). Continue it; its finished runs are kept."))
    })
}

fn train(trainer: &dyn Trainer, job: &TrainingJob, control: &Control, mailbox: &Mailbox) -> Result<(), String> {
    let folder = match job {
        TrainingJob::New(config) => config.out.clone(),
        TrainingJob::Resume(folder) => folder.clone(),
    };
    let mut report = |event: Event| {
        let best = has_best(&event).then(|| trainer.best(&folder));
        mailbox.put(TrainingUpdate::Event(event));
        best.into_iter().for_each(|path: PathBuf| mailbox.put(TrainingUpdate::Best(path)));
    };
    guarded(|| trainer.train(job, control, &mut report)).unwrap_or_else(|reason| {
        Err(format!("The training broke off ({reason}). Resume it from its last checkpoint, or start anew."))
    })
}

/// Whether there are new best weights after this event.
fn has_best(event: &Event) -> bool {
    match event {
        Event::Epoch(epoch) => epoch.is_best,
        Event::Started { history, .. } => history.iter().any(|epoch| epoch.is_best),
        Event::Preparing(_)
        | Event::Start(_)
        | Event::Step { .. }
        | Event::Paused
        | Event::Continued
        | Event::Preview { .. }
        | Event::Checkpoint
        | Event::Warning(_)
        | Event::Finished { .. } => false,
    }
}
