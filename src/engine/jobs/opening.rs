//! Jobs that read files: images, masks, folders, texts.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::samples::SampleCase;
use crate::data::worklist::Item;
use crate::data::{self, DataError, Image, Limit, Mask, Orientation, Truth, TruthReading, Volume};
use crate::engine::display::DisplayPixels;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::engine::sort::{Sorted, sort};

/// Slices between two reports of how far reading is.
const PROGRESS: usize = 8;

/// Finds out what dropped or named paths are.
#[derive(Debug)]
pub struct SortPaths {
    /// The paths as given.
    pub paths: Vec<PathBuf>,
    /// Whether an image is open, so that a lone mask is taken for its truth.
    pub has_image: bool,
}

impl Job for SortPaths {
    type Answer = Sorted;
    const WORKER: Worker = Worker::Files;

    fn run(self, _: &mut Task<'_>) -> Result<Sorted, Failure> {
        Ok(sort(self.paths, self.has_image))
    }
}

/// Finds out what a folder offers to look at.
#[derive(Debug)]
pub struct ListFolder {
    /// The folder.
    pub folder: PathBuf,
}

impl Job for ListFolder {
    type Answer = Vec<Item>;
    const WORKER: Worker = Worker::Files;

    fn run(self, _: &mut Task<'_>) -> Result<Vec<Item>, Failure> {
        Ok(data::worklist::list(&self.folder)?)
    }
}

/// Reads an image, a volume or a series and makes its middle slice ready for the screen.
#[derive(Debug)]
pub struct OpenImage {
    /// The file.
    pub path: PathBuf,
    /// The files of a series in their order; empty for a lone file.
    pub files: Vec<PathBuf>,
    /// Pixels a side that a texture holds.
    pub texture_limit: usize,
    /// Memory that the decoded content may take.
    pub limit: Limit,
    /// What is done about the orientation that a picture gives.
    pub orientation: Orientation,
    /// Whether the data set around the file is asked for its prompt and its masks; of a case of a list they are known.
    pub looks_up: bool,
}

/// An image that was opened, or a sample case that was drawn.
#[derive(Debug)]
pub struct ImageOpened {
    /// All of its slices.
    pub volume: Arc<Volume>,
    /// Number of the slice to begin with, from 0.
    pub slice: usize,
    /// That slice.
    pub image: Arc<Image>,
    /// Its pixels for the screen.
    pub display: DisplayPixels,
    /// Its masks: those that its data set names, or that lie beside the file.
    pub partners: Vec<PathBuf>,
    /// What the data set around a lone file says of it, if it was looked for and is there.
    pub case: Option<Box<Item>>,
    /// What a sample case has beside its image.
    pub sample: Option<SampleOpened>,
}

/// What a sample case has beside its image.
#[derive(Debug)]
pub struct SampleOpened {
    /// The case.
    pub sample: SampleCase,
    /// A mask to compare with.
    pub mask: Arc<Mask>,
    /// What to segment.
    pub prompt: String,
}

impl Job for OpenImage {
    type Answer = ImageOpened;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, task: &mut Task<'_>) -> Result<ImageOpened, Failure> {
        let progress = |done: usize, count: usize| match done == count || done.is_multiple_of(PROGRESS) {
            true => task.progress(done, count),
            false => !task.is_cancelled(),
        };
        let case = self.looks_up.then(|| data::worklist::case(&self.path)).flatten().map(Box::new);
        let orientation = match &case {
            Some(case) if case.reading.orientation == Orientation::AsStored => Orientation::AsStored,
            _ => self.orientation,
        };
        let volume = if self.files.len() > 1 {
            data::dicom::open_series(&self.files, self.limit, &|done| progress(done, self.files.len()))?
        } else {
            data::open::open_as(&self.path, self.limit, orientation, &progress)?
        };
        let slice = volume.slices / 2;
        let image = Arc::new(volume.slice(slice));
        let display = DisplayPixels::of(&image, self.texture_limit);
        let partners = match case.as_ref().map(|case| case.truth.as_slice()) {
            Some(masks @ [_, ..]) => masks.to_vec(),
            _ => data::dataset::partners(&self.path),
        };
        let volume = Arc::new(volume);
        *task.opened = Some((task.ticket, volume.clone()));
        Ok(ImageOpened { volume, slice, image, display, partners, case, sample: None })
    }
}

/// Draws a sample case.
#[derive(Debug)]
pub struct OpenSample {
    /// The case.
    pub sample: SampleCase,
    /// Pixels a side that a texture holds.
    pub texture_limit: usize,
}

impl Job for OpenSample {
    type Answer = ImageOpened;
    const WORKER: Worker = Worker::Files;

    fn run(self, task: &mut Task<'_>) -> Result<ImageOpened, Failure> {
        let made = self.sample.make();
        let display = DisplayPixels::of(&made.image, self.texture_limit);
        let volume = Arc::new(Volume::of_image(made.image.clone()));
        *task.opened = Some((task.ticket, volume.clone()));
        let sample = SampleOpened { sample: self.sample, mask: Arc::new(made.mask), prompt: made.prompt };
        let (image, partners) = (Arc::new(made.image), Vec::new());
        Ok(ImageOpened { volume, slice: 0, image, display, partners, case: None, sample: Some(sample) })
    }
}

/// Reads a mask to compare with and lays it on an image.
#[derive(Debug)]
pub struct OpenTruth {
    /// Its files.
    pub paths: Vec<PathBuf>,
    /// Number of the request for the image, which must be the last that was opened.
    pub image: Ticket,
    /// How the mask is read and laid.
    pub reading: Box<TruthReading>,
}

/// What became of a mask that was to be laid on its image.
#[derive(Debug)]
pub enum TruthOpened {
    /// It lies on the image.
    Laid(Box<Truth>),
    /// It can be laid on the image if the user says how.
    Asked(TruthQuestion),
}

/// Why a mask was not laid on its image, and what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthQuestion {
    /// Its files.
    pub paths: Vec<PathBuf>,
    /// The image that it was meant for.
    pub image: Ticket,
    /// What is the case, in words.
    pub message: String,
    /// Whether it can be resampled by position.
    pub can_resample: bool,
    /// Whether it can be laid on the image by voxel numbers.
    pub by_number: bool,
    /// Whether it can be laid on a slice of the user's choice.
    pub on_slice: bool,
}

impl Job for OpenTruth {
    type Answer = TruthOpened;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        self.paths.first().cloned()
    }

    fn run(self, task: &mut Task<'_>) -> Result<TruthOpened, Failure> {
        let Some((_, volume)) = task.opened.as_ref().filter(|(opened, _)| *opened == self.image) else {
            let path = self.paths.first().map(|path| path.display().to_string()).unwrap_or_default();
            return Err(format!(
                "The ground truth was not opened, because its image was not. Open the image, then the mask: {path}"
            )
            .into());
        };
        match Truth::read(&self.paths, volume.grid(), &self.reading) {
            Ok(truth) => Ok(TruthOpened::Laid(Box::new(truth))),
            Err(error) => match question(&error, &self.paths, self.image) {
                Some(question) => Ok(TruthOpened::Asked(question)),
                None => Err(error.into()),
            },
        }
    }
}

/// What the user can decide about a mask that does not fit as it is.
fn question(error: &DataError, paths: &[PathBuf], image: Ticket) -> Option<TruthQuestion> {
    let (can_resample, by_number, on_slice) = match error {
        DataError::MaskGrid { fits_by_number, .. } => (true, *fits_by_number, false),
        DataError::MaskFrame { .. } => (false, true, false),
        DataError::MaskSlice { .. } => (false, false, true),
        _ => return None,
    };
    let message = error.to_string();
    Some(TruthQuestion { paths: paths.to_vec(), image, message, can_resample, by_number, on_slice })
}

/// Reads a small text, for example the settings of a training run.
#[derive(Debug)]
pub struct ReadText {
    /// The file.
    pub path: PathBuf,
}

impl Job for ReadText {
    type Answer = String;
    const WORKER: Worker = Worker::Files;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<String, Failure> {
        let unreadable =
            |error: std::io::Error| DataError::Unreadable { path: self.path.clone(), reason: error.to_string() };
        Ok(std::fs::read_to_string(&self.path).map_err(unreadable)?)
    }
}
