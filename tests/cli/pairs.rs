//! Pairs that were added to a folder, as `himix data` and `himix train` read them.

use std::fs;

use himix::data::dataset::{NewPair, append};
use himix::data::{Image, Mask, Pixels};

use crate::files::folder;
use crate::model::config;
use crate::program::himix;

#[test]
fn added_pairs_are_checked_and_trained_on() {
    let folder = folder();
    let root = folder.path().join("pairs");
    for index in 0..6_usize {
        let inside =
            |at: usize| (8 + 6 * index..20 + 6 * index).contains(&(at % 64)) && (10..30).contains(&(at / 64));
        let pixels = (0..64 * 48).map(|at| if inside(at) { 230 } else { (at % 60) as u8 }).collect();
        let image = Image { width: 64, height: 48, channels: 1, pixels: Pixels::U8(pixels) };
        let values = (0..64 * 48).map(|at| u8::from(inside(at))).collect();
        let mask = Mask { width: 64, height: 48, values };
        let new =
            NewPair { name: &format!("case {index}"), image: &image, mask: &mask, prompt: "one area, left lung" };
        append(&root, None, &new).expect("a pair");
    }
    let object = himix!["data", &root, "--json"].json();
    assert_eq!(object["layout"], "splits");
    for (split, count) in [(0, 4), (1, 2)] {
        let split = &object["splits"][split];
        assert_eq!(
            (&split["pairs"], split["findings"].as_array().map(Vec::len)),
            (&count.into(), Some(0)),
            "{split}"
        );
    }
    let architecture = folder.path().join("architecture.json");
    fs::write(&architecture, config().to_string()).expect("a configuration");
    let out = folder.path().join("run");
    let architecture = format!("architecture={}", architecture.display());
    let more = ["epochs=1", "min_epochs=1", "batch_size=4", &architecture];
    let [epochs, least, batch, architecture] = more;
    let said = himix![
        "train",
        "--device",
        "cpu",
        "--data",
        &root,
        "--out",
        &out,
        "--set",
        epochs,
        "--set",
        least,
        "--set",
        batch,
        "--set",
        architecture
    ]
    .done()
    .out;
    assert!(said.contains("4 cases to train on, 2 to validate on"), "{said}");
    assert!(out.join("best/model.safetensors").exists());
}
