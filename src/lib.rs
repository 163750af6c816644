//! HiMix: text-guided lesion segmentation, which makes a mask from an image and a text prompt.
//!
//! | module | what it does |
//! |---|---|
//! | [`device`] | chooses the compute device |
//! | [`logging`] | writes the log for fault reports |
//! | [`atomic_file`] | writes a file as a whole or not at all |
//! | [`memory`] | configures the memory allocator |
//! | [`input`] | says in which form a network expects images and masks |
//! | [`model`] | defines the networks behind a common trait, and reads and writes their weights |
//! | [`text`] | tokenizes prompts |
//! | [`data`] | reads and writes images, masks and data sets, and prepares the network's input |
//! | [`metrics`] | computes Dice, IoU and Hausdorff distance |
//! | [`infer`] | predicts masks from images and prompts, with caches, and scores the predictions of a split |
//! | [`analysis`] | makes maps, filters and figures of the network's intermediate results |
//! | [`annotate`] | holds the document: an image with prompt, predictions, ground truth, annotation, history |
//! | [`train`] | trains a model |
//! | [`engine`] | runs the threads behind the window |
//! | [`render`] | draws the image and its overlay on the graphics device |
//! | [`app`] | is the window and its state |

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
pub mod input;
pub mod logging;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod render;
pub mod text;
pub mod train;
