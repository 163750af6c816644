//! The presentation: what it leaves, and that it leaves nothing behind.

use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;
use serde_json::Value;

use super::fake::FakeModel;
use super::harness::{Files, Window, open, says, wait};

fn has(window: &Window, label: &str) -> bool {
    window.query_by_label(label).is_some()
}

#[test]
fn one_key_leaves_picture_prompt_and_legend() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let start = Start {
        files: vec![files.image(), files.truth()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        settings: Some(settings.clone()),
        ..Start::default()
    };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.key_press(Key::F11);
    window.run_steps(4);
    for label in ["File", "Result", "Display", "Network", "History", "Threshold"] {
        assert!(!has(&window, label), "{label}");
    }
    assert!(has(&window, "Picture") && window.query_by_role(Role::MultilineTextInput).is_some());
    for label in ["True positive", "False negative", "False positive", "Masks at threshold 0.50"] {
        assert!(has(&window, label), "{label}");
    }
    assert!((window.ctx.zoom_factor() - 1.5).abs() < 1e-6, "text is larger");
    // Nothing is compared: no legend of a comparison.
    window.key_press(Key::G);
    window.run_steps(4);
    assert!(has(&window, "Mask") && !has(&window, "True positive"));
    // What is changed meanwhile is remembered, the size of the presentation is not.
    window.key_press(Key::CloseBracket);
    let start = std::time::Instant::now();
    let stored = loop {
        window.step();
        let text = std::fs::read_to_string(&settings).unwrap_or_default();
        match serde_json::from_str::<Value>(&text) {
            Ok(stored) if stored["threshold"].as_f64().is_some_and(|threshold| threshold > 0.505) => break stored,
            _ => assert!(start.elapsed().as_secs() < 10, "the settings are written"),
        }
        std::thread::sleep(std::time::Duration::from_millis(30));
    };
    assert_eq!(stored["zoom"], 1.0);
    assert!(!stored["layouts"].to_string().contains("presentation"));
    window.key_press(Key::Escape);
    window.run_steps(4);
    assert!(has(&window, "File") && has(&window, "Display"));
    assert!((window.ctx.zoom_factor() - 1.0).abs() < 1e-6);
}
