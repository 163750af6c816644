//! The panel about the influence of words.

use std::sync::atomic::Ordering;
use std::time::Duration;

use eframe::egui::Key;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};

use super::{type_prompt, with_result};
use crate::fake::FakeModel;
use crate::harness::{Files, Window, says, wait};

/// A window with an image, its ground truth and a prompt, in the tab of prompts with the panel in front.
fn panel(model: &FakeModel, files: &Files, prompt: &str) -> Window {
    let mut window = with_result(model, vec![files.image(), files.truth()]);
    type_prompt(&mut window, prompt);
    wait(&mut window, "the mask of the prompt", |_| model.last_prompt().trim() == prompt.trim());
    show(&mut window);
    window
}

/// Goes to the panel.
fn show(window: &mut Window) {
    window.key_press(Key::Enter);
    window.run();
    window.key_press(Key::F4);
    window.run();
    window.get_by_label("Influence of words").click();
    window.run();
}

fn guided() -> FakeModel {
    FakeModel { is_guided: true, is_shared: true, ..FakeModel::default() }
}

fn examine(window: &mut Window) {
    window.get_by_label("Examine words").click();
    wait(window, "the words", |window| says(window, "Colours of the words"));
}

fn click(window: &mut Window, role: Role, label: &str) {
    window.get_by_role_and_label(role, label).click();
    window.run();
}

#[test]
fn words_are_coloured_and_a_click_shows_where_they_act() {
    let files = Files::new();
    let model = guided();
    let mut window = panel(&model, &files, "left lung");
    examine(&mut window);
    // Without "left" the probability of the left half falls from 0.9 to 0.1.
    window.get_by_label("left: probability 0.400 when left out");
    window.get_by_label("lung: probability 0.000 when left out");
    window.get_by_label("Colours of the words: 0 to 0.400");
    wait(&mut window, "the picture of the most important word", |window| {
        says(window, "Change of the probability: “left” left out")
    });
    window.get_by_label("lung: probability 0.000 when left out").click();
    wait(&mut window, "the picture of another word", |window| {
        says(window, "Change of the probability: “lung” left out")
    });
    window.get_by_label("right for left").click();
    wait(&mut window, "the picture of an exchange", |window| {
        says(window, "Change of the probability: exchange right for left")
    });
    click(&mut window, Role::ComboBox, "Measure");
    click(&mut window, Role::Button, "Area");
    window.get_by_label("left: area −50.0 % when left out");
    click(&mut window, Role::Button, "By [MASK]");
    window.get_by_label("left: area −50.0 % when replaced by [MASK]");
    click(&mut window, Role::ComboBox, "Measure");
    click(&mut window, Role::Button, "Dice");
    // The left half against the upper half is 0.5, an empty mask 0.
    window.get_by_label("left: dice −0.500 when replaced by [MASK]");
}

#[test]
fn a_result_of_something_else_says_so() {
    let files = Files::new();
    let model = guided();
    let mut window = panel(&model, &files, "left lung");
    examine(&mut window);
    assert!(!says(&window, "This belongs to"));
    type_prompt(&mut window, " now ");
    wait(&mut window, "the mark of an earlier prompt", |window| {
        says(window, "This belongs to an earlier prompt.")
    });
    window.get_by_label("left: probability 0.400 when left out");
    examine(&mut window);
    wait(&mut window, "the new words", |window| says(window, "now: probability"));
    assert!(!says(&window, "This belongs to"));
    window.key_press(Key::Enter);
    window.run();
    window.key_press(Key::CloseBracket);
    wait(&mut window, "the mark of another threshold", |window| {
        says(window, "This belongs to another threshold.")
    });
}

#[test]
fn phrases_share_what_the_text_does() {
    let files = Files::new();
    let model = guided();
    let mut window = panel(&model, &files, "left lung and right lung");
    window.get_by_label("Shapley values").click();
    wait(&mut window, "the values", |window| says(window, "Sum"));
    window.get_by_label("left lung");
    // Each side is half of the mask; the whole image is the sum.
    assert_eq!(window.get_all_by_label("+50.0 %").count(), 2);
    window.get_by_label("+100.0 %");
    window.get_by_label("100.0 % of the image");
}

#[test]
fn a_study_shows_how_far_it_is_and_can_be_stopped_while_the_prompt_is_typed() {
    let files = Files::new();
    let model = FakeModel { takes: Duration::from_millis(150), is_guided: true, ..FakeModel::default() };
    let mut window = panel(&model, &files, "upper left lung and lower right lung");
    window.get_by_label("Examine words").click();
    wait(&mut window, "the progress", |window| says(window, "Words: "));
    let button = window.get_by_label("Examine words");
    assert!(button.accesskit_node().is_disabled());
    // The mask of what is typed does not wait for the study.
    type_prompt(&mut window, " zone ");
    wait(&mut window, "the mask of the new prompt", |_| {
        model.all_prompts().iter().any(|prompt| prompt.trim() == "upper left lung and lower right lung zone")
    });
    assert!(says(&window, "Words: "), "the study goes on");
    window.get_by_label("Cancel").click();
    wait(&mut window, "the end", |window| !says(window, "Words: ") && !says(window, "Ending"));
    let calls = model.calls.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(400));
    assert!(model.calls.load(Ordering::SeqCst) <= calls + 1, "nothing is computed any more");
    assert!(!says(&window, "Colours of the words"));
    assert!(!window.get_by_label("Examine words").accesskit_node().is_disabled());
}

#[test]
fn without_words_or_with_a_model_that_fails_it_says_why() {
    let files = Files::new();
    let model = guided();
    let mut window = panel(&model, &files, "refuse");
    // A message says the same of the mask that is shown.
    let count = |window: &Window| window.query_all_by_label_contains("the fake refuses").count();
    let before = count(&window);
    window.get_by_label("Examine words").click();
    wait(&mut window, "the reason", |window| count(window) > before);
    let window = panel(&model, &files, " .,");
    window.get_by_label("The prompt has no words. Type one below.");
    assert!(window.get_by_label("Examine words").accesskit_node().is_disabled());
    let plain = FakeModel { is_plain: true, ..FakeModel::default() };
    let mut window = with_result(&plain, vec![files.image()]);
    show(&mut window);
    window.get_by_label("This network reads no text, so no word can matter.");
}
