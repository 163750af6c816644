//! Operations on a label of an annotation.

use crate::annotate::{Annotation, Edit, Operate, OperationError};
use crate::engine::job::{Failure, Job, Task, Worker};

/// Computes the edits of an operation on a label.
#[derive(Debug)]
pub struct OperateOnLabel {
    /// The annotation as it is. Its masks are shared, not copied.
    pub annotation: Annotation,
    /// The operation.
    pub operate: Operate,
}

impl Job for OperateOnLabel {
    type Answer = Vec<Edit>;
    const WORKER: Worker = Worker::Compute;

    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let goes_on = |done, count| task.progress(done, count);
        self.operate.edits(&self.annotation, &goes_on).map_err(|error| match error {
            OperationError::Cancelled => Failure::Cancelled,
            error => Failure::Failed(error.to_string()),
        })
    }
}
