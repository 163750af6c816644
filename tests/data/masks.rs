//! Masks of every kind and the meaning of their values, with files whose counts numpy computed
//! (`tests/fixtures/masks/make.py`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use himix::data::mask::{Several, read};
use himix::data::{DataError, LabelChoice, Limit, MaskReading, MaskRule, Truth, TruthReading, open};

use super::fixtures::{folder, png, put};
use crate::common::shared;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masks").join(name)
}

#[derive(serde::Deserialize)]
struct Expected {
    kind: String,
    foreground: u64,
    labels: BTreeMap<String, u64>,
}

#[test]
fn every_kind_is_found_and_counted() {
    let text = std::fs::read_to_string(fixture("expected.json")).expect("the list");
    let all: BTreeMap<String, Expected> = serde_json::from_str(&text).expect("a list");
    assert!(all.len() > 35);
    for (name, expected) in all {
        let labels = read(&fixture(&name), &MaskReading::default()).unwrap_or_else(|error| panic!("{error}"));
        let kind = serde_json::to_value(&labels.kind).expect("a kind");
        assert_eq!(kind["kind"], expected.kind.as_str(), "{name}: {}", labels.kind.words());
        assert_eq!(labels.foreground(&LabelChoice::Foreground), expected.foreground, "{name}");
        let masks = labels.masks(&LabelChoice::Foreground);
        let counted: usize = masks.iter().map(himix::data::Mask::foreground).sum();
        assert_eq!(counted as u64, expected.foreground, "{name}: the masks have what the labels say");
        for (value, count) in &expected.labels {
            let value: i64 = value.parse().expect("a label");
            let only = LabelChoice::Only(BTreeSet::from([value]));
            assert_eq!(labels.foreground(&only), *count, "{name}: label {value} of {:?}", labels.labels);
        }
    }
}

#[test]
fn a_choice_of_labels_is_text() {
    let choice: LabelChoice = "1, 3".parse().expect("labels");
    assert_eq!(choice, LabelChoice::Only(BTreeSet::from([1, 3])));
    assert_eq!("all".parse::<LabelChoice>(), Ok(LabelChoice::Foreground));
    assert!("1;3".parse::<LabelChoice>().is_err() && "".parse::<LabelChoice>().is_err());
    let labels = read(&fixture("index.png"), &MaskReading::default()).expect("labels");
    assert_eq!(labels.absent(&choice), [3]);
}

#[test]
fn what_is_no_mask_is_refused_by_name() {
    let folder = folder();
    let lines: Vec<Vec<u8>> =
        (0..64).map(|row| (0..64).map(|column| (row * 3 + column) as u8).collect()).collect();
    let ramp: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let grey = put(&folder, "ramp.png", &png(64, 64, 8, 0, &[], &ramp));
    let labels = read(&grey, &MaskReading::default()).expect("many values have a half");
    assert_eq!(labels.kind.words(), "many values; above 127 is foreground");
    let Some(image) = shared("data/nifti/ct_body_small.nii.gz") else { return };
    let refused = read(&image, &MaskReading::default());
    let line = refused.map(|_| ()).expect_err("an image is no mask").to_string();
    assert!(line.contains("ct_body_small.nii.gz: this is not a mask") && line.contains("like an image"), "{line}");
}

#[test]
fn rules_that_are_asked_for_hold() {
    let with = |name: &str, rule| {
        let reading = MaskReading { rule, ..MaskReading::default() };
        read(&fixture(name), &reading).expect("a mask").foreground(&LabelChoice::Foreground)
    };
    // 127 is half of the range and not above it; the authors' rule takes only 255.
    assert_eq!(with("two_0_127.png", MaskRule::Half), 0);
    assert_eq!(with("two_0_1.png", MaskRule::Half), with("two_0_1.png", MaskRule::Found));
    assert_eq!(with("two_0_127.png", MaskRule::Exactly255), 0);
    assert_eq!(with("two_0_255.png", MaskRule::Exactly255), with("two_0_255.png", MaskRule::Found));
    assert!(with("noise.jpg", MaskRule::Exactly255) < with("noise.jpg", MaskRule::Half));
    assert_eq!(with("noise.jpg", MaskRule::Half), with("noise.jpg", MaskRule::Found));
}

#[test]
fn several_files_are_one_truth_or_a_label_each() {
    let folder = folder();
    let image = put(&folder, "x.png", &png(4, 1, 8, 0, &[], &[&[9, 9, 9, 9]]));
    let first = put(&folder, "x_mask.png", &png(4, 1, 8, 0, &[], &[&[255, 255, 0, 0]]));
    let second = put(&folder, "x_mask_1.png", &png(4, 1, 8, 0, &[], &[&[0, 255, 255, 0]]));
    let image = open::open(&image, himix::data::Limit::default(), &|_, _| true).expect("a picture");
    let of = |several| {
        let reading = TruthReading { several, ..TruthReading::default() };
        Truth::read(&[first.clone(), second.clone()], image.grid(), &reading).expect("a truth")
    };
    let united = of(Several::United);
    assert_eq!(united.mask(0).expect("a mask").values, [1, 1, 1, 0]);
    assert!(united.words().starts_with("2 files; two values, 0 and 255"), "{}", united.words());
    let labels = of(Several::AsLabels);
    let only =
        |label| labels.with(LabelChoice::Only(BTreeSet::from([label]))).mask(0).expect("a mask").values.clone();
    assert_eq!((only(1), only(2)), (vec![1, 0, 0, 0], vec![0, 1, 1, 0]), "the later one where both are");
    assert!(labels.laid.labels.notes.iter().any(|note| note.contains("overlap in 1 pixel;")));
}

/// Files in the shared folder of kinds that users report problems with.
#[test]
fn the_reported_label_files() {
    let Some(folder) = shared("data/reports/03-labels") else { return };
    let count = |name: &str| {
        let labels = read(&folder.join(name), &MaskReading::default()).unwrap_or_else(|error| panic!("{error}"));
        let slices: Vec<usize> =
            labels.masks(&LabelChoice::Foreground).iter().map(himix::data::Mask::foreground).collect();
        assert!(slices.iter().all(|count| *count == slices[0]), "{name}: all slices of these files are alike");
        (slices[0], labels.kind.words())
    };
    assert_eq!(count("label_uint8.nii").0, 350);
    assert_eq!(count("label_int64.nii").0, 350);
    assert_eq!(count("label_one_slice_1_and_2.nii").0, 350);
    assert_eq!(count("label_one_slice_1_and_2_int16.nii").0, 350);
    let (hot, words) = count("label_onehot_4d.nii");
    assert_eq!(hot, 350, "{words}");
    assert!(words.contains("channel 0 is background"), "{words}");
    assert_eq!(count("label_rgb24.nii").0, 350);
}

#[test]
fn labels_of_united_files_stay_labels() {
    let folder = folder();
    let image = put(&folder, "x.png", &png(4, 1, 8, 0, &[], &[&[9, 9, 9, 9]]));
    let first = put(&folder, "x_mask.png", &png(4, 1, 8, 0, &[], &[&[0, 1, 2, 0]]));
    let second = put(&folder, "x_mask_1.png", &png(4, 1, 8, 0, &[], &[&[0, 0, 0, 2]]));
    let image = open::open(&image, himix::data::Limit::default(), &|_, _| true).expect("a picture");
    let of = |labels: &[i64]| {
        let choice = match labels {
            [] => LabelChoice::Foreground,
            labels => LabelChoice::Only(labels.iter().copied().collect()),
        };
        let reading = TruthReading { choice, ..TruthReading::default() };
        let truth = Truth::read(&[first.clone(), second.clone()], image.grid(), &reading).expect("a truth");
        truth.mask(0).expect("a mask").values.clone()
    };
    assert_eq!((of(&[]), of(&[1]), of(&[2])), (vec![0, 1, 1, 1], vec![0, 1, 0, 0], vec![0, 0, 1, 1]));
}

/// 16-bit colours are read by the range of their type, not by their brightest and darkest values.
#[test]
fn colours_of_sixteen_bit() {
    let folder = folder();
    let of = |name: &str, pixels: &[[u16; 3]]| {
        let line: Vec<u8> = pixels.iter().flatten().flat_map(|value| value.to_be_bytes()).collect();
        let path = put(&folder, name, &png(pixels.len() as u32, 1, 16, 2, &[], &[&line]));
        read(&path, &MaskReading::default()).expect("a mask")
    };
    let white = of("white.png", &[[65_535; 3]; 3]);
    assert_eq!(white.oddity(&LabelChoice::Foreground, 1), Some(himix::data::mask::Oddity::Everything));
    let red = [40_000, 0, 0];
    let two = of("two.png", &[[65_535; 3], [65_535; 3], red, red]);
    assert_eq!(two.kind.words(), "colours on white (1 class)");
    assert_eq!(two.foreground(&LabelChoice::Foreground), 2);
    assert_eq!(two.labels[1].colour, Some([156, 0, 0]));
}

#[test]
fn more_volumes_than_classes_are_refused() {
    let folder = folder();
    let mut bytes = crate::formats::nifti(&[1, 1, 1, 100, 100], 2, 8, None);
    bytes.extend(vec![0; 10_000]);
    let path = put(&folder, "many.nii", &bytes);
    let line = read(&path, &MaskReading::default()).map(|_| ()).expect_err("ten thousand classes").to_string();
    assert!(line.contains("many.nii: this is not a mask (it has 10000 volumes)"), "{line}");
}

/// A warning about a mask of only foreground counts the slices that the mask covers.
#[test]
fn everything_on_one_slice_is_everything() {
    let folder = folder();
    let image = himix::data::Volume::plain(2, 1, 3, himix::data::volume::StoredPixels::U8(vec![0; 6]));
    let path = put(&folder, "white.png", &png(2, 1, 8, 0, &[], &[&[255, 255]]));
    let reading = TruthReading { slice: Some(1), ..TruthReading::default() };
    let truth = Truth::read(&[path], image.grid(), &reading).expect("a truth");
    assert_eq!(truth.oddity(), Some(himix::data::mask::Oddity::Everything));
    assert!(truth.mask(0).is_none() && truth.mask(1).is_some());
}

#[test]
fn one_file_as_labels_is_label_one() {
    let folder = folder();
    let image = put(&folder, "x.png", &png(4, 1, 8, 0, &[], &[&[9, 9, 9, 9]]));
    let mask = put(&folder, "x_mask.png", &png(4, 1, 8, 0, &[], &[&[255, 0, 0, 255]]));
    let image = open::open(&image, himix::data::Limit::default(), &|_, _| true).expect("a picture");
    let reading = TruthReading {
        several: Several::AsLabels,
        choice: LabelChoice::Only(BTreeSet::from([1])),
        ..TruthReading::default()
    };
    let truth = Truth::read(&[mask], image.grid(), &reading).expect("a truth");
    assert_eq!(truth.mask(0).expect("a mask").values, [1, 0, 0, 1]);
}

#[test]
fn the_pixels_of_a_picture_count_against_the_limit() {
    let folder = folder();
    let path = folder.path().join("m.png");
    image::GrayImage::from_fn(64, 64, |x, _| image::Luma([if x < 9 { 255 } else { 0 }]))
        .save(&path)
        .expect("a mask");
    // A byte for each of the 64 × 64 pixels, and 20 to find what they are.
    let needs = 21 * 64 * 64;
    let under = |limit: u64| read(&path, &MaskReading { limit: Limit(limit), ..MaskReading::default() });
    assert!(matches!(under(needs - 1), Err(DataError::BeyondLimit { needed, .. }) if needed == needs));
    assert_eq!(under(needs).expect("a mask").foreground(&LabelChoice::Foreground), 9 * 64);
}
