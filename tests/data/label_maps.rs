//! Label maps as NIfTI: every voxel at the place of its pixel, in the order and with the header of the source.

use std::path::Path;

use himix::data::export::{LabelMasks, LabelValues, read_labels};
use himix::data::mask::Agreed;
use himix::data::nifti::{label_map, open};
use himix::data::volume::{Measured, Placement, Source, StoredPixels};
use himix::data::{DataError, Limit, Mask, MaskReading, Volume};

use super::fixtures::{folder, put};

const SHAPE: [usize; 3] = [5, 4, 3];

/// Makes two labels of which every pixel tells where it is.
fn labels(volume: &Volume) -> Vec<LabelMasks> {
    let [width, height, slices] = volume.shape();
    let label = |name: &str, colour, rest: usize| {
        let mask = |slice: usize| {
            let values = (0..width * height).map(|at| u8::from((at * at + slice) % 7 % 3 == rest)).collect();
            (slice, Mask { width, height, values }.into())
        };
        LabelMasks { name: name.into(), colour, slices: (0..slices).map(mask).collect() }
    };
    vec![label("left lung", [255, 0, 0], 1), label("right lung", [0, 255, 0], 2)]
}

fn values(volume: &Volume) -> LabelValues {
    LabelValues::of(Path::new("labels"), volume.shape(), &labels(volume)).expect("values")
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).expect("a file");
    if path.extension().is_some_and(|end| end == "gz") {
        let mut out = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes.as_slice()), &mut out).expect("gzip");
        return out;
    }
    bytes
}

fn short(bytes: &[u8], at: usize) -> i16 {
    i16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn float(bytes: &[u8], at: usize) -> f64 {
    f64::from(f32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
}

/// The position (RAS) of a voxel by the sform, written down a second time from nifti1.h.
fn by_sform(bytes: &[u8], voxel: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|row| {
        let at = |column: usize| float(bytes, 280 + 16 * row + 4 * column);
        at(0) * voxel[0] + at(1) * voxel[1] + at(2) * voxel[2] + at(3)
    })
}

/// The position (RAS) of a voxel by the qform, written down a second time from nifti1.h.
fn by_qform(bytes: &[u8], [i, j, k]: [f64; 3]) -> [f64; 3] {
    let [b, c, d] = [256, 260, 264].map(|at| float(bytes, at));
    let a = (1.0 - b * b - c * c - d * d).max(0.0).sqrt();
    let qfac = if float(bytes, 76) < 0.0 { -1.0 } else { 1.0 };
    let [x, y, z] = [i * float(bytes, 80), j * float(bytes, 84), qfac * k * float(bytes, 88)];
    let rows = [
        [a * a + b * b - c * c - d * d, 2.0 * (b * c - a * d), 2.0 * (b * d + a * c)],
        [2.0 * (b * c + a * d), a * a + c * c - b * b - d * d, 2.0 * (c * d - a * b)],
        [2.0 * (b * d - a * c), 2.0 * (c * d + a * b), a * a + d * d - b * b - c * c],
    ];
    std::array::from_fn(|row| rows[row][0] * x + rows[row][1] * y + rows[row][2] * z + float(bytes, 268 + 4 * row))
}

/// Checks that every voxel of the file lies where the pixel with its label lies, by each form that the file has.
fn check_places(path: &Path, volume: &Volume, made: &LabelValues, tolerance: f64) {
    let bytes = unpacked(path);
    let shape: [usize; 3] = std::array::from_fn(|axis| short(&bytes, 42 + 2 * axis) as usize);
    assert_eq!((short(&bytes, 70), short(&bytes, 72), float(&bytes, 112), float(&bytes, 116)), (2, 8, 1.0, 0.0));
    let [columns, rows, slices] = volume.shape();
    let mut pixels = Vec::new();
    for (at, value) in made.values.iter().enumerate().filter(|(_, value)| **value != 0) {
        let (column, row, slice) = (at % columns, at / columns % rows, at / columns / rows);
        let [x, y, z] = volume.geometry.place(column as f64, row as f64, slice).expect("a place");
        pixels.push(([-x, -y, z], *value));
    }
    assert_eq!(bytes.len(), 352 + columns * rows * slices);
    let mut found = 0;
    for (at, value) in bytes[352..].iter().enumerate().filter(|(_, value)| **value != 0) {
        found += 1;
        let voxel = [at % shape[0], at / shape[0] % shape[1], at / shape[0] / shape[1]].map(|side| side as f64);
        let forms = [
            (short(&bytes, 254) > 0).then(|| by_sform(&bytes, voxel)),
            (short(&bytes, 252) > 0).then(|| by_qform(&bytes, voxel)),
        ];
        assert!(forms.iter().any(Option::is_some), "no position");
        for place in forms.into_iter().flatten() {
            let is_near = |other: &[f64; 3]| (0..3).all(|part| (place[part] - other[part]).abs() < tolerance);
            let is_there = pixels.iter().any(|(pixel, label)| label == value && is_near(pixel));
            assert!(is_there, "{}: {voxel:?} at {place:?}", path.display());
        }
    }
    assert_eq!(found, pixels.len());
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// A stack whose slices follow one another along their normal, `tilt` mm further along the rows with each.
fn stack(across: [f64; 3], down: [f64; 3], step: f64, tilt: f64) -> Volume {
    let [columns, rows, slices] = SHAPE;
    let mut volume = Volume::plain(columns, rows, slices, StoredPixels::I16(vec![0; columns * rows * slices]));
    let normal = cross(across, down);
    let place = |slice: usize| {
        let start = [-123.4, 56.7, 890.1];
        std::array::from_fn(|part| start[part] + slice as f64 * (step * normal[part] + tilt * down[part]))
    };
    volume.geometry.pixel_mm = Some([0.7, 0.9]);
    volume.geometry.placement = Some(Placement { across, down, positions: (0..slices).map(place).collect() });
    volume.geometry.derive();
    volume
}

/// The directions of rows and columns, turned by angles around x and z.
fn turned(across: [f64; 3], down: [f64; 3], x: f64, z: f64) -> [[f64; 3]; 2] {
    [across, down].map(|[a, b, c]| {
        let [b, c] = [b * x.cos() - c * x.sin(), b * x.sin() + c * x.cos()];
        [a * z.cos() - b * z.sin(), a * z.sin() + b * z.cos(), c]
    })
}

#[test]
fn stacks_in_every_direction_have_their_voxels_in_place() {
    let folder = folder();
    let planes = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        [[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]],
        [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
        [[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
        [[0.0, 1.0, 0.0], [0.0, 0.0, -1.0]],
        [[0.0, -1.0, 0.0], [0.0, 0.0, 1.0]],
    ];
    for (number, [across, down]) in planes.into_iter().enumerate() {
        for (x, z) in [(0.0, 0.0), (0.3, -0.2), (0.0004, 0.0007), (1e-5, 3e-5)] {
            for step in [2.5, -2.5] {
                let [across, down] = turned(across, down, x, z);
                let volume = stack(across, down, step, 0.0);
                let made = values(&volume);
                let path = folder.path().join(format!("{number}.nii.gz"));
                let notes = label_map(&path, &volume, &made).expect("written");
                check_places(&path, &volume, &made, 1e-3);
                let bytes = unpacked(&path);
                assert_eq!((short(&bytes, 254), bytes[123]), (1, 2));
                // Where the first number of the quaternion is small, the precision of the others may be too low.
                let is_exact = short(&bytes, 252) == 1;
                assert!(is_exact || (x > 0.0 && x < 0.01), "{number} {x} {z}");
                assert_eq!(notes.len(), usize::from(!is_exact), "{notes:?}");
                // It is laid on the image again by position, with its names and colours.
                let opened = read_labels(&path, &volume, &MaskReading::default(), None, Agreed::Refuse);
                assert_eq!(opened.expect("labels").labels, labels(&volume), "{number} {x} {z}");
            }
        }
    }
}

#[test]
fn a_tilted_stack_is_in_the_sform_alone() {
    let folder = folder();
    let volume = stack([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 2.5, 0.6);
    let made = values(&volume);
    let path = folder.path().join("tilted.nii");
    let notes = label_map(&path, &volume, &made).expect("written");
    assert!(notes.len() == 1 && notes[0].contains("tilted by 13.5°") && notes[0].contains("sform"), "{notes:?}");
    let bytes = unpacked(&path);
    assert_eq!((short(&bytes, 252), short(&bytes, 254)), (0, 1));
    check_places(&path, &volume, &made, 1e-3);
}

#[test]
fn uneven_stacks_are_refused_and_rounded_ones_say_so() {
    let folder = folder();
    let path = folder.path().join("uneven.nii");
    let mut volume = stack([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 2.5, 0.0);
    let moved = |volume: &mut Volume, by: f64| {
        volume.geometry.placement.as_mut().expect("a placement").positions[2][2] += by;
    };
    moved(&mut volume, 2.5);
    let error = label_map(&path, &volume, &values(&volume)).expect_err("refused").to_string();
    let says = ["uneven.nii", "equal distances (2.50 to 5.00 mm)", "DICOM-SEG"];
    assert!(says.iter().all(|words| error.contains(words)), "{error}");
    assert!(!path.exists());
    moved(&mut volume, -2.495);
    let made = values(&volume);
    let notes = label_map(&path, &volume, &made).expect("written");
    assert!(notes[0].contains("rounded") && notes[0].contains("mm"), "{notes:?}");
    check_places(&path, &volume, &made, 0.006);
    // All slices in one place, as in a series over time.
    let first = volume.geometry.placement.as_ref().expect("a placement").positions[0];
    volume.geometry.placement.as_mut().expect("a placement").positions = vec![first; 3];
    let error = label_map(&path, &volume, &values(&volume)).expect_err("refused").to_string();
    assert!(error.contains("one place"), "{error}");
}

/// Takes over the header of the source in all directions: order of the voxels, both forms and their codes.
#[test]
fn a_nifti_source_keeps_its_grid() {
    let folder = folder();
    for number in 0..48 {
        let axes = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]][number / 8];
        let mut rows = [[0.02_f32, 0.01, 0.03, -7.5]; 3];
        for (axis, part) in axes.into_iter().enumerate() {
            let sign = if number >> axis & 1 == 1 { -1.0 } else { 1.0 };
            rows[part][axis] = sign * [2.0, 3.0, 4.0][axis];
        }
        let mut bytes = crate::formats::nifti(&SHAPE, 4, 16, Some(rows));
        for (axis, size) in [-1.0_f32, 2.0, 3.0, 4.0].iter().enumerate() {
            bytes[76 + 4 * axis..80 + 4 * axis].copy_from_slice(&size.to_le_bytes());
        }
        // A qform of its own, close to no other; the sform takes precedence.
        bytes[252..254].copy_from_slice(&2_i16.to_le_bytes());
        bytes[254..256].copy_from_slice(&4_i16.to_le_bytes());
        for (at, value) in [0.1_f32, -0.2, 0.3, 11.0, 12.0, 13.0].iter().enumerate() {
            bytes[256 + 4 * at..260 + 4 * at].copy_from_slice(&value.to_le_bytes());
        }
        let source = bytes.clone();
        (0..60_i16).for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
        let volume = open(&put(&folder, "source.nii", &bytes), Limit::default()).expect("a volume");
        // The label is where the source's voxel number is in the mask's pattern.
        let [width, height, slices] = volume.shape();
        let mask = |slice: usize| {
            let image = volume.slice(slice);
            let values = image.floats().map(|value| u8::from(value as usize % 5 == 2)).collect();
            (slice, Mask { width, height, values }.into())
        };
        let label = LabelMasks { name: "a".into(), colour: [1, 2, 3], slices: (0..slices).map(mask).collect() };
        let made = LabelValues::of(Path::new("a"), volume.shape(), &[label]).expect("values");
        let path = folder.path().join("labels.nii");
        assert_eq!(label_map(&path, &volume, &made).expect("written"), Vec::<String>::new());
        let written = unpacked(&path);
        assert_eq!(written[40..58], source[40..58], "sizes {number}");
        assert_eq!(written[76..92], source[76..92], "pixdim {number}");
        assert_eq!(written[252..328], source[252..328], "forms {number}");
        let expected: Vec<u8> = (0..60_usize).map(|voxel| u8::from(voxel % 5 == 2)).collect();
        assert_eq!(written[352..], expected, "voxels in stored order, {number}");
    }
}

#[test]
fn what_has_no_position_gets_none() {
    let folder = folder();
    let mut volume = Volume::plain(13, 7, 1, StoredPixels::U8(vec![0; 91]));
    let path = folder.path().join("picture.nii.gz");
    let written = |volume: &Volume| {
        let made = values(volume);
        let notes = label_map(&path, volume, &made).expect("written");
        let bytes = unpacked(&path);
        assert_eq!(bytes[352..], made.values, "displayed order");
        let forms = (short(&bytes, 252), short(&bytes, 254));
        (forms, bytes[123], [80, 84, 88].map(|at| float(&bytes, at)), notes)
    };
    let (forms, units, sizes, notes) = written(&volume);
    assert_eq!((forms, units, sizes), ((0, 0), 0, [1.0; 3]));
    assert!(notes[0].contains("no position"), "{notes:?}");
    volume.geometry.pixel_mm = Some([0.25, 0.5]);
    volume.geometry.measured = Measured::Detector;
    let (forms, units, sizes, notes) = written(&volume);
    assert_eq!((forms, units, sizes), ((0, 0), 2, [0.25, 0.5, 1.0]));
    assert!(notes[1].contains("at detector"), "{notes:?}");
    // A header whose matrix is flat is not handed on.
    let rows = [[1.0_f32, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]];
    let mut bytes = crate::formats::nifti(&SHAPE, 2, 8, Some(rows));
    bytes.extend([0; 60]);
    let flat = open(&put(&folder, "flat.nii", &bytes), Limit::default()).expect("a volume");
    assert!(matches!(flat.source, Source::Nifti(_)));
    assert_eq!(written(&flat).0, (0, 0));
}

#[test]
fn label_files_are_read_by_what_they_hold() {
    let folder = folder();
    let volume = Volume::plain(5, 4, 3, StoredPixels::U8(vec![0; 60]));
    let read = |path: &Path| read_labels(path, &volume, &MaskReading::default(), Some(1), Agreed::Refuse);
    let nifti = |name: &str, sizes: &[usize], voxels: &[f32]| {
        let mut bytes = crate::formats::nifti(sizes, 16, 32, None);
        voxels.iter().for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
        put(&folder, name, &bytes)
    };
    let many: Vec<f32> = (0..60).map(|at| at as f32 % 3.0).collect();
    let opened = read(&nifti("two.nii", &SHAPE, &many)).expect("labels");
    let names: Vec<&str> = opened.labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!((names, opened.labels[0].pixels()), (vec!["Label 1", "Label 2"], 20));
    // Probabilities are no labels.
    let fractions: Vec<f32> = (0..60).map(|at| at as f32 / 60.0).collect();
    let error = read(&nifti("fractions.nii", &SHAPE, &fractions)).expect_err("no labels").to_string();
    assert!(error.contains("fractions.nii") && error.contains("not whole numbers"), "{error}");
    let large: Vec<f32> = (0..300).map(|at| at as f32).collect();
    let volume = Volume::plain(20, 15, 1, StoredPixels::U8(vec![0; 300]));
    let path = nifti("many.nii", &[20, 15, 1], &large);
    let error = read_labels(&path, &volume, &MaskReading::default(), None, Agreed::Refuse);
    assert!(matches!(error, Err(DataError::TooManyLabels { count: 299, .. })), "{error:?}");
}
