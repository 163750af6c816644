//! Segmentations (DICOM PS3.3 A.51) as plain data: written for the images that they were drawn on, and read onto
//! those images again.

mod build;
mod codes;
mod colour;
mod describe;
mod groups;
mod lay;
mod object;
mod pack;
mod read;
mod segmentation;
mod sources;
mod uid;
mod write;

pub use codes::{Code, Codes, Concept};
pub use read::{OpenedSegmentation, is_segmentation, read};
pub use segmentation::{Algorithm, Frame, Kind, Model, Segment, Segmentation};
pub use sources::refusal;
pub use write::{Written, write};
