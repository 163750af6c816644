//! Measurements of labels: area and diameters of every connected component in every slice, its volume, and mean and
//! standard deviation of the values within it.
//!
//! Conventions. Pixels that touch at an edge or a corner are connected, in neighbouring slices as well, if the slices
//! are those of a stack in space. The longest diameter is the largest distance between the middles of two outer pixel
//! edges, so that a row of n square pixels is n pixels long. The perpendicular diameter is the longest chord of the
//! component's convex hull at right angles to it. The standard deviation is that of the pixels themselves (divided by
//! their number).

mod components;
mod diameters;
mod measure;
mod table;

pub use diameters::{Diameter, diameters};
pub use measure::{ComponentMeasures, LabelMeasures, Measurements, SliceMeasures, Units, Values, measure};
pub use table::{COLUMNS, write_table};
