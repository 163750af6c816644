//! The labels of the slice on the screen. Of what a stroke changes, only the box around it is computed and uploaded.

use std::sync::Arc;

use crate::annotate::{Annotation, Edit, LabelId};
use crate::app::HimixApp;
use crate::engine::Ticket;
use crate::render::LabelLayer;

/// The number of changes that are remembered. A frame that missed more of them uploads the whole slice.
const CHANGES: usize = 64;

/// The labels of a slice as they are drawn.
pub(super) struct Shown {
    pub(super) of: Of,
    pub(super) layer: LabelLayer,
    /// The boxes in which the layer is behind the annotation: left, top, width and height.
    behind: Vec<[usize; 4]>,
}

/// What the numbers of the pixels depend on, apart from single edits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Of {
    pub(super) image: Ticket,
    pub(super) slice: usize,
    pub(super) active: Option<LabelId>,
    pub(super) revision: u64,
}

impl Shown {
    fn new(of: Of, key: u64, annotation: &Annotation) -> Self {
        let [columns, rows, _] = annotation.shape();
        let values = annotation.numbers(of.slice, [0, 0], [columns, rows], of.active);
        let labelled = labelled(&values, columns);
        let (size, values) = ([columns, rows], Arc::new(values));
        let layer = LabelLayer { key, size, values, revision: 0, changes: Vec::new(), labelled };
        Self { of, layer, behind: Vec::new() }
    }

    /// Notes what edits have changed, after which the annotation is as `now` says.
    fn note(&mut self, edits: &[Edit], now: Of) {
        self.behind.extend(edits.iter().filter_map(|edit| match edit {
            Edit::Mask { slice, patch, .. } if *slice == now.slice => {
                let ([left, top], [width, height]) = (patch.corner(), patch.size());
                Some([left, top, width, height])
            }
            Edit::Mask { .. } | Edit::Label { .. } => None,
        }));
        self.of = now;
    }

    /// Brings the layer up to date where it is behind.
    fn catch_up(&mut self, annotation: &Annotation) {
        if self.behind.is_empty() {
            return;
        }
        let columns = self.layer.size[0];
        let values = Arc::make_mut(&mut self.layer.values);
        for [left, top, width, height] in self.behind.drain(..) {
            let numbers = annotation.numbers(self.of.slice, [left, top], [width, height], self.of.active);
            for (row, line) in numbers.chunks_exact(width.max(1)).enumerate() {
                let from = (top + row) * columns + left;
                values[from..from + width].copy_from_slice(line);
            }
            // The box is never made smaller here: what was erased costs time until the slice is shown anew, and nothing else.
            if let Some([x, y, wide, high]) = labelled(&numbers, width) {
                let new = [left + x, top + y, wide, high];
                self.layer.labelled = Some(self.layer.labelled.map_or(new, |old| around(old, new)));
            }
            self.layer.revision += 1;
            self.layer.changes.push((self.layer.revision, [left, top, width, height]));
        }
        let surplus = self.layer.changes.len().saturating_sub(CHANGES);
        self.layer.changes.drain(..surplus);
    }
}

/// Returns the smallest box that holds every pixel with a label: left, top, width and height. Returns `None` if no pixel has one.
fn labelled(numbers: &[u8], columns: usize) -> Option<[usize; 4]> {
    let is_labelled = |number: &u8| *number != 0;
    let mut found: Option<[usize; 4]> = None;
    // Most rows have none, which is found out fastest by looking at all of their numbers together.
    let rows = numbers.chunks_exact(columns.max(1)).enumerate();
    for (y, row) in rows.filter(|(_, row)| row.iter().fold(0, |all, number| all | number) != 0) {
        if let Some((first, last)) = row.iter().position(is_labelled).zip(row.iter().rposition(is_labelled)) {
            let new = [first, y, last + 1 - first, 1];
            found = Some(found.map_or(new, |old| around(old, new)));
        }
    }
    found
}

/// Returns the smallest box around two boxes, each as left, top, width and height.
fn around(one: [usize; 4], other: [usize; 4]) -> [usize; 4] {
    let [left, top] = [0, 1].map(|axis| one[axis].min(other[axis]));
    let [right, bottom] = [0, 1].map(|axis| (one[axis] + one[axis + 2]).max(other[axis] + other[axis + 2]));
    [left, top, right - left, bottom - top]
}

impl HimixApp {
    /// Brings the labels on the screen up to date. This is done before the frame is drawn: what the frame before has
    /// drawn is given up by then, so that the numbers are changed where they lie and not in a copy of the slice.
    pub(in crate::app) fn show_labels(&mut self) {
        let Some(of) = self.state.labels_of() else {
            self.state.annotating.layer = None;
            return;
        };
        let annotation = &self.state.document.annotation;
        match self.state.annotating.layer.as_mut().filter(|shown| shown.of == of) {
            Some(shown) => shown.catch_up(annotation),
            None => self.state.annotating.layer = Some(Shown::new(of, self.engine.ticket(), annotation)),
        }
    }

    /// Notes what edits have changed in the slice on the screen. The annotation was at the revision `before` before.
    pub(super) fn draw_edits(&mut self, edits: &[Edit], before: u64) {
        let Some(now) = self.state.labels_of() else { return };
        let was = Of { revision: before, ..now };
        let is_masks_only = edits.iter().all(|edit| matches!(edit, Edit::Mask { .. }));
        if let Some(shown) = self.state.annotating.layer.as_mut().filter(|shown| shown.of == was && is_masks_only)
        {
            shown.note(edits, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::{Combine, Label, Origin, Region, Rules};

    #[test]
    fn the_box_holds_every_labelled_pixel_and_no_more() {
        let of = |rows: [&[u8]; 4]| labelled(&rows.concat(), rows[0].len());
        assert_eq!(of([&[0; 5]; 4]), None);
        assert_eq!(of([&[0, 0, 0, 0, 0], &[0, 0, 0, 3, 0], &[0, 1, 0, 0, 0], &[0; 5]]), Some([1, 1, 3, 2]));
        assert_eq!(of([&[9, 0, 0, 0, 0], &[0; 5], &[0; 5], &[0, 0, 0, 0, 255]]), Some([0, 0, 5, 4]));
        assert_eq!(of([&[7]; 4]), Some([0, 0, 1, 4]));
        assert_eq!(labelled(&[], 0), None);
    }

    #[test]
    fn what_a_stroke_changes_is_changed_where_it_lies() {
        let mut annotation = Annotation::new([8, 4, 2]);
        let (id, edit) = annotation.add_label(Label::new("lesion", [0; 3])).expect("a new name");
        annotation.apply(&[edit]).expect("it fits");
        let of =
            |annotation: &Annotation| Of { image: 1, slice: 1, active: Some(id), revision: annotation.revision() };
        let mut shown = Shown::new(of(&annotation), 7, &annotation);
        // The frame that is drawn has the numbers while the pointer moves.
        let drawn = shown.layer.clone();
        for (slice, corner) in [(1, [2, 1]), (0, [0, 0]), (1, [6, 2])] {
            let region = Region::new(corner, [2, 2], vec![1; 4]);
            let edits = annotation.paint(id, slice, &region, Combine::Add, &Rules::default(), &Origin::Drawn);
            let edits = edits.expect("it can be painted");
            annotation.apply(&edits).expect("they fit");
            shown.note(&edits, of(&annotation));
        }
        let place = Arc::as_ptr(&shown.layer.values);
        assert_eq!((Arc::as_ptr(&drawn.values), drawn.values.iter().any(|value| *value != 0)), (place, false));
        drop(drawn);
        shown.catch_up(&annotation);
        assert_eq!(Arc::as_ptr(&shown.layer.values), place, "nothing was copied");
        assert_eq!(*shown.layer.values, annotation.numbers(1, [0, 0], [8, 4], Some(id)));
        assert_eq!(shown.layer.changes, [(1, [2, 1, 2, 2]), (2, [6, 2, 2, 2])]);
        assert_eq!(shown.layer.labelled, Some([2, 1, 6, 3]), "around both, and nothing of the other slice");
        let anew = Shown::new(of(&annotation), 8, &annotation);
        assert_eq!(anew.layer.labelled, Some([2, 1, 6, 3]), "the same of a slice that is shown anew");
        shown.catch_up(&annotation);
        assert_eq!(shown.layer.revision, 2, "once is enough");
    }
}
