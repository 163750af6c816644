//! Where the pins stand.

use eframe::egui::{Pos2, Rect, Vec2, vec2};

/// The share of the width that the main view takes.
const MAIN: f32 = 0.44;
/// The gap between two cells, in points.
const GAP: f32 = 6.0;
/// The height of the texts of a cell, in points.
pub const TEXTS: f32 = 96.0;
/// The minimum width and height of a cell; a grid that is too high for its area scrolls.
const LEAST: Vec2 = vec2(150.0, 200.0);

/// Divides the area into the main view and the grid.
pub fn divide(area: Rect) -> (Rect, Rect) {
    let (mut left, right) = area.split_left_right_at_fraction(MAIN);
    left.max.x -= GAP;
    (left, right)
}

/// A grid of cells of the same size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    columns: usize,
    rows: usize,
    cell: Vec2,
}

impl Grid {
    /// Creates the grid of `count` cells in `area` whose pictures are largest.
    pub fn new(area: Vec2, count: usize) -> Self {
        let count = count.max(1);
        let most = ((area.x + GAP) / (LEAST.x + GAP)).floor().max(1.0) as usize;
        let of = |columns: usize| {
            let rows = count.div_ceil(columns);
            let side = |whole: f32, parts: usize| (whole - GAP * (parts - 1) as f32) / parts as f32;
            let cell = vec2(side(area.x, columns), side(area.y, rows)).max(LEAST);
            Self { columns, rows, cell }
        };
        let size = |grid: &Self| grid.cell.x.min(grid.cell.y - TEXTS);
        let grids = (1..=most.min(count)).map(of);
        // With equal pictures, fewer columns leave longer lines for the prompts.
        grids
            .reduce(|best, other| if size(&other) > size(&best) + 1.0 { other } else { best })
            .unwrap_or_else(|| of(1))
    }

    /// Returns the height of all rows.
    pub fn height(&self) -> f32 {
        self.rows as f32 * (self.cell.y + GAP) - GAP
    }

    /// Returns the rectangle of a cell in a grid whose corner is `corner`.
    pub fn cell(&self, corner: Pos2, place: usize) -> Rect {
        let step = self.cell + Vec2::splat(GAP);
        let at = vec2((place % self.columns) as f32 * step.x, (place / self.columns) as f32 * step.y);
        Rect::from_min_size(corner + at, self.cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_within_their_area_and_apart_from_each_other() {
        for count in 1..=9 {
            let area = Rect::from_min_size(Pos2::new(5.0, 7.0), vec2(620.0, 640.0));
            let grid = Grid::new(area.size(), count);
            let cells: Vec<Rect> = (0..count).map(|place| grid.cell(area.min, place)).collect();
            for (place, cell) in cells.iter().enumerate() {
                assert!(area.expand(0.01).contains_rect(*cell), "{count} {cell}");
                assert!(cells[..place].iter().all(|other| !other.shrink(0.1).intersects(*cell)), "{count}");
            }
        }
    }

    #[test]
    fn a_low_area_scrolls() {
        let grid = Grid::new(vec2(320.0, 200.0), 9);
        assert!(grid.height() > 200.0 && grid.cell.x >= LEAST.x && grid.cell.y >= LEAST.y);
    }
}
