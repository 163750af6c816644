//! The thread of a run.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, bounded};

use super::mailbox::{Mailbox, News};
use super::trainer::{Trainer, Work};
use crate::engine::outbox::guarded;
use crate::engine::priority::{TRAINING, lower};
use crate::train::{Control, Event};

/// How long to wait for the last checkpoint when the program ends. An older one is there in any case.
const FAREWELL: Duration = Duration::from_secs(5);

/// A run that was begun.
pub(super) struct Running {
    /// The hand on it.
    pub(super) control: Arc<Control>,
    ended: Receiver<()>,
}

impl Running {
    /// Starts the thread `himix-train`. It computes on threads of its own, all of a lower priority, and gives everything back when
    /// it ends.
    pub(super) fn start(trainer: Arc<dyn Trainer>, work: Work, mailbox: Arc<Mailbox>) -> io::Result<Self> {
        let control = Arc::<Control>::default();
        let (alive, ended) = bounded::<()>(0);
        let hand = control.clone();
        Builder::new().name("himix-train".into()).spawn(move || {
            let alive: Sender<()> = alive;
            lower(TRAINING);
            let outcome = in_own_pool(|| train(&*trainer, &work, &hand, &mailbox));
            // First of all nothing goes on any more, then it is said: who reads it may begin another run.
            drop(alive);
            mailbox.put(News::Ended(outcome));
        })?;
        Ok(Self { control, ended })
    }

    /// Whether it has not ended.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self.ended.try_recv(), Err(TryRecvError::Empty))
    }

    /// Waits for its end, but not for ever.
    pub(super) fn wait(&self) {
        let waited: Result<(), RecvTimeoutError> = self.ended.recv_timeout(FAREWELL);
        // Nothing is ever sent: it ends by a broken channel, or the time is up.
        let _ = waited;
    }
}

/// Does `work` on threads that no prediction waits for.
fn in_own_pool(work: impl FnOnce() -> Result<(), String> + Send) -> Result<(), String> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|number| format!("himix-train-{number}")).build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(error) => Err(format!("No thread could be started for the training ({error}). Close other programs.")),
    }
}

fn train(trainer: &dyn Trainer, work: &Work, control: &Control, mailbox: &Mailbox) -> Result<(), String> {
    let folder = match work {
        Work::New(config) => config.out.clone(),
        Work::Resume(folder) => folder.clone(),
    };
    let mut report = |event: Event| {
        let best = has_best(&event).then(|| trainer.best(&folder));
        mailbox.put(News::Event(event));
        best.into_iter().for_each(|path: PathBuf| mailbox.put(News::Best(path)));
    };
    guarded(|| trainer.train(work, control, &mut report)).unwrap_or_else(|reason| {
        Err(format!("The training broke off ({reason}). Resume it from its last checkpoint, or start anew."))
    })
}

/// Whether there are best weights now that there were not before.
fn has_best(event: &Event) -> bool {
    match event {
        Event::Epoch(epoch) => epoch.is_best,
        Event::Started { history, .. } => history.iter().any(|epoch| epoch.is_best),
        _ => false,
    }
}
