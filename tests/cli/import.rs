//! `himix export` and `himix import`.

use std::fs;
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use serde_json::{Value, json};

use crate::common::shared;
use crate::files::folder;
use crate::model::{Tensors, bundle, config, floats, put_picture, read_tensors, vocabulary, write_tensors};
use crate::program::{Ran, himix};

fn import_checkpoint(checkpoint: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> = vec!["import".into(), "--checkpoint".into(), checkpoint.into()];
    arguments.extend(["--text".into(), bundle().into(), "--config".into(), bundle().join("config.json").into()]);
    arguments.extend(["--out".into(), out.into()]);
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn activations(model: &Path, folder: &tempfile::TempDir) -> Tensors {
    let image = put_picture(folder, "chest.png", 70, 50);
    let path = folder.path().join("activations.safetensors");
    himix![
        "predict",
        "--model",
        model,
        "--image",
        image,
        "--prompt",
        "left lung",
        "--activations",
        &path,
        "--device",
        "cpu",
    ]
    .done();
    read_tensors(&path)
}

#[test]
fn a_round_trip_changes_no_bit() {
    let folder = folder();
    let exported = folder.path().join("exported.safetensors");
    himix!["export", "--model", bundle(), "--out", &exported].done();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let plain = folder.path().join("plain");
        fs::write(&plain, "x").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode();
        assert_eq!(mode(&exported), mode(&plain), "others may read it as any new file");
    }
    // A tensor that the mask does not depend on must be kept as well.
    let mut tensors = read_tensors(&exported);
    // The bias of the language-model head has two names.
    for name in ["bias", "decoder.bias"] {
        let bias =
            tensors.get_mut(&format!("text_encoder.model.cls.predictions.{name}")).expect("an auxiliary tensor");
        bias.2 = floats(&(0..128).map(|i| i as f32 / 3.0).collect::<Vec<_>>());
    }
    write_tensors(&exported, &tensors);

    let again = folder.path().join("bundle");
    import_checkpoint(&exported, &again, &[]).done();
    let (before, after) = (activations(bundle(), &folder), activations(&again, &folder));
    assert!(before["probability"].2 == after["probability"].2, "the same probability to the last bit");
    let twice = folder.path().join("twice.safetensors");
    himix!["export", "--model", &again, "--out", &twice].done();
    assert!(read_tensors(&twice) == tensors, "every tensor is given back");
    let written: Value =
        serde_json::from_slice(&fs::read(again.join("config.json")).expect("written")).expect("JSON");
    assert_eq!(written["provenance"]["trained"], true);
    assert_eq!(written["text"]["hidden_size"], 24);

    let half = folder.path().join("half");
    import_checkpoint(&exported, &half, &["--half"]).done();
    let size = |folder: &Path| fs::metadata(folder.join("model.safetensors")).expect("written").len() as f64;
    assert!(size(&half) < 0.6 * size(&again), "{} of {}", size(&half), size(&again));
    let difference = |a: &Tensors, b: &Tensors| {
        let values = |t: &Tensors| {
            t["probability"].2.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect::<Vec<_>>()
        };
        values(a).iter().zip(values(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let apart = difference(&before, &activations(&half, &folder));
    assert!(apart > 0.0 && apart < 0.1, "{apart}");
}

#[test]
fn the_authors_checkpoint_comes_out_as_it_went_in() {
    let Some(golden) = shared("golden/mini") else { return };
    let folder = folder();
    let (imported, out) = (folder.path().join("bundle"), folder.path().join("out.safetensors"));
    himix![
        "import",
        "--checkpoint",
        golden.join("lightning.ckpt"),
        "--text",
        bundle(),
        "--config",
        golden.join("config.json"),
        "--out",
        &imported,
    ]
    .done();
    himix!["export", "--model", &imported, "--out", &out].done();
    let (ours, theirs) = (read_tensors(&out), read_tensors(&golden.join("weights.safetensors")));
    for (name, tensor) in &theirs {
        assert!(ours.get(name) == Some(tensor), "{name}");
    }
    let image = put_picture(&folder, "chest.png", 60, 60);
    himix!["predict", "--model", imported, "--image", image, "--prompt", "lung", "--device", "cpu"].done();
}

/// Returns the small model's tensors under a prefix, with their numbers in another encoding.
fn under(prefix: &str, dtype: Dtype, encode: &dyn Fn(f32) -> Vec<u8>) -> Tensors {
    let all = read_tensors(&bundle().join("model.safetensors")).into_iter();
    all.map(|(name, tensor)| {
        let tensor = match tensor {
            (Dtype::F32, shape, bytes) => {
                let numbers = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
                (dtype, shape, numbers.flat_map(encode).collect())
            }
            counter => counter,
        };
        (format!("{prefix}{name}"), tensor)
    })
    .collect()
}

fn plainly(value: f32) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}

/// Whether the imported bundle is as expected, except for tables that a bundle does not have.
fn is_bundle_of(folder: &Path, expected: &Tensors) -> bool {
    let imported = read_tensors(&folder.join("model.safetensors"));
    imported.len() > 200 && imported.iter().all(|(name, tensor)| expected.get(name) == Some(tensor))
}

#[test]
fn a_network_wrapped_for_training_comes_out_of_its_checkpoint() {
    let folder = folder();
    let expected = under("", Dtype::F32, &plainly);
    for prefix in ["module.", "_orig_mod.", "model.", "net.", "module._orig_mod.model.", "model._orig_mod.module."]
    {
        let checkpoint = folder.path().join("wrapped.safetensors");
        write_tensors(&checkpoint, &under(prefix, Dtype::F32, &plainly));
        let out = folder.path().join("bundle");
        let ran = import_checkpoint(&checkpoint, &out, &[]).done();
        assert!(!ran.err.contains("note"), "{prefix}: {}", ran.err);
        assert!(is_bundle_of(&out, &expected), "{prefix}");
    }
}

#[test]
fn what_a_checkpoint_has_beside_the_network_is_left_out_and_said() {
    let folder = folder();
    let mut tensors = under("model.", Dtype::F32, &plainly);
    tensors.extend(under("ema.", Dtype::F32, &|value| plainly(value / 2.0)));
    tensors.insert("criterion.weight".into(), (Dtype::F32, vec![2], floats(&[1.0, 2.0])));
    let checkpoint = folder.path().join("several.safetensors");
    write_tensors(&checkpoint, &tensors);
    let out = folder.path().join("bundle");
    let ran = import_checkpoint(&checkpoint, &out, &[]).done();
    for part in ["under model. are used", "under ema. is left out", "1 tensor is no part", "criterion.weight"] {
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert!(is_bundle_of(&out, &under("", Dtype::F32, &plainly)), "not the average");

    // The checkpoint also works without an import.
    let image = put_picture(&folder, "chest.png", 60, 60);
    let mut arguments: Vec<std::ffi::OsString> = vec!["predict".into(), "--model".into(), (&checkpoint).into()];
    arguments.extend(["--config".into(), bundle().join("config.json").into(), "--image".into(), image.into()]);
    arguments.extend(["--prompt", "lung", "--device", "cpu"].map(Into::into));
    let ran = crate::program::run(arguments).done();
    assert!(ran.err.contains("under ema. is left out"), "{}", ran.err);

    tensors.retain(|name, _| !name.starts_with("ema."));
    tensors.remove("model.decoder8.guide_layer.sig").expect("there");
    write_tensors(&checkpoint, &tensors);
    import_checkpoint(&checkpoint, &out, &[])
        .refused(&["several.safetensors", "under model. 1 missing (decoder8.guide_layer.sig)"]);
    tensors = under("student.", Dtype::F32, &plainly);
    tensors.extend(under("twin.", Dtype::F32, &plainly));
    write_tensors(&checkpoint, &tensors);
    import_checkpoint(&checkpoint, &out, &[]).refused(&["two complete sets", "student.", "twin."]);
}

#[test]
fn half_precision_comes_in_as_its_numbers() {
    let folder = folder();
    let check = |kind: &str, dtype: Dtype, encode: fn(f32) -> u16, decode: fn(u16) -> f32| {
        let checkpoint = folder.path().join(format!("{kind}.safetensors"));
        let encoded = under("module.", dtype, &|value| encode(value).to_le_bytes().to_vec());
        write_tensors(&checkpoint, &encoded);
        let out = folder.path().join(kind);
        import_checkpoint(&checkpoint, &out, &[]).done();
        assert!(is_bundle_of(&out, &under("", Dtype::F32, &|value| plainly(decode(encode(value))))), "{kind}");
    };
    // This is the upper half of a 32-bit number.
    let upper_half = |value: f32| (value.to_bits() >> 16) as u16;
    check("brain", Dtype::BF16, upper_half, |bits| f32::from_bits(u32::from(bits) << 16));
    // By the definition of the format: sign, 5 bits of exponent, 10 of fraction.
    check(
        "half",
        Dtype::F16,
        |value| half::f16::from_f32(value).to_bits(),
        |bits| {
            let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023) / 1024.0);
            let size = match exponent {
                0 => fraction * 2f32.powi(-14),
                _ => (1.0 + fraction) * 2f32.powi(exponent - 15),
            };
            if bits >> 15 == 1 { -size } else { size }
        },
    );
}

#[test]
fn numbers_of_sixteen_bits_are_those_that_numpy_reads() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights");
    let expected: Value =
        serde_json::from_slice(&fs::read(folder.join("expected.json")).expect("read")).expect("JSON");
    for (file, prefix, names) in [
        ("half.safetensors", "", &["half", "brain"][..]),
        ("half.pt", "state_dict.module.", &["half", "brain", "turned", "double"]),
    ] {
        let source = himix::model::weights::source::open(&folder.join(file)).expect("opens");
        assert_eq!(source.shapes().len(), names.len(), "{file}");
        for name in names {
            let key = format!("{prefix}{name}");
            assert_eq!(json!(source.shapes()[&key]), expected[name]["shape"], "{file} {name}");
            let values = expected[name]["values"].as_array().expect("a list").iter();
            let values: Vec<u32> = values.map(|v| (v.as_f64().expect("a number") as f32).to_bits()).collect();
            let read: Vec<u32> = source.read(&key).expect("read").into_iter().map(f32::to_bits).collect();
            assert_eq!(read, values, "{file} {name}");
        }
    }
}

/// Writes the small model's encoders as distributed by Hugging Face.
fn hugging_face(folder: &Path) -> (PathBuf, PathBuf) {
    let all = read_tensors(&bundle().join("model.safetensors"));
    let (text, vision) = (folder.join("CXR-BERT"), folder.join("convnext"));
    let (mut bert, mut convnext) = (Tensors::new(), Tensors::new());
    for (name, tensor) in all {
        if let Some(rest) = name.strip_prefix("text_encoder.model.") {
            bert.insert(rest.to_owned(), tensor);
        } else if let Some(rest) = name.strip_prefix("encoder.model.") {
            convnext.insert(format!("convnext.{rest}"), tensor);
        }
    }
    let ids: Vec<u8> = (0..32i64).flat_map(i64::to_le_bytes).collect();
    bert.insert("bert.embeddings.position_ids".into(), (Dtype::I64, vec![1, 32], ids));
    let square = (Dtype::F32, vec![24, 24], floats(&[0.5; 24 * 24]));
    bert.insert("bert.pooler.dense.weight".into(), square);
    convnext.insert("classifier.weight".into(), (Dtype::F32, vec![10, 64], floats(&[0.5; 640])));
    convnext.insert("classifier.bias".into(), (Dtype::F32, vec![10], floats(&[0.5; 10])));
    fs::create_dir_all(&text).expect("a folder");
    fs::create_dir_all(&vision).expect("a folder");
    write_tensors(&text.join("pytorch_model.bin"), &bert);
    write_tensors(&vision.join("model.safetensors"), &convnext);
    let mut sizes = config()["text"].clone();
    sizes["model_type"] = "cxr-bert".into();
    sizes["projection_size"] = 128.into();
    sizes["hidden_act"] = "gelu".into();
    fs::write(text.join("config.json"), sizes.to_string()).expect("a configuration");
    let mut sizes = config()["vision"].clone();
    sizes["model_type"] = "convnext".into();
    sizes["id2label"] = json!({ "0": "tench" });
    fs::write(vision.join("config.json"), sizes.to_string()).expect("a configuration");
    fs::write(text.join("vocab.txt"), vocabulary()).expect("a vocabulary");
    (text, vision)
}

#[test]
fn pretrained_encoders_get_a_fresh_decoder() {
    let folder = folder();
    let (text, vision) = hugging_face(folder.path());
    let out = folder.path().join("fresh");
    let import = |out: &Path| himix!["import", "--text", &text, "--vision", &vision, "--out", out];
    let ran = import(&out).done();
    assert!(ran.err.contains("untrained"), "{}", ran.err);
    let written: Value =
        serde_json::from_slice(&fs::read(out.join("config.json")).expect("written")).expect("JSON");
    assert_eq!(written["provenance"]["trained"], false);
    assert_eq!((&written["axes"], &written["text"]["vocab_size"]), (&"yx".into(), &128.into()));

    let (fresh, pretrained) =
        (read_tensors(&out.join("model.safetensors")), read_tensors(&bundle().join("model.safetensors")));
    let is_of_encoder =
        |name: &str| name.starts_with("encoder.model.") || name.starts_with("text_encoder.model.bert.");
    let mut encoders = 0;
    for (name, tensor) in &fresh {
        if is_of_encoder(name) {
            encoders += 1;
            assert!(*tensor == pretrained[name], "{name} is the pretrained one");
        }
    }
    assert!(encoders > 80, "{encoders}");
    let name = "decoder16.guide_layer.lin1.weight";
    assert!(fresh[name] != pretrained[name], "the decoder is fresh");
    let twice = folder.path().join("twice");
    import(&twice).done();
    assert!(read_tensors(&twice.join("model.safetensors")) == fresh, "and the same at every import");

    let image = put_picture(&folder, "chest.png", 60, 60);
    let ran = himix!["predict", "--model", &out, "--image", image, "--prompt", "lung", "--device", "cpu"].done();
    assert!(ran.err.contains("fresh is untrained"), "{}", ran.err);
}

#[test]
fn an_encoder_that_is_not_complete_is_refused() {
    let folder = folder();
    let (text, vision) = hugging_face(folder.path());
    let out = folder.path().join("out");
    let import = || himix!["import", "--text", &text, "--vision", &vision, "--out", &out];
    let edit = |path: PathBuf, change: &dyn Fn(&mut Tensors)| {
        let original = read_tensors(&path);
        let mut changed = original.clone();
        change(&mut changed);
        write_tensors(&path, &changed);
        let ran = import();
        write_tensors(&path, &original);
        ran
    };
    let lost = "bert.encoder.layer.1.output.dense.bias";
    edit(text.join("pytorch_model.bin"), &|tensors| drop(tensors.remove(lost).expect("there"))).refused(&[
        "pytorch_model.bin",
        "1 missing",
        &format!("text_encoder.model.{lost}"),
    ]);
    let lost = "encoder.stages.3.layers.0.dwconv.weight";
    edit(vision.join("model.safetensors"), &|tensors| {
        drop(tensors.remove(&format!("convnext.{lost}")).expect("there"))
    })
    .refused(&["model.safetensors", "1 missing", lost]);
    edit(vision.join("model.safetensors"), &|tensors| {
        let stray = tensors["convnext.layernorm.bias"].clone();
        tensors.insert("stray".into(), stray);
    })
    .refused(&["model.safetensors", "1 superfluous", "stray"]);

    fs::remove_file(text.join("vocab.txt")).expect("removed");
    import().refused(&["CXR-BERT", "vocabulary"]);
    fs::write(text.join("vocab.txt"), vocabulary()).expect("a vocabulary");
    fs::write(vision.join("config.json"), "{\"depths\": 3}").expect("a configuration");
    import().refused(&["convnext/config.json"]);
    fs::write(vision.join("config.json"), "{\"hidden_act\": \"relu\"}").expect("a configuration");
    import().refused(&["convnext/config.json", "relu"]);
    fs::remove_file(vision.join("model.safetensors")).expect("removed");
    fs::write(vision.join("config.json"), config()["vision"].to_string()).expect("a configuration");
    import().refused(&["convnext", "pytorch_model.bin"]);
    assert!(!out.exists(), "nothing is written before everything is right");
    himix!["import", "--text", &text, "--out", &out].refused(&["--checkpoint"]);
}

#[test]
fn a_checkpoint_without_its_text_encoder_takes_it_from_the_folder() {
    let folder = folder();
    let (text, _) = hugging_face(folder.path());
    let mut tensors = read_tensors(&bundle().join("model.safetensors"));
    tensors.retain(|name, _| !name.starts_with("text_encoder.model."));
    let checkpoint = folder.path().join("trained.safetensors");
    write_tensors(&checkpoint, &tensors);
    let out = folder.path().join("bundle");
    let config = bundle().join("config.json");
    himix!["import", "--checkpoint", &checkpoint, "--config", config, "--text", text, "--out", &out].done();
    let (before, after) = (activations(bundle(), &folder), activations(&out, &folder));
    assert!(before["probability"] == after["probability"]);
}

#[test]
fn an_export_that_cannot_be_written_is_a_failure() {
    let folder = folder();
    himix!["export", "--model", bundle(), "--out", folder.path().join("nowhere/x.safetensors")]
        .failed(1, &["x.safetensors", "cannot be written"]);
}

#[test]
fn lvit_takes_a_bert_with_the_names_of_old_files_and_reads_words() {
    let folder = folder();
    let (text, _) = hugging_face(folder.path());
    let renamed: Tensors = read_tensors(&text.join("pytorch_model.bin"))
        .into_iter()
        .map(|(name, tensor)| {
            let name =
                name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
            (name, tensor)
        })
        .collect();
    write_tensors(&text.join("pytorch_model.bin"), &renamed);
    let sizes = json!({
        "network": "lvit", "base_channels": 8, "image_size": 64, "patches": 16, "text_size": 24,
        "text_encoder": { "token_limit": 25, "sizes": config()["text"] }
    });
    let architecture = folder.path().join("lvit.json");
    fs::write(&architecture, sizes.to_string()).expect("written");
    let out = folder.path().join("lvit");
    himix!["import", "--text", &text, "--config", &architecture, "--out", &out].done();
    let written: Value =
        serde_json::from_slice(&fs::read(out.join("config.json")).expect("written")).expect("JSON");
    assert_eq!(written["provenance"]["trained"], false);
    assert_eq!(written["text_encoder"]["kind"], "bert_base");
    let (fresh, pretrained) =
        (read_tensors(&out.join("model.safetensors")), read_tensors(&bundle().join("model.safetensors")));
    let of_encoder: Vec<&String> =
        fresh.keys().filter(|name| name.starts_with("text_encoder.model.bert.")).collect();
    assert!(of_encoder.len() > 30, "{}", of_encoder.len());
    assert!(of_encoder.iter().all(|name| fresh[*name] == pretrained[*name]));

    let image = put_picture(&folder, "chest.png", 60, 60);
    himix!["predict", "--model", &out, "--image", &image, "--prompt", "left lung", "--device", "cpu"].done();
    // What is exported is the authors' model, which has no text encoder.
    let exported = folder.path().join("exported.safetensors");
    himix!["export", "--model", &out, "--out", &exported].done();
    assert!(read_tensors(&exported).keys().all(|name| !name.starts_with("text_encoder")));
    // It comes back with the encoder of the folder.
    let again = folder.path().join("again");
    let more = ["--text".as_ref(), text.as_os_str(), "--config".as_ref(), architecture.as_os_str()];
    let mut arguments: Vec<std::ffi::OsString> = vec!["import".into(), "--checkpoint".into(), exported.into()];
    arguments.extend(more.iter().map(Into::into));
    arguments.extend(["--out".into(), again.clone().into()]);
    crate::program::run(arguments).done();
    let back = read_tensors(&again.join("model.safetensors"));
    assert!(fresh.iter().all(|(name, tensor)| back[name] == *tensor));
}

#[test]
fn a_network_with_a_vision_encoder_needs_more_than_a_text_encoder() {
    let folder = folder();
    let (text, _) = hugging_face(folder.path());
    let config = bundle().join("config.json");
    let ran = himix!["import", "--text", &text, "--config", config, "--out", folder.path().join("out")];
    ran.refused(&["--checkpoint", "--vision"]);
}
