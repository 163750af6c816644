//! The prompt while it is typed, what is said of it, and its variants side by side.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::builder::prompt;
use super::fake::FakeModel;
use super::harness::{Files, Window, open_as_new, says, wait};
use super::{type_prompt, with_result};

const LEFT: &str = "Unilateral pulmonary infection, one infected area, all left lung.";

/// A window with an image, a model and an empty prompt, as a new user has it.
fn new(model: &FakeModel, files: &Files) -> Window {
    let start = Start {
        files: vec![files.image(), files.truth()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let mut window = open_as_new(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    window
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

fn ctrl(window: &mut Window, key: Key) {
    window.key_press_modifiers(Modifiers::COMMAND, key);
    window.run();
}

/// Steps for some time, as if the user did nothing.
fn pause(window: &mut Window, time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::thread::sleep(Duration::from_millis(10));
        window.step();
    }
    window.run();
}

#[test]
fn an_empty_prompt_draws_nothing_until_the_user_wants_it() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = new(&model, &files);
    wait(&mut window, "the reason", |window| says(window, "The prompt is empty, so nothing is drawn."));
    pause(&mut window, Duration::from_millis(100));
    assert_eq!(model.calls.load(Ordering::SeqCst), 0);
    window.get_by_label("Draw a mask all the same").click();
    wait(&mut window, "the mask", |window| says(window, "The prompt is empty: the mask follows the image alone"));
    assert_eq!(model.all_prompts(), [""]);
}

#[test]
fn a_prompt_can_be_given_at_the_start() {
    let (model, files) = (FakeModel::default(), Files::new());
    let start = Start {
        files: vec![files.image()],
        prompt: Some("upper left lung".into()),
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let mut window = open_as_new(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the mask", |window| window.query_by_label("upper").is_some());
    assert_eq!(model.all_prompts(), ["upper left lung"]);
}

#[test]
fn half_a_word_is_sent_only_after_a_pause() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = new(&model, &files);
    type_prompt(&mut window, "all ri");
    wait(&mut window, "the half word", |_| model.last_prompt() == "all ri");
    assert_eq!(model.all_prompts(), ["all", "all ri"]);
    let sent = model.all_prompts().len();
    type_prompt(&mut window, "ght ");
    wait(&mut window, "the word", |_| model.last_prompt().trim() == "all right");
    // Enter ends typing at once.
    type_prompt(&mut window, "lu");
    press(&mut window, Key::Enter);
    wait(&mut window, "the end", |_| model.last_prompt() == "all right lu");
    assert!(model.all_prompts().len() <= sent + 3, "{:?}", model.all_prompts());
}

#[test]
fn a_prompt_that_is_not_understood_says_so_at_the_mask() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image()]);
    type_prompt(&mut window, "qa qb qc lung ");
    wait(&mut window, "the words", |window| window.query_by_label("qc").is_some());
    let said = window.get_by_label("Picture").value().unwrap_or_default();
    assert!(said.contains("1 of 4 words understood"), "{said}");
}

#[test]
fn a_picture_unlike_the_training_pictures_says_so_at_the_mask() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image()]);
    assert!(!says(&window, "unlike the training pictures") && !says(&window, "Distance to training"));
    type_prompt(&mut window, "left lung photograph ");
    let words = "This picture is unlike the training pictures (distance 9.1, farther than 99.7 % of those that were held out).";
    wait(&mut window, "the warning", |window| says(window, words));
    assert!(says(&window, "Distance to training"));
    let said = window.get_by_label("Picture").value().unwrap_or_default();
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_mask_that_contradicts_its_prompt_is_a_warning() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image()]);
    type_prompt(&mut window, "Unilateral pulmonary infection, one infected area, all right lung.");
    wait(&mut window, "the agreement", |window| says(window, "Agrees with text"));
    let warning = "The prompt names the right of the image, but most of the mask lies on the left.";
    wait(&mut window, "the warning", |window| says(window, warning));
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    ctrl(&mut window, Key::A);
    type_prompt(&mut window, "bilateral pulmonary infection, one infected area, all left lung.");
    let contradiction = "The prompt says \"bilateral\" and names one lung only.";
    wait(&mut window, "the contradiction", |window| says(window, contradiction));
}

#[test]
fn the_history_has_what_was_written_and_not_what_cases_bring() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image()]);
    type_prompt(&mut window, "my own words ");
    wait(&mut window, "the mask", |_| model.last_prompt().trim() == "my own words");
    pause(&mut window, Duration::from_millis(1100));
    window.get_by_label("History").click();
    window.run();
    window.get_by_role_and_label(Role::Button, "my own words");
}

#[test]
fn pins_stand_side_by_side_and_only_the_edited_one_is_computed_again() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image(), files.truth()]);
    type_prompt(&mut window, "left lung ");
    wait(&mut window, "the mask", |_| model.last_prompt().trim() == "left lung");
    press(&mut window, Key::Enter);
    ctrl(&mut window, Key::P);
    assert!(says(&window, "Pinned as variant 1"));
    press(&mut window, Key::F4);
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").focus();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").type_text("and more ");
    window.run();
    press(&mut window, Key::Enter);
    ctrl(&mut window, Key::P);
    wait(&mut window, "the pins", |window| window.query_by_label("Picture of Variant 2").is_some());
    // Dice of the left half against the upper half.
    let scores = |window: &Window| window.query_all_by_label("Dice 0.500 · IoU 0.333").count();
    wait(&mut window, "the scores", |window| scores(window) == 2);
    assert!(says(&window, "mask 50.0 %"));
    wait(&mut window, "the map", |window| window.query_by_label("Disagreement of the variants").is_some());
    let before = model.all_prompts().len();
    let field = window.get_by_role_and_label(Role::MultilineTextInput, "Variant 1");
    field.focus();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Variant 1").type_text(" so ");
    window.run();
    wait(&mut window, "the new mask", |_| model.last_prompt().trim() == "left lung so");
    pause(&mut window, Duration::from_millis(100));
    assert_eq!(model.all_prompts().len(), before + 1, "{:?}", model.all_prompts());
    ctrl(&mut window, Key::Z);
    window.get_by_label("Remove Variant 2").click();
    window.run();
    assert!(window.query_by_label("Picture of Variant 2").is_none());
    assert!(
        window.query_by_label("Disagreement of the variants").is_none(),
        "one mask has nothing to differ from"
    );
}

#[test]
fn the_forms_of_a_prompt_are_pinned_and_stepped_through() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut window = with_result(&model, vec![files.image()]);
    type_prompt(&mut window, LEFT);
    wait(&mut window, "the mask", |_| model.last_prompt() == LEFT);
    press(&mut window, Key::Enter);
    press(&mut window, Key::F4);
    window.get_by_label("Structured, report, distilled, empty").click();
    wait(&mut window, "the pins", |window| window.query_by_label("Picture of 4 Empty").is_some());
    wait(&mut window, "the masks", |_| model.all_prompts().iter().any(|prompt| prompt.contains("IMPRESSION")));
    window.get_by_label("Pairwise Dice").click();
    wait(&mut window, "the table", |window| says(window, "1.00"));
    press(&mut window, Key::F11);
    wait(&mut window, "the first form", |window| window.query_by_label("Picture of 1 Structured").is_some());
    assert!(window.query_by_label("Picture of 4 Empty").is_none(), "one at a time");
    press(&mut window, Key::Period);
    window.get_by_label("Picture of 2 As a report");
    press(&mut window, Key::Comma);
    press(&mut window, Key::Comma);
    window.get_by_label("Picture of 4 Empty");
    assert!(says(&window, "(no text)"));
    press(&mut window, Key::Escape);
    window.get_by_label("Use 2 As a report").click();
    window.run();
    wait(&mut window, "the report", |_| model.last_prompt().contains("IMPRESSION"));
    ctrl(&mut window, Key::Z);
    assert_eq!(prompt(&window), LEFT, "the prompt before");
    assert!(window.query_by_label("Picture of 4 Empty").is_some());
    ctrl(&mut window, Key::Z);
    assert!(window.query_by_label("Picture of 4 Empty").is_none(), "pinning is undone");
}
