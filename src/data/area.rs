//! A box in the picture, with which a network that takes one is prompted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::mask::Mask;

/// A box in pixels of an image, from its left upper corner: the pixel in column x covers x to x + 1.
///
/// Its text is that of a prompt, `box 20, 30, 200, 180` (left, top, right, bottom), so that everything that stores or sends
/// the text of a prompt stores and sends a box as well. It is read and written without loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Area {
    /// The left edge.
    pub left: f32,
    /// The upper edge.
    pub top: f32,
    /// The right edge.
    pub right: f32,
    /// The lower edge.
    pub bottom: f32,
}

/// Why there is no box. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoArea {
    /// The prompt is no box.
    #[error(
        "this model takes a box and not a text; give one as \"box LEFT, TOP, RIGHT, BOTTOM\" in pixels, not {0:?}"
    )]
    NotABox(String),
    /// The four numbers are no box.
    #[error("a box is four numbers in pixels, LEFT,TOP,RIGHT,BOTTOM, for example 20,30,200,180, and not {0:?}")]
    Unreadable(String),
    /// The box has no area.
    #[error(
        "the box {0} has no area; its right edge must be right of the left one, and its lower edge below the upper one"
    )]
    Empty(String),
    /// The box does not meet the image.
    #[error("the box {area} lies outside the image of {width} × {height} pixels; draw it in the image")]
    Outside {
        /// The box.
        area: String,
        /// The width of the image.
        width: usize,
        /// The height of the image.
        height: usize,
    },
}

/// What the text of a box begins with.
const WORD: &str = "box";

impl Area {
    /// The box between two corners, in whichever order.
    pub fn between(a: [f32; 2], b: [f32; 2]) -> Self {
        Self { left: a[0].min(b[0]), top: a[1].min(b[1]), right: a[0].max(b[0]), bottom: a[1].max(b[1]) }
    }

    /// The whole of an image of this size.
    pub fn whole(width: usize, height: usize) -> Self {
        Self { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 }
    }

    /// The smallest box around the foreground of a mask, moved outwards by `margin` pixels but not out of the image; `None`
    /// if the mask is empty.
    pub fn around(mask: &Mask, margin: f32) -> Option<Self> {
        let is_in = |at: usize| mask.values[at] != 0;
        let mut found: Option<[usize; 4]> = None;
        for at in (0..mask.values.len()).filter(|at| is_in(*at)) {
            let (x, y) = (at % mask.width, at / mask.width);
            let [left, top, right, bottom] = found.unwrap_or([x, y, x, y]);
            found = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
        }
        let [left, top, right, bottom] = found?;
        let area = Self {
            left: left as f32 - margin,
            top: top as f32 - margin,
            right: (right + 1) as f32 + margin,
            bottom: (bottom + 1) as f32 + margin,
        };
        area.clipped(mask.width, mask.height).ok()
    }

    /// The part of the box that lies in an image of this size.
    ///
    /// # Errors
    /// The box has no area, or none in the image.
    pub fn clipped(self, width: usize, height: usize) -> Result<Self, NoArea> {
        let Self { left, top, right, bottom } = self;
        // Written so that NaN is refused.
        if !(right > left && bottom > top) {
            return Err(NoArea::Empty(self.numbers()));
        }
        let (wide, high) = (width as f32, height as f32);
        let clipped =
            Self { left: left.max(0.0), top: top.max(0.0), right: right.min(wide), bottom: bottom.min(high) };
        if clipped.right > clipped.left && clipped.bottom > clipped.top {
            return Ok(clipped);
        }
        Err(NoArea::Outside { area: self.numbers(), width, height })
    }

    /// The corners (left, top, right, bottom) in pixels of a square input of `side` pixels to which an image of this size
    /// is stretched, and which is transposed if `is_transposed`.
    pub fn in_input(self, width: usize, height: usize, side: usize, is_transposed: bool) -> [f32; 4] {
        let (across, down) = (side as f32 / width as f32, side as f32 / height as f32);
        let [left, top, right, bottom] =
            [self.left * across, self.top * down, self.right * across, self.bottom * down];
        if is_transposed { [top, left, bottom, right] } else { [left, top, right, bottom] }
    }

    /// The four numbers, `20, 30, 200, 180`.
    pub fn numbers(self) -> String {
        let Self { left, top, right, bottom } = self;
        format!("{left}, {top}, {right}, {bottom}")
    }

    /// Reads the four numbers, with commas or spaces between them.
    ///
    /// # Errors
    /// The text is not four finite numbers, or the box has no area.
    pub fn from_numbers(text: &str) -> Result<Self, NoArea> {
        let unreadable = || NoArea::Unreadable(text.trim().to_owned());
        let is_between = |letter: char| letter == ',' || letter.is_whitespace();
        let numbers: Vec<f32> = text
            .split(is_between)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse::<f32>().ok().filter(|number| number.is_finite()))
            .collect::<Option<_>>()
            .ok_or_else(unreadable)?;
        let [left, top, right, bottom] = numbers[..] else { return Err(unreadable()) };
        if right > left && bottom > top {
            return Ok(Self { left, top, right, bottom });
        }
        Err(NoArea::Empty(Self { left, top, right, bottom }.numbers()))
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{WORD} {}", self.numbers())
    }
}

impl FromStr for Area {
    type Err = NoArea;

    fn from_str(text: &str) -> Result<Self, NoArea> {
        match text.trim().strip_prefix(WORD) {
            Some(numbers) => Self::from_numbers(numbers),
            None => Err(NoArea::NotABox(text.trim().to_owned())),
        }
    }
}

impl TryFrom<String> for Area {
    type Error = NoArea;

    fn try_from(text: String) -> Result<Self, NoArea> {
        text.parse()
    }
}

impl From<Area> for String {
    fn from(area: Area) -> Self {
        area.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_read_as_it_was_written() {
        for area in [Area::whole(512, 300), Area::between([200.25, 1.0], [20.1, 99.75])] {
            assert_eq!(area.to_string().parse(), Ok(area));
            assert_eq!(Area::from_numbers(&area.numbers().replace(", ", ",")), Ok(area));
            assert_eq!(Area::from_numbers(&area.numbers().replace(',', " ")), Ok(area));
            let stored = serde_json::to_string(&area).expect("written");
            assert_eq!(serde_json::from_str::<Area>(&stored).expect("read"), area);
        }
        assert_eq!(Area::between([200.25, 1.0], [20.0, 99.0]).to_string(), "box 20, 1, 200.25, 99");
    }

    #[test]
    fn what_is_no_box_is_refused_with_what_to_do() {
        let error = |text: &str| text.parse::<Area>().expect_err(text).to_string();
        assert!(error("left lung").contains("takes a box and not a text"));
        assert!(error("").contains("takes a box"));
        assert!(error("box 1, 2, 3").contains("four numbers"));
        assert!(error("box 1, 2, 3, inf").contains("four numbers"));
        assert!(error("box 1, 2, 3, NaN").contains("four numbers"));
        assert!(error("box 9, 2, 3, 4").contains("has no area"));
        assert!(error("box 1, 2, 1, 4").contains("has no area"));
    }

    #[test]
    fn a_box_is_clipped_to_the_image_and_refused_outside_it() {
        let area = Area { left: -5.0, top: 3.0, right: 50.0, bottom: 400.0 };
        assert_eq!(area.clipped(40, 30), Ok(Area { left: 0.0, top: 3.0, right: 40.0, bottom: 30.0 }));
        let outside = Area { left: 40.0, top: 3.0, right: 50.0, bottom: 9.0 };
        let error = outside.clipped(40, 30).expect_err("outside").to_string();
        assert!(error.contains("40, 3, 50, 9") && error.contains("40 × 30"), "{error}");
        assert!(matches!(Area { right: -9.0, ..area }.clipped(40, 30), Err(NoArea::Empty(_))));
    }

    #[test]
    fn the_box_of_a_mask_holds_its_foreground_and_the_margin() {
        let mut mask = Mask { width: 8, height: 6, values: vec![0; 48] };
        assert_eq!(Area::around(&mask, 2.0), None);
        mask.values[3 * 8 + 2] = 1;
        mask.values[4 * 8 + 5] = 1;
        let tight = Area { left: 2.0, top: 3.0, right: 6.0, bottom: 5.0 };
        assert_eq!(Area::around(&mask, 0.0), Some(tight));
        let wide = Area { left: 0.0, top: 0.0, right: 8.0, bottom: 6.0 };
        assert_eq!(Area::around(&mask, 4.0), Some(wide));
    }

    #[test]
    fn the_input_is_stretched_and_may_be_transposed() {
        let area = Area { left: 10.0, top: 10.0, right: 20.0, bottom: 40.0 };
        assert_eq!(area.in_input(100, 50, 200, false), [20.0, 40.0, 40.0, 160.0]);
        assert_eq!(area.in_input(100, 50, 200, true), [40.0, 20.0, 160.0, 40.0]);
    }
}
