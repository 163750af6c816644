//! The pixel grid of a volume, with which a mask is aligned.

use super::Geometry;

/// The pixel grid of an image, with which masks are aligned.
#[derive(Clone, Copy, Debug)]
pub struct Grid<'a> {
    /// The numbers of columns, rows and slices in displayed order.
    pub shape: [usize; 3],
    /// The positions and sizes of the pixels.
    pub geometry: &'a Geometry,
}
