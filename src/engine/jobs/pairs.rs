//! The job that adds a pair to a data set.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data::Image;
use crate::data::dataset::{NewPair, SavedPair, append};
use crate::data::volume::DisplayWindow;
use crate::engine::MaskOf;
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::model_job::network_input;

/// Adds an image with its mask and its prompt to a data set for training.
#[derive(Debug)]
pub struct SavePair {
    /// The folder of the data set.
    pub folder: PathBuf,
    /// The split; `None` chooses it.
    pub split: Option<String>,
    /// The name of the pair, without the end of a file.
    pub name: String,
    /// The image.
    pub image: Arc<Image>,
    /// The display window of the network's input; `None` for the stored image.
    pub seen: Option<DisplayWindow>,
    /// The mask, of the image's size.
    pub mask: MaskOf,
    /// The prompt.
    pub prompt: String,
}

impl Job for SavePair {
    type Answer = SavedPair;
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.folder.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<SavedPair, Failure> {
        let image = network_input(&self.image, self.seen);
        let mask = self.mask.mask();
        let pair = NewPair { name: &self.name, image: &image, mask: &mask, prompt: &self.prompt };
        Ok(append(&self.folder, self.split.as_deref(), &pair)?)
    }
}
