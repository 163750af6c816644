//! The comparison of another model with the open one, on the same image and prompt.

mod apply;
mod arrivals;
pub mod panel;

use eframe::egui::TextureHandle;

use crate::engine::{DisplayPixels, Pending, Predicted, Ticket};
use crate::infer::{ModelInfo, ModelSource, WarmUpProgress};

/// The maximum side length of an image of the comparison, in pixels.
pub const SIDE: usize = 640;

/// The content of an image of the comparison; equal values give the same image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComparedInspection {
    /// The ticket of the prediction.
    pub prediction: Ticket,
    /// The ticket of the ground truth.
    pub truth: Option<Ticket>,
    /// The threshold of the mask.
    pub threshold: f32,
    /// The opacity of the fill.
    pub opacity: f32,
    /// Whether fill and outline are drawn.
    pub draws: [bool; 2],
}

/// An image that is rendered on a background thread.
#[derive(Default)]
pub struct Painting {
    /// The content that was requested last.
    pub request: Pending<ComparedInspection, DisplayPixels>,
    /// A rendered image that is not on the graphics device yet.
    pub fresh: Option<DisplayPixels>,
    /// The texture on the graphics device.
    pub texture: Option<TextureHandle>,
}

/// The state of the comparison.
pub struct Comparison {
    /// The pending request to open the other model.
    pub opening: Pending<ModelSource, ModelInfo>,
    /// Where the other model is stored.
    pub source: ModelSource,
    /// The description of the other model, once it is open.
    pub info: Option<ModelInfo>,
    /// How far the GPU is that will take over from the CPU, while one is made ready.
    pub warm_up: Option<WarmUpProgress>,
    /// The reason why there is no result.
    pub error: Option<String>,
    /// The pending request for the mask of what is shown.
    pub prediction: Pending<(), Predicted>,
    /// The newest prediction of the other model.
    pub predicted: Option<Predicted>,
    /// The images of the open model and of the other model.
    pub paintings: [Painting; 2],
}

impl Comparison {
    /// Creates a comparison whose model is being opened.
    pub fn new(source: ModelSource, opening: Pending<ModelSource, ModelInfo>) -> Self {
        let (prediction, paintings) = (Pending::default(), Default::default());
        Self { opening, source, info: None, warm_up: None, error: None, prediction, predicted: None, paintings }
    }

    /// Discards what belongs to an image that is no longer shown.
    pub fn forget(&mut self) {
        self.predicted = None;
        self.paintings = Default::default();
    }
}
