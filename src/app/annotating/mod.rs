//! Drawing and correcting masks: the tools, what they change, and whether the prediction or the annotation is looked
//! at.

mod answers;
mod apply;
mod click;
mod command;
mod drag;
mod label;
mod layer;
mod looked;
mod operate;
mod options;
mod outline;
mod prediction;
mod preview;
mod scores;
mod sight;
mod stroke;

pub use command::AnnotateCommand;
pub use looked::Looked;
pub use operate::Operating;
pub use options::{OperationOptions, ToolOptions};
pub use prediction::Place;
pub use scores::{Scored, ScoredOf};

use self::click::Hovered;
use self::drag::Drag;
use self::layer::Shown;
use self::outline::Outline;
use self::sight::Values;
use self::stroke::Ongoing;
use crate::annotate::tools::Length;
use crate::annotate::{Annotation, LabelId, Rules};
use crate::engine::Pending;
use crate::metrics::Confusion;

/// The range of the radius of a brush, in pixels and in mm.
pub const RADII: [std::ops::RangeInclusive<f64>; 2] = [0.5..=500.0, 0.1..=200.0];

/// The factor by which a key, or a notch of the wheel, changes the radius.
pub const RADIUS_STEP: f64 = 1.15;

/// The most pixels that a growing region or a live wire goes on by in one frame, which takes about 10 ms.
const STEPS_A_FRAME: usize = 30_000;

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
    /// Paints what is similar to the start of the stroke, within the brush.
    SmartBrush,
    /// Paints what a line that is dragged encloses.
    Lasso,
    /// Paints what a polygon of clicks encloses.
    Polygon,
    /// Paints what an outline along edges encloses.
    LiveWire,
    /// Paints what is similar to the point that is clicked, and connected to it.
    Flood,
    /// Paints a region that grows from a point while the pointer is dragged away from it.
    Grow,
    /// Paints the connected region of the prediction that is clicked.
    Region,
}

impl Tool {
    /// Returns whether the tool has a radius.
    pub fn has_radius(self) -> bool {
        matches!(self, Self::Brush | Self::Eraser | Self::SmartBrush)
    }

    /// Returns whether the tool follows the pointer while the button is held, and not single clicks.
    pub fn is_dragged(self) -> bool {
        matches!(self, Self::Brush | Self::Eraser | Self::SmartBrush | Self::Lasso | Self::Grow)
    }
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
    /// The settings of the other tools.
    pub options: ToolOptions,
    /// The settings of the operations on a label.
    pub operations: OperationOptions,
    /// The operation that is being computed.
    pub operating: Operating,
    /// Which of the two masks is looked at.
    looked: Looked,
    /// The stroke that goes on.
    ongoing: Option<Ongoing>,
    /// The lasso or the region that is being dragged.
    drag: Option<Drag>,
    /// The polygon or the live wire that is being clicked together.
    outline: Option<Outline>,
    /// The region of the prediction under the pointer.
    hovered: Option<Hovered>,
    /// The values of the slice as the tools read them.
    values: Option<Values>,
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
            options: ToolOptions::default(),
            operations: OperationOptions::default(),
            operating: Operating::default(),
            looked: Looked::default(),
            ongoing: None,
            drag: None,
            outline: None,
            hovered: None,
            values: None,
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
        self.put_down();
        self.values = None;
        self.operating.cancel();
        self.layer = None;
        self.scores = None;
        self.scoring.cancel();
    }

    /// Shows another annotation of the same image.
    pub fn take_annotation(&mut self, annotation: &Annotation) {
        self.leave_image();
        self.keep_active(annotation);
        if !annotation.is_blank() {
            self.looked = Looked::Annotation;
        }
    }

    /// Returns whether a stroke goes on.
    pub fn is_drawing(&self) -> bool {
        self.ongoing.is_some() || self.drag.as_ref().is_some_and(|drag| !drag.is_released())
    }

    /// Returns whether an outline is being clicked together.
    pub fn has_outline(&self) -> bool {
        self.outline.is_some()
    }

    /// Forgets what the tool had begun and not painted.
    fn put_down(&mut self) {
        self.drag = None;
        self.outline = None;
        self.hovered = None;
    }
}
