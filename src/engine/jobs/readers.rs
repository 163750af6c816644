//! Jobs about the masks of two readers.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::agreement::{Agreement, compare};
use crate::data::cases::CaseStore;
use crate::data::{LabelChoice, Limit, Mask, MaskReading, write};
use crate::engine::inference::Counts;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::infer::{Plane, Prediction};

/// Compares the accepted masks of two readers.
#[derive(Debug)]
pub struct CompareReaders {
    /// Where the masks lie.
    pub store: CaseStore,
    /// The names of the readers. The masks of the first are the reference.
    pub readers: [String; 2],
    /// The memory that reading a mask may take.
    pub limit: Limit,
}

impl Job for CompareReaders {
    type Answer = Agreement;
    const WORKER: Worker = Worker::Sets;

    fn file(&self) -> Option<PathBuf> {
        Some(self.store.home().to_owned())
    }

    fn run(self, task: &mut Task<'_>) -> Result<Agreement, Failure> {
        let [first, second] = &self.readers;
        let pairs = self.store.pairs(Some([first, second]))?;
        let reading = MaskReading { limit: self.limit, ..MaskReading::default() };
        Ok(compare(pairs, &LabelChoice::Foreground, &reading, &|done, count| task.progress(done, count))?)
    }
}

/// Writes the agreement of two readers as a table (CSV).
#[derive(Debug)]
pub struct SaveAgreement {
    /// The path of the file.
    pub path: PathBuf,
    /// The agreement.
    pub agreement: Arc<Agreement>,
}

impl Job for SaveAgreement {
    type Answer = ();
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        Ok(write::file(&self.path, |out| self.agreement.write_table(out))?)
    }
}

/// Makes the mask of a reader comparable with a ground truth, as a prediction that is certain of every pixel.
#[derive(Debug)]
pub struct MaskAsPrediction {
    /// The mask.
    pub mask: Arc<Mask>,
    /// The ground truth, of the same size, and its ticket.
    pub truth: Option<(Ticket, Arc<Mask>)>,
}

impl Job for MaskAsPrediction {
    type Answer = (Arc<Prediction>, Counts);
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let values = self.mask.values.iter().map(|value| if *value == 0 { 0.0 } else { 1.0 }).collect();
        let plane = Plane { width: self.mask.width, height: self.mask.height, values };
        let prediction = Arc::new(Prediction::of_map("", plane));
        let counts = Counts::of(&prediction, self.truth.as_ref());
        Ok((prediction, counts))
    }
}
