//! The box with which a model is prompted that takes one: its state, and commands about it.

mod apply;
mod drag;

pub use drag::{Drag, Grip};

use crate::data::Area;

/// A command about the box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoxCommand {
    /// Set the box, in pixels of the image; what lies outside of the image is clipped.
    Set(Area),
    /// Set the box around the whole image.
    Whole,
    /// Remove the box.
    Clear,
}
