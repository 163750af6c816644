//! Training: from folders of images, masks and prompts to a model bundle.

mod architecture;
mod augment;
mod average;
mod batches;
mod cases;
mod clahe;
pub mod config;
mod control;
mod elastic;
pub mod error;
mod estimate;
pub mod event;
mod find_lr;
mod folder;
mod grid;
mod layer_clusters;
mod linear_probe;
pub mod loss;
mod manifest;
mod mask_parts;
mod metrics_table;
mod pace;
mod pass;
mod place;
mod queue;
pub mod run;
mod sampling;
pub mod schedule;
mod score;
mod shards;
mod stage_heads;
mod start;
pub mod step;
mod strong;
mod tensors;
mod text_bank;
mod text_states;
mod transfer;
mod validate;
mod watch;
mod wording;

pub use crate::model::Ablation;
pub use architecture::architecture_names;
pub use config::{Criterion, EmptyTruth, LossKind, TrainConfig};
pub use control::{Control, RunControl};
pub use error::TrainError;
pub use estimate::{Estimate, estimate, estimate_in, gpu_bytes};
pub use event::{AverageScores, EmptyTruths, Epoch, Event, PreviewCase, StartScores};
pub use find_lr::{RateStep, RateTest, find_lr};
pub use folder::{Interrupted, RunFolder};
pub use grid::{Cell, CellResult, CellState, Grid, GridEvent, run_grid};
pub use linear_probe::{FitProgress, StageOutput, fit_linear_probes, write_linear_probes};
pub use queue::{
    LocalWorker, Plan, Queue, QueueEvent, QueueView, QueuedRun, RunProgress, RunState, Variant, WorkFault, Worker,
    unfinished,
};
pub use run::{resume, resume_in, run, run_in};
pub use watch::{Task, start};
