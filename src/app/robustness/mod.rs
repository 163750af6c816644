//! The study of robustness: what is set, running and found.

mod apply;

use std::path::PathBuf;

use crate::engine::Pending;
use crate::engine::jobs::FormsStudied;
use crate::infer::robustness::Form;

/// The study of robustness.
pub struct Robustness {
    /// The folder of the data set; empty for that of the worklist.
    pub folder: String,
    /// The split.
    pub split: String,
    /// The folder of the results; empty to write nothing.
    pub out: String,
    /// The forms.
    pub forms: Vec<Form>,
    /// The seed of what is drawn.
    pub seed: u64,
    /// The study that is running, with its folder.
    pub pending: Pending<PathBuf, FormsStudied>,
    /// What the last study found.
    pub found: Option<FormsStudied>,
}

impl Default for Robustness {
    fn default() -> Self {
        Self {
            folder: String::new(),
            split: "test".into(),
            out: String::new(),
            // Those that the paper's supplementary compares.
            forms: vec![Form::Structured, Form::Augmented, Form::Distilled, Form::Empty],
            seed: 0,
            pending: Pending::default(),
            found: None,
        }
    }
}

/// A command about the study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RobustnessCommand {
    /// Set the folder of the data set.
    Folder(String),
    /// Set the split.
    Split(String),
    /// Set the folder of the results.
    Out(String),
    /// Add or remove a form.
    Form(Form, bool),
    /// Set the seed.
    Seed(u64),
    /// Start the study.
    Start,
    /// End it after the images in progress.
    Cancel,
}
