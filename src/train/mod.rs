//! Training: from folders of images, masks and prompts to a model bundle.

mod augment;
mod batches;
mod cases;
pub mod config;
mod control;
pub mod error;
mod estimate;
pub mod event;
mod folder;
mod linear_probe;
pub mod loss;
mod manifest;
mod pace;
mod pass;
mod place;
pub mod run;
pub mod schedule;
mod score;
mod shards;
mod start;
pub mod step;
mod tensors;
mod text_states;
mod validate;

pub use config::{CrossEntropy, TrainConfig};
pub use control::{Control, RunControl};
pub use error::TrainError;
pub use estimate::{Estimate, estimate, estimate_in};
pub use event::{Epoch, Event, PreviewCase};
pub use folder::{Interrupted, RunFolder};
pub use linear_probe::{FitProgress, StageOutput, fit_linear_probes, write_linear_probes};
pub use run::{resume, resume_in, run, run_in};
