//! `himix predict --format` and `--all-slices`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use himix::data::mask::Agreed;
use himix::data::{Limit, open, seg};

use crate::files::{folder, put};
use crate::formats::nifti;
use crate::model::{bundle, grey, put_picture};
use crate::program::{Ran, himix, run};

/// A NIfTI file of 3 slices of 16×12 voxels whose stored order is not the displayed one.
fn volume() -> Vec<u8> {
    let rows = [[2.0, 0.0, 0.0, -10.0], [0.0, 3.0, 0.0, 5.0], [0.0, 0.0, 4.0, 7.0]];
    let mut bytes = nifti(&[16, 12, 3], 4, 16, Some(rows));
    for value in 0..16 * 12 * 3_i16 {
        bytes.extend((value * 7 % 900 - 1000).to_le_bytes());
    }
    bytes
}

fn predict(image: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<OsString> =
        ["predict", "--device", "cpu", "--json", "--prompt", "left lung", "--model"].map(Into::into).to_vec();
    arguments.extend([bundle().into(), "--image".into(), image.into(), "--out".into(), out.into()]);
    arguments.extend(more.iter().map(Into::into));
    run(arguments)
}

/// Returns a threshold at which every slice has pixels inside and outside of its mask, because masks that are empty or
/// full agree whatever they are: a byte, from which on bytes of probabilities are foreground, and the threshold that
/// cuts below it. `probabilities` has the bytes of every slice.
fn telling_threshold(probabilities: &[Vec<u8>]) -> (u8, String) {
    let lowest = |values: &Vec<u8>| values.iter().copied().min().expect("pixels");
    let highest = |values: &Vec<u8>| values.iter().copied().max().expect("pixels");
    let low = probabilities.iter().map(lowest).max().expect("slices");
    let high = probabilities.iter().map(highest).min().expect("slices");
    assert!(low < high, "no threshold divides all slices: {low}, {high}");
    let byte = low + (high - low).div_ceil(2);
    (byte, ((f64::from(byte) - 0.5) / 255.0).to_string())
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).expect("a file");
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(file), &mut bytes).expect("gzip");
    bytes
}

#[test]
fn all_slices_of_a_volume_in_several_formats() {
    let folder = folder();
    let source = volume();
    let image = put(&folder, "ct.nii", &source);
    let probabilities = ["1", "2", "3"].map(|slice| {
        let out = folder.path().join("maps").join(slice);
        predict(&image, &out, &["--slice", slice]).done();
        // 16 bit; rounded as in a DICOM segmentation.
        let values = ::image::open(out.join("probability.png")).expect("a picture").into_luma16().into_raw();
        values.iter().map(|value| (f32::from(*value) / 257.0).round() as u8).collect::<Vec<u8>>()
    });
    let (_, threshold) = telling_threshold(&probabilities);
    let predict = |out: &Path, more: &[&str]| {
        predict(&image, out, &[&["--threshold", threshold.as_str()][..], more].concat())
    };
    let out = folder.path().join("out");
    let object = predict(&out, &["--all-slices", "--format", "png,nifti,csv"]).json();
    let files: Vec<String> = object["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| {
            Path::new(file.as_str().expect("a path")).file_name().expect("a name").to_string_lossy().into()
        })
        .collect();
    let expected = [
        "mask_001.png",
        "mask_002.png",
        "mask_003.png",
        "mask.nii.gz",
        "mask.labels.txt",
        "mask_measurements.csv",
    ];
    assert_eq!(files, expected);
    assert_eq!(fs::read_dir(&out).expect("a folder").count(), expected.len(), "nothing else is left");
    let labels = unpacked(&out.join("mask.nii.gz"));
    assert_eq!((&labels[42..48], &labels[252..328]), (&source[42..48], &source[252..328]), "the source's grid");
    // Displayed, the columns and rows of this volume are reversed.
    let stored = |slice: usize| {
        let mut pixels = labels[352 + slice * 192..352 + (slice + 1) * 192].to_vec();
        pixels.reverse();
        pixels.iter().map(|value| value * 255).collect::<Vec<u8>>()
    };
    let mut all = 0;
    for slice in 0..3 {
        let mask = grey(&out.join(expected[slice]));
        assert_eq!(mask, stored(slice), "slice {slice}");
        let pixels = mask.iter().filter(|value| **value == 255).count();
        assert_eq!(object["slices"][slice]["foreground_pixels"], pixels);
        assert!(pixels > 0 && pixels < 192, "a mask that tells something: {pixels}");
        all += pixels;
    }
    let mut table = csv::Reader::from_path(out.join("mask_measurements.csv")).expect("a table");
    let wholes = table.records().map(|row| row.expect("a row")).filter(|row| &row[3] == "all");
    let voxels: Vec<(u64, f64)> =
        wholes.map(|row| (row[4].parse().expect("voxels"), row[11].parse().expect("mm³"))).collect();
    assert_eq!(voxels.iter().map(|(voxels, _)| voxels).sum::<u64>(), all as u64);
    assert!(voxels.iter().all(|(voxels, volume)| (*voxels as f64 * 24.0 - volume).abs() < 1e-3));
    // One slice alone has the same mask in its place, and nothing elsewhere.
    let alone = folder.path().join("alone");
    predict(&alone, &["--slice", "2", "--format", "nifti"]).done();
    let one = unpacked(&alone.join("mask.nii.gz"));
    assert_eq!(one[352 + 192..352 + 384], labels[352 + 192..352 + 384]);
    assert!(one[352..352 + 192].iter().chain(&one[352 + 384..]).all(|value| *value == 0));
    assert!(!alone.join("overlay.png").exists(), "only what was asked for");
    // It is read again as a mask of the image it was made on.
    let mask = out.join("mask.nii.gz");
    let again = predict(&alone, &["--slice", "3", "--mask", &mask.to_string_lossy()]).json();
    assert_eq!(again["scores"]["true_positive"], object["slices"][2]["foreground_pixels"]);
    assert_eq!(again["scores"]["false_negative"], 0);
    assert_eq!(again["scores"]["false_positive"], 0);
}

#[test]
fn a_series_as_dicom_segmentation() {
    let folder = folder();
    let series = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/prone");
    let out = folder.path().join("out");
    let volume = open::open(&series, Limit::default(), &|_, _| true).expect("a volume");
    let read = || {
        let path = out.join("mask_probability.dcm");
        seg::read(&path, &volume, Agreed::Refuse, Limit::default()).expect("probabilities").segmentation
    };
    predict(&series, &out, &["--all-slices", "--format", "dicom-seg"]).done();
    let probabilities: Vec<Vec<u8>> = read().frames.into_iter().map(|frame| frame.values).collect();
    let (byte, threshold) = telling_threshold(&probabilities);
    let predict = |out: &Path, more: &[&str]| {
        predict(&series, out, &[&["--threshold", threshold.as_str()][..], more].concat())
    };
    let object = predict(&out, &["--all-slices", "--format", "dicom-seg,nifti"]).json();
    let slices = object["slices"].as_array().expect("slices").clone();
    // The probabilities stand beside the masks, which they give at their threshold.
    let fractions = read();
    assert_eq!((fractions.kind, fractions.segments.len()), (seg::Kind::Fractional, 1));
    assert_eq!(fractions.frames.len(), slices.len());
    for frame in &fractions.frames {
        let above = frame.values.iter().filter(|value| **value >= byte).count();
        assert!(above > 0 && above < frame.values.len(), "a mask that tells something: {above}");
        assert_eq!(slices[frame.slice]["foreground_pixels"], above, "slice {}", frame.slice);
    }
    for (number, slice) in slices.iter().enumerate() {
        for name in ["mask.dcm", "mask.nii.gz"] {
            let mask = out.join(name).to_string_lossy().into_owned();
            let number = (number + 1).to_string();
            let again = predict(&out.join("again"), &["--slice", &number, "--mask", &mask]).json();
            assert_eq!(again["scores"]["dice"], 1.0, "{name}, slice {number}");
            assert_eq!(again["scores"]["true_positive"], slice["foreground_pixels"], "{name}, slice {number}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_computed() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 40, 30);
    let out = folder.path().join("out");
    predict(&image, &out, &["--format", "dicom-seg"]).refused(&["chest.png", "PNG", "export PNG instead"]);
    predict(&image, &out, &["--format", "tiff"]).refused(&["png, nifti, dicom-seg, csv"]);
    predict(&image, &out, &["--all-slices", "--slice", "1"]).refused(&["--all-slices"]);
    himix!["predict", "--image", &image, "--prompt", "x", "--format", "nifti"].refused(&["--out"]);
    // A picture has no position, and pixels are no millimetres.
    let ran = predict(&image, &out, &["--format", "nifti,csv"]).done();
    assert!(ran.err.contains("no position") && ran.err.contains("in pixels"), "{}", ran.err);
    let table = fs::read_to_string(out.join("mask_measurements.csv")).expect("a table");
    assert!(table.contains(",px,") && !table.contains("mm"), "{table}");
}
