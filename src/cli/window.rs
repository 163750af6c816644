//! Opens the window.

use std::path::PathBuf;

use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::Failure;

/// Opens the window and returns when it is closed.
pub fn open(files: Vec<PathBuf>, model: Option<ModelSource>, device: Option<DeviceChoice>) -> Result<(), Failure> {
    let _ = (files, model, device);
    Err(Failure::work("this build has no window; --help lists the commands"))
}
