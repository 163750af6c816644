//! Segmentations in DICOM, written and read again.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject, open_file};
use himix::data::export::{LabelValues, NamedLabel};
use himix::data::mask::Agreed;
use himix::data::nifti::label_map;
use himix::data::seg::{self, Algorithm, Codes, Frame, Kind, Model, Segment, Segmentation};
use himix::data::volume::{DicomSource, Geometry, Placement, Source, StoredPixels, Turn};
use himix::data::{DataError, Limit, Volume, open};

use super::dicom;
use super::fixtures::folder;

/// Returns a segmentation whose pixels follow from the stored values of the volume: in frame `slice`, pixel `at`, a
/// BINARY segment 1 has the lowest bit and segment 2 the next, so that both overlap; segment 3 is empty; a
/// FRACTIONAL segment has the lowest byte. The first segment lacks the last slice.
fn of_values(volume: &Volume, kind: Kind) -> Segmentation {
    let plane = volume.columns * volume.rows;
    let value = |slice: usize, at: usize| volume.values.at((slice * plane + at) * volume.channels) as i64;
    let codes = Codes::built_in();
    let model = || Model { name: "HiMix bundled".into(), version: "1.2".into() };
    let segment = |label: &str, colour: [u8; 3], algorithm: Algorithm| Segment {
        description: format!("Prompt: one small {}, Größe 3 mm.", label.to_lowercase()),
        colour: Some(colour),
        algorithm,
        ..codes.of(label).segment(label)
    };
    let segments = vec![
        segment("Polyp", [255, 64, 0], Algorithm::Automatic(model())),
        segment("Lung infection", [0, 200, 232], Algorithm::Semiautomatic(model())),
        segment("Leer – Größe", [1, 2, 3], Algorithm::Manual),
    ];
    let mut frames = Vec::new();
    for slice in 0..volume.slices {
        for segment in 0..2 {
            if segment == 0 && slice + 1 == volume.slices && slice > 0 {
                continue;
            }
            let values = (0..plane)
                .map(|at| match kind {
                    Kind::Binary => (value(slice, at) >> segment & 1) as u8,
                    Kind::Fractional => (value(slice, at) >> (4 * segment) & 255) as u8,
                })
                .collect();
            frames.push(Frame { segment, slice, values });
        }
    }
    Segmentation { kind, segments, frames, description: "Drawn on values".into(), creator: "Müller^Ada".into() }
}

/// The turns of a volume by their number.
fn turn(bits: u32) -> Turn {
    Turn { transposed: bits & 1 > 0, reversed: [bits & 2 > 0, bits & 4 > 0, bits & 8 > 0] }
}

/// Returns a label map whose pixels follow from the stored values of the volume: their last two bits.
fn labels_of_values(volume: &Volume) -> LabelValues {
    let value = |at: usize| (volume.values.at(at * volume.channels) as i64 & 3) as u8;
    let named = |value: u8| NamedLabel { value, name: format!("label {value}"), colour: [value; 3] };
    LabelValues {
        shape: volume.shape(),
        values: (0..volume.columns * volume.rows * volume.slices).map(value).collect(),
        labels: (1..=3).map(named).collect(),
        overlap: 0,
    }
}

/// Writes segmentations for the programs of `tests/validators`: for every folder in `HIMIX_SEG_SOURCES`, files of the
/// same name in `HIMIX_SEG_OUT`. The name of a NIfTI file ends with the number of the turn of its volume.
#[test]
#[ignore = "run by tests/validators/run"]
fn files_for_other_readers() {
    let from = |name: &str| PathBuf::from(std::env::var_os(name).expect("a folder"));
    let (sources, out) = (from("HIMIX_SEG_SOURCES"), from("HIMIX_SEG_OUT"));
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&sources).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    let mut failed = Vec::new();
    for (number, folder) in (0_u32..).zip(&folders) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let nifti = Some(folder.join("image.nii.gz")).filter(|path| path.exists());
        let mut volume = match open::open(nifti.as_ref().unwrap_or(folder), Limit::default(), &|_, _| true) {
            Ok(volume) => volume,
            Err(error) => {
                println!("{name}: not opened: {error}");
                continue;
            }
        };
        // Turns change the display alone.
        let bits = number % 16;
        volume.turn(turn(bits));
        match label_map(&out.join(format!("{name}.{bits}.nii.gz")), &volume, &labels_of_values(&volume)) {
            Err(DataError::NotRepresentable { .. }) if ["gaps", "repeated"].contains(&name.as_str()) => {}
            Err(error) => failed.push(format!("{name}: {error}")),
            Ok(_) => {}
        }
        if nifti.is_some() {
            assert!(seg::refusal(&volume).is_some());
            continue;
        }
        for (kind, end) in [(Kind::Binary, "binary"), (Kind::Fractional, "fractional")] {
            let path = out.join(format!("{name}.{end}.dcm"));
            let segmentation = of_values(&volume, kind);
            match write(&path, &segmentation, &volume, folder) {
                // A real file whose identifiers were removed.
                Err(DataError::NoSegmentation { reason, .. })
                    if name.starts_with("real_") && reason.contains("no SOPInstanceUID") => {}
                Err(error) => failed.push(format!("{name}: {error}")),
                Ok(_) => {}
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn text(tag: Tag, vr: VR, value: &str) -> DataElement<InMemDicomObject> {
    DataElement::new(tag, vr, PrimitiveValue::from(value))
}

/// Makes a slice of 5 by 3 pixels at a height in mm. Its identifiers end with `number` and with that of its series.
fn slice(number: u32, z: f64, series: &str, reference: Option<&str>) -> InMemDicomObject {
    let values = (0..15_u32).map(|at| ((at * 37 + number * 101 + 11) % 4096) as u16).collect();
    let mut slice = dicom::object(5, 3, 1, values);
    slice.put(text(tags::SOP_INSTANCE_UID, VR::UI, &format!("2.25.{series}.{number}")));
    slice.put(text(tags::SERIES_INSTANCE_UID, VR::UI, &format!("2.25.{series}")));
    slice.put(text(tags::STUDY_INSTANCE_UID, VR::UI, "2.25.77"));
    slice.put(text(tags::PATIENT_ID, VR::LO, "P-1"));
    match reference {
        Some(reference) => {
            slice.put(text(tags::FRAME_OF_REFERENCE_UID, VR::UI, reference));
            slice.put(text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("-3.25\\10.5\\{z}")));
        }
        None => {
            slice.remove_element(tags::IMAGE_ORIENTATION_PATIENT);
        }
    }
    slice
}

/// Writes a stack of `count` slices into `place`.
fn stack(place: &Path, count: u32, series: &str, reference: Option<&str>) -> Volume {
    std::fs::create_dir_all(place).expect("a folder");
    for number in 0..count {
        // The names are in another order than the positions.
        let name = format!("{}.dcm", (number * 7 + 3) % 11);
        let object = slice(number, f64::from(number) * 2.5, series, reference);
        let meta = dicom_object::FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
        object.with_meta(meta).expect("meta").write_to_file(place.join(name)).expect("written");
    }
    open::open(place, Limit::default(), &|_, _| true).expect("a volume")
}

fn write(
    path: &Path,
    segmentation: &Segmentation,
    volume: &Volume,
    source: &Path,
) -> Result<seg::Written, DataError> {
    seg::write(path, segmentation, volume, &[source.to_owned()], Limit::default())
}

fn read(path: &Path, volume: &Volume) -> Result<seg::OpenedSegmentation, DataError> {
    seg::read(path, volume, Agreed::Refuse, Limit::default())
}

/// Returns the frames with pixels, in order.
fn frames(segmentation: &Segmentation) -> Vec<Frame> {
    let mut frames: Vec<Frame> = segmentation.frames.iter().filter(|frame| !frame.is_empty()).cloned().collect();
    frames.sort_by_key(|frame| (frame.segment, frame.slice));
    frames
}

/// Changes a written file.
fn changed(from: &Path, to: &Path, change: impl FnOnce(&mut InMemDicomObject)) {
    let mut object = open_file(from).expect("a file");
    change(&mut object);
    object.write_to_file(to).expect("written");
}

#[test]
fn what_is_written_is_read_in_every_turn() {
    let folder = folder();
    let place = folder.path().join("ct");
    let stored = stack(&place, 4, "8", Some("2.25.99"));
    let path = folder.path().join("mask.dcm");
    for bits in 0..16 {
        let mut volume = stored.clone();
        volume.turn(turn(bits));
        for kind in [Kind::Binary, Kind::Fractional] {
            let segmentation = of_values(&volume, kind);
            let written = write(&path, &segmentation, &volume, &place).expect("written");
            // Segment 3 is empty and has one frame.
            assert_eq!(written.frames, frames(&segmentation).len() + 1);
            let opened = read(&path, &volume).expect("opened");
            assert_eq!(frames(&opened.segmentation), frames(&segmentation), "{bits} {kind:?}");
            assert_eq!(opened.segmentation.segments, segmentation.segments);
            assert_eq!(opened.segmentation.creator, "Müller^Ada");
            // The stored volume shows the same pixels at the same places: the turn is not part of the file.
            let mut upright = read(&path, &stored).expect("opened").segmentation;
            upright.frames.iter_mut().for_each(|frame| {
                turn(bits).apply(&mut frame.values, [stored.columns, stored.rows, 1], 1);
                frame.slice = turn(bits).inverse().stored([0, 0, frame.slice], volume.shape())[2];
            });
            assert_eq!(frames(&upright), frames(&segmentation), "{bits} {kind:?}");
        }
    }
}

#[test]
fn a_segmentation_is_laid_by_position_if_it_refers_to_nothing() {
    let folder = folder();
    let place = folder.path().join("ct");
    let volume = stack(&place, 4, "8", Some("2.25.99"));
    let (path, bare) = (folder.path().join("mask.dcm"), folder.path().join("bare.dcm"));
    for kind in [Kind::Binary, Kind::Fractional] {
        let segmentation = of_values(&volume, kind);
        write(&path, &segmentation, &volume, &place).expect("written");
        changed(&path, &bare, |object| {
            let mut groups = object.take_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
            for item in groups.items_mut().expect("items") {
                item.remove_element(tags::DERIVATION_IMAGE_SEQUENCE);
            }
            object.put(groups);
        });
        let opened = read(&bare, &volume).expect("opened");
        assert_eq!(frames(&opened.segmentation), frames(&segmentation), "{kind:?}: overlapping segments as well");
        // Another series of the same frame of reference has the same positions.
        let other = stack(&folder.path().join("other"), 4, "9", Some("2.25.99"));
        let opened = read(&path, &other).expect("opened");
        assert_eq!(frames(&opened.segmentation), frames(&segmentation));
        assert!(opened.notes.iter().any(|note| note.contains("drawn on other images")), "{:?}", opened.notes);
        let error = read(&path, &stack(&folder.path().join("elsewhere"), 4, "10", Some("2.25.98")));
        assert!(matches!(error, Err(DataError::MaskFrame { .. })), "{error:?}");
    }
}

#[test]
fn images_without_a_frame_of_reference_are_referred_to() {
    let folder = folder();
    for count in [1, 3] {
        let place = folder.path().join(format!("xray{count}"));
        let volume = stack(&place, count, &format!("2{count}"), None);
        assert_eq!(volume.slices, if count == 1 { 1 } else { 3 });
        let path = folder.path().join("mask.dcm");
        let segmentation = of_values(&volume, Kind::Binary);
        let written = write(&path, &segmentation, &volume, &place).expect("written");
        assert!(written.notes[0].contains("no frame of reference"), "{:?}", written.notes);
        let object = open_file(&path).expect("a file");
        assert!(object.element_opt(tags::FRAME_OF_REFERENCE_UID).expect("elements").is_none());
        let dimensions =
            object.element(tags::DIMENSION_INDEX_SEQUENCE).expect("dimensions").items().map(<[_]>::len);
        assert_eq!(dimensions, Some(if count == 1 { 1 } else { 2 }), "by segment alone, and in the stack");
        let shared = object.element(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
        assert_eq!(shared.items().expect("items")[0].iter().count(), 0, "no plane");
        assert_eq!(frames(&read(&path, &volume).expect("opened").segmentation), frames(&segmentation));
        let other = stack(&folder.path().join(format!("other{count}")), count, "30", None);
        let error = read(&path, &other).expect_err("drawn on other images");
        assert!(matches!(error, DataError::SegmentationOfOthers { .. }), "{error}");
        // One of its frames refers to an image that is not there.
        let bad = folder.path().join("bad.dcm");
        changed(&path, &bad, |object| {
            let mut groups = object.take_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
            let item = &mut groups.items_mut().expect("items")[1];
            let mut derivation = item.take_element(tags::DERIVATION_IMAGE_SEQUENCE).expect("a derivation");
            let source = &mut derivation.items_mut().expect("items")[0];
            let mut images = source.take_element(tags::SOURCE_IMAGE_SEQUENCE).expect("images");
            let image = &mut images.items_mut().expect("items")[0];
            image.put(text(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, "2.25.4"));
            source.put(images);
            item.put(derivation);
            object.put(groups);
        });
        let error = read(&bad, &volume).expect_err("one frame is of another image");
        assert!(matches!(error, DataError::SegmentationOfOthers { .. }), "{error}");
        // Without any reference, the order of the frames is all that there is.
        changed(&path, &bad, |object| {
            let mut groups = object.take_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
            for item in groups.items_mut().expect("items") {
                item.remove_element(tags::DERIVATION_IMAGE_SEQUENCE);
            }
            object.put(groups);
        });
        let opened = read(&bad, &volume).expect("opened");
        assert!(
            opened.notes.iter().any(|note| note.contains("does not say on which images")),
            "{:?}",
            opened.notes
        );
    }
}

#[test]
fn what_cannot_be_written_says_why() {
    let folder = folder();
    let place = folder.path().join("ct");
    let volume = stack(&place, 2, "8", Some("2.25.99"));
    let path = folder.path().join("mask.dcm");
    std::fs::write(&path, "the file before").expect("written");
    let refused = |segmentation: &Segmentation, volume: &Volume, words: &str| {
        let error = write(&path, segmentation, volume, &place).expect_err("refused").to_string();
        assert!(error.contains(words) && error.contains("mask.dcm") && !error.contains('\n'), "{error}");
        assert_eq!(std::fs::read(&path).expect("a file"), b"the file before");
    };
    let sound = of_values(&volume, Kind::Binary);
    let with = |change: &dyn Fn(&mut Segmentation)| {
        let mut other = sound.clone();
        change(&mut other);
        other
    };
    refused(&with(&|s| s.segments.clear()), &volume, "no segment");
    refused(&with(&|s| s.segments = vec![s.segments[0].clone(); 256]), &volume, "256 segments");
    refused(&with(&|s| s.segments[1].label = "  ".into()), &volume, "segment 2 has no name");
    refused(&with(&|s| s.segments[0].category.value = "a\\b".into()), &volume, "is not valid");
    refused(&with(&|s| s.frames[0].slice = 2), &volume, "no slice 3");
    refused(&with(&|s| s.frames[0].values.truncate(4)), &volume, "4 pixels");
    refused(&with(&|s| s.frames.push(s.frames[0].clone())), &volume, "two masks");
    let picture = Volume { source: Source::Picture(Default::default()), ..volume.clone() };
    refused(&sound, &picture, "belongs to a patient");
    assert!(seg::refusal(&picture).is_some() && seg::refusal(&volume).is_none());
    // Nothing about the patient is part of an error, and files that are gone are counted.
    std::fs::remove_file(place.join("3.dcm")).expect("removed");
    refused(&sound, &volume, "1 of the 2 DICOM files");
}

#[test]
fn damaged_and_foreign_files_say_what_they_are() {
    let folder = folder();
    let place = folder.path().join("ct");
    let volume = stack(&place, 9, "8", Some("2.25.99"));
    let (path, bad) = (folder.path().join("mask.dcm"), folder.path().join("bad.dcm"));
    let segmentation = of_values(&volume, Kind::Binary);
    write(&path, &segmentation, &volume, &place).expect("written");
    assert!(seg::is_segmentation(&path) && !seg::is_segmentation(&place.join("3.dcm")));
    let refused = |words: &str| {
        let error = read(&bad, &volume).map(|_| ()).expect_err(words).to_string();
        assert!(error.contains(words) && error.contains("bad.dcm"), "{error}");
    };
    let whole = std::fs::read(&path).expect("a file");
    std::fs::write(&bad, &whole[..whole.len() - 4]).expect("written");
    refused("truncated");
    let count = frames(&segmentation).len() + 1;
    let pixels = |bytes: Vec<u8>| DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(bytes.into()));
    // The 15 pixels of a frame are less than two bytes.
    changed(&path, &bad, |object| {
        object.put(pixels(vec![1; 2 * count]));
    });
    refused("each frame in whole bytes");
    changed(&path, &bad, |object| {
        object.put(pixels(vec![1; (15 * count).next_multiple_of(2)]));
    });
    refused("one byte for each pixel");
    changed(&path, &bad, |object| {
        object.put(pixels(vec![1; 4]));
    });
    refused("bytes of pixels instead of");
    changed(&path, &bad, |object| {
        let item = |number: u16| {
            InMemDicomObject::from_element_iter([DataElement::new(
                tags::SEGMENT_NUMBER,
                VR::US,
                dicom_value!(U16, number),
            )])
        };
        let items: Vec<_> = (1..=300).map(item).collect();
        object.put(DataElement::new(
            tags::SEGMENT_SEQUENCE,
            VR::SQ,
            dicom_core::value::DataSetSequence::from(items),
        ));
    });
    refused("more than 255 segments");
    std::fs::copy(place.join("3.dcm"), &bad).expect("copied");
    refused("not a segmentation");
    // A grid of another size, with both grids named.
    changed(&path, &bad, |object| {
        object.put(DataElement::new(tags::COLUMNS, VR::US, dicom_value!(U16, 3)));
        object.put(DataElement::new(tags::ROWS, VR::US, dicom_value!(U16, 5)));
    });
    refused("3×5×9");
}

#[test]
fn a_sparse_segmentation_lies_on_its_own_slices_alone() {
    let folder = folder();
    let place = folder.path().join("ct");
    std::fs::create_dir_all(&place).expect("a folder");
    for number in 0..60_u32 {
        let object = slice(number, f64::from(number), "8", Some("2.25.99"));
        let meta = dicom_object::FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
        object.with_meta(meta).expect("meta").write_to_file(place.join(format!("{number}.dcm"))).expect("written");
    }
    let volume = open::open(&place, Limit::default(), &|_, _| true).expect("a volume");
    // With steps as long as these, a neighbour is only a small part of a step away.
    for slices in [vec![0, 40], vec![3, 30, 59], vec![7]] {
        let frames: Vec<Frame> =
            slices.iter().map(|slice| Frame { segment: 0, slice: *slice, values: vec![1; 15] }).collect();
        let segment = Codes::built_in().of("lesion").segment("Lesion");
        let segmentation = Segmentation { segments: vec![segment], frames, ..Segmentation::default() };
        let path = folder.path().join("sparse.dcm");
        write(&path, &segmentation, &volume, &place).expect("written");
        changed(&path, &path, |object| {
            let mut groups = object.take_element(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).expect("groups");
            for item in groups.items_mut().expect("items") {
                item.remove_element(tags::DERIVATION_IMAGE_SEQUENCE);
            }
            object.put(groups);
        });
        let opened = read(&path, &volume).expect("opened").segmentation;
        assert_eq!(opened.frames.iter().map(|frame| frame.slice).collect::<Vec<_>>(), slices);
    }
}

/// Reads the segmentations that `tests/validators/foreign.py` wrote with other programs into `HIMIX_SEG_FOREIGN`.
#[test]
#[ignore = "run by tests/validators/run"]
fn files_of_other_makers() {
    let from = |name: &str| PathBuf::from(std::env::var_os(name).expect("a folder"));
    let (sources, foreign) = (from("HIMIX_SEG_SOURCES"), from("HIMIX_SEG_FOREIGN"));
    let mut count = 0;
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(&foreign).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let (source, rest) = name.split_once('.').expect("a name");
        let kind = if rest.contains("binary") { Kind::Binary } else { Kind::Fractional };
        for bits in [0, 6] {
            let mut volume = open::open(&sources.join(source), Limit::default(), &|_, _| true).expect("a volume");
            volume.turn(turn(bits));
            let mut wanted = of_values(&volume, kind);
            // Here no slice is left out.
            let last = volume.slices - 1;
            wanted.frames.retain(|frame| frame.slice < last || last == 0);
            if last > 0 {
                let mut one = volume.clone();
                let plane = volume.columns * volume.rows;
                one.slices = 1;
                one.values = StoredPixels::F32(volume.values.floats(last * plane..(last + 1) * plane));
                wanted
                    .frames
                    .extend(of_values(&one, kind).frames.into_iter().map(|frame| Frame { slice: last, ..frame }));
            }
            match read(&path, &volume) {
                Err(error) => failed.push(error.to_string()),
                Ok(opened) => {
                    let labels: Vec<&str> =
                        opened.segmentation.segments.iter().map(|s| s.label.as_str()).collect();
                    if labels != ["Polyp", "Lung infection"] || opened.segmentation.segments[0].colour.is_none() {
                        failed.push(format!("{name}: {labels:?}"));
                    }
                    if opened.segmentation.kind != kind || frames(&opened.segmentation) != frames(&wanted) {
                        failed.push(format!("{name}: the pixels differ with turn {bits}: {:?}", opened.notes));
                    }
                }
            }
            count += 1;
        }
    }
    assert!(failed.is_empty() && count > 0, "{}", failed.join("\n"));
}

/// Returns the stack on which the segmentations in `tests/fixtures/dicom/seg` were drawn (see `make.py` there).
/// `series` is that of its images, "2.25.8" for those.
fn drawn_on(series: &str) -> Volume {
    let value = |at: usize| ((7 * (at % 13) + 13 * (at / 13 % 7) + 29 * (at / 91)) % 16) as u16;
    let mut volume = Volume::plain(13, 7, 5, StoredPixels::U16((0..455).map(value).collect()));
    volume.geometry = Geometry {
        pixel_mm: Some([0.5, 0.75]),
        placement: Some(Placement {
            across: [1.0, 0.0, 0.0],
            down: [0.0, 1.0, 0.0],
            positions: (0..5).map(|slice| [-10.5, 20.25, 2.5 * f64::from(slice)]).collect(),
        }),
        frame_of_reference: "2.25.9".into(),
        ..Geometry::default()
    };
    volume.geometry.derive();
    volume.source = Source::Dicom(Box::new(DicomSource {
        sop_instances: (1..=5).map(|slice| format!("{series}.{slice}")).collect(),
        ..DicomSource::default()
    }));
    volume
}

#[test]
fn segmentations_of_other_makers() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dicom/seg");
    type Rule = fn(u16, usize) -> u8;
    let bits: Rule = |value, segment| (value >> segment & 1) as u8;
    let fractions: Rule = |value, segment| if segment == 0 { 16 * value as u8 } else { 255 - 16 * value as u8 };
    let labels: Rule = |value, segment| u8::from(usize::from(value % 3) == segment + 1);
    for (name, kind, rule, maker) in [
        ("highdicom_binary", Kind::Binary, bits, "Other"),
        ("highdicom_fractional", Kind::Fractional, fractions, "Other"),
        ("highdicom_labelmap", Kind::Binary, labels, "Other"),
        ("dcmqi_binary", Kind::Binary, bits, ""),
    ] {
        let path = root.join(format!("{name}.dcm"));
        // By the images to which it refers, by position on other images, and on images that are displayed in another way.
        for (series, bits) in [("2.25.8", 0), ("2.25.8", 14), ("2.25.88", 0), ("2.25.88", 5)] {
            let mut volume = drawn_on(series);
            volume.turn(turn(bits));
            let opened = read(&path, &volume).expect(name);
            let segments = &opened.segmentation.segments;
            assert_eq!(
                segments.iter().map(|segment| segment.label.as_str()).collect::<Vec<_>>(),
                ["Polyp", "Lung infection"]
            );
            assert_eq!(segments[0].property.meaning, "Nodule");
            match &segments[0].algorithm {
                Algorithm::Automatic(model) => {
                    assert_eq!((model.name.as_str(), model.version.as_str()), (maker, "9"))
                }
                other => assert_eq!((other, maker), (&Algorithm::Manual, "")),
            }
            assert!(segments.iter().all(|segment| segment.colour.is_some()));
            let plane = volume.columns * volume.rows;
            let mut wanted = Vec::new();
            for segment in 0..2 {
                for slice in 0..volume.slices {
                    let at = |at: usize| rule(volume.values.at(slice * plane + at) as u16, segment);
                    wanted.push(Frame { segment, slice, values: (0..plane).map(at).collect() });
                }
            }
            assert_eq!(opened.segmentation.kind, kind);
            assert_eq!(frames(&opened.segmentation), wanted, "{name} {series} {bits}");
        }
    }
}
