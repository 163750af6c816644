//! Text-guided lesion segmentation with HiMix: the rooms of the library.

pub mod data;
pub mod metrics;
pub mod text;
