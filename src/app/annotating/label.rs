//! Labels: their names and colours, and which one is active.

use super::Annotating;
use crate::annotate::{Annotation, AnnotationError, Edit, Label, LabelId};
use crate::data::overlay::LABEL_COLOURS;

/// The name of the first label.
const FIRST: &str = "Lesion";

/// Returns a label with a name and a colour that no other label of the annotation has.
fn new_label(annotation: &Annotation) -> Label {
    let count = annotation.labels().count();
    let names = std::iter::once(FIRST.to_owned()).chain((2..).map(|number| format!("Label {number}")));
    let name = names.into_iter().find(|name| annotation.named(name).is_none()).unwrap_or_default();
    let is_taken = |colour: &[u8; 3]| annotation.labels().any(|(_, label)| label.colour == *colour);
    let colour = LABEL_COLOURS
        .into_iter()
        .find(|colour| !is_taken(colour))
        .unwrap_or(LABEL_COLOURS[count % LABEL_COLOURS.len()]);
    Label::new(name, colour)
}

/// Returns the edit that adds a label, and its identifier.
pub(super) fn added(annotation: &Annotation) -> Result<(LabelId, Edit), AnnotationError> {
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
