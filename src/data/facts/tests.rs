use std::path::PathBuf;

use super::*;
use crate::data::Truth;
use crate::data::mask::{LabelChoice, Mask};
use crate::data::volume::{
    DicomSource, Measured, Modality, NiftiForm, NiftiSource, PictureSource, Placement, Private, SliceDistance,
    Source, StoredPixels, Turn, ValueMapping,
};

/// Returns the facts about a slice, from its own values.
fn facts(volume: &Volume, slice: usize) -> Vec<Section> {
    super::facts(volume, slice, &volume.slice(slice))
}

/// Returns the value and the origin of a row.
fn row<'a>(sections: &'a [Section], name: &str) -> (&'a str, &'a str) {
    let found = sections.iter().flat_map(|section| &section.rows).find(|row| row.name == name);
    let row = found.unwrap_or_else(|| panic!("no row {name} in\n{}", text(sections)));
    (&row.value, &row.origin)
}

/// Returns a series of four slices of 2 × 1 pixels of 0.5 × 0.75 mm. A slice is missing between the second and
/// the third.
fn series() -> Volume {
    let mut volume = Volume::plain(2, 1, 4, StoredPixels::I16(vec![-2000, 0, 24, 1024, 5, 6, 7, 8]));
    volume.modality = Modality::Ct;
    volume.unit = "HU";
    volume.mapping = ValueMapping::Linear((0..4).map(|slice| [1.0, -1024.0 + slice as f32]).collect());
    volume.padding = Some(-3024.0);
    volume.patient = Some(Private("Doe^Jane".into()));
    volume.notes = vec!["One slice is missing.".into(), "One slice is missing.".into()];
    volume.geometry.pixel_mm = Some([0.5, 0.75]);
    volume.geometry.frame_of_reference = "1.2.3.4".into();
    volume.geometry.placement = Some(Placement {
        across: [1.0, 0.0, 0.0],
        down: [0.0, 1.0, 0.0],
        positions: [0.0, 2.0, 6.0, 8.0].map(|z| [-12.34, -20.0, z - 7.0]).to_vec(),
    });
    volume.geometry.derive();
    volume.source = Source::Dicom(Box::new(DicomSource {
        modality: "CT".into(),
        rescale_type: "HU".into(),
        study: "1.2.3.1".into(),
        series: "1.2.3.2".into(),
        sop_instances: (0..4).map(|slice| format!("1.2.3.3.{slice}")).collect(),
        acquired: "20200102".into(),
        transfer_syntax: "1.2.840.10008.1.2.1 (Explicit VR Little Endian)".into(),
        ..DicomSource::default()
    }));
    volume
}

#[test]
fn numbers_have_units_and_origins() {
    let facts = facts(&series(), 1);
    assert_eq!(row(&facts, "Pixel spacing"), ("0.5 × 0.75 mm", "from PixelSpacing, in the patient"));
    assert_eq!(row(&facts, "Slice distance").0, "2 mm");
    assert_eq!(row(&facts, "Gaps").0, "after slice 2: 4 mm");
    assert_eq!(row(&facts, "Tilt of the stack").0, "none");
    assert_eq!(row(&facts, "Sides").0, "left R, right L, top A, bottom P");
    assert_eq!(row(&facts, "Slice 2 at").0, "R 12.3  A 20.0  I 5.0 mm");
    assert_eq!(row(&facts, "Last slice at").0, "R 12.3  A 20.0  S 1.0 mm");
    let (mapping, origin) = row(&facts, "Value mapping");
    assert_eq!(mapping, "slope 1, intercept -1023");
    assert!(origin.contains("RescaleIntercept") && origin.ends_with("others differ"), "{origin}");
    assert_eq!(row(&facts, "Unit"), ("HU", "from RescaleType"));
    assert_eq!(row(&facts, "Range, this slice"), ("-999 to 1 HU", "from its pixels"));
    assert_eq!(row(&facts, "Windows"), ("none", "the file does not say"));
    let notes: Vec<_> = facts.iter().filter(|section| section.title == "Notes").flat_map(|s| &s.rows).collect();
    assert_eq!(notes.len(), 1, "the same is said once");
}

#[test]
fn padding_does_not_count() {
    let facts = facts(&series(), 0);
    assert_eq!(row(&facts, "Padding").0, "-3024 HU");
    let (range, origin) = row(&facts, "Range, this slice");
    assert_eq!((range, origin), ("-1024 to -1024 HU", "from its pixels, without 1 pixel of padding"));
}

#[test]
fn where_it_was_measured_is_said() {
    let mut volume = series();
    let mut spacing = |measured, slice_from| {
        volume.geometry.measured = measured;
        volume.geometry.slice_from = slice_from;
        let facts = facts(&volume, 0);
        let (value, origin) = row(&facts, "Pixel spacing");
        format!("{value}; {origin}; {}", row(&facts, "Slice distance").1)
    };
    let detector = spacing(Measured::Detector, SliceDistance::Thickness);
    assert!(detector.starts_with("0.5 × 0.75 mm at detector; "), "{detector}");
    assert!(detector.ends_with("from SliceThickness, which may differ from the distance"), "{detector}");
    let corrected = spacing(Measured::Corrected { magnification: 1.25 }, SliceDistance::Spacing);
    assert!(corrected.contains("MagnificationFactor (1.25)"), "{corrected}");
    assert!(corrected.starts_with("0.5 × 0.75 mm; ") && corrected.ends_with("from SpacingBetweenSlices"));
    volume.geometry = crate::data::Geometry { proportion: Some(1.2), ..Default::default() };
    let unknown = facts(&volume, 0);
    assert_eq!(row(&unknown, "Pixel spacing").0, "not known; pixels are 1.2 times as high as wide");
    assert_eq!(row(&unknown, "Sides"), ("not known", "the file does not say"));
}

#[test]
fn who_it_is_is_told_only_where_that_is_asked_for() {
    let all = facts(&series(), 2);
    assert_eq!(row(&all, "Instance UID").0, "1.2.3.3.2", "of the slice that is shown");
    let shown = text(&without_private(&all));
    for secret in ["Doe", "1.2.3.", "20200102", "Patient "] {
        assert!(text(&all).contains(secret), "{secret}");
        assert!(!shown.contains(secret), "{secret} in\n{shown}");
    }
    assert!(shown.contains("Explicit VR Little Endian") && shown.contains("Modality"));
}

#[test]
fn a_nifti_volume_says_which_form_is_used() {
    let mut volume = Volume::plain(1, 1, 1, StoredPixels::F32(vec![0.5]));
    volume.source = Source::Nifti(Box::new(NiftiSource {
        sform_code: 0,
        qform_code: 1,
        used: NiftiForm::Qform,
        affine: Some([[-2.0, 0.0, 0.0, 90.0], [0.0, 2.5, 0.0, -126.0], [0.0, 0.0, 3.0, -72.0]]),
        fields: crate::data::volume::NiftiFields::default(),
        data_type: "float32",
        scaling: [0.0, 0.0],
        further_axes: vec![5],
    }));
    volume.geometry.pixel_mm = Some([2.0, 2.5]);
    let facts = facts(&volume, 0);
    assert_eq!(row(&facts, "qform_code").0, "1 (scanner)");
    assert_eq!(row(&facts, "Position from").0, "qform");
    assert_eq!(row(&facts, "Pixel spacing").1, "from the affine (qform)");
    assert_eq!(row(&facts, "Affine").0, "-2  0  0  90\n0  2.5  0  -126\n0  0  3  -72");
    assert_eq!(row(&facts, "Stored as").0, "float32");
    assert_eq!(row(&facts, "Further axes").0, "5");
    assert_eq!(row(&facts, "Range").0, "0.5 to 0.5");
}

#[test]
fn the_orientation_of_a_picture_is_applied_or_not() {
    let mut volume = Volume::plain(1, 2, 1, StoredPixels::U8(vec![1, 2]));
    let source = PictureSource {
        format: "JPEG",
        samples: "8 bit".into(),
        orientation: Some(6),
        ..PictureSource::default()
    };
    volume.source = Source::Picture(source);
    let stored = facts(&volume, 0);
    assert_eq!(row(&stored, "EXIF orientation").0, "6 (turned by 90° clockwise), not applied");
    assert_eq!(row(&stored, "Turned").0, "as stored");
    volume.geometry.turn = Turn::of_exif(6).expect("a turn");
    let upright = facts(&volume, 0);
    assert_eq!(row(&upright, "EXIF orientation").0, "6 (turned by 90° clockwise), applied");
    assert_eq!(row(&upright, "Turned"), ("turned by 90° clockwise", "from the EXIF orientation (6)"));
}

#[test]
fn a_truth_says_what_it_was_found_to_be() {
    let mask = Mask { width: 2, height: 2, values: vec![1, 0, 0, 0] };
    let truth = Truth::of_mask(PathBuf::from("somewhere/mask.png"), &mask);
    let facts = truth_facts(&truth);
    assert_eq!(row(&facts, "File").0, "mask.png");
    assert_eq!(row(&facts, "Mask type").0, "two values, 0 and 1");
    assert_eq!(row(&facts, "Alignment").0, "pixel on pixel");
    assert_eq!(row(&facts, "Foreground").0, "all except background; 1 pixel");
    assert_eq!(row(&facts, "Label 1").0, "1 pixel");
    let none = truth_facts(&truth.with(LabelChoice::Only([].into())));
    assert_eq!(row(&none, "Foreground").0, "no label; 0 pixels");
    assert_eq!(row(&none, "Label 1").0, "1 pixel, not foreground");
    assert!(row(&none, "Warning").0.contains("no foreground at all"));
}

#[test]
fn text_is_in_columns() {
    let sections = [Section {
        title: "Geometry",
        rows: vec![Fact::new("A", "1 mm", "from B"), Fact::new("Affine", "1 2\n3 4", "")],
    }];
    assert_eq!(text(&sections), "Geometry\n  A       1 mm  (from B)\n  Affine  1 2\n          3 4\n");
}
