//! User commands of the Train tab.

use std::path::PathBuf;

use super::preset::Preset;
use super::study::StudyField;
use crate::engine::jobs::QueueChange;

/// A named change of the tab's state.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainCommand {
    /// Add a data set.
    AddData(PathBuf),
    /// Remove the data set with this index.
    RemoveData(usize),
    /// Set the typed path of a data set.
    TypeData(String),
    /// Set one setting, given by its key, to a text.
    Set(&'static str, String),
    /// Apply the settings of a preset; data, run folder and device stay.
    Take(Preset),
    /// Load the settings from a TOML file.
    LoadSettings(PathBuf),
    /// Save the settings to a TOML file.
    SaveSettings(PathBuf),
    /// Start a run.
    Start,
    /// Pause before the next step.
    Pause,
    /// Continue a paused run.
    Continue,
    /// Stop after this step; the best weights are kept.
    Stop,
    /// Resume the run that was stopped, failed or is offered.
    Resume,
    /// Dismiss the offer to resume the interrupted run.
    Forget,
    /// Set a field of the form of a study.
    TypeStudy(StudyField, String),
    /// Begin the study that the form describes.
    StartStudy,
    /// Continue the study that is shown or offered.
    ContinueStudy,
    /// Dismiss the offer to continue a study.
    ForgetStudy,
    /// Change the queue of the study.
    ChangeQueue(QueueChange),
    /// Open the best weights in the viewer.
    UseModel,
    /// Compare the best weights with the open model.
    Compare,
    /// Set the share of previous values in a smoothed line, 0…1.
    Smooth(f64),
    /// Show the preview of this epoch; `None` shows the newest one.
    LookAt(Option<usize>),
    /// Keep the window open.
    KeepTraining,
    /// Close the window when the run has stopped.
    StopAndClose,
    /// Close the window at once; the run can be resumed from its last checkpoint.
    CloseNow,
}
