//! What the window shows. Only [`super::HimixApp::apply`] and the arrival of events change it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use eframe::egui::{TextureHandle, Vec2};
use serde::{Deserialize, Serialize};

use super::keys::Action;
use super::layout::{Layouts, Pane};
use super::notes::Notes;
use super::opening::PendingImage;
use super::session::{PredictionRecord, Source};
use super::settings::Settings;
use super::stages::Stages;
use super::training::Training;
use super::undo::History;
use super::view::View;
use super::worklist::Worklist;
use crate::data::volume::{DisplayWindow, Lengths, Modality, Window};
use crate::data::{Geometry, Image, Mask, Truth, Volume};
use crate::device::DeviceChoice;
use crate::engine::{Counts, Ticket, TruthQuestion, threshold_step};
use crate::infer::{BUNDLED_NAME, ModelInfo, ModelSource, Prediction};
use crate::metrics::Confusion;
use crate::render::{ImageLayer, ProbabilityLayer};

/// A mask older than this is dimmed.
pub const STALE_AFTER: Duration = Duration::from_millis(150);

/// The image that is shown.
pub struct OpenImage {
    /// Names it in later events.
    pub ticket: Ticket,
    /// Its file.
    pub path: PathBuf,
    /// How it can be opened again.
    pub source: Source,
    /// All of its slices.
    pub volume: Arc<Volume>,
    /// Number of the slice that is shown, from 0.
    pub slice: usize,
    /// Values of that slice.
    pub image: Arc<Image>,
    /// Its pixels, for the screen.
    pub layer: ImageLayer,
    /// From the smallest to the largest value of the slice.
    pub full: Window,
    /// How it is seen.
    pub seen: DisplayWindow,
    /// How the network saw it when it was asked last; none as it is stored.
    pub asked: Option<DisplayWindow>,
}

/// The mask that is compared with.
pub struct OpenTruth {
    /// Names it in later events.
    pub ticket: Ticket,
    /// Its file, the first of several.
    pub path: PathBuf,
    /// Its labels on the image, and which of them count.
    pub truth: Arc<Truth>,
    /// The mask of the slice that is shown; none where the truth says nothing of it.
    pub mask: Option<Arc<Mask>>,
}

impl OpenTruth {
    /// Of slice `slice`.
    pub fn new(ticket: Ticket, truth: Arc<Truth>, slice: usize) -> Self {
        let path = truth.files.first().cloned().unwrap_or_default();
        let mask = truth.mask(slice);
        Self { ticket, path, truth, mask }
    }
}

/// The prediction that is shown.
pub struct Shown {
    /// The request that it answers.
    pub ticket: Ticket,
    /// What the network says.
    pub prediction: Arc<Prediction>,
    /// When it came.
    pub since: Instant,
    /// Its pixel counts at every threshold.
    pub counts: Counts,
    /// For the screen.
    pub layer: ProbabilityLayer,
}

/// Between what a distance is measured: prediction, truth, step of the threshold.
pub type Measured = (Ticket, Ticket, usize);

/// A measured Hausdorff distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Between what.
    pub of: Measured,
    /// 95 %, in the unit of the picture's lengths; none where one of the masks is empty.
    pub length: Option<f64>,
}

/// The model that answers.
pub struct OpenModel {
    /// Where it lies.
    pub source: ModelSource,
    /// What it is.
    pub info: ModelInfo,
}

/// Something that was asked for and has not come yet.
pub struct Awaited<T> {
    /// Matches the answer.
    pub ticket: Ticket,
    /// What it is.
    pub what: T,
    /// When it was asked for.
    pub since: Instant,
}

/// Whose sentence stands in the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PromptOf {
    /// The user's own, for whatever picture comes next.
    #[default]
    User,
    /// That of a case of a list, by the list and its place there.
    Case(Ticket, usize),
    /// That of a sample case.
    Sample(&'static str),
}

/// A task, which has a layout of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tab {
    /// An image, its mask, the prompt.
    #[default]
    Read,
    /// The inside of the network.
    Stages,
    /// Training.
    Train,
}

impl Tab {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Read, Self::Stages, Self::Train];

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "Read",
            Self::Stages => "Stages",
            Self::Train => "Train",
        }
    }
}

/// A page of the help menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// All keys.
    Shortcuts,
    /// Windows on the number keys.
    Presets,
    /// What the network gets of the picture.
    Network,
    /// What this is and is not.
    About,
}

/// Everything that the panels look at.
pub struct State {
    /// What is remembered between runs; the panels' switches live here.
    pub settings: Settings,
    /// Where models shall compute.
    pub device: DeviceChoice,
    /// The image, if one is open.
    pub image: Option<OpenImage>,
    /// The truth, if one is open.
    pub truth: Option<OpenTruth>,
    /// What is to be decided before a truth can be laid on the image.
    pub truth_question: Option<TruthQuestion>,
    /// The model, if one is open.
    pub model: Option<OpenModel>,
    /// The newest prediction for this image.
    pub shown: Option<Shown>,
    /// The Hausdorff distance that was measured last.
    pub distance: Option<Distance>,
    /// What it is being measured of.
    pub measuring: Option<Measured>,
    /// The sentence as it is typed.
    pub prompt: String,
    /// Whose sentence that is.
    pub prompt_of: PromptOf,
    /// What belongs to the picture that is seen, while another one is on its way.
    pub left: Option<PendingImage>,
    /// Why the case that was asked for last is not seen.
    pub failed: Option<String>,
    /// Whether the overlay is switched on.
    pub show_overlay: bool,
    /// Whether a key hides the overlay.
    pub overlay_held: bool,
    /// Whether the truth is compared with.
    pub show_truth: bool,
    /// Whether the information on the image names what can identify a person; for this session.
    pub show_identifiers: bool,
    /// Zoom and pan.
    pub view: View,
    /// Ends of the ruler in pixels of the image, if one is drawn.
    pub ruler: Option<[Vec2; 2]>,
    /// When the last slice was shown, while the stack is played.
    pub playing: Option<Instant>,
    /// When the mask of the slice is to be asked for.
    pub due: Option<Instant>,
    /// Slices read and slices in all of the image on its way.
    pub progress: Option<(usize, usize)>,
    /// Steps back to how the picture was looked at.
    pub history: History,
    /// Toasts and log.
    pub notes: Notes,
    /// What the network gets, and of what that is a picture: asked for last, and come last.
    pub network_view: (Option<u64>, Option<(u64, TextureHandle)>),
    /// Predictions of this session, the newest first.
    pub past: Vec<PredictionRecord>,
    /// The prediction that was kept last.
    pub kept: Option<Ticket>,
    /// A past prediction whose picture is being opened.
    pub recalled: Option<PredictionRecord>,
    /// What is typed into the command palette, where it is open.
    pub palette: Option<String>,
    /// The cases of a folder, if one is open.
    pub worklist: Option<Worklist>,
    /// Where the panels stand.
    pub layouts: Layouts,
    /// The action that waits for its new key, and which of its keys that replaces.
    pub rebinding: Option<(Action, Option<usize>)>,
    /// A mask that was named with a folder, for its only picture.
    pub truth_of_folder: Option<PathBuf>,
    /// The list on its way.
    pub awaited_list: Option<Ticket>,
    /// What fills the window.
    pub tab: Tab,
    /// What is looked at inside the network.
    pub stages: Stages,
    /// Settings of a training run, and the run.
    pub training: Training,
    /// The page of help that is open.
    pub page: Option<Page>,
    /// While the window presents, the size of text to return to; it is not remembered between runs.
    pub presentation: Option<f32>,
    /// The prompt takes the keyboard in this frame.
    pub focus_prompt: bool,
    /// An image on its way, and what breaks its reading off.
    pub awaited_image: Option<Awaited<Source>>,
    /// Set to break off the reading of the image on its way.
    pub cancel: Arc<AtomicBool>,
    /// A truth on its way, and the image it is for.
    pub awaited_truth: Option<Awaited<Option<Ticket>>>,
    /// A model on its way.
    pub awaited_model: Option<Awaited<ModelSource>>,
    /// A prediction on its way.
    pub awaited_prediction: Option<Awaited<()>>,
    /// The newest request for a prediction.
    pub newest_request: Ticket,
}

impl State {
    /// As at the start.
    pub fn new(settings: Settings, device: DeviceChoice) -> Self {
        let layouts = Layouts::of(&settings.layouts);
        Self {
            training: Training::new(settings.next_run_folder(), settings.training_form.as_deref()),
            tab: Tab::default(),
            stages: Stages::default(),
            settings,
            device,
            image: None,
            truth: None,
            truth_question: None,
            model: None,
            shown: None,
            distance: None,
            measuring: None,
            prompt: String::new(),
            prompt_of: PromptOf::default(),
            left: None,
            failed: None,
            show_overlay: true,
            overlay_held: false,
            show_truth: true,
            show_identifiers: false,
            view: View::default(),
            ruler: None,
            playing: None,
            due: None,
            progress: None,
            history: History::default(),
            notes: Notes::default(),
            network_view: (None, None),
            past: Vec::new(),
            kept: None,
            recalled: None,
            palette: None,
            worklist: None,
            layouts,
            rebinding: None,
            truth_of_folder: None,
            awaited_list: None,
            page: None,
            presentation: None,
            focus_prompt: false,
            awaited_image: None,
            cancel: Arc::default(),
            awaited_truth: None,
            awaited_model: None,
            awaited_prediction: None,
            newest_request: 0,
        }
    }

    /// The model that is compared with, once it is open.
    pub fn other(&self) -> Option<&ModelInfo> {
        self.training.comparison.as_ref()?.info.as_ref()
    }

    /// Whether a panel is on the screen.
    pub fn is_seen(&self, pane: Pane) -> bool {
        self.layouts.get(self.tab).is_some_and(|layout| layout.is_seen(pane))
    }

    /// Whether the mask on the screen belongs to something older than what is asked for now.
    pub fn is_stale(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.ticket != self.newest_request)
    }

    /// Whether a prediction has been on its way for so long that it should be seen.
    pub fn is_waiting_visibly(&self) -> bool {
        self.awaited_prediction.as_ref().is_some_and(|awaited| awaited.since.elapsed() >= STALE_AFTER)
    }

    /// Whether the mask is drawn dimmed.
    pub fn is_dimmed(&self) -> bool {
        self.is_stale() && (self.awaited_prediction.is_none() || self.is_waiting_visibly())
    }

    /// What about the picture is unlike what the model was trained on, where that is known.
    pub fn unfamiliar(&self) -> Option<&'static str> {
        let (open, model) = (self.image.as_ref()?, self.model.as_ref()?);
        let is_bundled = model.source == ModelSource::new(BUNDLED_NAME);
        let (width, height) = (open.image.width as f32, open.image.height as f32);
        match open.volume.modality {
            Modality::Ct if is_bundled => {
                Some("The bundled model has never seen a real CT slice: expect little of its mask.")
            }
            Modality::Other if is_bundled => {
                Some("The bundled model knows chest X-rays and colonoscopies, not this kind of picture.")
            }
            _ if width.max(height) > 2.0 * width.min(height) => {
                Some("The network sees every picture as a square: one this long is squeezed.")
            }
            _ => None,
        }
    }

    /// How lengths in the picture are measured.
    pub fn lengths(&self) -> Lengths {
        self.image.as_ref().map_or_else(|| Geometry::default().lengths(), |open| open.volume.geometry.lengths())
    }

    /// The mask of the slice that is shown, with what names it in events; none without a truth, or where that says nothing of the slice.
    pub fn truth_mask(&self) -> Option<(Ticket, Arc<Mask>)> {
        let truth = self.truth.as_ref()?;
        Some((truth.ticket, truth.mask.clone()?))
    }

    /// Whether the comparison with the truth is shown.
    pub fn compares(&self) -> bool {
        self.show_truth && self.truth_mask().is_some()
    }

    /// Between what the distance should be measured now; none without a comparison.
    pub fn distance_wanted(&self) -> Option<Measured> {
        let (shown, truth) = (self.shown.as_ref()?, self.truth.as_ref()?);
        (shown.counts.truth == Some(truth.ticket))
            .then(|| (shown.ticket, truth.ticket, threshold_step(self.settings.threshold)))
    }

    /// Pixel counts against the open truth at the threshold in use.
    pub fn confusion(&self) -> Option<Confusion> {
        let shown = self.shown.as_ref()?;
        let truth = self.truth.as_ref()?;
        let fits = shown.counts.truth == Some(truth.ticket);
        fits.then(|| shown.counts.table.confusion(self.settings.threshold)).flatten()
    }
}

/// The last part of a path, for people.
pub fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
