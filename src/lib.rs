//! HiMix: text-guided lesion segmentation, from an image and a sentence to a mask.

pub mod data;
pub mod device;
pub mod infer;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod text;
pub mod train;
