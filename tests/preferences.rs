//! Panels, keys, presets and colours that the user changes, by accessibility label and in the settings file.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod fake;
mod harness;
#[path = "preferences/menus.rs"]
mod menus;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use fake::FakeModel;
use harness::{Files, Window, open, says, wait};
use himix::app::{Adapters, Start};
use himix::device::DeviceChoice;
use himix::infer::ModelSource;
use serde_json::Value;

fn window(settings: &Path, files: Vec<PathBuf>) -> Window {
    window_with(settings, files, Adapters::default())
}

/// Like [`window`], drawn by one of these graphics adapters.
fn window_with(settings: &Path, files: Vec<PathBuf>, adapters: Adapters) -> Window {
    let source = ModelSource::new("demo");
    let has_image = !files.is_empty();
    let start = Start {
        files,
        model: Some(source),
        device: Some(DeviceChoice::Cpu),
        settings: Some(settings.to_owned()),
        adapters,
        ..Start::default()
    };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    if has_image {
        wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    }
    window.run();
    window
}

/// Waits for the settings file and returns its content when it satisfies a condition.
#[track_caller]
fn written(window: &mut Window, path: &Path, is_so: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let read = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        if let Some(settings) = read.filter(&is_so) {
            return settings;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "the settings do not say so");
        std::thread::sleep(Duration::from_millis(30));
        window.step();
    }
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// Clicks on what may first have to be scrolled to.
fn click_far(window: &mut Window, label: &str) {
    window.get_by_label(label).scroll_to_me();
    window.run();
    click(window, label);
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

#[test]
fn a_panel_is_closed_and_opened_and_that_is_remembered() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut first = window(&settings, vec![files.image()]);
    assert!(first.query_by_label("Display").is_some());
    // From the View menu.
    click(&mut first, "View");
    click(&mut first, "Panels");
    first.get_by_role_and_label(Role::CheckBox, "Result").click();
    first.run();
    press(&mut first, Key::Escape);
    assert!(first.query_by_label("Display").is_none(), "the panel is closed");
    let stored =
        written(&mut first, &settings, |settings| settings["layouts"].to_string().contains("is_closed\":true"));
    assert!(stored["layouts"]["read"].is_object());
    drop(first);
    let mut second = window(&settings, vec![files.image()]);
    assert!(second.query_by_label("Display").is_none(), "it stays closed");
    click(&mut second, "View");
    click(&mut second, "Reset the layout");
    assert!(second.query_by_label("Display").is_some());
}

#[test]
fn a_layout_that_nobody_could_have_made_is_no_reason_to_lose_the_settings() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    for layouts in [r#""none""#, r#"{"read": {"row": []}}"#, r#"{"read": {"stack": {"panes": [], "front": 7}}}"#] {
        std::fs::write(&settings, format!("{{\"threshold\": 0.25, \"layouts\": {layouts}}}")).expect("written");
        let window = window(&settings, Vec::new());
        let threshold = window.get_by_role_and_label(Role::Slider, "Threshold").accesskit_node().numeric_value();
        assert!((threshold.unwrap_or_default() - 0.25).abs() < 1e-6, "{layouts}");
    }
}

#[test]
fn a_key_is_given_to_something_else() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, vec![files.image()]);
    press(&mut window, Key::Questionmark);
    // The key of “Heat map on or off” becomes N, which was that of the next case.
    click_far(&mut window, "H");
    assert!(says(&window, "press a key"));
    press(&mut window, Key::Tab);
    assert!(says(&window, "stays what it is in every program"), "Tab moves between widgets");
    press(&mut window, Key::ControlLeft);
    assert!(says(&window, "press a key"), "a key that is held with another one is not the key");
    press(&mut window, Key::N);
    assert!(!says(&window, "press a key"));
    assert!(says(&window, "“N” was taken from “Next case” for “Heat map on or off”."));
    press(&mut window, Key::Escape);
    press(&mut window, Key::N);
    assert!(window.query_by_label("Colours of the probability").is_some(), "N shows the heat map");
    press(&mut window, Key::H);
    assert!(window.query_by_label("Colours of the probability").is_some(), "H does nothing any more");
    let stored = written(&mut window, &settings, |settings| settings["keys"]["heat"][0] == "N");
    assert_eq!(stored["keys"]["next_case"], Value::Array(Vec::new()));
    // Menus and palette show the new key, and all keys can be reset.
    press(&mut window, Key::Questionmark);
    click(&mut window, "Reset all keys");
    press(&mut window, Key::Escape);
    press(&mut window, Key::H);
    assert!(window.query_by_label("Colours of the probability").is_none(), "H again");
}

#[test]
fn keys_are_shown_where_their_commands_are() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    std::fs::write(&settings, r#"{"keys": {"open_image": ["Ctrl+J"], "fit": []}}"#).expect("written");
    let mut window = window(&settings, vec![files.image()]);
    click(&mut window, "File");
    assert!(says(&window, "Ctrl J"));
    press(&mut window, Key::Escape);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Command palette").type_text("open image");
    window.run();
    window.run();
    assert!(says(&window, "Ctrl J"));
}

#[test]
fn presets_are_edited() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, vec![files.image()]);
    let width = |window: &Window| {
        window
            .get_by_role_and_label(Role::SpinButton, "Width")
            .accesskit_node()
            .numeric_value()
            .unwrap_or_default()
    };
    assert_eq!(width(&window), 255.0);
    window.get_by_role_and_label(Role::Slider, "Contrast").set_value_accesskit(50.0);
    window.run();
    let narrow = width(&window);
    assert!(narrow < 150.0, "more contrast is a narrower window: {narrow}");
    click(&mut window, "View");
    click(&mut window, "Window presets…");
    assert!(says(&window, "Presets for plain images."));
    click(&mut window, "Add the window as it is now");
    let name = window.get_by_role_and_label(Role::TextInput, "Name of preset 1");
    name.focus();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Name of preset 1").type_text(" for bones");
    window.run();
    press(&mut window, Key::Escape);
    press(&mut window, Key::Escape);
    press(&mut window, Key::Num0);
    assert_eq!(width(&window), 255.0);
    press(&mut window, Key::Num1);
    assert_eq!(width(&window), narrow, "the number key has the new preset");
    written(&mut window, &settings, |settings| {
        settings["presets"]["picture"][0]["name"].as_str().is_some_and(|name| name.ends_with(" for bones"))
    });
    click(&mut window, "View");
    click(&mut window, "Window presets…");
    click(&mut window, "Remove");
    assert!(says(&window, "There are no presets."));
}

#[test]
fn the_overlay_has_the_colours_that_are_chosen() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    std::fs::write(&settings, r#"{"colours": {"scheme": "own", "own": {"mask": [1, 2, 3], "found": [4, 5, 6], "missed": [7, 8, 9], "wrong": [10, 11, 12]}}}"#)
        .expect("written");
    let mut window = window(&settings, vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    assert!(window.query_by_label("Colour: False negative").is_some());
    press(&mut window, Key::C);
    written(&mut window, &settings, |settings| settings["colours"]["scheme"] == "safe");
    assert!(window.query_by_label("Colour: False negative").is_none());
    press(&mut window, Key::C);
    let stored = written(&mut window, &settings, |settings| settings["colours"]["scheme"] == "paper");
    assert_eq!(stored["colours"]["own"]["false_negative"][1], 8, "one's own are kept");
}

#[test]
fn messages_stay_in_their_panel_and_are_counted_until_seen() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, vec![files.image(), files.small_truth()]);
    wait(&mut window, "the refusal", |window| says(window, "mask_small.png"));
    click(&mut window, "Dismiss");
    assert!(!says(&window, "mask_small.png"));
    click(&mut window, "Messages (1)");
    assert!(says(&window, "mask_small.png"), "the panel keeps it");
    assert!(window.query_by_label("Messages").is_some(), "seen");
}

/// A settings file of version 0.1 (`tests/fixtures/v0_1`) keeps its meaning, and what is written next is no less.
#[test]
fn settings_of_version_0_1_are_understood() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0_1/settings.json");
    let before: Value = serde_json::from_slice(&std::fs::read(&old).expect("the fixture")).expect("JSON");
    std::fs::copy(&old, &settings).expect("copied");
    let mut window = window(&settings, vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    // The layout: a panel that was closed stays closed. The colours: one's own have a field each.
    assert!(window.query_by_label("Past").is_none() && window.query_by_label("Messages").is_some());
    assert!(window.query_by_label("Colour: False negative").is_some());
    // The keys: J shows the heat map, H no longer does.
    press(&mut window, Key::H);
    press(&mut window, Key::J);
    let after = written(&mut window, &settings, |settings| settings["heat"] == true);
    for name in ["threshold", "theme", "zoom", "keys", "windows", "presets", "favourites", "training_form", "runs"]
    {
        assert_eq!(after[name], before[name], "{name}");
    }
    assert_eq!(after["stages"]["opacity"], before["stages"]["opacity"]);
    let own = |settings: &Value, names: [&str; 4]| names.map(|name| settings["colours"]["own"][name].clone());
    let names = ["mask", "true_positive", "false_negative", "false_positive"];
    assert_eq!(own(&after, names), own(&before, ["mask", "found", "missed", "wrong"]));
    assert_eq!(after["colours"]["scheme"], "own");
}

#[test]
fn settings_that_cannot_be_written_are_told_once_and_tried_again() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, Vec::new());
    // A folder of that name is in the way.
    let _ = std::fs::remove_file(&settings);
    std::fs::create_dir(&settings).expect("a folder");
    let refusal = |window: &Window| says(window, "The settings could not be saved");
    press(&mut window, Key::C);
    wait(&mut window, "the refusal", refusal);
    click(&mut window, "Dismiss");
    press(&mut window, Key::C);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(1300) {
        std::thread::sleep(Duration::from_millis(30));
        window.step();
    }
    assert!(!refusal(&window), "it is told once");
    std::fs::remove_dir(&settings).expect("the folder goes");
    press(&mut window, Key::C);
    written(&mut window, &settings, |settings| settings["colours"].is_object());
}

#[test]
fn the_size_of_the_window_is_remembered_without_the_text_size() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, Vec::new());
    window.ctx.set_zoom_factor(1.5);
    window.run();
    // A window of 1,500 × 900 points is reported as what its large text leaves of them.
    let inner = eframe::egui::Rect::from_min_size(eframe::egui::Pos2::ZERO, eframe::egui::vec2(1000.0, 600.0));
    window.input_mut().viewports.entry(eframe::egui::ViewportId::ROOT).or_default().inner_rect = Some(inner);
    window.run();
    let seen = written(&mut window, &settings, |settings| settings["zoom"] == 1.5);
    assert_eq!(seen["window"], serde_json::json!([1500.0, 900.0]));
}

#[test]
fn the_last_settings_are_written_when_the_window_closes() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, Vec::new());
    press(&mut window, Key::C);
    let app = window.state_mut().as_mut().expect("it has started");
    eframe::App::on_exit(app);
    let stored: Value = serde_json::from_slice(&std::fs::read(&settings).expect("written")).expect("settings");
    assert_eq!(stored["colours"]["scheme"], "safe", "they were waited for");
}
