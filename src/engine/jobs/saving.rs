//! Jobs that write files. Each file is written completely before it gets its name.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::volume::DisplayWindow;
use crate::data::{Image, Mask, write};
use crate::engine::MaskOf;
use crate::engine::display::as_seen;
use crate::engine::enlarge::{OverlayFrame, enlarge};
use crate::engine::figure::{self, FigureRequest};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::overlay::{OverlayPaint, compose};

/// Writes a mask with the values 0 and 255 at the resolution of the image as PNG. It is read again and
/// compared before it gets its name.
#[derive(Debug)]
pub struct SaveMask {
    /// The path of the file.
    pub path: PathBuf,
    /// The mask.
    pub mask: MaskOf,
}

impl Job for SaveMask {
    type Answer = ();
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.path.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<(), Failure> {
        let mask = self.mask.mask();
        let pixels: Vec<u8> = mask.values.iter().map(|value| value * 255).collect();
        Ok(write::png8_checked(&self.path, mask.width, mask.height, &pixels)?)
    }
}

/// Writes an image with its overlay as PNG.
#[derive(Debug)]
pub struct SaveOverlay {
    /// The path of the file.
    pub path: PathBuf,
    /// The exported part of the image and its size; `None` for the whole image at its own resolution.
    pub frame: Option<OverlayFrame>,
    /// The image.
    pub image: Arc<Image>,
    /// The display window; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The mask.
    pub mask: MaskOf,
    /// The ground truth.
    pub truth: Option<Arc<Mask>>,
    /// The colours and options of the overlay.
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
            let large = enlarge(frame, &image, &self.mask, self.truth.as_deref());
            let pixels = compose(&large.image, &large.mask, large.truth.as_deref(), &self.paint);
            return Ok(write::png_rgb(&self.path, large.image.width, large.image.height, &pixels)?);
        }
        let truth = self.truth.as_ref().map(|mask| mask.values.as_slice());
        let pixels = compose(&image, &self.mask.mask().values, truth, &self.paint);
        Ok(write::png_rgb(&self.path, image.width, image.height, &pixels)?)
    }
}

/// Draws a figure and writes it in the format given by the extension of `path`: .png, .svg, or .csv for the
/// numbers only.
#[derive(Debug)]
pub struct SaveFigure {
    /// The path of the file.
    pub path: PathBuf,
    /// The contents of the figure.
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

/// Writes a small file, for example the settings, and creates its folder if necessary.
#[derive(Debug)]
pub struct Write {
    /// The path of the file.
    pub path: PathBuf,
    /// The content of the file.
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
            // If this fails, the write that follows reports the reason.
            let _ = std::fs::create_dir_all(folder);
        }
        Ok(write::bytes(&self.path, &self.bytes)?)
    }
}
