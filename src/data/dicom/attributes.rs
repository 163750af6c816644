//! The attributes of a DICOM object that its pixels need.

use std::path::Path;
use std::str::FromStr;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use super::codestream;
use super::reader::Contents;
use crate::data::DataError;
use crate::data::volume::{Geometry, Kind, NamedWindow, Placement, Sides, SliceDistance, Window};

/// The elements that are looked at here, and those that the others depend on. No other is read.
pub const WANTED: &[Tag] = &[
    tags::BITS_ALLOCATED,
    tags::BITS_STORED,
    tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::COLUMNS,
    tags::FRAME_OF_REFERENCE_UID,
    tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::IMAGER_PIXEL_SPACING,
    tags::IMAGE_ORIENTATION_PATIENT,
    tags::IMAGE_POSITION_PATIENT,
    tags::INSTANCE_NUMBER,
    tags::MODALITY,
    tags::NOMINAL_SCANNED_PIXEL_SPACING,
    tags::NUMBER_OF_FRAMES,
    tags::PATIENT_NAME,
    tags::PATIENT_ORIENTATION,
    tags::PHOTOMETRIC_INTERPRETATION,
    tags::PIXEL_PADDING_VALUE,
    tags::PIXEL_REPRESENTATION,
    tags::PIXEL_SPACING,
    tags::PLANAR_CONFIGURATION,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
    tags::RESCALE_INTERCEPT,
    tags::RESCALE_SLOPE,
    tags::RESCALE_TYPE,
    tags::ROWS,
    tags::SAMPLES_PER_PIXEL,
    tags::SERIES_DESCRIPTION,
    tags::SERIES_INSTANCE_UID,
    tags::SLICE_THICKNESS,
    tags::SPACING_BETWEEN_SLICES,
    tags::SPECIFIC_CHARACTER_SET,
    tags::VOILUT_FUNCTION,
    tags::WINDOW_CENTER,
    tags::WINDOW_CENTER_WIDTH_EXPLANATION,
    tags::WINDOW_WIDTH,
];

/// What the header says.
#[derive(Clone, Debug)]
pub struct Attributes {
    pub columns: usize,
    pub rows: usize,
    pub frames: usize,
    pub samples: usize,
    pub bits_allocated: usize,
    pub bits_stored: usize,
    pub is_signed: bool,
    /// Whether each frame has one plane for each colour.
    pub is_planar: bool,
    pub photometric: String,
    pub modality: String,
    pub rescale: Option<[f32; 2]>,
    pub rescale_type: Option<String>,
    pub padding: Option<f32>,
    pub patient: Option<String>,
    pub series: String,
    /// What positions are counted from; empty where the file does not say.
    pub frame_of_reference: String,
    pub instance: f64,
    pub description: String,
    /// Of the first pixel, mm.
    pub position: Option<[f64; 3]>,
    /// Direction of columns and rows.
    pub orientation: Option<[f64; 6]>,
    /// Row spacing, column spacing.
    pub pixel_spacing: Option<[f64; 2]>,
    pub thickness: Option<f64>,
    patient_orientation: Vec<String>,
    centres: Vec<f32>,
    widths: Vec<f32>,
    window_names: Vec<String>,
    /// Whether its windows are curves (DICOM PS3.3 C.11.2.1.3.1).
    pub is_sigmoid: bool,
    /// How its pixels are compressed.
    pub syntax: String,
}

impl Attributes {
    /// Of an object.
    ///
    /// # Errors
    /// It has no pixels.
    pub fn of(path: &Path, contents: &Contents) -> Result<Self, DataError> {
        let object = &contents.object;
        let number = |tag| numbers::<f64>(object, tag).first().copied();
        let count = |tag| number(tag).filter(|value| *value >= 0.0).map(|value| value as usize);
        let (Some(columns), Some(rows)) = (count(tags::COLUMNS), count(tags::ROWS)) else {
            return Err(DataError::NoPixelData { path: path.to_owned() });
        };
        if columns == 0 || rows == 0 {
            let (width, height) = (columns as u32, rows as u32);
            return Err(DataError::NoPixels { path: path.to_owned(), width, height });
        }
        let spacing = [tags::PIXEL_SPACING, tags::IMAGER_PIXEL_SPACING, tags::NOMINAL_SCANNED_PIXEL_SPACING];
        let rescale = match (number(tags::RESCALE_SLOPE), number(tags::RESCALE_INTERCEPT)) {
            (None, None) => None,
            (slope, intercept) => Some([slope.unwrap_or(1.0) as f32, intercept.unwrap_or(0.0) as f32]),
        };
        let is_signed = number(tags::PIXEL_REPRESENTATION) == Some(1.0);
        let bits_allocated = count(tags::BITS_ALLOCATED).unwrap_or(8);
        let bits_stored = count(tags::BITS_STORED).unwrap_or(bits_allocated);
        Ok(Self {
            columns,
            rows,
            frames: count(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1),
            samples: count(tags::SAMPLES_PER_PIXEL).unwrap_or(1).max(1),
            bits_allocated,
            bits_stored,
            is_signed,
            is_planar: number(tags::PLANAR_CONFIGURATION) == Some(1.0),
            photometric: text(object, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default().to_uppercase(),
            modality: text(object, tags::MODALITY).unwrap_or_default().to_uppercase(),
            rescale: rescale.filter(|pair| pair.iter().all(|value| value.is_finite()) && pair[0] != 0.0),
            rescale_type: text(object, tags::RESCALE_TYPE),
            padding: number(tags::PIXEL_PADDING_VALUE).map(|value| signed(value, is_signed, bits_stored)),
            patient: text(object, tags::PATIENT_NAME),
            series: text(object, tags::SERIES_INSTANCE_UID).unwrap_or_default(),
            frame_of_reference: text(object, tags::FRAME_OF_REFERENCE_UID).unwrap_or_default(),
            instance: number(tags::INSTANCE_NUMBER).unwrap_or(0.0),
            description: text(object, tags::SERIES_DESCRIPTION).unwrap_or_default(),
            position: array(&numbers(object, tags::IMAGE_POSITION_PATIENT)),
            orientation: array(&numbers(object, tags::IMAGE_ORIENTATION_PATIENT)),
            pixel_spacing: spacing.iter().find_map(|tag| array(&numbers(object, *tag))),
            thickness: number(tags::SPACING_BETWEEN_SLICES).or_else(|| number(tags::SLICE_THICKNESS)),
            patient_orientation: texts(object, tags::PATIENT_ORIENTATION),
            centres: numbers(object, tags::WINDOW_CENTER),
            widths: numbers(object, tags::WINDOW_WIDTH),
            window_names: texts(object, tags::WINDOW_CENTER_WIDTH_EXPLANATION),
            is_sigmoid: text(object, tags::VOILUT_FUNCTION)
                .is_some_and(|name| name.eq_ignore_ascii_case("SIGMOID")),
            syntax: contents.syntax.clone(),
        })
    }

    /// Memory of the decoded pixels, as the header claims.
    pub fn bytes(&self) -> u64 {
        let bytes = self.bits_allocated.div_ceil(8).max(1);
        [self.rows, self.frames, self.samples, bytes]
            .iter()
            .fold(self.columns as u64, |product, &factor| product.saturating_mul(factor as u64))
    }

    /// What made the picture. A grey picture in Hounsfield units without a modality is taken for CT.
    pub fn kind(&self) -> Kind {
        match self.modality.as_str() {
            "CT" => Kind::Ct,
            "CR" | "DX" | "MG" | "RG" | "IO" | "PX" | "XA" | "RF" => Kind::Radiograph,
            _ => Kind::Other,
        }
    }

    pub fn is_palette(&self) -> bool {
        self.photometric == "PALETTE COLOR"
    }

    /// Where the pixels lie, as far as one object says.
    pub fn geometry(&self) -> Geometry {
        let is_length = |value: f64| value.is_finite() && value > 0.0;
        let pixel_mm = self.pixel_spacing.map(|[row, column]| [column, row]);
        let placement = match (self.orientation, self.position) {
            (Some([a, b, c, d, e, f]), Some(position)) => {
                Some(Placement { across: [a, b, c], down: [d, e, f], positions: vec![position] })
            }
            _ => None,
        };
        Geometry {
            pixel_mm: pixel_mm.filter(|sides| sides.iter().all(|side| is_length(*side))),
            slice_mm: self.thickness.map(f64::abs).filter(|side| is_length(*side)),
            slice_from: SliceDistance::Thickness,
            placement,
            sides: self.sides(),
            frame_of_reference: self.frame_of_reference.clone(),
            ..Geometry::default()
        }
    }

    /// By the orientation in space, or by the letters that a projection has.
    pub fn sides(&self) -> Option<Sides> {
        if let Some([a, b, c, d, e, f]) = self.orientation {
            return Sides::new([a, b, c], [d, e, f]);
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

    /// Windows with the names that the file gives them.
    pub fn windows(&self) -> Vec<NamedWindow> {
        let pairs = self.centres.iter().zip(&self.widths).enumerate();
        let usable = pairs.filter(|(_, (centre, width))| centre.is_finite() && **width > 0.0 && width.is_finite());
        let named = |(index, (&centre, &width)): (usize, (&f32, &f32))| {
            let name = self.window_names.get(index).map(|name| name.trim().to_owned());
            let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| match self.centres.len() {
                1 => "File".into(),
                _ => format!("File {}", index + 1),
            });
            NamedWindow { name, window: Window { centre, width } }
        };
        let mut windows: Vec<NamedWindow> = usable.map(named).collect();
        // Scanners like to write the same window twice.
        windows.dedup_by(|b, a| a.window == b.window);
        windows
    }

    /// Position along the direction in which slices are stacked, mm.
    pub fn depth(&self) -> Option<f64> {
        let [ax, ay, az, bx, by, bz] = self.orientation?;
        let normal = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
        let position = self.position?;
        Some(normal.iter().zip(position).map(|(a, b)| a * b).sum())
    }

    /// Why the pixels could not be decoded.
    pub fn refusal(&self, path: &Path, reason: &str) -> DataError {
        if reason.contains("nsupported") || reason.contains("nimplemented") {
            let name = format!("{}: {reason}", codestream::name(&self.syntax));
            return DataError::Compression { path: path.to_owned(), name };
        }
        DataError::damaged(path, reason)
    }
}

/// A padding value that was written unsigned although the pixels are signed.
fn signed(value: f64, is_signed: bool, bits: usize) -> f32 {
    let limit = 2_f64.powi(bits.clamp(1, 32) as i32 - 1);
    (if is_signed && value >= limit { value - 2.0 * limit } else { value }) as f32
}

fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let text = object.element_opt(tag).ok()??.to_str().ok()?.trim_matches(['\0', ' ']).to_owned();
    (!text.is_empty()).then_some(text)
}

fn texts(object: &InMemDicomObject, tag: Tag) -> Vec<String> {
    let element = object.element_opt(tag).ok().flatten();
    let strings = element.and_then(|element| element.to_multi_str().ok().map(|strings| strings.to_vec()));
    strings.unwrap_or_default().iter().map(|text| text.trim_matches(['\0', ' ']).to_owned()).collect()
}

/// Numbers, however they are written: some write `00500\00500`, some with spaces, some in binary.
fn numbers<T: FromStr>(object: &InMemDicomObject, tag: Tag) -> Vec<T> {
    texts(object, tag).iter().filter_map(|text| text.trim().trim_end_matches('.').parse().ok()).collect()
}

fn array<const N: usize>(values: &[f64]) -> Option<[f64; N]> {
    let array: [f64; N] = values.get(..N)?.try_into().ok()?;
    array.iter().all(|value| value.is_finite()).then_some(array)
}
