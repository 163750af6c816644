//! Masks that a person draws or corrects: labels with their origins, and the pixels of every slice.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::Mask;

/// The identifier of a label within its annotation, which is not reused after the label was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(u32);

/// The origin of a region.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A prediction of a model.
    Predicted {
        /// The name of the model.
        model: String,
        /// The prompt.
        prompt: String,
        /// The probability at and above which a pixel was foreground, 0…1.
        threshold: f32,
    },
    /// A region drawn by hand.
    Drawn,
    /// A region derived from other regions, for instance by interpolation between slices.
    Derived,
}

/// A kind of region that pixels can belong to.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The name shown to the user; unique within an annotation.
    pub name: String,
    /// The colour, 8-bit sRGB.
    pub colour: [u8; 3],
    /// Whether its pixels are protected from changes.
    pub is_locked: bool,
    /// Whether it is displayed.
    pub is_visible: bool,
    /// The origin of its regions.
    pub origin: Origin,
}

impl Label {
    /// Creates a label that is visible and not locked.
    pub fn new(name: impl Into<String>, colour: [u8; 3], origin: Origin) -> Self {
        Self { name: name.into(), colour, is_locked: false, is_visible: true, origin }
    }
}

/// The reason why an annotation was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// Another label has the same name.
    #[error("There is a label “{0}” already. Choose another name.")]
    NameTaken(String),
    /// The label was removed.
    #[error("The label was removed.")]
    NoLabel,
    /// The label is locked.
    #[error("The label “{0}” is locked. Unlock it to change it.")]
    Locked(String),
    /// The mask differs in size from the slices.
    #[error("The mask has {mask:?} pixels, the slice {slice:?}.")]
    Size {
        /// The numbers of columns and rows of the mask.
        mask: [usize; 2],
        /// The numbers of columns and rows of a slice.
        slice: [usize; 2],
    },
    /// The image has fewer slices than requested.
    #[error("There is no slice {number} of {slices}.")]
    NoSlice {
        /// The slice number, starting at 1.
        number: usize,
        /// The number of slices of the image.
        slices: usize,
    },
}

/// The masks of one volume. Every change increases the revision; the annotation is saved once its newest revision
/// is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// The numbers of columns, rows and slices of the volume.
    shape: [usize; 3],
    labels: BTreeMap<LabelId, Label>,
    masks: BTreeMap<(LabelId, usize), Arc<Mask>>,
    next: u32,
    revision: u64,
    saved: u64,
}

impl Annotation {
    /// Creates an empty annotation of a volume with the shape columns × rows × slices.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { shape, ..Self::default() }
    }

    /// Returns the labels, in the order in which they were added.
    pub fn labels(&self) -> impl Iterator<Item = (LabelId, &Label)> {
        self.labels.iter().map(|(id, label)| (*id, label))
    }

    /// Returns a label; `None` if it was removed.
    pub fn label(&self, id: LabelId) -> Option<&Label> {
        self.labels.get(&id)
    }

    /// Adds a label without any pixels.
    ///
    /// # Errors
    /// Returns an error if another label has the same name.
    pub fn add_label(&mut self, label: Label) -> Result<LabelId, AnnotationError> {
        self.check_name(&label.name, None)?;
        let id = LabelId(self.next);
        self.next += 1;
        self.labels.insert(id, label);
        self.revision += 1;
        Ok(id)
    }

    /// Changes the name, colour, lock or visibility of a label.
    ///
    /// # Errors
    /// Returns an error if the label was removed, or if another label has the same name.
    pub fn set_label(&mut self, id: LabelId, label: Label) -> Result<(), AnnotationError> {
        self.check_name(&label.name, Some(id))?;
        let known = self.labels.get_mut(&id).ok_or(AnnotationError::NoLabel)?;
        if *known != label {
            *known = label;
            self.revision += 1;
        }
        Ok(())
    }

    /// Removes a label and its masks.
    ///
    /// # Errors
    /// Returns an error if the label was already removed, or is locked.
    pub fn remove_label(&mut self, id: LabelId) -> Result<Label, AnnotationError> {
        self.unlocked(id)?;
        self.masks.retain(|(of, _), _| *of != id);
        self.revision += 1;
        self.labels.remove(&id).ok_or(AnnotationError::NoLabel)
    }

    /// Returns the mask of a label in a slice, whose index starts at 0; `None` if it has no pixels there.
    pub fn mask(&self, id: LabelId, slice: usize) -> Option<&Arc<Mask>> {
        self.masks.get(&(id, slice))
    }

    /// Sets the mask of a label in a slice, whose index starts at 0, and returns the previous mask. `None` stands
    /// for a slice without pixels; a mask without pixels is not stored.
    ///
    /// # Errors
    /// Returns an error if the label was removed or is locked, if there is no such slice, or if the mask differs
    /// in size from the slice.
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

    /// Returns the number of changes so far.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns whether there are unsaved changes.
    pub fn is_dirty(&self) -> bool {
        self.revision != self.saved
    }

    /// Records that a revision was saved. Later changes remain unsaved.
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
