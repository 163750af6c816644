//! The window by accessibility label, with a model that needs no weights.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

#[path = "window/annotate.rs"]
mod annotate;
#[path = "window/annotate_tools.rs"]
mod annotate_tools;
#[path = "window/boxed.rs"]
mod boxed;
#[path = "window/builder.rs"]
mod builder;
#[path = "window/cases.rs"]
mod cases;
mod common;
#[path = "window/diagnostics.rs"]
mod diagnostics;
#[path = "window/document.rs"]
mod document;
#[path = "window/exports.rs"]
mod exports;
mod fake;
mod formats;
mod harness;
#[path = "window/influence.rs"]
mod influence;
#[path = "window/information.rs"]
mod information;
#[path = "window/keeping.rs"]
mod keeping;
#[path = "window/networks.rs"]
mod networks;
#[path = "window/presentation.rs"]
mod presentation;
#[path = "window/prompts.rs"]
mod prompts;
#[path = "window/proposals.rs"]
mod proposals;
#[path = "window/readers.rs"]
mod readers;
#[path = "window/reduced.rs"]
mod reduced;
#[path = "window/report.rs"]
mod report;
#[path = "window/robustness.rs"]
mod robustness;
#[path = "window/session.rs"]
mod session;
#[path = "window/shader.rs"]
mod shader;
#[path = "window/sizes.rs"]
mod sizes;
#[path = "window/threshold.rs"]
mod threshold;
#[path = "window/truth.rs"]
mod truth;
#[path = "window/uncertainty.rs"]
mod uncertainty;
#[path = "window/warm_up.rs"]
mod warm_up;
#[path = "window/without_text.rs"]
mod without_text;

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{self, Event, Key, Modifiers};
use egui_kittest::SnapshotOptions;
use egui_kittest::kittest::{NodeT, Queryable};
use fake::{FakeModel, HEIGHT, WIDTH};
use harness::{Files, Window, drop_file, open, says, wait};
use himix::app::{HimixApp, Start};
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

fn window(model: &FakeModel, with_model: bool, files: Vec<PathBuf>) -> Window {
    let source = ModelSource::new("demo");
    let start =
        Start { files, model: with_model.then_some(source), device: Some(DeviceChoice::Cpu), ..Start::default() };
    open(model.opener(), himix::engine::trainer(), start)
}

#[track_caller]
fn with_result(model: &FakeModel, files: Vec<PathBuf>) -> Window {
    let mut window = window(model, true, files);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window
}

fn type_prompt(window: &mut Window, text: &str) {
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(text);
    window.run();
}

#[test]
fn empty_it_says_what_to_do_and_offers_it() {
    let mut window = window(&FakeModel::default(), false, Vec::new());
    window.run();
    window.get_by_label("Open an image, then describe what to segment.");
    window.get_by_label("No model is open. Open one to see masks.");
    window.get_by_label("Open image…");
    window.get_by_label("Open model…");
    window.get_by_label("There is no result yet. Open an image.");
}

#[test]
fn an_image_without_a_model_says_why_there_is_no_mask() {
    let files = Files::new();
    let mut window = window(&FakeModel::default(), false, vec![files.image()]);
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    window.get_by_label("There is no mask, because no model is open.");
    window.get_by_label("Open model…");
}

#[test]
fn a_typed_prompt_brings_a_prediction() {
    let files = Files::new();
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![files.image()]);
    type_prompt(&mut window, "upper left lung");
    wait(&mut window, "the prompt's words", |window| window.query_by_label("lung").is_some());
    assert_eq!(model.last_prompt(), "upper left lung");
    window.get_by_label("5 of 8 tokens · 12 ms");
    window.get_by_label("Network").click();
    window.run();
    window.get_by_label("σ of stage 7 (Layer 3)");
    window.get_by_label("6.18");
    window.get_by_label("σ of stage 28 (Layer 1)");
    window.get_by_label("fake · Test device");
    window.get_by_label("Cached");
}

#[test]
fn a_truth_brings_scores_and_another_size_is_refused() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.get_by_label("per image, threshold 0.50");
    // Left half against upper half: a quarter each.
    assert_eq!(window.get_all_by_label("0.500").count(), 3, "Dice, precision, recall");
    window.get_by_label("0.333");
    assert_eq!(window.get_all_by_label("768 px, 25.0 %").count(), 3);
    drop_file(&mut window, &files.small_truth());
    wait(&mut window, "the refusal", |window| says(window, "the mask is 10x12 but the image is 64x48"));
    window.get_by_label("mask_chest.png");
}

#[test]
fn the_threshold_changes_counts_without_another_inference() {
    let files = Files::new();
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    let calls = model.calls.load(Ordering::SeqCst);
    assert_eq!(window.get_all_by_label("768 px, 25.0 %").count(), 3);
    let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
    slider.set_value_accesskit(0.95);
    window.run();
    assert_eq!(
        window.get_all_by_label("0 px, 0.0 %").count(),
        3,
        "nothing reaches 0.95: no true, no false positive, no mask"
    );
    window.get_by_label("1\u{2009}536 px, 50.0 %");
    window.key_press(Key::OpenBracket);
    window.run();
    let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
    assert!((slider.accesskit_node().numeric_value().unwrap_or_default() - 0.94).abs() < 1e-6);
    assert_eq!(model.calls.load(Ordering::SeqCst), calls);
}

#[test]
fn keys_typed_in_the_prompt_are_text() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    let is_on = |window: &Window| window.get_by_label("Overlay").accesskit_node().toggled() == Some(Toggled::True);
    assert!(is_on(&window));
    window.key_press(Key::S);
    window.run();
    assert!(!is_on(&window), "S switches the overlay");
    window.key_press(Key::S);
    window.run();
    window.event(Event::Text("/".into()));
    window.key_press(Key::Slash);
    window.run();
    let field = window.get_by_role(Role::MultilineTextInput);
    assert!(field.is_focused(), "/ puts the cursor into the prompt");
    window.key_press(Key::S);
    window.event(Event::Text("s".into()));
    window.key_press(Key::F);
    window.run();
    assert!(is_on(&window), "S in the prompt is a letter");
    assert!(window.get_by_role(Role::MultilineTextInput).value().is_some_and(|text| text.ends_with('s')));
    // The first one closes the list of completions.
    window.key_press(Key::Escape);
    window.run();
    window.key_press(Key::Escape);
    window.run();
    assert!(!window.get_by_role(Role::MultilineTextInput).is_focused());
}

#[test]
fn an_error_is_shown_names_the_file_and_can_be_dismissed() {
    let files = Files::new();
    let broken = files.folder.path().join("broken.png");
    std::fs::write(&broken, b"no image").expect("a file is written");
    let mut window = window(&FakeModel::default(), false, vec![broken]);
    wait(&mut window, "the error", |window| says(window, "Dismiss"));
    assert!(says(&window, "broken.png"));
    window.get_by_label("Dismiss").click();
    window.run();
    assert!(window.query_by_label("Dismiss").is_none());
    assert!(!says(&window, "broken.png"));
    window.get_by_label("Help").click();
    window.run();
    window.get_by_label("Messages").click();
    window.run();
    assert!(says(&window, "broken.png"), "the log keeps it");
    drop_file(&mut window, &files.folder.path().join("broken.png"));
    wait(&mut window, "the error again", |window| says(window, "Dismiss"));
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("Dismiss").is_none(), "Esc takes messages away");
}

#[test]
fn words_beyond_the_limit_are_shown_as_not_read() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    type_prompt(&mut window, "one two three four five six seven eight");
    wait(&mut window, "the dropped words", |window| says(window, "not read: eight"));
    window.get_by_label("not read: seven");
    window.get_by_label("six");
    assert!(says(&window, "8 of 8 tokens, 2 not read"));
}

#[test]
fn a_model_that_fails_is_reported_and_an_untrained_one_is_marked() {
    let files = Files::new();
    let model = FakeModel { is_untrained: true, ..FakeModel::default() };
    let mut window = with_result(&model, vec![files.image()]);
    window.get_by_label("Untrained model: its masks have no meaning");
    type_prompt(&mut window, "refuse");
    wait(&mut window, "the refusal", |window| says(window, "the fake refuses"));
    assert!(says(&window, "The mask belongs to an earlier prompt"));
}

#[test]
fn the_page_of_shortcuts_opens_and_closes_by_key() {
    let mut window = window(&FakeModel::default(), false, Vec::new());
    window.key_press_modifiers(Modifiers::SHIFT, Key::Slash);
    window.run();
    window.get_by_label("Hide the overlay while held");
    window.key_press(Key::Escape);
    window.run();
    assert!(window.query_by_label("Hide the overlay while held").is_none());
}

#[test]
fn nothing_is_cut_off_in_the_smallest_window() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.set_size(egui::Vec2::from(himix::app::MINIMUM_SIZE));
    window.run();
    let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, himix::app::MINIMUM_SIZE.into());
    for label in ["Dice", "Threshold", "Outline", "Colours", "Network", "Prompt", "Picture", "Help"] {
        for node in window.get_all_by_label(label) {
            assert!(screen.contains_rect(node.rect()), "{label} at {:?}", node.rect());
        }
    }
}

#[test]
fn the_overlay_has_the_colours_of_the_paper() {
    if !has_graphics() {
        return;
    }
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    window.get_by_role_and_label(Role::Slider, "Opacity").set_value_accesskit(1.0);
    // Not with the pointer: rows above may still arrive and move the switch.
    window.get_by_label("Outline").click_accesskit();
    window.remove_cursor();
    window.run();
    let picture = window.get_by_label("Picture").rect();
    let seen = window.render().expect("the window is drawn");
    // Points at a quarter of each quarter of the image, which fits the picture's height or width.
    let scale = (picture.width() / WIDTH as f32).min(picture.height() / HEIGHT as f32);
    let half = egui::vec2(WIDTH as f32, HEIGHT as f32) * scale / 4.0;
    let at = |x: f32, y: f32| {
        let point = picture.center() + egui::vec2(x * half.x, y * half.y);
        let image::Rgba([r, g, b, _]) = *seen.get_pixel(point.x as u32, point.y as u32);
        [r, g, b]
    };
    assert_eq!(at(-1.0, -1.0), [255, 224, 0], "true positive: yellow");
    // False negatives are striped, so that they are seen on red too.
    let row: Vec<[u8; 3]> = (0..40).map(|step| at(0.9 + 0.005 * step as f32, -1.0)).collect();
    assert!(row.contains(&[255, 48, 48]), "false negative: red, {row:?}");
    assert!(row.iter().any(|[_, g, b]| *g > 180 && *b > 180), "and pale stripes, {row:?}");
    assert_eq!(at(-1.0, 1.0), [48, 208, 80], "false positive: green");
    assert_eq!(at(1.0, 1.0), [100, 100, 100], "neither: the picture");
    let uploads = window.state().as_ref().map(HimixApp::texture_uploads);
    assert_eq!(uploads, Some(3), "image, probability and truth");

    window.key_press(Key::G);
    window.key_press(Key::OpenBracket);
    window.key_press(Key::Plus);
    window.run();
    let seen = window.render().expect("the window is drawn");
    let point = picture.center() - half;
    let image::Rgba([r, g, b, _]) = *seen.get_pixel(point.x as u32, point.y as u32);
    assert_eq!([r, g, b], [0, 200, 232], "the mask alone: cyan");
    assert_eq!(window.state().as_ref().map(HimixApp::texture_uploads), uploads, "nothing is uploaded again");
}

/// Compares whole layouts with stored images, in software if there is no graphics card. `UPDATE_SNAPSHOTS=1 cargo
/// test --release --test window` rewrites them; check them before committing.
#[test]
fn layouts_look_as_they_did() {
    if !has_graphics() {
        return;
    }
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    type_prompt(&mut window, "upper left lung and more words than eight");
    // The mask must be that of this prompt: the previous one has a distance too.
    wait(&mut window, "what was not read", |window| {
        window.query_all_by_label_contains("2 not read").next().is_some()
    });
    wait(&mut window, "the distance", |window| window.query_by_label("…").is_none() && says(window, "Dice"));
    window.remove_cursor();
    // Drivers differ in the last digits of a colour and at the edges of letters.
    let options = SnapshotOptions::new().threshold(0.8).max_failed_pixels(400);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.run();
    window.snapshot_options("read", &options);
    window.get_by_label("View").click();
    window.run();
    window.get_by_label("Light theme").click();
    window.run();
    window.key_press(Key::Escape);
    window.set_size(egui::Vec2::from(himix::app::MINIMUM_SIZE));
    window.run();
    window.snapshot_options("read_small_light", &options);
    window.get_by_label("Stages").click();
    wait(&mut window, "the stages", |window| window.query_by_label("Stage 28 (Layer 1), picture").is_some());
    window.set_size(egui::vec2(1280.0, 800.0));
    window.remove_cursor();
    window.run();
    window.snapshot_options("stages_light", &options);
}

/// Whether there is a device to draw with, including a software one.
fn has_graphics() -> bool {
    use eframe::wgpu::{Backends, Instance, InstanceDescriptor};
    let descriptor =
        InstanceDescriptor { backends: Backends::PRIMARY, ..InstanceDescriptor::new_without_display_handle() };
    let instance = Instance::new(descriptor);
    let has = !pollster::block_on(instance.enumerate_adapters(Backends::PRIMARY)).is_empty();
    if !has {
        common::skip(common::Need::Installable, "there is no graphics driver, not even a software one");
    }
    has
}
