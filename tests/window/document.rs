//! The document in the window: slices and their predictions, and one history of what was done.

use std::sync::atomic::Ordering;

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use super::truth::volume;
use super::with_result;
use crate::fake::FakeModel;
use crate::harness::{Files, Window, says, wait};

/// What is written over the picture.
fn spoken(window: &Window) -> String {
    window.get_by_label("Picture").value().unwrap_or_default()
}

fn threshold(window: &Window) -> f64 {
    let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
    (slider.accesskit_node().numeric_value().unwrap_or_default() * 100.0).round()
}

fn undo(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
}

fn measure(window: &mut Window, length: f32) {
    window.event(Event::ModifiersChanged(Modifiers::SHIFT));
    let from = window.get_by_label("Picture").rect().center();
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::SHIFT,
    };
    window.event(Event::PointerMoved(from));
    window.event(button(from, true));
    window.step();
    // While a button is held there is always another frame.
    for share in [0.5, 1.0] {
        window.event(Event::PointerMoved(from + vec2(share * length, 0.0)));
        window.step();
    }
    window.event(button(from + vec2(length, 0.0), false));
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run();
}

/// Goes to another slice and waits until its mask is there, for which the model was asked `calls` times in all.
fn go(window: &mut Window, model: &FakeModel, key: Key, slice: &str, calls: u64) {
    window.key_press(key);
    window.run();
    assert!(spoken(window).starts_with(slice), "{}", spoken(window));
    wait(window, "the mask of the slice", |window| {
        model.calls.load(Ordering::SeqCst) == calls && says(window, " px, ")
    });
}

#[test]
fn a_slice_that_was_predicted_shows_its_mask_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![volume(folder.path(), "ct.nii", false, 2.0)]);
    let calls = || model.calls.load(Ordering::SeqCst);
    go(&mut window, &model, Key::End, "Slice 5 of 5", 2);
    go(&mut window, &model, Key::Home, "Slice 1 of 5", 3);
    go(&mut window, &model, Key::End, "Slice 5 of 5", 3);
    // A slice is asked for when it is at rest, and answered on a thread.
    for _ in 0..2 {
        std::thread::sleep(std::time::Duration::from_millis(150));
        window.run();
    }
    assert_eq!(calls(), 3, "nothing was predicted again");
    assert!(says(&window, " px, "));
    // Another prompt is another prediction, of this slice and of those seen before.
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text("left lung");
    wait(&mut window, "the prediction of the prompt", |_| model.last_prompt() == "left lung");
    wait(&mut window, "its mask", |window| says(window, " px, "));
    window.key_press(Key::Escape);
    window.run();
    let made = calls();
    window.key_press(Key::Home);
    wait(&mut window, "a new prediction of the first slice", |_| calls() == made + 1);
}

#[test]
fn slices_that_follow_faster_than_they_are_prepared_end_at_the_last_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["ct.nii", "mask_ct.nii"].map(|name| volume(folder.path(), name, name.starts_with("mask"), 2.0));
    let mut window = with_result(&FakeModel::default(), files.into());
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    for key in [Key::Home, Key::PageUp, Key::PageUp, Key::End, Key::PageDown, Key::Home, Key::End] {
        window.key_press(key);
    }
    window.run();
    assert!(spoken(&window).starts_with("Slice 5 of 5"), "{}", spoken(&window));
    // Slice 5 of the ground truth has 16 pixels, all of them in the mask of 24.
    wait(&mut window, "the counts of the last slice", |window| says(window, "16 px, 64 mm²"));
    assert!(spoken(&window).starts_with("Slice 5 of 5"), "{}", spoken(&window));
}

#[test]
fn a_ruler_can_be_taken_back() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    measure(&mut window, 100.0);
    let first = spoken(&window);
    assert!(first.contains("ruler "), "{first}");
    // What follows at once would be one step with it.
    std::thread::sleep(std::time::Duration::from_millis(750));
    measure(&mut window, 60.0);
    assert!(spoken(&window).contains("ruler ") && spoken(&window) != first, "another length");
    undo(&mut window);
    assert_eq!(spoken(&window), first, "the ruler before");
    undo(&mut window);
    assert!(!spoken(&window).contains("ruler"), "{}", spoken(&window));
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.run();
    assert_eq!(spoken(&window), first, "and again");
}

#[test]
fn what_was_done_is_undone_in_its_order_whatever_tab_is_shown() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    window.key_press(Key::CloseBracket);
    window.run();
    assert_eq!(threshold(&window), 51.0);
    window.get_by_label("Stages").click();
    wait(&mut window, "the stages", |window| window.query_by_label("Spectrum filter of stage 7").is_some());
    window.get_by_label("Spectrum filter of stage 7").click();
    wait(&mut window, "the override", |window| says(window, "filter of stage 7 off"));
    window.get_by_label("Read").click();
    window.run();
    window.get_by_label("View").click();
    window.run();
    assert!(says(&window, "Undo overrides"), "the menu says what is undone");
    window.key_press(Key::Escape);
    window.run();
    undo(&mut window);
    wait(&mut window, "the model's own parameters", |window| {
        window.query_by_label("Spectrum filter of stage 7").is_some() && !says(window, "filter of stage 7 off")
    });
    undo(&mut window);
    window.get_by_label("Read").click();
    window.run();
    assert_eq!(threshold(&window), 50.0);
}
