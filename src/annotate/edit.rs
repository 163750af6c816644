//! The smallest changes of an annotation. Undo, redo and the record on disk consist of them.

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

/// Joins the edits of one stroke: at most one for every label and slice. Edits of labels stay where they are, and
/// only edits between them are joined.
pub fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    let mut joined: Vec<Edit> = Vec::new();
    // Edits before this place are not joined any more.
    let mut from = 0;
    for edit in edits {
        let Edit::Mask { label, slice, patch, origins } = edit else {
            joined.push(edit);
            from = joined.len();
            continue;
        };
        let is_same = |known: &Edit| matches!(known, Edit::Mask { label: of, slice: at, .. } if (*of, *at) == (label, slice));
        let Some(place) = joined[from..].iter().position(is_same).map(|place| from + place) else {
            joined.push(Edit::Mask { label, slice, patch, origins });
            continue;
        };
        let both = match &mut joined[place] {
            Edit::Mask { patch: known, origins: kept, .. } => {
                kept[1] = origins[1].clone();
                known.then(&patch).map(|both| *known = both)
            }
            Edit::Label { .. } => Some(()),
        };
        if both.is_none() {
            joined.remove(place);
        }
    }
    joined
}
