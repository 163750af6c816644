//! Jobs that render images for the screen.

use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, Pixels, preprocess};
use crate::engine::display::{DisplayPixels, as_seen};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::overlay::{OverlayPaint, compose};
use crate::infer::Prediction;

/// Renders a prediction over its image.
#[derive(Debug)]
pub struct PaintOverlay {
    /// The image.
    pub image: Arc<Image>,
    /// The display window; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The prediction.
    pub prediction: Arc<Prediction>,
    /// The ground truth.
    pub truth: Option<Arc<Mask>>,
    /// The threshold of the mask.
    pub threshold: f32,
    /// The colours and options of the overlay.
    pub paint: OverlayPaint,
    /// The longest side of the rendered image in pixels.
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

/// Renders the input of a network with `side × side` pixels.
#[derive(Debug)]
pub struct NetworkView {
    /// The image.
    pub image: Arc<Image>,
    /// The display window applied to the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The side length of the network's input in pixels.
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
