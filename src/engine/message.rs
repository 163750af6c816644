//! What goes into the engine's threads and what comes out of them.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::display::DisplayPixels;
use super::enlarge::OverlayFrame;
use super::figure::FigureRequest;
use super::overlay::OverlayPaint;
use super::scores::ThresholdCounts;
use super::study::StudyEvent;
use crate::analysis::refinement::Step;
use crate::data::samples::SampleCase;
use crate::data::volume::{DisplayWindow, Lengths};
use crate::data::worklist::Item;
use crate::data::{Image, Limit, Mask, Orientation, Truth, TruthReading, Volume};
use crate::device::DeviceChoice;
use crate::infer::{InspectOptions, Inspection, ModelInfo, ModelSource, Overrides, Prediction};
use crate::train::{Estimate, Interrupted};

/// Number by which an answer is matched with what was asked; a later question has a higher one.
pub type Ticket = u64;

/// Asks for a model to be opened in place of the one that is open.
#[derive(Clone, Debug)]
pub struct ModelRequest {
    /// Matches the answer.
    pub ticket: Ticket,
    /// Where the model lies.
    pub source: ModelSource,
    /// Where it shall compute.
    pub device: DeviceChoice,
}

/// Asks for a segmentation; a newer request replaces one that still waits.
#[derive(Clone, Debug)]
pub struct PredictRequest {
    /// Matches the answer.
    pub ticket: Ticket,
    /// What to segment.
    pub image: Arc<Image>,
    /// How the network sees it; none as it is stored.
    pub seen: Option<DisplayWindow>,
    /// The sentence.
    pub prompt: String,
    /// A mask of the image's size to compare with, and its ticket.
    pub truth: Option<(Ticket, Arc<Mask>)>,
}

/// A finished segmentation.
#[derive(Clone, Debug)]
pub struct Predicted {
    /// The request's ticket.
    pub ticket: Ticket,
    /// The request's image.
    pub image: Arc<Image>,
    /// What the network says.
    pub prediction: Arc<Prediction>,
    /// Its pixel counts.
    pub counts: Counts,
}

/// Asks for a look inside the network; a newer request replaces one that still waits.
#[derive(Clone, Debug)]
pub struct InspectRequest {
    /// What to segment; its ticket matches the answer.
    pub of: PredictRequest,
    /// Values in place of the network's own.
    pub overrides: Option<Overrides>,
    /// What is looked at.
    pub wanted: InspectOptions,
}

/// A finished look inside.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The request's ticket.
    pub ticket: Ticket,
    /// The request's image.
    pub image: Arc<Image>,
    /// The values with which the network ran, where they were not its own.
    pub overrides: Option<Overrides>,
    /// What was seen.
    pub inspection: Arc<Inspection>,
    /// Pixel counts of its mask.
    pub counts: Counts,
}

/// Pixel counts of one prediction, and the truth they compare with.
#[derive(Clone, Debug)]
pub struct Counts {
    /// Ticket of the truth, if one was used.
    pub truth: Option<Ticket>,
    /// The counts at every threshold.
    pub table: Arc<ThresholdCounts>,
}

/// Work for the thread that reads and writes files.
#[derive(Debug)]
pub enum FileCommand {
    /// Finds out what dropped or named paths are: [`FileEvent::Sorted`].
    Sort {
        /// The paths as given.
        paths: Vec<PathBuf>,
        /// Whether an image is open, so that a lone mask is taken for its truth.
        has_image: bool,
    },
    /// Finds out what a folder offers to look at: [`FileEvent::Listed`].
    List { ticket: Ticket, folder: PathBuf },
    /// Reads an image, a volume or a series and makes its middle slice ready for a screen that holds `texture_limit` pixels a side.
    OpenImage {
        ticket: Ticket,
        path: PathBuf,
        /// The files of a series in their order; empty for a lone file.
        files: Vec<PathBuf>,
        texture_limit: usize,
        limit: Limit,
        /// What is done about the orientation that a picture gives.
        orientation: Orientation,
        /// Whether the data set around the file is asked for its prompt and its masks; of a case of a list they are known.
        looks_up: bool,
        cancel: Arc<AtomicBool>,
    },
    /// Draws a sample case, with its mask to compare with and its prompt.
    OpenSample { ticket: Ticket, truth_ticket: Ticket, sample: SampleCase, texture_limit: usize },
    /// Reads a mask to compare with and lays it on the image that was opened as `image`.
    OpenTruth { ticket: Ticket, paths: Vec<PathBuf>, image: Option<Ticket>, reading: Box<TruthReading> },
    /// Counts pixels of a prediction that is there already against a mask that came later.
    Score { prediction_ticket: Ticket, prediction: Arc<Prediction>, truth_ticket: Ticket, truth: Arc<Mask> },
    /// Writes the mask at `threshold`, 0 and 255, at image resolution, as PNG.
    SaveMask { path: PathBuf, prediction: Arc<Prediction>, threshold: f32 },
    /// Writes the image with the overlay as it is shown as PNG: in `frame`, or at image resolution.
    SaveOverlay {
        path: PathBuf,
        frame: Option<OverlayFrame>,
        image: Arc<Image>,
        seen: Option<DisplayWindow>,
        prediction: Arc<Prediction>,
        truth: Option<Arc<Mask>>,
        threshold: f32,
        paint: OverlayPaint,
    },
    /// Paints a prediction over its image, no larger than `side` pixels a side: [`FileEvent::Composed`].
    Compose {
        ticket: Ticket,
        image: Arc<Image>,
        seen: Option<DisplayWindow>,
        prediction: Arc<Prediction>,
        truth: Option<Arc<Mask>>,
        threshold: f32,
        paint: OverlayPaint,
        side: usize,
    },
    /// Measures the 95 % Hausdorff distance of the mask at `threshold` and the truth, where columns and rows are `size` apart, in the unit
    /// of that: [`FileEvent::Measured`].
    Measure {
        of: (Ticket, Ticket, usize),
        prediction: Arc<Prediction>,
        truth: Arc<Mask>,
        threshold: f32,
        size: [f64; 2],
    },
    /// Works out the numbers of the stages' masks: [`FileEvent::Refined`].
    Refine {
        ticket: Ticket,
        inspection: Arc<Inspection>,
        truth: Option<Arc<Mask>>,
        threshold: f32,
        lengths: Lengths,
    },
    /// Makes a picture of what a network of `side × side` pixels gets: [`FileEvent::NetworkView`].
    NetworkView { key: u64, image: Arc<Image>, seen: Option<DisplayWindow>, side: usize },
    /// Draws a figure and writes it as the ending of `path` says.
    SaveFigure { path: PathBuf, request: Box<FigureRequest> },
    /// Reads a small text, for example the settings of a training run: [`FileEvent::TextRead`].
    ReadText { path: PathBuf },
    /// Writes a small file, for example the settings. Only a failure is reported.
    Write { path: PathBuf, bytes: Vec<u8> },
    /// As `Write`, for a file that the user asked for: success is reported too.
    Save { path: PathBuf, bytes: Vec<u8> },
}

/// Why a mask was not laid on its image, and what can be done about it.
#[derive(Clone, Debug, PartialEq)]
pub struct TruthQuestion {
    /// Its files.
    pub paths: Vec<PathBuf>,
    /// The image that it was meant for.
    pub image: Option<Ticket>,
    /// What is the case, in a sentence.
    pub message: String,
    /// Whether it can be resampled by position.
    pub can_resample: bool,
    /// Whether it can be laid on the image by voxel numbers.
    pub by_number: bool,
    /// Whether it can be laid on a slice of the user's choice.
    pub on_slice: bool,
}

/// What became of a [`FileCommand`].
#[derive(Debug)]
pub enum FileEvent {
    /// What the paths of [`FileCommand::Sort`] are. At most one of each kind is used.
    Sorted {
        image: Option<PathBuf>,
        folder: Option<PathBuf>,
        truth: Option<PathBuf>,
        model: Option<ModelSource>,
        refused: Vec<String>,
    },
    /// What a folder offers.
    Listed { ticket: Ticket, folder: PathBuf, items: Vec<Item> },
    /// An image was read; `image` is its slice `slice`. `partners` are its masks, `case` what its data set says of it where it was looked for.
    ImageOpened {
        ticket: Ticket,
        path: PathBuf,
        volume: Arc<Volume>,
        slice: usize,
        image: Arc<Image>,
        display: DisplayPixels,
        partners: Vec<PathBuf>,
        case: Option<Box<Item>>,
    },
    /// So many slices of so many are read.
    Progress { ticket: Ticket, done: usize, count: usize },
    /// A sample case was drawn.
    SampleOpened {
        ticket: Ticket,
        truth_ticket: Ticket,
        sample: SampleCase,
        volume: Arc<Volume>,
        image: Arc<Image>,
        display: DisplayPixels,
        mask: Arc<Mask>,
        prompt: String,
    },
    /// A mask was read and laid on its image.
    TruthOpened { ticket: Ticket, truth: Box<Truth> },
    /// A mask that can be laid on its image if the user says how.
    TruthAsked { ticket: Ticket, question: TruthQuestion },
    /// The answer to [`FileCommand::Score`].
    Scored { prediction_ticket: Ticket, counts: Counts },
    /// The answer to [`FileCommand::Measure`]; no distance where one of the masks is empty.
    Measured { of: (Ticket, Ticket, usize), distance: Option<f64> },
    /// The answer to [`FileCommand::NetworkView`].
    NetworkView { key: u64, picture: DisplayPixels },
    /// The answer to [`FileCommand::Refine`].
    Refined { ticket: Ticket, steps: Vec<Step> },
    /// The answer to [`FileCommand::Compose`].
    Composed { ticket: Ticket, picture: DisplayPixels },
    /// The answer to [`FileCommand::ReadText`].
    TextRead { path: PathBuf, text: String },
    /// A picture or another file that was asked for is written.
    Saved { path: PathBuf },
    /// The reading of an image was broken off, as was asked.
    Cancelled { ticket: Ticket },
    /// A file could not be read or written; one line that names it and says what to do.
    Failed { ticket: Option<Ticket>, message: String },
}

/// What the threads report.
#[derive(Debug)]
pub enum Event {
    /// A model is open.
    ModelOpened { ticket: Ticket, source: ModelSource, info: ModelInfo },
    /// A model could not be opened; the one that was open before stays open.
    ModelFailed { ticket: Ticket, message: String },
    /// The open model changed, for example to another device.
    ModelUpdated(ModelInfo),
    /// The open model stopped and could not be opened again.
    ModelLost { message: String },
    /// A prediction could not be made.
    PredictionFailed { ticket: Ticket, message: String },
    /// A look inside the network failed.
    InspectionFailed { ticket: Ticket, message: String },
    /// About long work with a model.
    Study { ticket: Ticket, event: StudyEvent },
    /// Something the user should know that is no error.
    Notice(String),
    /// A thumbnail of a case of a list; none where it cannot be read.
    Thumbnail { list: Ticket, place: usize, picture: Option<DisplayPixels> },
    /// From the thread that reads and writes files.
    File(FileEvent),
    /// About the model that is compared with, from its own thread.
    Compared(Box<Event>),
    /// What a training run with these settings would take, or why there can be none.
    Estimated { ticket: Ticket, result: Result<Estimate, String> },
    /// The run in `folder` that broke off, if it can be resumed.
    Interrupted { folder: PathBuf, run: Option<Box<Interrupted>> },
}
