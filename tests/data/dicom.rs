//! DICOM files of the shared folder compared with a reference decoder, and malformed files that are made here.

use dicom_core::{DataElement, PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use himix::data::dicom::{open, open_series, series_in};
use himix::data::volume::{Modality, StoredPixels, ValueMapping, Volume};
use himix::data::{DataError, Limit, Orientation, Pixels};
use tempfile::TempDir;

use super::fixtures::{folder, put};
use super::hostile::{dicom_picture, dicom_piece, dicom_pieces, dicom_start, element, jpeg, jpeg_2000};
use crate::common::shared;

/// Returns smallest, largest and mean stored value.
fn statistics(scan: &Volume) -> [f64; 3] {
    let values = scan.values.floats(0..scan.values.len());
    let range =
        values.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &v| [low.min(v), high.max(v)]);
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
    [f64::from(range[0]), f64::from(range[1]), mean]
}

#[test]
fn every_file_of_the_manifest() {
    let Some(root) = shared("data/dicom") else { return };
    let mut table = csv::Reader::from_path(root.join("manifest.csv")).expect("the manifest");
    let header = table.headers().expect("a header").clone();
    let (mut decoded, mut refused, mut wrong) = (0, 0, Vec::new());
    for row in table.records() {
        let row = row.expect("a row");
        let get = |name: &str| {
            row.get(header.iter().position(|column| column == name).expect("a column"))
                .unwrap_or_default()
                .to_owned()
        };
        let path = root.join(get("file"));
        let result = open(&path, Limit::default());
        if get("reference_decode") != "ok" {
            let error = result.map(|_| ()).expect_err("must be refused").to_string();
            assert!(error.contains(&get("file")) && !error.contains('\n'), "{error}");
            refused += 1;
            continue;
        }
        decoded += 1;
        let scan = match result {
            Ok(scan) => scan,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        assert_eq!((scan.rows, scan.columns), (get("rows").parse().unwrap(), get("cols").parse().unwrap()));
        assert_eq!(scan.slices.to_string(), get("frames"), "{}", get("file"));
        if get("photometric") == "PALETTE COLOR" {
            // The manifest has indices, which are looked up here.
            assert_eq!(scan.channels, 3);
            continue;
        }
        let expected =
            ["stored_min", "stored_max", "stored_mean"].map(|name| get(name).parse::<f64>().expect("a number"));
        let found = statistics(&scan);
        // Decoders of lossy JPEG round differently, also in colour conversion.
        let is_lossy = scan.channels == 3 || get("transfer_syntax").contains("JPEG");
        let is_lossless =
            get("transfer_syntax").contains("ossless") || get("transfer_syntax").contains("First-Order");
        let allowed = if is_lossy && !is_lossless { [4.0, 4.0, 0.6] } else { [0.0, 0.0, 1e-3] };
        if (0..3).any(|place| (found[place] - expected[place]).abs() > allowed[place]) {
            wrong.push(format!("{}: {found:?}, expected {expected:?}", get("file")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(decoded >= 37 && refused >= 4, "{decoded} decoded, {refused} refused");
}

#[test]
fn what_the_attributes_mean() {
    let Some(root) = shared("data/dicom") else { return };
    let of = |name: &str| open(&root.join(name), Limit::default()).expect("a scan");
    let ct = of("ct_transfer_syntaxes/Original.dcm");
    assert_eq!((ct.modality, ct.unit), (Modality::Ct, "HU"));
    assert_eq!(ct.mapping, ValueMapping::Linear(vec![[1.0, -1024.0]]));
    assert_eq!((ct.windows[0].window.centre, ct.windows[0].window.width), (40.0, 400.0));
    assert!(ct.geometry.pixel_mm.is_some() && ct.geometry.sides.is_some());
    let chest = of("cr_chest_mono1_10bit_implicit_nopreamble.dcm");
    assert!(chest.is_inverted && chest.modality == Modality::Radiograph);
    let breast = of("mg_12bit_jpegll_multiwindow.dcm");
    assert_eq!(breast.windows.len(), 3);
    let several = of("ct_body_12bit_j2k_lossless_multiwindow.dcm");
    assert_eq!(several.windows.len(), 2);
    let voi = of("ot_voi_lut_8bit.dcm");
    assert_eq!(voi.windows[0].name, "VOI LUT");
    assert!(matches!(of("ot_modality_lut_12bit.dcm").mapping, ValueMapping::Table { .. }));
    assert_eq!(of("us_ybr422_jpeg_baseline_30frames.dcm").slices, 30);
}

/// Makes grey pixels with the attributes that they need.
pub fn object(columns: u16, rows: u16, frames: u32, pixels: Vec<u16>) -> InMemDicomObject {
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    InMemDicomObject::from_element_iter([
        text(tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
        text(tags::SOP_INSTANCE_UID, VR::UI, "2.25.5"),
        text(tags::MODALITY, VR::CS, "CT"),
        text(tags::PATIENT_NAME, VR::PN, "Nobody^Knows"),
        text(tags::SERIES_INSTANCE_UID, VR::UI, "2.25.7"),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        text(tags::NUMBER_OF_FRAMES, VR::IS, &frames.to_string()),
        text(tags::RESCALE_INTERCEPT, VR::DS, "-1024"),
        text(tags::RESCALE_SLOPE, VR::DS, "1"),
        text(tags::PIXEL_SPACING, VR::DS, "0.5\\0.25"),
        text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        DataElement::new(tags::COLUMNS, VR::US, dicom_value!(U16, columns)),
        DataElement::new(tags::ROWS, VR::US, dicom_value!(U16, rows)),
        DataElement::new(tags::SAMPLES_PER_PIXEL, VR::US, dicom_value!(U16, 1)),
        DataElement::new(tags::BITS_ALLOCATED, VR::US, dicom_value!(U16, 16)),
        DataElement::new(tags::BITS_STORED, VR::US, dicom_value!(U16, 12)),
        DataElement::new(tags::HIGH_BIT, VR::US, dicom_value!(U16, 11)),
        DataElement::new(tags::PIXEL_REPRESENTATION, VR::US, dicom_value!(U16, 0)),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())),
    ])
}

pub fn write(folder: &TempDir, name: &str, object: InMemDicomObject) -> std::path::PathBuf {
    let meta = FileMetaTableBuilder::new().transfer_syntax("1.2.840.10008.1.2.1");
    let path = folder.path().join(name);
    object.with_meta(meta).expect("meta").write_to_file(&path).expect("written");
    path
}

pub fn at_height(value: u16, z: &str) -> InMemDicomObject {
    let mut slice = object(2, 1, 1, vec![value, 4000]);
    slice.put(DataElement::new(tags::IMAGE_POSITION_PATIENT, VR::DS, PrimitiveValue::from(format!("0\\0\\{z}"))));
    slice
}

#[test]
fn slices_are_sorted_by_position() {
    let folder = folder();
    // The names have another order than the positions, and one file does not belong to them.
    for (name, value, z) in [("c", 3, "30"), ("a", 2, "20"), ("d", 1, "10"), ("b", 5, "50")] {
        write(&folder, name, at_height(value, z));
    }
    put(&folder, "readme.txt", b"no picture");
    put(&folder, "DICOMDIR", b"broken");
    let series = series_in(folder.path());
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].name, "CT, 4 slices");
    let whole = open_series(&series[0].files, Limit::default(), &|_| true).expect("a stack");
    let firsts: Vec<f32> = (0..4).map(|slice| whole.slice(slice).value(0, 0, 0) + 1024.0).collect();
    assert_eq!(firsts, [1.0, 2.0, 3.0, 5.0]);
    assert_eq!(whole.geometry.spacing_mm(), Some([0.25, 0.5, 10.0]));
    assert!(whole.notes[0].contains("missing"), "{:?}", whole.notes);
    let cancelled = open_series(&series[0].files, Limit::default(), &|_| false);
    assert!(matches!(cancelled, Err(DataError::Cancelled { .. })));
    let dicomdir = himix::data::open::open(&folder.path().join("DICOMDIR"), Limit::default(), &|_, _| true);
    assert_eq!(dicomdir.expect("the folder's series").slices, 4);
    write(&folder, "e", {
        let mut other = object(1, 2, 1, vec![0, 0]);
        other.put(DataElement::new(tags::IMAGE_POSITION_PATIENT, VR::DS, PrimitiveValue::from("0\\0\\60")));
        other
    });
    assert_eq!(series_in(folder.path()).len(), 2, "another size is another stack");
}

/// Returns the stored values of the first pixel of every slice.
pub fn firsts(whole: &Volume) -> Vec<f32> {
    (0..whole.slices).map(|slice| whole.slice(slice).value(0, 0, 0) + 1024.0).collect()
}

#[test]
fn one_bad_file_does_not_block_a_series() {
    let folder = folder();
    for (name, value, z) in [("b", 2, "20"), ("c", 3, "30"), ("e", 5, "50")] {
        write(&folder, name, at_height(value, z));
    }
    // One file ends early and would be the first; one has a compression that is not supported.
    let whole = std::fs::read(write(&folder, "a", at_height(1, "10"))).expect("bytes");
    let cut = put(&folder, "a", &whole[..whole.len() - 3]);
    let mut retired = dicom_start("1.2.840.10008.1.2.4.53");
    let explicit = dicom_transfer_syntax_registry::entries::EXPLICIT_VR_LITTLE_ENDIAN.erased();
    at_height(4, "40").write_dataset_with_ts(&mut retired, &explicit).expect("written");
    put(&folder, "d", &retired);
    let series = series_in(folder.path());
    assert_eq!((series.len(), series[0].name.as_str()), (1, "CT, 5 slices"));
    let whole = open_series(&series[0].files, Limit::default(), &|_| true).expect("a stack");
    assert_eq!(firsts(&whole), [2.0, 3.0, 5.0]);
    assert_eq!(whole.geometry.spacing_mm(), Some([0.25, 0.5, 20.0]), "by the slices that are there");
    let note = &whole.notes[0];
    assert!(note.starts_with("2 of 5 files were left out of this series. "), "{note}");
    assert!(note.contains(&format!("{}: the file is truncated", cut.display())), "{note}");
    assert!(note.contains("spectral selection") && !note.contains('\n'), "{note}");
    // Many files are counted, not named.
    let many = [vec![cut.clone(); 5], series[0].files.clone()].concat();
    let whole = open_series(&many, Limit::default(), &|_| true).expect("a stack");
    assert!(whole.notes[0].ends_with("4 more were left out."), "{:?}", whole.notes);
    let around = [series[0].files[1].clone(), cut.clone(), series[0].files[2].clone()];
    let small = himix::data::worklist::thumbnail(&around[0], &around, 8, Limit::default(), Orientation::default());
    assert_eq!(small.expect("that of the next file").width, 2);
    // If no file can be read, it is an error, that of the first file.
    let none = open_series(&[cut, folder.path().join("d")], Limit::default(), &|_| true);
    assert!(matches!(none, Err(DataError::Damaged { path, .. }) if path.ends_with("a")));
}

#[test]
fn what_fits_into_no_stack_is_listed_apart() {
    let folder = folder();
    let mut good = Vec::new();
    for (name, value, z) in [("a", 1, "10"), ("b", 2, "20"), ("c", 3, "30")] {
        good.push(write(&folder, name, at_height(value, z)));
    }
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let two = dicom_value!(U16, [7, 7, 7, 7]);
    let odd = [
        (
            "size",
            vec![
                DataElement::new(tags::ROWS, VR::US, dicom_value!(U16, 2)),
                DataElement::new(tags::PIXEL_DATA, VR::OW, two.clone()),
            ],
        ),
        (
            "frames",
            vec![text(tags::NUMBER_OF_FRAMES, VR::IS, "2"), DataElement::new(tags::PIXEL_DATA, VR::OW, two)],
        ),
        ("kind", vec![DataElement::new(tags::PIXEL_REPRESENTATION, VR::US, dicom_value!(U16, 1))]),
        ("kind", vec![text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1")]),
        ("orientation", vec![text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\0\\-1")]),
        ("frame of reference", vec![text(tags::FRAME_OF_REFERENCE_UID, VR::UI, "2.25.9")]),
    ];
    for (place, (reason, elements)) in odd.into_iter().enumerate() {
        let mut object = at_height(9, "40");
        elements.into_iter().for_each(|element| {
            object.put(element);
        });
        let path = write(&folder, &format!("odd {place}"), object);
        let series = series_in(folder.path());
        assert_eq!((series.len(), series[0].name.as_str()), (place + 2, "CT, 3 slices"), "another {reason}");
        assert!(series.iter().any(|one| one.files == [path.clone()]), "it can be opened by itself");
        open(&path, Limit::default()).expect("it can be read");
        // If it is given explicitly, it is left out and named.
        let files = [good[..2].to_vec(), vec![path.clone()], good[2..].to_vec()].concat();
        let whole = open_series(&files, Limit::default(), &|_| true).expect("a stack");
        assert_eq!(firsts(&whole), [1.0, 2.0, 3.0], "{reason}");
        let note = whole.notes.iter().find(|note| note.starts_with("1 of 4 files was left out")).expect("a note");
        assert!(note.contains(&path.display().to_string()) && note.contains(reason), "{note}");
        assert!(note.ends_with("open it alone."), "{note}");
    }
    // Of two objects with equally many frames, the number of frames is not the reason.
    let frames = good[0].with_file_name("odd 1");
    let whole = open_series(&[frames.clone(), frames], Limit::default(), &|_| true).expect("the first");
    assert!(whole.notes[0].contains("(it has several frames)"), "{:?}", whole.notes);
    // A direction that is rounded differently counts as equal.
    let mut rounded = at_height(4, "40");
    rounded.put(text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "0.99999\\0.0004\\0\\-0.0004\\0.99999\\0"));
    write(&folder, "d", rounded);
    let scan = himix::data::open::open(folder.path(), Limit::default(), &|_, _| true).expect("the largest");
    assert_eq!(firsts(&scan), [1.0, 2.0, 3.0, 4.0]);
    assert!(scan.notes.iter().any(|note| note.contains("largest of 7 series")), "{:?}", scan.notes);
}

#[test]
fn compression_that_is_not_read_is_called_by_its_name() {
    let folder = folder();
    let refused = |bytes: &[u8]| {
        let error = open(&put(&folder, "x.dcm", bytes), Limit::default()).expect_err("refused");
        assert!(matches!(error, DataError::Compression { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("x.dcm") && text.contains("Explicit VR Little Endian"), "{text}");
        text
    };
    for (syntax, name) in [
        ("1.2.840.10008.1.2.4.53", "JPEG spectral selection, process 6 and 8"),
        ("1.2.840.10008.1.2.4.55", "JPEG full progression"),
        ("1.2.840.10008.1.2.4.59", "hierarchical JPEG"),
        ("1.2.840.10008.1.2.4.66", "arithmetic coding"),
        ("1.2.840.10008.1.2.4.102", "H.264"),
        ("1.3.46.670589.33.1.4.1", "transfer syntax 1.3.46.670589.33.1.4.1"),
    ] {
        let text = refused(&dicom_piece(syntax, 16, 8, &[0xff, 0xd8, 0xff, 0xd9]));
        assert!(text.contains(name) && text.contains(syntax), "{text}");
        // The same holds for pixels that claim to be compressed and are not in pieces.
        let native = element(0x7fe0, 0x10, b"OB", &[0; 128]);
        refused(&[dicom_start(syntax), dicom_picture(16, 8, "1 "), native].concat());
    }
    // A supported transfer syntax with a frame of another one: hierarchical, arithmetic.
    for marker in [0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf] {
        for syntax in ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57"] {
            refused(&dicom_piece(syntax, 16, 8, &jpeg(marker, 16, 8, 1, 1)));
        }
    }
}

#[test]
fn files_that_lie_are_refused() {
    let folder = folder();
    let huge = write(&folder, "huge.dcm", object(65_535, 65_535, 1000, vec![0; 4]));
    let error = open(&huge, Limit::default()).expect_err("too large").to_string();
    assert!(error.contains("huge.dcm") && error.contains("raise the limit"), "{error}");
    let short = write(&folder, "short.dcm", object(64, 64, 1, vec![0; 4]));
    assert!(open(&short, Limit::default()).is_err());
    let many = write(&folder, "many.dcm", object(2, 2, 1, vec![7; 4]));
    let error = open(&many, Limit(20)).expect_err("beyond the limit").to_string();
    assert!(error.contains("MiB"), "{error}");
    let scan = open(&many, Limit::default()).expect("a scan");
    assert_eq!(scan.values, StoredPixels::U16(vec![7; 4]));
    assert_eq!(scan.slice(0).pixels, Pixels::F32(vec![-1017.0; 4]));
    // A name is kept for display and is written nowhere else.
    assert!(scan.patient.is_some() && !format!("{scan:?}").contains("Nobody"));
    let whole = std::fs::read(&many).expect("bytes");
    // A few bytes that claim four gigabytes are refused before memory is allocated.
    let pixels = whole.windows(4).rposition(|tag| tag == [0xe0, 0x7f, 0x10, 0]).expect("pixels");
    let mut claims = whole.clone();
    claims[pixels + 8..pixels + 12].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    let error = open(&put(&folder, "claims.dcm", &claims), Limit::default()).expect_err("refused").to_string();
    assert!(error.contains("claims 4294967280 bytes"), "{error}");
    for length in (0..whole.len()).step_by(7) {
        let path = put(&folder, "cut.dcm", &whole[..length]);
        if let Ok(scan) = open(&path, Limit::default()) {
            assert_eq!(scan.values.len(), 4, "cut at {length}");
        }
    }
    for place in (132..whole.len()).step_by(3) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0xff;
        let path = put(&folder, "flipped.dcm", &bytes);
        let _ = open(&path, Limit(1 << 20));
    }
}

#[test]
fn a_sigmoid_window_is_a_curve() {
    let folder = folder();
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let of = |name: &str, modality: &str, centres: &str, widths: &str| {
        let mut object = object(4, 1, 1, vec![0, 100, 120, 4000]);
        object.put(text(tags::MODALITY, VR::CS, modality));
        object.put(text(tags::RESCALE_INTERCEPT, VR::DS, "0"));
        object.put(text(tags::VOILUT_FUNCTION, VR::CS, "SIGMOID"));
        object.put(text(tags::WINDOW_CENTER, VR::DS, centres));
        object.put(text(tags::WINDOW_WIDTH, VR::DS, widths));
        open(&write(&folder, name, object), Limit::default()).expect("a scan")
    };
    let radiograph = of("dx.dcm", "DX", "100", "40");
    let slice = radiograph.slice(0);
    let window = radiograph.first_window(&slice);
    let shades: Vec<f32> = slice.floats().map(|value| window.shade(value)).collect();
    // DICOM PS3.3 C.11.2.1.3.1: one half at the centre, 1 / (1 + exp(-2)) half a width above it.
    for (shade, wanted) in shades.iter().zip([0.000_045, 0.5, 0.880_797, 1.0]) {
        assert!((shade - wanted).abs() < 1e-4, "{shades:?}");
    }
    let several = of("several.dcm", "DX", "100\\200", "40\\80");
    assert!(
        several.windows.len() == 2
            && several.mapping == ValueMapping::Same
            && several.notes.iter().any(|note| note.contains("sigmoid"))
    );
    let ct = of("ct.dcm", "CT", "100", "40");
    assert!(ct.unit == "HU" && ct.windows[0].window.centre == 100.0 && !ct.notes.is_empty(), "HU can be read off");
}

#[test]
fn a_series_has_a_curve_where_all_its_slices_have_the_same() {
    let text = |tag, vr, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
    let of = |slices: [[&str; 3]; 3]| {
        let folder = folder();
        let files = slices.iter().enumerate().map(|(place, [centres, widths, slope])| {
            let mut object = object(2, 1, 1, vec![100, 120]);
            object.put(text(tags::SOP_INSTANCE_UID, VR::UI, &format!("2.25.{}", 50 + place)));
            object.put(text(tags::MODALITY, VR::CS, "MR"));
            object.put(text(tags::RESCALE_INTERCEPT, VR::DS, "0"));
            object.put(text(tags::RESCALE_SLOPE, VR::DS, slope));
            object.put(text(tags::VOILUT_FUNCTION, VR::CS, "SIGMOID"));
            object.put(text(tags::WINDOW_CENTER, VR::DS, centres));
            object.put(text(tags::WINDOW_WIDTH, VR::DS, widths));
            object.put(DataElement::new(tags::PIXEL_PADDING_VALUE, VR::US, dicom_value!(U16, 100)));
            write(&folder, &place.to_string(), object)
        });
        open_series(&files.collect::<Vec<_>>(), Limit::default(), &|_| true).expect("a stack")
    };
    let one = ["100", "40", "1"];
    let curve = of([one; 3]);
    assert_eq!(curve.slices, 3);
    assert!(curve.notes.is_empty() && matches!(curve.mapping, ValueMapping::Table { .. }), "{:?}", curve.notes);
    // The padding value is mid-grey now, like the pixels that have it.
    assert_eq!(curve.padding, Some(curve.slice(2).value(0, 0, 0)));
    assert!(curve.padding.is_some_and(|padding| (padding - 2047.5).abs() < 0.1), "{:?}", curve.padding);
    for (other, mapping) in [
        (["100\\200", "40\\60", "1"], ValueMapping::Same),
        (["110", "40", "1"], ValueMapping::Same),
        (["100", "40", "2"], ValueMapping::Linear(vec![[1.0, 0.0], [2.0, 0.0], [1.0, 0.0]])),
    ] {
        let straight = of([one, other, one]);
        assert_eq!((straight.slices, &straight.mapping), (3, &mapping), "{other:?}: {:?}", straight.notes);
        assert!(straight.notes.len() == 1 && straight.notes[0].contains("sigmoid"), "{:?}", straight.notes);
        assert_eq!(straight.padding, Some(100.0));
    }
}

#[test]
fn pixels_that_are_whole_and_not_read_are_called_what_they_are() {
    let folder = folder();
    let pixels = |samples: u16, photometric: &str, bits: u16, length: usize| {
        let mut object = object(64, 64, 1, Vec::new());
        object.put(DataElement::new(tags::SAMPLES_PER_PIXEL, VR::US, dicom_value!(U16, samples)));
        object.put(DataElement::new(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, PrimitiveValue::from(photometric)));
        object.put(DataElement::new(tags::BITS_ALLOCATED, VR::US, dicom_value!(U16, bits)));
        object.put(DataElement::new(tags::BITS_STORED, VR::US, dicom_value!(U16, bits)));
        object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(vec![0; length].into())));
        open(&write(&folder, "x.dcm", object), Limit::default())
    };
    let error = pixels(3, "YBR_PARTIAL_420", 8, 64 * 64 * 3 / 2).expect_err("refused");
    assert!(matches!(error, DataError::Unsupported { .. }) && error.to_string().contains("PARTIAL"), "{error}");
    assert!(matches!(pixels(1, "MONOCHROME2", 1, 64 * 64 / 8 - 2), Err(DataError::Damaged { .. })));
    assert!(
        pixels(1, "MONOCHROME2", 1, 64 * 64 / 8).is_ok_and(|scan| scan.values.len() == 64 * 64),
        "one bit each"
    );
    assert!(pixels(3, "YBR_FULL_422", 8, 64 * 64 * 2).is_ok(), "colours for every other pixel");
    assert!(matches!(pixels(3, "YBR_FULL_422", 8, 64 * 64), Err(DataError::Damaged { .. })));
    assert!(pixels(3, "YBR_FULL_422", 8, 64 * 64 * 3).is_ok(), "all its samples are there");
}

#[test]
fn what_other_programs_put_around_a_picture() {
    let folder = folder();
    let path = write(&folder, "plain.dcm", object(2, 2, 1, vec![7; 4]));
    let plain = std::fs::read(&path).expect("bytes");
    let read = |name: &str, bytes: &[u8]| {
        let path = put(&folder, name, bytes);
        himix::data::open::open(&path, Limit::default(), &|_, _| true).expect("a scan").values
    };
    // A preamble that makes a TIFF of it.
    let mut both = plain.clone();
    both[..8].copy_from_slice(b"II\x2a\0\x60\0\0\0");
    assert_eq!(read("both.dcm", &both), StoredPixels::U16(vec![7; 4]));
    // Garbage after the pixels.
    let behind = [plain.as_slice(), &[0xe1, 0x7f, 0, 0, b'O', b'B', 0, 0, 0xf0, 0xff, 0xff, 0xff, 1]].concat();
    assert_eq!(read("behind.dcm", &behind), StoredPixels::U16(vec![7; 4]));
}

#[test]
fn a_series_stays_within_its_limit() {
    let folder = folder();
    let files: Vec<_> = (0..4)
        .map(|slice| {
            let mut object = object(64, 64, 1, vec![slice; 4096]);
            object.put(DataElement::new(tags::INSTANCE_NUMBER, VR::IS, PrimitiveValue::from(slice.to_string())));
            write(&folder, &format!("{slice}.dcm"), object)
        })
        .collect();
    let whole = open_series(&files, Limit(64 << 10), &|_| true).expect("a stack");
    assert_eq!((whole.slices, whole.slice(3).value(0, 0, 0)), (4, 3.0 - 1024.0));
    let error = open_series(&files, Limit(33 << 10), &|_| true).expect_err("beyond the limit").to_string();
    assert!(error.contains("0.dcm") && error.contains("raise the limit"), "{error}");
}

#[test]
fn slices_share_what_they_may_take() {
    const SLICE: usize = 512 * 512;
    let folder = folder();
    let native = element(0x7fe0, 0x10, b"OW", &vec![7; SLICE]);
    let plain = [dicom_start("1.2.840.10008.1.2.1"), dicom_picture(512, 512, "1 "), native].concat();
    // As long as the slice that is not in it; JPEG 2000 takes more than any other.
    let mut stored = jpeg_2000(512, 512, 512);
    stored.resize(SLICE, 0);
    let packed = dicom_piece("1.2.840.10008.1.2.4.90", 512, 512, &stored);
    let mut files = vec![put(&folder, "0.dcm", &plain)];
    files.extend((1..8).map(|slice| put(&folder, &format!("{slice}.dcm"), &packed)));
    // Beside the stack there is memory for one slice at a time, and for two just barely.
    for slices in [28, 32] {
        let whole = open_series(&files, Limit((8 + slices) * SLICE as u64), &|_| true);
        assert!(!matches!(whole, Err(DataError::BeyondLimit { .. })), "room for {slices}");
    }
}

#[test]
fn frames_however_they_are_divided() {
    let jpeg = |value: u8| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = image::GrayImage::from_pixel(16, 8, image::Luma([value]));
        image::DynamicImage::ImageLuma8(image).write_to(&mut bytes, image::ImageFormat::Jpeg).expect("encoded");
        bytes.into_inner()
    };
    let frames = [jpeg(40), jpeg(80), jpeg(120)];
    let halves: Vec<&[u8]> = frames.iter().flat_map(|frame| [&frame[..100], &frame[100..]]).collect();
    let whole = frames.concat();
    // Each frame is filled up, as pieces of odd length are.
    let filled: Vec<u8> = frames.iter().flat_map(|frame| [frame.as_slice(), &[0, 0]].concat()).collect();
    let folder = folder();
    for (name, pieces) in [
        ("each", frames.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        ("halves", halves),
        ("one", vec![whole.as_slice()]),
        ("filled", vec![filled.as_slice()]),
    ] {
        let path = put(&folder, name, &dicom_pieces("1.2.840.10008.1.2.4.50", 16, 8, "3 ", &pieces));
        let scan = open(&path, Limit::default()).unwrap_or_else(|error| panic!("{error}"));
        let means = (0..3).map(|slice| scan.slice(slice).value(8, 4, 0)).collect::<Vec<f32>>();
        assert_eq!((scan.slices, means), (3, vec![40.0, 80.0, 120.0]), "{name}");
    }
    // One frame ends early.
    for length in [100, frames[0].len() / 2, frames[0].len() - 3] {
        let path =
            put(&folder, "cut", &dicom_pieces("1.2.840.10008.1.2.4.50", 16, 8, "1 ", &[&frames[0][..length]]));
        assert!(matches!(open(&path, Limit::default()), Err(DataError::Damaged { .. })), "cut at {length}");
    }
    // Four frames are announced, three exist.
    let path = put(
        &folder,
        "four",
        &dicom_pieces("1.2.840.10008.1.2.4.50", 16, 8, "4 ", &[&frames[0], &frames[1], &frames[2]]),
    );
    let error = open(&path, Limit::default()).expect_err("a frame is missing").to_string();
    assert!(error.contains("cannot be separated"), "{error}");
}
