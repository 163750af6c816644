use himix::device;
use himix::train::{self, Control, Event, TrainConfig};

/// Both networks as small as they can be.
const SMALL: [&str; 2] = [
    r#"{"network": "unet", "base_channels": 4, "image_size": 32}"#,
    r#"{"network": "transunet", "image_size": 32, "hidden_size": 8, "mlp_size": 12, "heads": 2, "layers": 1,
        "resnet": {"units": [1, 1, 1], "width": 4, "group_norm_groups": 2}, "head_channels": 4,
        "decoder_channels": [4, 4, 4, 4], "skip_channels": [32, 16, 4, 0], "dropout": 0.2}"#,
];

/// Batch norms see the whole batch and dropout draws by image, so that the parts of a batch give what the whole gives.
#[test]
fn a_batch_may_be_divided() {
    for text in SMALL {
        let folder = tempfile::tempdir().expect("a folder");
        let architecture = folder.path().join("architecture.json");
        std::fs::write(&architecture, text).expect("written");
        let losses = |shards: usize| {
            let config = TrainConfig {
                phantoms: 16,
                out: folder.path().join(format!("run{shards}")),
                architecture: Some(architecture.clone()),
                epochs: 2,
                min_epochs: 2,
                batch_size: 4,
                shards,
                lr: 1e-3,
                ..TrainConfig::default()
            };
            let mut losses = Vec::new();
            let mut report = |event| {
                if let Event::Epoch(epoch) = event {
                    losses.push(epoch.train_loss);
                }
            };
            let best = train::run(&config, &device::cpu(), &Control::default(), &mut report).expect("a run");
            let best = best.expect("an epoch");
            assert!(best.sigma.is_empty() && best.layer_weights.is_empty());
            losses
        };
        let (whole, parts) = (losses(1), losses(2));
        assert_eq!(whole.len(), 2);
        for (whole, part) in whole.iter().zip(&parts) {
            assert!((whole - part).abs() < 1e-3 * whole.abs(), "{text}: {whole} and {part}");
        }
    }
}
