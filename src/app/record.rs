//! Where pictures came from, and the predictions of this session.

use std::path::PathBuf;

use super::text::file_name;
use crate::data::samples::SampleCase;
use crate::data::volume::DisplayWindow;
use crate::engine::Ticket;
use crate::infer::ModelSource;

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

    /// What its slice of this number, from 0, is called.
    pub fn name_of(&self, slice: usize) -> String {
        format!("{}, {} {}", self.name(), self.piece().to_lowercase(), slice + 1)
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
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
    /// Number of the slice, from 0.
    pub slice: usize,
    /// How the picture was seen by the network.
    pub asked: Option<DisplayWindow>,
    /// The sentence.
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
        if self.slice > 0 { self.source.name_of(self.slice) } else { self.source.name() }
    }

    /// Whether it says the same of the same picture by the same model.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.source, self.slice, &self.prompt, &self.model, self.asked)
            == (&other.source, other.slice, &other.prompt, &other.model, other.asked)
    }
}

/// Whose prompt it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PromptOf {
    /// The user's own, for whatever picture comes next.
    #[default]
    User,
    /// That of a case of a list, by the list and its place there.
    Case(Ticket, usize),
    /// That of a sample case.
    Sample(&'static str),
}

/// What belongs to the picture that is seen while another one is on its way.
#[derive(Clone, Debug)]
pub struct PendingImage {
    /// Its prompt.
    pub prompt: String,
    /// Whose prompt that is.
    pub of: PromptOf,
    /// The list, and the case of it that is seen.
    pub current: Option<(Ticket, usize)>,
}
