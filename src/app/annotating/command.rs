//! The commands of the Annotate tab.

use super::{Looked, Place, Tool};
use crate::annotate::{Label, LabelId, Rules};

/// A command about the annotation.
#[derive(Clone, Debug, PartialEq)]
pub enum AnnotateCommand {
    /// Choose a tool.
    Choose(Tool),
    /// Set the radius of brush and eraser, in the unit that is used.
    SetRadius(f64),
    /// Change the radius by this factor.
    ScaleRadius(f64),
    /// Choose whether the radius is in mm.
    RadiusInMm(bool),
    /// Choose which pixels may change.
    SetRules(Rules),
    /// Draw with brush or eraser through these points of the image, in pixels. The first command begins a stroke.
    Stroke {
        /// The points, in their order.
        points: Vec<[f64; 2]>,
        /// Whether the stroke takes pixels away.
        erases: bool,
    },
    /// End the stroke, which becomes a step.
    EndStroke,
    /// Take the stroke back that goes on.
    CancelStroke,
    /// Add a label and make it the active one.
    AddLabel,
    /// Change name, colour, lock or visibility of a label.
    SetLabel(LabelId, Label),
    /// Remove a label with its pixels.
    RemoveLabel(LabelId),
    /// Choose the label that tools paint.
    Activate(LabelId),
    /// Choose the label with this number, from 1.
    ActivateNumber(usize),
    /// Take all pixels of this slice from the active label.
    ClearSlice,
    /// Take all pixels of all slices from the active label.
    ClearLabel,
    /// Take over the mask that the network predicts for this slice.
    UsePrediction(Place),
    /// Choose which of the two masks is looked at.
    Look(Looked),
    /// Undo steps up to and including the one at this place, the newest being at 0.
    UndoTo(usize),
    /// Redo steps up to and including the one at this place, the next one being at 0.
    RedoTo(usize),
}
