//! Jobs about the states of cases: reading those of all readers, recording those of one, accepting a mask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::annotate::{Annotation, Region};
use crate::data::cases::{CaseChange, CaseState, CaseStore, ReaderCases};
use crate::data::mask::{Label, Laid};
use crate::data::{DataError, LabelChoice, Limit, Mask, MaskReading, Truth, TruthReading, Volume, write};
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};

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
    // One after the other with the changes, and beside the files that are opened.
    const WORKER: Worker = Worker::Storage;

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
    /// The labels of an image or of a stack.
    Annotation(Box<Annotation>, Arc<Volume>),
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
        let mask = match &self.mask {
            None => None,
            Some(mask) => {
                let name = place.mask_name(&self.id, mask.is_stack())?;
                mask.write(&place.folder.join(&name))?;
                Some(name)
            }
        };
        let (cases, note) = place.record(&[CaseChange { id: self.id, state: self.state, mask }])?;
        Ok(CaseRecorded { cases, note })
    }
}

impl AcceptedMask {
    /// Returns whether it has several slices.
    fn is_stack(&self) -> bool {
        matches!(self, Self::Annotation(annotation, _) if annotation.shape()[2] > 1)
    }

    /// Writes the mask: an image as PNG with 0 and 255, or with the numbers of several labels; a stack as NIfTI on the grid
    /// of its source.
    fn write(&self, path: &Path) -> Result<(), DataError> {
        let shades =
            |values: &[u8]| -> Vec<u8> { values.iter().map(|value| if *value == 0 { 0 } else { 255 }).collect() };
        match self {
            Self::Image(mask) => write::png8(path, mask.width, mask.height, &shades(&mask.values)),
            Self::Annotation(annotation, _) => {
                let [width, height, _] = annotation.shape();
                let numbers = annotation.labels().fold(vec![0; width * height], |mut numbers, (id, _)| {
                    if let (Some(known), Some(number)) = (annotation.mask(id, 0), annotation.number(id)) {
                        let set = numbers.iter_mut().zip(&known.mask.values).filter(|(_, value)| **value != 0);
                        set.for_each(|(pixel, _)| *pixel = number);
                    }
                    numbers
                });
                let is_one = annotation.labels().nth(1).is_none();
                write::png8(path, width, height, &if is_one { shades(&numbers) } else { numbers })
            }
        }
    }
}

/// Reads an accepted mask, to be corrected. The answer has the pixels of every label by slice.
#[derive(Debug)]
pub struct OpenAccepted {
    /// The file of the mask.
    pub path: PathBuf,
    /// The ticket of its image.
    pub image: Ticket,
    /// The memory that reading it may take.
    pub limit: Limit,
}

impl Job for OpenAccepted {
    type Answer = Vec<Vec<(usize, Region)>>;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let opened = task.opened.as_ref().filter(|(opened, _)| *opened == self.image);
        let (_, volume) = opened.ok_or(Failure::Cancelled)?;
        let reading = TruthReading {
            mask: MaskReading { limit: self.limit, ..MaskReading::default() },
            ..TruthReading::default()
        };
        let Laid { labels, covered, .. } = &*Truth::read(&[self.path], volume.grid(), &reading)?.laid;
        let classes = labels.labels.iter().filter(|label| label.is_foreground && label.pixels > 0);
        let slices = || (0..labels.slices).filter(|slice| covered.get(*slice).copied().unwrap_or(false));
        let of_class = |label: &Label| {
            let choice = LabelChoice::Only([label.value].into());
            let regions = slices().map(|slice| (slice, Region::from_mask(&labels.mask(slice, &choice))));
            regions.filter(|(_, region)| !region.is_empty()).collect()
        };
        Ok(classes.map(of_class).collect())
    }
}
