//! Files that must be refused, each with one line that names the file.

use himix::data::{DataError, image::load};
use image::{DynamicImage, ImageFormat, RgbImage};

use super::fixtures::{folder, grey_float_tiff, png, put};

/// Returns the refusal after checking its form.
fn refusal(name: &str, bytes: &[u8]) -> DataError {
    let folder = folder();
    let error = load(&put(&folder, name, bytes)).err().unwrap_or_else(|| panic!("{name} was read"));
    check_line(&error, name);
    error
}

fn check_line(error: &DataError, name: &str) {
    let line = error.to_string();
    assert!(!line.contains('\n') && line.contains(name) && line.contains("; "), "{line:?}");
}

/// An image that compresses badly, so that half of the file does not contain all pixels.
fn noise() -> DynamicImage {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    DynamicImage::ImageRgb8(RgbImage::from_fn(64, 48, |_, _| image::Rgb([next(), next(), next()])))
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    noise().write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

#[test]
fn what_is_no_image() {
    assert!(matches!(refusal("notes.png", b"just some text, not an image"), DataError::NotAnImage { .. }));
    assert!(matches!(refusal("empty.png", b""), DataError::Damaged { .. }));
    assert!(matches!(refusal("short.png", b"\x89PNG"), DataError::NotAnImage { .. }));
    assert!(matches!(refusal("anim.png", b"GIF89a\x01\0\x01\0\0\0\0"), DataError::Unsupported { .. }));
    let folder = folder();
    let missing = load(&folder.path().join("gone.png")).expect_err("no such file");
    assert!(matches!(missing, DataError::Missing { .. }), "{missing}");
    check_line(&missing, "gone.png");
    let of_folder = load(folder.path()).expect_err("a folder");
    assert!(matches!(of_folder, DataError::Unreadable { .. }), "{of_folder}");
}

#[test]
fn truncated_files_of_every_format() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
        let whole = encoded(format);
        for share in [0.03, 0.3, 0.6, 0.9] {
            let cut = &whole[..(whole.len() as f64 * share) as usize];
            let error = refusal("cut.dat", cut);
            assert!(matches!(error, DataError::Damaged { .. }), "{format:?} at {share}: {error}");
        }
    }
    let tiff = grey_float_tiff(4, 4, &[1.0; 16]);
    assert!(matches!(refusal("cut.tif", &tiff[..tiff.len() - 1]), DataError::Damaged { .. }));
    // Five rows are announced, four are stored.
    let tiff = grey_float_tiff(4, 5, &[1.0; 16]);
    assert!(matches!(refusal("short.tif", &tiff), DataError::Damaged { .. }));
}

#[test]
fn damaged_bytes_never_panic() {
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff, ImageFormat::Bmp, ImageFormat::WebP] {
        let whole = encoded(format);
        let folder = folder();
        for at in (0..whole.len().min(400)).chain((400..whole.len()).step_by(97)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xA5;
            // The file is read or refused; a changed sample may go unnoticed.
            if let Err(error) = load(&put(&folder, "flip.dat", &bytes)) {
                check_line(&error, "flip.dat");
            }
        }
    }
}

#[test]
fn headers_beyond_reason() {
    for (width, height) in [(60_000, 60_000), (40_000, 1), (32_000, 32_000)] {
        let error = refusal("huge.png", &png(width, height, 16, 2, &[], &[&[0; 16]]));
        let is_named = error.to_string().contains(&format!("{width}x{height}"));
        match error {
            DataError::TooLarge { .. } => assert!(is_named, "{error}"),
            _ => assert!(matches!(error, DataError::BeyondLimit { .. }), "{width}x{height}: {error}"),
        }
    }
    for (width, height) in [(0, 0), (0, 5), (5, 0)] {
        let error = refusal("none.png", &png(width, height, 8, 0, &[], &[]));
        assert!(matches!(error, DataError::NoPixels { .. } | DataError::Damaged { .. }), "{error}");
    }
    let mut jpeg = encoded(ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a baseline frame");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xEA, 0x60, 0xEA, 0x60]);
    assert!(matches!(refusal("huge.jpg", &jpeg), DataError::TooLarge { .. }));
    let tiff = grey_float_tiff(60_000, 60_000, &[1.0; 16]);
    assert!(matches!(refusal("huge.tif", &tiff), DataError::TooLarge { .. }));
}

#[test]
fn values_that_are_no_numbers() {
    for value in [f32::NAN, f32::INFINITY, 1e31] {
        let error = refusal("nan.tif", &grey_float_tiff(2, 1, &[1.0, value]));
        assert!(matches!(error, DataError::Unsupported { .. }), "{error}");
    }
}

#[test]
fn a_thumbnail_does_not_end_a_jpeg() {
    let whole = encoded(ImageFormat::Jpeg);
    // An application segment that contains a whole image, with its end marker, after the start marker.
    let mut bytes = whole[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend((whole.len() as u16 + 2).to_be_bytes());
    bytes.extend_from_slice(&whole);
    bytes.extend_from_slice(&whole[2..]);
    let folder = folder();
    assert!(load(&put(&folder, "whole.jpg", &bytes)).is_ok());
    let cut = &bytes[..bytes.len() - 40];
    assert!(matches!(refusal("cut.jpg", cut), DataError::Damaged { .. }));
}
