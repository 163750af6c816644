//! What a figure is drawn of: a page in points (1/72 inch, y downwards) with shapes, words and pictures on it.

use super::picture::Picture;

/// Red, green, blue, 8-bit sRGB.
pub type Rgb = [u8; 3];

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// What it is called; a reader for the blind says it.
    pub title: String,
    /// Points.
    pub width: f32,
    /// Points.
    pub height: f32,
    /// From the back to the front.
    pub items: Vec<Item>,
}

/// A rectangle, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Rect {
    /// From its left upper corner and its size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Lower edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// Middle between left and right.
    pub fn middle(&self) -> f32 {
        self.x + self.width / 2.0
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stroke {
    /// Colour.
    pub colour: Rgb,
    /// Width in points.
    pub width: f32,
    /// Lengths of dash and gap in points; none for an unbroken line.
    pub dash: Option<[f32; 2]>,
}

impl Stroke {
    /// Unbroken.
    pub const fn solid(colour: Rgb, width: f32) -> Self {
        Self { colour, width, dash: None }
    }

    /// Broken.
    pub const fn dashed(colour: Rgb, width: f32) -> Self {
        Self { colour, width, dash: Some([3.0, 2.0]) }
    }
}

/// Which point of a line of words stands where it is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The first letter.
    Start,
    /// The middle.
    Middle,
    /// The last letter.
    End,
}

/// One line of words.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// On the baseline, in points.
    pub at: [f32; 2],
    /// The words.
    pub words: String,
    /// Height of the letters' em in points.
    pub size: f32,
    /// Colour.
    pub colour: Rgb,
    /// What of it stands at `at`.
    pub anchor: Anchor,
    /// Heavier.
    pub is_strong: bool,
    /// On a white edge, so that it is read on lines and bars.
    pub has_edge: bool,
    /// Upwards, as beside a vertical axis.
    pub is_upright: bool,
}

impl Text {
    /// Level words that begin at `at`.
    pub fn new(at: [f32; 2], words: impl Into<String>, size: f32, colour: Rgb) -> Self {
        let words = words.into();
        Self {
            at,
            words,
            size,
            colour,
            anchor: Anchor::Start,
            is_strong: false,
            has_edge: false,
            is_upright: false,
        }
    }

    /// With another anchor.
    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// Heavier.
    pub fn strong(self) -> Self {
        Self { is_strong: true, ..self }
    }

    /// On a white edge.
    pub fn edged(self) -> Self {
        Self { has_edge: true, ..self }
    }

    /// Upwards.
    pub fn upright(self) -> Self {
        Self { is_upright: true, ..self }
    }
}

/// Something on the page.
#[derive(Clone, Debug)]
pub enum Item {
    /// A rectangle, filled, outlined, or both.
    Rect {
        /// Where.
        rect: Rect,
        /// Colour of its inside.
        fill: Option<Rgb>,
        /// Its outline.
        stroke: Option<Stroke>,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<[f32; 2]>,
        /// How it is drawn.
        stroke: Stroke,
    },
    /// Words.
    Text(Text),
    /// Pixels.
    Picture {
        /// Where; the picture fills it.
        rect: Rect,
        /// The pixels.
        picture: Picture,
        /// Whether the pixels run into each other; else each is seen.
        is_smooth: bool,
    },
}

impl Scene {
    /// An empty page.
    pub fn new(title: impl Into<String>, width: f32) -> Self {
        Self { title: title.into(), width, height: 0.0, items: Vec::new() }
    }

    /// A filled rectangle.
    pub fn fill(&mut self, rect: Rect, colour: Rgb) {
        self.items.push(Item::Rect { rect, fill: Some(colour), stroke: None });
    }

    /// An outlined rectangle.
    pub fn outline(&mut self, rect: Rect, stroke: Stroke) {
        self.items.push(Item::Rect { rect, fill: None, stroke: Some(stroke) });
    }

    /// A line through points.
    pub fn line(&mut self, points: impl Into<Vec<[f32; 2]>>, stroke: Stroke) {
        self.items.push(Item::Line { points: points.into(), stroke });
    }

    /// Words.
    pub fn text(&mut self, text: Text) {
        self.items.push(Item::Text(text));
    }

    /// Pixels.
    pub fn picture(&mut self, rect: Rect, picture: Picture, is_smooth: bool) {
        self.items.push(Item::Picture { rect, picture, is_smooth });
    }

    /// All words, in the order in which they are drawn.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text.words.as_str()),
            _ => None,
        })
    }

    /// All pictures, in the order in which they are drawn.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.items.iter().filter_map(|item| match item {
            Item::Picture { picture, .. } => Some(picture),
            _ => None,
        })
    }
}
