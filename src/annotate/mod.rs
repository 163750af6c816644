//! The document: an image with its prompt, its predictions, its ground truth and what was annotated, and the history of what was done.
//!
//! Nothing here knows a window, a tensor or a thread. What a holder shows of an image or of a prediction is a parameter of the types.

mod annotation;
mod document;
mod history;
mod predictions;
mod source;

pub use annotation::{Annotation, AnnotationError, Label, LabelId, Origin};
pub use document::{Document, OpenImage, OpenTruth, Ticket};
pub use history::{History, Step};
pub use predictions::{Predictions, Provenance};
pub use source::Source;
