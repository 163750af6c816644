//! Session files: what was open in the window, so that it can be opened again, here or on another computer.
//!
//! A session is a JSON object whose key `himix_session` has the version of the format. It names files and holds
//! nothing of their content but fingerprints. `docs/files.md` describes the keys.

mod locate;
mod text;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::data::volume::DisplayWindow;
use crate::data::{LabelChoice, mask};
use crate::infer::ModelSource;

pub(in crate::engine) use locate::image_files;
pub use locate::{Located, Lost};

/// The version of the format that this program writes. It reads this one and earlier ones.
pub const FORMAT: u64 = 1;
/// The file extension of sessions.
pub const EXTENSION: &str = "himix";

/// What was open. `V` is what the window adds: prompt, pins and view. Keys of a newer program that are not known here
/// are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session<V> {
    /// The version of the format.
    himix_session: u64,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<SessionImage>,
    /// The ground truth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truth: Option<SessionTruth>,
    /// The open model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<SessionModel>,
    /// The model that it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_model: Option<SessionModel>,
    /// What the window adds.
    #[serde(flatten)]
    pub view: V,
}

/// A file that a session names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFile {
    /// The path; in a file, it is relative to the folder of the session where possible.
    pub path: PathBuf,
    /// The fingerprint of its content, see [`crate::data::fingerprint`]; `None` if it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// The image of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionImage {
    /// The file, or the files of a series in their order; empty for a sample case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<NamedFile>,
    /// The title of the sample case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// The index of the slice, starting at 0.
    pub slice: usize,
    /// The display window.
    pub window: Option<DisplayWindow>,
    /// The display window of the network's input; `None` for the stored image.
    pub network_window: Option<DisplayWindow>,
}

/// The ground truth of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionTruth {
    /// The files; empty for the ground truth that a sample case has by itself.
    pub files: Vec<NamedFile>,
    /// The labels that are foreground.
    pub labels: LabelChoice,
    /// How it is aligned with an image that has another voxel grid.
    pub agreed: mask::Agreed,
    /// The index of the slice that a single mask belongs to, starting at 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slice: Option<usize>,
}

/// A model of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionModel {
    /// The folder of a bundle or a weights file, or the name of a model within the program.
    #[serde(flatten)]
    pub weights: NamedFile,
    /// The configuration, if it is given separately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<NamedFile>,
    /// The vocabulary, if it is given separately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vocab: Option<NamedFile>,
}

/// A part of a session that consists of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The image.
    Image,
    /// The ground truth.
    Truth,
    /// The open model.
    Model,
    /// The model that it is compared with.
    SecondModel,
}

impl Part {
    /// All parts, in the order in which they are opened.
    pub const ALL: [Self; 4] = [Self::Image, Self::Truth, Self::Model, Self::SecondModel];

    /// The name within a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Truth => "ground truth",
            Self::Model => "model",
            Self::SecondModel => "second model",
        }
    }
}

impl NamedFile {
    /// A file whose content is not known.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), hash: None }
    }
}

impl SessionModel {
    /// The model at `source`.
    pub fn of(source: &ModelSource) -> Self {
        let named = |path: Option<&Path>| path.map(NamedFile::new);
        Self {
            weights: NamedFile::new(source.path()),
            config: named(source.config()),
            vocab: named(source.vocab()),
        }
    }

    /// Where the model is.
    pub fn source(&self) -> ModelSource {
        let path = |file: &Option<NamedFile>| file.as_ref().map(|file| file.path.clone());
        ModelSource::with(self.weights.path.clone(), path(&self.config), path(&self.vocab))
    }

    fn files_mut(&mut self) -> Vec<&mut NamedFile> {
        let is_file = is_model_file(&self.weights.path);
        let weights = Some(&mut self.weights).filter(|_| is_file);
        weights.into_iter().chain(&mut self.config).chain(&mut self.vocab).collect()
    }
}

impl<V> Session<V> {
    /// A session without files.
    pub fn new(view: V) -> Self {
        Self { himix_session: FORMAT, image: None, truth: None, model: None, second_model: None, view }
    }

    /// The files of a part; empty if the session does not have it or it is within the program.
    pub fn files_mut(&mut self, part: Part) -> Vec<&mut NamedFile> {
        match part {
            Part::Image => self.image.iter_mut().flat_map(|image| &mut image.files).collect(),
            Part::Truth => self.truth.iter_mut().flat_map(|truth| &mut truth.files).collect(),
            Part::Model => self.model.iter_mut().flat_map(SessionModel::files_mut).collect(),
            Part::SecondModel => self.second_model.iter_mut().flat_map(SessionModel::files_mut).collect(),
        }
    }

    /// Takes a part of another session in place of its own.
    pub fn take_part(&mut self, part: Part, other: &Self) {
        match part {
            Part::Image => self.image.clone_from(&other.image),
            Part::Truth => self.truth.clone_from(&other.truth),
            Part::Model => self.model.clone_from(&other.model),
            Part::SecondModel => self.second_model.clone_from(&other.second_model),
        }
    }

    /// Leaves a part out.
    pub fn leave_out(&mut self, part: Part) {
        match part {
            Part::Image => self.image = None,
            Part::Truth => self.truth = None,
            Part::Model => self.model = None,
            Part::SecondModel => self.second_model = None,
        }
    }
}

/// Whether this is a path of a model, not the name of one within the program.
fn is_model_file(path: &Path) -> bool {
    matches!(ModelSource::new(path), ModelSource::Files(_))
}
