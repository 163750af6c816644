//! The attributes of a DICOM object that are needed to read and display its pixels.

use std::path::Path;

use dicom_dictionary_std::tags;

use super::elements::{number, numbers, text, texts};
use super::frame::Frame;
use super::measure::{Measure, measure};
use super::reader::Contents;
use super::{codestream, stacks};
use crate::data::DataError;
use crate::data::volume::geometry::{plus, scaled};
use crate::data::volume::{DicomSource, Geometry, Modality, Placement, Sides, SliceDistance};

/// The attributes in the header of an object.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// The number of pixels per row.
    pub columns: usize,
    /// The number of rows.
    pub rows: usize,
    /// The number of frames, which is at least 1.
    pub frames: usize,
    /// The number of samples per pixel.
    pub samples: usize,
    /// The number of bits in which a sample is stored.
    pub bits_allocated: usize,
    /// The number of those bits that belong to the value.
    pub bits_stored: usize,
    /// Whether samples are signed (PixelRepresentation 1).
    pub is_signed: bool,
    /// Whether each frame has a separate plane for each colour (PlanarConfiguration 1).
    pub is_planar: bool,
    /// PhotometricInterpretation in upper case; "MONOCHROME2" for a segmentation.
    pub photometric: String,
    /// Modality in upper case; empty if it is missing.
    pub modality: String,
    /// PixelPaddingValue, as a stored value.
    pub padding: Option<f32>,
    /// The patient's name.
    pub patient: Option<String>,
    /// InstanceNumber; 0 if it is missing.
    pub instance: f64,
    /// The attributes of the file together with those of its first frame.
    pub own: Frame,
    /// The attributes of every frame. Empty if the file does not have them for all frames.
    pub told: Vec<Frame>,
    /// The size of the pixels.
    pub measure: Measure,
    /// SegmentationType for a segmentation, which is BINARY, FRACTIONAL or LABELMAP; empty otherwise.
    pub segmentation: String,
    /// The value of a completely covered pixel in a FRACTIONAL segmentation (MaximumFractionalValue); 255 if it
    /// is missing.
    pub most: f64,
    /// The dose in Gy for each step of the stored values (DoseGridScaling); `None` if the values are not a dose
    /// in Gy.
    pub dose: Option<f32>,
    /// The identity of the object.
    pub source: DicomSource,
    /// FrameOfReferenceUID, to which positions refer; empty if the file does not have it.
    pub frame_of_reference: String,
    /// GantryDetectorTilt in degrees.
    gantry_tilt: Option<f64>,
    /// PatientOrientation: the directions of rows and of columns as letters.
    patient_orientation: Vec<String>,
    /// Whether the image is a radiograph without an orientation in space.
    is_projection: bool,
    /// Notes about assumptions, and about attributes that are not used.
    pub notes: Vec<String>,
    /// The UID of the transfer syntax of the pixels.
    pub syntax: String,
}

impl Attributes {
    /// Reads the attributes of an object. The attributes of its frames are taken from `contents`.
    ///
    /// # Errors
    /// Returns an error if the object has no pixels, or more columns or rows than DICOM allows.
    pub fn of(path: &Path, contents: &mut Contents) -> Result<Self, DataError> {
        let object = &contents.object;
        let number = |tag| number(object, tag);
        let text = |tag| text(object, tag).unwrap_or_default();
        let count = |tag| number(tag).filter(|value| *value >= 0.0).map(|value| value as usize);
        let (Some(columns), Some(rows)) = (count(tags::COLUMNS), count(tags::ROWS)) else {
            return Err(DataError::NoPixelData { path: path.to_owned() });
        };
        if columns == 0 || rows == 0 {
            let (width, height) = (columns as u32, rows as u32);
            return Err(DataError::NoPixels { path: path.to_owned(), width, height });
        }
        // Columns and Rows have 16 bits, but a damaged file may have a longer text in their place.
        if columns.max(rows) > usize::from(u16::MAX) {
            let reason = format!("an image of {columns}×{rows} pixels, and DICOM allows at most 65535 on a side");
            return Err(DataError::damaged(path, reason));
        }
        let is_signed = number(tags::PIXEL_REPRESENTATION) == Some(1.0);
        let bits_allocated = count(tags::BITS_ALLOCATED).unwrap_or(8);
        let bits_stored = count(tags::BITS_STORED).unwrap_or(bits_allocated);
        let frames = count(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1);
        let whole = contents.shared.take().unwrap_or_default().or(&Frame::of(object));
        let mut told = std::mem::take(&mut contents.frames);
        let mut notes = Vec::new();
        // If the functional groups lack some of the frames, no frame can be sorted.
        if told.len() != frames {
            if !told.is_empty() {
                notes.push(format!(
                    "The file describes only {} of its {frames} frames, so all are shown in file order without positions.",
                    told.len()
                ));
            }
            told.clear();
        }
        told.iter_mut().for_each(|frame| *frame = std::mem::take(frame).or(&whole));
        if told.is_empty() {
            told = planes(&whole, &numbers(object, tags::GRID_FRAME_OFFSET_VECTOR), frames);
        }
        let own = told.first().cloned().unwrap_or(whole);
        let modality = text(tags::MODALITY).to_uppercase();
        let mut acquired = own.time.clone();
        if let Some(date) = super::elements::text(object, tags::ACQUISITION_DATE).filter(|_| !has_date(&acquired))
        {
            acquired = format!("{date} {acquired}").trim_end().to_owned();
        }
        let source = DicomSource {
            sop_class: text(tags::SOP_CLASS_UID),
            sop_instances: vec![text(tags::SOP_INSTANCE_UID)],
            series: text(tags::SERIES_INSTANCE_UID),
            series_description: text(tags::SERIES_DESCRIPTION),
            study: text(tags::STUDY_INSTANCE_UID),
            modality: modality.clone(),
            acquisition: own.acquisition.map(|number| number as i64),
            acquired,
            transfer_syntax: codestream::name(&contents.syntax),
            is_lossy: false,
            photometric: text(tags::PHOTOMETRIC_INTERPRETATION),
            rescale_type: own.rescale_type.clone(),
            frames: Vec::new(),
        };
        let is_segmentation = source.is_segmentation();
        // An image that is reconstructed from projections has an orientation, and its spacing is that in the
        // patient.
        let is_projection = is_projection(&modality) && own.orientation.is_none();
        let measure = measure(object, own.pixel_spacing, is_projection, &contents.regions);
        notes.extend(measure.note.map(String::from));
        if own.is_askew {
            notes.push("The row and column directions in the file are not perpendicular and are not used.".into());
        }
        let is_dose = text(tags::DOSE_UNITS).eq_ignore_ascii_case("GY");
        Ok(Self {
            columns,
            rows,
            frames,
            samples: count(tags::SAMPLES_PER_PIXEL).unwrap_or(1).max(1),
            bits_allocated,
            bits_stored,
            is_signed,
            is_planar: number(tags::PLANAR_CONFIGURATION) == Some(1.0),
            // The colours in which a label map's segments are displayed are not its segment numbers.
            photometric: if is_segmentation { "MONOCHROME2".into() } else { source.photometric.to_uppercase() },
            is_projection,
            measure,
            modality,
            padding: number(tags::PIXEL_PADDING_VALUE).map(|value| signed(value, is_signed, bits_stored)),
            patient: super::elements::text(object, tags::PATIENT_NAME),
            instance: number(tags::INSTANCE_NUMBER).unwrap_or(0.0),
            own,
            told,
            segmentation: if is_segmentation {
                text(tags::SEGMENTATION_TYPE).to_uppercase()
            } else {
                String::new()
            },
            most: number(tags::MAXIMUM_FRACTIONAL_VALUE).filter(|most| *most > 0.0).unwrap_or(255.0),
            dose: number(tags::DOSE_GRID_SCALING).filter(|step| is_dose && *step > 0.0).map(|step| step as f32),
            source,
            frame_of_reference: text(tags::FRAME_OF_REFERENCE_UID),
            gantry_tilt: number(tags::GANTRY_DETECTOR_TILT),
            patient_orientation: texts(object, tags::PATIENT_ORIENTATION),
            notes,
            syntax: contents.syntax.clone(),
        })
    }

    /// Returns the number of bytes of the decoded pixels of all frames, as the header claims.
    pub fn bytes(&self) -> u64 {
        let bytes = self.bits_allocated.div_ceil(8).max(1);
        [self.rows, self.frames, self.samples, bytes]
            .iter()
            .fold(self.columns as u64, |product, &factor| product.saturating_mul(factor as u64))
    }

    /// Returns the kind of modality; `Other` if it is neither CT nor a radiograph.
    pub fn kind(&self) -> Modality {
        match self.modality.as_str() {
            "CT" => Modality::Ct,
            modality if is_projection(modality) => Modality::Radiograph,
            _ => Modality::Other,
        }
    }

    /// Returns whether the pixels are indices into a palette.
    pub fn is_palette(&self) -> bool {
        self.photometric == "PALETTE COLOR"
    }

    /// Returns the geometry of the frames `members` in their order, or of all frames in file order if `members`
    /// is empty.
    pub fn geometry(&self, members: &[usize]) -> Geometry {
        let placed = match members {
            [] if self.frames == 1 => self.own.position.map(|position| vec![position]),
            // If several frames have one position, the positions of the others are not known.
            [] => None,
            members => members.iter().map(|member| self.frame(*member).position).collect(),
        };
        let frame = members.first().map_or(&self.own, |member| self.frame(*member));
        let placement = match (frame.orientation, placed) {
            (Some([across, down]), Some(positions)) => Some(Placement { across, down, positions }),
            _ => None,
        };
        let [between, thickness] = frame.distances;
        let mut geometry = Geometry {
            pixel_mm: self.measure.spacing.map(|[row, column]| [column, row]),
            measured: self.measure.measured,
            proportion: self.measure.proportion,
            slice_mm: between.or(thickness),
            slice_from: if between.is_some() { SliceDistance::Spacing } else { SliceDistance::Thickness },
            placement,
            sides: self.sides(frame),
            frame_of_reference: self.frame_of_reference.clone(),
            gantry_tilt: self.gantry_tilt.filter(|degrees| *degrees != 0.0),
            ..Geometry::default()
        };
        // The spacing of a radiograph is determined by [`measure`], once for all frames.
        if let (Some([row, column]), false) = (frame.pixel_spacing, self.is_projection) {
            geometry.pixel_mm = Some([column, row]);
        }
        if geometry.placement.is_some() && members.len() > 1 {
            geometry.derive();
        }
        geometry
    }

    /// Returns the attributes of frame `number`, from 0, or those of the file if the frame has none of its own.
    pub fn frame(&self, number: usize) -> &Frame {
        self.told.get(number).unwrap_or(&self.own)
    }

    /// Returns the stacks that the frames form. If the frames have no attributes of their own, a single stack
    /// without members stands for all frames in file order.
    pub fn stacks(&self) -> Vec<stacks::Stack> {
        if self.told.len() < 2 {
            return vec![stacks::Stack::default()];
        }
        stacks::stacks(&self.told.iter().collect::<Vec<_>>())
    }

    /// Returns the patient's sides at the edges of the image, by the orientation in space or by the letters of
    /// PatientOrientation. Returns `None` if neither is known.
    fn sides(&self, frame: &Frame) -> Option<Sides> {
        if let Some([across, down]) = frame.orientation {
            return Sides::new(across, down);
        }
        let direction = |letters: &String| {
            Some(match letters.trim().chars().next()? {
                'L' => [1.0, 0.0, 0.0],
                'R' => [-1.0, 0.0, 0.0],
                'P' => [0.0, 1.0, 0.0],
                'A' => [0.0, -1.0, 0.0],
                'H' => [0.0, 0.0, 1.0],
                'F' => [0.0, 0.0, -1.0],
                _ => return None,
            })
        };
        let [across, down] = self.patient_orientation.as_slice() else { return None };
        Sides::new(direction(across)?, direction(down)?)
    }

    /// Returns the error for pixels that could not be decoded. It names the compression if `reason` says that
    /// this is not supported.
    pub fn refusal(&self, path: &Path, reason: &str) -> DataError {
        if reason.contains("nsupported") || reason.contains("nimplemented") {
            let name = format!("{}: {reason}", codestream::name(&self.syntax));
            return DataError::Compression { path: path.to_owned(), name };
        }
        DataError::damaged(path, reason)
    }
}

/// Corrects a padding value that was written unsigned although the pixels are signed, with `bits` bits.
fn signed(value: f64, is_signed: bool, bits: usize) -> f32 {
    let limit = 2_f64.powi(bits.clamp(1, 32) as i32 - 1);
    (if is_signed && value >= limit { value - 2.0 * limit } else { value }) as f32
}

/// Returns whether a modality is that of a radiograph, whose pixels may be measured at the detector.
fn is_projection(modality: &str) -> bool {
    matches!(modality, "CR" | "DX" | "MG" | "RG" | "IO" | "PX" | "XA" | "RF")
}

/// Returns the frames of a dose, whose planes lie at the distances `offsets` along the normal, in mm
/// (GridFrameOffsetVector, DICOM PS3.3 C.8.8.3.2). The result is empty if a distance or the position is missing.
fn planes(whole: &Frame, offsets: &[f64], frames: usize) -> Vec<Frame> {
    let (Some(normal), Some(position)) = (whole.normal(), whole.position) else { return Vec::new() };
    let is_sound = offsets.len() == frames && frames > 1 && offsets.iter().all(|offset| offset.is_finite());
    // The offsets count from the first plane. If the first offset is not 0, as in a few files, the offsets are
    // positions instead, which are not supported.
    if !is_sound || offsets[0] != 0.0 {
        return Vec::new();
    }
    let at = |offset: &f64| Frame { position: Some(plus(position, scaled(normal, *offset))), ..whole.clone() };
    offsets.iter().map(at).collect()
}

/// Returns whether a time of acquisition, DT or TM (DICOM PS3.5, 6.2), includes the date. A time alone has at
/// most six digits before its fraction, and colons in old files.
fn has_date(acquired: &str) -> bool {
    let whole = acquired.split('.').next().unwrap_or_default();
    whole.chars().filter(char::is_ascii_digit).count() > 6
}

#[cfg(test)]
mod tests {
    use super::has_date;

    #[test]
    fn a_time_alone_has_no_date_however_fine_it_is() {
        for time in ["", "10", "103105", "103105.123456", "10:31:05", "103105.1234"] {
            assert!(!has_date(time), "{time}");
        }
        for date_time in ["20040119", "20040119103105", "20040119103105.123456+0100"] {
            assert!(has_date(date_time), "{date_time}");
        }
    }
}
