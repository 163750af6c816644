//! Menus, the command palette and the page of preferences, by accessibility label.

use std::path::Path;

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Adapters;

use super::harness::{Files, Window, says, wait};
use super::{click, click_far, press, window, window_with, written};

/// Settings as version 0.1 wrote them: a panel closed, another one in front, a key changed.
const SETTINGS: &[u8] = include_bytes!("../fixtures/v0_1/layout.json");

/// The actions with keys, as the palette names them.
const KEYED: &[(&str, &str)] = &[
    ("Open image…", "Ctrl O"),
    ("Open folder…", "Ctrl Shift O"),
    ("Preferences…", "Ctrl ,"),
    ("Quit", "Ctrl Q"),
    ("Image information", "Ctrl I"),
    ("Fit the window", "F"),
    ("Actual size (1:1)", "Ctrl 1"),
    ("Zoom in", "+"),
    ("Zoom out", "−"),
    ("Overlay on or off", "S"),
    ("Heat map on or off", "H"),
    ("Colours without red and green on or off", "C"),
    ("Less opacity", "A"),
    ("Higher threshold", "]"),
    ("Invert", "I"),
    ("Predict with this window", "U"),
    ("What the network gets", "W"),
    ("Type in the prompt", "/"),
    ("Past predictions", "L"),
    ("Keyboard shortcuts", "?"),
    ("Read tab", "F1"),
    ("Stages tab", "F2"),
    ("Train tab", "F3"),
];

/// Panels of every tab that can be closed or stand in another tab than Read. That the menu has all panels is tested beside its table.
const PANELS: &[&str] = &[
    "Worklist",
    "Result",
    "Image information",
    "Window",
    "Network",
    "Past",
    "Messages",
    "Stages",
    "Prompt",
    "Robustness",
    "What if",
    "Spectrum",
    "Fusion",
    "Numbers",
    "Sweep",
    "Settings",
    "Run",
    "Cases",
    "Curves",
    "Comparison",
    "Run log",
];

fn search(window: &mut Window, text: &str) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Command palette").type_text(text);
    window.run();
    window.run();
}

#[track_caller]
fn finds(window: &mut Window, text: &str, entry: &str) {
    search(window, text);
    assert!(says(window, entry), "“{text}” does not find “{entry}”");
    press(window, Key::Escape);
}

#[test]
fn the_palette_has_every_action_with_its_keys() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    for (name, keys) in KEYED {
        search(&mut window, name);
        assert!(window.query_by_label(&format!("{name} {keys}")).is_some(), "{name} with {keys}");
        press(&mut window, Key::Escape);
    }
}

#[test]
fn the_palette_finds_settings_tabs_panels_and_comparisons() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    finds(&mut window, "settings", "Preferences…");
    finds(&mut window, "settings theme", "Light theme");
    finds(&mut window, "settings memory", "Memory for one file: 4 GiB");
    finds(&mut window, "text size", "Text size: 125 %");
    finds(&mut window, "tab", "Stages tab");
    finds(&mut window, "compare", "Compare with: The bundled model");
    finds(&mut window, "compare", "Compare with a model folder…");
    finds(&mut window, "device", "Compute on the CPU");
    finds(&mut window, "hologram", "No matching command");
}

#[test]
fn every_panel_opens_from_the_palette() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    let tabs = [("What if", "Spectrum", Key::F1), ("Run folder", "Comparison", Key::F1)];
    for (first, name, back) in tabs {
        assert!(window.query_by_label(name).is_none(), "{name} is not of the Read tab");
        search(&mut window, &format!("panel {name}"));
        press(&mut window, Key::Enter);
        window.run();
        assert!(window.query_by_label(name).is_some() && says(&window, first), "{name} is open");
        press(&mut window, back);
    }
    for name in PANELS {
        finds(&mut window, &format!("panel {name}"), &format!("Panel: {name}"));
    }
}

#[test]
fn every_panel_opens_from_the_view_menu() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    click(&mut window, "View");
    click(&mut window, "Panels");
    for name in PANELS {
        assert!(says(&window, name), "{name}");
    }
    let hero = window.get_by_role_and_label(Role::CheckBox, "Picture");
    assert!(hero.accesskit_node().is_disabled(), "what the layout is for cannot be closed");
    click_far(&mut window, "Sweep Stages tab");
    assert!(window.query_by_label("Draw the sweep").is_some(), "the panel came to the front in its tab");
}

#[test]
fn what_cannot_be_done_says_why() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), Vec::new());
    click(&mut window, "File");
    let entry = window.get_by_label("Open ground truth…");
    assert!(entry.accesskit_node().is_disabled());
    entry.hover();
    wait(&mut window, "the reason", |window| says(window, "Open an image first."));
    press(&mut window, Key::Escape);
    search(&mut window, "save mask");
    assert!(says(&window, "There is no mask yet."), "the palette says it beside the name");
}

#[test]
fn after_esc_a_menu_opens_with_one_click_and_not_before() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    for first in ["File", "View"] {
        click(&mut window, first);
        assert!(says(&window, if first == "File" { "Save mask…" } else { "Reset the layout" }));
        press(&mut window, Key::Escape);
        window.get_by_role_and_label(Role::Button, "Prompt").hover();
        window.run();
        assert!(!says(&window, "Empty the prompt"), "hovering opens nothing after Esc");
    }
    window.get_by_role_and_label(Role::Button, "Prompt").click();
    window.run();
    window.run();
    assert!(says(&window, "Empty the prompt"), "one click opens it");
}

#[test]
fn a_menu_higher_than_the_window_scrolls() {
    let files = Files::new();
    let mut window = window(&files.folder.path().join("settings.json"), vec![files.image()]);
    window.set_size(vec2(853.0, 427.0));
    window.run();
    click(&mut window, "View");
    window.run();
    let screen = window.ctx.content_rect();
    let undo = window.get_by_label_contains("Undo").rect();
    assert!(screen.contains_rect(undo), "its first entry is seen: {undo:?}");
    let first = window.get_by_label("Dark theme").rect();
    assert!(first.min.y > screen.max.y, "its last entry is further down: {first:?}");
    window.hover_at(undo.center());
    window.run();
    for _ in 0..30 {
        window.event(eframe::egui::Event::MouseWheel {
            unit: eframe::egui::MouseWheelUnit::Point,
            delta: vec2(0.0, -60.0),
            modifiers: Modifiers::NONE,
            phase: eframe::egui::TouchPhase::Move,
            source: eframe::egui::MouseWheelSource::Unknown,
        });
        window.run();
    }
    let last = window.get_by_label("Dark theme").rect();
    assert!(screen.contains_rect(last), "the wheel brings it: {last:?}");
}

#[test]
fn text_that_is_too_large_can_be_reset_where_it_is_seen() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    std::fs::write(&settings, r#"{"zoom": 1.5}"#).expect("written");
    let mut window = window(&settings, Vec::new());
    window.set_size(vec2(1920.0, 1200.0));
    window.run();
    assert!(window.query_by_label("Reset text size").is_none(), "there is space for it");
    window.set_size(vec2(853.0, 533.0));
    window.run();
    click(&mut window, "Reset text size");
    written(&mut window, &settings, |settings| settings["zoom"] == 1.0);
    assert!(window.query_by_label("Reset text size").is_none());
}

#[test]
fn the_preferences_are_one_page() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut window = window(&settings, vec![files.image()]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    window.run();
    for heading in ["Appearance", "Pictures", "Computing"] {
        assert!(says(&window, heading), "{heading}");
    }
    click(&mut window, "Smooth picture");
    written(&mut window, &settings, |settings| settings["smooth"] == false);
    click(&mut window, "8 GiB");
    written(&mut window, &settings, |settings| settings["memory_limit_gib"] == 8.0);
    click(&mut window, "Keyboard shortcuts");
    assert!(says(&window, "Hide the overlay while held"));
    click(&mut window, "Window presets");
    assert!(says(&window, "Reset the presets"));
    press(&mut window, Key::Escape);
    assert!(!says(&window, "Reset the presets"));
}

#[test]
fn the_adapter_that_draws_the_window_is_chosen_in_the_preferences() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let found = Adapters {
        names: vec!["Arc (vulkan)".into(), "llvmpipe (vulkan)".into()],
        notice: Some(
            "The driver of GeForce (vulkan) creates no device. The window is drawn by Arc (vulkan).".into(),
        ),
    };
    let mut window = window_with(&settings, vec![files.image()], found);
    assert!(says(&window, "The driver of GeForce (vulkan) creates no device."));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    window.run();
    // The page is longer than its height, and a click by pointer needs the entry on the screen.
    let choose = |window: &mut Window, label: &str| {
        window.get_by_label(label).click_accesskit();
        window.run();
    };
    choose(&mut window, "Draw the window with llvmpipe (vulkan)");
    written(&mut window, &settings, |settings| settings["display_adapter"] == "llvmpipe (vulkan)");
    assert!(says(&window, "when HiMix is started again"));
    choose(&mut window, "Draw the window with the fastest adapter");
    written(&mut window, &settings, |settings| settings["display_adapter"].is_null());
    assert!(window.query_by_label("Clear the GPU cache").is_some());
    choose(&mut window, "Tune the GPU little: it is ready soonest");
    written(&mut window, &settings, |settings| settings["gpu_tuning"] == "minimal");
    assert!(says(&window, "The GPU is tuned this way from the next start on."));
}

#[test]
fn the_precision_of_a_gpu_is_chosen_in_the_preferences_and_remembered() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let is_on = |window: &Window, label: &str| {
        let node = window.get_by_label(label);
        node.accesskit_node().toggled() == Some(Toggled::True)
    };
    let half = "Predict in half precision (f16)";
    for was_half in [false, true] {
        let mut window = window(&settings, vec![files.image()]);
        window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
        window.run();
        assert_eq!(is_on(&window, half), was_half);
        assert_eq!(is_on(&window, "Choose the precision automatically"), !was_half);
        window.get_by_label(half).click_accesskit();
        window.run();
        written(&mut window, &settings, |settings| settings["precision"] == "f16");
        assert!(is_on(&window, half));
    }
    let mut window = window(&settings, vec![files.image()]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    window.run();
    window.get_by_label("Predict in single precision (f32)").click_accesskit();
    window.run();
    written(&mut window, &settings, |settings| settings["precision"] == "f32");
}

#[test]
fn settings_of_version_0_1_open_as_they_were() {
    let files = Files::new();
    let settings: &Path = &files.folder.path().join("settings.json");
    std::fs::write(settings, SETTINGS).expect("written");
    let mut window = window(settings, vec![files.image()]);
    assert!(window.query_by_label("Past").is_none(), "the panel that was closed stays closed");
    assert!(window.query_by_label("Messages").is_some());
    assert!(window.query_by_label("Identifiers").is_some(), "the panel that was in front is in front");
    press(&mut window, Key::J);
    let stored = written(&mut window, settings, |settings| settings["colours"]["scheme"] == "safe");
    assert_eq!(stored["keys"]["safe_colours"][0], "J");
    assert!(stored["layouts"]["train"].is_object());
}
