//! `himix info`.

use serde_json::Value;

use crate::files::{folder, png, put};
use crate::formats::{element, grey_dicom, nifti};
use crate::program::himix;

/// A NIfTI file of 3 slices of 4×2 voxels of 2 × 2.5 × 5 mm with a position; the values of slice k begin at `from` +
/// 8·k.
fn volume(from: i16, step: i16) -> Vec<u8> {
    // Columns to the patient's left and rows to the back, where RAS has both the other way.
    let rows = [[-2.0, 0.0, 0.0, 30.0], [0.0, -2.5, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0]];
    let mut bytes = nifti(&[4, 2, 3], 4, 16, Some(rows));
    bytes.extend((0..24_i16).flat_map(|value| (from + step * value).to_le_bytes()));
    bytes
}

fn row<'a>(object: &'a Value, name: &str) -> &'a Value {
    let sections = object["files"][0]["sections"].as_array().expect("sections");
    let rows = sections.iter().flat_map(|section| section["rows"].as_array().expect("rows"));
    rows.into_iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("no {name} in {object:#}"))
}

#[test]
fn what_is_known_of_a_volume_is_printed_with_where_it_comes_from() {
    let folder = folder();
    let path = put(&folder, "ct.nii", &volume(-1000, 10));
    let text = himix!["info", &path, "--slice", "1"].done().out;
    for part in
        ["ct.nii", "2 × 2.5 mm", "(from the affine (sform))", "5 mm", "-1000 to -930", "left R, right L, top A"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    // The first voxel lies at x = 30 mm RAS, which is 30 mm to the patient's right.
    assert!(text.contains("R 30.0  P 0.0  S 0.0 mm") || text.contains("R 30.0  A 0.0  S 0.0 mm"), "{text}");
    let object = himix!["info", &path, "--json"].json();
    assert_eq!(row(&object, "Slice distance")["value"], "5 mm");
    assert_eq!(row(&object, "Range, this slice")["value"], "-920 to -850 HU", "the middle slice");
    assert_eq!(row(&object, "sform_code")["value"], "1 (scanner)");
    himix!["info", &path, "--slice", "4"].refused(&["ct.nii", "no slice 4", "it has 3"]);
}

#[test]
fn several_files_and_the_mask_of_one() {
    let folder = folder();
    let picture = put(&folder, "a.png", &png(2, 2, 8, 0, &[], &[&[7, 90], &[0, 255]]));
    let labels = put(&folder, "labels.png", &png(2, 2, 8, 0, &[], &[&[0, 1], &[2, 2]]));
    let text = himix!["info", &picture, &labels].done().out;
    assert!(text.contains("a.png\n") && text.contains("labels.png\n"), "{text}");
    let object = himix!["info", &picture, "--mask", &labels, "--labels", "2", "--json"].json();
    assert_eq!(row(&object, "Mask type")["value"], "labels (2 classes)");
    assert_eq!(row(&object, "Foreground")["value"], "2; 2 pixels");
    assert_eq!(row(&object, "Label 1")["value"], "1 pixel, not foreground");
    assert_eq!(row(&object, "Alignment")["value"], "pixel on pixel");
    himix!["info", &picture, &labels, "--mask", &labels].refused(&["one image"]);
    himix!["info", folder.path().join("none.png")].refused(&["none.png", "no such file"]);
}

#[test]
fn who_it_is_is_printed_only_when_asked_for() {
    let folder = folder();
    let more = [
        element(8, 0x60, b"CS", b"MR"),
        element(0x10, 0x10, b"PN", b"Doe^Jane"),
        element(0x20, 0xe, b"UI", b"2.25.77"),
    ];
    let bytes = grey_dicom([2, 2], &[1, 2, 3, 4], &more);
    let path = put(&folder, "slice.dcm", &bytes);
    let public = himix!["info", &path].done().out;
    assert!(public.contains("MR") && !public.contains("Doe") && !public.contains("2.25.77"), "{public}");
    let object = himix!["info", &path, "--json"].done().out;
    assert!(!object.contains("Doe") && !object.contains("2.25.77"), "{object}");
    let all = himix!["info", &path, "--identifiers"].done().out;
    assert!(all.contains("Doe") && all.contains("2.25.77"), "{all}");
}
