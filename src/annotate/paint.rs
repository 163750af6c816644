//! How regions become pixels of a label.

use super::annotation::{Annotation, AnnotationError};
use super::edit::Edit;
use super::label::{LabelId, Origin};
use super::patch::Patch;
use super::region::Region;

/// How a region changes the pixels of a label in a slice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// The region is added.
    #[default]
    Add,
    /// The region is taken away.
    Remove,
    /// The label has the pixels of the region and no others.
    Replace,
}

/// The pixels that may change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PaintOnly {
    /// All pixels.
    #[default]
    Anywhere,
    /// The pixels of another label.
    Inside(LabelId),
    /// The pixels that another label does not have.
    Outside(LabelId),
    /// The pixels that no other label has.
    Unlabelled,
}

/// The rules of painting. Pixels of locked labels never change, and where pixels may not change, no label gains or loses
/// any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The pixels that may change.
    pub paint_only: PaintOnly,
    /// Whether pixels that are painted with a label are taken from the others, so that a pixel has one label at most.
    /// Otherwise labels may overlap.
    pub overwrites: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { paint_only: PaintOnly::Anywhere, overwrites: true }
    }
}

impl Annotation {
    /// Returns the edits that paint a region in a slice, whose index starts at 0. Pixels of the region outside the
    /// slice are left out. Returns nothing if no pixel changes.
    ///
    /// Every label that gains or loses pixels has its origin changed: a prediction from which pixels were taken, or of
    /// which the rules let only a part in, is a corrected one. What replaces a label has the origin of the act, unless
    /// it was derived from the label itself.
    ///
    /// # Errors
    /// Returns an error if the label was removed or is locked, or if there is no such slice.
    pub fn paint(
        &self,
        label: LabelId,
        slice: usize,
        region: &Region,
        combine: Combine,
        rules: &Rules,
        origin: &Origin,
    ) -> Result<Vec<Edit>, AnnotationError> {
        self.unlocked(label)?;
        let [columns, rows, slices] = self.shape();
        if slice >= slices {
            return Err(AnnotationError::NoSlice { number: slice + 1, slices });
        }
        let (corner, end) = match combine {
            Combine::Replace => ([0, 0], [columns, rows]),
            Combine::Add | Combine::Remove => {
                let [left, top] = region.corner();
                let [width, height] = region.size();
                ([left.min(columns), top.min(rows)], [(left + width).min(columns), (top + height).min(rows)])
            }
        };
        let size = [end[0] - corner[0], end[1] - corner[1]];
        let has = |id: LabelId, at: usize| self.mask(id, slice).is_some_and(|known| known.mask.values[at] != 0);
        let others: Vec<(LabelId, bool, &[u8])> = self
            .labels()
            .filter(|(id, _)| *id != label)
            .filter_map(|(id, other)| {
                let known = self.mask(id, slice)?;
                Some((id, other.is_locked, known.mask.values.as_slice()))
            })
            .collect();
        let may_change = |at: usize| match rules.paint_only {
            PaintOnly::Anywhere => true,
            PaintOnly::Inside(other) => has(other, at),
            PaintOnly::Outside(other) => !has(other, at),
            PaintOnly::Unlabelled => others.iter().all(|(_, _, mask)| mask[at] == 0),
        };
        let may_be_added =
            |at: usize| !rules.overwrites || others.iter().all(|(_, is_locked, mask)| !is_locked || mask[at] == 0);
        let own = self.mask(label, slice).map(|known| known.mask.values.as_slice());
        // Whether the label has a pixel before, should have it, and has it after.
        let changes = |x: usize, y: usize| {
            let at = y * columns + x;
            let before = own.is_some_and(|mask| mask[at] != 0);
            let is_wanted = match combine {
                Combine::Add => before || region.contains(x, y),
                Combine::Remove => before && !region.contains(x, y),
                Combine::Replace => region.contains(x, y),
            };
            let is_refused = is_wanted != before && (!may_change(at) || (is_wanted && !may_be_added(at)));
            (before, is_wanted, is_wanted != is_refused)
        };
        let mut edits = Vec::new();
        if rules.overwrites && combine != Combine::Remove {
            for (id, _, mask) in others.iter().filter(|(_, is_locked, _)| !is_locked) {
                let is_taken = |x: usize, y: usize| {
                    let at = y * columns + x;
                    mask[at] != 0 && may_change(at) && region.contains(x, y) && changes(x, y).2
                };
                let after = |before: Option<&Origin>| before.map(|before| before.without(origin));
                edits.extend(self.edit(*id, slice, Patch::new(corner, size, is_taken), after));
            }
        }
        let is_changed = |x: usize, y: usize| {
            let (before, _, after) = changes(x, y);
            before != after
        };
        let patch = Patch::new(corner, size, is_changed);
        if patch.is_some() {
            let is_refused = |[x, y]: [usize; 2]| {
                let (_, is_wanted, after) = changes(x, y);
                is_wanted && !after
            };
            // Only a prediction differs from a part of it.
            let is_clipped = matches!(origin, Origin::Predicted(_))
                && combine != Combine::Remove
                && region.pixels().filter(|[x, y]| *x < columns && *y < rows).any(is_refused);
            let taken = if is_clipped { origin.touched() } else { origin.clone() };
            // Nothing is left of what was there before.
            let replaces = combine == Combine::Replace
                && rules.paint_only == PaintOnly::Anywhere
                && *origin != Origin::Derived;
            let after = |before: Option<&Origin>| {
                Some(match before.filter(|_| !replaces) {
                    None => taken.clone(),
                    Some(before) if combine == Combine::Remove => before.without(&taken),
                    Some(before) => before.with(&taken),
                })
            };
            edits.extend(self.edit(label, slice, patch, after));
        }
        Ok(edits)
    }

    /// Returns the edit that takes all pixels from a label in a slice; `None` if it has none.
    pub fn cleared(&self, label: LabelId, slice: usize) -> Option<Edit> {
        let known = self.mask(label, slice)?;
        let region = Region::from_mask(&known.mask);
        let patch = Patch::new(region.corner(), region.size(), |x, y| region.contains(x, y))?;
        Some(Edit::Mask { label, slice, patch, origins: [Some(known.origin.clone()), None] })
    }

    /// Returns the edit of a patch, where `after` makes the origin of the pixels of the one before; `None` without a
    /// patch.
    fn edit(
        &self,
        label: LabelId,
        slice: usize,
        patch: Option<Patch>,
        after: impl Fn(Option<&Origin>) -> Option<Origin>,
    ) -> Option<Edit> {
        let before = self.mask(label, slice).map(|known| known.origin.clone());
        let after = after(before.as_ref());
        patch.map(|patch| Edit::Mask { label, slice, patch, origins: [before, after] })
    }
}
