//! The ground truth of an image: one mask file or several, aligned with the image, and the labels that count as
//! foreground.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::labels::{Indices, Label, LabelChoice, LabelMap, Oddity};
use super::lay::{Agreed, Laid, Pairing, lay};
use super::{Mask, MaskKind, MaskReading, read};
use crate::data::DataError;
use crate::data::volume::{Geometry, Grid, Source};

/// The relation of several mask files of one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Several {
    /// The files are parts of one mask.
    #[default]
    United,
    /// The files are classes: the foreground of the first file is label 1, that of the second file is label 2,
    /// and so on.
    AsLabels,
}

/// The settings for reading a ground truth, aligning it with its image, and evaluating it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TruthReading {
    /// How each file is read.
    pub mask: MaskReading,
    /// The relation of several files.
    pub several: Several,
    /// The alignment if the voxel grid differs from that of the image.
    pub agreed: Agreed,
    /// The slice, from 0, to which a single mask without a position belongs.
    pub slice: Option<usize>,
    /// The labels that are foreground.
    pub choice: LabelChoice,
}

/// A ground truth on the grid of its image.
#[derive(Clone, Debug)]
pub struct Truth {
    /// The files from which the ground truth was read.
    pub files: Vec<PathBuf>,
    /// The labels, aligned with the image.
    pub laid: Arc<Laid>,
    /// The labels that are foreground.
    pub choice: LabelChoice,
}

impl Truth {
    /// Reads the mask files of an image and aligns them with it.
    ///
    /// # Errors
    /// Returns an error if there is no file, if a file cannot be read or is not a mask, or if it cannot be
    /// aligned with the image.
    pub fn read(files: &[PathBuf], image: Grid<'_>, reading: &TruthReading) -> Result<Self, DataError> {
        let mut all = Vec::with_capacity(files.len());
        for path in files {
            let labels = read(path, &reading.mask)?;
            all.push(lay(path, labels, image, reading.slice, reading.agreed)?);
        }
        let first = files.first().map_or(Path::new(""), PathBuf::as_path);
        let laid = joined(all, reading.several).ok_or_else(|| DataError::Missing { path: first.to_owned() })?;
        Ok(Self { files: files.to_vec(), laid: Arc::new(laid), choice: reading.choice.clone() })
    }

    /// Makes the ground truth of a mask that was drawn together with its image. `name` stands for the file.
    pub fn of_mask(name: PathBuf, mask: &Mask) -> Self {
        let indices = Indices::U8(mask.values.iter().map(|value| u8::from(*value != 0)).collect());
        let mut labels = LabelMap {
            columns: mask.width,
            rows: mask.height,
            slices: 1,
            indices,
            labels: vec![label(0), label(1)],
            kind: MaskKind::TwoValues { background: 0.0, foreground: 1.0 },
            geometry: Geometry::default(),
            source: Source::Made,
            notes: Vec::new(),
        };
        labels.count();
        let laid = Laid { labels, covered: vec![true], pairing: Pairing::BySize };
        Self { files: vec![name], laid: Arc::new(laid), choice: LabelChoice::Foreground }
    }

    /// Returns the mask of slice `slice`, from 0, or `None` if the files do not cover that slice.
    pub fn mask(&self, slice: usize) -> Option<Arc<Mask>> {
        let is_covered = self.laid.covered.get(slice).copied().unwrap_or(false);
        is_covered.then(|| Arc::new(self.laid.labels.mask(slice, &self.choice)))
    }

    /// Returns the same ground truth with other labels as foreground.
    pub fn with(&self, choice: LabelChoice) -> Self {
        Self { choice, ..self.clone() }
    }

    /// Returns whether nothing or everything is foreground in all covered slices together; `None` if neither.
    pub fn oddity(&self) -> Option<Oddity> {
        let Laid { labels, covered, .. } = self.laid.as_ref();
        let slices = covered.iter().filter(|is| **is).count();
        labels.oddity(&self.choice, slices)
    }

    /// Returns a description of how foreground and background were found, and of how the mask was aligned with
    /// the image.
    pub fn words(&self) -> String {
        format!("{}; {}", self.laid.labels.kind.words(), self.laid.pairing.words())
    }
}

/// Makes a label without pixels, which is foreground if its value is above 0.
fn label(value: i64) -> Label {
    Label { value, colour: None, pixels: 0, is_foreground: value > 0 }
}

/// Joins several masks of one image. If the files are parts of one mask, labels of the same value become one
/// label. Returns `None` if there are no masks.
fn joined(mut all: Vec<Laid>, several: Several) -> Option<Laid> {
    if all.len() < 2 && (several == Several::United || all.is_empty()) {
        return all.pop();
    }
    let count = all.len();
    let mut indices = vec![0_u16; all[0].labels.indices.len()];
    let mut covered = vec![false; all[0].covered.len()];
    let background = all[0].labels.labels.first().cloned().unwrap_or_else(|| label(0));
    let mut labels = vec![Label { is_foreground: false, ..background }];
    let mut notes = Vec::new();
    let mut overlap = 0_u64;
    for (file, laid) in (1_i64..).zip(&all) {
        // The index of each label of the file in the common list; 0 for the background.
        let places: Vec<u16> = laid
            .labels
            .labels
            .iter()
            .enumerate()
            .map(|(place, own)| {
                let wanted = match several {
                    Several::United if place > 0 && own.pixels > 0 => own.clone(),
                    Several::AsLabels if own.is_foreground => label(file),
                    _ => return 0,
                };
                let known = labels.iter().skip(1).position(|label| label.value == wanted.value).map(|at| at + 1);
                let place = known.unwrap_or(labels.len());
                if known.is_none() {
                    labels.push(wanted);
                }
                place.min(usize::from(u16::MAX)) as u16
            })
            .collect();
        for (at, index) in indices.iter_mut().enumerate() {
            let place = places[laid.labels.indices.at(at)];
            if place != 0 {
                overlap += u64::from(*index != 0 && *index != place);
                *index = place;
            }
        }
        covered.iter_mut().zip(&laid.covered).for_each(|(all, one)| *all |= one);
        notes.extend(laid.labels.notes.iter().cloned());
    }
    if overlap > 0 {
        let pixels = if overlap == 1 { "1 pixel".to_owned() } else { format!("{overlap} pixels") };
        notes.push(format!("Its {count} masks overlap in {pixels}; the later one takes precedence."));
    }
    notes.dedup();
    let first = all.swap_remove(0);
    let mut joined = LabelMap {
        indices: Indices::of(indices, labels.len()),
        labels,
        kind: match count {
            1 => first.labels.kind.clone(),
            _ => MaskKind::Files { count, each: Box::new(first.labels.kind.clone()) },
        },
        notes,
        ..first.labels
    };
    joined.count();
    Some(Laid { labels: joined, covered, pairing: first.pairing })
}
