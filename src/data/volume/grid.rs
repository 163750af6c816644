//! The pixels of a volume as a mask meets them.

use super::Geometry;

/// The pixels of an image, for masks that are laid on them.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// Columns, rows and slices as shown.
    pub shape: [usize; 3],
    /// Where they lie.
    pub geometry: &'a Geometry,
}
