//! The attributes of a frame: its position, the meaning of its values, and its time of acquisition. Enhanced
//! objects have them in functional groups (DICOM PS3.3 C.7.6.16), for each frame in addition to the shared ones.
//! Other objects have them once.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::elements::{array, number, numbers, text, texts};
use crate::data::volume::geometry::{cross, dot, norm, scaled};
use crate::data::volume::{NamedWindow, Window};

/// The elements that are read here, both from the file and from the sequences of a functional group.
pub const WANTED: &[Tag] = &[
    tags::ACQUISITION_DATE,
    tags::ACQUISITION_DATE_TIME,
    tags::ACQUISITION_NUMBER,
    tags::ACQUISITION_TIME,
    tags::CONTENT_TIME,
    tags::DIFFUSION_B_VALUE,
    tags::DIMENSION_INDEX_VALUES,
    tags::ECHO_NUMBERS,
    tags::ECHO_TIME,
    tags::EFFECTIVE_ECHO_TIME,
    tags::FRAME_ACQUISITION_DATE_TIME,
    tags::FRAME_ACQUISITION_NUMBER,
    tags::FRAME_REFERENCE_DATE_TIME,
    tags::FRAME_TYPE,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::IMAGE_POSITION_PATIENT,
    tags::IMAGE_TYPE,
    tags::IN_STACK_POSITION_NUMBER,
    tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME,
    tags::PIXEL_SPACING,
    tags::REFERENCED_SEGMENT_NUMBER,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::SLICE_THICKNESS,
    tags::SPACING_BETWEEN_SLICES,
    tags::STACK_ID,
    tags::TEMPORAL_POSITION_IDENTIFIER,
    tags::TEMPORAL_POSITION_INDEX,
    tags::TRIGGER_TIME,
    tags::VOILUT_FUNCTION,
    tags::WINDOW_CENTER,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
    tags::WINDOW_WIDTH,
];

/// The sequences of a functional group that contain these elements.
pub const GROUPS: &[Tag] = &[
    tags::CARDIAC_SYNCHRONIZATION_SEQUENCE,
    tags::CT_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::FRAME_CONTENT_SEQUENCE,
    tags::FRAME_VOILUT_SEQUENCE,
    tags::MR_DIFFUSION_SEQUENCE,
    tags::MR_ECHO_SEQUENCE,
    tags::MR_IMAGE_FRAME_TYPE_SEQUENCE,
    tags::PET_FRAME_TYPE_SEQUENCE,
    tags::PIXEL_MEASURES_SEQUENCE,
    tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
    tags::PLANE_ORIENTATION_SEQUENCE,
    tags::PLANE_POSITION_SEQUENCE,
    tags::SEGMENT_IDENTIFICATION_SEQUENCE,
    tags::TEMPORAL_POSITION_SEQUENCE,
];

/// The largest number of bytes that the attributes of a frame take after reading.
pub const FRAME: u64 = 2048;
/// The largest number of values of a dimension index, and of windows, that are stored for a frame.
const MOST_NUMBERS: usize = 8;
/// The largest number of characters of a text that are stored for a frame; names of windows and image types may
/// have twice as many.
const MOST_LETTERS: usize = 32;
/// The largest number of characters of a UID (DICOM PS3.5, 9.1).
const MOST_UID: usize = 64;
/// The largest cosine of the angle between row and column directions that still counts as a right angle.
const SQUARE: f64 = 1e-2;

/// The attributes of a frame. Those that the file does not have are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// The centre of the first pixel in the patient, in mm (ImagePositionPatient).
    pub position: Option<[f64; 3]>,
    /// The unit vectors along which the column number and the row number grow (ImageOrientationPatient). They
    /// are perpendicular.
    pub orientation: Option<[[f64; 3]; 2]>,
    /// ImageOrientationPatient as written, whatever the length of its vectors.
    pub written_orientation: Option<[f64; 6]>,
    /// Whether the file has an orientation that is invalid.
    pub is_askew: bool,
    /// Row spacing and column spacing in mm (PixelSpacing).
    pub pixel_spacing: Option<[f64; 2]>,
    /// SpacingBetweenSlices and SliceThickness in mm.
    pub distances: [Option<f64>; 2],
    /// Rescale slope and rescale intercept. `None` if the file has neither, or only a slope of 1.
    pub rescale: Option<[f32; 2]>,
    /// The unit of the rescaled values (RescaleType); empty if it is not given.
    pub rescale_type: String,
    /// The window centres and widths in the file.
    pub windows: Vec<[f32; 2]>,
    /// The names of the windows in the file.
    pub window_names: Vec<String>,
    /// Whether the windows are sigmoid curves (DICOM PS3.3 C.11.2.1.3.1).
    pub is_sigmoid: bool,
    /// The position in each dimension by which the file sorts its frames (DimensionIndexValues).
    pub index: Vec<u32>,
    /// StackID; empty if the file does not have it.
    pub stack: String,
    /// InStackPositionNumber.
    pub in_stack: Option<f64>,
    /// ReferencedSegmentNumber.
    pub segment: Option<u16>,
    /// The image from which the frame was derived: its SOPInstanceUID, and the number of its frame, from 1, if it
    /// is given.
    pub derived_from: Option<(String, Option<u32>)>,
    /// The number of the echo or, if that is missing, the echo time in ms.
    pub echo: Option<Echo>,
    /// The diffusion b-value in s/mm².
    pub b_value: Option<f64>,
    /// The delay after the cardiac trigger, in ms.
    pub trigger: Option<f64>,
    /// TemporalPositionIndex or TemporalPositionIdentifier.
    pub temporal: Option<f64>,
    /// The number of the acquisition.
    pub acquisition: Option<f64>,
    /// The time of acquisition as written, with the date before the time if the file has both in one element.
    pub time: String,
    /// The part of the frame type or image type that distinguishes images at one position, for instance "PHASE".
    pub image_type: String,
}

/// The echo of a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Echo {
    /// The number of the echo (EchoNumbers).
    Number(f64),
    /// The echo time in ms.
    Time(f64),
}

impl Frame {
    /// Reads the attributes from the elements of a file, or from those of its functional groups.
    pub fn of(object: &InMemDicomObject) -> Self {
        let first = |tags: &[Tag]| tags.iter().find_map(|tag| number(object, *tag));
        let short = |tag: Tag| text(object, tag).map(|text| text.chars().take(MOST_LETTERS).collect::<String>());
        let rescale = match (number(object, tags::RESCALE_SLOPE), number(object, tags::RESCALE_INTERCEPT)) {
            // A slope of 1 alone means nothing: in CT the intercept makes Hounsfield units.
            (None | Some(1.0), None) => None,
            (slope, intercept) => Some([slope.unwrap_or(1.0) as f32, intercept.unwrap_or(0.0) as f32]),
        };
        let given = array::<6>(object, tags::IMAGE_ORIENTATION_PATIENT);
        let orientation = given.and_then(directions);
        let [centres, widths] = [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| numbers::<f32>(object, tag));
        let windows = centres.into_iter().zip(widths).map(|(centre, width)| [centre, width]);
        let names = texts(object, tags::WINDOW_CENTER_WIDTH_EXPLANATION).into_iter().take(MOST_NUMBERS);
        let times = [
            tags::FRAME_REFERENCE_DATE_TIME,
            tags::FRAME_ACQUISITION_DATE_TIME,
            tags::ACQUISITION_DATE_TIME,
            tags::ACQUISITION_TIME,
            tags::CONTENT_TIME,
        ];
        let echo_time = || first(&[tags::EFFECTIVE_ECHO_TIME, tags::ECHO_TIME]).map(Echo::Time);
        Self {
            position: array(object, tags::IMAGE_POSITION_PATIENT),
            orientation,
            written_orientation: given,
            is_askew: given.is_some() && orientation.is_none(),
            pixel_spacing: array(object, tags::PIXEL_SPACING).filter(is_size),
            distances: [tags::SPACING_BETWEEN_SLICES, tags::SLICE_THICKNESS]
                .map(|tag| number(object, tag).map(f64::abs).filter(|mm| *mm > 0.0)),
            rescale: rescale.filter(|pair| pair.iter().all(|value| value.is_finite()) && pair[0] != 0.0),
            rescale_type: short(tags::RESCALE_TYPE).unwrap_or_default(),
            windows: windows.take(MOST_NUMBERS).collect(),
            window_names: names.map(|name| name.chars().take(2 * MOST_LETTERS).collect()).collect(),
            is_sigmoid: text(object, tags::VOILUT_FUNCTION)
                .is_some_and(|name| name.eq_ignore_ascii_case("SIGMOID")),
            index: numbers(object, tags::DIMENSION_INDEX_VALUES).into_iter().take(MOST_NUMBERS).collect(),
            stack: short(tags::STACK_ID).unwrap_or_default(),
            in_stack: number(object, tags::IN_STACK_POSITION_NUMBER),
            segment: numbers(object, tags::REFERENCED_SEGMENT_NUMBER).first().copied(),
            derived_from: text(object, tags::REFERENCED_SOP_INSTANCE_UID)
                .filter(|uid| uid.len() <= MOST_UID)
                .map(|uid| (uid, numbers(object, tags::REFERENCED_FRAME_NUMBER).first().copied())),
            echo: number(object, tags::ECHO_NUMBERS).map(Echo::Number).or_else(echo_time),
            b_value: number(object, tags::DIFFUSION_B_VALUE),
            trigger: first(&[tags::NOMINAL_CARDIAC_TRIGGER_DELAY_TIME, tags::TRIGGER_TIME]),
            temporal: first(&[tags::TEMPORAL_POSITION_INDEX, tags::TEMPORAL_POSITION_IDENTIFIER]),
            acquisition: first(&[tags::FRAME_ACQUISITION_NUMBER, tags::ACQUISITION_NUMBER]),
            time: times.into_iter().find_map(short).unwrap_or_default(),
            image_type: kind(&texts(object, tags::FRAME_TYPE))
                .or_else(|| kind(&texts(object, tags::IMAGE_TYPE)))
                .unwrap_or_default(),
        }
    }

    /// Returns these attributes, with missing ones taken from `other`.
    pub fn or(mut self, other: &Self) -> Self {
        fn fill<T: Clone>(own: &mut Option<T>, other: &Option<T>) {
            if own.is_none() {
                own.clone_from(other);
            }
        }
        fn fill_text(own: &mut String, other: &String) {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
        fill(&mut self.position, &other.position);
        if !self.is_askew {
            if self.orientation.is_none() {
                self.written_orientation = other.written_orientation;
            }
            fill(&mut self.orientation, &other.orientation);
            self.is_askew = other.is_askew && self.orientation.is_none();
        }
        fill(&mut self.pixel_spacing, &other.pixel_spacing);
        self.distances.iter_mut().zip(&other.distances).for_each(|(own, other)| fill(own, other));
        if self.rescale.is_none() {
            self.rescale = other.rescale;
            fill_text(&mut self.rescale_type, &other.rescale_type);
        }
        if self.windows.is_empty() {
            self.windows.clone_from(&other.windows);
            self.window_names.clone_from(&other.window_names);
            self.is_sigmoid |= other.is_sigmoid;
        }
        if self.index.is_empty() {
            self.index.clone_from(&other.index);
        }
        fill_text(&mut self.stack, &other.stack);
        fill(&mut self.in_stack, &other.in_stack);
        fill(&mut self.segment, &other.segment);
        fill(&mut self.derived_from, &other.derived_from);
        fill(&mut self.echo, &other.echo);
        fill(&mut self.b_value, &other.b_value);
        fill(&mut self.trigger, &other.trigger);
        fill(&mut self.temporal, &other.temporal);
        fill(&mut self.acquisition, &other.acquisition);
        fill_text(&mut self.time, &other.time);
        fill_text(&mut self.image_type, &other.image_type);
        self
    }

    /// Returns the position along `normal` in mm, or `None` if the frame has no position.
    pub fn depth(&self, normal: [f64; 3]) -> Option<f64> {
        self.position.map(|position| dot(normal, position))
    }

    /// Returns the unit vector perpendicular to the image in the direction in which slices are stacked, or
    /// `None` if the frame has no orientation.
    pub fn normal(&self) -> Option<[f64; 3]> {
        self.orientation.map(|[across, down]| cross(across, down))
    }

    /// Returns the valid windows with their names in the file, without repetitions. Windows without a name are
    /// called "File".
    pub fn named_windows(&self) -> Vec<NamedWindow> {
        let usable = self
            .windows
            .iter()
            .enumerate()
            .filter(|(_, [centre, width])| Window { centre: *centre, width: *width }.is_sound());
        let named = |(index, &[centre, width]): (usize, &[f32; 2])| {
            let name = self.window_names.get(index).map(|name| name.trim().to_owned());
            let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| match self.windows.len() {
                1 => "File".into(),
                _ => format!("File {}", index + 1),
            });
            NamedWindow { name, window: Window { centre, width } }
        };
        let mut windows: Vec<NamedWindow> = usable.map(named).collect();
        // Scanners often write the same window twice.
        windows.dedup_by(|b, a| a.window == b.window);
        windows
    }
}

/// Returns whether both sides are finite and positive lengths.
pub fn is_size(sides: &[f64; 2]) -> bool {
    sides.iter().all(|side| side.is_finite() && *side > 0.0)
}

/// Returns the row and column directions as unit vectors, or `None` if they are invalid or not perpendicular.
fn directions([a, b, c, d, e, f]: [f64; 6]) -> Option<[[f64; 3]; 2]> {
    let unit = |direction: [f64; 3]| {
        let length = norm(direction);
        (length.is_finite() && length > 1e-6).then(|| scaled(direction, 1.0 / length))
    };
    let (across, down) = (unit([a, b, c])?, unit([d, e, f])?);
    (dot(across, down).abs() <= SQUARE).then_some([across, down])
}

/// Returns the values of an image type after the first two, which are mostly "ORIGINAL\PRIMARY".
fn kind(parts: &[String]) -> Option<String> {
    let parts: Vec<&str> = parts.iter().skip(2).map(String::as_str).filter(|part| !part.is_empty()).collect();
    let text: String = parts.join(" ").chars().take(2 * MOST_LETTERS).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_that_are_none() {
        let square = directions([2.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
        assert_eq!(square, Some([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]]), "of length 1");
        assert!(directions([1.0, 0.0, 0.0, 0.005, 1.0, 0.0]).is_some(), "rounded");
        assert_eq!(directions([1.0, 0.0, 0.0, 0.1, 1.0, 0.0]), None);
        assert_eq!(directions([0.0; 6]), None);
        assert_eq!(directions([f64::MAX; 6]), None);
    }
}
