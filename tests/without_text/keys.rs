use std::collections::BTreeMap;

use burn::tensor::Device;
use himix::model::Registry;
use himix::model::weights::{manifest, roots, save, source};

use super::{NAMES, common, golden};

/// Keys and shapes of the full size as the authors build it.
fn expected(name: &str) -> Option<BTreeMap<String, Vec<usize>>> {
    let path = common::shared("golden/baselines")?.join(name).join("keys.json");
    let text = std::fs::read_to_string(path).expect("keys.json");
    let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let shape =
        |shape: &serde_json::Value| -> Vec<usize> { serde_json::from_value(shape.clone()).expect("a shape") };
    let mut keys: BTreeMap<String, Vec<usize>> =
        all["keys"].as_object().expect("keys").iter().map(|(key, value)| (key.clone(), shape(value))).collect();
    for (key, value) in all["one_class_head"].as_object().into_iter().flatten() {
        keys.insert(key.clone(), shape(value));
    }
    Some(keys)
}

#[test]
fn the_full_size_has_the_authors_keys() {
    for (name, parameters) in NAMES.into_iter().zip([14_751_873, 105_275_921]) {
        let Some(expected) = expected(name) else { return };
        let config = Registry::default().parse(&format!("{{\"network\": \"{name}\"}}")).expect("published sizes");
        let ours = manifest::all(config.network.as_ref()).expect("keys");
        let ours: BTreeMap<String, Vec<usize>> = ours.into_iter().map(|spec| (spec.name, spec.shape)).collect();
        assert_eq!(ours, expected, "{name}");
        let trained: usize = ours
            .iter()
            .filter(|(key, _)| !key.contains("running_") && !key.contains("num_batches"))
            .map(|(_, shape)| shape.iter().product::<usize>())
            .sum();
        assert_eq!(trained, parameters, "{name}");
    }
}

#[test]
fn an_export_has_the_authors_layout_and_comes_back_with_the_same_bits() {
    let device = Device::flex();
    for name in NAMES {
        let Some(golden) = golden(name, &device) else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let original =
            roots::open(&golden.folder.join("weights.safetensors"), golden.network.as_ref()).expect("opens");
        let path = folder.path().join("exported.safetensors");
        save::export(&path, golden.network.as_ref(), original.as_ref()).expect("exported");
        let exported = source::open(&path).expect("opens");
        assert_eq!(exported.shapes(), original.shapes(), "{name}");
        for key in original.shapes().keys() {
            let (ours, theirs) = (exported.read(key).expect("read"), original.read(key).expect("read"));
            assert!(ours.iter().zip(&theirs).all(|(a, b)| a.to_bits() == b.to_bits()), "{name}: {key}");
        }
    }
}

#[test]
fn sizes_that_cannot_be_built_are_refused_in_words() {
    for (text, word) in [
        (r#"{"network": "unet", "base_channels": 0}"#, "base_channels"),
        (r#"{"network": "unet", "base_channels": 7}"#, "base_channels"),
        (r#"{"network": "unet", "in_channels": 1}"#, "in_channels"),
        (r#"{"network": "unet", "classes": 2}"#, "classes"),
        (r#"{"network": "unet", "image_size": 100}"#, "multiple of 16"),
        (r#"{"network": "unet", "depth": 4}"#, "unknown field"),
        (r#"{"network": "transunet", "classes": 9}"#, "classes"),
        (r#"{"network": "transunet", "image_size": 100}"#, "multiple of 16"),
        (r#"{"network": "transunet", "heads": 7}"#, "heads"),
        (r#"{"network": "transunet", "skips": 2}"#, "skips"),
        (r#"{"network": "transunet", "skip_channels": [512, 256, 32, 16]}"#, "skip_channels"),
        (r#"{"network": "transunet", "resnet": {"width": 40}}"#, "width"),
        (r#"{"network": "transunet", "resnet": {"units": [1, 2]}}"#, "units"),
        (r#"{"network": "transunet", "decoder_channels": [1, 2, 3]}"#, "decoder_channels"),
    ] {
        let error = Registry::default().parse(text).expect_err(text).to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
}

#[test]
fn other_sizes_are_written_and_read_again() {
    for text in [
        r#"{"network": "unet", "base_channels": 16, "image_size": 112}"#,
        r#"{"network": "transunet", "image_size": 96, "hidden_size": 60, "heads": 5, "classes": 2}"#,
    ] {
        let config = Registry::default().parse(text).expect(text);
        let written = config.to_json();
        assert_eq!(Registry::default().parse(&written).expect("read again").to_json(), written);
        assert!(config.network.build(&Device::flex()).is_ok());
    }
}
