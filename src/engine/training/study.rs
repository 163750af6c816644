//! A study on the thread of a run: the queue that it works on, and its report.

use std::sync::{Arc, Mutex, PoisonError};

use super::mailbox::{Mailbox, TrainingUpdate};
use super::trainer::{AblationJob, Trainer};
use crate::analysis::ablation::{FinishedRun, Report, read_runs};
use crate::infer::OpenModel;
use crate::train::{Control, Event, Queue, QueueEvent, RunFolder, Variant};

/// The queue that is being worked on, once it is open.
pub(super) type SharedQueue = Arc<Mutex<Option<Queue>>>;

/// Puts a queue where it is found, or takes it away.
pub(super) fn put(shared: &SharedQueue, queue: Option<Queue>) {
    *shared.lock().unwrap_or_else(PoisonError::into_inner) = queue;
}

/// The queue in `shared`.
pub(super) fn held(shared: &SharedQueue) -> Option<Queue> {
    shared.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Opens the queue in a folder, works through it and writes its report.
pub(super) fn work(
    trainer: &dyn Trainer,
    open: &OpenModel,
    AblationJob { folder, plan }: &AblationJob,
    control: &Control,
    shared: &SharedQueue,
    mailbox: &Mailbox,
) -> Result<(), String> {
    let queue = match plan {
        Some(plan) => {
            trainer.check(plan)?;
            Queue::open(folder, (**plan).clone())
        }
        None => Queue::reopen(folder),
    };
    let queue = queue.map_err(|error| error.to_string())?;
    // A command may have come before the queue was open.
    queue.ask(control.command());
    put(shared, Some(queue.clone()));
    mailbox.put(TrainingUpdate::Queue(Box::new(queue.view())));
    let mut report = |event: QueueEvent| {
        let is_step = matches!(event, QueueEvent::Run(_, Event::Step { .. }));
        match event {
            QueueEvent::Begun(name) => mailbox.put(TrainingUpdate::Begun(folder.join(name))),
            QueueEvent::Run(name, event) => {
                let is_best = matches!(&event, Event::Epoch(epoch) if epoch.is_best);
                mailbox.put(TrainingUpdate::Event(event));
                if is_best {
                    mailbox.put(TrainingUpdate::Best(trainer.best(&folder.join(name))));
                }
            }
            QueueEvent::Scoring(_) | QueueEvent::Finished(_) | QueueEvent::Failed(..) => {}
        }
        if !is_step {
            mailbox.put(TrainingUpdate::Queue(Box::new(queue.view())));
        }
    };
    let worked = trainer.work(&queue, open, &mut report);
    let view = queue.view();
    // The lock of the queue is given up before the end is reported, because it may be begun again.
    put(shared, None);
    drop(queue);
    mailbox.put(TrainingUpdate::Queue(Box::new(view.clone())));
    worked?;
    let finished = view.finished();
    if finished.is_empty() {
        return Ok(());
    }
    let run = |(variant, seed, run): (&Variant, u64, RunFolder)| FinishedRun {
        variant: variant.name(),
        title: variant.title(),
        seed,
        folder: run.path().to_owned(),
        model: run.best(),
    };
    let runs = read_runs(finished.into_iter().map(run)).map_err(|error| error.to_string())?;
    Report::of(&runs, &view.plan.reference(), None).write(folder).map(|_| ()).map_err(|error| error.to_string())
}
