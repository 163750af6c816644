//! Jobs that write files. Each is complete before it gets its name.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, write};
use crate::engine::display::as_seen;
use crate::engine::enlarge::{OverlayFrame, enlarge};
use crate::engine::figure::{self, FigureRequest};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::overlay::{OverlayPaint, compose};
use crate::infer::Prediction;

/// Writes a mask, 0 and 255, at image resolution, as PNG.
#[derive(Debug)]
pub struct SaveMask {
    /// The file.
    pub path: PathBuf,
    /// What the mask is made of.
    pub prediction: Arc<Prediction>,
    /// Threshold of the mask.
    pub threshold: f32,
}

impl Job for SaveMask {
    type Answer = ();
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        let pixels: Vec<u8> = self.prediction.mask(self.threshold).into_iter().map(|value| value * 255).collect();
        let plane = &self.prediction.probability;
        Ok(write::png8(&self.path, plane.width, plane.height, &pixels)?)
    }
}

/// Writes an image with the overlay as it is shown, as PNG.
#[derive(Debug)]
pub struct SaveOverlay {
    /// The file.
    pub path: PathBuf,
    /// What is written of the image, and how large; `None` for all of it at its own resolution.
    pub frame: Option<OverlayFrame>,
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
}

impl Job for SaveOverlay {
    type Answer = ();
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        let image = as_seen(self.image, self.seen);
        if let Some(frame) = self.frame {
            let large = enlarge(frame, &image, &self.prediction, self.truth.as_deref(), self.threshold);
            let pixels = compose(&large.image, &large.mask, large.truth.as_deref(), &self.paint);
            return Ok(write::png_rgb(&self.path, large.image.width, large.image.height, &pixels)?);
        }
        let truth = self.truth.as_ref().map(|mask| mask.values.as_slice());
        let pixels = compose(&image, &self.prediction.mask(self.threshold), truth, &self.paint);
        Ok(write::png_rgb(&self.path, image.width, image.height, &pixels)?)
    }
}

/// Draws a figure and writes it as the ending of `path` says: .png, .svg, or .csv for the numbers alone.
#[derive(Debug)]
pub struct SaveFigure {
    /// The file.
    pub path: PathBuf,
    /// The figure.
    pub request: Box<FigureRequest>,
}

impl Job for SaveFigure {
    type Answer = ();
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        Ok(figure::write(&self.request, &self.path)?)
    }
}

/// Writes a small file, for example the settings; its folder is made if need be.
#[derive(Debug)]
pub struct Write {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Job for Write {
    type Answer = ();
    const WORKER: Worker = Worker::Storage;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        if let Some(folder) = self.path.parent() {
            // If this fails, the write that follows says why.
            let _ = std::fs::create_dir_all(folder);
        }
        Ok(write::bytes(&self.path, &self.bytes)?)
    }
}
