//! NIfTI volumes: an asymmetric one in every orientation, the shared ones, and damaged ones.

use std::io::Write;

use himix::data::nifti::{is_nifti, open};
use himix::data::volume::{Modality, Sides, StoredPixels};
use himix::data::{DataError, Limit};

use super::fixtures::{folder, put};
use crate::common::shared;

/// Makes a header of `dim` 16-bit voxels whose axes have the directions `rows` of an sform (RAS), with space for the
/// extension flag.
fn header(dim: [u16; 3], rows: [[f32; 4]; 3]) -> Vec<u8> {
    let mut bytes = crate::formats::nifti(&dim.map(usize::from), 4, 16, Some(rows));
    for (axis, size) in [2.0_f32, 3.0, 4.0].iter().enumerate() {
        bytes[80 + 4 * axis..84 + 4 * axis].copy_from_slice(&size.to_le_bytes());
    }
    bytes
}

fn with_voxels(mut bytes: Vec<u8>, voxels: &[i16]) -> Vec<u8> {
    voxels.iter().for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
    bytes
}

/// Makes 2×2×2 voxels whose values are their positions in the patient: hundreds right (1) or left (2), tens back (1)
/// or front (2), ones feet (1) or head (2).
fn patient(flips: [bool; 3]) -> Vec<u8> {
    let sign = |axis: usize| if flips[axis] { -1.0_f32 } else { 1.0 };
    // RAS: the first axis grows to the patient's right … in RAS to the right is +x.
    let rows = [[2.0 * sign(0), 0.0, 0.0, 0.0], [0.0, 3.0 * sign(1), 0.0, 0.0], [0.0, 0.0, 4.0 * sign(2), 0.0]];
    let mut voxels = Vec::new();
    for k in 0..2 {
        for j in 0..2 {
            for i in 0..2 {
                let place = |index: usize, axis: usize| if (index == 1) != flips[axis] { 1 } else { 0 };
                let (x, y, z) = (place(i, 0), place(j, 1), place(k, 2));
                // +x is the right, +y the front, +z the head.
                let side = if x == 1 { 100 } else { 200 };
                let depth = if y == 1 { 20 } else { 10 };
                voxels.push(side + depth + if z == 1 { 2 } else { 1 });
            }
        }
    }
    with_voxels(header([2, 2, 2], rows), &voxels)
}

#[test]
fn the_right_side_is_where_the_letters_say() {
    let folder = folder();
    for number in 0..8 {
        let flips = [number & 1 != 0, number & 2 != 0, number & 4 != 0];
        let path = put(&folder, "volume.nii", &patient(flips));
        let scan = open(&path, Limit::default()).expect("a volume");
        assert_eq!(scan.geometry.sides, Some(Sides { left: 'R', right: 'L', top: 'A', bottom: 'P' }), "{flips:?}");
        // Upper left of the first slice: right, front, feet; lower right of the last: left, back, head.
        assert_eq!(scan.slice(0).value(0, 0, 0), 121.0, "{flips:?}");
        assert_eq!(scan.slice(1).value(1, 1, 0), 212.0, "{flips:?}");
        assert_eq!(scan.geometry.spacing_mm(), Some([2.0, 3.0, 4.0]));
    }
}

#[test]
fn packed_and_scaled() {
    let folder = folder();
    let mut bytes = patient([false; 3]);
    bytes[112..116].copy_from_slice(&2_f32.to_le_bytes());
    bytes[116..120].copy_from_slice(&(-5_f32).to_le_bytes());
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(&bytes).expect("packed");
    let packed = packer.finish().expect("packed");
    assert!(is_nifti(&packed) && is_nifti(&bytes) && !is_nifti(b"n+1"));
    let scan = open(&put(&folder, "volume.nii.gz", &packed), Limit::default()).expect("a volume");
    assert_eq!(scan.slice(0).value(0, 0, 0), 2.0 * 121.0 - 5.0);
    let cut = put(&folder, "cut.nii.gz", &packed[..packed.len() - 12]);
    assert!(matches!(open(&cut, Limit::default()), Err(DataError::Damaged { .. })));
}

#[test]
fn headers_that_lie_are_refused() {
    let folder = folder();
    let rows = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
    let error = |name: &str, bytes: &[u8]| {
        open(&put(&folder, name, bytes), Limit::default()).map(|_| ()).expect_err("refused").to_string()
    };
    let line = error("long.nii", &with_voxels(header([60_000, 60_000, 60_000], rows), &[1]));
    assert!(line.contains("long.nii") && line.contains("limit"), "{line}");
    let line = error("short.nii", &with_voxels(header([100, 100, 10], rows), &[1, 2]));
    assert!(line.contains("announces"), "{line}");
    assert!(error("none.nii", &header([0, 4, 4], rows)).contains("none.nii"));
    // Zeros that pack to almost nothing: the limit ends reading, not the memory.
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(&header([2000, 2000, 2000], rows)).expect("packed");
    packer.write_all(&vec![0; 1 << 20]).expect("packed");
    let bomb = packer.finish().expect("packed");
    assert!(error("bomb.nii.gz", &bomb).contains("limit"));
    let whole = patient([false; 3]);
    for length in 0..whole.len() {
        assert!(open(&put(&folder, "cut.nii", &whole[..length]), Limit::default()).is_err(), "cut at {length}");
    }
    for place in 0..352 {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        let _ = open(&put(&folder, "flipped.nii", &bytes), Limit(1 << 20));
    }
}

#[test]
fn the_shared_volumes() {
    let Some(folder) = shared("data/nifti") else { return };
    let of = |name: &str| open(&folder.join(name), Limit::default()).expect("a volume");
    let body = of("ct_body_3mm.nii.gz");
    assert_eq!((body.columns, body.rows, body.slices), (122, 101, 112));
    assert_eq!((body.modality, body.unit), (Modality::Ct, "HU"));
    let values = body.values.floats(0..body.values.len());
    let range = values.iter().fold([0.0_f32; 2], |[low, high], &value| [low.min(value), high.max(value)]);
    assert_eq!(range, [-1207.0, 3382.0]);
    assert!(matches!(body.values, StoredPixels::I16(_)));
    // RAS as stored: flipped so that the right is at the left and the front at the top.
    assert_eq!(body.geometry.sides, Some(Sides { left: 'R', right: 'L', top: 'A', bottom: 'P' }));
    let mask = of("mosmed_study_0255_mask.nii.gz");
    assert_eq!((mask.columns, mask.rows, mask.slices), (512, 512, 38));
}

/// Equal Hounsfield units in every storage type give the same unit, range and network input.
#[test]
fn hounsfield_units_whatever_the_storage() {
    let folder = folder();
    let values = [-1024.0_f32, -1000.0, -600.0, 40.0, 41.0, 300.0, 1200.0, 3000.0];
    let rows = [[-2.0, 0.0, 0.0, 0.0], [0.0, -3.0, 0.0, 0.0], [0.0, 0.0, 4.0, 0.0]];
    let file = |code: i16, bits: i16, scaling: [f32; 2], bytes: Vec<u8>| {
        let mut head = header([2, 2, 2], rows);
        head[70..72].copy_from_slice(&code.to_le_bytes());
        head[72..74].copy_from_slice(&bits.to_le_bytes());
        head[112..116].copy_from_slice(&scaling[0].to_le_bytes());
        head[116..120].copy_from_slice(&scaling[1].to_le_bytes());
        head.extend(bytes);
        open(&put(&folder, "volume.nii", &head), Limit::default()).expect("a volume")
    };
    let of = |make: &dyn Fn(f32) -> Vec<u8>| values.iter().flat_map(|value| make(*value)).collect::<Vec<u8>>();
    let plain = file(4, 16, [1.0, 0.0], of(&|hu| (hu as i16).to_le_bytes().to_vec()));
    let volumes = [
        ("no scaling given", file(4, 16, [0.0, 0.0], of(&|hu| (hu as i16).to_le_bytes().to_vec()))),
        (
            "uint16, intercept",
            file(512, 16, [1.0, -1024.0], of(&|hu| ((hu + 1024.0) as u16).to_le_bytes().to_vec())),
        ),
        ("fractional slope", file(4, 16, [0.5, -24.0], of(&|hu| ((hu + 24.0) as i16 * 2).to_le_bytes().to_vec()))),
        ("int32", file(8, 32, [1.0, 0.0], of(&|hu| (hu as i32).to_le_bytes().to_vec()))),
        ("int64", file(1024, 64, [1.0, 0.0], of(&|hu| (hu as i64).to_le_bytes().to_vec()))),
        ("float32", file(16, 32, [1.0, 0.0], of(&|hu| hu.to_le_bytes().to_vec()))),
        ("float64", file(64, 64, [1.0, 0.0], of(&|hu| f64::from(hu).to_le_bytes().to_vec()))),
        (
            "float32 of 0…1",
            file(16, 32, [4096.0, -1024.0], of(&|hu| ((hu + 1024.0) / 4096.0).to_le_bytes().to_vec())),
        ),
    ];
    let floats = |volume: &himix::data::Volume, slice| volume.slice(slice).floats().collect::<Vec<f32>>();
    for (name, volume) in &volumes {
        assert_eq!((volume.modality, volume.unit, volume.padding), (Modality::Ct, "HU", None), "{name}");
        for slice in 0..2 {
            assert_eq!(floats(volume, slice), floats(&plain, slice), "{name}");
            assert_eq!(
                volume.default_network_input(slice, None),
                plain.default_network_input(slice, None),
                "{name}"
            );
        }
    }
    // Padding far below everything else is not a value of range or network input.
    let padded = [-32_768.0, -32_768.0, -600.0, 40.0, -32_768.0, 300.0, -1000.0, 3000.0];
    let bytes = padded.iter().flat_map(|hu: &f32| (*hu as i16).to_le_bytes()).collect();
    let volume = file(4, 16, [1.0, 0.0], bytes);
    assert_eq!((volume.unit, volume.padding), ("HU", Some(-32_768.0)));
    assert_eq!(volume.full_range(&volume.slice(0)).range(), [-600.0, 40.0]);
    // A low MR value that is outside the range of CT is neither padding nor HU.
    let other = file(
        4,
        16,
        [1.0, 0.0],
        [-5000_i16, 10, 20, 30, 40, 50, 60, 70].iter().flat_map(|v| v.to_le_bytes()).collect(),
    );
    assert_eq!((other.unit, other.padding, other.modality), ("", None, Modality::Other));
    // The same holds for phases, which extend as far below 0 as above it.
    let phases = [-1000_i16, -900, -500, 0, 10, 500, 900, 1000];
    let phases = file(4, 16, [1.0, 0.0], phases.iter().flat_map(|v| v.to_le_bytes()).collect());
    assert_eq!((phases.unit, phases.modality), ("", Modality::Other));
    assert!(plain.assumptions.iter().any(|text| text.contains("Hounsfield units are assumed")));
    // NaN is shown as the lowest value, with a note.
    let strange = [f32::NAN, -1000.0, 0.0, 40.0, f32::INFINITY, 300.0, 1200.0, 3000.0];
    let volume = file(16, 32, [1.0, 0.0], strange.iter().flat_map(|hu| hu.to_le_bytes()).collect());
    assert!(
        volume.notes.iter().any(|note| note.starts_with("2 of its voxels are not numbers")),
        "{:?}",
        volume.notes
    );
    assert_eq!(volume.full_range(&volume.slice(0)).range(), [-1000.0, 40.0]);
}

#[test]
fn colours_units_of_length_and_further_volumes() {
    let folder = folder();
    let rows = [[-0.002, 0.0, 0.0, 0.0], [0.0, -0.003, 0.0, 0.0], [0.0, 0.0, 0.004, 0.0]];
    let mut head = header([2, 1, 1], rows);
    head[70..72].copy_from_slice(&128_i16.to_le_bytes());
    head[123] = 1; // xyzt_units: metres
    head.extend([1, 2, 3, 4, 5, 6]);
    let colours = open(&put(&folder, "colours.nii", &head), Limit::default()).expect("a volume");
    assert_eq!((colours.channels, colours.values.clone()), (3, StoredPixels::U8(vec![1, 2, 3, 4, 5, 6])));
    let spacing = colours.geometry.spacing_mm().expect("sizes");
    assert!(spacing.iter().zip([2.0, 3.0, 4.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{spacing:?}");
    assert!(colours.assumptions.is_empty(), "{:?}", colours.assumptions);
    let mut plain = patient([false; 3]);
    plain[123] = 0;
    let plain = open(&put(&folder, "plain.nii", &plain), Limit::default()).expect("a volume");
    assert!(plain.assumptions.iter().any(|text| text.contains("unit of length")), "{:?}", plain.assumptions);
    let mut head = header([2, 1, 1], rows);
    head[40..42].copy_from_slice(&4_i16.to_le_bytes());
    head[48..50].copy_from_slice(&3_i16.to_le_bytes());
    let times = with_voxels(head, &[1, 2, 3, 4, 5, 6]);
    let first = open(&put(&folder, "times.nii", &times), Limit::default()).expect("a volume");
    assert_eq!(first.values.floats(0..2), [1.0, 2.0]);
    assert!(first.notes.iter().any(|note| note.contains("3 volumes")), "{:?}", first.notes);
    let mut second = vec![0; 540];
    second[..4].copy_from_slice(&540_i32.to_le_bytes());
    second[4..8].copy_from_slice(b"n+2\0");
    let second = put(&folder, "second.nii", &second);
    let line = himix::data::open::open(&second, Limit::default(), &|_, _| true).map(|_| ()).expect_err("NIfTI-2");
    assert!(line.to_string().contains("NIfTI-2") && line.to_string().contains("NIfTI-1"), "{line}");
    let mut head = header([2, 1, 1], rows);
    head[70..72].copy_from_slice(&32_i16.to_le_bytes());
    let line = open(&put(&folder, "complex.nii", &with_voxels(head, &[0; 16])), Limit::default())
        .map(|_| ())
        .expect_err("complex numbers")
        .to_string();
    assert!(line.contains("complex numbers") && !line.contains("PNG"), "{line}");
}

/// All further axes together number the volumes (nifti1.h): 4 time points with 3 values each are 12.
#[test]
fn further_axes_multiply() {
    let folder = folder();
    for (further, count) in [(&[4_usize, 3][..], 12), (&[4], 4), (&[1, 3], 3)] {
        let mut bytes = crate::formats::nifti(&[&[2, 1, 1], further].concat(), 2, 8, None);
        bytes.extend(vec![7; 2 * count]);
        let notes = open(&put(&folder, "several.nii", &bytes), Limit::default()).expect("the first volume").notes;
        assert!(notes.contains(&format!("It has {count} volumes; the first is shown.")), "{further:?}: {notes:?}");
    }
}
