//! Labels: their names and colours, and which one is active.

use super::Annotating;
use crate::annotate::{Annotation, AnnotationError, Edit, Label, LabelId};

/// The colours of new labels, 8-bit sRGB. None is close to the yellow, red and green of a comparison, nor to the
/// colour of a prediction.
const COLOURS: [[u8; 3]; 8] = [
    [236, 102, 214],
    [88, 140, 255],
    [255, 150, 66],
    [164, 112, 255],
    [0, 190, 168],
    [255, 128, 152],
    [150, 190, 60],
    [196, 164, 132],
];
/// The name of the first label.
const FIRST: &str = "Lesion";

/// Returns a label with a name and a colour that no other label of the annotation has.
fn new_label(annotation: &Annotation) -> Label {
    let count = annotation.labels().count();
    let names = std::iter::once(FIRST.to_owned()).chain((2..).map(|number| format!("Label {number}")));
    let name = names.into_iter().find(|name| annotation.named(name).is_none()).unwrap_or_default();
    let is_taken = |colour: &[u8; 3]| annotation.labels().any(|(_, label)| label.colour == *colour);
    let colour = COLOURS.into_iter().find(|colour| !is_taken(colour)).unwrap_or(COLOURS[count % COLOURS.len()]);
    Label::new(name, colour)
}

/// Returns the edit that adds a label, and its identifier.
pub(in crate::app) fn added(annotation: &Annotation) -> Result<(LabelId, Edit), AnnotationError> {
    annotation.add_label(new_label(annotation))
}

impl Annotating {
    /// Makes another label the active one if the active one is gone.
    pub(super) fn keep_active(&mut self, annotation: &Annotation) {
        let is_there = self.active.is_some_and(|id| annotation.label(id).is_some());
        if !is_there {
            self.active = annotation.labels().next().map(|(id, _)| id);
        }
    }
}
