//! The elements of a figure: a page in points (1/72 inch, y downwards) with shapes, texts and images.

use super::picture::Picture;

/// Red, green, blue, 8-bit sRGB.
pub type Rgb = [u8; 3];

/// A page.
#[derive(Clone, Debug, Default)]
pub struct Scene {
    /// Title of the page, for screen readers.
    pub title: String,
    /// Width in points.
    pub width: f32,
    /// Height in points.
    pub height: f32,
    /// The elements, from back to front.
    pub items: Vec<Item>,
}

/// A rectangle, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Extent from left to right.
    pub width: f32,
    /// Extent from top to bottom.
    pub height: f32,
}

impl Rect {
    /// Makes a rectangle from its upper left corner and its size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// Returns the right edge.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Returns the lower edge.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// Returns the middle between left and right.
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
    /// Lengths of dash and gap in points; `None` for a solid line.
    pub dash: Option<[f32; 2]>,
}

impl Stroke {
    /// Makes a solid line.
    pub const fn solid(colour: Rgb, width: f32) -> Self {
        Self { colour, width, dash: None }
    }

    /// Makes a dashed line.
    pub const fn dashed(colour: Rgb, width: f32) -> Self {
        Self { colour, width, dash: Some([3.0, 2.0]) }
    }
}

/// The point of a text that is placed at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The first letter.
    Start,
    /// The middle.
    Middle,
    /// The last letter.
    End,
}

/// One line of text.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// Position on the baseline, in points.
    pub at: [f32; 2],
    /// The text.
    pub words: String,
    /// Font size in points.
    pub size: f32,
    /// Colour.
    pub colour: Rgb,
    /// The point that is placed at `at`.
    pub anchor: Anchor,
    /// Whether the text is bold.
    pub is_strong: bool,
    /// Whether the text has a white outline, so that it is legible on lines and bars.
    pub has_edge: bool,
    /// Whether the text runs upwards, as beside a vertical axis.
    pub is_upright: bool,
}

impl Text {
    /// Makes a horizontal text that begins at `at`.
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

    /// Sets the anchor.
    pub fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// Makes the text bold.
    pub fn strong(self) -> Self {
        Self { is_strong: true, ..self }
    }

    /// Adds a white outline.
    pub fn edged(self) -> Self {
        Self { has_edge: true, ..self }
    }

    /// Turns the text upwards.
    pub fn upright(self) -> Self {
        Self { is_upright: true, ..self }
    }
}

/// An element of the page.
#[derive(Clone, Debug)]
pub enum Item {
    /// A rectangle, filled, outlined, or both.
    Rect {
        /// Position.
        rect: Rect,
        /// Colour of the area.
        fill: Option<Rgb>,
        /// Style of the outline.
        stroke: Option<Stroke>,
    },
    /// A line through points.
    Line {
        /// The points.
        points: Vec<[f32; 2]>,
        /// Style of the line.
        stroke: Stroke,
    },
    /// A text.
    Text(Text),
    /// An image.
    Picture {
        /// Position; the image fills it.
        rect: Rect,
        /// The pixels.
        picture: Picture,
        /// Whether the image is interpolated between its pixels.
        is_smooth: bool,
    },
}

impl Scene {
    /// Makes an empty page.
    pub fn new(title: impl Into<String>, width: f32) -> Self {
        Self { title: title.into(), width, height: 0.0, items: Vec::new() }
    }

    /// Adds a filled rectangle.
    pub fn fill(&mut self, rect: Rect, colour: Rgb) {
        self.items.push(Item::Rect { rect, fill: Some(colour), stroke: None });
    }

    /// Adds an outlined rectangle.
    pub fn outline(&mut self, rect: Rect, stroke: Stroke) {
        self.items.push(Item::Rect { rect, fill: None, stroke: Some(stroke) });
    }

    /// Adds a line through points.
    pub fn line(&mut self, points: impl Into<Vec<[f32; 2]>>, stroke: Stroke) {
        self.items.push(Item::Line { points: points.into(), stroke });
    }

    /// Adds a text.
    pub fn text(&mut self, text: Text) {
        self.items.push(Item::Text(text));
    }

    /// Adds an image.
    pub fn picture(&mut self, rect: Rect, picture: Picture, is_smooth: bool) {
        self.items.push(Item::Picture { rect, picture, is_smooth });
    }

    /// Iterates over all texts, in drawing order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| match item {
            Item::Text(text) => Some(text.words.as_str()),
            _ => None,
        })
    }

    /// Iterates over all images, in drawing order.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        self.items.iter().filter_map(|item| match item {
            Item::Picture { picture, .. } => Some(picture),
            _ => None,
        })
    }
}
