//! The predictions of this session.

pub use crate::annotate::Source;
use crate::data::volume::DisplayWindow;
use crate::engine::Ticket;
use crate::infer::ModelSource;

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
    /// That which the data set around a lone file has for it, by the ticket of the picture.
    File(Ticket),
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
