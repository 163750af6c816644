//! The state that the window shows. Only [`super::HimixApp::apply`] and incoming events change it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{TextureHandle, Vec2};

use super::annotating::{Annotating, Looked};
use super::builder::Builder;
use super::cases::Cases;
use super::comparison::Comparison;
use super::export::Exporting;
use super::influence::InfluenceState;
use super::jobs::{Jobs, Measured};
use super::judging::Judging;
use super::keeping::Keeping;
use super::keys::ActionId;
use super::layout::Layouts;
use super::networks::Networks;
use super::notes::Notes;
use super::page::Page;
use super::pane::{Pane, Panes};
use super::proposals::Proposals;
use super::record::{PendingImage, PredictionRecord, PromptOf};
use super::report::Report;
use super::robustness::Robustness;
use super::session_file::Sessions;
use super::settings::Settings;
use super::stages::Stages;
use super::tab::Tab;
use super::training::Training;
use super::typing::Typing;
use super::uncertainty::UncertaintyState;
use super::undo::History;
use super::variants::Variants;
use super::view::View;
use super::worklist::Worklist;
use crate::annotate;
pub use crate::annotate::OpenTruth;
use crate::data::volume::{Lengths, Modality};
use crate::data::{Geometry, Mask};
use crate::device::{DeviceChoice, Precision};
use crate::engine::jobs::TruthQuestion;
use crate::engine::{Counts, Ticket, threshold_step};
use crate::infer::{ModelInfo, ModelSource, Prediction, WarmUpProgress};
use crate::metrics::Confusion;
use crate::render::{ImageLayer, Picture, ProbabilityLayer};
use crate::text::prompt::Misread;

/// A mask that has been outdated for longer than this is dimmed.
pub const STALE_AFTER: Duration = Duration::from_millis(150);

/// The open image.
pub type OpenImage = annotate::OpenImage<ImageLayer>;

/// The open image with everything that belongs to it.
pub type Document = annotate::Document<ImageLayer, Shown>;

/// The prediction that is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The ticket of the request that it answers.
    pub ticket: Ticket,
    /// The prediction of the network.
    pub prediction: Arc<Prediction>,
    /// When the prediction arrived.
    pub since: Instant,
    /// The pixel counts at every threshold step.
    pub counts: Counts,
    /// The layer that draws the prediction on the screen.
    pub layer: ProbabilityLayer,
    /// What the network could not read of the prompt.
    pub misread: Option<Misread>,
}

/// A measured Hausdorff distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distance {
    /// What the distance was measured between.
    pub of: Measured,
    /// The 95th percentile Hausdorff distance, in the length unit of the image; `None` if only one of the masks is
    /// empty.
    pub length: Option<f64>,
}

/// The model that makes the predictions.
pub struct OpenModel {
    /// The ticket of the request that opened the model.
    pub opened: Ticket,
    /// Where the model is stored.
    pub source: ModelSource,
    /// The description of the model.
    pub info: ModelInfo,
    /// The words that its tokenizer knows, for completion.
    pub words: Vec<String>,
}

/// The state that the panels display.
pub struct State {
    /// The settings saved between sessions, which include the switches of the panels.
    pub settings: Settings,
    /// The compute device for models.
    pub device: DeviceChoice,
    /// The precision of predictions on a GPU.
    pub precision: Precision,
    /// The names of the graphics adapters that could draw the window.
    pub display_adapters: Vec<String>,
    /// The image with its prompt, predictions, ground truth and annotation.
    pub document: Document,
    /// The question to answer before a ground truth can be placed on the image.
    pub truth_question: Option<TruthQuestion>,
    /// The model, if one is open.
    pub model: Option<OpenModel>,
    /// How far the GPU is that will take over from the CPU, while one is made ready.
    pub warm_up: Option<WarmUpProgress>,
    /// The newest prediction for this image.
    pub shown: Option<Shown>,
    /// What the rules say about prompt and mask.
    pub judging: Judging,
    /// The Hausdorff distance that was measured last.
    pub distance: Option<Distance>,
    /// The origin of the prompt.
    pub prompt_of: PromptOf,
    /// The prompt that the open case brought along, which the user did not write.
    pub brought: Option<String>,
    /// The part of the prompt that is sent, while a word of it is being typed.
    pub typing: Option<Typing>,
    /// The state that belongs to the displayed image while another one is being opened.
    pub left: Option<PendingImage>,
    /// Why the case that was requested last is not shown.
    pub failed: Option<String>,
    /// Whether the overlay is switched on.
    pub show_overlay: bool,
    /// Whether a held key hides the overlay.
    pub overlay_held: bool,
    /// Whether the comparison with the ground truth is switched on.
    pub show_truth: bool,
    /// Whether the image information shows identifying attributes; this is not saved.
    pub show_identifiers: bool,
    /// Zoom and pan.
    pub view: View,
    /// The end points of the ruler in image pixels, if one is drawn.
    pub ruler: Option<[Vec2; 2]>,
    /// When the last slice was shown, while the stack is played.
    pub playing: Option<Instant>,
    /// When the mask of the slice is to be requested.
    pub due: Option<Instant>,
    /// The steps that can be undone, in chronological order.
    pub history: History,
    /// Notes, toasts and the log.
    pub notes: Notes,
    /// The image of the network input, with the key of what it shows.
    pub network_view: Option<(u64, TextureHandle)>,
    /// The predictions of this session, newest first.
    pub past: Vec<PredictionRecord>,
    /// The annotations that are kept.
    pub keeping: Keeping,
    /// The prediction that was kept last.
    pub kept: Option<Ticket>,
    /// A past prediction whose image is being opened.
    pub recalled: Option<PredictionRecord>,
    /// The text in the command palette, if it is open.
    pub palette: Option<String>,
    /// The cases of a folder, if one is open.
    pub worklist: Option<Worklist>,
    /// The work on these cases.
    pub cases: Cases,
    /// The panel layouts.
    pub layouts: Layouts,
    /// The action that waits for its new key, and the position of the key to replace.
    pub rebinding: Option<(ActionId, Option<usize>)>,
    /// A mask that was passed together with a folder, for the only image in it.
    pub truth_of_folder: Option<PathBuf>,
    /// The task that is shown.
    pub tab: Tab,
    /// The state of the Stages tab: the intermediate results of the network.
    pub stages: Stages,
    /// The influence of the words of the prompt.
    pub influence: InfluenceState,
    /// The map of the uncertainty.
    pub uncertainty: UncertaintyState,
    /// The state of the builder.
    pub builder: Builder,
    /// The state of the Report panel.
    pub report: Report,
    /// The state of the Train tab: the settings of a training run, and the run.
    pub training: Training,
    /// The comparison of networks.
    pub networks: Networks,
    /// The study of robustness.
    pub robustness: Robustness,
    /// The proposals for the prompt.
    pub proposals: Proposals,
    /// The pinned variants of the prompt.
    pub variants: Variants,
    /// Drawing and correcting masks.
    pub annotating: Annotating,
    /// Exports, files that are opened as annotation, measurements and the batch.
    pub export: Exporting,
    /// The session that was opened, and those that were left behind.
    pub sessions: Sessions,
    /// The comparison model, if there is one.
    pub comparison: Option<Comparison>,
    /// Draws the image.
    pub picture: Picture,
    /// The page that is open.
    pub page: Option<Page>,
    /// During a presentation, the text size to return to; it is not saved.
    pub presentation: Option<f32>,
    /// Whether the prompt takes the keyboard focus in this frame.
    pub focus_prompt: bool,
    /// The pending requests.
    pub jobs: Jobs,
}

impl State {
    /// Creates the initial state with these panels; `picture` draws the image.
    pub fn new(settings: Settings, device: DeviceChoice, panes: Panes, picture: Picture) -> Self {
        let layouts = Layouts::new(&settings.layouts, panes);
        Self {
            training: Training::new(settings.next_run_folder(), settings.training_form.as_deref()),
            comparison: None,
            networks: Networks::default(),
            robustness: Robustness::default(),
            proposals: Proposals::default(),
            variants: Variants::default(),
            annotating: Annotating::default(),
            export: Exporting::default(),
            sessions: Sessions::default(),
            picture,
            tab: Tab::default(),
            stages: Stages::default(),
            influence: InfluenceState::default(),
            uncertainty: UncertaintyState::default(),
            builder: Builder::default(),
            report: Report::default(),
            precision: settings.precision,
            settings,
            device,
            display_adapters: Vec::new(),
            document: Document::default(),
            truth_question: None,
            model: None,
            warm_up: None,
            shown: None,
            judging: Judging::default(),
            distance: None,
            prompt_of: PromptOf::default(),
            brought: None,
            typing: None,
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
            keeping: Keeping::default(),
            recalled: None,
            palette: None,
            worklist: None,
            cases: Cases::default(),
            layouts,
            rebinding: None,
            truth_of_folder: None,
            page: None,
            presentation: None,
            focus_prompt: false,
            jobs: Jobs::default(),
        }
    }

    /// Returns the comparison model, once it is open.
    pub fn other(&self) -> Option<&ModelInfo> {
        self.comparison.as_ref()?.info.as_ref()
    }

    /// Returns the device for a long task with a model of its own: while a GPU is made ready, it is the CPU, because
    /// the task would wait for the same kernels.
    pub fn device_for_tasks(&self) -> DeviceChoice {
        let compared = self.comparison.as_ref().and_then(|comparison| comparison.warm_up.as_ref());
        if self.warm_up.as_ref().or(compared).is_some() { DeviceChoice::Cpu } else { self.device }
    }

    /// Returns what the network could not read of the prompt of the mask that is shown.
    pub fn misread(&self) -> Option<&Misread> {
        self.shown.as_ref()?.misread.as_ref()
    }

    /// Returns whether a panel is visible on the screen.
    pub fn is_seen(&self, pane: Pane) -> bool {
        self.layouts.get(self.tab).is_some_and(|layout| layout.is_seen(pane))
    }

    /// Returns whether the mask on the screen belongs to an older request than the newest one.
    pub fn is_stale(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.ticket != self.jobs.prediction.newest())
    }

    /// Returns whether a prediction has been pending for so long that the wait should be indicated.
    pub fn is_waiting_visibly(&self) -> bool {
        self.jobs.prediction.pending().is_some_and(|awaited| awaited.since.elapsed() >= STALE_AFTER)
    }

    /// Returns whether the mask is drawn dimmed.
    pub fn is_dimmed(&self) -> bool {
        self.is_stale() && (self.jobs.prediction.pending().is_none() || self.is_waiting_visibly())
    }

    /// Describes how the image differs from the model's training data, if that is known.
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

    /// Returns how lengths in the image are measured.
    pub fn lengths(&self) -> Lengths {
        self.document
            .image
            .as_ref()
            .map_or_else(|| Geometry::default().lengths(), |open| open.volume.geometry.lengths())
    }

    /// Returns whether the size of the pixels of the image is known.
    pub fn has_pixel_mm(&self) -> bool {
        self.document.image.as_ref().is_some_and(|open| open.volume.geometry.pixel_mm.is_some())
    }

    /// Returns the prediction of the network that is shown; `None` without one, and while the picture shows the masks
    /// of two readers in its place.
    pub fn predicted(&self) -> Option<&Shown> {
        self.shown.as_ref().filter(|_| self.shown_readers().is_none())
    }

    /// Returns the prediction of the network if it answers the newest request.
    ///
    /// # Errors
    /// Returns a sentence for the user that says what to do.
    pub fn predicted_now(&self) -> Result<&Shown, &'static str> {
        if self.shown_readers().is_some() {
            return Err("The picture shows the masks of two readers. Show the network's mask again.");
        }
        let shown = self.shown.as_ref().ok_or("There is no mask yet. Type a prompt first.")?;
        match self.is_stale() {
            true => Err("The mask of this prompt is being computed. Try again in a moment."),
            false => Ok(shown),
        }
    }

    /// Returns the ground truth mask of the current slice with its ticket; `None` without a ground truth or if it
    /// does not cover the slice.
    pub fn truth_mask(&self) -> Option<(Ticket, Arc<Mask>)> {
        let truth = self.document.truth.as_ref()?;
        Some((truth.ticket, truth.mask.clone()?))
    }

    /// Returns the data set split that the case belongs to; `None` if it is not known.
    pub fn split(&self) -> Option<&str> {
        let list = self.worklist.as_ref().filter(|_| self.left.is_none());
        let listed = list.and_then(|list| list.items.get(list.current?));
        let lone = self.document.image.as_ref().and_then(|open| open.case.as_deref());
        listed.or(lone)?.split.as_deref()
    }

    /// Returns whether the comparison with the ground truth is shown.
    pub fn compares(&self) -> bool {
        self.show_truth && self.truth_mask().is_some()
    }

    /// Returns what the distance should be measured between now; `None` without a comparison.
    pub fn distance_wanted(&self) -> Option<Measured> {
        let (shown, truth) = (self.shown.as_ref()?, self.document.truth.as_ref()?);
        (shown.counts.truth == Some(truth.ticket))
            .then(|| (shown.ticket, truth.ticket, threshold_step(self.settings.threshold)))
    }

    /// Returns the pixel counts of the mask that is looked at: against the open ground truth, or, for the difference,
    /// of the prediction against the annotation.
    pub fn confusion(&self) -> Option<Confusion> {
        if self.looked() != Looked::Prediction {
            return self.annotation_scores().map(|scored| scored.confusion);
        }
        let shown = self.shown.as_ref()?;
        let truth = self.document.truth.as_ref()?;
        let fits = shown.counts.truth == Some(truth.ticket);
        fits.then(|| shown.counts.table.confusion(self.settings.threshold)).flatten()
    }
}
