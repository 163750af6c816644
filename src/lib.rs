//! HiMix: text-guided lesion segmentation, from an image and a sentence to a mask.

pub mod app;
pub mod data;
pub mod device;
pub mod engine;
pub mod infer;
pub mod metrics;
pub mod model;
pub mod render;
pub mod text;

/// A prediction makes and frees tensors of megabytes; this allocator gives their memory back to the next one instead of to
/// the system, which would hand it out page by page again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
