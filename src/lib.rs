//! HiMix: text-guided lesion segmentation, from an image and a sentence to a mask.
//!
//! | room | what it does |
//! |---|---|
//! | [`device`] | chooses where to compute |
//! | [`memory`] | the allocator |
//! | [`model`] | the network, its configuration, its weights in and out |
//! | [`text`] | prompts to tokens |
//! | [`data`] | images, masks, data sets, preprocessing |
//! | [`metrics`] | Dice and IoU |
//! | [`infer`] | image and prompt to a prediction, with caches; scores over a split |
//! | [`analysis`] | maps, filters and figures of a look inside the network |
//! | [`annotate`] | the document: an image with its prompt, predictions, ground truth, annotation and history |
//! | [`train`] | the training loop |
//! | [`engine`] | the threads behind the window |
//! | [`render`] | the picture and its overlay on the graphics card |
//! | [`app`] | the window |

// A test may write its files as it likes.
#![cfg_attr(test, allow(clippy::disallowed_methods))]

pub mod analysis;
pub mod annotate;
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
