//! The predictions of this session.

pub use crate::annotate::Source;
use crate::data::volume::DisplayWindow;
use crate::engine::Ticket;
use crate::infer::ModelSource;

/// A prediction of this session.
#[derive(Clone, Debug, PartialEq)]
pub struct PredictionRecord {
    /// The number that identifies the prediction in commands.
    pub id: u64,
    /// The source of the image.
    pub source: Source,
    /// The name of the image.
    pub name: String,
    /// The slice index, starting at 0.
    pub slice: usize,
    /// The display window of the network input.
    pub asked: Option<DisplayWindow>,
    /// The prompt.
    pub prompt: String,
    /// The model.
    pub model: ModelSource,
    /// The name of the model.
    pub model_name: String,
    /// The probability at and above which a pixel belonged to the mask.
    pub threshold: f32,
    /// The Dice score of this image; `None` without a ground truth.
    pub dice: Option<f64>,
}

impl PredictionRecord {
    /// Returns the title of the prediction.
    pub fn title(&self) -> String {
        match self.slice {
            0 => self.name.clone(),
            slice => format!("{}, {} {}", self.name, self.source.piece().to_lowercase(), slice + 1),
        }
    }

    /// Returns whether both predictions are from the same image, slice, prompt, model and window.
    pub fn is_like(&self, other: &Self) -> bool {
        (&self.source, self.slice, &self.prompt, &self.model, self.asked)
            == (&other.source, other.slice, &other.prompt, &other.model, other.asked)
    }
}

/// The origin of the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PromptOf {
    /// The user's own prompt, which is kept for the next image.
    #[default]
    User,
    /// The prompt of a worklist case, with the ticket of the list and the index of the case.
    Case(Ticket, usize),
    /// The prompt that the surrounding data set has for a single file, with the ticket of the image.
    File(Ticket),
    /// The prompt of a sample case.
    Sample(&'static str),
}

/// The state that belongs to the displayed image while another image is being opened.
#[derive(Clone, Debug)]
pub struct PendingImage {
    /// The prompt of the displayed image.
    pub prompt: String,
    /// The origin of that prompt.
    pub of: PromptOf,
    /// The ticket of the worklist and the index of the displayed case.
    pub current: Option<(Ticket, usize)>,
}
