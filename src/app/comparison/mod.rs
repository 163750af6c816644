//! Another model beside the one that is open, on the same image and prompt.

mod apply;
mod arrivals;
pub mod panel;

use eframe::egui::TextureHandle;

use crate::engine::{DisplayPixels, Pending, Predicted, Ticket};
use crate::infer::{ModelInfo, ModelSource};

/// Longest side of a picture of the comparison, in pixels.
pub const SIDE: usize = 640;

/// What a picture of the comparison shows; where this stays the same, the picture does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComparedInspection {
    /// The prediction.
    pub prediction: Ticket,
    /// The truth.
    pub truth: Option<Ticket>,
    /// Threshold of the mask.
    pub threshold: f32,
    /// Opacity of the fill.
    pub opacity: f32,
    /// Fill and outline.
    pub draws: [bool; 2],
}

/// A picture that is painted on a thread.
#[derive(Default)]
pub struct Painting {
    /// What it was last asked to show.
    pub request: Pending<ComparedInspection, DisplayPixels>,
    /// It came and is not on the graphics device yet.
    pub fresh: Option<DisplayPixels>,
    /// On the graphics device.
    pub texture: Option<TextureHandle>,
}

/// The comparison.
pub struct Comparison {
    /// The other model on its way.
    pub opening: Pending<ModelSource, ModelInfo>,
    /// Where the other model lies.
    pub source: ModelSource,
    /// What it is, once it is open.
    pub info: Option<ModelInfo>,
    /// Why there is nothing to see.
    pub error: Option<String>,
    /// The mask of what is shown.
    pub prediction: Pending<(), Predicted>,
    /// Its newest prediction.
    pub predicted: Option<Predicted>,
    /// The open model's picture, and the other's.
    pub paintings: [Painting; 2],
}

impl Comparison {
    /// A comparison whose model is on its way.
    pub fn new(source: ModelSource, opening: Pending<ModelSource, ModelInfo>) -> Self {
        let (prediction, paintings) = (Pending::default(), Default::default());
        Self { opening, source, info: None, error: None, prediction, predicted: None, paintings }
    }

    /// Forgets what belongs to an image that is shown no more.
    pub fn forget(&mut self) {
        self.predicted = None;
        self.paintings = Default::default();
    }
}
