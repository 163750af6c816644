//! Drawing and correcting masks: the tools, what they change, and whether the prediction or the annotation is looked
//! at.

mod apply;
mod command;
mod label;
mod layer;
mod looked;
mod prediction;
mod scores;
mod stroke;

pub use command::AnnotateCommand;
pub use looked::Looked;
pub use prediction::Place;
pub use scores::{Scored, ScoredOf};

use self::layer::Shown;
use self::stroke::Ongoing;
use crate::annotate::tools::Length;
use crate::annotate::{LabelId, Rules};
use crate::engine::Pending;
use crate::metrics::Confusion;

/// The range of the radius of a brush, in pixels and in mm.
pub const RADII: [std::ops::RangeInclusive<f64>; 2] = [0.5..=500.0, 0.1..=200.0];

/// A tool of the palette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tool {
    /// Moves the picture.
    Hand,
    /// Paints a circle along the path of the pointer.
    #[default]
    Brush,
    /// Takes pixels away along the path of the pointer.
    Eraser,
}

/// The radius of brush and eraser, in both units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Radius {
    /// The radius in pixels.
    pub pixels: f64,
    /// The radius in mm.
    pub mm: f64,
    /// Whether the radius in mm is used, where the pixel size is known.
    pub in_mm: bool,
}

impl Radius {
    /// Returns the radius in the unit that is used.
    pub fn value(&self, has_mm: bool) -> f64 {
        if self.in_mm && has_mm { self.mm } else { self.pixels }
    }

    /// Returns the radius with its unit. `has_mm` says whether the pixel size is known.
    pub fn length(&self, has_mm: bool) -> Length {
        if self.in_mm && has_mm { Length::Mm(self.mm) } else { Length::Pixels(self.pixels) }
    }

    /// Sets the radius in the unit that is used.
    pub fn set(&mut self, value: f64, has_mm: bool) {
        let [pixels, mm] = RADII;
        let (place, range) = if self.in_mm && has_mm { (&mut self.mm, mm) } else { (&mut self.pixels, pixels) };
        *place = value.clamp(*range.start(), *range.end());
    }
}

/// The state of the Annotate tab.
pub struct Annotating {
    /// The tool that is chosen.
    pub tool: Tool,
    /// The label that tools paint; `None` if there is no label yet.
    pub active: Option<LabelId>,
    /// The radius of brush and eraser.
    pub radius: Radius,
    /// Which pixels may change.
    pub rules: Rules,
    /// Which of the two masks is looked at.
    looked: Looked,
    /// The stroke that goes on.
    ongoing: Option<Ongoing>,
    /// The labels of the slice for the screen.
    layer: Option<Shown>,
    /// The newest scores of the annotation.
    pub scores: Option<Scored>,
    /// The scores that are being computed.
    pub scoring: Pending<ScoredOf, (Confusion, Option<f64>)>,
}

impl Default for Annotating {
    fn default() -> Self {
        Self {
            tool: Tool::default(),
            active: None,
            radius: Radius { pixels: 8.0, mm: 4.0, in_mm: false },
            rules: Rules::default(),
            looked: Looked::default(),
            ongoing: None,
            layer: None,
            scores: None,
            scoring: Pending::default(),
        }
    }
}

impl Annotating {
    /// Forgets what belonged to the image that was closed. Tools and their settings stay.
    pub fn leave_image(&mut self) {
        self.active = None;
        self.looked = Looked::default();
        self.ongoing = None;
        self.layer = None;
        self.scores = None;
        self.scoring.cancel();
    }

    /// Returns whether a stroke goes on.
    pub fn is_drawing(&self) -> bool {
        self.ongoing.is_some()
    }
}
