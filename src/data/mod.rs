//! Reads images, masks and data sets, writes images, and prepares the network's input.
//!
//! This module works with plain arrays and knows nothing of tensors or of the window. Samples keep the values
//! that the file stores (0…255, 0…65535) until [`preprocess`] makes the network's input.

mod area;
pub mod cases;
mod cases_folder;
pub mod colour_map;
pub mod dataset;
pub mod decode;
pub mod describe;
pub mod dicom;
mod enlarged;
mod error;
mod exif;
pub mod export;
pub mod facts;
pub mod fingerprint;
mod fixed_point;
pub mod foreground;
pub mod image;
mod jpeg;
mod known_file;
mod limit;
pub mod mask;
pub mod nifti;
pub mod open;
pub mod overlay;
pub mod paths;
pub mod phantom;
mod png;
pub mod predictions;
pub mod preprocess;
mod pyramid;
pub mod raster;
mod resample;
pub mod samples;
pub mod seg;
mod spline;
mod subject;
mod texels;
mod tiff;
pub mod volume;
mod webp;
pub mod worklist;
pub mod write;
mod ycbcr;

/// The most labels of an annotation, of a label map and of a segmentation: the values of 8 bits above that of the background.
pub const MOST_LABELS: usize = u8::MAX as usize;

pub use area::{Area, NoArea};
pub use dataset::{Checked, Dataset, Finding, Pair, PairReading, Problem, Sample, Survey, summary, survey};
pub use enlarged::EnlargedTruth;
pub use error::DataError;
pub use foreground::{foreground, is_foreground};
pub use image::{Image, Orientation, Pixels};
pub use known_file::{KnownFile, backup_path};
pub use limit::Limit;
pub use mask::{LabelChoice, Mask, MaskReading, MaskRule, Truth, TruthReading};
pub use overlay::{Outcome, OverlayColours};
pub use pyramid::pyramid;
pub use subject::{subject, subject_code, subject_or_name};
pub use texels::Texels;
pub use volume::{Geometry, Volume, Window};
