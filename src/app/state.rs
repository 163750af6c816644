//! What the window shows. Only [`super::HimixApp::apply`] and the arrival of events change it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{TextureHandle, Vec2};

use super::comparison::Comparison;
use super::jobs::{Jobs, Measured};
use super::keys::ActionId;
use super::layout::Layouts;
use super::notes::Notes;
use super::page::Page;
use super::pane::{Pane, Panes};
use super::record::{PendingImage, PredictionRecord, PromptOf};
use super::settings::Settings;
use super::stages::Stages;
use super::tab::Tab;
use super::training::Training;
use super::undo::History;
use super::view::View;
use super::worklist::Worklist;
use crate::annotate;
pub use crate::annotate::OpenTruth;
use crate::data::volume::{Lengths, Modality};
use crate::data::{Geometry, Mask};
use crate::device::DeviceChoice;
use crate::engine::jobs::TruthQuestion;
use crate::engine::{Counts, Ticket, threshold_step};
use crate::infer::{ModelInfo, ModelSource, Prediction};
use crate::metrics::Confusion;
use crate::render::{ImageLayer, Picture, ProbabilityLayer};

/// A mask older than this is dimmed.
pub const STALE_AFTER: Duration = Duration::from_millis(150);

/// The image that is open.
pub type OpenImage = annotate::OpenImage<ImageLayer>;

/// The image that is open with all that belongs to it.
pub type Document = annotate::Document<ImageLayer, Shown>;

/// The prediction that is shown.
#[derive(Clone, Debug)]
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

/// A measured Hausdorff distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// Between what.
    pub of: Measured,
    /// 95 %, in the unit of the picture's lengths; `None` where one of the masks is empty.
    pub length: Option<f64>,
}

/// The model that answers.
pub struct OpenModel {
    /// Where it lies.
    pub source: ModelSource,
    /// What it is.
    pub info: ModelInfo,
}

/// Everything that the panels look at.
pub struct State {
    /// What is remembered between runs; the panels' switches live here.
    pub settings: Settings,
    /// Where models shall compute.
    pub device: DeviceChoice,
    /// The image with its prompt, predictions, ground truth and annotation.
    pub document: Document,
    /// What is to be decided before a truth can be laid on the image.
    pub truth_question: Option<TruthQuestion>,
    /// The model, if one is open.
    pub model: Option<OpenModel>,
    /// The newest prediction for this image.
    pub shown: Option<Shown>,
    /// The Hausdorff distance that was measured last.
    pub distance: Option<Distance>,
    /// Whose prompt that is.
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
    /// What was done and can be undone, in one order.
    pub history: History,
    /// Toasts and log.
    pub notes: Notes,
    /// What the network gets, and of what that is a picture.
    pub network_view: Option<(u64, TextureHandle)>,
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
    pub rebinding: Option<(ActionId, Option<usize>)>,
    /// A mask that was named with a folder, for its only picture.
    pub truth_of_folder: Option<PathBuf>,
    /// What fills the window.
    pub tab: Tab,
    /// What is looked at inside the network.
    pub stages: Stages,
    /// Settings of a training run, and the run.
    pub training: Training,
    /// Another model beside the one that is open.
    pub comparison: Option<Comparison>,
    /// Draws the picture.
    pub picture: Picture,
    /// The page of help that is open.
    pub page: Option<Page>,
    /// While the window presents, the size of text to return to; it is not remembered between runs.
    pub presentation: Option<f32>,
    /// The prompt takes the keyboard in this frame.
    pub focus_prompt: bool,
    /// What was asked for and has not come yet.
    pub jobs: Jobs,
}

impl State {
    /// As at the start, with these panels; `picture` draws the picture.
    pub fn new(settings: Settings, device: DeviceChoice, panes: Panes, picture: Picture) -> Self {
        let layouts = Layouts::new(&settings.layouts, panes);
        Self {
            training: Training::new(settings.next_run_folder(), settings.training_form.as_deref()),
            comparison: None,
            picture,
            tab: Tab::default(),
            stages: Stages::default(),
            settings,
            device,
            document: Document::default(),
            truth_question: None,
            model: None,
            shown: None,
            distance: None,
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
            history: History::default(),
            notes: Notes::default(),
            network_view: None,
            past: Vec::new(),
            kept: None,
            recalled: None,
            palette: None,
            worklist: None,
            layouts,
            rebinding: None,
            truth_of_folder: None,
            page: None,
            presentation: None,
            focus_prompt: false,
            jobs: Jobs::default(),
        }
    }

    /// The model that is compared with, once it is open.
    pub fn other(&self) -> Option<&ModelInfo> {
        self.comparison.as_ref()?.info.as_ref()
    }

    /// Whether a panel is on the screen.
    pub fn is_seen(&self, pane: Pane) -> bool {
        self.layouts.get(self.tab).is_some_and(|layout| layout.is_seen(pane))
    }

    /// Whether the mask on the screen belongs to something older than what is asked for now.
    pub fn is_stale(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.ticket != self.jobs.prediction.newest())
    }

    /// Whether a prediction has been on its way for so long that it should be seen.
    pub fn is_waiting_visibly(&self) -> bool {
        self.jobs.prediction.pending().is_some_and(|awaited| awaited.since.elapsed() >= STALE_AFTER)
    }

    /// Whether the mask is drawn dimmed.
    pub fn is_dimmed(&self) -> bool {
        self.is_stale() && (self.jobs.prediction.pending().is_none() || self.is_waiting_visibly())
    }

    /// What about the picture is unlike what the model was trained on, where that is known.
    pub fn unfamiliar(&self) -> Option<&'static str> {
        let (open, model) = (self.document.image.as_ref()?, self.model.as_ref()?);
        let is_bundled = model.source.is_bundled();
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
        self.document
            .image
            .as_ref()
            .map_or_else(|| Geometry::default().lengths(), |open| open.volume.geometry.lengths())
    }

    /// The mask of the slice that is shown, with what names it in events; none without a truth, or where that says nothing of the slice.
    pub fn truth_mask(&self) -> Option<(Ticket, Arc<Mask>)> {
        let truth = self.document.truth.as_ref()?;
        Some((truth.ticket, truth.mask.clone()?))
    }

    /// The split of its data set that the case belongs to; `None` where nothing says so.
    pub fn split(&self) -> Option<&str> {
        let list = self.worklist.as_ref().filter(|_| self.left.is_none());
        let listed = list.and_then(|list| list.items.get(list.current?));
        let lone = self.document.image.as_ref().and_then(|open| open.case.as_deref());
        listed.or(lone)?.split.as_deref()
    }

    /// Whether the comparison with the truth is shown.
    pub fn compares(&self) -> bool {
        self.show_truth && self.truth_mask().is_some()
    }

    /// Between what the distance should be measured now; none without a comparison.
    pub fn distance_wanted(&self) -> Option<Measured> {
        let (shown, truth) = (self.shown.as_ref()?, self.document.truth.as_ref()?);
        (shown.counts.truth == Some(truth.ticket))
            .then(|| (shown.ticket, truth.ticket, threshold_step(self.settings.threshold)))
    }

    /// Pixel counts against the open truth at the threshold in use.
    pub fn confusion(&self) -> Option<Confusion> {
        let shown = self.shown.as_ref()?;
        let truth = self.document.truth.as_ref()?;
        let fits = shown.counts.truth == Some(truth.ticket);
        fits.then(|| shown.counts.table.confusion(self.settings.threshold)).flatten()
    }
}
