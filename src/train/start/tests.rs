use super::*;

#[test]
fn every_network_with_a_vocabulary_takes_another_one() {
    let registry = Registry::default();
    let folder = tempfile::tempdir().expect("a folder");
    let vocab = folder.path().join("vocab.txt");
    std::fs::write(&vocab, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nleft\nlung\n").expect("written");
    for name in registry.names() {
        let config = of_path(&registry, Path::new(&format!("{name}-small"))).expect("an architecture");
        let other = with_room_for(&registry, &config, &vocab);
        match config.network.text() {
            Some(_) => {
                let text = other.expect(name).network.text().expect("it still reads text");
                assert_eq!(text.vocabulary_size, 7, "{name}");
            }
            None => {
                let error = other.expect_err(name).to_string();
                assert!(error.contains("leave vocab out"), "{error}");
            }
        }
    }
}

fn with(architecture: &str, image_size: Option<usize>) -> TrainConfig {
    TrainConfig { architecture: Some(architecture.into()), image_size, ..TrainConfig::default() }
}

#[test]
fn every_architecture_takes_another_image_size_with_all_that_depends_on_it() {
    let registry = Registry::default();
    for name in crate::train::architecture_names(&registry) {
        let (whole, set) =
            [None, Some(128)].map(|side| architecture(&registry, &with(&name, side)).expect(&name)).into();
        assert_eq!(set.network.image_side(), 128, "{name}");
        assert_eq!(set.network.name(), whole.network.name());
        assert_ne!(whole.network.image_side(), 128, "{name}");
        // What was written is read again, so that everything that depends on the size agrees with it.
        let read = registry.parse(&set.to_json()).expect(&name);
        assert_eq!(read.network.sizes(), set.network.sizes(), "{name}");
        // And back again, nothing is left of it.
        let back = set.network.with_image_side(whole.network.image_side()).expect(&name);
        assert_eq!(back.sizes(), whole.network.sizes(), "{name}");
    }
}

#[test]
fn what_follows_from_the_image_size_is_computed_anew() {
    let registry = Registry::default();
    let of = |text: &str, side: usize| {
        let config = registry.parse(text).expect(text);
        let sizes = config.network.with_image_side(side).expect(text).sizes();
        move |pointer: &str| Value::Object(sizes.clone()).pointer(pointer).cloned()
    };
    let himix = of(r#"{"network": "himix"}"#, 128);
    assert_eq!(himix("/decoder/image_size"), Some(128.into()));
    let lvit = of(r#"{"network": "lvit"}"#, 128);
    assert_eq!(lvit("/patches"), Some(64.into()));
    // 128, 192 and 224 pixels have coarsest grids of 4, 6 and 7; an odd one leaves out a row and a column.
    let mmiunet = r#"{"network": "mmiunet", "bridger": {"output_padding_stage4": 1}}"#;
    assert_eq!(of(mmiunet, 128)("/bridger/output_padding_stage4"), Some(0.into()));
    assert_eq!(of(mmiunet, 192)("/bridger/output_padding_stage4"), Some(0.into()));
    assert_eq!(of(mmiunet, 160)("/bridger/output_padding_stage4"), Some(1.into()));
    assert_eq!(of(r#"{"network": "mmiunet"}"#, 128)("/bridger/output_padding_stage4"), None);
    let guidedecoder =
        of(r#"{"network": "guidedecoder", "decoder": {"grids": [7, 14, 28], "without_text": [14]}}"#, 128);
    assert_eq!(guidedecoder("/decoder/grids"), Some(vec![4, 8, 16].into()));
    assert_eq!(guidedecoder("/decoder/without_text"), Some(vec![8].into()));
}

#[test]
fn an_image_size_that_a_network_cannot_have_is_refused_with_its_multiple() {
    let registry = Registry::default();
    for (name, multiple) in [
        ("himix", "32"),
        ("guidedecoder", "32"),
        ("mmiunet", "32"),
        ("lvit", "16"),
        ("unet", "16"),
        ("transunet", "16"),
        ("medsam", "16"),
    ] {
        let error = architecture(&registry, &with(name, Some(100))).expect_err(name).to_string();
        assert!(error.contains("image_size 100: the network") && error.contains(name), "{error}");
        assert!(error.contains("multiple of") && error.contains(multiple), "{error}");
    }
}

/// A folder with a bundle of random weights.
fn bundle_of(registry: &Registry, text: &str, folder: &Path) {
    let config = registry.parse(text).expect(text);
    let model = config.network.build(&crate::device::cpu().device).expect("a model");
    let vocab = folder.join("vocab.txt");
    std::fs::create_dir_all(folder).expect("a folder");
    std::fs::write(&vocab, "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nleft\nlung\n").expect("written");
    let words = config.network.text().map(|_| vocab.as_path());
    bundle::write(folder, &config, model.as_ref(), words, None, crate::model::weights::save::Precision::F32)
        .expect("written");
}

#[test]
fn a_bundle_of_another_image_size_is_taken_as_far_as_its_weights_permit() {
    let registry = Registry::default();
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#""text": {"vocab_size": 9, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 24}, "vision": {"depths": [1, 1, 1, 1],
        "hidden_sizes": [8, 16, 32, 64]}"#;
    let cases = [
        (format!(r#"{{{text}, "decoder": {{"num_heads": 4, "image_size": 96}}}}"#), None),
        (format!(r#"{{"network": "guidedecoder", {text}, "image_size": 96}}"#), None),
        (format!(r#"{{"network": "mmiunet", {text}, "image_size": 96}}"#), None),
        (r#"{"network": "unet", "base_channels": 4, "image_size": 96}"#.to_owned(), None),
        (
            r#"{"network": "transunet", "image_size": 96, "hidden_size": 8, "mlp_size": 12, "heads": 2, "layers": 1,
                "resnet": {"units": [1, 1, 1], "width": 4, "group_norm_groups": 2}, "head_channels": 4,
                "decoder_channels": [4, 4, 4, 4], "skip_channels": [32, 16, 4, 0]}"#
                .to_owned(),
            Some("position_embeddings"),
        ),
        (
            r#"{"network": "lvit", "base_channels": 8, "image_size": 96, "patches": 36, "text_size": 24, "vit_heads": 2,
                "text_encoder": {"kind": "other", "token_limit": 16, "sizes": {"vocab_size": 9, "hidden_size": 24,
                "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32,
                "max_position_embeddings": 16}}}"#
                .to_owned(),
            Some("position_embeddings"),
        ),
        (
            r#"{"network": "medsam", "image_size": 96, "patch_size": 8,
                "image_encoder": {"embed_dim": 16, "depth": 2, "heads": 2, "window": 4, "global_blocks": [1],
                "out_channels": 16}, "prompt_encoder": {"embed_dim": 16, "mask_in_channels": 4},
                "mask_decoder": {"dim": 16, "heads": 2, "mlp_size": 16, "iou_hidden": 16}}"#
                .to_owned(),
            Some("pos_embed"),
        ),
    ];
    for (at, (text, fixed)) in cases.iter().enumerate() {
        let start = folder.path().join(at.to_string());
        bundle_of(&registry, text, &start);
        let config = |side| TrainConfig { start: Some(start.clone()), image_size: side, ..TrainConfig::default() };
        for side in [None, Some(96)] {
            assert_eq!(architecture(&registry, &config(side)).expect(text).network.image_side(), 96);
        }
        // Smaller and larger: position embeddings of a fixed grid must not be cut or extended either.
        for side in [64, 128] {
            let result = architecture(&registry, &config(Some(side)));
            match fixed {
                None => {
                    assert_eq!(result.expect(text).network.image_side(), side);
                    let settled = settled(&registry, &config(Some(side))).expect(text);
                    assert_eq!(settled.train_text, None, "the text encoder is kept as it is: {text}");
                }
                Some(key) => {
                    let error = result.expect_err(text).to_string();
                    assert!(error.contains("images of 96 pixels") && error.contains(key), "{error}");
                    assert!(error.contains("leave image_size out"), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_file_of_an_architecture_with_another_grid_is_refused_as_the_setting_is() {
    let registry = Registry::default();
    let folder = tempfile::tempdir().expect("a folder");
    let of = |side: usize| {
        format!(
            r#"{{"network": "transunet", "image_size": {side}, "hidden_size": 8, "mlp_size": 12, "heads": 2, "layers": 1,
            "resnet": {{"units": [1, 1, 1], "width": 4, "group_norm_groups": 2}}, "head_channels": 4,
            "decoder_channels": [4, 4, 4, 4], "skip_channels": [32, 16, 4, 0]}}"#
        )
    };
    let (start, other) = (folder.path().join("start"), folder.path().join("other.json"));
    bundle_of(&registry, &of(32), &start);
    std::fs::write(&other, of(64)).expect("written");
    let config = TrainConfig { start: Some(start), architecture: Some(other), ..TrainConfig::default() };
    let error = architecture(&registry, &config).expect_err("another grid").to_string();
    assert!(error.contains("images of 32 pixels") && error.contains("for 64 pixels"), "{error}");
    let brought_back = TrainConfig { image_size: Some(32), ..config };
    assert_eq!(architecture(&registry, &brought_back).expect("its own size").network.image_side(), 32);
}

#[test]
fn the_variants_of_a_study_have_the_image_size_too() {
    let registry = Registry::default();
    for variant in Ablation::ALL {
        let config = TrainConfig { ablation: Some(variant), ..with("himix-small", Some(128)) };
        let network = architecture(&registry, &config).expect("an architecture").network;
        assert_eq!(network.image_side(), 128, "{}", variant.name());
    }
}
