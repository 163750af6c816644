//! Writes label maps: 8-bit unsigned integers on the grid of the image, with a table of the labels' names beside them.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::open;
use super::write_grid::WrittenGrid;
use crate::data::error::one_line;
use crate::data::export::labels::LabelValues;
use crate::data::export::names;
use crate::data::volume::geometry::{minus, norm};
use crate::data::volume::{NiftiForm, Source, StoredPixels};
use crate::data::{DataError, Geometry, Limit, Volume, write};

/// The size of the header with the extension flag, where the voxels begin.
const VOXELS: usize = 352;
/// The code of 8-bit unsigned integers (NIFTI_TYPE_UINT8).
const UINT8: i16 = 2;
/// The code that tells other programs that the values are labels (NIFTI_INTENT_LABEL).
const LABELS: i16 = 1002;

/// Writes the labels of an image as a NIfTI-1 file (`.nii`, or compressed if the name ends with `.gz`) and their names
/// and colours as ITK-SNAP's label file beside it ([`names`]). Returns notes about the file, as sentences.
///
/// The voxels are those of the source file in its stored order, with its sform and qform and their codes, if the image
/// came from a NIfTI file; for other images they are in displayed order. The affine of a DICOM stack follows from the
/// positions of its slices. The file is read again and compared, voxel by voxel and position by position, before it gets
/// its name.
///
/// # Errors
/// Returns [`DataError::NotRepresentable`] if NIfTI cannot state the positions of the slices, [`DataError::Differs`] if
/// the file reads back differently, and [`DataError::Unwritable`] if it cannot be written.
pub fn label_map(path: &Path, volume: &Volume, labels: &LabelValues) -> Result<Vec<String>, DataError> {
    let refuse = |reason: String| DataError::NotRepresentable { path: path.to_owned(), reason };
    let grid = WrittenGrid::of(volume).map_err(refuse)?;
    if labels.shape != volume.shape() {
        return Err(refuse(format!(
            "the labels have {:?} pixels and the image {:?}",
            labels.shape,
            volume.shape()
        )));
    }
    let mut values = labels.values.clone();
    grid.turn.apply(&mut values, labels.shape, 1);
    let shape = grid.turn.shape(labels.shape);
    let header = header(&grid, shape).map_err(refuse)?;
    let fill = |out: &mut dyn Write| -> io::Result<()> {
        let is_packed = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("gz"));
        if is_packed {
            let mut packer = GzEncoder::new(out, Compression::default());
            packer.write_all(&header)?;
            packer.write_all(&values)?;
            packer.finish().map(|_| ())
        } else {
            out.write_all(&header)?;
            out.write_all(&values)
        }
    };
    write::checked(path, fill, |part| compare(part, volume, &grid, &values, shape))?;
    names::write(&names::beside(path), &labels.labels)?;
    let mut notes = grid.notes;
    notes.extend(labels.overlap_note());
    Ok(notes)
}

/// Returns the bytes of the header, little-endian (nifti1.h).
fn header(grid: &WrittenGrid, shape: [usize; 3]) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0_u8; VOXELS];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    put(38, b"r");
    put(40, &3_i16.to_le_bytes());
    for axis in 0..7 {
        let side = shape.get(axis).copied().unwrap_or(1);
        let side = i16::try_from(side).map_err(|_| {
            format!("an axis of {side} pixels is too long for NIfTI-1, which holds {}; export PNG", i16::MAX)
        })?;
        put(42 + 2 * axis, &side.to_le_bytes());
    }
    put(68, &LABELS.to_le_bytes());
    put(70, &UINT8.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    let fields = &grid.fields;
    fields.pixdim.iter().enumerate().for_each(|(axis, value)| put(76 + 4 * axis, &value.to_le_bytes()));
    put(108, &(VOXELS as f32).to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[fields.units]);
    put(148, b"Label map by himix");
    put(252, &grid.qform_code.to_le_bytes());
    put(254, &grid.sform_code.to_le_bytes());
    let places = fields.quaternion.iter().chain(&fields.offset).chain(fields.rows.iter().flatten());
    places.enumerate().for_each(|(number, value)| put(256 + 4 * number, &value.to_le_bytes()));
    put(328, b"labels");
    put(344, b"n+1\0");
    Ok(bytes)
}

/// Reads the file again. Returns what is not as it was meant.
fn compare(
    path: &Path,
    image: &Volume,
    grid: &WrittenGrid,
    values: &[u8],
    shape: [usize; 3],
) -> Result<(), String> {
    let mut read = open(path, Limit::default()).map_err(|error| one_line(&error))?;
    let Source::Nifti(source) = &read.source else { return Err("it is no NIfTI file".into()) };
    let codes = [source.sform_code, source.qform_code];
    if codes != [grid.sform_code, grid.qform_code] {
        return Err(format!("its sform and qform have the codes {codes:?}"));
    }
    if source.fields.rows != grid.fields.rows || source.fields.quaternion != grid.fields.quaternion {
        return Err("it has another sform or qform".into());
    }
    let has_position = source.used != NiftiForm::None;
    read.turn(read.geometry.turn.inverse());
    if read.shape() != shape || !matches!(&read.values, StoredPixels::U8(read) if read == values) {
        return Err("it has other voxels".into());
    }
    if has_position != grid.affine().is_some() {
        return Err("its position is missing".into());
    }
    // The voxels at the corners of every slice lie where the pixels of the image lie.
    let place =
        |geometry: &Geometry, [column, row, slice]: [usize; 3]| geometry.place(column as f64, row as f64, slice);
    let [columns, rows, slices] = shape;
    for slice in 0..slices {
        for [column, row] in [[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]] {
            let shown = grid.turn.stored([column, row, slice], image.shape());
            let pair = (place(&read.geometry, [column, row, slice]), place(&image.geometry, shown));
            let (Some(read), Some(meant)) = pair else { continue };
            let distance = norm(minus(read, meant));
            if distance > grid.tolerance {
                return Err(format!("voxel {column}, {row}, {slice} lies {distance:.4} mm beside its pixel"));
            }
        }
    }
    Ok(())
}
