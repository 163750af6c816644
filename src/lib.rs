//! HiMix: text-guided lesion segmentation, from an image and a prompt to a mask.
//!
//! | module | what it does |
//! |---|---|
//! | [`device`] | chooses where to compute |
//! | [`logging`] | the log for reports of faults |
//! | [`atomic_file`] | writes a file as a whole or not at all |
//! | [`memory`] | the allocator |
//! | [`model`] | the networks behind their trait, their weights in and out |
//! | [`text`] | tokenizes prompts |
//! | [`data`] | images, masks, data sets, preprocessing |
//! | [`metrics`] | Dice, IoU, Hausdorff distance |
//! | [`infer`] | image and prompt to a prediction, with caches; scores over a split |
//! | [`analysis`] | maps, filters and figures of the inside of the network |
//! | [`annotate`] | the document: an image with its prompt, predictions, ground truth, annotation and history |
//! | [`train`] | the training loop |
//! | [`engine`] | the threads behind the window |
//! | [`render`] | draws the picture and its overlay on the graphics device |
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
