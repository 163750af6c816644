//! The document: an image with its prompt, predictions, ground truth and annotation, and the undo history.
//!
//! This module does not depend on windows, tensors or threads. The displayed forms of images and predictions are
//! type parameters.

mod annotation;
mod document;
mod edit;
mod history;
pub mod journal;
mod label;
mod numbers;
mod operation;
mod paint;
mod patch;
mod predictions;
mod region;
mod source;
#[cfg(test)]
mod tests;
pub mod tools;

pub use annotation::{Annotation, AnnotationError, LabelMask};
pub use document::{Document, OpenImage, OpenTruth, Ticket};
pub use edit::{Edit, joined, reversed};
pub use history::{History, Step, Weigh};
pub use label::{Label, LabelId, Origin, PredictedBy};
pub use operation::{Operate, Operation, OperationError};
pub use paint::{Combine, PaintOnly, Rules};
pub use patch::Patch;
pub use predictions::{Predictions, Provenance};
pub use region::Region;
pub use source::{Source, file_name};
