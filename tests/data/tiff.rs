//! TIFF files of every kind compared with tifffile and Pillow (`tests/fixtures/pictures`), pages as stacks, and kinds
//! that are refused.

use std::path::{Path, PathBuf};

use himix::data::decode;
use himix::data::raster::Raster;
use himix::data::volume::{Source, StoredPixels};
use himix::data::{Image, Limit, Orientation, Pixels, image, open};
use serde_json::Value;

use super::fixtures::{folder, put};
use super::hostile::{tiff_chain, tiff_page};

/// Returns the folder of the fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures")
}

/// Returns what other programs read in the files of a part: names with expectations.
pub fn expected(part: &str) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(fixtures().join("expected.json")).expect("the expectations");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let files = all[part].as_object().expect("files");
    files.iter().map(|(name, one)| (name.clone(), one.clone())).collect()
}

fn raster_of(path: &Path) -> Raster {
    decode::raster(path, Limit::default(), Orientation::Upright).unwrap_or_else(|error| panic!("{error}"))
}

fn numbers(values: &StoredPixels) -> (&'static str, Vec<f64>) {
    let name = match values {
        StoredPixels::U8(_) => "u8",
        StoredPixels::I16(_) => "i16",
        StoredPixels::U16(_) => "u16",
        StoredPixels::F32(_) => "f32",
    };
    (name, values.floats(0..values.len()).into_iter().map(f64::from).collect())
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// Compares a file with its expectation.
pub fn compare(path: &Path, one: &Value) {
    let (read, name) = (raster_of(path), path.display());
    let sizes = [read.pages, read.rows, read.columns, read.channels];
    let size = |key: &str| one[key].as_u64().expect("a size") as usize;
    assert_eq!(sizes, ["pages", "rows", "columns", "channels"].map(size), "{name}");
    let (kind, values) = numbers(&read.values);
    assert_eq!(one["type"], kind, "{name}");
    let about = one["about"].as_f64().unwrap_or(0.0);
    let wanted = list(&one["values"]);
    assert_eq!(values.len(), wanted.len(), "{name}");
    for (place, (value, wanted)) in values.iter().zip(&wanted).enumerate() {
        assert!(
            (value - wanted).abs() <= about.max(wanted.abs() * 1e-7),
            "{name}, sample {place}: {value} for {wanted}"
        );
    }
    let alpha = read.alpha.as_ref().map(|alpha| numbers(alpha).1);
    assert_eq!(alpha, one.get("alpha").filter(|alpha| !alpha.is_null()).map(list), "{name}");
    let indices =
        read.palette.as_ref().map(|palette| palette.indices.iter().map(|&index| f64::from(index)).collect());
    assert_eq!(indices, one.get("indices").map(list), "{name}");
    if let Some(palette) = &read.palette {
        let colours: Vec<Vec<f64>> = palette.colours.iter().map(|colour| colour.map(f64::from).to_vec()).collect();
        let wanted: Vec<Vec<f64>> = one["colours"].as_array().expect("colours").iter().map(list).collect();
        assert_eq!(colours[..wanted.len()], wanted, "{name}");
    }
    assert_eq!(read.is_inverted, one["is_inverted"] == true, "{name}");
    let note = one["note"].as_str();
    assert_eq!(read.notes.len(), usize::from(note.is_some()), "{name}: {:?}", read.notes);
    assert!(note.is_none_or(|note| read.notes[0].contains(note)), "{name}: {:?}", read.notes);
}

#[test]
fn every_kind_has_the_values_that_other_programs_read() {
    let files = expected("tiff");
    assert!(files.len() > 45);
    for (name, one) in files {
        compare(&fixtures().join("tiff").join(name), &one);
    }
}

#[test]
fn what_is_not_read_is_called_by_its_name() {
    for (name, word) in expected("refused") {
        let path = fixtures().join("tiff").join(&name);
        let error = image::load(&path).expect_err("refused").to_string();
        let word = word.as_str().expect("a word");
        assert!(error.contains(word) && error.contains(&name), "{error}");
        assert!(["; convert it to", "; save their magnitude"].iter().any(|mend| error.contains(mend)), "{error}");
        assert!(!error.contains("PNG"), "{error}");
    }
}

#[test]
fn samples_and_losses_are_told() {
    let told = |name: &str| {
        let read = raster_of(&fixtures().join("tiff").join(name));
        (read.source.samples, read.is_lossy)
    };
    assert_eq!(told("big.tif"), ("grey, 16 bit".into(), false));
    assert_eq!(told("i16.tif"), ("grey, 16 bit signed".into(), false));
    assert_eq!(told("half.tif"), ("grey, 16 bit floating point".into(), false));
    assert_eq!(told("palette4.tif"), ("palette of 16 colours, 4 bit".into(), false));
    assert_eq!(told("grey-alpha.tif"), ("grey with alpha channel, 8 bit".into(), false));
    assert_eq!(told("white16.tif"), ("grey, white is zero, 16 bit".into(), false));
    assert_eq!(told("jpeg-ycbcr.tif"), ("YCbCr colour, 8 bit".into(), true));
}

#[test]
fn pages_are_a_stack_and_no_picture_of_a_pair() {
    let path = fixtures().join("tiff/pages.tif");
    let volume = open::open(&path, Limit::default(), &|_, _| true).expect("a stack");
    assert_eq!(volume.shape(), [9, 7, 3]);
    // The formula of the fixture: 3000 for each row, 701 for each column, 1000 for each page.
    assert_eq!(volume.slice(2).value(4, 3, 0), 3.0 * 3000.0 + 4.0 * 701.0 + 2000.0);
    let Source::Picture(source) = &volume.source else { panic!("{:?}", volume.source) };
    assert_eq!((source.format, source.samples.as_str(), source.pages), ("TIFF", "grey, 16 bit", 3));
    let error = image::load(&path).expect_err("a stack").to_string();
    assert!(
        error.contains("pages.tif") && error.contains("a stack of 3 pages") && error.contains("; "),
        "{error}"
    );
    let first = image::load(&fixtures().join("tiff/sizes.tif")).expect("the first of two that differ");
    assert_eq!((first.width, first.height), (9, 7));
}

#[test]
fn signed_samples_are_numbers_in_a_picture() {
    let image = image::load(&fixtures().join("tiff/i16.tif")).expect("a picture");
    assert_eq!(image.value(0, 0, 0), -12_000.0);
    assert!(matches!(image, Image { width: 9, height: 7, channels: 1, pixels: Pixels::F32(_) }));
}

/// Makes a file of `pages` directories in a loop: the last points back at the first.
#[test]
fn a_chain_without_end_is_answered() {
    let mut bytes = std::fs::read(fixtures().join("tiff/pages.tif")).expect("a file");
    let first = u32::from_le_bytes(bytes[4..8].try_into().expect("four"));
    let mut at = first as usize;
    loop {
        let count = usize::from(u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two")));
        let next = at + 2 + 12 * count;
        at = u32::from_le_bytes(bytes[next..next + 4].try_into().expect("four")) as usize;
        if at == 0 {
            bytes[next..next + 4].copy_from_slice(&first.to_le_bytes());
            break;
        }
    }
    let folder = folder();
    match decode::raster(&put(&folder, "loop.tif", &bytes), Limit::default(), Orientation::Upright) {
        Ok(read) => assert_eq!(read.pages, 3),
        Err(error) => assert!(error.to_string().contains("loop.tif"), "{error}"),
    }
}

/// A page may have samples that are not read and do not belong to the stack.
#[test]
fn a_further_sample_on_the_second_page_is_left_out() {
    let (pixels, all) = (64 * 64, 3 * 64 * 64);
    let data: Vec<u8> = (0..all).map(|place| (place % 251) as u8).collect();
    let first = tiff_page(64, 64, &[(279, 1, pixels)]);
    let second = tiff_page(64, 64, &[(273, 1, 8 + pixels), (277, 1, 2), (279, 1, 2 * pixels), (338, 1, 0)]);
    let folder = folder();
    let read = raster_of(&put(&folder, "further.tif", &tiff_chain(&[first, second], &data)));
    assert_eq!(read.pages, 2);
    let wanted = (0..pixels).chain((pixels..all).step_by(2)).map(|place| (place % 251) as u8);
    assert!(read.values == StoredPixels::U8(wanted.collect()), "every second of the second page");
    assert_eq!(read.notes, ["A pixel has 0 to 1 further samples, by its page, which are not read."]);
}

/// Memory for all pages together is counted before the first is decoded.
#[test]
fn pages_count_against_the_limit() {
    let path = fixtures().join("tiff/pages.tif");
    let length = std::fs::metadata(&path).expect("a file").len();
    let refused = decode::raster(&path, Limit(length + 3 * 126), Orientation::Upright).expect_err("too much");
    assert!(refused.to_string().contains("it needs"), "{refused}");
}

#[test]
fn the_reported_files_are_read() {
    let Some(folder) = crate::common::shared("data/reports/16-tiff") else { return };
    for (name, pages) in [
        ("a_bigtiff_u16.tif", 1),
        ("g_tiled_deflate_u16.tif", 1),
        ("h_float_deflate_pred3.tif", 1),
        ("l_palette.tif", 1),
        ("m_pages.tif", 3),
        ("t_zstd.tif", 1),
    ] {
        let read = raster_of(&folder.join(name));
        assert_eq!((read.columns, read.rows, read.pages), (80, 64, pages), "{name}");
    }
}
