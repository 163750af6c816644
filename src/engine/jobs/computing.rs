//! Jobs about the compute devices.

use crate::device::tuning;
use crate::engine::job::{Failure, Job, Task, Worker};

/// Deletes the stored results of GPU tuning, and answers how many adapters had some.
#[derive(Debug)]
pub struct ClearGpuCache;

impl Job for ClearGpuCache {
    type Answer = usize;
    const WORKER: Worker = Worker::Storage;

    fn run(self, _: &mut Task<'_>) -> Result<usize, Failure> {
        tuning::clear().map_err(Failure::from)
    }
}
