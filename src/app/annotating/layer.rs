//! The labels of the slice on the screen. Of what a stroke changes, only the box around it is uploaded.

use std::sync::Arc;

use crate::annotate::{Edit, LabelId};
use crate::app::HimixApp;
use crate::engine::Ticket;
use crate::render::LabelLayer;

/// The number of changes that are remembered. A frame that missed more of them uploads the whole slice.
const CHANGES: usize = 64;

/// The labels of a slice as they are drawn.
pub(super) struct Shown {
    pub(super) of: Of,
    pub(super) layer: LabelLayer,
}

/// What the numbers of the pixels depend on, apart from single edits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Of {
    pub(super) image: Ticket,
    pub(super) slice: usize,
    pub(super) active: Option<LabelId>,
    pub(super) revision: u64,
}

impl HimixApp {
    /// Brings the labels on the screen up to date, if edits did not do so already.
    pub(in crate::app) fn show_labels(&mut self) {
        let Some(of) = self.state.labels_of() else {
            self.state.annotating.layer = None;
            return;
        };
        if self.state.annotating.layer.as_ref().is_some_and(|shown| shown.of == of) {
            return;
        }
        let key = self.ticket();
        let [columns, rows, _] = self.state.document.annotation.shape();
        let values = self.state.document.annotation.numbers(of.slice, [0, 0], [columns, rows], of.active);
        let layer =
            LabelLayer { key, size: [columns, rows], values: Arc::new(values), revision: 0, changes: Vec::new() };
        self.state.annotating.layer = Some(Shown { of, layer });
    }

    /// Draws what edits changed in the slice on the screen. The annotation was at the revision `before` before.
    pub(super) fn draw_edits(&mut self, edits: &[Edit], before: u64) {
        let Some(now) = self.state.labels_of() else { return };
        let (annotating, document) = (&mut self.state.annotating, &self.state.document);
        let was = Of { revision: before, ..now };
        let is_masks_only = edits.iter().all(|edit| matches!(edit, Edit::Mask { .. }));
        let Some(shown) = annotating.layer.as_mut().filter(|shown| shown.of == was && is_masks_only) else {
            return;
        };
        let columns = shown.layer.size[0];
        for edit in edits {
            let Edit::Mask { slice, patch, .. } = edit else { continue };
            if *slice != now.slice {
                continue;
            }
            let (corner, size) = (patch.corner(), patch.size());
            let numbers = document.annotation.numbers(*slice, corner, size, now.active);
            let values = Arc::make_mut(&mut shown.layer.values);
            for (row, line) in numbers.chunks_exact(size[0].max(1)).enumerate() {
                let from = (corner[1] + row) * columns + corner[0];
                values[from..from + size[0]].copy_from_slice(line);
            }
            shown.layer.revision += 1;
            shown.layer.changes.push((shown.layer.revision, [corner[0], corner[1], size[0], size[1]]));
        }
        let surplus = shown.layer.changes.len().saturating_sub(CHANGES);
        shown.layer.changes.drain(..surplus);
        shown.of = now;
    }
}
