//! The map of the uncertainty.

use std::sync::atomic::Ordering;
use std::time::Duration;

use eframe::egui::Key;
use egui_kittest::kittest::Queryable;

use super::{type_prompt, with_result};
use crate::fake::FakeModel;
use crate::harness::{Files, Window, says, wait};

/// Chooses the action in the menu.
fn toggle(window: &mut Window) {
    window.get_by_label("View").click();
    window.run();
    window.get_by_label("Uncertainty map").click();
    window.run();
    window.key_press(Key::Escape);
    window.run();
}

fn guided() -> FakeModel {
    FakeModel { is_guided: true, is_shared: true, ..FakeModel::default() }
}

/// A window with an image and the mask of a prompt.
fn shown(model: &FakeModel, files: &Files, prompt: &str) -> Window {
    let mut window = with_result(model, vec![files.image()]);
    type_prompt(&mut window, prompt);
    window.key_press(Key::Enter);
    wait(&mut window, "the mask of the prompt", |_| model.last_prompt().trim() == prompt.trim());
    window.run();
    window
}

#[test]
fn it_is_off_until_it_is_wanted_and_follows_the_prompt() {
    let files = Files::new();
    let model = guided();
    let mut window = shown(&model, &files, "left lung");
    let before = model.calls.load(Ordering::SeqCst);
    window.run();
    assert_eq!(model.calls.load(Ordering::SeqCst), before, "nothing is computed that was not asked for");
    assert!(!says(&window, "Uncertainty"));
    toggle(&mut window);
    wait(&mut window, "the map", |window| says(window, "in the mask, at most"));
    window.get_by_label("Colours of the uncertainty");
    assert_eq!(model.calls.load(Ordering::SeqCst), before + 10);
    // Half of the members are mirrored, and have the other side in their prompt.
    let prompts = model.all_prompts();
    let last = &prompts[prompts.len() - 10..];
    assert_eq!(last.iter().filter(|prompt| prompt.contains("right lung")).count(), 5, "{last:?}");
    // The fake marks the named half of whatever picture it gets, so that only the edge is uncertain.
    assert!(says(&window, "50.0 to 50.0 %"));
    type_prompt(&mut window, " please ");
    wait(&mut window, "the map of the new prompt", |window| {
        let mirrored =
            model.all_prompts().iter().any(|prompt| prompt.contains("right") && prompt.contains("please"));
        mirrored && says(window, "in the mask, at most")
    });
    toggle(&mut window);
    assert!(!says(&window, "in the mask, at most"));
}

#[test]
fn it_can_be_cancelled_and_asked_for_again() {
    let files = Files::new();
    let model = FakeModel { takes: Duration::from_millis(60), ..guided() };
    let mut window = shown(&model, &files, "left lung");
    toggle(&mut window);
    wait(&mut window, "the progress", |window| says(window, "of 10"));
    window.get_by_label("Cancel").click();
    wait(&mut window, "the button that computes it", |window| says(window, "Compute the uncertainty"));
    window.get_by_label("Compute the uncertainty").click();
    wait(&mut window, "the map", |window| says(window, "in the mask, at most"));
}
