//! NIfTI volumes: an asymmetric one of our own in every orientation, the shared ones, and broken ones.

use std::io::Write;

use himix::data::nifti::{is_nifti, open};
use himix::data::volume::{Kind, Sides, Values};
use himix::data::{DataError, Limit};

use super::fixtures::{folder, put, shared};

/// A header of `dim` voxels of 16 bit whose axes have the directions `rows` of an sform (RAS), and room for the extension flag.
fn header(dim: [u16; 3], rows: [[f32; 4]; 3]) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (index, side) in [3, dim[0], dim[1], dim[2], 1, 1, 1, 1].iter().enumerate() {
        put(40 + 2 * index, &side.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    for (index, size) in [1.0_f32, 2.0, 3.0, 4.0].iter().enumerate() {
        put(76 + 4 * index, &size.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            put(280 + 16 * row + 4 * column, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    bytes
}

fn with_voxels(mut bytes: Vec<u8>, voxels: &[i16]) -> Vec<u8> {
    voxels.iter().for_each(|voxel| bytes.extend(voxel.to_le_bytes()));
    bytes
}

/// 2×2×2 voxels that say where in the patient they lie: hundreds right (1) or left (2), tens back (1) or front (2), ones feet (1) or
/// head (2).
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
    // Zeros that pack to next to nothing: the limit, not the memory, ends it.
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
    let Some(shared) = shared() else { return };
    let of = |name: &str| open(&shared.join("data/nifti").join(name), Limit::default()).expect("a volume");
    let body = of("ct_body_3mm.nii.gz");
    assert_eq!((body.columns, body.rows, body.slices), (122, 101, 112));
    assert_eq!((body.kind, body.unit), (Kind::Ct, "HU"));
    let values = body.values.floats(0..body.values.len());
    let range = values.iter().fold([0.0_f32; 2], |[low, high], &value| [low.min(value), high.max(value)]);
    assert_eq!(range, [-1207.0, 3382.0]);
    assert!(matches!(body.values, Values::I16(_)));
    // RAS as stored: flipped so that the right is at the left and the front at the top.
    assert_eq!(body.geometry.sides, Some(Sides { left: 'R', right: 'L', top: 'A', bottom: 'P' }));
    let mask = of("mosmed_study_0255_mask.nii.gz");
    assert_eq!((mask.columns, mask.rows, mask.slices), (512, 512, 38));
}
