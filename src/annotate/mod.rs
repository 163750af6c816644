//! The document: an image with its prompt, predictions, ground truth and annotation, and the undo history.
//!
//! This module does not depend on windows, tensors or threads. The displayed forms of images and predictions are
//! type parameters.

mod annotation;
mod document;
mod history;
mod predictions;
mod source;

pub use annotation::{Annotation, AnnotationError, Label, LabelId, Origin};
pub use document::{Document, OpenImage, OpenTruth, Ticket};
pub use history::{History, Step};
pub use predictions::{Predictions, Provenance};
pub use source::{Source, file_name};
