//! Jobs on the queue of a study.

use std::path::PathBuf;

use crate::engine::job::{Failure, Job, Task, Worker};
use crate::train::{Queue, QueueView, unfinished};

/// A change of a queue. Runs are given by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueChange {
    /// The run is done before the one above it.
    Earlier(String),
    /// The run is done after the one below it.
    Later(String),
    /// The run is taken out of the queue.
    Remove(String),
    /// The run is put back into the queue.
    Restore(String),
}

/// Changes a queue that is being worked on, and answers with what it looks like then.
pub struct ChangeQueue {
    /// The queue.
    pub queue: Queue,
    /// The change.
    pub change: QueueChange,
}

impl Job for ChangeQueue {
    type Answer = QueueView;
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn run(self, _: &mut Task<'_>) -> Result<QueueView, Failure> {
        let Self { queue, change } = self;
        let changed = match change {
            QueueChange::Earlier(name) => queue.shift(&name, -1),
            QueueChange::Later(name) => queue.shift(&name, 1),
            QueueChange::Remove(name) => queue.remove(&name),
            QueueChange::Restore(name) => queue.restore(&name),
        };
        changed.map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(queue.view())
    }
}

/// Looks for a queue in a folder that is not finished: how many of its runs are, and how many there are.
pub struct LookForQueue {
    /// The folder.
    pub folder: PathBuf,
}

impl Job for LookForQueue {
    type Answer = Option<[usize; 2]>;
    const WORKER: Worker = Worker::Files;

    fn run(self, _: &mut Task<'_>) -> Result<Option<[usize; 2]>, Failure> {
        Ok(unfinished(&self.folder))
    }
}
