//! Invalid input gives one line that names the file and says what to do, exit status 2, and no panic.

use std::fs;
use std::path::Path;

use crate::common::shared;
use crate::files::{folder, png, put};
use crate::model::{bundle, config, floats, put_picture, read_tensors, vocabulary, write_tensors};
use crate::program::{Ran, himix};

fn predict(model: &Path, image: &Path) -> Ran {
    himix!["predict", "--model", model, "--image", image, "--prompt", "lung", "--device", "cpu"]
}

#[test]
fn images_that_are_none() {
    let folder = folder();
    predict(bundle(), &put(&folder, "notes.png", b"just some text")).refused(&["notes.png", "not an image"]);
    predict(bundle(), &folder.path().join("gone.png")).refused(&["gone.png", "no such file"]);
    predict(bundle(), folder.path()).refused(&["no DICOM images"]);
    let whole = fs::read(put_picture(&folder, "whole.png", 64, 64)).expect("a picture");
    predict(bundle(), &put(&folder, "cut.png", &whole[..whole.len() / 2])).refused(&["cut.png", "truncated"]);
    predict(bundle(), &put(&folder, "none.png", &png(0, 0, 8, 0, &[], &[]))).refused(&["none.png"]);
    let huge = png(60_000, 60_000, 8, 0, &[], &[&[0; 16]]);
    predict(bundle(), &put(&folder, "huge.png", &huge)).refused(&["huge.png", "60000x60000"]);
}

#[test]
fn a_mask_of_another_size_or_kind() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 40, 30);
    let with = |mask: &Path| {
        himix![
            "predict",
            "--model",
            bundle(),
            "--image",
            &image,
            "--mask",
            mask,
            "--prompt",
            "x",
            "--device",
            "cpu"
        ]
    };
    with(&put_picture(&folder, "truth.png", 30, 40)).refused(&["truth.png", "30x40", "40x30"]);
    with(&put(&folder, "truth.txt", b"no mask")).refused(&["truth.txt"]);
}

#[test]
fn arguments_that_cannot_be_meant() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 40, 30);
    for threshold in ["1.01", "-0.1", "nan", "half"] {
        let threshold = format!("--threshold={threshold}");
        himix!["predict", "--model", bundle(), "--image", &image, "--prompt", "x", threshold]
            .refused(&["--threshold"]);
    }
    himix!["predict", "--model", bundle(), "--image", &image].refused(&["--prompt"]);
    himix!["predict", "--model", bundle(), "--image", &image, "--prompt", "x", "--device", "abacus"]
        .refused(&["abacus", "gpu:N"]);
    himix!["predcit", "--help-me"].refused(&["--help-me"]);
    himix!["predcit"].refused(&["predcit", "no such file or command"]);
}

#[test]
fn every_command_has_help_with_examples() {
    for command in ["predict", "verify", "import", "export", "evaluate", "train", "figure", "serve"] {
        let help = himix![command, "--help"].done().out;
        assert!(help.contains("Examples:") && help.contains(&format!("himix {command} ")), "{help}");
    }
    assert!(himix!["--help"].done().out.contains("Examples:"));
    assert!(himix!["--version"].done().out.starts_with("himix "));
}

#[test]
fn a_checkpoint_of_another_architecture() {
    let folder = folder();
    let mut tensors = read_tensors(&bundle().join("model.safetensors"));
    let renamed = tensors.remove("decoder16.guide_layer.sig").expect("there");
    tensors.insert("decoder99.guide_layer.sig".into(), renamed);
    let weights = folder.path().join("other.safetensors");
    write_tensors(&weights, &tensors);
    let mut other = config();
    other["text"]["intermediate_size"] = 48.into();
    let path = put(&folder, "config.json", other.to_string().as_bytes());
    put(&folder, "vocab.txt", vocabulary().as_bytes());
    let image = put_picture(&folder, "chest.png", 32, 32);
    let parts = [
        "other.safetensors",
        "1 missing (decoder16.guide_layer.sig)",
        "1 superfluous (decoder99.guide_layer.sig)",
        "9 mis-shaped",
        "should be [48, 24]",
        "--config",
    ];
    predict(&weights, &image).refused(&parts);
    himix!["verify", "--model", &weights, "--config", &path, "--reference", &weights].refused(&["input.image"]);
    himix!["export", "--model", &weights, "--out", folder.path().join("x.safetensors")].refused(&parts);
    assert!(!folder.path().join("x.safetensors").exists());
    himix![
        "import",
        "--checkpoint",
        &weights,
        "--config",
        &path,
        "--text",
        bundle(),
        "--out",
        folder.path().join("x")
    ]
    .refused(&parts);
    assert!(!folder.path().join("x").exists());
}

#[test]
fn a_filter_without_width() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    put(&folder, "config.json", config().to_string().as_bytes());
    put(&folder, "vocab.txt", vocabulary().as_bytes());
    let key = "decoder8.guide_layer.sig";
    for (name, sigma) in [("zero", 0.0), ("negative", -4.7), ("none", f32::NAN), ("endless", f32::INFINITY)] {
        let mut tensors = read_tensors(&bundle().join("model.safetensors"));
        tensors.get_mut(key).expect("there").2 = floats(&[sigma]);
        let weights = folder.path().join(format!("{name}.safetensors"));
        write_tensors(&weights, &tensors);
        predict(&weights, &image).refused(&[name, key, "must be positive"]);
    }
}

#[test]
fn weights_that_are_cut_off() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    put(&folder, "config.json", config().to_string().as_bytes());
    put(&folder, "vocab.txt", vocabulary().as_bytes());
    let whole = fs::read(bundle().join("model.safetensors")).expect("weights");
    for (name, length) in
        [("cut.safetensors", whole.len() / 2), ("head.safetensors", 500), ("empty.safetensors", 0)]
    {
        predict(&put(&folder, name, &whole[..length]), &image).refused(&[name, "copy or download it again"]);
    }
    predict(&put(&folder, "zip.ckpt", b"PK\x03\x04 and no more"), &image).refused(&["zip.ckpt"]);
    predict(&put(&folder, "text.ckpt", b"no weights at all"), &image).refused(&["text.ckpt"]);
    let Some(golden) = shared("golden/mini") else { return };
    let whole = fs::read(golden.join("lightning.ckpt")).expect("a checkpoint");
    for share in [0.01, 0.5, 0.999] {
        let cut = put(&folder, "cut.ckpt", &whole[..(whole.len() as f64 * share) as usize]);
        himix![
            "predict",
            "--model",
            cut,
            "--config",
            golden.join("config.json"),
            "--vocab",
            bundle().join("vocab.txt"),
            "--image",
            &image,
            "--prompt",
            "lung",
            "--device",
            "cpu"
        ]
        .refused(&["cut.ckpt", "copy or download it again"]);
    }
}

#[test]
fn bundles_that_lack_a_part() {
    let folder = folder();
    let image = put_picture(&folder, "chest.png", 32, 32);
    let part = |name: &str| folder.path().join("bundle").join(name);
    predict(&part(""), &image).refused(&["bundle", "no such model"]);
    fs::create_dir_all(part("")).expect("a folder");
    predict(&part(""), &image).refused(&["bundle", "config.json"]);
    fs::copy(bundle().join("config.json"), part("config.json")).expect("copied");
    predict(&part(""), &image).refused(&["bundle", "model.safetensors"]);
    fs::copy(bundle().join("model.safetensors"), part("model.safetensors")).expect("copied");
    predict(&part(""), &image).refused(&["bundle", "vocabulary", "--vocab"]);
    fs::write(part("vocab.txt"), "a\nb\n").expect("written");
    predict(&part(""), &image).refused(&["vocab.txt", "[CLS]"]);
    let many: String = (0..200).map(|i| format!("word{i}\n")).collect();
    fs::write(part("vocab.txt"), vocabulary() + &many).expect("written");
    predict(&part(""), &image).refused(&["vocab.txt", "128"]);
    fs::write(part("config.json"), "{\"text\": 3}").expect("written");
    predict(&part(""), &image).refused(&["config.json"]);
}
