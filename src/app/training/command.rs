//! What the user wants of the Train tab.

use std::path::PathBuf;

use super::preset::Preset;

/// A change of the tab's state, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainCommand {
    /// Train on this data set too.
    AddData(PathBuf),
    /// Train on the data set with this number no more.
    RemoveData(usize),
    /// The path of a data set as it is typed.
    TypeData(String),
    /// One setting: its key and its text.
    Set(&'static str, String),
    /// Settings of a preset; data, run folder and device stay.
    Take(Preset),
    /// Settings of a TOML file.
    LoadSettings(PathBuf),
    /// The settings into a TOML file.
    SaveSettings(PathBuf),
    /// Begin.
    Start,
    /// Wait before the next step.
    Pause,
    /// Go on.
    Continue,
    /// End after this step; the best weights are kept.
    Stop,
    /// Go on with the run that was stopped, failed or is offered.
    Resume,
    /// Offer the interrupted run no more.
    Forget,
    /// Open the best weights in the viewer.
    UseModel,
    /// Show the best weights beside the model that is open.
    Compare,
    /// How much of the past is in a smoothed line, 0…1.
    Smooth(f64),
    /// Show the preview of this epoch; of the newest, if none.
    LookAt(Option<usize>),
    /// Do not close the window.
    KeepTraining,
    /// Close the window when the run has stopped.
    StopAndClose,
    /// Close the window at once; the run can be resumed from its last checkpoint.
    CloseNow,
}
