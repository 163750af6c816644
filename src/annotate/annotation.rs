//! Masks that a person makes or corrects: labels, where each came from, and the pixels of every slice.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Mask;

/// Names a label within its annotation; never used again after the label was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(u32);

/// Where a region came from.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A model's prediction.
    Predicted {
        /// The model.
        model: String,
        /// The prompt.
        prompt: String,
        /// Probability from which a pixel was foreground, 0…1.
        threshold: f32,
    },
    /// Drawn by hand.
    Drawn,
    /// Made of other regions, for instance by interpolation between slices.
    Derived,
}

/// A kind of region that pixels can belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// For people; unique within an annotation.
    pub name: String,
    /// 8-bit sRGB.
    pub colour: [u8; 3],
    /// Whether its pixels are kept from changes.
    pub is_locked: bool,
    /// Whether it is drawn.
    pub is_visible: bool,
    /// Where its regions came from.
    pub origin: Origin,
}

impl Label {
    /// A label that is visible and not locked.
    pub fn new(name: impl Into<String>, colour: [u8; 3], origin: Origin) -> Self {
        Self { name: name.into(), colour, is_locked: false, is_visible: true, origin }
    }
}

/// Why an annotation was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// Another label has the name.
    #[error("There is a label “{0}” already. Choose another name.")]
    NameTaken(String),
    /// The label was removed.
    #[error("The label was removed.")]
    NoLabel,
    /// Its pixels are kept from changes.
    #[error("The label “{0}” is locked. Unlock it to change it.")]
    Locked(String),
    /// The mask is of another size than the slices.
    #[error("The mask has {mask:?} pixels, the slice {slice:?}.")]
    Size {
        /// Columns and rows of the mask.
        mask: [usize; 2],
        /// Columns and rows of a slice.
        slice: [usize; 2],
    },
    /// The image has fewer slices.
    #[error("There is no slice {number} of {slices}.")]
    NoSlice {
        /// Number of the slice, from 1.
        number: usize,
        /// Slices of the image.
        slices: usize,
    },
}

/// The masks of one volume. Every change raises its revision; it is saved when its newest revision is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// Columns, rows and slices of the volume.
    shape: [usize; 3],
    labels: BTreeMap<LabelId, Label>,
    masks: BTreeMap<(LabelId, usize), Arc<Mask>>,
    next: u32,
    revision: u64,
    saved: u64,
}

impl Annotation {
    /// An empty annotation of a volume of columns × rows × slices.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { shape, ..Self::default() }
    }

    /// The labels, in the order in which they were added.
    pub fn labels(&self) -> impl Iterator<Item = (LabelId, &Label)> {
        self.labels.iter().map(|(id, label)| (*id, label))
    }

    /// A label; `None` if it was removed.
    pub fn label(&self, id: LabelId) -> Option<&Label> {
        self.labels.get(&id)
    }

    /// Adds a label without a pixel.
    ///
    /// # Errors
    /// If another label has its name.
    pub fn add_label(&mut self, label: Label) -> Result<LabelId, AnnotationError> {
        self.check_name(&label.name, None)?;
        let id = LabelId(self.next);
        self.next += 1;
        self.labels.insert(id, label);
        self.revision += 1;
        Ok(id)
    }

    /// Changes name, colour, lock or visibility of a label.
    ///
    /// # Errors
    /// If it was removed, or another label has the name.
    pub fn set_label(&mut self, id: LabelId, label: Label) -> Result<(), AnnotationError> {
        self.check_name(&label.name, Some(id))?;
        let known = self.labels.get_mut(&id).ok_or(AnnotationError::NoLabel)?;
        if *known != label {
            *known = label;
            self.revision += 1;
        }
        Ok(())
    }

    /// Removes a label with its masks.
    ///
    /// # Errors
    /// If it was removed before, or is locked.
    pub fn remove_label(&mut self, id: LabelId) -> Result<Label, AnnotationError> {
        self.unlocked(id)?;
        self.masks.retain(|(of, _), _| *of != id);
        self.revision += 1;
        self.labels.remove(&id).ok_or(AnnotationError::NoLabel)
    }

    /// The mask of a label in a slice, from 0; `None` where it has no pixel.
    pub fn mask(&self, id: LabelId, slice: usize) -> Option<&Arc<Mask>> {
        self.masks.get(&(id, slice))
    }

    /// Sets the mask of a label in a slice, from 0, and returns what was there before; `None` is a slice without a pixel. A mask without
    /// one is not kept.
    ///
    /// # Errors
    /// If the label was removed or is locked, there is no such slice, or the mask has another size than it.
    pub fn set_mask(
        &mut self,
        id: LabelId,
        slice: usize,
        mask: Option<Arc<Mask>>,
    ) -> Result<Option<Arc<Mask>>, AnnotationError> {
        self.unlocked(id)?;
        let [columns, rows, slices] = self.shape;
        if slice >= slices {
            return Err(AnnotationError::NoSlice { number: slice + 1, slices });
        }
        if let Some(mask) = mask.as_ref().filter(|mask| [mask.width, mask.height] != [columns, rows]) {
            return Err(AnnotationError::Size { mask: [mask.width, mask.height], slice: [columns, rows] });
        }
        let mask = mask.filter(|mask| mask.values.iter().any(|value| *value != 0));
        let before = match mask.clone() {
            Some(mask) => self.masks.insert((id, slice), mask),
            None => self.masks.remove(&(id, slice)),
        };
        if before != mask {
            self.revision += 1;
        }
        Ok(before)
    }

    /// Number of changes so far.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there are changes that are not saved.
    pub fn is_dirty(&self) -> bool {
        self.revision != self.saved
    }

    /// A revision was saved. What was changed since then is not.
    pub fn saved(&mut self, revision: u64) {
        self.saved = self.saved.max(revision.min(self.revision));
    }

    fn unlocked(&self, id: LabelId) -> Result<(), AnnotationError> {
        match self.labels.get(&id) {
            None => Err(AnnotationError::NoLabel),
            Some(label) if label.is_locked => Err(AnnotationError::Locked(label.name.clone())),
            Some(_) => Ok(()),
        }
    }

    fn check_name(&self, name: &str, except: Option<LabelId>) -> Result<(), AnnotationError> {
        let is_taken = self.labels.iter().any(|(id, label)| Some(*id) != except && label.name == name);
        if is_taken { Err(AnnotationError::NameTaken(name.to_owned())) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str) -> Label {
        Label::new(name, [255, 0, 0], Origin::Drawn)
    }

    fn mask(values: [u8; 2]) -> Option<Arc<Mask>> {
        Some(Arc::new(Mask { width: 2, height: 1, values: values.to_vec() }))
    }

    fn annotation() -> (Annotation, LabelId) {
        let mut annotation = Annotation::new([2, 1, 3]);
        let id = annotation.add_label(label("lesion")).expect("a new name");
        (annotation, id)
    }

    #[test]
    fn labels_come_and_go_with_their_masks() {
        let (mut annotation, lesion) = annotation();
        assert_eq!(annotation.add_label(label("lesion")), Err(AnnotationError::NameTaken("lesion".into())));
        let lung = annotation.add_label(label("lung")).expect("a new name");
        annotation.set_mask(lesion, 1, mask([1, 0])).expect("a mask of the slice's size");
        annotation.set_mask(lung, 1, mask([0, 1])).expect("a mask of the slice's size");
        assert_eq!(annotation.remove_label(lesion), Ok(label("lesion")));
        assert_eq!((annotation.mask(lesion, 1), annotation.mask(lung, 1)), (None, mask([0, 1]).as_ref()));
        assert_eq!(annotation.set_mask(lesion, 1, None), Err(AnnotationError::NoLabel));
        let again = annotation.add_label(label("lesion")).expect("the name is free again");
        assert_ne!(again, lesion, "a removed label stays removed");
        let names: Vec<&str> = annotation.labels().map(|(_, label)| label.name.as_str()).collect();
        assert_eq!(names, ["lung", "lesion"]);
    }

    #[test]
    fn a_mask_is_set_within_the_volume_and_says_what_was_there() {
        let (mut annotation, id) = annotation();
        assert_eq!(annotation.set_mask(id, 2, mask([1, 1])), Ok(None));
        assert_eq!(annotation.set_mask(id, 2, mask([0, 1])), Ok(mask([1, 1])));
        assert_eq!(annotation.set_mask(id, 2, mask([0, 0])), Ok(mask([0, 1])));
        assert_eq!(annotation.mask(id, 2), None, "without a pixel there is no mask");
        let no_slice = AnnotationError::NoSlice { number: 4, slices: 3 };
        assert_eq!(annotation.set_mask(id, 3, None), Err(no_slice));
        let large = Some(Arc::new(Mask { width: 1, height: 2, values: vec![1; 2] }));
        let size = AnnotationError::Size { mask: [1, 2], slice: [2, 1] };
        assert_eq!(annotation.set_mask(id, 0, large), Err(size));
    }

    #[test]
    fn a_locked_label_keeps_its_pixels() {
        let (mut annotation, id) = annotation();
        annotation.set_mask(id, 0, mask([1, 0])).expect("a mask of the slice's size");
        annotation.set_label(id, Label { is_locked: true, ..label("lesion") }).expect("the label is there");
        let locked = AnnotationError::Locked("lesion".into());
        assert_eq!(annotation.set_mask(id, 0, None), Err(locked.clone()));
        assert_eq!(annotation.remove_label(id), Err(locked));
        annotation.set_label(id, label("polyp")).expect("it can be unlocked and named anew");
        assert_eq!(annotation.set_mask(id, 0, None), Ok(mask([1, 0])));
    }

    #[test]
    fn every_change_is_a_revision_and_is_saved_or_not() {
        let (mut annotation, id) = annotation();
        assert!(
            (annotation.revision(), annotation.is_dirty()) == (1, true) && !Annotation::new([1; 3]).is_dirty()
        );
        annotation.set_mask(id, 0, mask([1, 0])).expect("a mask of the slice's size");
        let revision = annotation.revision();
        annotation.set_mask(id, 0, mask([1, 0])).expect("a mask of the slice's size");
        annotation.set_label(id, label("lesion")).expect("the label is there");
        assert_eq!((revision, annotation.revision()), (2, 2), "nothing was changed");
        annotation.set_mask(id, 1, mask([1, 0])).expect("a mask of the slice's size");
        annotation.saved(revision);
        assert!(annotation.is_dirty(), "it was changed while it was saved");
        annotation.saved(3);
        assert!(!annotation.is_dirty());
        annotation.remove_label(id).expect("the label is there");
        assert!(annotation.is_dirty());
    }
}
