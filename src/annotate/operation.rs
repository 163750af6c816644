//! Operations on a label as a whole: in one slice or in all of them.

use std::sync::Arc;

use super::annotation::{Annotation, AnnotationError};
use super::edit::Edit;
use super::label::LabelId;
use super::label::Origin;
use super::paint::{Combine, Rules};
use super::region::Region;
use super::tools::{
    Connectivity, Extent, Length, Smallest, Spacing, ToolError, drop_smaller, fill_holes, gaps, grow_by,
    interpolate, keep_largest, shrink_by, smooth,
};
use crate::data::Mask;

/// An operation on a label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operation {
    /// Fill what the label encloses in a slice.
    FillHoles,
    /// Keep this many of the largest components.
    KeepLargest(usize),
    /// Drop the components that are smaller.
    DropSmaller(Smallest),
    /// Smooth the outline with a Gaussian of this standard deviation.
    Smooth(Length),
    /// Move the outline outwards by this length, in the plane of each slice.
    Grow(Length),
    /// Move the outline inwards by this length, in the plane of each slice.
    Shrink(Length),
    /// Fill the slices between two slices with a mask: those around the slice, or all gaps.
    Interpolate,
    /// Add what the label has in the slice to the next one.
    CopyToNext,
}

impl Operation {
    /// Returns the name of the operation as a step that can be undone.
    pub fn step(self) -> &'static str {
        match self {
            Self::FillHoles => "filling of holes",
            Self::KeepLargest(_) => "choice of the largest parts",
            Self::DropSmaller(_) => "removal of small parts",
            Self::Smooth(_) => "smoothing",
            Self::Grow(_) => "growing",
            Self::Shrink(_) => "shrinking",
            Self::Interpolate => "interpolation",
            Self::CopyToNext => "copy to the next slice",
        }
    }
}

/// The reason why an operation changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperationError {
    /// The tool refuses.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The annotation cannot be changed so.
    #[error(transparent)]
    Annotation(#[from] AnnotationError),
    /// The label has no pixels where the operation looks for them.
    #[error("The label has no pixels here.")]
    Empty,
    /// There are no slices to fill.
    #[error("There is no empty slice between two slices of the label.")]
    NoGap,
    /// The slice is the last one.
    #[error("This is the last slice.")]
    LastSlice,
    /// The operation was cancelled.
    #[error("The operation was cancelled.")]
    Cancelled,
}

/// An operation with everything that it needs.
#[derive(Clone, Debug)]
pub struct Operate {
    /// The operation.
    pub operation: Operation,
    /// The label.
    pub label: LabelId,
    /// The slice, from 0.
    pub slice: usize,
    /// Whether it is done in the slice or over the stack. Components are then those of the stack; all else is done in
    /// every slice by itself.
    pub extent: Extent,
    /// The distances between pixels.
    pub spacing: Spacing,
    /// The rules of painting.
    pub rules: Rules,
}

impl Operate {
    /// Returns the edits of the operation, without applying them. `goes_on` is told how many of how many slices are
    /// done, and returns whether to continue.
    ///
    /// # Errors
    /// Returns an error if the tool refuses, if the label is locked or was removed, if there is nothing to work on, or
    /// if it was cancelled.
    pub fn edits(
        &self,
        annotation: &Annotation,
        goes_on: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Vec<Edit>, OperationError> {
        annotation.unlocked(self.label)?;
        let slices = self.slices(annotation);
        let masks: Vec<(usize, &Mask)> = slices.iter().map(|(slice, mask)| (*slice, mask.as_ref())).collect();
        let spacing = &self.spacing;
        let (combine, regions) = match self.operation {
            Operation::Interpolate => (Combine::Add, self.between(annotation, goes_on)?),
            _ if masks.is_empty() => return Err(OperationError::Empty),
            Operation::FillHoles => (Combine::Add, each(&masks, goes_on, |mask| Ok(fill_holes(mask)))?),
            Operation::KeepLargest(count) => {
                (Combine::Replace, keep_largest(&masks, count, self.extent, Connectivity::Corner))
            }
            Operation::DropSmaller(than) => {
                (Combine::Replace, drop_smaller(&masks, than, spacing, self.extent, Connectivity::Corner)?)
            }
            Operation::Smooth(by) => (Combine::Replace, each(&masks, goes_on, |mask| smooth(mask, by, spacing))?),
            Operation::Grow(by) => (Combine::Add, each(&masks, goes_on, |mask| grow_by(mask, by, spacing))?),
            Operation::Shrink(by) => {
                (Combine::Replace, each(&masks, goes_on, |mask| shrink_by(mask, by, spacing))?)
            }
            Operation::CopyToNext => {
                if self.slice + 1 >= annotation.shape()[2] {
                    return Err(OperationError::LastSlice);
                }
                (Combine::Add, vec![(self.slice + 1, Region::from_mask(masks[0].1))])
            }
        };
        let mut edits = Vec::new();
        for (done, (slice, region)) in regions.iter().enumerate() {
            if !goes_on(done, regions.len()) {
                return Err(OperationError::Cancelled);
            }
            edits.extend(annotation.paint(self.label, *slice, region, combine, &self.rules, &Origin::Derived)?);
        }
        Ok(edits)
    }

    /// Returns the masks that the operation starts from.
    fn slices(&self, annotation: &Annotation) -> Vec<(usize, Arc<Mask>)> {
        let is_one = self.extent == Extent::Slice || self.operation == Operation::CopyToNext;
        let mask = |slice| annotation.mask(self.label, slice).map(|known| (slice, known.mask.clone()));
        annotation.slices(self.label).filter(|slice| !is_one || *slice == self.slice).filter_map(mask).collect()
    }

    /// Returns the regions of the slices between two slices with a mask.
    fn between(
        &self,
        annotation: &Annotation,
        goes_on: &dyn Fn(usize, usize) -> bool,
    ) -> Result<Vec<(usize, Region)>, OperationError> {
        let mut found = Vec::new();
        let gaps = gaps(annotation.slices(self.label));
        let is_meant = |[first, last]: &[usize; 2]| {
            self.extent == Extent::Stack || (*first <= self.slice && self.slice <= *last)
        };
        for [first, last] in gaps.into_iter().filter(is_meant) {
            let ends = [first, last].map(|slice| annotation.mask(self.label, slice));
            let [Some(a), Some(b)] = ends else { continue };
            for slice in first + 1..last {
                if !goes_on(slice, annotation.shape()[2]) {
                    return Err(OperationError::Cancelled);
                }
                let share = (slice - first) as f64 / (last - first) as f64;
                found.push((slice, interpolate(&a.mask, &b.mask, share, &self.spacing)?));
            }
        }
        if found.is_empty() { Err(OperationError::NoGap) } else { Ok(found) }
    }
}

/// Returns what a tool makes of each mask.
fn each(
    masks: &[(usize, &Mask)],
    goes_on: &dyn Fn(usize, usize) -> bool,
    tool: impl Fn(&Mask) -> Result<Region, ToolError>,
) -> Result<Vec<(usize, Region)>, OperationError> {
    let mut found = Vec::new();
    for (done, (slice, mask)) in masks.iter().enumerate() {
        if !goes_on(done, masks.len()) {
            return Err(OperationError::Cancelled);
        }
        found.push((*slice, tool(mask)?));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotate::Label;

    /// An annotation of 12 × 8 × 5 pixels with a label that has a square of 4 × 4 pixels in the first and the last slice.
    fn squares() -> (Annotation, LabelId) {
        let mut annotation = Annotation::new([12, 8, 5]);
        let (id, edit) = annotation.add_label(Label::new("lesion", [255, 0, 0])).expect("a new name");
        annotation.apply(&[edit]).expect("a label");
        for slice in [0, 4] {
            paint(&mut annotation, id, slice, &Region::new([2, 2], [4, 4], vec![1; 16]));
        }
        (annotation, id)
    }

    fn paint(annotation: &mut Annotation, id: LabelId, slice: usize, region: &Region) {
        let rules = Rules::default();
        let edits = annotation.paint(id, slice, region, Combine::Replace, &rules, &Origin::Drawn);
        annotation.apply(&edits.expect("edits")).expect("painted");
    }

    fn operate(label: LabelId, operation: Operation, extent: Extent) -> Operate {
        let spacing = Spacing { pixel_mm: Some([0.5, 0.5]), slice_mm: Some(2.0) };
        Operate { operation, label, slice: 0, extent, spacing, rules: Rules::default() }
    }

    fn pixels(annotation: &Annotation, id: LabelId) -> Vec<usize> {
        (0..5).map(|slice| annotation.mask(id, slice).map_or(0, |known| known.pixels)).collect()
    }

    fn done(annotation: &Annotation, operate: &Operate) -> Vec<usize> {
        let mut changed = annotation.clone();
        let edits = operate.edits(annotation, &|_, _| true).expect("edits");
        changed.apply(&edits).expect("applied");
        let after = pixels(&changed, operate.label);
        changed.apply(&crate::annotate::reversed(&edits)).expect("undone");
        assert_eq!(pixels(&changed, operate.label), pixels(annotation, operate.label), "undo brings it back");
        after
    }

    #[test]
    fn an_operation_is_done_in_the_slice_or_in_all() {
        let (annotation, id) = squares();
        let grow = Operation::Grow(Length::Mm(0.5));
        assert_eq!(done(&annotation, &operate(id, grow, Extent::Slice)), [32, 0, 0, 0, 16]);
        assert_eq!(done(&annotation, &operate(id, grow, Extent::Stack)), [32, 0, 0, 0, 32]);
        let shrink = Operation::Shrink(Length::Pixels(1.0));
        assert_eq!(done(&annotation, &operate(id, shrink, Extent::Stack)), [4, 0, 0, 0, 4]);
        assert_eq!(done(&annotation, &operate(id, Operation::Interpolate, Extent::Slice)), [16; 5]);
        let copy = operate(id, Operation::CopyToNext, Extent::Stack);
        assert_eq!(done(&annotation, &copy), [16, 16, 0, 0, 16], "one slice, whatever the extent");
        let smooth = operate(id, Operation::Smooth(Length::Pixels(1.0)), Extent::Slice);
        assert_eq!(done(&annotation, &smooth), [12, 0, 0, 0, 16], "the corners are gone");
    }

    #[test]
    fn parts_are_counted_in_the_slice_or_over_the_stack() {
        let (mut annotation, id) = squares();
        // A bar of three pixels through all slices: more voxels than either square.
        let square = Region::new([2, 2], [4, 4], vec![1; 16]).to_mask(12, 8);
        for slice in 0..5 {
            let mut mask =
                if slice % 4 == 0 { square.clone() } else { Mask { values: vec![0; 96], ..square.clone() } };
            mask.values[7 * 12 + 8..7 * 12 + 12].fill(1);
            paint(&mut annotation, id, slice, &Region::from_mask(&mask));
        }
        assert_eq!(pixels(&annotation, id), [20, 4, 4, 4, 20]);
        let keep = Operation::KeepLargest(1);
        assert_eq!(done(&annotation, &operate(id, keep, Extent::Slice)), [16, 4, 4, 4, 20]);
        assert_eq!(done(&annotation, &operate(id, keep, Extent::Stack)), [4; 5]);
        let drop = Operation::DropSmaller(Smallest::Mm3(20.0 * 0.5));
        assert_eq!(done(&annotation, &operate(id, drop, Extent::Stack)), [4; 5]);
        let drop = Operation::DropSmaller(Smallest::Mm2(2.0));
        assert_eq!(done(&annotation, &operate(id, drop, Extent::Slice)), [16, 4, 4, 4, 20]);
    }

    #[test]
    fn what_cannot_be_done_says_why() {
        let (mut annotation, id) = squares();
        let refused = |annotation: &Annotation, slice, operation, extent| {
            let operate = Operate { slice, ..operate(id, operation, extent) };
            operate.edits(annotation, &|_, _| true).expect_err("a refusal")
        };
        assert_eq!(refused(&annotation, 2, Operation::FillHoles, Extent::Slice), OperationError::Empty);
        assert_eq!(refused(&annotation, 4, Operation::CopyToNext, Extent::Slice), OperationError::LastSlice);
        let plane = Operate {
            spacing: Spacing::default(),
            ..operate(id, Operation::Grow(Length::Mm(1.0)), Extent::Slice)
        };
        assert_eq!(plane.edits(&annotation, &|_, _| true), Err(ToolError::NoPixelSize.into()));
        let cancelled = operate(id, Operation::FillHoles, Extent::Stack).edits(&annotation, &|_, _| false);
        assert_eq!(cancelled, Err(OperationError::Cancelled));
        paint(&mut annotation, id, 4, &Region::default());
        assert_eq!(refused(&annotation, 0, Operation::Interpolate, Extent::Stack), OperationError::NoGap);
        let locked = Label { is_locked: true, ..Label::new("lesion", [255, 0, 0]) };
        let edit = annotation.set_label(id, locked).expect("a label").expect("a change");
        annotation.apply(&[edit]).expect("locked");
        let error = refused(&annotation, 0, Operation::FillHoles, Extent::Slice);
        assert_eq!(error, AnnotationError::Locked("lesion".into()).into());
    }
}
