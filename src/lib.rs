//! HiMix: text-guided lesion segmentation, from an image and a sentence to a mask.

pub mod app;
pub mod data;
pub mod device;
pub mod engine;
pub mod infer;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod render;
pub mod text;
pub mod train;
