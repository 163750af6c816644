//! Masks that a person draws or corrects: labels, and the pixels of every slice with their origin.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edit::Edit;
use super::label::{Label, LabelId, Origin};
use crate::data::{MOST_LABELS, Mask};

/// The reason why an annotation was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnnotationError {
    /// Another label has the same name.
    #[error("There is a label “{0}” already. Choose another name.")]
    NameTaken(String),
    /// There are as many labels as there can be.
    #[error("There are {MOST_LABELS} labels, and there cannot be more. Remove one first.")]
    TooMany,
    /// The label was removed.
    #[error("The label was removed.")]
    NoLabel,
    /// The label is locked.
    #[error("The label “{0}” is locked. Unlock it to change it.")]
    Locked(String),
    /// The mask differs in size from the slices, or an edit reaches beyond them.
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

/// The pixels of a label in a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMask {
    /// The pixels; the mask has the size of the slice.
    pub mask: Arc<Mask>,
    /// The number of its foreground pixels, at least 1.
    pub pixels: usize,
    /// Where they come from.
    pub origin: Origin,
}

/// The masks of one volume. Every change increases the revision; the annotation is saved once its newest revision
/// is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Annotation {
    /// The numbers of columns, rows and slices of the volume.
    shape: [usize; 3],
    labels: BTreeMap<LabelId, Label>,
    masks: BTreeMap<(LabelId, usize), LabelMask>,
    next: u32,
    revision: u64,
    saved: u64,
}

impl Annotation {
    /// Creates an empty annotation of a volume with the shape columns × rows × slices.
    pub fn new(shape: [usize; 3]) -> Self {
        Self { shape, ..Self::default() }
    }

    /// Returns the numbers of columns, rows and slices of the volume.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Returns the labels, in the order in which they were added.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = (LabelId, &Label)> {
        self.labels.iter().map(|(id, label)| (*id, label))
    }

    /// Returns a label; `None` if it was removed.
    pub fn label(&self, id: LabelId) -> Option<&Label> {
        self.labels.get(&id)
    }

    /// Returns the label of this name; `None` if there is none.
    pub fn named(&self, name: &str) -> Option<LabelId> {
        self.labels().find(|(_, label)| label.name == name).map(|(id, _)| id)
    }

    /// Returns the number of a label in files and in maps of labels, from 1; `None` if it was removed. Numbers have
    /// no gaps and follow the order of the labels.
    pub fn number(&self, id: LabelId) -> Option<u8> {
        let place = self.labels.keys().position(|known| *known == id)?;
        u8::try_from(place + 1).ok()
    }

    /// Returns the pixels of a label in a slice, whose index starts at 0; `None` if it has none there.
    pub fn mask(&self, id: LabelId, slice: usize) -> Option<&LabelMask> {
        self.masks.get(&(id, slice))
    }

    /// Returns the slices in which a label has pixels, in ascending order.
    pub fn slices(&self, id: LabelId) -> impl DoubleEndedIterator<Item = usize> {
        self.masks.range((id, 0)..=(id, usize::MAX)).map(|((_, slice), _)| *slice)
    }

    /// Returns the number of masks: the slices in which each label has pixels, of all labels together.
    pub fn mask_count(&self) -> usize {
        self.masks.len()
    }

    /// Returns whether no label has any pixels.
    pub fn is_blank(&self) -> bool {
        self.masks.is_empty()
    }

    /// Returns the edit that adds a label without any pixels, and the identifier that it will have.
    ///
    /// # Errors
    /// Returns an error if another label has the same name, or if there cannot be more labels.
    pub fn add_label(&self, label: Label) -> Result<(LabelId, Edit), AnnotationError> {
        self.check_name(&label.name, None)?;
        if self.labels.len() >= MOST_LABELS {
            return Err(AnnotationError::TooMany);
        }
        let id = LabelId(self.next);
        Ok((id, Edit::Label { id, before: None, after: Some(label) }))
    }

    /// Returns the edit that changes the name, colour, lock or visibility of a label; `None` if it is as it should
    /// be.
    ///
    /// # Errors
    /// Returns an error if the label was removed, or if another label has the same name.
    pub fn set_label(&self, id: LabelId, label: Label) -> Result<Option<Edit>, AnnotationError> {
        self.check_name(&label.name, Some(id))?;
        let known = self.labels.get(&id).ok_or(AnnotationError::NoLabel)?;
        let edit = || Edit::Label { id, before: Some(known.clone()), after: Some(label.clone()) };
        Ok((*known != label).then(edit))
    }

    /// Returns the edits that remove a label and its pixels.
    ///
    /// # Errors
    /// Returns an error if the label was already removed, or is locked.
    pub fn remove_label(&self, id: LabelId) -> Result<Vec<Edit>, AnnotationError> {
        let label = self.unlocked(id)?;
        let mut edits: Vec<Edit> = self.slices(id).filter_map(|slice| self.cleared(id, slice)).collect();
        edits.push(Edit::Label { id, before: Some(label.clone()), after: None });
        Ok(edits)
    }

    /// Applies edits in their order. Either all of them are applied or none.
    ///
    /// # Errors
    /// Returns an error if an edit is about a label that is not there, or reaches beyond the volume.
    pub fn apply(&mut self, edits: &[Edit]) -> Result<(), AnnotationError> {
        self.check(edits)?;
        edits.iter().for_each(|edit| self.apply_one(edit));
        self.revision += u64::from(!edits.is_empty());
        Ok(())
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

    /// Returns the label if it can be changed.
    pub(super) fn unlocked(&self, id: LabelId) -> Result<&Label, AnnotationError> {
        match self.labels.get(&id) {
            None => Err(AnnotationError::NoLabel),
            Some(label) if label.is_locked => Err(AnnotationError::Locked(label.name.clone())),
            Some(label) => Ok(label),
        }
    }

    /// Checks that edits can be applied one after the other.
    fn check(&self, edits: &[Edit]) -> Result<(), AnnotationError> {
        let [columns, rows, slices] = self.shape;
        let mut known: BTreeMap<LabelId, bool> = self.labels.keys().map(|id| (*id, true)).collect();
        for edit in edits {
            match edit {
                // The identifier of the next label would be this one again.
                Edit::Label { id: LabelId(u32::MAX), .. } => return Err(AnnotationError::TooMany),
                Edit::Label { id, after, .. } => {
                    known.insert(*id, after.is_some());
                }
                Edit::Mask { label, slice, patch, .. } => {
                    if known.get(label) != Some(&true) {
                        return Err(AnnotationError::NoLabel);
                    }
                    if *slice >= slices {
                        return Err(AnnotationError::NoSlice { number: slice.saturating_add(1), slices });
                    }
                    if !patch.fits([columns, rows]) {
                        let end = |axis: usize| patch.corner()[axis] + patch.size()[axis];
                        return Err(AnnotationError::Size { mask: [end(0), end(1)], slice: [columns, rows] });
                    }
                }
            }
        }
        Ok(())
    }

    fn apply_one(&mut self, edit: &Edit) {
        match edit {
            Edit::Label { id, after, .. } => {
                self.next = self.next.max(id.0.saturating_add(1));
                match after {
                    Some(label) => self.labels.insert(*id, label.clone()),
                    None => {
                        self.masks.retain(|(of, _), _| of != id);
                        self.labels.remove(id)
                    }
                };
            }
            Edit::Mask { label, slice, patch, origins } => {
                let [width, height, _] = self.shape;
                let key = (*label, *slice);
                let mut known = self.masks.remove(&key).unwrap_or_else(|| LabelMask {
                    mask: Arc::new(Mask { width, height, values: vec![0; width * height] }),
                    pixels: 0,
                    origin: Origin::Drawn,
                });
                let grows = patch.apply(Arc::make_mut(&mut known.mask));
                known.pixels = known.pixels.saturating_add_signed(grows as isize);
                known.origin = origins[1].clone().unwrap_or(Origin::Drawn);
                if known.pixels > 0 {
                    self.masks.insert(key, known);
                }
            }
        }
    }

    fn check_name(&self, name: &str, except: Option<LabelId>) -> Result<(), AnnotationError> {
        let is_taken = self.labels.iter().any(|(id, label)| Some(*id) != except && label.name == name);
        if is_taken { Err(AnnotationError::NameTaken(name.to_owned())) } else { Ok(()) }
    }
}
