//! Which of the two masks is looked at: the prediction of the network or the annotation.

/// The mask that picture, scores, figures and saved files show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Looked {
    /// The prediction of the network.
    #[default]
    Prediction,
    /// The annotation.
    Annotation,
    /// The prediction compared with the annotation.
    Difference,
}

impl Looked {
    /// All of them, in display order.
    pub const ALL: [Self; 3] = [Self::Prediction, Self::Annotation, Self::Difference];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Prediction => "Prediction",
            Self::Annotation => "Annotation",
            Self::Difference => "Difference",
        }
    }
}
