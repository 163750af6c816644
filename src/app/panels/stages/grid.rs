//! The placement of the images: in one line, or in several if that makes them larger.

use eframe::egui::{Pos2, Rect, Vec2, pos2, vec2};

/// The height of the title and of the line below an image, in points.
pub const TITLE: f32 = 20.0;
pub const FOOT: f32 = 18.0;
/// The gap between the images, in points.
const GAP: f32 = 8.0;
/// The minimum width and height of a free cell that the legend can use, in points.
const FREE: Vec2 = vec2(170.0, 150.0);
/// The width below which an image is hard to read, so that the images scroll instead, in points; and the smallest
/// one, for which a line of them scrolls vertically too.
const LEGIBLE: f32 = 104.0;
const SMALLEST: f32 = 64.0;
/// The height of a scroll bar with its margins, in points.
const SCROLL_BAR: f32 = 10.0;

/// The cells of the images.
pub struct Grid {
    area: Rect,
    columns: usize,
    /// The number of rows, one for each model, and of lines in a row.
    rows: usize,
    lines: usize,
    size: Vec2,
}

impl Grid {
    /// Places `count` images of `aspect` (height by width) in each of `rows` rows, as large as `area` allows.
    pub fn of(area: Rect, count: usize, rows: usize, aspect: f32) -> Self {
        let size = |columns: usize, lines: usize| {
            let width = (area.width() - GAP * (columns as f32 - 1.0)) / columns as f32;
            let height = (area.height() - GAP * (lines as f32 - 1.0)) / lines as f32 - TITLE - FOOT;
            let width = width.min(height / aspect).max(16.0);
            vec2(width, width * aspect)
        };
        // Two models are stacked vertically.
        let most = if rows > 1 { 1 } else { count };
        let choices = (1..=most).map(|lines| (count.div_ceil(lines), lines * rows));
        let best = choices.map(|(columns, lines)| (size(columns, lines), columns, lines));
        let best = best.max_by(|a, b| a.0.x.total_cmp(&b.0.x).then(b.2.cmp(&a.2)));
        let (size, columns, lines) = best.unwrap_or((Vec2::splat(16.0), 1, 1));
        let fitting = Self { area, columns, rows: rows.max(1), lines: lines / rows.max(1), size };
        if size.x >= LEGIBLE {
            return fitting;
        }
        // Where no arrangement is legible, one line of larger images needs more room than there is, and scrolls.
        let height = (area.height() - SCROLL_BAR - GAP * (rows as f32 - 1.0)) / rows as f32 - TITLE - FOOT;
        let width = (height / aspect).clamp(SMALLEST, LEGIBLE);
        Self { columns: count, lines: 1, size: vec2(width, width * aspect), ..fitting }
    }

    /// Returns the size of all images with their titles, which is more than that of the area where they scroll.
    pub fn extent(&self) -> Vec2 {
        let step = self.step();
        let lines = (self.lines * self.rows) as f32;
        vec2(self.columns as f32 * step.x - GAP, lines * step.y - GAP)
    }

    /// Returns the distance from a cell to the next.
    fn step(&self) -> Vec2 {
        self.size + vec2(GAP, GAP + TITLE + FOOT)
    }

    /// Returns this grid with the upper left corner of its area at `corner`.
    pub fn at(self, corner: Pos2) -> Self {
        Self { area: Rect::from_min_size(corner, self.area.size()), ..self }
    }

    /// Returns the cell of an image, without its title and the line below it.
    pub fn rect(&self, row: usize, place: usize) -> Rect {
        let (line, column) = (row * self.lines + place / self.columns, place % self.columns);
        let step = self.step();
        let left = self.area.left() + (self.area.width() - self.extent().x).max(0.0) / 2.0;
        let corner = pos2(left + column as f32 * step.x, self.area.top() + TITLE + line as f32 * step.y);
        Rect::from_min_size(corner, self.size)
    }

    /// Returns the area that `count` images leave free at the end of the last line, if the legend fits there.
    pub fn free(&self, count: usize) -> Option<Rect> {
        let places = self.columns * self.lines;
        if count == 0 || count >= places {
            return None;
        }
        let free = self.rect(0, count).union(self.rect(0, places - 1));
        (free.width() >= FREE.x && free.height() >= FREE.y).then_some(free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_left_free_is_one_for_the_legend() {
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(920.0, 540.0));
        let five = Grid::of(area, 5, 1, 0.75);
        assert_eq!((five.columns, five.lines), (3, 2));
        let free = five.free(5).expect("a place");
        for place in 0..5 {
            assert!(!free.intersects(five.rect(0, place)), "picture {place}");
        }
        assert!(Grid::of(area, 6, 1, 0.75).free(6).is_none());
        assert!(Grid::of(area, 5, 2, 0.75).free(5).is_none(), "two models, each in a line");
    }

    #[test]
    fn images_without_enough_room_scroll_instead_of_becoming_unreadable() {
        let wide = Grid::of(Rect::from_min_size(pos2(0.0, 0.0), vec2(920.0, 540.0)), 5, 1, 1.0);
        assert!(wide.extent().x <= 920.0 && wide.extent().y <= 540.0, "{:?}", wide.extent());
        let narrow = Grid::of(Rect::from_min_size(pos2(0.0, 0.0), vec2(326.0, 140.0)), 5, 1, 1.0);
        assert!(narrow.size.x > 85.0, "{:?}", narrow.size);
        assert!(narrow.extent().x > 326.0 && narrow.extent().y <= 140.0, "{:?}", narrow.extent());
        let two = Grid::of(Rect::from_min_size(pos2(0.0, 0.0), vec2(326.0, 140.0)), 5, 2, 1.0);
        assert!(two.size.x >= SMALLEST && two.extent().y > 140.0, "{:?}", two.extent());
        assert!((two.rect(1, 4).bottom() + FOOT - two.extent().y).abs() < 1e-3);
    }
}
