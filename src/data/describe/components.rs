//! The connected areas of a mask.

use super::Kind;
use crate::data::Mask;
use crate::data::mask::components::{Connectivity, Run, components as components_of};
use crate::text::prompt::Side;

/// Returns the least area that counts in a mask of this kind of image, as a share of the image.
///
/// X-rays and endoscopy frames: 20 pixels of 224 × 224, the limit at which the number of areas of QaTa-COV19's masks
/// equals the number in the corrected prompts (ProLearn). CT slices: 8 pixels of 256 × 256, at which the number equals
/// that of most training prompts of MosMedData+ (82 %; with 26 pixels 67 %).
pub const fn least_share(kind: Kind) -> f64 {
    match kind {
        Kind::Xray | Kind::Endoscopy => 20.0 / (224.0 * 224.0),
        Kind::Ct => 8.0 / (256.0 * 256.0),
    }
}

/// A connected area of a mask. Pixels that touch at an edge or a corner are connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The indices of its pixels in the mask, in ascending order.
    pub pixels: Vec<usize>,
    /// The first row.
    pub top: usize,
    /// The row after the last one.
    pub bottom: usize,
    /// The first column.
    pub left: usize,
    /// The column after the last one.
    pub right: usize,
}

impl Component {
    /// Returns the number of its pixels.
    pub fn area(&self) -> usize {
        self.pixels.len()
    }

    /// Returns the numbers of its pixels in each row from [`Component::top`] on, within one half of the image. In an
    /// image of an odd width the middle column belongs to the right half.
    pub fn rows(&self, side: Side, width: usize) -> Vec<usize> {
        let mut rows = vec![0; self.bottom - self.top];
        for index in self.pixels.iter().filter(|index| side_of(**index % width, width) == side) {
            rows[index / width - self.top] += 1;
        }
        rows
    }
}

/// Returns the half of the image in which a column lies.
pub fn side_of(column: usize, width: usize) -> Side {
    if 2 * column + 1 < width { Side::Left } else { Side::Right }
}

/// Returns the connected areas of the mask that cover at least the share `least` of the image, in the order of their
/// first pixels (top to bottom, then left to right). If the mask has foreground but no area is large enough, the
/// largest one is returned, so that only an empty mask has none.
pub fn components(mask: &Mask, least: f64) -> Vec<Component> {
    let least = least * mask.values.len() as f64;
    let all = connected(mask);
    if all.iter().any(|part| part.area() as f64 >= least) {
        return all.into_iter().filter(|part| part.area() as f64 >= least).collect();
    }
    all.into_iter().max_by_key(Component::area).into_iter().collect()
}

/// Returns all connected areas.
fn connected(mask: &Mask) -> Vec<Component> {
    let found = components_of(&[(0, mask)], Connectivity::Corner).into_iter();
    found.filter_map(|part| of_runs(&part.runs, mask.width)).collect()
}

/// Returns the area of runs of pixels in the order of their rows; `None` if there are none.
fn of_runs(runs: &[Run], width: usize) -> Option<Component> {
    Some(Component {
        pixels: runs.iter().flat_map(|run| run.row * width + run.start..run.row * width + run.end).collect(),
        top: runs.first()?.row,
        bottom: runs.last()?.row + 1,
        left: runs.iter().map(|run| run.start).min()?,
        right: runs.iter().map(|run| run.end).max()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rows: &[&str]) -> Mask {
        let values = rows.iter().flat_map(|row| row.bytes().map(|letter| u8::from(letter == b'#'))).collect();
        Mask { width: rows[0].len(), height: rows.len(), values }
    }

    #[test]
    fn corners_connect_and_rows_are_counted_by_half() {
        let parts = components(&mask(&["#...#", ".#...", ".###.", "....."]), 0.0);
        assert_eq!(parts.iter().map(Component::area).collect::<Vec<_>>(), [5, 1]);
        let Component { top, bottom, left, right, .. } = parts[0];
        assert_eq!([top, bottom, left, right], [0, 3, 0, 4]);
        assert_eq!(parts[0].rows(Side::Left, 5), [1, 1, 1]);
        assert_eq!(parts[0].rows(Side::Right, 5), [0, 0, 2], "the middle column is right");
    }

    #[test]
    fn specks_count_only_if_there_is_nothing_else() {
        let mut large = Mask { width: 224, height: 224, values: vec![0; 224 * 224] };
        large.values[0..19].fill(1);
        large.values[224 * 9] = 1;
        assert_eq!(
            components(&large, least_share(Kind::Xray)).iter().map(Component::area).collect::<Vec<_>>(),
            [19],
            "the largest speck"
        );
        large.values[100 * 224..100 * 224 + 20].fill(1);
        assert_eq!(
            components(&large, least_share(Kind::Xray)).iter().map(Component::area).collect::<Vec<_>>(),
            [20]
        );
        large.values.fill(0);
        assert_eq!(components(&large, least_share(Kind::Xray)), []);
    }
}
