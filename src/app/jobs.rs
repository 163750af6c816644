//! What the window has asked for and waits for. What only one tab asks for stands in the state of that tab.

use std::path::PathBuf;

use super::record::Source;
use crate::data::worklist::Item;
use crate::engine::jobs::{ImageOpened, TruthOpened};
use crate::engine::run::Interrupted;
use crate::engine::{Counts, DisplayPixels, Pending, Predicted, Several, Sorted, Ticket};
use crate::infer::{ModelInfo, ModelSource};

/// Between what a distance is measured: prediction, truth, step of the threshold.
pub type Measured = (Ticket, Ticket, usize);

/// Requests on their way, with what was asked and what will come.
#[derive(Default)]
pub struct Jobs {
    /// The model to open.
    pub model: Pending<ModelSource, ModelInfo>,
    /// The mask of what is shown. Its newest number changes with everything that makes the mask on the screen outdated.
    pub prediction: Pending<(), Predicted>,
    /// The image to open.
    pub image: Pending<Source, ImageOpened>,
    /// The truth to open, and the image it is for.
    pub truth: Pending<Ticket, TruthOpened>,
    /// The folder to list.
    pub list: Pending<PathBuf, Vec<Item>>,
    /// Pixel counts against a truth that came after its prediction, which is named.
    pub counts: Pending<Ticket, Counts>,
    /// The Hausdorff distance.
    pub distance: Pending<Measured, Option<f64>>,
    /// A picture of what the network gets, by what it is of.
    pub network_view: Pending<u64, DisplayPixels>,
    /// Paths of which it is not known yet what they are.
    pub sorting: Several<(), Sorted>,
    /// Files that the user asked for.
    pub saving: Several<PathBuf, ()>,
    /// Settings of a training run to load.
    pub text: Pending<PathBuf, String>,
    /// The training run that an earlier session remembered.
    pub interrupted: Pending<PathBuf, Option<Interrupted>>,
}
