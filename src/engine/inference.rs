//! What an open model is asked, and what it answers.

use std::sync::Arc;

use super::job::Ticket;
use super::scores::ThresholdCounts;
use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask};
use crate::infer::{InspectOptions, Inspection, Overrides, Prediction};

/// Asks for a segmentation; a newer request replaces one that still waits.
#[derive(Clone, Debug)]
pub struct PredictRequest {
    /// Matches the answer.
    pub ticket: Ticket,
    /// What to segment.
    pub image: Arc<Image>,
    /// How the network sees it; `None` as it is stored.
    pub seen: Option<DisplayWindow>,
    /// The prompt.
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

impl Counts {
    /// Of a prediction at every threshold, against `truth` if there is one.
    pub(super) fn of(prediction: &Prediction, truth: Option<&(Ticket, Arc<Mask>)>) -> Self {
        let mask = truth.map(|(_, mask)| mask.values.as_slice());
        let table = Arc::new(ThresholdCounts::new(&prediction.probability.values, mask));
        Self { truth: truth.map(|(ticket, _)| *ticket), table }
    }
}
