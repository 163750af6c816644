//! Slices and frames in which equal stored values have different meanings: units, tables, curves and directions of
//! their own.

use std::path::PathBuf;

use dicom_core::value::DataSetSequence;
use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use himix::data::Limit;
use himix::data::dicom::{open, open_series, series_in};
use himix::data::volume::{ValueMapping, Volume};
use tempfile::TempDir;

use super::dicom::{at_height, firsts, object, write};
use super::fixtures::folder;

fn text(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

fn sequence(tag: Tag, items: Vec<InMemDicomObject>) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(items))
}

fn series(files: &[PathBuf]) -> Volume {
    open_series(files, Limit::default(), &|_| true).expect("a stack")
}

/// Makes the slices "0", "1"… at positions 10, 20…, with the stored values 1, 2…, each changed by its own function.
fn slices(folder: &TempDir, changes: &[fn(&mut InMemDicomObject)]) -> Vec<PathBuf> {
    let slices = changes.iter().enumerate().map(|(place, change)| {
        let mut slice = at_height(place as u16 + 1, &(10 * (place + 1)).to_string());
        change(&mut slice);
        write(folder, &place.to_string(), slice)
    });
    slices.collect()
}

#[test]
fn a_stack_has_the_unit_of_most_of_its_slices() {
    let same: fn(&mut InMemDicomObject) = |_| ();
    let bare: fn(&mut InMemDicomObject) = |slice| {
        slice.remove_element(tags::RESCALE_SLOPE);
        slice.remove_element(tags::RESCALE_INTERCEPT);
    };
    let unspecified: fn(&mut InMemDicomObject) = |slice| {
        slice.put(text(tags::RESCALE_TYPE, VR::LO, "US"));
    };
    for odd in [bare, unspecified] {
        for place in 0..4 {
            let folder = folder();
            let mut changes = [same; 4];
            changes[place] = odd;
            let files = slices(&folder, &changes);
            let whole = series(&files);
            let wanted: Vec<f32> =
                (1..=4_u8).filter(|value| usize::from(*value) != place + 1).map(f32::from).collect();
            assert_eq!((whole.unit, firsts(&whole)), ("HU", wanted), "without slice {place}");
            assert_eq!(whole.mapping, ValueMapping::Linear(vec![[1.0, -1024.0]]));
            let heights =
                whole.geometry.placement.as_ref().expect("places").positions.iter().map(|at| at[2] as usize / 10);
            assert!(heights.eq((1..=4).filter(|height| *height != place + 1)));
            let path = files[place].display().to_string();
            let note = whole.notes.iter().find(|note| note.contains("another unit")).expect("a note");
            assert!(note.starts_with("1 of 4 files was left out") && note.contains(&path), "{note}");
            // In the folder it is a separate series, and can be opened.
            let listed = series_in(folder.path());
            assert_eq!(listed.iter().map(|series| series.files.len()).collect::<Vec<_>>(), [3, 1]);
            assert_eq!(
                (open(&files[place], Limit::default()).expect("a picture").unit, series(&listed[0].files).unit),
                ("", "HU")
            );
        }
    }
    // If most have no unit, the stack has none.
    let whole = series(&slices(&folder(), &[same, bare, bare]));
    assert_eq!((whole.slices, whole.unit, &whole.mapping), (2, "", &ValueMapping::Same));
    assert!(
        whole.notes.iter().any(|note| note.contains("does not say how values map to Hounsfield")),
        "{:?}",
        whole.notes
    );
    // Without units they cannot be separated, and there is a note.
    let mr: fn(&mut InMemDicomObject) = |slice| {
        slice.put(text(tags::MODALITY, VR::CS, "MR"));
    };
    let bare_mr: fn(&mut InMemDicomObject) = |slice| {
        slice.put(text(tags::MODALITY, VR::CS, "MR"));
        slice.remove_element(tags::RESCALE_SLOPE);
        slice.remove_element(tags::RESCALE_INTERCEPT);
    };
    let whole = series(&slices(&folder(), &[mr, bare_mr, mr]));
    assert_eq!(whole.slices, 3);
    assert!(
        whole.notes.iter().any(|note| note.starts_with("1 slice has no rescale; its values")),
        "{:?}",
        whole.notes
    );
}

/// Adds a modality LUT that begins at stored value 0.
fn with_table(slice: &mut InMemDicomObject, entries: [u16; 4]) {
    let descriptor = DataElement::new(tags::LUT_DESCRIPTOR, VR::US, dicom_value!(U16, [4, 0, 16]));
    let data = DataElement::new(tags::LUT_DATA, VR::OW, PrimitiveValue::U16(entries.to_vec().into()));
    slice.remove_element(tags::RESCALE_SLOPE);
    slice.remove_element(tags::RESCALE_INTERCEPT);
    slice
        .put(sequence(tags::MODALITY_LUT_SEQUENCE, vec![InMemDicomObject::from_element_iter([descriptor, data])]));
}

#[test]
fn slices_with_another_table_are_left_out() {
    let folder = folder();
    let table: fn(&mut InMemDicomObject) = |slice| with_table(slice, [0, 10, 20, 30]);
    let other: fn(&mut InMemDicomObject) = |slice| with_table(slice, [0, 100, 200, 300]);
    let files = slices(&folder, &[table, other, table]);
    let whole = series(&files);
    let values: Vec<f32> = (0..whole.slices).map(|slice| whole.slice(slice).value(0, 0, 0)).collect();
    assert_eq!(values, [10.0, 30.0]);
    let note = &whole.notes[0];
    assert!(note.contains("another look-up table") && note.contains(&files[1].display().to_string()), "{note}");
}

/// Makes an object with an item of functional groups for each frame.
fn enhanced(frames: Vec<Vec<DataElement<InMemDicomObject>>>) -> InMemDicomObject {
    let mut whole = object(2, 1, frames.len() as u32, [100, 120].repeat(frames.len()));
    whole.put(text(tags::MODALITY, VR::CS, "MR"));
    let items = frames.into_iter().map(InMemDicomObject::from_element_iter).collect();
    whole.put(sequence(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, items));
    whole
}

/// Makes one item of one sequence.
fn group(tag: Tag, elements: &[(Tag, String)]) -> DataElement<InMemDicomObject> {
    let elements = elements
        .iter()
        .map(|(tag, value)| text(*tag, if *tag == tags::VOILUT_FUNCTION { VR::CS } else { VR::DS }, value));
    sequence(tag, vec![InMemDicomObject::from_element_iter(elements)])
}

#[test]
fn frames_with_a_rescale_of_their_own_have_no_common_curve() {
    let of = |slopes: [&str; 3], centres: [&str; 3]| {
        let frames = (0..3).map(|place| {
            let rescale = [(tags::RESCALE_SLOPE, slopes[place].into()), (tags::RESCALE_INTERCEPT, "0".into())];
            let window = [
                (tags::WINDOW_CENTER, centres[place].into()),
                (tags::WINDOW_WIDTH, "40".into()),
                (tags::VOILUT_FUNCTION, "SIGMOID".into()),
            ];
            vec![
                group(tags::PLANE_POSITION_SEQUENCE, &[(tags::IMAGE_POSITION_PATIENT, format!("0\\0\\{place}"))]),
                group(tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, &rescale),
                group(tags::FRAME_VOILUT_SEQUENCE, &window),
            ]
        });
        let object = enhanced(frames.collect());
        let folder = folder();
        let path = write(&folder, "frames.dcm", object);
        let twice = series(&[path.clone(), path.clone()]);
        let whole = open(&path, Limit::default()).expect("a stack");
        assert_eq!(
            (&twice.mapping, &twice.values, &twice.geometry),
            (&whole.mapping, &whole.values, &whole.geometry)
        );
        whole
    };
    let curve = of(["1"; 3], ["100"; 3]);
    assert!(matches!(curve.mapping, ValueMapping::Table { .. }) && curve.notes.is_empty(), "{:?}", curve.notes);
    let scaled = of(["1", "2", "1"], ["100"; 3]);
    assert_eq!(scaled.mapping, ValueMapping::Linear(vec![[1.0, 0.0], [2.0, 0.0], [1.0, 0.0]]));
    assert_eq!(scaled.slice(1).value(0, 0, 0), 200.0);
    let windows = of(["1"; 3], ["100", "110", "100"]);
    assert_eq!((&windows.mapping, windows.slice(1).value(0, 0, 0)), (&ValueMapping::Same, 100.0));
    for straight in [scaled, windows] {
        assert!(straight.notes.iter().any(|note| note.contains("sigmoid")), "{:?}", straight.notes);
    }
}

#[test]
fn frames_of_very_many_directions_have_no_common_place() {
    let frames = (0..70).map(|number| {
        let (sine, cosine) = (f64::from(number) * 0.04).sin_cos();
        let directions = format!("{cosine:.6}\\{sine:.6}\\0\\{:.6}\\{cosine:.6}\\0", -sine);
        vec![
            group(tags::PLANE_POSITION_SEQUENCE, &[(tags::IMAGE_POSITION_PATIENT, format!("0\\0\\{number}"))]),
            group(tags::PLANE_ORIENTATION_SEQUENCE, &[(tags::IMAGE_ORIENTATION_PATIENT, directions)]),
        ]
    });
    let folder = folder();
    let path = write(&folder, "turned.dcm", enhanced(frames.collect()));
    let first = open(&path, Limit::default()).expect("a stack");
    assert!(first.geometry.placement.is_some() && first.slices == 1);
    let rest = open(&folder.path().join("turned.dcm#65"), Limit::default()).expect("the others");
    assert_eq!((rest.slices, rest.geometry.placement.as_ref(), rest.geometry.sides), (6, None, None));
    assert_eq!(rest.geometry.pixel_mm, None);
    assert!(rest.notes.iter().any(|note| note.contains("more than 64 orientations")), "{:?}", rest.notes);
}

/// A slope of 1 without an intercept does not say where the values begin.
#[test]
fn a_slope_alone_makes_no_hounsfield_units() {
    let folder = folder();
    let mut bare = object(2, 1, 1, vec![7, 9]);
    bare.remove_element(tags::RESCALE_INTERCEPT);
    let volume = open(&write(&folder, "bare.dcm", bare), Limit::default()).expect("a picture");
    assert_eq!((volume.unit, &volume.mapping), ("", &ValueMapping::Same));
    assert!(volume.notes.iter().any(|note| note.contains("without a unit")), "{:?}", volume.notes);
}
