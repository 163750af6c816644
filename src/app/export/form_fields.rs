//! The form of an export.

use std::path::PathBuf;

use crate::analysis::export::Format;
use crate::annotate::LabelId;
use crate::engine::Ticket;

/// Which of the two masks is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The annotation, in all slices.
    Annotation,
    /// The prediction of the slice that is shown.
    Prediction,
}

impl Of {
    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Annotation => "Annotation",
            Self::Prediction => "Prediction",
        }
    }
}

/// A label in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormLabel {
    /// The label.
    pub id: LabelId,
    /// Its name.
    pub name: String,
    /// Its colour, 8-bit sRGB.
    pub colour: [u8; 3],
    /// Whether it is exported.
    pub is_on: bool,
    /// The place of what it is in the list of concepts; `None` for a lesion that is not in the list.
    pub concept: Option<usize>,
}

/// The form of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The ticket of the image.
    pub image: Ticket,
    /// The format.
    pub format: Format,
    /// Which mask is exported.
    pub of: Of,
    /// The labels of the annotation.
    pub labels: Vec<FormLabel>,
    /// The path of the file as text.
    pub path: String,
    /// The files that are in the way, after an attempt to write; none before.
    pub exists: Vec<PathBuf>,
}

impl Form {
    /// Returns whether the other form asks for the same.
    pub fn is_same(&self, other: &Self) -> bool {
        let asked = |form: &Self| Self { exists: Vec::new(), ..form.clone() };
        asked(self) == asked(other)
    }
}
