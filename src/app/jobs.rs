//! Requests that the window has sent and not yet received an answer to. Requests of a single tab are in the state
//! of that tab.

use std::path::PathBuf;

use super::record::Source;
use crate::data::worklist::Item;
use crate::engine::jobs::{ImageOpened, TruthOpened};
use crate::engine::run::Interrupted;
use crate::engine::{Counts, DisplayPixels, Pending, Predicted, Several, Sorted, Ticket};
use crate::infer::{ModelInfo, ModelSource};

/// What a distance is measured between: prediction, ground truth and threshold step.
pub type Measured = (Ticket, Ticket, usize);

/// Pending requests, with what was requested and the type of the answer.
#[derive(Default)]
pub struct Jobs {
    /// The model that is being opened.
    pub model: Pending<ModelSource, ModelInfo>,
    /// The mask of what is shown. Its newest number changes whenever the mask on the screen becomes outdated.
    pub prediction: Pending<(), Predicted>,
    /// The image that is being opened.
    pub image: Pending<Source, ImageOpened>,
    /// The ground truth that is being opened, with the ticket of its image.
    pub truth: Pending<Ticket, TruthOpened>,
    /// The folder that is being listed.
    pub list: Pending<PathBuf, Vec<Item>>,
    /// Pixel counts against a ground truth that arrived after its prediction, with the ticket of the prediction.
    pub counts: Pending<Ticket, Counts>,
    /// The Hausdorff distance.
    pub distance: Pending<Measured, Option<f64>>,
    /// The preview of the network input, with a key of what it shows.
    pub network_view: Pending<u64, DisplayPixels>,
    /// Paths whose content type is not known yet.
    pub sorting: Several<(), Sorted>,
    /// Files that the user asked to save.
    pub saving: Several<PathBuf, ()>,
    /// The stored GPU tuning that is being deleted.
    pub clearing: Pending<(), usize>,
    /// The settings of a training run that are being loaded.
    pub text: Pending<PathBuf, String>,
    /// The training run that an earlier session recorded as unfinished.
    pub interrupted: Pending<PathBuf, Option<Interrupted>>,
}
