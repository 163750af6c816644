//! A segmentation as plain data: its segments, and the pixels of each segment in each slice.

use super::Code;
use crate::data::{DataError, MOST_LABELS, Volume};
use std::collections::HashSet;
use std::path::Path;

/// The meaning of the pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A pixel belongs to the segment (1) or not (0).
    #[default]
    Binary,
    /// The probability with which a pixel belongs to the segment, from 0 for 0 to 255 for 1.
    Fractional,
}

/// How a segment was made (DICOM SegmentAlgorithmType).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// A person drew it.
    #[default]
    Manual,
    /// A model made it, and a person changed it or chose its parts.
    Semiautomatic(Model),
    /// A model made it.
    Automatic(Model),
}

/// The name and the version of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The name.
    pub name: String,
    /// The version; empty if it is not known.
    pub version: String,
}

/// A segment: one kind of region. By default, it is a lesion without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The name of the segment; the first 64 characters are written.
    pub label: String,
    /// The description, for instance the prompt; the first 1024 characters are written.
    pub description: String,
    /// What kind of thing the segment is (SegmentedPropertyCategoryCodeSequence).
    pub category: Code,
    /// What the segment is (SegmentedPropertyTypeCodeSequence).
    pub property: Code,
    /// The part of the body where it lies (AnatomicRegionSequence); `None` if it is not stated.
    pub region: Option<Code>,
    /// How the segment was made.
    pub algorithm: Algorithm,
    /// The colour in which it is to be displayed, 8-bit sRGB; `None` if there is none.
    pub colour: Option<[u8; 3]>,
}

/// The pixels of a segment in a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The index of the segment, from 0. In the file, segments are numbered from 1.
    pub segment: usize,
    /// The slice of the volume, from 0, as displayed.
    pub slice: usize,
    /// A value for each pixel, row by row, as displayed: 0 or 1 (any other value) for [`Kind::Binary`], 0 to 255 for
    /// [`Kind::Fractional`].
    pub values: Vec<u8>,
}

/// A segmentation of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segmentation {
    /// The meaning of the pixels.
    pub kind: Kind,
    /// The segments.
    pub segments: Vec<Segment>,
    /// The pixels, at most one frame for each segment and slice, in any order. Without a frame, a segment has no
    /// pixels in a slice.
    pub frames: Vec<Frame>,
    /// The description of the series that the segmentation forms.
    pub description: String,
    /// The name of the person who made it; empty if it is not stated.
    pub creator: String,
}

impl Frame {
    /// Returns whether no pixel belongs to the segment.
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(|value| *value == 0)
    }
}

impl Segmentation {
    /// Returns the segmentation as it is written: texts are cut to their permitted lengths, frames without pixels
    /// are left out, all others are sorted by segment and slice.
    pub(super) fn normal(&self) -> Self {
        let mut normal = self.clone();
        for segment in &mut normal.segments {
            segment.label = line(&segment.label, 64);
            segment.description = paragraph(&segment.description, 1024);
            if let Algorithm::Semiautomatic(model) | Algorithm::Automatic(model) = &mut segment.algorithm {
                // Both are required (PS3.3, 10.19).
                let or = |text: String, other: &str| if text.is_empty() { other.to_owned() } else { text };
                model.name = or(line(&model.name, 64), "HiMix");
                model.version = or(line(&model.version, 64), "unknown");
            }
        }
        normal.description = line(&normal.description, 64);
        normal.creator = line(&normal.creator, 64);
        if normal.kind == Kind::Binary {
            let values = normal.frames.iter_mut().flat_map(|frame| &mut frame.values);
            values.for_each(|value| *value = u8::from(*value != 0));
        }
        normal.frames.retain(|frame| !frame.is_empty());
        normal.frames.sort_by_key(|frame| (frame.segment, frame.slice));
        normal
    }

    /// Checks that the segmentation fits the volume and can be written.
    ///
    /// # Errors
    /// Returns an error if there are no segments or too many, or if a frame has another size than the slices,
    /// exists twice, or belongs to a slice or segment that does not exist. `path` is the file that it names.
    pub(super) fn check(&self, path: &Path, volume: &Volume) -> Result<(), DataError> {
        let refuse = |reason: String| Err(DataError::NoSegmentation { path: path.to_owned(), reason });
        let [columns, rows, slices] = volume.shape();
        match self.segments.len() {
            0 => return refuse("there is no segment to write".into()),
            1..=MOST_LABELS => {}
            more => return refuse(format!("it has {more} segments, and {MOST_LABELS} are possible")),
        }
        if let Some(unnamed) = self.segments.iter().position(|segment| segment.label.trim().is_empty()) {
            return refuse(format!("segment {} has no name", unnamed + 1));
        }
        for segment in &self.segments {
            let codes = [Some(&segment.category), Some(&segment.property), segment.region.as_ref()];
            if let Some(code) = codes.into_iter().flatten().find(|code| !code.is_valid()) {
                return refuse(format!("the code “{}” of “{}” is not valid", code.value, segment.label));
            }
        }
        let mut known = HashSet::new();
        for Frame { segment, slice, values } in &self.frames {
            if *segment >= self.segments.len() || *slice >= slices {
                return refuse(format!("there is no segment {} or no slice {}", segment + 1, slice + 1));
            }
            if values.len() != columns * rows {
                let count = values.len();
                return refuse(format!("a mask has {count} pixels and the image {columns}×{rows}"));
            }
            if !known.insert((segment, slice)) {
                return refuse(format!("segment {} has two masks in slice {}", segment + 1, slice + 1));
            }
        }
        Ok(())
    }

    /// Returns whether a pixel belongs to several segments.
    pub(super) fn overlaps(&self) -> bool {
        let mut slices: std::collections::BTreeMap<usize, Vec<bool>> = std::collections::BTreeMap::new();
        self.frames.iter().any(|frame| {
            let taken = slices.entry(frame.slice).or_insert_with(|| vec![false; frame.values.len()]);
            taken.iter_mut().zip(&frame.values).any(|(taken, value)| *value != 0 && std::mem::replace(taken, true))
        })
    }
}

/// Returns a text as one line of at most `most` characters, without the backslash, which separates values.
pub(super) fn line(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| {
            if c.is_control() {
                ' '
            } else if c == '\\' {
                '/'
            } else {
                c
            }
        })
        .collect();
    clean.trim().chars().take(most).collect::<String>().trim_end().to_owned()
}

/// Returns a text of at most `most` characters that may have several lines.
pub(super) fn paragraph(text: &str, most: usize) -> String {
    let clean = text.chars().filter(|c| !c.is_control() || *c == '\n').collect::<String>();
    clean.trim().chars().take(most).collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_as_they_are_written() {
        assert_eq!(line(" a\\b\tc\n", 64), "a/b c");
        assert_eq!(line("abc def", 4), "abc", "no space at the end");
        assert_eq!(paragraph("one\r\ntwo\u{7} \n", 64), "one\ntwo");
        assert_eq!(line("äöü", 2), "äö", "characters, not bytes");
    }

    #[test]
    fn what_overlaps() {
        let frame = |segment, slice, values: [u8; 2]| Frame { segment, slice, values: values.to_vec() };
        let of = |frames: [Frame; 2]| Segmentation { frames: frames.into(), ..Segmentation::default() };
        assert!(of([frame(0, 1, [0, 1]), frame(1, 1, [1, 1])]).overlaps());
        assert!(!of([frame(0, 1, [0, 1]), frame(1, 1, [1, 0])]).overlaps());
        assert!(!of([frame(0, 0, [0, 1]), frame(1, 1, [1, 1])]).overlaps(), "in different slices");
    }
}
