//! Proposals for the prompt: describe, refine, search.

use std::time::Duration;

use eframe::egui::Key;
use egui_kittest::kittest::Queryable;

use super::fake::FakeModel;
use super::harness::{Files, Window, says, wait};
use super::{type_prompt, with_result};

/// The model's mask is the left half of the picture, whatever the prompt; the ground truth is the upper half.
fn proposals(model: &FakeModel, files: &Files) -> Window {
    let mut window = with_result(model, vec![files.image(), files.truth()]);
    window.key_press(Key::F4);
    window.run();
    window.get_by_label("Proposals").click();
    window.run();
    assert!(says(&window, "Proposals of a rule, not readings of the image."));
    assert!(says(&window, "Left is the left of the image, not of the patient."));
    window
}

fn has(window: &Window, label: &str) -> bool {
    window.query_by_label(label).is_some()
}

/// Clicks a button, even one that has to be scrolled to.
fn click(window: &mut Window, label: &str) {
    window.get_by_label_contains(label).click_accesskit();
    window.run();
}

#[test]
fn a_mask_is_described_and_the_description_becomes_the_prompt() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = proposals(&model, &files);
    click(&mut window, "Describe the ground truth");
    wait(&mut window, "the description", |window| says(window, "The ground truth, described as"));
    click(&mut window, "Describe the mask");
    wait(&mut window, "the description", |window| says(window, "The mask, described as"));
    click(&mut window, "Use the description as prompt");
    wait(&mut window, "the mask of the description", |_| model.last_prompt().contains("all left lung"));
    assert!(model.last_prompt().starts_with("Unilateral pulmonary infection, one infected area"));
    // The description is now of an earlier mask.
    wait(&mut window, "the age", |window| says(window, "The mask as it was before, described as"));
    window.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::Z);
    window.run();
    wait(&mut window, "the earlier prompt", |_| model.last_prompt().is_empty());
}

#[test]
fn a_prompt_is_refined_step_by_step() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = proposals(&model, &files);
    type_prompt(&mut window, "upper right lung ");
    wait(&mut window, "the mask", |_| model.last_prompt().trim() == "upper right lung");
    click(&mut window, "Refine the prompt");
    wait(&mut window, "the end", |window| says(window, "The sentence stands still after 2 steps."));
    assert!(says(&window, "Use step 1: upper right lung"));
    assert!(says(&window, "agreement 1.00 · Dice 0.500"));
    click(&mut window, "Use step 2: Unilateral");
    wait(&mut window, "the step", |_| model.last_prompt().starts_with("Unilateral"));
}

#[test]
fn sentences_are_searched_in_the_background_and_the_search_can_be_ended() {
    let model = FakeModel { takes: Duration::from_millis(15), ..FakeModel::default() };
    let files = Files::new();
    let mut window = proposals(&model, &files);
    click(&mut window, "Search without a prompt");
    wait(&mut window, "progress", |window| says(window, " sentences") && has(window, "Cancel"));
    click(&mut window, "Cancel");
    wait(&mut window, "the end", |window| has(window, "Search without a prompt"));
    assert!(!says(&window, "were tried"), "it was ended");
    click(&mut window, "Search without a prompt");
    // The typed prompt does not wait.
    type_prompt(&mut window, "words ");
    wait(&mut window, "the mask", |_| model.all_prompts().iter().any(|prompt| prompt.trim() == "words"));
    assert!(!says(&window, "were tried"), "the search goes on");
    wait(&mut window, "the ranks", |window| says(window, "sentences were tried; the best first"));
    click(&mut window, "Use rank 1: Unilateral pulmonary infection, one infected area, all left lung.");
    wait(&mut window, "the sentence", |_| model.last_prompt().contains("all left lung"));
}
