//! Stacks, windows, worklists and prompts, by accessibility label, with a model that needs no weights.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

mod common;
mod fake;
mod formats;
mod harness;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Event, Key, Modifiers, PointerButton};
use egui_kittest::kittest::{NodeT, Queryable};
use fake::FakeModel;
use harness::{Files, Window, drop_file, open, says, wait};
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

fn window(model: &FakeModel, files: Vec<PathBuf>) -> Window {
    let source = ModelSource::new("demo");
    let start = Start { files, model: Some(source), device: Some(DeviceChoice::Cpu), ..Start::default() };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| says(window, " px, "));
    window
}

/// Writes a NIfTI file with a CT volume of 5 slices of 8×6 voxels; slice k has the value −1000 + 100·k, and a row of
/// −1000.
fn volume(folder: &Path, name: &str, is_mask: bool) -> PathBuf {
    let rows = [[-2.0, 0.0, 0.0, 0.0], [0.0, -2.0, 0.0, 0.0], [0.0, 0.0, 2.0, 0.0]];
    let mut bytes = formats::nifti(&[8, 6, 5], 4, 16, Some(rows));
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

/// Returns the window preset that is in use.
fn preset(window: &Window) -> String {
    window.get_by_role_and_label(Role::ComboBox, "Preset").value().unwrap_or_default()
}

/// Returns the texts over the picture.
fn spoken(window: &Window) -> String {
    window.get_by_label("Picture").value().unwrap_or_default()
}

/// Drags by 100 points to the right from the middle of the picture.
fn drag(window: &mut Window, button: PointerButton) {
    let from = window.get_by_label("Picture").rect().center();
    let modifiers = Modifiers::NONE;
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
    drag(&mut window, PointerButton::Secondary);
    assert!(width(&window) > 1500.0, "to the right is wider: {}", width(&window));
}

#[test]
fn a_picture_of_8_bit_has_brightness_and_contrast_that_follow_the_window() {
    let files = Files::new();
    let mut window = window(&FakeModel::default(), vec![files.image()]);
    let value = |window: &Window, label: &str| {
        window.get_by_role_and_label(Role::Slider, label).accesskit_node().numeric_value().unwrap_or_default()
    };
    assert_eq!((value(&window, "Brightness"), value(&window, "Contrast")), (0.0, 0.0));
    drag(&mut window, PointerButton::Secondary);
    let contrast = value(&window, "Contrast");
    assert!(contrast < -1.0, "a wider window is less contrast: {contrast}");
    assert!(contrast.fract() != 0.0, "the slider does not round what it shows: {contrast}");
    // This is far beyond the slider's end; the window must not change.
    drag(&mut window, PointerButton::Secondary);
    drag(&mut window, PointerButton::Secondary);
    let seen = spoken(&window);
    window.run();
    assert_eq!(spoken(&window), seen);
    press(&mut window, Key::Num0);
    assert_eq!(value(&window, "Contrast"), 0.0);
}

#[test]
fn the_ruler_begins_where_the_button_went_down() {
    let files = Files::new();
    let mut window = window(&FakeModel::default(), vec![files.image()]);
    press(&mut window, Key::F);
    window.event(Event::ModifiersChanged(Modifiers::SHIFT));
    drag(&mut window, PointerButton::Primary);
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    let length = |window: &Window| {
        let text = spoken(window);
        let (_, length) = text.split_once("ruler ").unwrap_or_else(|| panic!("a ruler in “{text}”"));
        length.trim_end_matches(" px").parse::<f32>().expect("a length")
    };
    // 100 points of a picture that is fitted into the panel with a margin of 8.
    let room = window.get_by_label("Picture").rect().size() - eframe::egui::Vec2::splat(16.0);
    let zoom = (room.x / fake::WIDTH as f32).min(room.y / fake::HEIGHT as f32);
    let expected = 100.0 / zoom;
    assert!((length(&window) - expected).abs() < 0.06, "{} for {expected}", length(&window));
}

#[test]
fn a_file_whose_low_values_are_white_is_not_inverted_by_anybody() {
    let Some(folder) = common::shared("data/dicom") else { return };
    let model = FakeModel::default();
    let mut inverted = window(&model, vec![folder.join("cr_chest_mono1_10bit_implicit_nopreamble.dcm")]);
    let checked = |window: &Window| window.get_by_label("Invert").accesskit_node().toggled();
    assert!(!spoken(&inverted).contains("inverted"), "{}", spoken(&inverted));
    assert_eq!(checked(&inverted), Some(Toggled::False));
    press(&mut inverted, Key::I);
    assert!(spoken(&inverted).contains("inverted"));
    assert_eq!(checked(&inverted), Some(Toggled::True));
    // Frames that follow each other in time are not slices.
    let frames = window(&model, vec![folder.join("us_ybr422_jpeg_baseline_30frames.dcm")]);
    assert!(spoken(&frames).starts_with("Frame 16 of 30"), "{}", spoken(&frames));
}

#[test]
fn how_a_picture_is_looked_at_can_be_undone() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = FakeModel::default();
    let mut window = window(&model, vec![volume(folder.path(), "ct.nii", false)]);
    let calls = model.calls.load(Ordering::SeqCst);
    let threshold = |window: &Window| {
        let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
        (slider.accesskit_node().numeric_value().unwrap_or_default() * 100.0).round()
    };
    let undo = |window: &mut Window, modifiers| {
        window.key_press_modifiers(modifiers, Key::Z);
        window.run();
    };
    // Both key presses in one frame count, and several in a row are one undo step.
    window.key_press(Key::CloseBracket);
    window.key_press(Key::CloseBracket);
    window.run();
    assert_eq!(threshold(&window), 52.0);
    press(&mut window, Key::Num3);
    drag(&mut window, PointerButton::Secondary);
    press(&mut window, Key::I);
    assert!(spoken(&window).ends_with(", inverted"), "{}", spoken(&window));
    undo(&mut window, Modifiers::COMMAND);
    assert!(!spoken(&window).ends_with(", inverted"));
    assert_eq!(preset(&window), "Own");
    undo(&mut window, Modifiers::COMMAND);
    assert_eq!(preset(&window), "Bone", "the whole of a drag is one step");
    undo(&mut window, Modifiers::COMMAND);
    assert_eq!((preset(&window).as_str(), threshold(&window)), ("Lung", 52.0));
    undo(&mut window, Modifiers::COMMAND);
    assert_eq!(threshold(&window), 50.0);
    undo(&mut window, Modifiers::COMMAND | Modifiers::SHIFT);
    assert_eq!(threshold(&window), 52.0, "and again");
    assert_eq!(model.calls.load(Ordering::SeqCst), calls, "no inference");
}

#[test]
fn the_masks_of_a_volume_go_with_its_slices() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false);
    let mask = volume(folder.path(), "mask_ct.nii", true);
    let mut window = window(&FakeModel::default(), vec![image, mask]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    // The mask's left half of 2 of 6 rows, flipped or not, compared with the left half that the fake model returns.
    wait(&mut window, "the counts", |window| says(window, "8 px, 32 mm², "));
    press(&mut window, Key::End);
    wait(&mut window, "the counts of the last slice", |window| says(window, "16 px, 64 mm², "));
    // The distance is measured on a thread, in mm because the file has the size of a voxel.
    wait(&mut window, "the distance in mm", |window| says(window, " mm"));
}

/// Writes a folder of images with masks and prompts.
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
    assert_eq!(model.last_prompt(), "left lung", "the case's own prompt");
    window.get_by_label("Split");
    window.get_by_label("train");
    press(&mut window, Key::N);
    wait(&mut window, "the next case", |_| model.last_prompt() == "right lung");
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" now");
    wait(&mut window, "the edit", |_| model.last_prompt().contains("now"));
    let edited = model.last_prompt();
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    window.run();
    assert!(!window.get_by_role(Role::MultilineTextInput).is_focused(), "Ctrl Enter leaves the field too");
    press(&mut window, Key::P);
    wait(&mut window, "the case before", |_| model.last_prompt() == "left lung");
    press(&mut window, Key::P);
    wait(&mut window, "the message", |window| says(window, "This is the first case"));
    window.get_by_label("b.png").click();
    wait(&mut window, "the edited prompt again", |_| model.last_prompt() == edited);
    window.get_by_role_and_label(Role::TextInput, "Search the worklist").focus();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Search the worklist").type_text("right");
    window.run();
    window.run();
    assert!(window.query_by_label("a.png").is_none() && window.query_by_label("b.png").is_some());
}

#[test]
fn a_prompt_belongs_to_its_case() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    let files = Files::new();
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().to_owned()]);
    wait(&mut window, "the first case", |_| model.last_prompt() == "left lung");
    let prompt = |window: &Window| window.get_by_role(Role::MultilineTextInput).value().unwrap_or_default();
    let undo = |window: &mut Window| {
        window.get_by_role(Role::MultilineTextInput).focus();
        window.run();
        window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        window.run();
    };
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" typed");
    window.run();
    press(&mut window, Key::Enter);
    assert!(!window.get_by_role(Role::MultilineTextInput).is_focused(), "Enter leaves the field");
    assert!(prompt(&window).contains("typed") && !prompt(&window).contains('\n'), "{:?}", prompt(&window));
    press(&mut window, Key::N);
    wait(&mut window, "the next case", |_| model.last_prompt() == "right lung");
    undo(&mut window);
    assert_eq!(prompt(&window), "right lung", "the edit of another case is not undone here");
    press(&mut window, Key::Escape);
    press(&mut window, Key::P);
    wait(&mut window, "the case before", |_| model.last_prompt().contains("typed"));
    undo(&mut window);
    assert_eq!(prompt(&window), "left lung", "but there");
    press(&mut window, Key::Escape);
    // The last case has no prompt; the previous one is not used for it.
    window.get_by_label("c.png").click();
    wait(&mut window, "the case without a prompt", |_| model.last_prompt().is_empty());
    press(&mut window, Key::P);
    wait(&mut window, "the case before", |_| model.last_prompt() == "right lung");
    // The same holds for an image from elsewhere, and no case is selected for it.
    let selected = |window: &Window, name: &str| window.get_by_label(name).accesskit_node().toggled();
    assert_eq!(selected(&window, "b.png"), Some(Toggled::True));
    drop_file(&mut window, &files.image());
    wait(&mut window, "the picture of elsewhere", |_| model.last_prompt().is_empty());
    assert_eq!(selected(&window, "b.png"), Some(Toggled::False));
    // An image in the list is its case, however it is opened.
    drop_file(&mut window, &folder.path().join("train/Images/b.png"));
    wait(&mut window, "the case by its file", |_| model.last_prompt() == "right lung");
    assert_eq!(selected(&window, "b.png"), Some(Toggled::True));
    // Images of a folder without prompts do not get the prompt of a case.
    let plain = tempfile::tempdir().expect("a folder");
    for name in ["x.png", "y.png"] {
        std::fs::copy(files.image(), plain.path().join(name)).expect("copied");
    }
    drop_file(&mut window, plain.path());
    wait(&mut window, "the folder", |window| window.query_by_label("y.png").is_some());
    wait(&mut window, "its first picture", |_| model.last_prompt().is_empty());
    // A prompt that the user typed stays.
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text("mine");
    wait(&mut window, "the prompt", |_| model.last_prompt() == "mine");
    press(&mut window, Key::Enter);
    let calls = model.calls.load(Ordering::SeqCst);
    press(&mut window, Key::N);
    wait(&mut window, "the next picture", |_| model.calls.load(Ordering::SeqCst) > calls);
    assert_eq!(model.last_prompt(), "mine");
}

#[test]
fn a_case_that_does_not_open_does_not_leave_the_one_before_on_the_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    std::fs::write(folder.path().join("train/Images/b.png"), b"\x89PNG\r\n\x1a\nand no more").expect("written");
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().to_owned()]);
    wait(&mut window, "the first case's scores", |window| says(window, "Dice"));
    press(&mut window, Key::N);
    wait(&mut window, "the reason", |window| says(window, "This case could not be opened."));
    assert!(window.query_by_label("Picture").is_none() && !says(&window, "Dice"));
    assert!(window.query_all_by_label_contains("b.png").count() > 1, "the file is named");
    press(&mut window, Key::P);
    wait(&mut window, "the case before again", |window| says(window, "Dice"));
    assert!(!says(&window, "This case could not be opened."));
}

#[test]
fn a_wheel_that_tells_of_parts_goes_on_by_whole_notches() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(&FakeModel::default(), vec![volume(folder.path(), "ct.nii", false)]);
    window.event(Event::PointerMoved(window.get_by_label("Picture").rect().center()));
    window.step();
    let turn = |window: &mut Window, lines: f32| {
        window.event(Event::MouseWheel {
            unit: eframe::egui::MouseWheelUnit::Line,
            delta: eframe::egui::vec2(0.0, lines),
            phase: eframe::egui::TouchPhase::Move,
            source: eframe::egui::MouseWheelSource::Unknown,
            modifiers: Modifiers::NONE,
        });
        window.step();
    };
    let slice = |window: &Window| spoken(window).split_once(',').map(|(slice, _)| slice.to_owned());
    (0..7).for_each(|_| turn(&mut window, 0.125));
    (0..4).for_each(|_| window.step());
    assert_eq!(slice(&window).as_deref(), Some("Slice 3 of 5"), "what is less than a notch, and is left at that");
    (0..8).for_each(|_| turn(&mut window, 0.125));
    window.step();
    assert_eq!(slice(&window).as_deref(), Some("Slice 2 of 5"));
    turn(&mut window, -1.0);
    window.step();
    assert_eq!(slice(&window).as_deref(), Some("Slice 3 of 5"));
}

#[test]
fn past_predictions_come_back_with_a_click() {
    let folder = tempfile::tempdir().expect("a folder");
    cases(folder.path());
    let model = FakeModel::default();
    let mut window = window(&model, vec![folder.path().join("train/Images/c.png")]);
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text("first");
    wait(&mut window, "the prompt", |_| model.last_prompt() == "first");
    // A prompt that stays for a second is remembered; intermediate ones are not.
    std::thread::sleep(std::time::Duration::from_millis(1000));
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" second");
    wait(&mut window, "the prompt", |_| model.last_prompt().contains("second"));
    std::thread::sleep(std::time::Duration::from_millis(1000));
    window.run();
    press(&mut window, Key::Escape);
    press(&mut window, Key::L);
    assert_eq!(window.get_all_by_label("c.png").count(), 2);
    assert!(window.query_all_by_label("first").next().is_some());
    let calls = model.calls.load(Ordering::SeqCst);
    window.get_all_by_label("c.png").last().expect("the first").click();
    wait(&mut window, "the first prompt again", |_| model.calls.load(Ordering::SeqCst) > calls);
    assert_eq!(model.last_prompt(), "first");
    window.get_by_label("History").click();
    window.run();
    assert!(says(&window, "Recently used"));
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
    let preset = "Bilateral pulmonary infection, two infected areas, upper left lung and upper right lung.";
    window.get_by_label(preset).click();
    wait(&mut window, "the preset", |_| model.last_prompt() == preset);
    window.get_by_label("Favourite").click();
    window.run();
    window.get_by_label("History").click();
    window.run();
    assert!(says(&window, "Favourites"));
}
