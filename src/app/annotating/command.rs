//! The commands of the Annotate tab.

use super::{Looked, OperationOptions, Place, Tool, ToolOptions};
use crate::annotate::{Label, LabelId, Operation, Rules};

/// A command about the annotation.
#[derive(Clone, Debug, PartialEq)]
pub enum AnnotateCommand {
    /// Choose a tool.
    Choose(Tool),
    /// Set the settings of the tools.
    SetOptions(ToolOptions),
    /// Set the settings of the operations on a label.
    SetOperations(OperationOptions),
    /// Set the radius of brush and eraser, in the unit that is used.
    SetRadius(f64),
    /// Change the radius by this factor.
    ScaleRadius(f64),
    /// Choose whether the radius is in mm.
    RadiusInMm(bool),
    /// Choose which pixels may change.
    SetRules(Rules),
    /// Draw with the tool through these points of the image, in pixels. The first command begins a stroke.
    Stroke {
        /// The points, in their order.
        points: Vec<[f64; 2]>,
        /// Whether the stroke takes pixels away.
        erases: bool,
    },
    /// End the stroke, which becomes a step.
    EndStroke,
    /// Take the stroke back that goes on, or the outline that is not closed.
    CancelStroke,
    /// Click with the tool.
    Click {
        /// The point of the image, in pixels.
        at: [f64; 2],
        /// Whether pixels are taken away.
        removes: bool,
    },
    /// Show what a click would do at this point of the image; `None` if the pointer left the image.
    Hover(Option<[f64; 2]>),
    /// Close the outline that is being clicked together, and paint what it encloses.
    CloseOutline {
        /// Whether pixels are taken away.
        removes: bool,
    },
    /// Take the last point of the outline back.
    RemovePoint,
    /// Carry out an operation on the active label.
    Operate(Operation),
    /// Cancel the operation that is being computed.
    CancelOperation,
    /// Add a label and make it the active one.
    AddLabel,
    /// Change name, colour, lock or visibility of a label.
    SetLabel {
        /// The label.
        id: LabelId,
        /// What it becomes.
        label: Label,
        /// The number of the gesture of which this is a part, such as a colour that is dragged: all of it is one
        /// step. `None` for a change that is a step of its own.
        gesture: Option<u64>,
    },
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
