//! Jobs about the states of cases: reading those of all readers, recording those of one, accepting a mask.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::labels::edits;
use crate::annotate::{Annotation, Edit, Label, LabelId};
use crate::data::cases::{CaseChange, CaseState, CaseStore, ReaderCases};
use crate::data::export::{self, LabelMasks, LabelValues, read_labels};
use crate::data::mask::Agreed;
use crate::data::volume::StoredPixels;
use crate::data::{DataError, Mask, MaskReading, Volume, nifti, write};
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
    /// of its source. A stack whose positions NIfTI cannot state is written without positions, in displayed order.
    fn write(&self, path: &Path) -> Result<(), DataError> {
        let (annotation, volume) = match self {
            Self::Image(mask) => {
                let values: Vec<u8> = mask.values.iter().map(|value| if *value == 0 { 0 } else { 255 }).collect();
                return write::png8_checked(path, mask.width, mask.height, &values);
            }
            Self::Annotation(annotation, volume) => (annotation, volume),
        };
        let labels: Vec<LabelMasks> =
            annotation.labels().map(|(id, label)| masks(annotation, id, label)).collect();
        let values = LabelValues::of(path, annotation.shape(), &labels)?;
        if !self.is_stack() {
            return export::pictures(path, &values).map(drop);
        }
        match nifti::label_map(path, volume, &values) {
            Err(DataError::NotRepresentable { .. }) => {
                let [columns, rows, slices] = annotation.shape();
                let count = columns * rows * slices;
                let plain = Volume::plain(columns, rows, slices, StoredPixels::U8(vec![0; count]));
                nifti::label_map(path, &plain, &values).map(drop)
            }
            written => written.map(drop),
        }
    }
}

/// Returns a label with its masks.
fn masks(annotation: &Annotation, id: LabelId, label: &Label) -> LabelMasks {
    let slices = annotation.slices(id).filter_map(|slice| Some((slice, annotation.mask(id, slice)?.mask.clone())));
    LabelMasks { name: label.name.clone(), colour: label.colour, slices: slices.collect() }
}

/// Reads an accepted mask, to be corrected. The answer has the edits that add its labels to the annotation of the image,
/// none if nothing is labelled.
#[derive(Debug)]
pub struct OpenAccepted {
    /// The file of the mask.
    pub path: PathBuf,
    /// The image.
    pub volume: Arc<Volume>,
    /// The annotation of the image.
    pub annotation: Annotation,
    /// How the file is read.
    pub reading: MaskReading,
}

impl Job for OpenAccepted {
    type Answer = Vec<Edit>;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<Vec<Edit>, Failure> {
        let opened = read_labels(&self.path, &self.volume, &self.reading, None, Agreed::default())?;
        edits(self.annotation, opened.labels).map_err(|error| Failure::Failed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Combine, Origin, Region, Rules};
    use crate::engine::job::Opened;

    fn run<J: Job>(job: J) -> J::Answer {
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        job.run(&mut task).unwrap_or_else(|failure| panic!("{failure:?}"))
    }

    /// Two labels of a volume with this number of slices.
    fn annotation(slices: usize) -> Annotation {
        let mut annotation = Annotation::new([4, 3, slices]);
        for (name, first) in [("Lesion", 0), ("Other", 5)] {
            let (id, edit) = annotation.add_label(Label::new(name, [1, 2, 3])).expect("a new name");
            annotation.apply(&[edit]).expect("the edit fits");
            let values = (0..12).map(|at| u8::from((first..first + 3).contains(&at))).collect();
            let region = Region::from_mask(&Mask { width: 4, height: 3, values });
            let painted =
                annotation.paint(id, slices - 1, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
            annotation.apply(&painted.expect("the slice is there")).expect("the edits fit");
        }
        annotation
    }

    #[test]
    fn accepted_images_and_stacks_are_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        for (slices, id, name) in [(1, "a.jpg", "masks/a.png"), (3, "b.nii.gz", "masks/b.nii.gz")] {
            let volume = Arc::new(Volume::plain(4, 3, slices, StoredPixels::U8(vec![0; 12 * slices])));
            let drawn = annotation(slices);
            let recorded = run(RecordCase {
                store: CaseStore::of(folder.path(), None),
                reader: "Anna".into(),
                id: id.into(),
                state: CaseState::Done,
                mask: Some(AcceptedMask::Annotation(Box::new(drawn.clone()), volume.clone())),
            });
            let path = recorded.cases.cases[id].mask.clone().expect("a mask");
            assert!(path.ends_with(name), "{}", path.display());
            let blank = Annotation::new([4, 3, slices]);
            let job = OpenAccepted { path, volume, annotation: blank.clone(), reading: MaskReading::default() };
            let mut again = blank;
            again.apply(&run(job)).expect("the edits fit");
            let pixels = |annotation: &Annotation| -> Vec<Vec<(usize, Arc<Mask>)>> {
                let of_label = |(id, _): (LabelId, &Label)| {
                    annotation
                        .slices(id)
                        .filter_map(|at| Some((at, annotation.mask(id, at)?.mask.clone())))
                        .collect()
                };
                annotation.labels().map(of_label).collect()
            };
            assert_eq!(pixels(&again), pixels(&drawn), "{id}");
        }
    }
}
