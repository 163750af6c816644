//! `himix verify`, with the reference tensors of the authors' code if they are available.

use crate::common::shared;
use crate::files::folder;
use crate::model::{bundle, floats, read_tensors, write_tensors};
use crate::program::{Ran, himix};

fn verify_small(weights: &str, more: &[&str]) -> Option<Ran> {
    let golden = shared("golden/mini")?;
    let mut arguments: Vec<std::ffi::OsString> = ["verify", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.push(golden.join(weights).into());
    arguments.extend(["--config".into(), golden.join("config.json").into()]);
    arguments.extend(["--reference".into(), golden.join("activations.safetensors").into()]);
    arguments.extend(more.iter().map(Into::into));
    Some(crate::program::run(arguments))
}

#[test]
fn the_small_reference_passes_from_both_kinds_of_file() {
    for weights in ["weights.safetensors", "lightning.ckpt"] {
        let Some(ran) = verify_small(weights, &[]) else { return };
        let text = ran.done().out;
        for name in ["vision.hidden.0", "text.hidden", "stage3.asrm", "stage1.guided", "subpixel", "probability"] {
            assert!(text.lines().any(|line| line.starts_with(name)), "{name} in {text}");
        }
        assert!(text.lines().last().is_some_and(|line| line.starts_with("passed")), "{text}");
    }
}

#[test]
fn the_references_of_other_networks_pass() {
    let Some(golden) = shared("golden/baselines") else { return };
    for (name, tensor) in [("guidedecoder", "stage3.self_attention"), ("mmiunet", "stage4.text_out")] {
        let folder = golden.join(name);
        let ran = himix![
            "verify",
            "--device",
            "cpu",
            "--model",
            folder.join("weights.safetensors"),
            "--config",
            folder.join("config.json"),
            "--reference",
            folder.join("activations.safetensors"),
        ]
        .done();
        for name in [tensor, "subpixel.first2", "text.hidden", "logits, as predict computes"] {
            assert!(ran.out.lines().any(|line| line.starts_with(name)), "{name} in {}", ran.out);
        }
        assert!(ran.out.contains("passed: 0 of"), "{}", ran.out);
        // The weights with the configuration of HiMix.
        let himix = shared("golden/mini/config.json").expect("beside the other references");
        let weights = folder.join("weights.safetensors");
        let temporary = crate::files::folder();
        let out = temporary.path().join("x.safetensors");
        himix!["export", "--model", weights, "--config", himix, "--out", out]
            .refused(&[&format!("looks like the network \"{name}\""), "--config"]);
    }
}

#[test]
fn no_tolerance_is_too_little() {
    let Some(ran) = verify_small("weights.safetensors", &["--tolerance", "0"]) else { return };
    let ran = ran.failed(1, &["verification failed", "logits"]);
    assert!(ran.out.lines().last().is_some_and(|line| line.starts_with("failed")), "{}", ran.out);
    let Some(ran) = verify_small("weights.safetensors", &["--tolerance", "much"]) else { return };
    ran.refused(&["--tolerance"]);
}

#[test]
fn the_full_model_by_rule_passes() {
    let Some(reference) = shared("golden/full/activations.safetensors") else { return };
    let ran = himix!["verify", "--model", "rule", "--reference", reference, "--device", "cpu"].done();
    assert!(ran.out.contains("passed"), "{}", ran.out);
}

#[test]
fn a_changed_tensor_is_found_and_an_unfit_reference_refused() {
    let folder = folder();
    let image = crate::model::put_picture(&folder, "chest.png", 40, 40);
    let path = folder.path().join("activations.safetensors");
    himix![
        "predict",
        "--model",
        bundle(),
        "--image",
        image,
        "--prompt",
        "lung",
        "--activations",
        &path,
        "--device",
        "cpu",
    ]
    .done();
    let original = read_tensors(&path);
    let verify = |tensors: &crate::model::Tensors| {
        write_tensors(&path, tensors);
        himix!["verify", "--model", bundle(), "--reference", &path, "--device", "cpu"]
    };
    verify(&original).done();

    let mut changed = original.clone();
    for value in changed.get_mut("stage2.asrm").expect("recorded").2.as_chunks_mut::<4>().0 {
        *value = (f32::from_le_bytes(*value) * 1.001).to_le_bytes();
    }
    verify(&changed).failed(1, &["1 of ", "stage2.asrm"]);
    changed.get_mut("stage2.asrm").expect("recorded").2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    verify(&changed).failed(1, &["1 of ", "stage2.asrm"]);

    for (name, shape) in
        [("input.image", vec![1, 3, 10, 10]), ("input.ids", vec![2, 12]), ("logits", vec![1, 1, 1, 1])]
    {
        let mut unfit = original.clone();
        let bytes = floats(&vec![0.0; shape.iter().product()]);
        unfit.insert(name.into(), (safetensors::Dtype::F32, shape, bytes));
        verify(&unfit).refused(&["activations.safetensors", name]);
    }
    let mut unfit = original.clone();
    unfit.remove("input.mask");
    verify(&unfit).refused(&["activations.safetensors", "input.mask"]);
    let mut unfit = original.clone();
    unfit.get_mut("input.ids").expect("recorded").2[..4].copy_from_slice(&5000f32.to_le_bytes());
    verify(&unfit).refused(&["activations.safetensors", "input.ids", "5000"]);
    let mut unfit = original.clone();
    unfit.insert("stage9.asrm".into(), original["stage1.asrm"].clone());
    verify(&unfit).refused(&["activations.safetensors", "stage9.asrm"]);
    let mut unfit = original.clone();
    unfit.retain(|name, _| name.starts_with("input."));
    verify(&unfit).refused(&["activations.safetensors", "nothing to compare"]);
}

#[test]
fn lvit_is_verified_with_recorded_word_vectors() {
    let Some(golden) = shared("golden/baselines/lvit") else { return };
    let ran = himix![
        "verify",
        "--device",
        "cpu",
        "--model",
        golden.join("weights.safetensors"),
        "--config",
        golden.join("config.json"),
        "--reference",
        golden.join("activations.safetensors"),
    ]
    .done();
    assert!(ran.out.contains("text_to_patches") && ran.out.contains("as predict computes"), "{}", ran.out);
    assert!(ran.out.lines().last().is_some_and(|line| line.starts_with("passed")), "{}", ran.out);
}
