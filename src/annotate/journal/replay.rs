//! An annotation from its journal.

use std::collections::BTreeSet;

use super::format::{Header, JournalError, Record, Records, SavedIn, Seal, Tail};
use crate::annotate::{Annotation, Edit, Origin};
use crate::data::{Limit, MOST_LABELS};

/// The content of a journal.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The image that it belongs to.
    pub header: Header,
    /// The annotation. It counts as saved if the journal says so.
    pub annotation: Annotation,
    /// The file in which it was saved last; `None` if it never was.
    pub file: Option<SavedIn>,
    /// The number of changes since the case was last closed properly.
    pub steps_since_closed: usize,
    /// The number of bytes that are valid.
    pub end: usize,
    /// The checksum of the last valid record.
    pub seal: Seal,
    /// What follows the valid bytes.
    pub tail: Tail,
}

/// Reads the header of a journal.
///
/// # Errors
/// Returns an error if the bytes are no journal, or one that does not say what it is about.
pub fn header(bytes: &[u8]) -> Result<Header, JournalError> {
    match Records::new(bytes)?.next() {
        Some(Record::Image(header)) => Ok(header),
        _ => Err(JournalError::NoHeader),
    }
}

/// Replays a journal for an image of the shape columns × rows × slices. The masks may take `limit` bytes. Records after
/// one that is damaged or does not fit are left out, which [`Replayed::tail`] says.
///
/// # Errors
/// Returns an error if the bytes are no journal of such an image, or if its masks take more memory.
pub fn replay(bytes: &[u8], shape: [usize; 3], limit: Limit) -> Result<Replayed, JournalError> {
    let mut records = Records::new(bytes)?;
    let Some(Record::Image(header)) = records.next() else { return Err(JournalError::NoHeader) };
    if header.shape != shape {
        return Err(JournalError::OtherShape { image: header.image, annotated: header.shape, shape });
    }
    let mut replayed = Replayed {
        file: header.file.clone(),
        header,
        annotation: Annotation::new(shape),
        steps_since_closed: 0,
        end: records.end(),
        seal: records.seal(),
        tail: Tail::None,
    };
    let most_masks = most_masks(shape, limit);
    while let Some(record) = records.next() {
        let is_valid = match record {
            Record::Image(_) => false,
            Record::Edits(edits) => {
                if masks_after(&replayed.annotation, &edits) > most_masks {
                    return Err(JournalError::TooLarge(limit.0));
                }
                replayed.steps_since_closed += 1;
                replayed.annotation.apply(&edits).is_ok() && is_sound(&replayed.annotation, &edits)
            }
            Record::Saved { file, is_current } => {
                if is_current {
                    replayed.annotation.saved(replayed.annotation.revision());
                }
                replayed.file = Some(file);
                true
            }
            Record::Closed => {
                replayed.steps_since_closed = 0;
                true
            }
        };
        if !is_valid {
            // Nothing of the record counts, so that appending goes on from a valid state.
            let mut replayed = replay(&bytes[..replayed.end], shape, limit)?;
            replayed.tail = Tail::Damaged;
            return Ok(replayed);
        }
        (replayed.end, replayed.seal) = (records.end(), records.seal());
    }
    replayed.tail = records.tail();
    Ok(replayed)
}

/// The number of masks that fit into the memory.
fn most_masks([columns, rows, _]: [usize; 3], limit: Limit) -> u64 {
    let pixels = (columns as u64).saturating_mul(rows as u64).max(1);
    limit.0 / pixels
}

/// The number of masks while `edits` are applied.
fn masks_after(annotation: &Annotation, edits: &[Edit]) -> u64 {
    let new: BTreeSet<_> = edits
        .iter()
        .filter_map(|edit| match edit {
            Edit::Mask { label, slice, .. } => Some((*label, *slice)),
            Edit::Label { .. } => None,
        })
        .filter(|(label, slice)| annotation.mask(*label, *slice).is_none())
        .collect();
    (annotation.mask_count() + new.len()) as u64
}

/// Whether `annotation`, after `edits`, is like one that was made in the window, so that it can be written again.
fn is_sound(annotation: &Annotation, edits: &[Edit]) -> bool {
    // JSON has no infinite numbers, but a number in it may be too large for a threshold.
    let is_infinite = |origin: &Option<Origin>| match origin {
        Some(Origin::Predicted(by) | Origin::Corrected(by)) => !by.threshold.is_finite(),
        Some(Origin::Drawn | Origin::Derived | Origin::Read) | None => false,
    };
    if edits.iter().any(|edit| matches!(edit, Edit::Mask { origins, .. } if origins.iter().any(is_infinite))) {
        return false;
    }
    if !edits.iter().any(|edit| matches!(edit, Edit::Label { .. })) {
        return true;
    }
    let names: BTreeSet<&str> = annotation.labels().map(|(_, label)| label.name.as_str()).collect();
    let count = annotation.labels().count();
    count == names.len() && count <= MOST_LABELS
}
