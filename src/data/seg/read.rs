//! Reads a segmentation of any maker, and lays it on a volume.

use std::collections::BTreeMap;
use std::path::Path;

use dicom_dictionary_std::tags;

use super::groups::StoredFrame;
use super::sources::Sources;
use super::{Concept, Kind, Segment, Segmentation, describe};
use crate::data::dicom::attributes::Attributes;
use crate::data::dicom::elements::text;
use crate::data::dicom::frame;
use crate::data::dicom::reader::read_elements;
use crate::data::dicom::segments::Samples;
use crate::data::dicom::wanted::SEGMENTATION_VALUES;
use crate::data::mask::Agreed;
use crate::data::{DataError, Limit, MOST_LABELS, Volume};

/// A segmentation on the grid of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSegmentation {
    /// The segments, and their pixels as the volume is displayed.
    pub segmentation: Segmentation,
    /// Notes for the user, as sentences.
    pub notes: Vec<String>,
}

/// A segmentation as its file has it.
pub struct Raw {
    pub attributes: Attributes,
    pub samples: Samples,
    /// The segments, and the index of each by its number in the file.
    pub segments: Vec<Segment>,
    pub numbers: BTreeMap<u16, usize>,
    pub description: String,
    pub creator: String,
    pub notes: Vec<String>,
    /// The memory that all this takes, in bytes.
    pub bytes: u64,
}

/// Returns whether a file is a segmentation in DICOM; `false` if it cannot be read.
pub fn is_segmentation(path: &Path) -> bool {
    let header = read_elements(path, Limit::default(), true, SEGMENTATION_VALUES);
    let attributes = header.and_then(|mut contents| Attributes::of(path, &mut contents));
    attributes.is_ok_and(|attributes| !attributes.segmentation.is_empty())
}

/// Reads a segmentation and lays it on a volume: by the images to which its frames refer, if these are the images of
/// the volume and lie where the frames lie, otherwise by position, as [`crate::data::mask::lay`] does. `agreed` is
/// what the user agreed to if the grids differ.
///
/// # Errors
/// Returns an error if the file cannot be read, is no segmentation, is damaged, has more than [`MOST_LABELS`] segments, or needs
/// more memory than `limit`. Returns [`DataError::SegmentationOfOthers`] if it was drawn on other images and has no
/// positions, and the errors of [`crate::data::mask::lay`] if its grid or its frame of reference differs.
pub fn read(path: &Path, volume: &Volume, agreed: Agreed, limit: Limit) -> Result<OpenedSegmentation, DataError> {
    Raw::read(path, limit)?.laid_on(path, volume, agreed, limit)
}

impl Raw {
    /// Reads a file.
    ///
    /// # Errors
    /// Returns the errors of [`read`] but for those of laying it on a volume.
    pub fn read(path: &Path, limit: Limit) -> Result<Self, DataError> {
        let mut contents = read_elements(path, limit, false, SEGMENTATION_VALUES)?;
        let attributes = Attributes::of(path, &mut contents)?;
        if attributes.segmentation.is_empty() {
            let reason = "it is a DICOM file, but not a segmentation".into();
            return Err(DataError::NotAMask { path: path.to_owned(), reason });
        }
        if attributes.samples != 1 {
            return Err(DataError::damaged(path, "a segmentation has colours"));
        }
        let attributes_size = (attributes.told.len() as u64).saturating_mul(frame::FRAME);
        limit.allow(path, attributes_size)?;
        let left = Limit(limit.0 - attributes_size);
        let description = text(&contents.object, tags::SERIES_DESCRIPTION).unwrap_or_default();
        let creator = text(&contents.object, tags::CONTENT_CREATOR_NAME).unwrap_or_default();
        let samples = Samples::of(path, &mut contents, &attributes, left)?.0;
        let mut raw = Self {
            bytes: attributes_size.saturating_add(samples.bytes()),
            samples,
            segments: Vec::new(),
            numbers: BTreeMap::new(),
            description,
            creator,
            notes: Vec::new(),
            attributes,
        };
        let is_label_map = raw.is_label_map();
        for (number, segment) in contents.segments.iter().filter_map(describe::segment) {
            // The background of a label map may be described as segment 0.
            if !(is_label_map && number == 0) {
                raw.add(path, number, Some(segment))?;
            }
        }
        if !is_label_map {
            for frame in 0..raw.attributes.frames {
                raw.add(path, raw.number(frame), None)?;
            }
        }
        raw.notes.extend(raw.attributes.notes.iter().cloned());
        Ok(raw)
    }

    /// Returns the kind of the pixels.
    pub fn kind(&self) -> Kind {
        if self.attributes.segmentation == "FRACTIONAL" { Kind::Fractional } else { Kind::Binary }
    }

    /// Returns whether the values of pixels are the numbers of their segments.
    pub fn is_label_map(&self) -> bool {
        self.attributes.segmentation == "LABELMAP"
    }

    /// Returns the number of the segment to which a frame belongs; 1 if it does not say so.
    fn number(&self, frame: usize) -> u16 {
        self.attributes.frame(frame).segment.unwrap_or(1)
    }

    /// Adds a segment unless its number is known.
    pub fn add(&mut self, path: &Path, number: u16, segment: Option<Segment>) -> Result<(), DataError> {
        if self.numbers.contains_key(&number) {
            return Ok(());
        }
        if self.segments.len() == MOST_LABELS {
            let reason = format!("a segmentation with more than {MOST_LABELS} segments");
            return Err(DataError::unsupported(path, &reason, "export fewer of them from its source"));
        }
        self.numbers.insert(number, self.segments.len());
        self.segments.push(segment.unwrap_or_else(|| Concept::lesion().segment(&format!("Segment {number}"))));
        Ok(())
    }

    /// Returns the pixels of a frame by segment: 0 or 1, or probabilities from 0 to 255.
    ///
    /// # Errors
    /// Returns the errors of [`Self::add`], and an error if more memory than `limit` is needed.
    pub fn frame(&mut self, path: &Path, frame: usize, limit: Limit) -> Result<Vec<(usize, Vec<u8>)>, DataError> {
        let plane = self.attributes.columns * self.attributes.rows;
        // The samples as 16 bits and on their way to these, and the pixels of one segment.
        let working = (plane as u64).saturating_mul(7);
        limit.allow(path, working)?;
        let values = self.samples.frame(plane, frame);
        if self.is_label_map() {
            let mut found: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
            for (at, value) in values.into_iter().enumerate().filter(|(_, value)| *value != 0) {
                if !found.contains_key(&value) {
                    let made = (plane as u64).saturating_mul(found.len() as u64);
                    limit.allow(path, working.saturating_add(made))?;
                    self.add(path, value, None)?;
                }
                found.entry(value).or_insert_with(|| vec![0; plane])[at] = 1;
            }
            return Ok(found.into_iter().map(|(number, values)| (self.numbers[&number], values)).collect());
        }
        let segment = self.numbers.get(&self.number(frame)).copied().unwrap_or(0);
        let values = match self.kind() {
            Kind::Binary => values.into_iter().map(|value| u8::from(value != 0)).collect(),
            Kind::Fractional => {
                let most = self.attributes.most;
                let scaled = |value: u16| (f64::from(value) * 255.0 / most).round().clamp(0.0, 255.0) as u8;
                values.into_iter().map(scaled).collect()
            }
        };
        Ok(vec![(segment, values)])
    }

    /// Compares the file with the frames and the references that were to be written.
    ///
    /// # Errors
    /// Returns what differs.
    pub fn compare(&self, frames: &[StoredFrame], sources: &Sources) -> Result<(), &'static str> {
        if self.attributes.frames != frames.len() || self.attributes.told.len() != frames.len() {
            return Err("the numbers of frames");
        }
        if self.attributes.frame_of_reference != sources.frame_of_reference {
            return Err("the frames of reference");
        }
        for (number, (frame, told)) in frames.iter().zip(&self.attributes.told).enumerate() {
            let Some(slice) = sources.slices.get(frame.slice) else { return Err("the numbers of slices") };
            let reference = (slice.instance.clone(), slice.frame.map(|frame| frame as u32));
            if told.derived_from.as_ref() != Some(&reference) {
                return Err("the references to its images");
            }
            if told.segment.map(usize::from) != Some(frame.segment + 1) {
                return Err("the segments of its frames");
            }
            let plane = slice.plane.as_ref().filter(|_| sources.is_placed());
            let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
            let is_same = match (plane, told.position, told.written_orientation) {
                (None, None, _) => true,
                (Some(plane), Some(position), Some(orientation)) => {
                    let told = position.iter().chain(&orientation);
                    told.zip(plane.position.iter().chain(&plane.orientation)).all(|(a, b)| is_near(*a, *b))
                }
                _ => false,
            };
            if !is_same {
                return Err("the positions of its frames");
            }
            let plane = self.attributes.columns * self.attributes.rows;
            let values = self.samples.frame(plane, number);
            let is_binary = self.kind() == Kind::Binary;
            let wanted = |value: &u8| if is_binary { u16::from(*value != 0) } else { u16::from(*value) };
            if values.len() != frame.values.len() || !frame.values.iter().map(wanted).eq(values) {
                return Err("the pixels of its frames");
            }
        }
        Ok(())
    }
}
