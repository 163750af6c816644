//! The images that a segmentation was drawn on: their headers are read again for what a volume does not keep.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use rayon::prelude::*;

use crate::data::dicom::attributes::Attributes;
use crate::data::dicom::elements::text;
use crate::data::dicom::frame::Frame;
use crate::data::dicom::of_stack;
use crate::data::dicom::reader::read_elements;
use crate::data::dicom::series::files_in;
use crate::data::dicom::wanted::SOURCE_VALUES;
use crate::data::volume::{DicomSource, Source};
use crate::data::{DataError, Limit, Volume};

/// The place of a slice in the patient, as its file states it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plane {
    /// ImagePositionPatient, in mm.
    pub position: [f64; 3],
    /// ImageOrientationPatient.
    pub orientation: [f64; 6],
    /// PixelSpacing: the distances between rows and between columns, in mm.
    pub spacing: [f64; 2],
    /// SliceThickness in mm; `None` if it is not known.
    pub thickness: Option<f64>,
}

/// The image of one slice.
#[derive(Clone, Debug)]
pub struct SourceSlice {
    /// SOPInstanceUID.
    pub instance: String,
    /// The number of the frame, from 1, of an object with several frames.
    pub frame: Option<usize>,
    /// The place of the slice; `None` if the object does not state it.
    pub plane: Option<Plane>,
}

/// The objects whose images form a volume.
pub struct Sources {
    /// The elements of the first object's header.
    pub header: InMemDicomObject,
    /// SOPClassUID.
    pub class: String,
    /// SeriesInstanceUID.
    pub series: String,
    /// FrameOfReferenceUID; empty if the places of the slices do not refer to one, or are not known for all.
    pub frame_of_reference: String,
    /// The SOPInstanceUID of every object, in the order of the slices.
    pub instances: Vec<String>,
    /// The slices in stored order, before the volume was turned.
    pub slices: Vec<SourceSlice>,
    /// The distance between neighbouring slices in mm, if it is the same for all.
    pub between: Option<f64>,
    /// How the pixels were compressed with loss; `None` if they were not.
    pub lossy: Option<Lossy>,
}

/// Compression with loss that the images went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lossy {
    /// LossyImageCompressionRatio; `None` if the images do not state it.
    pub ratio: Option<String>,
    /// LossyImageCompressionMethod; `None` if neither the images nor their transfer syntax state it.
    pub method: Option<String>,
}

/// Returns the reason why no segmentation in DICOM can be written for an image, in words that follow a colon; `None` if it can.
pub fn refusal(volume: &Volume) -> Option<String> {
    let why = "a DICOM segmentation belongs to a patient and a study and refers to the DICOM images that it was drawn on";
    match &volume.source {
        Source::Dicom(_) => None,
        Source::Made => Some(format!("{why}, and this image was drawn by the program; export PNG instead")),
        Source::Picture(picture) => {
            let kind = if picture.format.is_empty() { "a picture" } else { picture.format };
            Some(format!("{why}, and {kind} has none of these; export PNG instead"))
        }
        Source::Nifti(_) => Some(format!("{why}, and NIfTI has none of these; export NIfTI instead")),
    }
}

impl Sources {
    /// Reads the headers of the objects that a volume was read from. `files` are those objects, or the folders that
    /// have them, in any order; further files are ignored. `target` is the file that errors name.
    ///
    /// # Errors
    /// Returns an error if the volume was not read from DICOM, if one of its objects is not among the files, or if
    /// the objects lack the identifiers that a reference needs.
    pub fn read(target: &Path, volume: &Volume, files: &[PathBuf], limit: Limit) -> Result<Self, DataError> {
        let refuse = |reason: String| DataError::NoSegmentation { path: target.to_owned(), reason };
        let Source::Dicom(source) = &volume.source else {
            let reason = refusal(volume).unwrap_or_default();
            return Err(DataError::NoSegmentation { path: target.to_owned(), reason });
        };
        let wanted: HashMap<&str, usize> =
            source.sop_instances.iter().enumerate().map(|(place, uid)| (uid.as_str(), place)).collect();
        if wanted.contains_key("") || wanted.len() < source.sop_instances.len() {
            return Err(refuse(
                "its images have no SOPInstanceUID, or share one, so nothing can refer to them".into(),
            ));
        }
        let mut headers = found(&wanted, files, limit);
        if let Some(missing) = headers.iter().filter(|header| header.is_none()).count().checked_sub(1) {
            let (missing, count) = (missing + 1, headers.len());
            return Err(refuse(format!(
                "{missing} of the {count} DICOM files of the image are no longer where they were opened"
            )));
        }
        let mut slices = Vec::with_capacity(volume.slices);
        for slice in 0..volume.slices {
            let object = if headers.len() == 1 { 0 } else { slice };
            let Some(Some(header)) = headers.get(object) else { break };
            let count = header.attributes.frames;
            let frame = source.frames.get(slice).copied().unwrap_or(slice + 1);
            let of = header.attributes.frame(frame - 1);
            slices.push(SourceSlice {
                instance: source.sop_instances[object].clone(),
                frame: (count > 1).then_some(frame),
                plane: plane(if count > 1 { of } else { &header.attributes.own }),
            });
        }
        let first = headers.first_mut().and_then(Option::take);
        let Some(Header { object, attributes }) = first.filter(|_| slices.len() == volume.slices) else {
            return Err(refuse("its images no longer have as many slices as when they were opened".into()));
        };
        let DicomSource { sop_class: class, series, study, .. } = attributes.source.clone();
        for (name, uid) in [("SOPClassUID", &class), ("SeriesInstanceUID", &series), ("StudyInstanceUID", &study)]
        {
            if uid.is_empty() {
                return Err(refuse(format!(
                    "its images have no {name}, which a DICOM segmentation has to refer to"
                )));
            }
        }
        let is_placed = slices.iter().all(|slice| slice.plane.is_some());
        let geometry = &volume.geometry;
        let is_even = volume.slices > 1 && geometry.gaps().is_empty() && !geometry.steps().is_empty();
        let between =
            if is_even { geometry.slice_mm } else { attributes.own.distances[0].filter(|_| volume.slices == 1) };
        Ok(Self {
            class,
            series,
            frame_of_reference: if is_placed { attributes.frame_of_reference.clone() } else { String::new() },
            instances: source.sop_instances.clone(),
            slices,
            between,
            lossy: lossy(&object, &attributes.syntax, source.is_lossy),
            header: object,
        })
    }

    /// Returns whether the slices have places that refer to a frame of reference.
    pub fn is_placed(&self) -> bool {
        !self.frame_of_reference.is_empty()
    }
}

/// The header of a file.
struct Header {
    object: InMemDicomObject,
    attributes: Attributes,
}

/// Reads the headers of the objects with the SOPInstanceUIDs `wanted`, in their order; `None` for an object that is
/// not among the files.
fn found(wanted: &HashMap<&str, usize>, files: &[PathBuf], limit: Limit) -> Vec<Option<Header>> {
    let all = files.iter().flat_map(|path| {
        let (path, _) = of_stack(path);
        let is_directory = path.file_name().is_some_and(|name| name.eq_ignore_ascii_case("DICOMDIR"));
        match (path.is_dir(), is_directory) {
            (true, _) => files_in(&path),
            (false, true) => path.parent().map(files_in).unwrap_or_default(),
            (false, false) => vec![path],
        }
    });
    let read: Vec<(usize, Header)> = all
        .collect::<Vec<_>>()
        .into_par_iter()
        .filter_map(|path| {
            let mut contents = read_elements(&path, limit, true, SOURCE_VALUES).ok()?;
            let attributes = Attributes::of(&path, &mut contents).ok()?;
            let place = *wanted.get(attributes.source.sop_instances.first()?.as_str())?;
            Some((place, Header { object: contents.object, attributes }))
        })
        .collect();
    let mut headers: Vec<Option<Header>> = wanted.iter().map(|_| None).collect();
    for (place, header) in read {
        headers[place].get_or_insert(header);
    }
    headers
}

/// Returns the place of a frame, if its file states all of it.
fn plane(frame: &Frame) -> Option<Plane> {
    // An orientation that is invalid is not used for the volume either.
    frame.orientation?;
    Some(Plane {
        position: frame.position?,
        orientation: frame.written_orientation?,
        spacing: frame.pixel_spacing?,
        thickness: frame.distances[1].or(frame.distances[0]),
    })
}

/// Returns how the pixels were compressed with loss, as the header says or, if it is silent, as their transfer syntax
/// does. `is_lossy` says whether the pixels went through it with loss. What neither says is left out.
fn lossy(object: &InMemDicomObject, syntax: &str, is_lossy: bool) -> Option<Lossy> {
    let of_syntax = match syntax {
        "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.51" => Some("ISO_10918_1"),
        "1.2.840.10008.1.2.4.81" if is_lossy => Some("ISO_14495_1"),
        "1.2.840.10008.1.2.4.91" if is_lossy => Some("ISO_15444_1"),
        _ => None,
    };
    let is_stated = text(object, tags::LOSSY_IMAGE_COMPRESSION).is_some_and(|value| value == "01");
    (is_stated || of_syntax.is_some()).then(|| Lossy {
        ratio: text(object, tags::LOSSY_IMAGE_COMPRESSION_RATIO),
        method: text(object, tags::LOSSY_IMAGE_COMPRESSION_METHOD).or(of_syntax.map(str::to_owned)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::seg::build;
    use dicom_core::VR;

    #[test]
    fn only_what_the_images_say_of_their_compression_is_said() {
        let header = |values: &[(dicom_core::Tag, VR, &str)]| {
            InMemDicomObject::from_element_iter(
                values.iter().map(|(tag, vr, value)| build::text(*tag, *vr, value)),
            )
        };
        let said = |ratio: Option<&str>, method: Option<&str>| {
            Some(Lossy { ratio: ratio.map(str::to_owned), method: method.map(str::to_owned) })
        };
        let raw = "1.2.840.10008.1.2.1";
        assert_eq!(lossy(&header(&[]), raw, false), None);
        let stated = (tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "01");
        assert_eq!(lossy(&header(&[stated]), raw, false), said(None, None));
        let whole = [
            stated,
            (tags::LOSSY_IMAGE_COMPRESSION_RATIO, VR::DS, "12.5"),
            (tags::LOSSY_IMAGE_COMPRESSION_METHOD, VR::CS, "ISO_15444_1"),
        ];
        assert_eq!(lossy(&header(&whole), raw, false), said(Some("12.5"), Some("ISO_15444_1")));
        assert_eq!(
            lossy(&header(&[(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00"), whole[1]]), raw, false),
            None,
            "it was not compressed"
        );
        let jpeg = "1.2.840.10008.1.2.4.50";
        assert_eq!(lossy(&header(&[]), jpeg, true), said(None, Some("ISO_10918_1")));
        let wavelet = "1.2.840.10008.1.2.4.91";
        assert_eq!(lossy(&header(&[]), wavelet, false), None, "reversible");
    }
}
