//! Positions of pixels: every order and direction of the axes, through DICOM series and NIfTI, and masks aligned with
//! images of any of them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use himix::data::mask::{Agreed, LabelMap, Laid, Pairing, lay, read};
use himix::data::volume::{NiftiForm, Source};
use himix::data::{DataError, LabelChoice, Limit, MaskReading, Volume, open};

use super::fixtures::{folder, put};
use crate::common::shared;

/// Number of voxels along the patient's left, back and head, and their distance in mm.
const SIZE: [usize; 3] = [3, 4, 2];
const MM: [f64; 3] = [1.0, 2.0, 5.0];
/// Centre of the voxel that is furthest to the right, front and feet (LPS).
const FIRST: [f64; 3] = [-11.0, 7.0, 30.0];

/// Returns the content at a position: every voxel has another number.
fn content([x, y, z]: [usize; 3]) -> u16 {
    (1 + x + 10 * y + 100 * z) as u16
}

/// The dimension along which each axis of the voxels runs, and whether it is reversed.
type Order = ([usize; 3], [bool; 3]);

fn orders() -> Vec<Order> {
    let axes = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    axes.into_iter()
        .flat_map(|axes| (0..8).map(move |bits| (axes, [bits & 1 > 0, bits & 2 > 0, bits & 4 > 0])))
        .collect()
}

/// Returns the spatial indices of the voxel with these indices.
fn in_space((axes, reversed): Order, voxel: [usize; 3]) -> [usize; 3] {
    let mut place = [0; 3];
    for axis in 0..3 {
        let size = SIZE[axes[axis]];
        place[axes[axis]] = if reversed[axis] { size - 1 - voxel[axis] } else { voxel[axis] };
    }
    place
}

/// Returns the position in the patient, in mm (LPS).
fn in_patient(place: [usize; 3]) -> [f64; 3] {
    std::array::from_fn(|part| FIRST[part] + MM[part] * place[part] as f64)
}

/// Returns a step along an axis of the voxels, in mm (LPS).
fn step((axes, reversed): Order, axis: usize) -> [f64; 3] {
    let mut step = [0.0; 3];
    step[axes[axis]] = if reversed[axis] { -MM[axes[axis]] } else { MM[axes[axis]] };
    step
}

fn shape((axes, _): Order) -> [usize; 3] {
    axes.map(|axis| SIZE[axis])
}

/// Makes a NIfTI file with an sform, of 16-bit voxels.
fn nifti(shape: [usize; 3], rows: [[f32; 4]; 3], voxels: &[u16]) -> Vec<u8> {
    let mut bytes = crate::formats::nifti(&shape, 512, 16, Some(rows));
    voxels.iter().for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
    bytes
}

/// Returns the rows of an affine from voxels to RAS.
fn affine(first: [f64; 3], steps: [[f64; 3]; 3]) -> [[f32; 4]; 3] {
    let sign = [-1.0, -1.0, 1.0];
    std::array::from_fn(|part| {
        let of = |value: f64| (sign[part] * value) as f32;
        [of(steps[0][part]), of(steps[1][part]), of(steps[2][part]), of(first[part])]
    })
}

fn as_nifti(folder: &tempfile::TempDir, number: usize, order: Order) -> PathBuf {
    let [columns, rows, slices] = shape(order);
    let mut voxels = Vec::new();
    for k in 0..slices {
        for j in 0..rows {
            voxels.extend((0..columns).map(|i| content(in_space(order, [i, j, k]))));
        }
    }
    let first = in_patient(in_space(order, [0; 3]));
    let rows = affine(first, [0, 1, 2].map(|axis| step(order, axis)));
    put(folder, &format!("{number}.nii"), &nifti(shape(order), rows, &voxels))
}

fn text(values: &[f64]) -> String {
    values.iter().map(f64::to_string).collect::<Vec<_>>().join("\\")
}

/// Writes a series with one file for each slice; the names have another order than the slices.
fn as_series(folder: &tempfile::TempDir, number: usize, order: Order) -> PathBuf {
    let [columns, rows, slices] = shape(order);
    let series = folder.path().join(format!("series{number}"));
    std::fs::create_dir_all(&series).expect("a folder");
    let unit = |axis: usize| {
        let step = step(order, axis);
        let length = MM[order.0[axis]];
        step.map(|part| part / length)
    };
    for k in 0..slices {
        let pixels: Vec<u16> =
            (0..rows).flat_map(|j| (0..columns).map(move |i| content(in_space(order, [i, j, k])))).collect();
        let words = |tag, vr, value: String| DataElement::new(tag, vr, PrimitiveValue::from(value));
        let number = |tag, value: u16| DataElement::new(tag, VR::US, dicom_value!(U16, value));
        let object = InMemDicomObject::from_element_iter([
            words(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.4".into()),
            words(tags::SOP_INSTANCE_UID, VR::UI, format!("2.25.{}", 1000 + k)),
            words(tags::MODALITY, VR::CS, "MR".into()),
            words(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.7".into()),
            words(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".into()),
            words(tags::PIXEL_SPACING, VR::DS, text(&[MM[order.0[1]], MM[order.0[0]]])),
            words(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, text(&[unit(0), unit(1)].concat())),
            words(tags::IMAGE_POSITION_PATIENT, VR::DS, text(&in_patient(in_space(order, [0, 0, k])))),
            number(tags::COLUMNS, columns as u16),
            number(tags::ROWS, rows as u16),
            number(tags::SAMPLES_PER_PIXEL, 1),
            number(tags::BITS_ALLOCATED, 16),
            number(tags::BITS_STORED, 16),
            number(tags::HIGH_BIT, 15),
            number(tags::PIXEL_REPRESENTATION, 0),
            DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())),
        ]);
        let meta = FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
        let path = series.join(format!("{}.dcm", 9 - k));
        object.with_meta(meta).expect("meta").write_to_file(path).expect("written");
    }
    series
}

fn opened(path: &Path) -> Volume {
    open::open(path, Limit::default(), &|_, _| true).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the letter of the side to which a step leads.
fn letter(step: [f64; 3]) -> char {
    let part = (0..3).max_by(|a, b| step[*a].abs().total_cmp(&step[*b].abs())).expect("a part");
    [['R', 'L'], ['A', 'P'], ['I', 'S']][part][usize::from(step[part] > 0.0)]
}

/// Asserts that every pixel lies where its content says, no position is left out, and the letters are correct.
fn lies_right(volume: &Volume, name: &str) {
    let [columns, rows, slices] = volume.shape();
    assert_eq!(columns * rows * slices, SIZE.iter().product::<usize>(), "{name}");
    let mut seen = BTreeSet::new();
    let place = |x: usize, y: usize, z: usize| volume.geometry.place(x as f64, y as f64, z).expect("a place");
    for z in 0..slices {
        let image = volume.slice(z);
        for y in 0..rows {
            for x in 0..columns {
                let at = place(x, y, z);
                let near = std::array::from_fn(|part| ((at[part] - FIRST[part]) / MM[part]).round() as usize);
                let exact = in_patient(near);
                assert!((0..3).all(|part| (at[part] - exact[part]).abs() < 1e-4), "{name}: {at:?}");
                assert_eq!(
                    image.value(x, y, 0),
                    f32::from(content(near)),
                    "{name}: column {x}, row {y}, slice {z}"
                );
                seen.insert(near);
            }
        }
    }
    assert_eq!(seen.len(), columns * rows * slices, "{name}");
    let way = |a: [f64; 3], b: [f64; 3]| std::array::from_fn(|part| b[part] - a[part]);
    let sides = volume.geometry.sides.expect("letters");
    let (right, bottom) =
        (letter(way(place(0, 0, 0), place(1, 0, 0))), letter(way(place(0, 0, 0), place(0, 1, 0))));
    assert_eq!((sides.right, sides.bottom), (right, bottom), "{name}");
    let spacing = volume.geometry.spacing_mm().expect("distances");
    let wanted: [f64; 3] = std::array::from_fn(|axis| {
        let to = [(1, 0, 0), (0, 1, 0), (0, 0, 1)][axis];
        let way: [f64; 3] = way(place(0, 0, 0), place(to.0, to.1, to.2));
        way.iter().map(|part| part * part).sum::<f64>().sqrt()
    });
    assert!((0..3).all(|axis| (spacing[axis] - wanted[axis]).abs() < 1e-4), "{name}: {spacing:?} {wanted:?}");
}

#[test]
fn every_order_of_axes_is_the_same_patient() {
    let folder = folder();
    // Slices by displayed plane: one order of axes and letters for each plane.
    let mut pictures: HashMap<[char; 2], Vec<Vec<f32>>> = HashMap::new();
    for (number, order) in orders().into_iter().enumerate() {
        let from_nifti = opened(&as_nifti(&folder, number, order));
        lies_right(&from_nifti, &format!("NIfTI {order:?}"));
        let series = opened(&as_series(&folder, number, order));
        lies_right(&series, &format!("series {order:?}"));
        assert!(series.geometry.turn.is_none(), "a series is shown as it is stored");
        let sides = from_nifti.geometry.sides.expect("letters");
        let slices: Vec<Vec<f32>> =
            (0..from_nifti.slices).map(|slice| from_nifti.slice(slice).floats().collect()).collect();
        let known = pictures.entry([sides.right, sides.bottom]).or_insert_with(|| slices.clone());
        assert_eq!(*known, slices, "{order:?}");
        // The turn is reverted to the stored order.
        let mut back = from_nifti.clone();
        back.turn(from_nifti.geometry.turn.inverse());
        assert_eq!(back.slice(0).value(0, 0, 0), f32::from(content(in_space(order, [0; 3]))), "{order:?}");
        assert_eq!(back.shape(), shape(order));
    }
    let mut planes: Vec<[char; 2]> = pictures.into_keys().collect();
    planes.sort_unstable();
    assert_eq!(planes, [['L', 'I'], ['L', 'P'], ['P', 'I']], "as radiologists look at the three planes");
}

#[test]
fn a_mask_of_any_order_lies_on_an_image_of_any_other() {
    let folder = folder();
    let orders = orders();
    let files: Vec<PathBuf> = orders
        .iter()
        .enumerate()
        .flat_map(|(number, order)| [as_nifti(&folder, number, *order), as_series(&folder, number, *order)])
        .collect();
    let images: Vec<Volume> = files.iter().map(|path| opened(path)).collect();
    let masks: Vec<LabelMap> =
        files.iter().map(|path| read(path, &MaskReading::default()).expect("labels")).collect();
    let mut same = 0;
    for (image, path) in images.iter().zip(&files) {
        for (mask, of) in masks.iter().zip(&files) {
            let Laid { labels, covered, pairing } = lay(of, mask.clone(), image.grid(), None, Agreed::Refuse)
                .unwrap_or_else(|error| panic!("{error}"));
            assert!(covered.iter().all(|is| *is));
            let stored = image.values.floats(0..image.values.len());
            let is_right =
                |(at, value): (usize, &f32)| labels.labels[labels.indices.at(at)].value == *value as i64;
            assert!(stored.iter().enumerate().all(is_right), "{} on {}", of.display(), path.display());
            same += usize::from(pairing == Pairing::ByPosition);
        }
    }
    assert!(same >= files.len() && same < files.len() * files.len(), "{same} need no other order");
}

/// One slice of labels for a whole series covers its own slice alone.
#[test]
fn a_mask_of_one_slice_covers_that_slice() {
    let folder = folder();
    let order = ([0, 1, 2], [false; 3]);
    let image = opened(&as_series(&folder, 0, order));
    let one: Vec<u16> = (0..12).map(|pixel| u16::from(pixel % 5 == 0)).collect();
    let steps = [0, 1, 2].map(|axis| step(order, axis));
    let path = put(&folder, "one.nii", &nifti([3, 4, 1], affine(in_patient([0, 0, 1]), steps), &one));
    let laid =
        lay(&path, read(&path, &MaskReading::default()).expect("labels"), image.grid(), None, Agreed::Refuse);
    let laid = laid.expect("it lies on the second slice");
    assert_eq!((laid.covered, laid.pairing), (vec![false, true], Pairing::OnSlice { slice: 2 }));
    assert_eq!(laid.labels.mask(1, &LabelChoice::Foreground).foreground(), 3);
    assert_eq!(laid.labels.mask(0, &LabelChoice::Foreground).foreground(), 0);
}

#[test]
fn a_slice_that_is_rounded_by_a_part_of_its_thickness_is_that_slice() {
    let folder = folder();
    let order = ([0, 1, 2], [false; 3]);
    let image = opened(&as_series(&folder, 0, order));
    let steps = [0, 1, 2].map(|axis| step(order, axis));
    let [x, y, z] = in_patient([0, 0, 1]);
    // A twentieth of the 5 mm between slices is 0.25 mm.
    for (off, fits) in [(0.2, true), (0.5, false)] {
        let rows = affine([x, y, z + off], steps);
        let path = put(&folder, "one.nii", &nifti([3, 4, 1], rows, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        let labels = read(&path, &MaskReading::default()).expect("labels");
        let laid = lay(&path, labels, image.grid(), None, Agreed::Refuse).map(|laid| laid.covered);
        assert_eq!(laid.ok(), fits.then(|| vec![false, true]), "{off} mm");
    }
}

#[test]
fn a_mask_without_a_position_lies_by_its_size_and_says_so() {
    let folder = folder();
    let order = ([0, 1, 2], [false; 3]);
    let image = opened(&as_series(&folder, 0, order));
    let mut labels = read(&as_nifti(&folder, 0, order), &MaskReading::default()).expect("labels");
    labels.geometry = himix::data::volume::Geometry::default();
    let laid = lay(Path::new("m.nii"), labels, image.grid(), None, Agreed::Refuse).expect("it has the same size");
    assert_eq!(laid.pairing, Pairing::BySize);
    let note = "The mask has no position, so it is aligned with the image pixel on pixel and slice on slice.";
    assert!(laid.labels.notes.iter().any(|said| said == note), "{:?}", laid.labels.notes);
}

#[test]
fn another_grid_is_refused_unless_the_user_agrees() {
    let folder = folder();
    let order = ([0, 1, 2], [false; 3]);
    let image = opened(&as_series(&folder, 0, order));
    // Half the distance, so twice as many voxels, along the patient's left.
    let fine: Vec<u16> = (0..6 * 4 * 2).map(|voxel| 1 + voxel % 6).collect();
    let mut steps = [0, 1, 2].map(|axis| step(order, axis));
    steps[0][0] /= 2.0;
    let path = put(&folder, "fine.nii", &nifti([6, 4, 2], affine(in_patient([0; 3]), steps), &fine));
    let labels = || read(&path, &MaskReading::default()).expect("labels");
    let refused = lay(&path, labels(), image.grid(), None, Agreed::Refuse).map(|_| ()).expect_err("another grid");
    let line = refused.to_string();
    assert!(matches!(refused, DataError::MaskGrid { .. }), "{line}");
    assert!(line.contains("6×4×2 of 0.50×2.00×5.00 mm") && line.contains("3×4×2 of 1.00×2.00×5.00 mm"), "{line}");
    let laid = lay(&path, labels(), image.grid(), None, Agreed::Resample).expect("as agreed");
    // At 0, 1 and 2 mm lie voxels 0, 2 and 4 of the mask.
    let row: Vec<i64> = (0..3).map(|at| laid.labels.labels[laid.labels.indices.at(at)].value).collect();
    assert_eq!((row, laid.pairing), (vec![1, 3, 5], Pairing::Resampled));
    assert!(lay(&path, labels(), image.grid(), None, Agreed::ByNumber).is_err(), "another number of voxels");

    // The affine was lost: the indices match, the positions do not.
    let lost: Vec<u16> = (0..24).collect();
    let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let path = put(&folder, "lost.nii", &nifti([3, 4, 2], affine([0.0; 3], unit), &lost));
    let labels = read(&path, &MaskReading::default()).expect("labels");
    let line = lay(&path, labels.clone(), image.grid(), None, Agreed::Refuse)
        .map(|_| ())
        .expect_err("elsewhere")
        .to_string();
    assert!(line.contains("or matched by voxel indices"), "{line}");
    let laid = lay(&path, labels, image.grid(), None, Agreed::ByNumber).expect("as agreed");
    let stored: Vec<i64> = (0..24).map(|at| laid.labels.labels[laid.labels.indices.at(at)].value).collect();
    assert_eq!(stored, (0..24).collect::<Vec<i64>>(), "voxel on voxel as stored");
}

#[derive(serde::Deserialize)]
struct Header {
    pixdim: [f32; 4],
    quaternion: [f32; 3],
    offset: [f32; 3],
    affine: [[f64; 4]; 3],
}

/// Random rotations of both handednesses, compared with nibabel (`tests/fixtures/nifti/make.py`).
#[test]
fn quaternions_are_those_of_nibabel() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/nifti/qforms.json");
    let text = std::fs::read_to_string(path).expect("the list");
    let headers: Vec<Header> = serde_json::from_str(&text).expect("a list");
    let folder = folder();
    for header in &headers {
        let mut bytes = nifti([3, 4, 5], [[0.0; 4]; 3], &(0..60).collect::<Vec<u16>>());
        let mut put_at = |at: usize, values: &[f32]| {
            let values: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
            bytes[at..at + values.len()].copy_from_slice(&values);
        };
        put_at(76, &header.pixdim);
        put_at(256, &header.quaternion);
        put_at(268, &header.offset);
        bytes[252..254].copy_from_slice(&1_i16.to_le_bytes());
        bytes[254..256].copy_from_slice(&0_i16.to_le_bytes());
        let volume = opened(&put(&folder, "q.nii", &bytes));
        let Source::Nifti(source) = &volume.source else { panic!("no NIfTI") };
        assert_eq!((source.used, source.qform_code, source.sform_code), (NiftiForm::Qform, 1, 0));
        let affine = source.affine.expect("an affine");
        for (row, wanted) in affine.iter().zip(&header.affine) {
            assert!(row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{affine:?} {:?}", header.affine);
        }
        // Every voxel, identified by its content, lies where the affine says.
        let [columns, rows, slices] = volume.shape();
        for at in 0..60 {
            let (x, y, z) = (at % columns, at / columns % rows, at / columns / rows);
            assert!(z < slices);
            let stored = volume.slice(z).value(x, y, 0) as usize;
            let voxel = [stored % 3, stored / 3 % 4, stored / 12].map(|part| part as f64);
            let place = volume.geometry.place(x as f64, y as f64, z).expect("a place");
            for (part, row) in header.affine.iter().enumerate() {
                let ras = row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3];
                let lps = if part < 2 { -ras } else { ras };
                assert!((place[part] - lps).abs() < 1e-3, "{place:?}");
            }
        }
    }
}

/// A degenerate matrix is ignored in favour of the quaternion, or of no position; it never mirrors.
#[test]
fn empty_matrices_are_not_used() {
    let folder = folder();
    let voxels: Vec<u16> = (0..24).collect();
    let nan = f32::NAN;
    let flat = [[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    for rows in [[[0.0; 4]; 3], [[nan; 4]; 3], flat] {
        let mut bytes = nifti([3, 4, 2], rows, &voxels);
        let nothing = opened(&put(&folder, "s.nii", &bytes));
        assert!(nothing.geometry.placement.is_none() && nothing.geometry.sides.is_none(), "{rows:?}");
        assert!(nothing.geometry.turn.is_none(), "as stored where nothing is known");
        assert_eq!((nothing.notes.len(), nothing.assumptions.len()), (1, 1), "{:?}", nothing.notes);
        // The unit quaternion.
        bytes[252..254].copy_from_slice(&1_i16.to_le_bytes());
        let by_quaternion = opened(&put(&folder, "q.nii", &bytes));
        let sides = by_quaternion.geometry.sides.expect("letters");
        assert_eq!((sides.left, sides.top), ('R', 'A'), "{rows:?}");
        // RAS as stored: the first voxel lies left and to the back, so at the lower right.
        assert_eq!(by_quaternion.slice(0).value(2, 3, 0), 0.0, "{rows:?}");
        assert_eq!(by_quaternion.notes.len(), 1, "{:?}", by_quaternion.notes);
    }
    // Both exist and differ: a note says so, and the sform is used.
    let mut bytes =
        nifti([3, 4, 2], affine([50.0, 0.0, 0.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), &voxels);
    bytes[252..254].copy_from_slice(&1_i16.to_le_bytes());
    let both = opened(&put(&folder, "b.nii", &bytes));
    assert!(both.notes.iter().any(|note| note.contains("differ by up to 54.3 mm")), "{:?}", both.notes);
    assert_eq!(both.geometry.place(0.0, 0.0, 0), Some([50.0, 0.0, 0.0]));
    let Some(folder) = shared("data/reports/18-bogus-sform") else { return };
    let of = |name: &str| opened(&folder.join(name));
    let (good, bogus) = (of("a_good.nii"), of("b_sform_zero_qform_good.nii"));
    assert_eq!(good.geometry, bogus.geometry);
    assert_eq!(good.values, bogus.values);
}

/// Series as scanners write them, with masks that ITK and nibabel wrote (`tests/fixtures/pairing/make.py`): a pixel is foreground where its
/// stored value is divisible by 3.
#[test]
fn masks_of_other_programs_lie_on_their_series() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pairing");
    let names =
        ["supine", "prone", "feet_first", "sagittal", "sagittal_from_left", "coronal", "rows_mirrored", "oblique"];
    for name in names {
        let image = opened(&root.join(name).join("series"));
        assert_eq!((image.unit, image.slices), ("HU", 3), "{name}");
        for file in ["mask.nii", "mask_nibabel.nii"] {
            let path = root.join(name).join(file);
            let truth = himix::data::Truth::read(&[path], image.grid(), &himix::data::TruthReading::default());
            let truth = truth.unwrap_or_else(|error| panic!("{error}"));
            for slice in 0..3 {
                let mask = truth.mask(slice).expect("every slice is covered");
                let stored = image.slice(slice).floats().map(|value| (value + 1024.0) as u32).collect::<Vec<_>>();
                let wanted: Vec<u8> = stored.iter().map(|value| u8::from(value % 3 == 0)).collect();
                assert_eq!(mask.values, wanted, "{name}, {file}, slice {slice}: {}", truth.words());
            }
        }
    }
}

/// A segmentation leaves out slices without foreground. Slices between its own, or before and after them, do not
/// count.
#[test]
fn slices_that_a_segmentation_leaves_out_are_background() {
    use himix::data::mask::{Indices, Label, MaskKind};
    use himix::data::volume::{DicomSource, Geometry, Placement};
    let stack = |heights: &[f64]| {
        let positions = heights.iter().map(|z| [0.0, 0.5 * z, *z]).collect();
        let placement = Placement { across: [1.0, 0.0, 0.0], down: [0.0, 1.0, 0.0], positions };
        let mut geometry =
            Geometry { pixel_mm: Some([1.0; 2]), placement: Some(placement), ..Geometry::default() };
        geometry.derive();
        geometry
    };
    let label = |value: i64| Label { value, colour: None, pixels: 0, is_foreground: value > 0 };
    // A lesion in two parts, in slices every 2 mm: each slice has the label of its position. The stack is tilted.
    let kept = [0.0, 2.0, 4.0, 10.0, 12.0];
    let labels = LabelMap {
        columns: 2,
        rows: 2,
        slices: 5,
        indices: Indices::U8((0..20).map(|at| 1 + at / 4).collect()),
        labels: (0..6).map(label).collect(),
        kind: MaskKind::Labels { count: 5 },
        geometry: stack(&kept),
        source: Source::Dicom(Box::new(DicomSource {
            sop_class: "1.2.840.10008.5.1.4.1.1.66.4".into(),
            ..DicomSource::default()
        })),
        notes: Vec::new(),
    };
    let heights: Vec<f64> = (-4..=10).map(|step| 2.0 * f64::from(step)).collect();
    let geometry = stack(&heights);
    let image = himix::data::mask::Grid { shape: [2, 2, heights.len()], geometry: &geometry };
    let wanted: Vec<i64> = heights
        .iter()
        .map(|height| kept.iter().position(|of| of == height).map_or(0, |place| place as i64 + 1))
        .collect();
    for agreed in [Agreed::Refuse, Agreed::Resample] {
        let laid = lay(Path::new("seg.dcm"), labels.clone(), image, None, agreed).expect("it lies on the image");
        let found: Vec<i64> =
            (0..heights.len()).map(|slice| laid.labels.labels[laid.labels.indices.at(4 * slice)].value).collect();
        assert_eq!(found, wanted, "{agreed:?}");
        assert!(laid.covered.iter().all(|is| *is), "an absent slice is background and not unknown");
    }
    let words = |shape: [usize; 3], heights: &[f64]| {
        let geometry = stack(heights);
        let image = himix::data::mask::Grid { shape, geometry: &geometry };
        lay(Path::new("seg.dcm"), labels.clone(), image, None, Agreed::Refuse)
            .expect("it lies there")
            .pairing
            .words()
    };
    // All of its five slices are used.
    assert_eq!(words([2, 2, 15], &heights), "by position (the mask has 5 of 15 slices)");
    // The slice at 12 mm is not, and at 6 and 8 mm there is none.
    let below = [0.0, 2.0, 4.0, 6.0, 8.0, 10.0];
    assert_eq!(words([2, 2, 6], &below), "by position (a part of the mask, in 4 of 6 slices)");
    assert_eq!(words([2, 2, 3], &kept[..3]), "by position (a part of the mask)");
    assert_eq!(words([2, 1, 5], &kept), "by position (a part of the mask)");
    assert_eq!(words([2, 2, 5], &[0.0, 2.0, 4.0, 12.0, 10.0]), "by position (slices in another order)");
    assert_eq!(words([2, 2, 5], &kept), "by position");
    // A mask that is not a segmentation does not leave out slices.
    let other = LabelMap { source: Source::Made, ..labels };
    assert!(lay(Path::new("mask.nii"), other, image, None, Agreed::Refuse).is_err());
}

/// A plane whose rows and columns are not at right angles: the slices keep their distance, and the stack is not
/// tilted.
#[test]
fn a_plane_that_is_sheared() {
    let folder = folder();
    let steps = [[1.5, 0.0, 0.0], [0.6, 2.0, 0.0], [0.0, 0.0, 3.0]];
    let voxels: Vec<u16> = (0..24).collect();
    let volume = opened(&put(&folder, "shear.nii", &nifti([3, 4, 2], affine([0.0; 3], steps), &voxels)));
    assert!(
        volume.geometry.slice_mm.is_some_and(|step| (step - 3.0).abs() < 1e-6),
        "{:?}",
        volume.geometry.slice_mm
    );
    assert_eq!(volume.geometry.tilt(), None);
}

#[test]
fn another_frame_of_reference_is_said_and_not_resampled() {
    let folder = folder();
    let order = ([0, 1, 2], [false; 3]);
    let mut image = opened(&as_series(&folder, 0, order));
    let mut labels = read(&as_nifti(&folder, 0, order), &MaskReading::default()).expect("labels");
    image.geometry.frame_of_reference = "2.25.1".into();
    labels.geometry.frame_of_reference = "2.25.2".into();
    for agreed in [Agreed::Refuse, Agreed::Resample] {
        let refused = lay(Path::new("m.dcm"), labels.clone(), image.grid(), None, agreed)
            .map(|_| ())
            .expect_err("elsewhere");
        assert!(matches!(refused, DataError::MaskFrame { .. }), "{refused}");
    }
    assert!(lay(Path::new("m.dcm"), labels, image.grid(), None, Agreed::ByNumber).is_ok());
}
