//! The smallest changes of an annotation. Undo, redo and the record on disk consist of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::label::{Label, LabelId, Origin};
use super::patch::Patch;

/// A change of an annotation, with what is needed to reverse it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit {
    /// A label was added, changed or removed; `None` stands for no label. A label that is removed has no pixels left.
    Label {
        /// The label.
        id: LabelId,
        /// The label before the change.
        before: Option<Label>,
        /// The label after the change.
        after: Option<Label>,
    },
    /// Pixels of a slice were added to a label or taken from it.
    Mask {
        /// The label.
        label: LabelId,
        /// The index of the slice, from 0.
        slice: usize,
        /// The pixels that change.
        patch: Patch,
        /// The origin of the pixels before and after the change; `None` if there are none.
        origins: [Option<Origin>; 2],
    },
}

impl Edit {
    /// Returns the edit that reverses this one.
    pub fn reversed(&self) -> Self {
        match self.clone() {
            Self::Label { id, before, after } => Self::Label { id, before: after, after: before },
            Self::Mask { label, slice, patch, origins: [before, after] } => {
                Self::Mask { label, slice, patch, origins: [after, before] }
            }
        }
    }

    /// Returns the memory of the edit, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Label { .. } => size_of::<Self>(),
            Self::Mask { patch, .. } => size_of::<Self>() + patch.bytes(),
        }
    }
}

/// Returns the edits that reverse `edits`, in the order in which they are applied.
pub fn reversed(edits: &[Edit]) -> Vec<Edit> {
    edits.iter().rev().map(Edit::reversed).collect()
}

/// Joins the edits of one step: at most one for every label and slice. Edits of labels stay where they are, and only
/// edits between them are joined; edits of one label that follow each other are one. The time grows with the number of edits, not with its square.
pub fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::new();
    let mut edits = edits.into_iter().peekable();
    while edits.peek().is_some() {
        // The edits of masks up to the next edit of a label, in the order of their first patches.
        let mut masks: Vec<MaskEdits> = Vec::new();
        let mut places = HashMap::new();
        while let Some(Edit::Mask { label, slice, patch, origins }) =
            edits.next_if(|edit| matches!(edit, Edit::Mask { .. }))
        {
            let place = *places.entry((label, slice)).or_insert(masks.len());
            match masks.get_mut(place) {
                Some(known) => {
                    known.patches.push(patch);
                    known.origins[1] = origins[1].clone();
                }
                None => masks.push(MaskEdits { label, slice, patches: vec![patch], origins }),
            }
        }
        joined.extend(masks.into_iter().filter_map(MaskEdits::joined));
        let Some(edit) = edits.next_if(|edit| matches!(edit, Edit::Label { .. })) else { continue };
        if let Edit::Label { id: of, after: newest, .. } = &edit
            && let Some(Edit::Label { id, after, .. }) = joined.last_mut()
            && id == of
        {
            after.clone_from(newest);
        } else {
            joined.push(edit);
        }
    }
    joined
}

/// Edits of one label in one slice, with the origins before the first and after the last.
struct MaskEdits {
    label: LabelId,
    slice: usize,
    patches: Vec<Patch>,
    origins: [Option<Origin>; 2],
}

impl MaskEdits {
    /// Returns the edit that does what all of them do; `None` if together they change nothing.
    fn joined(self) -> Option<Edit> {
        let Self { label, slice, patches, origins } = self;
        Some(Edit::Mask { label, slice, patch: Patch::joined(patches.iter())?, origins })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_of_one_label_that_follow_each_other_are_one() {
        let label = |shade| Some(Label::new("lesion", [shade; 3]));
        let edit = |id, before, after| Edit::Label { id: LabelId(id), before, after };
        let edits = vec![
            edit(1, None, label(0)),
            edit(1, label(0), label(1)),
            edit(2, label(5), label(6)),
            edit(1, label(1), label(2)),
            edit(1, label(2), label(3)),
        ];
        let expected = [edit(1, None, label(1)), edit(2, label(5), label(6)), edit(1, label(1), label(3))];
        assert_eq!(joined(edits), expected);
    }
}
