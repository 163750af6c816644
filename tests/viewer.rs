//! Stacks, windows, worklists and sentences, by accessibility label, with a model that needs no weights.

// A test may write its files as it likes.
#![allow(clippy::disallowed_methods)]

mod fake;
mod kit;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT, Queryable};
use fake::FakeModel;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;
use kit::{Window, open, says, wait};

fn window(model: &FakeModel, files: Vec<PathBuf>) -> Window {
    let source = ModelSource { model: PathBuf::from("demo"), ..ModelSource::default() };
    let start = Start { files, model: Some(source), device: Some(DeviceChoice::Cpu), ..Start::default() };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window
}

/// A CT volume of 5 slices of 8×6 voxels in a NIfTI file; slice k has the value −1000 + 100·k, and a row of −1000.
fn volume(folder: &Path, name: &str, is_mask: bool) -> PathBuf {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (index, side) in [3_i16, 8, 6, 5, 1, 1, 1, 1].iter().enumerate() {
        put(40 + 2 * index, &side.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    for axis in 1..4 {
        put(76 + 4 * axis, &2_f32.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    for axis in 0..3 {
        put(280 + 20 * axis, &(if axis == 2 { 2_f32 } else { -2_f32 }).to_le_bytes());
    }
    put(344, b"n+1\0");
    for slice in 0..5_i16 {
        for row in 0..6 {
            for column in 0..8 {
                let value = if is_mask {
                    i16::from(column < 4 && row < slice)
                } else if row == 0 {
                    -1000
                } else {
                    -1000 + 100 * slice
                };
                bytes.extend(value.to_le_bytes());
            }
        }
    }
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a volume is written");
    path
}

/// The preset of the window that is in use.
fn preset(window: &Window) -> String {
    window.get_by_role_and_label(Role::ComboBox, "Preset").value().unwrap_or_default()
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

#[test]
fn a_stack_is_stepped_through_and_its_window_changes_without_inference() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = FakeModel::default();
    let mut window = window(&model, vec![volume(folder.path(), "ct.nii", false)]);
    let slice = |window: &Window| {
        window.get_by_role_and_label(Role::Slider, "Slice").accesskit_node().numeric_value().unwrap_or_default()
    };
    assert_eq!(slice(&window), 3.0, "the middle slice comes first");
    press(&mut window, Key::PageUp);
    assert_eq!(slice(&window), 4.0);
    press(&mut window, Key::Home);
    assert_eq!(slice(&window), 1.0);
    press(&mut window, Key::End);
    wait(&mut window, "the mask of the last slice", |window| says(window, " px, "));
    assert_eq!(slice(&window), 5.0);
    let calls = model.calls.load(Ordering::SeqCst);
    assert_eq!(preset(&window), "Lung");
    press(&mut window, Key::Num3);
    assert_eq!(preset(&window), "Bone");
    assert!(says(&window, "Predict with this window"));
    press(&mut window, Key::W);
    wait(&mut window, "the network's view", |window| says(window, "pixels, as the window was"));
    press(&mut window, Key::Escape);
    press(&mut window, Key::I);
    assert_eq!(window.get_by_label("Invert").accesskit_node().toggled(), Some(Toggled::True));
    press(&mut window, Key::Num0);
    assert_eq!(preset(&window), "Full range");
    assert_eq!(model.calls.load(Ordering::SeqCst), calls, "a window costs no inference");
    window.get_by_label("Predict with this window").click();
    wait(&mut window, "the new mask", |_| model.calls.load(Ordering::SeqCst) > calls);
    assert!(window.query_by_label("Predict with this window").is_none());
}

#[test]
fn dragging_with_the_right_button_sets_the_window() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(&FakeModel::default(), vec![volume(folder.path(), "ct.nii", false)]);
    let width = |window: &Window| {
        window
            .get_by_role_and_label(Role::SpinButton, "Width")
            .accesskit_node()
            .numeric_value()
            .unwrap_or_default()
    };
    assert_eq!(width(&window), 1500.0);
    let picture = window.get_by_label("Picture").rect();
    let drag = |window: &mut Window, button, modifiers| {
        let from = picture.center();
        let event = |pos, pressed| Event::PointerButton { pos, button, pressed, modifiers };
        window.event(Event::PointerMoved(from));
        window.event(event(from, true));
        window.step();
        for step in 1..=5 {
            window.event(Event::PointerMoved(from + eframe::egui::vec2(20.0 * step as f32, 0.0)));
            window.step();
        }
        window.event(event(from + eframe::egui::vec2(100.0, 0.0), false));
        window.run();
    };
    drag(&mut window, PointerButton::Secondary, Modifiers::NONE);
    assert!(width(&window) > 1500.0, "to the right is wider: {}", width(&window));
}

#[test]
fn the_masks_of_a_volume_go_with_its_slices() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false);
    let mask = volume(folder.path(), "mask_ct.nii", true);
    let mut window = window(&FakeModel::default(), vec![image, mask]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    // The mask's left half of 2 of 6 rows, flipped or not, against the left half that the fake finds.
    wait(&mut window, "the counts", |window| says(window, "8 px, 32 mm², "));
    press(&mut window, Key::End);
    wait(&mut window, "the counts of the last slice", |window| says(window, "16 px, 64 mm², "));
    // Measured on a thread; in mm, because the file says how large a voxel is.
    wait(&mut window, "the distance in mm", |window| says(window, " mm"));
}

/// A folder of pictures with masks and sentences.
fn cases(folder: &Path) {
    for name in ["a", "b", "c"] {
        let grey = image::GrayImage::from_pixel(32, 24, image::Luma([80]));
        for part in ["train/Images", "train/GTs", "prompt"] {
            std::fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        grey.save(folder.join(format!("train/Images/{name}.png"))).expect("written");
        let mask = image::GrayImage::from_fn(32, 24, |x, _| image::Luma([if x < 16 { 255 } else { 0 }]));
        mask.save(folder.join(format!("train/GTs/mask_{name}.png"))).expect("written");
    }
    let table = "Image,Description\na.png,left lung\nb.png,right lung\nc.png,\n";
    std::fs::write(folder.join("prompt/train.csv"), table).expect("written");
}

#[test]
fn a_folder_is_a_worklist() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().to_owned()]);
    wait(&mut window, "the first case's scores", |window| says(window, "Dice"));
    assert!(says(&window, "Worklist"));
    assert_eq!(model.last_prompt(), "left lung", "the case's own sentence");
    press(&mut window, Key::N);
    wait(&mut window, "the next case", |_| model.last_prompt() == "right lung");
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" now");
    wait(&mut window, "the edit", |_| model.last_prompt().contains("now"));
    let edited = model.last_prompt();
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.run();
    assert!(!window.get_by_role(Role::MultilineTextInput).is_focused(), "Ctrl Enter leaves the field");
    press(&mut window, Key::P);
    wait(&mut window, "the case before", |_| model.last_prompt() == "left lung");
    press(&mut window, Key::P);
    wait(&mut window, "the message", |window| says(window, "This is the first case"));
    window.get_by_label("b.png").click();
    wait(&mut window, "the edited sentence again", |_| model.last_prompt() == edited);
    window.get_by_role_and_label(Role::TextInput, "Search the worklist").focus();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Search the worklist").type_text("right");
    window.run();
    window.run();
    assert!(window.query_by_label("a.png").is_none() && window.query_by_label("b.png").is_some());
}

#[test]
fn past_predictions_come_back_with_a_click() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().join("train/Images/a.png")]);
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text("first");
    wait(&mut window, "the prompt", |_| model.last_prompt() == "first");
    // What stands for a second is kept; what is typed on the way is not.
    std::thread::sleep(std::time::Duration::from_millis(1000));
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" second");
    wait(&mut window, "the prompt", |_| model.last_prompt().contains("second"));
    std::thread::sleep(std::time::Duration::from_millis(1000));
    window.run();
    press(&mut window, Key::Escape);
    press(&mut window, Key::L);
    assert_eq!(window.get_all_by_label("a.png").count(), 2);
    assert!(window.query_all_by_label("first").next().is_some());
    let calls = model.calls.load(Ordering::SeqCst);
    window.get_all_by_label("a.png").last().expect("the first").click();
    wait(&mut window, "the first prompt again", |_| model.calls.load(Ordering::SeqCst) > calls);
    assert_eq!(model.last_prompt(), "first");
    window.get_by_label("History").click();
    window.run();
    assert!(says(&window, "Used lately"));
}

#[test]
fn the_palette_finds_commands_by_their_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(&FakeModel::default(), vec![volume(folder.path(), "ct.nii", false)]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Command palette").type_text("window soft");
    window.run();
    window.run();
    assert!(says(&window, "Window: Soft tissue"));
    press(&mut window, Key::Enter);
    window.run();
    assert!(window.query_by_role_and_label(Role::TextInput, "Command palette").is_none());
    assert_eq!(preset(&window), "Soft tissue");
}

#[test]
fn a_preset_fills_the_prompt_and_a_favourite_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().join("train/Images/a.png")]);
    window.get_by_label("Presets").click();
    window.run();
    window.get_by_label("Unilateral pulmonary infection, one infected area, lower left lung.").click();
    wait(&mut window, "the preset", |_| model.last_prompt().starts_with("Unilateral"));
    window.get_by_label("Favourite").click();
    window.run();
    window.get_by_label("History").click();
    window.run();
    assert!(says(&window, "Favourites"));
}
