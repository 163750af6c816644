//! The Train tab: the settings and the run.

mod apply;
mod arrivals;
mod closing;
pub mod command;
pub mod form;
pub mod preset;
pub mod preview;
pub mod run;
pub mod study;
mod studying;

use std::path::PathBuf;

use crate::engine::Pending;
use crate::engine::run::{Estimate, Interrupted, RunControl, TrainConfig};

pub use closing::Closing;
pub use command::TrainCommand;
use form::Form;
use preset::Preset;
use run::{Phase, Run};
use study::Study;

/// A run of an earlier session that can be resumed.
pub struct ResumableRun {
    /// The folder of the run.
    pub folder: PathBuf,
    /// The settings and finished epochs of the run.
    pub run: Interrupted,
}

/// The state of the Train tab.
pub struct Training {
    /// The settings of the next run.
    pub form: Form,
    /// The preset that the form shows unchanged.
    pub preset: Option<Preset>,
    /// The pending estimate of the cost of a run with these settings.
    pub estimate: Pending<(), Estimate>,
    /// Whether pairs were saved to a data set since the data were looked at.
    pub has_new_pairs: bool,
    /// The estimate, or the reason why there is none; `None` while it is unknown.
    pub estimated: Option<Result<Estimate, String>>,
    /// A run that can be resumed.
    pub offer: Option<ResumableRun>,
    /// The active run, or the last one.
    pub run: Option<Run>,
    /// The study of several runs.
    pub study: Study,
    /// The share of previous values in a smoothed line, 0…1.
    pub smoothing: f64,
    /// Whether the window is about to be closed.
    pub closing: Closing,
    /// Whether the tab has been viewed since the run ended.
    pub is_end_seen: bool,
}

impl Training {
    /// Creates the initial state with the saved settings `remembered`; `out` is the default folder of a run.
    pub fn new(out: PathBuf, remembered: Option<&str>) -> Self {
        let usual = Preset::Small.config(None);
        let remembered = remembered.and_then(|text| TrainConfig::from_toml(text).ok());
        let is_usual =
            |config: &TrainConfig| TrainConfig { device: usual.device.clone(), ..config.clone() } == usual;
        let preset = remembered.as_ref().is_none_or(is_usual).then_some(Preset::Small);
        let config = remembered.unwrap_or(usual);
        Self {
            form: Form::of(&TrainConfig { out, data: Vec::new(), ..config }),
            preset,
            estimate: Pending::default(),
            has_new_pairs: false,
            estimated: None,
            offer: None,
            run: None,
            study: Study::default(),
            smoothing: 0.0,
            closing: Closing::No,
            is_end_seen: true,
        }
    }

    /// Returns whether a run is active, including a paused one.
    pub fn goes_on(&self) -> bool {
        self.study.is_active || self.run.as_ref().is_some_and(|run| run.phase != Phase::Ended)
    }

    /// Returns whether a run can be started; the error is the reason why not.
    pub fn may_start(&self) -> Result<(), String> {
        if self.goes_on() {
            return Err("A training run is already under way.".into());
        }
        self.form.config()?;
        match &self.estimated {
            Some(Err(reason)) => Err(reason.clone()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// Returns a line for the top bar, if there is something to show.
    pub fn headline(&self) -> Option<String> {
        let Some(run) = &self.run else {
            return self.offer.as_ref().map(|_| "Interrupted training".to_owned());
        };
        match (&run.phase, run.control) {
            (Phase::Ended, _) if self.is_end_seen => None,
            (Phase::Ended, _) => Some(run.end_in_short().to_owned()),
            (_, RunControl::Stop) => Some("Training is stopping".into()),
            (Phase::Paused, _) => Some("Training is paused".into()),
            (Phase::Preparing(_), _) => Some("Training begins".into()),
            (Phase::Training, _) => Some(run.progress_in_short()),
        }
    }
}
