//! HiMix: text-guided lesion segmentation, from an image and a prompt to a mask.
//!
//! | module | what it does |
//! |---|---|
//! | [`device`] | chooses the compute device |
//! | [`logging`] | the log for fault reports |
//! | [`atomic_file`] | writes a file as a whole or not at all |
//! | [`memory`] | the allocator |
//! | [`model`] | the networks behind a common trait, and reading and writing of weights |
//! | [`text`] | tokenizes prompts |
//! | [`data`] | images, masks, data sets, preprocessing |
//! | [`metrics`] | Dice, IoU, Hausdorff distance |
//! | [`infer`] | predictions from an image and a prompt, with caches; scores over a split |
//! | [`analysis`] | maps, filters and figures of the intermediate results of the network |
//! | [`annotate`] | the document: an image with its prompt, predictions, ground truth, annotation and history |
//! | [`train`] | the training loop |
//! | [`engine`] | the threads behind the window |
//! | [`render`] | draws the image and its overlay on the graphics device |
//! | [`app`] | the window |

// Tests may write their files directly.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod analysis;
pub mod annotate;
pub mod app;
pub mod atomic_file;
pub mod data;
pub mod device;
pub mod engine;
pub mod infer;
pub mod logging;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod render;
pub mod text;
pub mod train;
