//! `himix predict` for volumes and series.

use crate::files::{folder, put};
use crate::formats::{element, grey_dicom, nifti};
use crate::program::himix;

/// A NIfTI file of 3 slices of 16×12 voxels.
fn volume() -> Vec<u8> {
    let mut bytes = nifti(&[16, 12, 3], 4, 16, None);
    for value in 0..16 * 12 * 3_i16 {
        bytes.extend((value * 7 % 900 - 1000).to_le_bytes());
    }
    bytes
}

/// A DICOM file of 16×12 pixels of one series.
fn dicom(instance: u8) -> Vec<u8> {
    let pixels: Vec<u16> = (0..16 * 12).map(|value| value * u16::from(instance)).collect();
    let more = [element(0x20, 0xe, b"UI", b"2.25.77"), element(0x20, 0x13, b"IS", &[b'0' + instance])];
    grey_dicom([16, 12], &pixels, &more)
}

#[test]
fn what_a_series_had_to_leave_out_is_said() {
    let folder = folder();
    let files = [1, 2, 3].map(|instance| put(&folder, &format!("series/{instance}.dcm"), &dicom(instance)));
    // A label volume.
    let mut labels = volume();
    for voxel in labels[352..].as_chunks_mut::<2>().0 {
        *voxel = i16::from(i16::from_le_bytes(*voxel) > -500).to_le_bytes();
    }
    let mask = put(&folder, "mask.nii", &labels);
    let series = folder.path().join("series");
    let share = |more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["predict", "--device", "cpu", "--prompt", "left lung", "--image"].map(Into::into).to_vec();
        arguments.push(series.clone().into());
        arguments.extend(more.iter().map(Into::into));
        crate::program::run(arguments)
    };
    assert!(!share(&[]).done().err.contains("left out"));
    let mask = mask.to_string_lossy().into_owned();
    share(&["--mask", &mask]).done();
    put(&folder, "series/2.dcm", &dicom(2)[..400]);
    let ran = share(&["--slice", "2"]).done();
    assert!(ran.err.contains("himix: note: 1 of 3 files was left out of this series. "), "{}", ran.err);
    assert!(ran.err.contains(&format!("{}: the file is truncated", files[1].display())), "{}", ran.err);
    share(&["--slice", "3"]).failed(2, &["series", "no slice 3", "it has 2"]);
    // A mask at the same index of another stack would belong to another slice.
    share(&["--mask", &mask]).failed(2, &["mask.nii", "has 3 slices", "the image 2"]);
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
