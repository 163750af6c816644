//! Jobs that paint pictures for the screen.

use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, Pixels, preprocess};
use crate::engine::display::{DisplayPixels, as_seen};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::overlay::{OverlayPaint, compose};
use crate::infer::Prediction;

/// Paints a prediction over its image.
#[derive(Debug)]
pub struct PaintOverlay {
    /// The image.
    pub image: Arc<Image>,
    /// How it is seen; `None` as it is stored.
    pub seen: Option<DisplayWindow>,
    /// The prediction.
    pub prediction: Arc<Prediction>,
    /// A mask to compare with.
    pub truth: Option<Arc<Mask>>,
    /// Threshold of the mask.
    pub threshold: f32,
    /// How it is painted.
    pub paint: OverlayPaint,
    /// Longest side of the picture, pixels.
    pub side: usize,
}

impl Job for PaintOverlay {
    type Answer = DisplayPixels;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<DisplayPixels, Failure> {
        let image = as_seen(self.image, self.seen);
        let truth = self.truth.as_ref().map(|mask| mask.values.as_slice());
        let pixels = Pixels::U8(compose(&image, &self.prediction.mask(self.threshold), truth, &self.paint));
        let painted = Image { width: image.width, height: image.height, channels: 3, pixels };
        Ok(DisplayPixels::of(&painted, self.side))
    }
}

/// Makes a picture of what a network of `side × side` pixels gets.
#[derive(Debug)]
pub struct NetworkView {
    /// The image.
    pub image: Arc<Image>,
    /// How the network sees it; `None` as it is stored.
    pub seen: Option<DisplayWindow>,
    /// Side of the network's input, pixels.
    pub side: usize,
}

impl Job for NetworkView {
    type Answer = DisplayPixels;
    const WORKER: Worker = Worker::Compute;

    fn run(self, _: &mut Task<'_>) -> Result<DisplayPixels, Failure> {
        let picture = preprocess::resampled(&as_seen(self.image, self.seen), self.side);
        Ok(DisplayPixels::of(&picture, self.side))
    }
}
