//! The kind of file that a volume was read from and the metadata of its format. They document where values come
//! from, and are used for matching masks to images.

use super::Turn;

/// The kind of file, with its metadata.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Source {
    /// There is no file: the image was drawn by this program.
    #[default]
    Made,
    /// The file is a PNG, JPEG, TIFF, BMP or WebP image.
    Picture(PictureSource),
    /// The volume comes from one DICOM object, or from the slices of a DICOM series.
    Dicom(Box<DicomSource>),
    /// The file is a NIfTI volume.
    Nifti(Box<NiftiSource>),
}

/// The metadata of an image file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PictureSource {
    /// Name of the format, for instance "PNG".
    pub format: &'static str,
    /// How samples are stored, for instance "palette of 4 colours, 8 bit".
    pub samples: String,
    /// EXIF orientation, 1 to 8, if the file has one.
    pub orientation: Option<u16>,
    /// Number of images in the file, including those that are not read: pages of a TIFF, frames of an animation.
    pub pages: usize,
}

/// The metadata of DICOM objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DicomSource {
    /// SOPClassUID.
    pub sop_class: String,
    /// SOPInstanceUID of every object, in the order of the slices; a single one for a multi-frame object.
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
    /// Whether the compressed pixels themselves say that they lost information. JPEG 2000 may lose some without
    /// saying so.
    pub is_lossy: bool,
    /// PhotometricInterpretation.
    pub photometric: String,
    /// RescaleType as written; empty if the file does not have it.
    pub rescale_type: String,
    /// Frame numbers, from 1, in the order of the slices; empty if the slices are in the order of the file.
    pub frames: Vec<usize>,
}

/// The transformation of a NIfTI header that is used: sform, qform or neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NiftiForm {
    /// Neither is used; the positions of the voxels are not known.
    #[default]
    None,
    /// The sform, an affine matrix, is used.
    Sform,
    /// The qform, a rotation given by a quaternion, is used.
    Qform,
}

/// The fields of a NIfTI header from which the sizes and positions of the voxels follow, as stored. With them a file
/// on the same grid can be written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NiftiFields {
    /// pixdim 0 to 3: the sign of the third axis, and the sizes of a voxel.
    pub pixdim: [f32; 4],
    /// xyzt_units.
    pub units: u8,
    /// quatern_b, quatern_c and quatern_d.
    pub quaternion: [f32; 3],
    /// qoffset_x, qoffset_y and qoffset_z.
    pub offset: [f32; 3],
    /// srow_x, srow_y and srow_z.
    pub rows: [[f32; 4]; 3],
}

/// The metadata in a NIfTI header.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NiftiSource {
    /// sform_code.
    pub sform_code: i16,
    /// qform_code.
    pub qform_code: i16,
    /// The transformation that is used.
    pub used: NiftiForm,
    /// The affine of the transformation that is used: three rows of four numbers, from stored voxel indices to
    /// RAS coordinates in mm.
    pub affine: Option<[[f64; 4]; 3]>,
    /// The header's own fields of size and position.
    pub fields: NiftiFields,
    /// Name of the data type as stored, for instance "int16".
    pub data_type: &'static str,
    /// scl_slope and scl_inter as written.
    pub scaling: [f32; 2],
    /// Sizes of the axes beyond the third, for instance the number of time points; empty if there are none.
    pub further_axes: Vec<usize>,
}

/// SOP classes of segmentations: binary or fractional segmentations, and label maps.
const SEGMENTATIONS: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"];

impl DicomSource {
    /// Returns whether the object is a segmentation.
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

impl PictureSource {
    /// Returns the turn that makes the image upright according to its EXIF orientation. `None` if the file has
    /// no orientation, an invalid one, or one that changes nothing.
    pub fn turn(&self) -> Option<Turn> {
        self.orientation.and_then(Turn::of_exif).filter(|turn| !turn.is_none())
    }
}
