//! Commands with a network that reads no prompt.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::evaluate::data_set;
use crate::files::folder;
use crate::model::{bundle, config, put_picture};
use crate::program::{Ran, himix, run};

const NONE: &str = "reads no prompt";

/// A U-Net as small as it can be with weights by rule.
fn unet(folder: &tempfile::TempDir) -> PathBuf {
    let model = folder.path().join("unet");
    fs::create_dir_all(&model).expect("a folder");
    let config = json!({
        "network": "unet", "base_channels": 4, "image_size": 48,
        "provenance": { "name": "plain", "trained": true }
    });
    fs::write(model.join("config.json"), config.to_string()).expect("a configuration");
    let weights = model.join("model.safetensors");
    himix!["export", "--model", "rule", "--config", model.join("config.json"), "--out", weights].done();
    model
}

fn with_model(command: &str, model: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> = [command, "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.push(model.into());
    arguments.extend(more.iter().map(Into::into));
    run(arguments)
}

#[test]
fn a_prediction_needs_no_prompt_and_says_that_one_is_not_read() {
    let folder = folder();
    let (model, image) = (unet(&folder), put_picture(&folder, "chest.png", 60, 40));
    let image = image.to_string_lossy().into_owned();
    let plain = with_model("predict", &model, &["--image", &image, "--json"]).json();
    let said = with_model("predict", &model, &["--image", &image, "--json", "--prompt", "left lung"]).done();
    assert!(said.err.contains(NONE), "{}", said.err);
    let prompted: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(plain["foreground_fraction"], prompted["foreground_fraction"]);
    // Nothing is missed that this network does not read.
    assert_eq!(plain["warnings"], json!([]));
    let text = with_model("predict", &model, &["--image", &image]).done();
    assert!(!text.out.contains("prompt") && !text.err.contains("prompt"), "{}{}", text.out, text.err);
    let two = ["--image", &image, "--prompt", "left lung", "--prompt", "right lung"];
    with_model("predict", &model, &two).refused(&[NONE, "leave them out"]);
    // A network that reads text still needs one.
    with_model("predict", bundle(), &["--image", &image]).refused(&["--prompt"]);
    let tensors = folder.path().join("activations.safetensors");
    let text = tensors.to_string_lossy().into_owned();
    with_model("predict", &model, &["--image", &image, "--activations", &text]).done();
    let verified = with_model("verify", &model, &["--reference", &text]).done();
    assert!(verified.out.contains("d1.upsampled") && verified.out.contains("passed"), "{}", verified.out);
}

#[test]
fn a_split_without_prompts_is_evaluated() {
    let folder = folder();
    let (model, root) = (unet(&folder), folder.path().join("data"));
    data_set(&root);
    let root_text = root.to_string_lossy().into_owned();
    let split = ["--data", &root_text, "--split", "test"];
    let with_prompts = with_model("evaluate", &model, &[&split[..], &["--json"]].concat()).json();
    with_model("evaluate", &model, &[&split[..], &["--shuffle-prompts", "1"]].concat())
        .refused(&[NONE, "prompts to shuffle"]);
    // A table without a column of prompts, and one that names one image of three, lose no pair.
    for table in ["Image\n0.png\n", "Image,Description\n0.png,left lung\n"] {
        fs::write(root.join("prompt/test.csv"), table).expect("a table");
        let object = with_model("evaluate", &model, &[&split[..], &["--json"]].concat()).json();
        assert_eq!(object["pooled"], with_prompts["pooled"], "{table}");
    }
    fs::remove_dir_all(root.join("prompt")).expect("removed");
    let without = with_model("evaluate", &model, &[&split[..], &["--json"]].concat()).json();
    for [part, key] in [["pooled", "dice"], ["pooled", "iou"], ["per_image", "dice"], ["per_image", "iou"]] {
        assert_eq!(without[part][key], with_prompts[part][key], "{part} {key}");
        assert!(!without[part][key].is_null(), "{without}");
    }
}

#[test]
fn a_batch_needs_no_prompts() {
    let folder = folder();
    let (model, images) = (unet(&folder), folder.path().join("images"));
    fs::create_dir(&images).expect("a folder");
    for name in ["a.png", "b.png"] {
        let picture = put_picture(&folder, name, 40, 30);
        fs::rename(picture, images.join(name)).expect("moved");
    }
    let out = folder.path().join("out");
    let batch = |model: &Path, more: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> = vec!["batch".into(), images.clone().into()];
        arguments.extend(["--device", "cpu", "--json", "--out"].map(Into::into));
        arguments.extend([out.clone().into(), "--model".into(), model.into()]);
        arguments.extend(more.iter().map(Into::into));
        run(arguments)
    };
    batch(bundle(), &[]).refused(&["no prompts"]);
    assert_eq!(batch(&model, &[]).json()["done"], 2);
    let manifest: Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).expect("a manifest")).expect("JSON");
    for case in manifest["cases"].as_array().expect("cases") {
        assert_eq!((&case["state"], &case["prompt"]), (&json!("done"), &json!("")));
    }
    // A prompt changes nothing, so that what is done stays done.
    let again = batch(&model, &["--prompt", "left lung"]).done();
    assert!(again.err.contains(NONE), "{}", again.err);
    let counts: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!((&counts["done"], &counts["skipped"]), (&json!(0), &json!(2)));
}

#[test]
fn what_is_about_prompts_is_refused_in_words() {
    let folder = folder();
    let (model, root) = (unet(&folder), folder.path().join("data"));
    data_set(&root);
    let image = put_picture(&folder, "chest.png", 60, 40).to_string_lossy().into_owned();
    let (root, out) = (root.to_string_lossy().into_owned(), folder.path().join("out"));
    let out = out.to_string_lossy().into_owned();
    with_model("influence", &model, &["--image", &image, "--prompt", "left lung"]).refused(&["plain", NONE]);
    with_model("robustness", &model, &["--data", &root, "--split", "test", "--out", &out])
        .refused(&["plain", NONE]);
}

/// What the authors' numbers are compared with, by the command that a user has for it.
#[test]
fn the_authors_small_networks_pass() {
    let Some(golden) = crate::common::shared("golden/baselines") else { return };
    for name in ["unet", "transunet"] {
        let part = |file: &str| golden.join(name).join(file).to_string_lossy().into_owned();
        let (config, reference) = (part("config.json"), part("activations.safetensors"));
        let weights = golden.join(name).join("weights.safetensors");
        let ran = with_model("verify", &weights, &["--config", &config, "--reference", &reference]).done();
        assert!(ran.out.contains("logits, as predict computes") && ran.out.contains("passed"), "{}", ran.out);
    }
}

#[test]
fn a_checkpoint_is_imported_without_a_text_encoder() {
    let folder = folder();
    let model = unet(&folder);
    let (weights, config) = (model.join("model.safetensors"), model.join("config.json"));
    let out = folder.path().join("imported");
    himix!["import", "--checkpoint", &weights, "--config", &config, "--out", &out].done();
    assert!(!out.join("vocab.txt").exists());
    let image = put_picture(&folder, "chest.png", 60, 40).to_string_lossy().into_owned();
    let area = |model: &Path| {
        with_model("predict", model, &["--image", &image, "--json"]).json()["foreground_fraction"].clone()
    };
    assert_eq!(area(&out), area(&model));
    himix!["import", "--checkpoint", &weights, "--config", &config, "--text", bundle(), "--out", &out]
        .refused(&["reads no text", "--text"]);
    himix!["import", "--checkpoint", &weights, "--out", &out].refused(&["--text", "--config"]);
    let archive = folder.path().join("backbone.npz");
    fs::write(&archive, b"PK no archive").expect("written");
    himix!["import", "--backbone", &archive, "--config", &config, "--out", &out]
        .refused(&["unet has no backbone"]);
    let transunet = folder.path().join("transunet.json");
    fs::write(&transunet, r#"{"network": "transunet"}"#).expect("written");
    himix!["import", "--backbone", &archive, "--config", &transunet, "--out", &out]
        .refused(&["backbone.npz", "NumPy archive"]);
}

#[test]
fn no_prompt_is_missed_in_its_training() {
    let folder = folder();
    let root = folder.path().join("data");
    crate::train::data_set(&root);
    let table = root.join("prompt/train.csv");
    let text = fs::read_to_string(&table).expect("a table").replace("\"one area, left lung.\"", "");
    fs::write(&table, text).expect("written");
    let plain = r#"{"network": "unet", "base_channels": 4, "image_size": 48}"#.to_owned();
    for (name, architecture, is_missed) in [("plain", plain, false), ("text", config().to_string(), true)] {
        let file = folder.path().join(name).with_extension("json");
        fs::write(&file, architecture).expect("written");
        let mut arguments: Vec<std::ffi::OsString> =
            ["train", "--device", "cpu", "--data"].map(Into::into).to_vec();
        arguments.extend([root.clone().into(), "--out".into(), folder.path().join(name).into()]);
        let architecture = format!("architecture={}", file.display());
        for setting in [architecture.as_str(), "epochs=1", "min_epochs=1", "batch_size=4"] {
            arguments.extend(["--set".into(), setting.into()]);
        }
        let ran = run(arguments).done();
        assert_eq!(ran.err.contains("4 empty prompts"), is_missed, "{name}: {}", ran.err);
    }
}

#[test]
fn it_trains_with_momentum_and_a_polynomial() {
    let folder = folder();
    let architecture = folder.path().join("architecture.json");
    fs::write(&architecture, r#"{"network": "unet", "base_channels": 4, "image_size": 48}"#).expect("written");
    let out = folder.path().join("run");
    let architecture = format!("architecture={}", architecture.display());
    let settings = [
        architecture.as_str(),
        "phantoms=20",
        "epochs=2",
        "min_epochs=2",
        "batch_size=4",
        "optimiser=sgd",
        "momentum=0.9",
        "schedule=polynomial",
        "min_lr=0",
        "lr=0.01",
        "stage_losses=[0.1, 0.1, 0.1, 0.1]",
    ];
    let mut arguments: Vec<std::ffi::OsString> = ["train", "--device", "cpu", "--out"].map(Into::into).to_vec();
    arguments.push(out.clone().into());
    for setting in settings {
        arguments.extend(["--set".into(), setting.into()]);
    }
    run(arguments).done();
    let table = fs::read_to_string(out.join("metrics.csv")).expect("a table");
    assert_eq!(table.lines().count(), 3, "{table}");
    let image = put_picture(&folder, "chest.png", 60, 40).to_string_lossy().into_owned();
    with_model("predict", &out.join("best"), &["--image", &image]).done();
}
