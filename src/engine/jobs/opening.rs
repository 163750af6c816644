//! Jobs that read files: images, masks, folders and texts.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::samples::SampleCase;
use crate::data::worklist::Item;
use crate::data::{self, DataError, Image, Limit, Mask, Orientation, Truth, TruthReading, Volume};
use crate::engine::display::DisplayPixels;
use crate::engine::job::{Failure, Job, Task, Ticket, Worker};
use crate::engine::sort::{AsksFor, Sorted, sort};

/// The number of slices between two progress reports.
const PROGRESS: usize = 8;

/// Determines what dropped or named paths are.
#[derive(Debug)]
pub struct SortPaths {
    /// The paths as given.
    pub paths: Vec<PathBuf>,
    /// Whether an image is open, so that a single mask is taken as its ground truth.
    pub has_image: bool,
    /// For which files the user is asked whether they are labels of the open image.
    pub asks: AsksFor,
}

impl Job for SortPaths {
    type Answer = Sorted;
    const WORKER: Worker = Worker::Files;

    fn run(self, _: &mut Task<'_>) -> Result<Sorted, Failure> {
        Ok(sort(self.paths, self.has_image, self.asks))
    }
}

/// Lists the images in a folder.
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

/// Reads an image, a volume or a series and prepares its middle slice for the screen.
#[derive(Debug)]
pub struct OpenImage {
    /// The path of the file.
    pub path: PathBuf,
    /// The files of a series in their order; empty for a single file.
    pub files: Vec<PathBuf>,
    /// The maximum side length of a texture in pixels.
    pub texture_limit: usize,
    /// The maximum memory for the decoded content.
    pub limit: Limit,
    /// How the orientation stored in an image is handled.
    pub orientation: Orientation,
    /// Whether the data set around the file is searched for its prompt and masks. For a case of a list they are
    /// known.
    pub looks_up: bool,
}

/// An image that was opened, or a sample case that was generated.
#[derive(Debug)]
pub struct ImageOpened {
    /// The volume with all slices.
    pub volume: Arc<Volume>,
    /// The index of the first slice to show, counted from 0.
    pub slice: usize,
    /// The image of that slice.
    pub image: Arc<Image>,
    /// Its pixels for the screen.
    pub display: DisplayPixels,
    /// The masks of the image: those that its data set names, or that are beside the file.
    pub partners: Vec<PathBuf>,
    /// The entry of the data set around a single file, if it was requested and found.
    pub case: Option<Box<Item>>,
    /// The additional data of a sample case.
    pub sample: Option<SampleOpened>,
}

/// The additional data of a sample case.
#[derive(Debug)]
pub struct SampleOpened {
    /// The case.
    pub sample: SampleCase,
    /// The ground truth.
    pub mask: Arc<Mask>,
    /// The prompt.
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
        let display = DisplayPixels::of(&image, self.texture_limit).with_reduced();
        let partners = match case.as_ref().map(|case| case.truth.as_slice()) {
            Some(masks @ [_, ..]) => masks.to_vec(),
            _ => data::dataset::partners(&self.path),
        };
        let volume = Arc::new(volume);
        *task.opened = Some((task.ticket, volume.clone()));
        Ok(ImageOpened { volume, slice, image, display, partners, case, sample: None })
    }
}

/// Generates a sample case.
#[derive(Debug)]
pub struct OpenSample {
    /// The case.
    pub sample: SampleCase,
    /// The maximum side length of a texture in pixels.
    pub texture_limit: usize,
}

impl Job for OpenSample {
    type Answer = ImageOpened;
    const WORKER: Worker = Worker::Files;

    fn run(self, task: &mut Task<'_>) -> Result<ImageOpened, Failure> {
        let made = self.sample.make();
        let display = DisplayPixels::of(&made.image, self.texture_limit).with_reduced();
        let volume = Arc::new(Volume::of_image(made.image.clone()));
        *task.opened = Some((task.ticket, volume.clone()));
        let sample = SampleOpened { sample: self.sample, mask: Arc::new(made.mask), prompt: made.prompt };
        let (image, partners) = (Arc::new(made.image), Vec::new());
        Ok(ImageOpened { volume, slice: 0, image, display, partners, case: None, sample: Some(sample) })
    }
}

/// Reads a ground truth and places it on an image.
#[derive(Debug)]
pub struct OpenTruth {
    /// The files of the ground truth.
    pub paths: Vec<PathBuf>,
    /// The ticket of the request for the image, which must be the image that was opened last.
    pub image: Ticket,
    /// How the ground truth is read and placed.
    pub reading: Box<TruthReading>,
}

/// The result of placing a ground truth on its image.
#[derive(Debug)]
pub enum TruthOpened {
    /// The ground truth was placed on the image.
    Laid(Box<Truth>),
    /// The ground truth can be placed on the image once the user has decided how.
    Asked(TruthQuestion),
}

/// The question to answer before a ground truth can be placed on its image.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthQuestion {
    /// The files of the ground truth.
    pub paths: Vec<PathBuf>,
    /// The ticket of the image.
    pub image: Ticket,
    /// A description of the problem.
    pub message: String,
    /// Whether the ground truth can be resampled by position.
    pub can_resample: bool,
    /// Whether the ground truth can be placed by voxel indices.
    pub by_number: bool,
    /// Whether the ground truth can be placed on a slice that the user chooses.
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

/// The question for the user about a ground truth that does not match the image; `None` if the user cannot resolve
/// the error.
pub(super) fn question(error: &DataError, paths: &[PathBuf], image: Ticket) -> Option<TruthQuestion> {
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
    /// The path of the file.
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_series_is_one_volume_and_its_end_is_reported() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/gap");
        let files: Vec<PathBuf> = ["0", "3", "4", "7"].map(|name| folder.join(format!("{name}.dcm"))).into();
        let job = OpenImage {
            path: files[0].clone(),
            files,
            texture_limit: 64,
            limit: Limit::default(),
            orientation: Orientation::default(),
            looks_up: false,
        };
        let (reports, mut kept) = (Mutex::new(Vec::new()), None);
        let progress = |done: usize, count: usize| reports.lock().expect("no panic").push((done, count));
        let mut task =
            Task { ticket: Ticket::default(), progress: &progress, is_cancelled: &|| false, opened: &mut kept };
        let opened = job.run(&mut task).expect("a series");
        assert_eq!(opened.volume.slices, 4);
        // Between the first and the last, reports are eight slices apart.
        assert_eq!(reports.into_inner().expect("no panic"), [(4, 4)]);
        assert!(kept.is_some_and(|(_, volume)| Arc::ptr_eq(&volume, &opened.volume)));
    }
}
