//! The window with a network that reads no prompt: a small U-Net with random weights.

use std::path::Path;

use burn::tensor::Device;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::NodeT as _;
use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::{ModelSource, local_models};
use himix::model::Registry;
use himix::model::weights::bundle;
use himix::model::weights::save::Precision;

use super::harness::{Files, Window, open, says, wait};

const NO_PROMPT: &str = "This network reads no prompt: the mask follows the image alone.";

fn unet(folder: &Path) {
    let text = r#"{"network": "unet", "base_channels": 4, "image_size": 96, "provenance": {"name": "plain", "trained": true}}"#;
    let config = Registry::default().parse(text).expect("a configuration");
    let device = Device::flex();
    device.seed(5);
    let model = config.network.build(&device).expect("a network");
    bundle::write(folder, &config, model.as_ref(), None, None, Precision::F32).expect("written");
}

fn window(files: &Files, model: &Path) -> Window {
    unet(model);
    let start = Start {
        files: vec![files.image()],
        model: Some(ModelSource::new(model)),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let mut window = open(local_models(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

#[test]
fn every_place_for_prompts_says_that_none_is_read() {
    let (files, model) = (Files::new(), tempfile::tempdir().expect("a folder"));
    let mut window = window(&files, model.path());
    window.get_by_label(NO_PROMPT);
    assert!(window.query_by_role(Role::MultilineTextInput).is_none(), "there is nothing to type");
    click(&mut window, "Prompts");
    assert!(says(&window, "This network reads no prompt. There are no variants to compare."));
    for name in ["Pin the prompt", "Structured, report, distilled, empty"] {
        assert!(window.get_by_label(name).accesskit_node().is_disabled(), "{name}");
    }
    click(&mut window, "View");
    click(&mut window, "Panels");
    click(&mut window, "Robustness");
    let words = "This network reads no prompt, so there are no forms of one to compare.";
    wait(&mut window, "the panel", |window| says(window, words));
    assert!(window.query_by_label("Start the study").is_none());
}

#[test]
fn no_rule_about_prompts_judges_its_mask() {
    let (files, model) = (Files::new(), tempfile::tempdir().expect("a folder"));
    let mut window = window(&files, model.path());
    // The judgement of a mask comes after it.
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        window.run();
    }
    assert!(!says(&window, "The prompt is empty"), "no prompt is missing");
}

#[test]
fn a_prompt_for_the_compared_networks_can_be_typed() {
    let (files, model) = (Files::new(), tempfile::tempdir().expect("a folder"));
    let mut window = window(&files, model.path());
    click(&mut window, "Compare");
    assert!(says(&window, "Compared networks that read one are given this"));
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text("left lung");
    window.run();
    let field = window.get_by_role(Role::MultilineTextInput);
    assert_eq!(field.accesskit_node().value().as_deref(), Some("left lung"));
}

#[test]
fn its_decoder_is_shown_level_by_level_with_nothing_to_override() {
    let (files, model) = (Files::new(), tempfile::tempdir().expect("a folder"));
    let mut window = window(&files, model.path());
    click(&mut window, "Stages");
    for (grid, layer) in [(6, 4), (12, 3), (24, 2), (48, 1)] {
        let name = format!("Stage {grid} (Layer {layer}), picture");
        wait(&mut window, "the level", |window| window.query_by_label(&name).is_some());
    }
    click(&mut window, "Lesion attribution");
    wait(&mut window, "the attribution", |window| !says(window, "Computing…"));
    assert!(window.query_by_label_contains("Text from").is_none(), "there is no text to choose");
}
