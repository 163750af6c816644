//! The file a volume was read from and what it says about itself, for people who ask where a number comes from and
//! for pairing.

use super::Turn;

/// The kind of file, with its identity.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Source {
    /// There is no file: the image was drawn by this program.
    #[default]
    Made,
    /// PNG, JPEG, TIFF, BMP, WebP.
    Picture(PictureSource),
    /// DICOM: one object, or the slices of a series.
    Dicom(Box<DicomSource>),
    /// NIfTI.
    Nifti(Box<NiftiSource>),
}

/// What an image file says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureSource {
    /// For instance "PNG".
    pub format: &'static str,
    /// How samples are stored, for instance "palette of 4 colours, 8 bit".
    pub samples: String,
    /// EXIF orientation, 1 to 8, if the file has one.
    pub orientation: Option<u16>,
    /// Number of images in the file, including those that are not read: pages of a TIFF, frames of an animation.
    pub pages: usize,
}

/// What DICOM objects say about themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DicomSource {
    /// SOPClassUID.
    pub sop_class: String,
    /// SOPInstanceUID of every object, in the order of the slices; a single one for an object of several frames.
    pub sop_instances: Vec<String>,
    /// SeriesInstanceUID.
    pub series: String,
    /// SeriesDescription.
    pub series_description: String,
    /// StudyInstanceUID.
    pub study: String,
    /// Modality, for instance "CT".
    pub modality: String,
    /// AcquisitionNumber.
    pub acquisition: Option<i64>,
    /// AcquisitionDate and AcquisitionTime, or AcquisitionDateTime, as written.
    pub acquired: String,
    /// TransferSyntaxUID and its name.
    pub transfer_syntax: String,
    /// PhotometricInterpretation.
    pub photometric: String,
    /// RescaleType as written; empty if the file does not have it.
    pub rescale_type: String,
    /// Numbers of the frames, from 1, in the order of the slices, if it differs from that of the file.
    pub frames: Vec<usize>,
}

/// Which of the two position statements of a NIfTI header is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NiftiForm {
    /// Neither is used: the header does not say where the voxels lie.
    #[default]
    None,
    /// The matrix.
    Sform,
    /// The quaternion.
    Qform,
}

/// What a NIfTI header says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NiftiSource {
    /// sform_code.
    pub sform_code: i16,
    /// qform_code.
    pub qform_code: i16,
    /// Which of the two is used.
    pub used: NiftiForm,
    /// Maps stored voxel indices to RAS mm, three rows of four, by the form that is used.
    pub affine: Option<[[f64; 4]; 3]>,
    /// Name of the data type as stored, for instance "int16".
    pub data_type: &'static str,
    /// scl_slope and scl_inter as written.
    pub scaling: [f32; 2],
    /// Sizes of the axes beyond the third, for instance volumes in time; empty if there are none.
    pub further_axes: Vec<usize>,
}

/// SOP classes of segmentations: binary or fractional ones, and label maps.
const SEGMENTATIONS: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];

impl DicomSource {
    /// Whether the values are segment numbers.
    pub fn is_segmentation(&self) -> bool {
        SEGMENTATIONS.contains(&self.sop_class.as_str())
    }
}

impl Source {
    /// Returns the name of the kind of file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Made => "Drawn by this program",
            Self::Picture(picture) => picture.format,
            Self::Dicom(_) => "DICOM",
            Self::Nifti(_) => "NIfTI",
        }
    }
}

/// The turn that an image's EXIF orientation asks for.
impl PictureSource {
    /// Returns the turn, or `None` if the file has no orientation or one that changes nothing.
    pub fn turn(&self) -> Option<Turn> {
        self.orientation.and_then(Turn::of_exif).filter(|turn| !turn.is_none())
    }
}
