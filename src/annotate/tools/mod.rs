//! The tools of annotation as pure functions: they see a [`SliceView`], or the masks of a label, and return the regions
//! to paint. They know no window, no history and no label.
//!
//! Points are in pixels of the slice: a pixel with the indices (x, y) covers [x, x + 1) × [y, y + 1), so that its centre
//! is (x + 0.5, y + 0.5). Lengths are in pixels or mm ([`Length`]); mm are refused where the pixel size is not known.

mod brush;
mod components;
mod edges;
mod error;
mod flood;
mod grow;
mod holes;
mod interpolate;
mod length;
mod live_wire;
mod polygon;
mod resize;
mod signed_distance;
mod slice_view;
mod smart_brush;
mod smooth;
mod spans;
mod sphere;
#[cfg(test)]
mod tests;

pub use crate::data::mask::components::Connectivity;
pub use brush::Stroke;
pub use components::{Component, Extent, Smallest, components, drop_smaller, keep_largest};
pub use error::ToolError;
pub use flood::{Interval, component_at, component_of, flood};
pub use grow::{Front, GrowSettings};
pub use holes::fill_holes;
pub use interpolate::{gaps, interpolate};
pub use length::{Length, Spacing};
pub use live_wire::LiveWire;
pub use polygon::polygon;
pub use resize::{grow_by, shrink_by};
pub use slice_view::{SliceView, grey};
pub use smart_brush::SmartStroke;
pub use smooth::smooth;
pub use sphere::{Section, SphereStroke, sections};
