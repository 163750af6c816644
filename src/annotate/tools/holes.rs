//! Filling holes.

use super::Connectivity;
use super::flood::connected;
use crate::annotate::Region;
use crate::data::Mask;

/// Returns the holes of a mask: the background that is not connected to the edge of the image. Background pixels are
/// connected if they share an edge, so that a ring that is closed only across corners has a hole.
pub fn fill_holes(mask: &Mask) -> Region {
    let (width, height) = (mask.width, mask.height);
    if width == 0 || height == 0 {
        return Region::default();
    }
    let sides = (0..height).flat_map(|y| [y * width, (y + 1) * width - 1]);
    let border = (0..width).flat_map(|x| [x, (height - 1) * width + x]).chain(sides);
    let outside = connected([width, height], border, Connectivity::Edge, |index| mask.values[index] == 0);
    let mut holes: Vec<u8> = mask.values.iter().map(|value| u8::from(*value == 0)).collect();
    for span in outside {
        holes[span.row * width + span.start..span.row * width + span.end].fill(0);
    }
    Region::from_mask(&Mask { width, height, values: holes })
}
