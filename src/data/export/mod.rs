//! Labels of an image as they are handed to other programs: as a label map or as pictures, and read again from files.

pub(in crate::data) mod labels;
pub mod names;
mod pictures;
mod read;

pub use labels::{LabelMasks, LabelValues, NamedLabel};
pub use pictures::{picture_paths, pictures};
pub use read::{OpenedLabels, read_labels};
