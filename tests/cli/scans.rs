//! `himix predict` on scans.

use crate::files::{folder, put};
use crate::program::himix;

/// A NIfTI file of 3 slices of 16×12 voxels.
fn volume() -> Vec<u8> {
    let mut bytes = vec![0; 352];
    bytes[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (index, side) in [3_i16, 16, 12, 3, 1, 1, 1, 1].iter().enumerate() {
        bytes[40 + 2 * index..42 + 2 * index].copy_from_slice(&side.to_le_bytes());
    }
    bytes[70] = 4;
    bytes[72] = 16;
    bytes[108..112].copy_from_slice(&352_f32.to_le_bytes());
    bytes[344..347].copy_from_slice(b"n+1");
    for value in 0..16 * 12 * 3_i16 {
        bytes.extend((value * 7 % 900 - 1000).to_le_bytes());
    }
    bytes
}

#[test]
fn a_slice_of_a_volume_is_segmented_in_its_window() {
    let folder = folder();
    let path = put(&folder, "ct.nii", &volume());
    let share = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--json", "--prompt", "left lung", "--image"].map(Into::into).to_vec();
        arguments.push(path.clone().into());
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    let out = folder.path().join("out");
    let object = share(&["--slice", "1", "--out", &out.to_string_lossy()]).json();
    assert!(object["foreground_fraction"].is_number());
    let mask = image::open(out.join("mask.png")).expect("a mask");
    assert_eq!((mask.width(), mask.height()), (16, 12));
    share(&["--slice", "4"]).refused(&["ct.nii", "no slice 4", "it has 3"]);
    share(&["--window", "wide"]).refused(&["level and width"]);
    share(&["--window", "-600,1500"]).done();
    let figure = folder.path().join("figure.csv");
    himix!["figure", "stages", "--device", "cpu", "--image", &path, "--slice", "3", "--out", &figure].done();
    let table = std::fs::read_to_string(figure).expect("a table");
    assert!(table.contains("\"ct.nii, slice 3\""), "a slice is named");
    himix!["predict", "--device", "cpu", "--prompt", "x", "--image", put(&folder, "cut.nii", &volume()[..400])]
        .refused(&["cut.nii", "announces"]);
}
