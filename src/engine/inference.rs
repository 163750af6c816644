//! Requests to an open model, and their answers.

use std::sync::Arc;

use super::job::Ticket;
use super::scores::ThresholdCounts;
use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask};
use crate::infer::{InspectOptions, Inspection, Overrides, Prediction};

/// A request for a segmentation. A newer request replaces one that is still waiting.
#[derive(Clone, Debug)]
pub struct PredictRequest {
    /// The ticket that identifies the answer.
    pub ticket: Ticket,
    /// The image to segment.
    pub image: Arc<Image>,
    /// The display window applied to the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The prompt.
    pub prompt: String,
    /// The ground truth, of the same size as the image, and its ticket.
    pub truth: Option<(Ticket, Arc<Mask>)>,
}

/// The answer to a [`PredictRequest`].
#[derive(Clone, Debug)]
pub struct Predicted {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// The image of the request.
    pub image: Arc<Image>,
    /// The prediction.
    pub prediction: Arc<Prediction>,
    /// The pixel counts of the prediction.
    pub counts: Counts,
}

/// A request for an inspection. A newer request replaces one that is still waiting.
#[derive(Clone, Debug)]
pub struct InspectRequest {
    /// The segmentation to inspect; its ticket identifies the answer.
    pub of: PredictRequest,
    /// Values in place of the network's own.
    pub overrides: Option<Overrides>,
    /// The results that are requested.
    pub wanted: InspectOptions,
}

/// The answer to an [`InspectRequest`].
#[derive(Clone, Debug)]
pub struct Inspected {
    /// The ticket of the request.
    pub ticket: Ticket,
    /// The image of the request.
    pub image: Arc<Image>,
    /// The values with which the network ran, if they were not its own.
    pub overrides: Option<Overrides>,
    /// The inspection.
    pub inspection: Arc<Inspection>,
    /// The pixel counts of its mask.
    pub counts: Counts,
}

/// The pixel counts of a prediction, and the ground truth with which it was compared.
#[derive(Clone, Debug)]
pub struct Counts {
    /// The ticket of the ground truth, if one was used.
    pub truth: Option<Ticket>,
    /// The counts at every threshold.
    pub table: Arc<ThresholdCounts>,
}

impl Counts {
    /// Counts the pixels of a prediction at every threshold, compared with `truth` if there is one.
    pub(super) fn of(prediction: &Prediction, truth: Option<&(Ticket, Arc<Mask>)>) -> Self {
        let mask = truth.map(|(_, mask)| mask.values.as_slice());
        let table = Arc::new(ThresholdCounts::new(&prediction.probability.values, mask));
        Self { truth: truth.map(|(ticket, _)| *ticket), table }
    }
}
