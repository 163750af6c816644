//! Opens the window.

use std::path::PathBuf;

use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::Failure;

/// Opens the window and returns when it is closed.
pub fn open(files: Vec<PathBuf>, model: Option<ModelSource>, device: Option<DeviceChoice>) -> Result<(), Failure> {
    himix::app::run(files, model, device).map_err(|error| Failure::work(format!("{error:#}")))
}
