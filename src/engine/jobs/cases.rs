//! Jobs about the states of cases: reading those of all readers, recording those of one, accepting a mask.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::cases::{CaseChange, CaseState, CaseStore, ReaderCases};
use crate::data::{Mask, write};
use crate::engine::job::{Failure, Job, Task, Worker};

/// Reads the states of the cases of a folder.
#[derive(Debug)]
pub struct ReadCases {
    /// The folder of the list.
    pub folder: PathBuf,
    /// The folder of the settings, which has the states of folders that cannot be written to.
    pub settings: Option<PathBuf>,
    /// The images of the cases, or the first files of their series.
    pub images: Vec<PathBuf>,
}

/// The states of the cases of a folder.
#[derive(Debug)]
pub struct CasesRead {
    /// Where they lie.
    pub store: CaseStore,
    /// The identifiers of the cases, in the order of the request.
    pub ids: Vec<String>,
    /// What every reader did.
    pub readers: Vec<ReaderCases>,
    /// Notes about files that could not be read.
    pub notes: Vec<String>,
}

impl Job for ReadCases {
    type Answer = CasesRead;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.folder.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<CasesRead, Failure> {
        let store = CaseStore::of(&self.folder, self.settings.as_deref());
        let ids = self.images.iter().map(|image| store.id(image)).collect();
        let (readers, notes) = store.read();
        Ok(CasesRead { store, ids, readers, notes })
    }
}

/// Records the state of a case, with its mask if it is accepted.
#[derive(Debug)]
pub struct RecordCase {
    /// Where the states lie.
    pub store: CaseStore,
    /// The name of the reader.
    pub reader: String,
    /// The identifier of the case.
    pub id: String,
    /// The new state.
    pub state: CaseState,
    /// The accepted mask; `None` keeps what there is.
    pub mask: Option<AcceptedMask>,
}

/// The mask of a case.
#[derive(Debug)]
pub enum AcceptedMask {
    /// The mask of an image.
    Image(Arc<Mask>),
}

/// What was recorded.
#[derive(Debug)]
pub struct CaseRecorded {
    /// What the reader did so far.
    pub cases: ReaderCases,
    /// A note about a damaged file that was set aside.
    pub note: Option<String>,
}

impl Job for RecordCase {
    type Answer = CaseRecorded;
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.store.home().to_owned())
    }

    fn run(self, _: &mut Task<'_>) -> Result<CaseRecorded, Failure> {
        let place = self.store.place(&self.reader)?;
        let mask = match self.mask {
            None => None,
            Some(AcceptedMask::Image(mask)) => {
                let name = place.mask_name(&self.id, false)?;
                let values: Vec<u8> = mask.values.iter().map(|value| if *value == 0 { 0 } else { 255 }).collect();
                write::png8(&place.folder.join(&name), mask.width, mask.height, &values)?;
                Some(name)
            }
        };
        let (cases, note) = place.record(&[CaseChange { id: self.id, state: self.state, mask }])?;
        Ok(CaseRecorded { cases, note })
    }
}
