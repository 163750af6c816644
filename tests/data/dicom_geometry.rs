//! DICOM files whose values, positions, order and colours were computed with pydicom and numpy when they were made:
//! `tests/fixtures/dicom/make.py`.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use himix::data::dicom::{open, open_series, series_in, stacks_in};
use himix::data::volume::{Measured, Modality, SliceDistance, Source, StoredPixels, ValueMapping, Volume};
use himix::data::{DataError, Limit};
use serde_json::Value;

use super::fixtures::folder;
use crate::common::shared;

fn made() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom")
}

fn expected(name: &str) -> Value {
    let text = std::fs::read_to_string(made().join("expected.json")).expect("the expected numbers");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    all[name].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn opened(name: &str) -> Volume {
    let opened = open(&made().join(name), Limit::default());
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// Asserts that a stack has the expected values of every slice.
#[track_caller]
fn must_have(whole: &Volume, values: &Value) {
    let slices = values.as_array().expect("slices");
    assert_eq!(whole.slices, slices.len());
    for (number, slice) in slices.iter().enumerate() {
        let found: Vec<f64> = whole.slice(number).floats().map(f64::from).collect();
        assert_eq!(found, numbers(slice), "slice {number}");
    }
}

#[track_caller]
fn must_lie(whole: &Volume, column: f64, row: f64, places: &Value) {
    let places = places.as_array().expect("places");
    assert_eq!(whole.slices, places.len());
    for (slice, place) in places.iter().enumerate() {
        let found = whole.geometry.place(column, row, slice).expect("a place");
        let wanted = numbers(place);
        assert!(
            found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6),
            "{slice}: {found:?}, not {wanted:?}"
        );
    }
}

fn source(whole: &Volume) -> &himix::data::volume::DicomSource {
    match &whole.source {
        Source::Dicom(source) => source,
        other => panic!("{other:?}"),
    }
}

fn whole_series(folder: &str) -> (Vec<himix::data::dicom::Series>, Volume) {
    let series = series_in(&made().join(folder));
    let whole = open_series(&series[0].files, Limit::default(), &|_| true).expect("a stack");
    (series, whole)
}

#[test]
fn an_enhanced_ct_stands_in_order_and_in_hounsfield_units() {
    let (whole, expected) = (opened("enhanced_ct.dcm"), expected("enhanced_ct"));
    must_have(&whole, &expected["values"]);
    must_lie(&whole, 0.0, 0.0, &expected["positions"]);
    assert_eq!((whole.modality, whole.unit), (Modality::Ct, "HU"));
    // Stored value 385 of frame 2, which is the lowest: 385 * 1.25 - 1024.
    assert_eq!(whole.slice(0).value(0, 0, 0), -542.75);
    assert!(matches!(&whole.mapping, ValueMapping::Linear(pairs) if pairs.len() == 5));
    let windows: Vec<_> = whole.windows.iter().map(|named| (named.name.as_str(), named.window.centre)).collect();
    assert_eq!(windows, [("SOFT", 40.0), ("LUNG", -600.0)]);
    assert_eq!(whole.geometry.spacing_mm(), Some([0.25, 0.5, 5.0]));
    assert_eq!(whole.geometry.slice_from, SliceDistance::Positions);
    assert_eq!(whole.geometry.sides.map(|sides| (sides.left, sides.top)), Some(('R', 'A')));
    assert_eq!(
        (whole.geometry.frame_of_reference.as_str(), whole.notes.len()),
        ("2.25.299", 0),
        "{:?}",
        whole.notes
    );
    let source = source(&whole);
    let frames: Vec<f64> = source.frames.iter().map(|frame| *frame as f64).collect();
    assert_eq!(frames, numbers(&expected["frames"]));
    assert_eq!(
        (source.sop_instances.as_slice(), source.acquisition),
        (["2.25.201".to_owned()].as_slice(), Some(3))
    );
    assert_eq!((source.acquired.as_str(), source.rescale_type.as_str()), ("20240102103105.5", "HU"));
    assert!(source.transfer_syntax.contains("Explicit VR Little Endian"), "{}", source.transfer_syntax);
}

#[test]
fn echoes_of_one_object_are_stacks_of_their_own() {
    let (path, expected) = (made().join("enhanced_mr.dcm"), expected("enhanced_mr"));
    assert_eq!(stacks_in(&path).expect("stacks"), ["echo time 4.6 ms", "echo time 9.2 ms"]);
    let series = series_in(&made());
    let listed: Vec<_> = series.iter().filter(|series| series.name.contains("echo")).collect();
    assert_eq!(listed.len(), 2, "both are offered");
    for number in 0..2 {
        let name = format!("enhanced_mr.dcm#{}", number + 1);
        let by_name =
            himix::data::open::open(&made().join(&name), Limit::default(), &|_, _| true).expect("a stack");
        let by_list = open_series(&listed[number].files, Limit::default(), &|_| true).expect("a stack");
        for whole in [by_name, by_list] {
            must_have(&whole, &expected[number]["values"]);
            must_lie(&whole, 0.0, 0.0, &expected[number]["positions"]);
            assert_eq!((whole.unit, whole.geometry.slice_mm), ("", Some(4.0)));
            assert_eq!(whole.geometry.sides.map(|sides| (sides.left, sides.top)), Some(('A', 'S')));
            assert!(
                whole.notes[0].contains(&format!("#{}", 2 - number)),
                "how to open the other: {:?}",
                whole.notes
            );
        }
    }
    let third = open(&made().join("enhanced_mr.dcm#3"), Limit::default()).expect_err("there is none").to_string();
    assert!(third.contains("2 stacks"), "{third}");
}

#[test]
fn a_segmentation_is_a_label_map() {
    let (whole, expected) = (opened("segmentation.dcm"), expected("segmentation"));
    let labels = whole.values.floats(0..whole.values.len()).into_iter().map(f64::from).collect::<Vec<_>>();
    assert_eq!(labels, numbers(&expected["labels"]));
    let heights: Vec<f64> =
        (0..3).map(|slice| whole.geometry.place(0.0, 0.0, slice).expect("a place")[2]).collect();
    assert_eq!((heights, whole.slices), (numbers(&expected["heights"]), 3));
    assert_eq!(whole.geometry.spacing_mm(), Some([1.0, 2.0, 2.0]));
    assert!(matches!(whole.values, StoredPixels::U8(_)));
    assert!(whole.notes[0].contains("1 Liver, 2 Tumour"), "{:?}", whole.notes);
    // Pixel 9 of the lowest slice is in both segments.
    assert!(whole.notes.iter().any(|note| note.contains("in more than one: 1")), "{:?}", whole.notes);
    // Half of 127 is 63.5.
    let fractions = opened("fractions.dcm");
    assert_eq!(fractions.values, StoredPixels::U8(vec![0, 0, 7, 7, 7]));
}

#[test]
fn a_segmentation_larger_than_dicom_has_them_is_damaged() {
    let folder = folder();
    // They are written as texts, which may have any length; their product is 2 to the 64.
    for (columns, rows) in [("4294967296", "4294967296"), ("65536", "1")] {
        let mut object = dicom_object::open_file(made().join("segmentation.dcm")).expect("the object");
        object.put(DataElement::new(tags::COLUMNS, VR::IS, PrimitiveValue::from(columns)));
        object.put(DataElement::new(tags::ROWS, VR::IS, PrimitiveValue::from(rows)));
        let path = folder.path().join("large.dcm");
        object.write_to_file(&path).expect("written");
        let error = open(&path, Limit::default()).expect_err("no such picture");
        assert!(matches!(error, DataError::Damaged { .. }) && error.to_string().contains(columns), "{error}");
    }
}

#[test]
fn prone_and_sagittal_series_lie_where_they_say() {
    for (name, sides, spacing) in [("prone", ('L', 'P'), 3.0), ("sagittal", ('A', 'S'), 2.0)] {
        let (expected, (series, whole)) = (expected(name), whole_series(name));
        assert_eq!(series.len(), 1);
        must_have(&whole, &expected["values"]);
        must_lie(&whole, 2.0, 1.0, &expected["corners"]);
        assert_eq!(whole.geometry.spacing_mm(), Some([0.25, 0.5, spacing]));
        assert_eq!(whole.geometry.sides.map(|letters| (letters.left, letters.top)), Some(sides), "{name}");
        let objects: Vec<&str> =
            expected["objects"].as_array().expect("names").iter().flat_map(Value::as_str).collect();
        assert_eq!(source(&whole).sop_instances, objects);
        // The order of the names does not matter.
        let mut files = series[0].files.clone();
        files.sort();
        let again = open_series(&files, Limit::default(), &|_| true).expect("a stack");
        assert_eq!((again.values, &again.geometry), (whole.values, &whole.geometry));
    }
}

/// Iterates over six directions along the axes of the patient.
fn axes() -> impl Iterator<Item = [f64; 3]> {
    (0..6).map(|number| {
        std::array::from_fn(|part| if part == number / 2 { 1.0 - (number % 2) as f64 * 2.0 } else { 0.0 })
    })
}

#[test]
fn however_a_body_is_sliced_it_is_the_same_body() {
    // The value at a position, whichever image it is in.
    let body = |place: [f64; 3]| 2000.0 + place[0] + 10.0 * place[1] + 100.0 * place[2];
    let text = |tag, vr, numbers: &[f64]| {
        let parts: Vec<String> = numbers.iter().map(f64::to_string).collect();
        DataElement::new(tag, vr, PrimitiveValue::from(parts.join("\\")))
    };
    let template = dicom_object::open_file(made().join("prone/0.dcm")).expect("a slice");
    let letter = |direction: [f64; 3]| match direction.map(|part| part as i8) {
        [1, ..] => 'L',
        [-1, ..] => 'R',
        [_, 1, _] => 'P',
        [_, -1, _] => 'A',
        [.., 1] => 'S',
        _ => 'I',
    };
    let mut count = 0;
    for across in axes() {
        for down in axes().filter(|down| across.iter().zip(down).all(|(a, b)| a * b == 0.0)) {
            let normal: [f64; 3] = std::array::from_fn(|part| {
                across[(part + 1) % 3] * down[(part + 2) % 3] - across[(part + 2) % 3] * down[(part + 1) % 3]
            });
            for is_backwards in [false, true] {
                let folder = folder();
                for slice in 0..4 {
                    let depth = if is_backwards { 3 - slice } else { slice };
                    let at = |column: usize, row: usize| -> [f64; 3] {
                        std::array::from_fn(|part| {
                            across[part] * column as f64
                                + down[part] * 2.0 * row as f64
                                + normal[part] * 3.0 * depth as f64
                        })
                    };
                    let mut object = template.clone();
                    object.put(text(tags::IMAGE_POSITION_PATIENT, VR::DS, &at(0, 0)));
                    object.put(text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, &[across, down].concat()));
                    object.put(text(tags::PIXEL_SPACING, VR::DS, &[2.0, 1.0]));
                    object.put(text(tags::RESCALE_INTERCEPT, VR::DS, &[0.0]));
                    object.put(text(tags::INSTANCE_NUMBER, VR::IS, &[(slice + 1) as f64]));
                    object.put(text(tags::SOP_INSTANCE_UID, VR::UI, &[2.25]));
                    let pixels: Vec<u16> = (0..6).map(|pixel| body(at(pixel % 3, pixel / 3)) as u16).collect();
                    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())));
                    object.write_to_file(folder.path().join(slice.to_string())).expect("written");
                }
                let whole =
                    himix::data::open::open(folder.path(), Limit::default(), &|_, _| true).expect("a stack");
                assert_eq!(whole.shape(), [3, 2, 4]);
                for slice in 0..4 {
                    let picture = whole.slice(slice);
                    for (column, row) in [(0, 0), (2, 0), (1, 1), (2, 1)] {
                        let place = whole.geometry.place(column as f64, row as f64, slice).expect("a place");
                        assert_eq!(f64::from(picture.value(column, row, 0)), body(place), "{across:?} {down:?}");
                    }
                }
                assert_eq!(whole.geometry.spacing_mm(), Some([1.0, 2.0, 3.0]));
                let sides = whole.geometry.sides.expect("letters");
                assert_eq!((sides.right, sides.bottom), (letter(across), letter(down)));
                count += 1;
            }
        }
    }
    assert_eq!(count, 48);
}

#[test]
fn a_gap_is_said_with_its_place() {
    let (_, whole) = whole_series("gap");
    must_have(&whole, &expected("gap")["values"]);
    assert!(whole.notes[0].contains("a gap of 10.0 mm after slice 3 (otherwise 5.0 mm)"), "{:?}", whole.notes);
}

#[test]
fn two_times_at_one_place_are_two_stacks() {
    let (series, first) = whole_series("two_times");
    let names: Vec<&str> = series.iter().map(|series| series.name.as_str()).collect();
    assert_eq!(names, ["CT, 2 slices, time 10:31:05", "CT, 2 slices, time 10:45:10"]);
    let expected = expected("two_times");
    let second = open_series(&series[1].files, Limit::default(), &|_| true).expect("a stack");
    for (whole, expected) in [(&first, &expected[0]), (&second, &expected[1])] {
        must_have(whole, &expected["values"]);
        must_lie(whole, 2.0, 1.0, &expected["corners"]);
        assert_eq!(whole.geometry.slice_mm.map(|mm| (mm * 100.0).round()), Some(250.0));
    }
    // All files together give the first, with a note about the other.
    let all = [series[1].files.clone(), series[0].files.clone()].concat();
    let whole = open_series(&all, Limit::default(), &|_| true).expect("a stack");
    must_have(&whole, &expected[0]["values"]);
    assert!(
        whole.notes.iter().any(|note| note.contains("2 stacks") && note.contains("10:45:10")),
        "{:?}",
        whole.notes
    );
    // By the folder and a number.
    let folder = made().join("two_times");
    let by_number = PathBuf::from(format!("{}#2", folder.display()));
    let whole = himix::data::open::open(&by_number, Limit::default(), &|_, _| true).expect("the second");
    must_have(&whole, &expected[1]["values"]);
    let none = PathBuf::from(format!("{}#3", folder.display()));
    let none = himix::data::open::open(&none, Limit::default(), &|_, _| true).expect_err("there is none");
    assert!(matches!(none, DataError::Unsupported { .. }), "{none}");
}

#[test]
fn copies_and_links_count_once() {
    let folder = folder();
    let names = ["0.dcm", "3.dcm", "7.dcm"];
    for name in names {
        std::fs::copy(made().join("prone").join(name), folder.path().join(name)).expect("copied");
    }
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).expect("a folder");
    names.iter().for_each(|name| {
        std::fs::copy(made().join("prone").join(name), copy.join(name)).expect("copied");
    });
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), copy.join("around")).expect("a link");
        std::os::unix::fs::symlink(folder.path().join("0.dcm"), folder.path().join("link.dcm")).expect("a link");
    }
    let series = series_in(folder.path());
    assert_eq!((series.len(), series[0].name.as_str()), (1, "CT, 3 slices"));
    let whole = himix::data::open::open(folder.path(), Limit::default(), &|_, _| true).expect("the series");
    must_have(&whole, &expected("prone")["values"]);
    assert!(whole.notes.iter().any(|note| note.starts_with("3 files are copies")), "{:?}", whole.notes);
    // The same holds for the frames of one object.
    let frames = super::fixtures::folder();
    for name in ["a.dcm", "b.dcm"] {
        std::fs::copy(made().join("enhanced_mr.dcm"), frames.path().join(name)).expect("copied");
    }
    assert_eq!(series_in(frames.path()).len(), 2, "two echoes and not four");
    // Files that are named twice.
    let twice = [series[0].files.clone(), series[0].files[..1].to_vec()].concat();
    let whole = open_series(&twice, Limit::default(), &|_| true).expect("a stack");
    must_have(&whole, &expected("prone")["values"]);
    assert!(whole.notes.iter().any(|note| note.starts_with("One file is a copy")), "{:?}", whole.notes);
}

#[test]
fn planes_of_a_dose() {
    let (whole, expected) = (opened("dose.dcm"), expected("dose"));
    let values: Vec<f64> =
        (0..3).flat_map(|slice| whole.slice(slice).floats().collect::<Vec<_>>()).map(f64::from).collect();
    let wanted = numbers(&expected["values"]);
    assert!(values.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-6), "{values:?}");
    let heights: Vec<f64> =
        (0..3).map(|slice| whole.geometry.place(0.0, 0.0, slice).expect("a place")[2]).collect();
    assert_eq!((heights, whole.unit), (numbers(&expected["heights"]), "Gy"));
}

#[test]
fn colours_are_what_header_and_stream_say() {
    let expected = expected("colours");
    let rgb = numbers(&expected["rgb"]);
    for name in expected["names"].as_array().expect("names").iter().flat_map(Value::as_str) {
        let whole = opened(&format!("colour/{name}.dcm"));
        let found = whole.values.floats(0..whole.values.len());
        assert_eq!((whole.channels, found.len()), (3, rgb.len()), "{name}");
        // Two neighbours share a subsampled colour; all others differ only by rounding and the loss of JPEG.
        let allowed = if name.ends_with("422") {
            14.0
        } else if name.starts_with("jpeg_") {
            8.0
        } else {
            2.0
        };
        let worst = found.iter().zip(&rgb).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst <= allowed, "{name}: {worst}");
        assert_eq!(whole.notes, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn the_colours_of_the_reports() {
    let Some(folder) = shared("data/reports/06-colour") else { return };
    let of = |name: &str| open(&folder.join(name), Limit::default()).expect("a picture");
    for (name, pixels) in REPORTED {
        let slice = of(name).slice(0);
        for (column, row, colour) in *pixels {
            let found: [f32; 3] = std::array::from_fn(|channel| slice.value(*column, *row, channel));
            let is_near = found.iter().zip(colour).all(|(a, b)| (a - b).abs() <= 4.0);
            assert!(is_near, "{name} at {column}, {row}: {found:?}, not {colour:?}");
        }
    }
}

#[test]
fn sizes_say_where_they_were_measured() {
    let of = |name: &str| opened(&format!("sizes/{name}.dcm"));
    let detector = of("same").geometry;
    assert_eq!((detector.pixel_mm, detector.measured), (Some([0.1, 0.2]), Measured::Detector));
    let unsaid = of("unsaid");
    assert_eq!((unsaid.geometry.measured, unsaid.notes.len()), (Measured::Detector, 1), "{:?}", unsaid.notes);
    let reconstructed = of("reconstructed");
    assert_eq!((reconstructed.geometry.measured, reconstructed.notes.len()), (Measured::Patient, 0));
    let film = of("film").geometry;
    assert_eq!((film.pixel_mm, film.measured), (Some([0.1, 0.2]), Measured::Film));
    let region = of("region").geometry;
    // 0.02 and 0.03 cm.
    let near = region.pixel_mm.is_some_and(|[x, y]| (x - 0.2).abs() < 1e-9 && (y - 0.3).abs() < 1e-9);
    assert!(near && region.measured == Measured::Patient, "{region:?}");
    assert_eq!(of("regions").geometry.pixel_mm, None, "two regions have no one size");
    let Some(folder) = shared("data/reports/17-size-of-pixels") else { return };
    let of = |name: &str| open(&folder.join(name), Limit::default()).expect("a picture").geometry;
    let aspect = of("a_aspect_2_1.dcm");
    assert_eq!((aspect.pixel_mm, aspect.proportion, aspect.aspect()), (None, Some(2.0), 2.0));
    let imager = of("b_imager_spacing.dcm");
    assert_eq!((imager.pixel_mm, imager.measured), (Some([0.15; 2]), Measured::Detector));
    let magnified = of("c_imager_spacing_magnified.dcm");
    assert_eq!(magnified.measured, Measured::Corrected { magnification: 1.5 });
    assert!(magnified.pixel_mm.is_some_and(|sides| sides.iter().all(|side| (side - 0.1).abs() < 1e-12)));
    let calibrated = of("d_calibrated.dcm");
    assert_eq!((calibrated.pixel_mm, calibrated.measured), (Some([0.1; 2]), Measured::Patient));
}

#[test]
fn hounsfield_units_are_the_files_word() {
    let of = |name: &str| opened(&format!("sizes/{name}.dcm"));
    let bare = of("no_rescale");
    assert_eq!((bare.modality, bare.unit), (Modality::Ct, ""));
    assert!(bare.notes[0].contains("without a unit"), "{:?}", bare.notes);
    let localizer = of("localizer");
    assert_eq!((localizer.unit, localizer.geometry.gantry_tilt), ("", Some(-12.5)));
    let askew = of("askew");
    assert_eq!((askew.geometry.placement.as_ref(), askew.geometry.sides), (None, None));
    assert!(askew.notes.iter().any(|note| note.contains("not perpendicular")), "{:?}", askew.notes);
}

#[test]
fn groups_of_some_frames_alone_put_nothing_in_order() {
    let folder = folder();
    let mut object = dicom_object::open_file(made().join("enhanced_ct.dcm")).expect("the object");
    let groups = object.take_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
    let mut items = groups.into_value().into_items().expect("items");
    items.pop();
    let sequence = dicom_core::value::DataSetSequence::from(items);
    object.put(DataElement::new(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, VR::SQ, sequence));
    object.put(DataElement::new(tags::PATIENT_ID, VR::LO, PrimitiveValue::from("")));
    let path = folder.path().join("some.dcm");
    object.write_to_file(&path).expect("written");
    let whole = open(&path, Limit::default()).expect("a picture");
    assert_eq!((whole.unit, whole.geometry.placement.as_ref(), &whole.mapping), ("", None, &ValueMapping::Same));
    assert!(whole.notes.iter().any(|note| note.contains("only 4 of its 5 frames")), "{:?}", whole.notes);
}

#[test]
fn hostile_groups_end() {
    let whole = std::fs::read(made().join("enhanced_mr.dcm")).expect("bytes");
    let folder = folder();
    let path = folder.path().join("cut.dcm");
    for length in (132..whole.len()).step_by(13) {
        std::fs::write(&path, &whole[..length]).expect("written");
        let _ = open(&path, Limit(1 << 20));
        let _ = stacks_in(&path);
    }
    for place in (132..whole.len()).step_by(5) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        std::fs::write(&path, &bytes).expect("written");
        let _ = open(&path, Limit(1 << 20));
    }
}

/// Column, row and colour.
type Reported = (usize, usize, [f32; 3]);

/// The colours of the reported files by pydicom.
const REPORTED: &[(&str, &[Reported])] = &[
    (
        "a_rgb_no_marker.dcm",
        &[
            (10, 10, [48.0, 29.0, 41.0]),
            (48, 48, [80.0, 34.0, 37.0]),
            (80, 20, [88.0, 86.0, 26.0]),
            (30, 70, [78.0, 84.0, 72.0]),
        ],
    ),
    (
        "a_ybr_full_mct0.dcm",
        &[
            (10, 10, [49.0, 29.0, 41.0]),
            (48, 48, [80.0, 34.0, 37.0]),
            (80, 20, [87.0, 85.0, 26.0]),
            (30, 70, [77.0, 85.0, 72.0]),
        ],
    ),
    (
        "b_rgb_ids_RGB.dcm",
        &[
            (10, 10, [48.0, 29.0, 41.0]),
            (48, 48, [80.0, 34.0, 37.0]),
            (80, 20, [88.0, 86.0, 26.0]),
            (30, 70, [78.0, 84.0, 72.0]),
        ],
    ),
    (
        "c_rgb_mct0.dcm",
        &[
            (10, 10, [48.0, 29.0, 41.0]),
            (48, 48, [80.0, 34.0, 37.0]),
            (80, 20, [88.0, 85.0, 26.0]),
            (30, 70, [77.0, 84.0, 72.0]),
        ],
    ),
    (
        "e_ybr_no_marker.dcm",
        &[
            (10, 10, [47.0, 29.0, 41.0]),
            (48, 48, [80.0, 34.0, 37.0]),
            (80, 20, [87.0, 85.0, 26.0]),
            (30, 70, [77.0, 83.0, 73.0]),
        ],
    ),
];
