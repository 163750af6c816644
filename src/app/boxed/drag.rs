//! What a drag does with the box, in pixels of the image.

use crate::data::Area;

/// The part of the box that is dragged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// None: another box is drawn.
    New,
    /// Its inside: it is moved.
    Inside,
    /// One edge, or the two of a corner.
    Edges {
        /// The side of the vertical edge: -1 for the left one, 1 for the right one, 0 for none.
        across: i8,
        /// The side of the horizontal edge: -1 for the upper one, 1 for the lower one, 0 for none.
        down: i8,
    },
}

impl Grip {
    /// The part of `area` at a point; `near` is the distance within which an edge is meant.
    pub fn at(area: Option<Area>, [x, y]: [f32; 2], near: f32) -> Self {
        let Some(Area { left, top, right, bottom }) = area else { return Self::New };
        let is_within = x > left - near && x < right + near && y > top - near && y < bottom + near;
        if !is_within {
            return Self::New;
        }
        // Of a box that is smaller than the distance, the nearer edge is meant.
        let side = |value: f32, low: f32, high: f32| match ((value - low).abs(), (value - high).abs()) {
            (to_low, to_high) if to_low < near && to_low < to_high => -1,
            (_, to_high) if to_high < near => 1,
            _ => 0,
        };
        match (side(x, left, right), side(y, top, bottom)) {
            (0, 0) => Self::Inside,
            (across, down) => Self::Edges { across, down },
        }
    }
}

/// A drag that has begun.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drag {
    /// What is dragged.
    pub grip: Grip,
    /// The box before it.
    pub before: Option<Area>,
    /// Where it began.
    pub from: [f32; 2],
}

impl Drag {
    /// The box when the pointer is at `to`, with edges between pixels of an image of `size`.
    pub fn to(&self, to: [f32; 2], [width, height]: [usize; 2]) -> Area {
        let [wide, high] = [width as f32, height as f32];
        let whole = |[x, y]: [f32; 2]| [x.clamp(0.0, wide).round(), y.clamp(0.0, high).round()];
        let (from, at) = (whole(self.from), whole(to));
        match (self.grip, self.before) {
            (Grip::Inside, Some(area)) => {
                let (across, down) = ((to[0] - self.from[0]).round(), (to[1] - self.from[1]).round());
                let across = across.clamp(-area.left, (wide - area.right).max(-area.left));
                let down = down.clamp(-area.top, (high - area.bottom).max(-area.top));
                Area {
                    left: area.left + across,
                    top: area.top + down,
                    right: area.right + across,
                    bottom: area.bottom + down,
                }
            }
            (Grip::Edges { across, down }, Some(Area { left, top, right, bottom })) => {
                let edges = |side: i8, low: f32, high: f32, at: f32| match side {
                    -1 => [at, high],
                    1 => [low, at],
                    _ => [low, high],
                };
                let [x0, x1] = edges(across, left, right, at[0]);
                let [y0, y1] = edges(down, top, bottom, at[1]);
                Area::between([x0, y0], [x1, y1])
            }
            _ => Area::between(from, at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { left: 10.0, top: 20.0, right: 50.0, bottom: 60.0 };

    fn drag(from: [f32; 2], to: [f32; 2]) -> Area {
        Drag { grip: Grip::at(Some(AREA), from, 3.0), before: Some(AREA), from }.to(to, [100, 80])
    }

    #[test]
    fn edges_and_corners_are_held_and_the_inside_is_moved() {
        assert_eq!(Grip::at(None, [20.0, 30.0], 3.0), Grip::New);
        assert_eq!(Grip::at(Some(AREA), [30.0, 40.0], 3.0), Grip::Inside);
        assert_eq!(Grip::at(Some(AREA), [70.0, 40.0], 3.0), Grip::New);
        assert_eq!(Grip::at(Some(AREA), [11.0, 40.0], 3.0), Grip::Edges { across: -1, down: 0 });
        assert_eq!(Grip::at(Some(AREA), [49.0, 61.0], 3.0), Grip::Edges { across: 1, down: 1 });
        assert_eq!(drag([10.0, 40.0], [5.2, 0.0]), Area { left: 5.0, ..AREA });
        assert_eq!(drag([50.0, 60.0], [70.0, 75.0]), Area { right: 70.0, bottom: 75.0, ..AREA });
        // An edge that is dragged over the other one takes its place.
        assert_eq!(drag([10.0, 40.0], [80.0, 40.0]), Area { left: 50.0, right: 80.0, ..AREA });
        assert_eq!(drag([30.0, 40.0], [35.0, 44.0]), Area::between([15.0, 24.0], [55.0, 64.0]));
        assert_eq!(drag([90.0, 70.0], [80.4, 62.0]), Area::between([80.0, 62.0], [90.0, 70.0]));
    }

    #[test]
    fn no_drag_leaves_the_image() {
        assert_eq!(drag([30.0, 40.0], [-300.0, 400.0]), Area::between([0.0, 40.0], [40.0, 80.0]));
        assert_eq!(drag([90.0, 70.0], [400.0, 900.0]), Area::between([90.0, 70.0], [100.0, 80.0]));
        assert_eq!(drag([50.0, 60.0], [400.0, 900.0]), Area { right: 100.0, bottom: 80.0, ..AREA });
    }
}
