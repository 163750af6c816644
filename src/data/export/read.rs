//! Reads files as labels of an image: mask pictures, NIfTI label maps and DICOM segmentations.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{LabelMasks, names};
use crate::data::mask::{self, Agreed, LabelMap, Laid, MaskKind, lay};
use crate::data::overlay::LABEL_COLOURS;
use crate::data::seg;
use crate::data::volume::Source;
use crate::data::{DataError, MOST_LABELS, Mask, MaskReading, Volume};

/// The labels of a file on the grid of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenedLabels {
    /// The labels that have at least one pixel.
    pub labels: Vec<LabelMasks>,
    /// How they were laid on the image, in words.
    pub words: String,
    /// Notes about the file, as sentences.
    pub notes: Vec<String>,
}

/// Reads the labels of a file and lays them on an image by position, or pixel on pixel where one of them has no
/// position. `slice` is the slice, from 0, of a single mask without a position. Names come from the label file beside
/// the file if there is one ([`names`]).
///
/// # Errors
/// Returns the errors of [`mask::read`] and [`lay`], [`DataError::NotAMask`] for values that are not whole numbers, and
/// [`DataError::TooManyLabels`] for more than [`MOST_LABELS`] labels.
pub fn read_labels(
    path: &Path,
    image: &Volume,
    reading: &MaskReading,
    slice: Option<usize>,
    agreed: Agreed,
) -> Result<OpenedLabels, DataError> {
    if seg::is_segmentation(path) {
        return of_segmentation(path, image, reading, agreed);
    }
    let map = mask::read(path, reading)?;
    if let (MaskKind::Half { .. }, Source::Nifti(_) | Source::Dicom(_)) = (&map.kind, &map.source) {
        let reason = "its values are not whole numbers, so they are no labels".into();
        return Err(DataError::NotAMask { path: path.to_owned(), reason });
    }
    let count = map.classes().count();
    if count > MOST_LABELS {
        return Err(DataError::TooManyLabels { path: path.to_owned(), count });
    }
    let Laid { labels: map, covered, pairing } = lay(path, map, image.grid(), slice, agreed)?;
    let named = names::read(&names::beside(path));
    let known = |value: i64| named.iter().find(|label| i64::from(label.value) == value);
    let is_alone = map.classes().count() == 1;
    let mut slices = masks(&map, &covered);
    let mut labels = Vec::new();
    for (index, class) in map.labels.iter().enumerate().skip(1).filter(|(_, class)| class.pixels > 0) {
        let name = match known(class.value) {
            Some(label) => label.name.clone(),
            None if is_alone => "Lesion".to_owned(),
            None => format!("Label {}", class.value),
        };
        let colour = known(class.value).map(|label| label.colour).or(class.colour);
        let colour = colour.unwrap_or(LABEL_COLOURS[labels.len() % LABEL_COLOURS.len()]);
        labels.push(LabelMasks { name, colour, slices: std::mem::take(&mut slices[index]) });
    }
    tell_apart(&mut labels);
    Ok(OpenedLabels { labels, words: pairing.words(), notes: map.notes })
}

/// Gives every label a name of its own, by which an annotation tells them apart.
fn tell_apart(labels: &mut [LabelMasks]) {
    for number in 1..labels.len() {
        let is_taken = |name: &str| labels[..number].iter().any(|label| label.name == name);
        if is_taken(&labels[number].name) {
            let name = labels[number].name.clone();
            let free = (2..).map(|count| format!("{name} {count}")).find(|name| !is_taken(name));
            labels[number].name = free.unwrap_or(name);
        }
    }
}

/// Reads a DICOM segmentation with the names and colours of its segments.
fn of_segmentation(
    path: &Path,
    image: &Volume,
    reading: &MaskReading,
    agreed: Agreed,
) -> Result<OpenedLabels, DataError> {
    let seg::OpenedSegmentation { segmentation, mut notes } = seg::read(path, image, agreed, reading.limit)?;
    let [width, height, _] = image.shape();
    let mut labels: Vec<LabelMasks> = segmentation
        .segments
        .iter()
        .enumerate()
        .map(|(number, segment)| LabelMasks {
            name: segment.label.clone(),
            colour: segment.colour.unwrap_or(LABEL_COLOURS[number % LABEL_COLOURS.len()]),
            slices: BTreeMap::new(),
        })
        .collect();
    let is_fractional = segmentation.kind == seg::Kind::Fractional;
    let least = if is_fractional { 128 } else { 1 };
    for seg::Frame { segment, slice, values } in segmentation.frames {
        let values: Vec<u8> = values.into_iter().map(|value| u8::from(value >= least)).collect();
        if let (Some(label), true) = (labels.get_mut(segment), values.contains(&1)) {
            label.slices.insert(slice, Arc::new(Mask { width, height, values }));
        }
    }
    labels.retain(|label| !label.slices.is_empty());
    if is_fractional {
        notes.push("It has probabilities; pixels from 0.5 on belong to the labels.".into());
    }
    tell_apart(&mut labels);
    Ok(OpenedLabels { labels, words: "by position".into(), notes })
}

/// Returns the masks of every label by slice.
fn masks(map: &LabelMap, covered: &[bool]) -> Vec<BTreeMap<usize, Arc<Mask>>> {
    let (width, height) = (map.columns, map.rows);
    let plane = width * height;
    let mut all = vec![BTreeMap::new(); map.labels.len()];
    for slice in (0..map.slices).filter(|slice| covered[*slice]) {
        let mut found: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for at in 0..plane {
            let index = map.indices.at(slice * plane + at);
            if index != 0 {
                found.entry(index).or_insert_with(|| vec![0; plane])[at] = 1;
            }
        }
        for (index, values) in found {
            all[index].insert(slice, Arc::new(Mask { width, height, values }));
        }
    }
    all
}
