//! Prompts that were used, and predictions that were made in this session.

use std::path::PathBuf;
use std::time::Duration;

use super::HimixApp;
use super::command::Command;
use super::state::{OpenImage, PromptOf, file_name};
use crate::data::samples::SampleCase;
use crate::data::volume::DisplayWindow;
use crate::infer::ModelSource;

/// A prediction that stood for this long is kept; what was typed on the way to it is not.
pub const SETTLED: Duration = Duration::from_millis(900);
/// Predictions that are kept.
const KEPT: usize = 200;

/// Where a picture came from, so that it can be opened again.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A file, or the files of a series.
    Files(PathBuf, Vec<PathBuf>),
    /// A sample case.
    Sample(SampleCase),
}

impl Source {
    /// What one of several is called: a lone file has frames (DICOM), a series or a volume has slices.
    pub fn piece(&self) -> &'static str {
        match self {
            Self::Files(path, files) if files.len() < 2 => {
                let name = file_name(path).to_lowercase();
                let is_volume = name.ends_with(".nii") || name.ends_with(".nii.gz");
                if is_volume { "Slice" } else { "Frame" }
            }
            _ => "Slice",
        }
    }

    /// What it is called: a series as its folder, because its files are not all there is of it, and may be left out.
    pub fn name(&self) -> String {
        match self {
            Self::Files(path, files) if files.len() > 1 => path.parent().map(file_name).unwrap_or_default(),
            Self::Files(path, _) => file_name(path),
            Self::Sample(sample) => sample.title.to_owned(),
        }
    }
}

/// A prediction of this session.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRecord {
    /// Names it in commands.
    pub id: u64,
    /// Its picture.
    pub source: Source,
    /// What that is called.
    pub name: String,
    /// Number of the slice, from 0.
    pub slice: usize,
    /// How the picture was seen by the network.
    pub asked: Option<DisplayWindow>,
    /// The prompt.
    pub prompt: String,
    /// The model.
    pub model: ModelSource,
    /// Its name.
    pub model_name: String,
    /// Probability from which a pixel belonged to the mask.
    pub threshold: f32,
    /// Dice of this image, where there was a truth.
    pub dice: Option<f64>,
}

impl PredictionRecord {
    /// What it is called.
    pub fn title(&self) -> String {
        match self.slice {
            0 => self.name.clone(),
            slice => format!("{}, {} {}", self.name, self.source.piece().to_lowercase(), slice + 1),
        }
    }

    /// Whether it says the same of the same picture by the same model.
    fn is_like(&self, other: &Self) -> bool {
        (&self.source, self.slice, &self.prompt, &self.model, self.asked)
            == (&other.source, other.slice, &other.prompt, &other.model, other.asked)
    }
}

impl HimixApp {
    /// Keeps the prediction that is shown when it has stood for a while.
    pub(super) fn keep_prediction(&mut self) -> Option<Duration> {
        let state = &self.state;
        let shown = state.shown.as_ref().filter(|shown| shown.ticket == state.newest_request)?;
        if state.kept == Some(shown.ticket) {
            return None;
        }
        if let Some(rest) = SETTLED.checked_sub(shown.since.elapsed()).filter(|rest| !rest.is_zero()) {
            return Some(rest);
        }
        let (open, model): (&OpenImage, _) = (state.image.as_ref()?, state.model.as_ref()?);
        let past = PredictionRecord {
            id: shown.ticket,
            source: open.source.clone(),
            name: open.name.clone(),
            slice: open.slice,
            asked: open.asked,
            prompt: shown.prediction.prompt.clone(),
            model: model.source.clone(),
            model_name: model.info.name.clone(),
            threshold: state.settings.threshold,
            dice: state.confusion().map(|counts| counts.dice()),
        };
        let state = &mut self.state;
        state.kept = Some(past.id);
        state.settings.remember_prompt(&past.prompt);
        state.past.retain(|other| !other.is_like(&past));
        state.past.insert(0, past);
        state.past.truncate(KEPT);
        None
    }

    /// Shows a past prediction again: picture, prompt, threshold, model.
    pub(super) fn recall(&mut self, id: u64) {
        let Some(past) = self.state.past.iter().find(|past| past.id == id).cloned() else { return };
        self.state.settings.threshold = past.threshold;
        if self.state.model.as_ref().is_none_or(|model| model.source != past.model) {
            self.open_model(past.model.clone());
        }
        self.state.prompt_of = PromptOf::User;
        self.state.prompt = past.prompt.clone();
        match &mut self.state.image {
            Some(open) if open.source == past.source => {
                open.asked = past.asked;
                if open.slice != past.slice {
                    self.show_slice(past.slice);
                } else {
                    self.request_prediction();
                }
            }
            _ => {
                self.state.recalled = Some(past.clone());
                match past.source {
                    Source::Files(path, files) => drop(self.open_files(path, files)),
                    Source::Sample(sample) => self.commands.push(Command::OpenSample(sample)),
                }
            }
        }
    }

    /// Brings the picture that has just been opened into the state of the prediction that was asked for again.
    pub(super) fn finish_recall(&mut self) {
        let Some(past) = self.state.recalled.take() else { return };
        let Some(open) = self.state.image.as_mut().filter(|open| open.source == past.source) else { return };
        open.asked = past.asked;
        self.state.prompt = past.prompt;
        if open.slice == past.slice {
            self.request_prediction();
        } else {
            self.show_slice(past.slice);
        }
    }
}
