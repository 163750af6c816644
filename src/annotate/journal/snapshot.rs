//! The shortest way to an annotation.

use super::format::{Header, Record, Seal, encode_start, encode_to};
use crate::annotate::{Annotation, Edit, Patch};

/// Returns the edits that make `annotation` of an empty one: first those of its labels, then one step for every mask.
pub fn snapshot(annotation: &Annotation) -> impl Iterator<Item = Vec<Edit>> {
    let labels =
        annotation.labels().map(|(id, label)| Edit::Label { id, before: None, after: Some(label.clone()) });
    let labels: Vec<Edit> = labels.collect();
    let keys = annotation.labels().flat_map(|(id, _)| annotation.slices(id).map(move |slice| (id, slice)));
    let masks = keys.filter_map(|(label, slice)| {
        let known = annotation.mask(label, slice)?;
        let (mask, [columns, rows, _]) = (&known.mask, annotation.shape());
        let patch = Patch::new([0, 0], [columns, rows], |x, y| mask.values[y * columns + x] != 0)?;
        Some(vec![Edit::Mask { label, slice, patch, origins: [None, Some(known.origin.clone())] }])
    });
    std::iter::once(labels).filter(|labels| !labels.is_empty()).chain(masks)
}

/// Returns the content of a file with an annotation and nothing of its history, and the checksum of its last record.
/// `is_saved` says that the annotation is saved in the file that the header names.
///
/// # Errors
/// Returns an error if something cannot be expressed as JSON.
pub fn file_content(
    header: &Header,
    annotation: &Annotation,
    is_saved: bool,
) -> Result<(Vec<u8>, Seal), serde_json::Error> {
    let mut bytes = Vec::new();
    encode_start(&mut bytes);
    let mut seal = encode_to(&mut bytes, Seal::default(), &Record::Image(header.clone()))?;
    for edits in snapshot(annotation) {
        seal = encode_to(&mut bytes, seal, &Record::Edits(edits))?;
    }
    if let Some(file) = header.file.clone().filter(|_| is_saved) {
        seal = encode_to(&mut bytes, seal, &Record::Saved { file, is_current: true })?;
    }
    Ok((bytes, seal))
}
