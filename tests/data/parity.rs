//! Preprocessing and tokens compared with the authors' code for the same files.

use std::fs;
use std::path::Path;
use std::time::Instant;

use himix::data::preprocess::{enlarged_mask, input_tensor, target, zoomed_target};
use himix::data::{MaskRule, image, mask};
use himix::input::{Channels, InputForm, MaskResize, Range, Resize};
use himix::text::Tokenizer;
use safetensors::SafeTensors;

use crate::common::shared;

const SIZE: usize = 224;

/// Returns the reference's image as three channels.
fn reference(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let tensor = tensors.tensor(name).expect("a reference tensor");
    let values: Vec<f32> = tensor.data().as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect();
    if tensor.shape()[0] == 1 { values.repeat(3) } else { values }
}

/// Returns the largest and the mean absolute difference.
fn differences(a: &[f32], b: &[f32]) -> (f32, f32) {
    assert_eq!(a.len(), b.len());
    let all: Vec<f32> = a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
    (all.iter().copied().fold(0.0, f32::max), all.iter().sum::<f32>() / all.len() as f32)
}

#[test]
fn images_as_the_authors_loader_makes_them() {
    let Some(folder) = shared("golden/preprocess") else { return };
    let bytes = fs::read(folder.join("tensors.safetensors")).expect("reference tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("reference tensors");
    let files = [
        ("qata", "qata.png"),
        ("xray_grey", "xray_grey_463x319.png"),
        ("xray_rgb", "xray_rgb.png"),
        ("kvasir_full", "kvasir_full.jpg"),
    ];
    for (name, file) in files {
        let image = image::load(&folder.join(file)).expect("an image");
        let expected = reference(&tensors, &format!("{name}.image"));
        let (largest, mean) = differences(&input_tensor(&image, SIZE, true, InputForm::default()), &expected);
        println!("{file}: largest difference {largest:.2e}, mean {mean:.2e}");
        if file.ends_with(".png") {
            assert!(largest <= 1e-4, "{file}: {largest}");
        } else {
            assert!(mean <= 0.02, "{file}: {mean}");
        }
        let (_, natural) = differences(&input_tensor(&image, SIZE, false, InputForm::default()), &expected);
        assert!(natural > 0.1, "{file}: the axes are swapped in the reference, so this must differ");
    }
}

#[test]
fn masks_as_the_authors_loader_makes_them() {
    let Some(folder) = shared("golden/preprocess") else { return };
    let bytes = fs::read(folder.join("tensors.safetensors")).expect("reference tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("reference tensors");
    let files = [
        ("qata", "qata_mask.png"),
        ("xray_grey", "mask_463x319.png"),
        ("xray_rgb", "mask_463x319.png"),
        ("kvasir_full", "kvasir_full_mask.jpg"),
    ];
    for (name, file) in files {
        let mask = mask::load(&folder.join(file), &MaskRule::Exactly255).expect("a mask");
        let found = target(&mask, SIZE, true);
        let tensor = tensors.tensor(&format!("{name}.mask")).expect("a reference tensor");
        let unlike = found.iter().zip(tensor.data()).filter(|(a, b)| **a != f32::from(**b)).count();
        println!("{file} for {name}: {unlike} of {} pixels differ", found.len());
        // JPEG decoders may round differently, and this rule requires one exact value.
        let allowed = if file.ends_with(".png") { 0 } else { found.len() / 100 };
        assert!(unlike <= allowed, "{file}: {unlike} pixels differ");
    }
}

#[test]
fn a_large_image_takes_milliseconds() {
    let Some(file) = shared("data/xray_plain/covid-19-pneumonia-58-prior.jpg") else { return };
    let image = image::load(&file).expect("an image");
    assert_eq!((image.width, image.height), (2373, 2373));
    // The best of several runs is used, because the test machine is shared.
    let milliseconds = (0..5).map(|_| {
        let start = Instant::now();
        assert_eq!(input_tensor(&image, SIZE, true, InputForm::default()).len(), 3 * SIZE * SIZE);
        start.elapsed().as_secs_f64() * 1e3
    });
    let milliseconds = milliseconds.fold(f64::INFINITY, f64::min);
    println!("2373x2373 to {SIZE}x{SIZE}: {milliseconds:.1} ms");
    assert!(milliseconds < 60.0, "{milliseconds} ms");
}

#[test]
fn tokens_of_the_authors_tokenizer() {
    let Some(golden) = shared("golden") else { return };
    let tokenizer = Tokenizer::from_file(&golden.join("vocab.txt")).expect("a vocabulary");
    assert_eq!(tokenizer.vocabulary_size(), 30_522);
    for case in cases(&golden) {
        let text = case["text"].as_str().expect("a text");
        let numbers = |key: &str| -> Vec<i64> { serde_json::from_value(case[key].clone()).expect("numbers") };
        let encoding = tokenizer.encode(text, 24);
        assert_eq!(encoding.ids, numbers("input_ids"), "{text:?}");
        assert_eq!(encoding.mask, numbers("attention_mask"), "{text:?}");
        assert_eq!(Some(encoding.total as u64), case["untruncated_length"].as_u64(), "{text:?}");
        assert_eq!(encoding.read.len() + encoding.dropped.len() + 2, encoding.total, "{text:?}");
        let tokens = case["tokens"].as_array().expect("tokens");
        let read = &tokens[1..=encoding.read.len()];
        assert!(encoding.read.iter().zip(read).all(|(a, b)| Some(a.as_str()) == b.as_str()), "{text:?}");
    }
}

fn cases(golden: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(golden.join("tokens.json")).expect("reference tokens");
    let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("reference tokens");
    assert!(cases.len() >= 20);
    cases
}

/// The form of LViT's loader.
const OPENCV: InputForm = InputForm {
    range: Range::Unit,
    channels: Channels::Bgr,
    resize: Resize::OpencvBilinear,
    mask: MaskResize::BilinearAny,
};

#[test]
fn images_and_masks_as_lvits_loader_makes_them() {
    let Some(folder) = shared("golden") else { return };
    let bytes = fs::read(folder.join("baselines/lvit/preprocess.safetensors")).expect("reference tensors");
    let tensors = SafeTensors::deserialize(&bytes).expect("reference tensors");
    for (file, mask_file) in [
        ("qata.png", "qata_mask.png"),
        ("xray_grey_463x319.png", "mask_463x319.png"),
        ("kvasir_full.jpg", "kvasir_full_mask.jpg"),
    ] {
        let image = image::load(&folder.join("preprocess").join(file)).expect("an image");
        let found = input_tensor(&image, SIZE, false, OPENCV);
        let tensor = tensors.tensor(&format!("{file}/image_u8_bgr")).expect("a reference tensor");
        let expected: Vec<f32> = tensor.data().iter().map(|value| f32::from(*value) / 255.0).collect();
        let (largest, mean) = differences(&found, &expected);
        println!("{file}: largest difference {:.1} of 255, mean {:.5}", 255.0 * largest, 255.0 * mean);
        // JPEG decoders may round differently.
        let allowed = if file.ends_with(".png") { 0.0 } else { 3.5 / 255.0 };
        assert!(largest <= allowed && mean <= allowed / 10.0, "{file}: {largest}, mean {mean}");

        // The grey values: a mask in a JPEG has noise, which a rule for foreground would leave out.
        let grey = image::load(&folder.join("preprocess").join(mask_file)).expect("a mask");
        let values: Vec<u8> = grey.floats().step_by(grey.channels).map(|value| value as u8).collect();
        let found = enlarged_mask(&values, (grey.width, grey.height), SIZE, 1.0);
        let tensor = tensors.tensor(&format!("{file}/mask")).expect("a reference tensor");
        let unlike = found.iter().zip(tensor.data()).filter(|(a, b)| a != b).count();
        println!("{mask_file}: {unlike} of {} pixels differ", found.len());
        let allowed = if mask_file.ends_with(".png") { 0 } else { found.len() / 500 };
        assert!(unlike <= allowed, "{mask_file}: {unlike} pixels differ");
        if mask_file.ends_with(".png") {
            let mask = mask::load(&folder.join("preprocess").join(mask_file), &MaskRule::Found).expect("a mask");
            let target = zoomed_target(&mask, SIZE, false, MaskResize::BilinearAny, 1.0);
            assert!(target.iter().zip(tensor.data()).all(|(a, b)| *a == f32::from(*b)), "{mask_file}");
        }
    }
}
