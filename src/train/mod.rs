//! Training: from a folder of images, masks and sentences to a model bundle.

mod batches;
pub mod config;
pub mod event;
pub mod loss;
pub mod run;
pub mod schedule;
pub mod score;
pub mod step;

pub use config::{CrossEntropy, TrainConfig};
pub use event::{Epoch, Event};
pub use run::{TrainError, run};
