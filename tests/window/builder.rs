//! The builder and completion of the prompt.

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Key, MissingGlyphPolicy, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use super::truth::volume;
use super::with_result;
use crate::fake::FakeModel;
use crate::harness::{Files, Window, says, wait};

/// A window with the Prompts tab, where the builder is at the front.
pub fn prompts(files: Vec<std::path::PathBuf>) -> Window {
    let mut window = with_result(&FakeModel::default(), files);
    window.get_by_label("Prompts").click();
    window.run();
    open_panel(&mut window, "Builder");
    window
}

/// Brings a panel of the tab to the front of its stack.
pub fn open_panel(window: &mut Window, title: &str) {
    window.get_by_role_and_label(Role::Button, title).click();
    window.run();
}

pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

/// The text of the prompt field at the bottom.
pub fn prompt(window: &Window) -> String {
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").value().unwrap_or_default()
}

pub fn type_prompt(window: &mut Window, text: &str) {
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").focus();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").type_text(text);
    window.run();
}

#[track_caller]
fn is_on(window: &Window, label: &str) -> bool {
    window.get_by_label(label).accesskit_node().toggled() == Some(Toggled::True)
}

const LEFT_UPPER: &str = "Upper zone of the left lung (of the image)";
const RIGHT_LOWER: &str = "Lower zone of the right lung (of the image)";

#[test]
fn a_click_on_a_zone_writes_the_sentence_of_the_data_sets() {
    let mut window = prompts(vec![Files::new().image()]);
    click(&mut window, LEFT_UPPER);
    let one = "Unilateral pulmonary infection, one infected area, upper left lung.";
    assert_eq!(prompt(&window), one);
    assert!(is_on(&window, LEFT_UPPER) && !is_on(&window, RIGHT_LOWER));
    assert!(is_on(&window, "Unilateral infection") && is_on(&window, "one infected area"));
    click(&mut window, RIGHT_LOWER);
    let two = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";
    assert_eq!(prompt(&window), two);
    click(&mut window, "All of the right lung (of the image)");
    assert_eq!(prompt(&window), two.replace("lower right", "all right"));
    // What is said otherwise stays until the zones are followed again.
    click(&mut window, "four infected areas");
    click(&mut window, LEFT_UPPER);
    assert_eq!(prompt(&window), "Unilateral pulmonary infection, four infected areas, all right lung.");
    click(&mut window, "Follow the zones");
    assert_eq!(prompt(&window), "Unilateral pulmonary infection, one infected area, all right lung.");
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    assert_eq!(prompt(&window), "Unilateral pulmonary infection, four infected areas, all right lung.");
}

#[test]
fn what_is_typed_is_shown_and_never_lost_without_consent() {
    let mut window = prompts(vec![Files::new().image()]);
    type_prompt(&mut window, "lower right lung, banana ");
    assert!(is_on(&window, RIGHT_LOWER) && !is_on(&window, LEFT_UPPER));
    window.get_by_label("Not understood: “banana”");
    click(&mut window, LEFT_UPPER);
    assert_eq!(prompt(&window), "lower right lung, banana ", "nothing is lost yet");
    assert!(is_on(&window, LEFT_UPPER), "the diagram shows what is offered");
    window.get_by_label_contains("which would be left out: “banana”");
    click(&mut window, "Keep the text");
    assert!(!is_on(&window, LEFT_UPPER));
    click(&mut window, LEFT_UPPER);
    click(&mut window, "Replace the text");
    assert_eq!(prompt(&window), "Upper left lung and lower right lung.");
    assert!(window.query_by_label("Replace the text").is_none());
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
    assert_eq!(prompt(&window), "lower right lung, banana ", "undo has it");
    click(&mut window, "Exchange left and right");
    assert_eq!(prompt(&window), "lower left lung, banana ");
}

#[test]
fn polyps_have_a_frame_of_nine_places() {
    let mut window = prompts(vec![Files::new().image()]);
    click(&mut window, "Prompt of polyps");
    click(&mut window, "Place top left (of the image)");
    let growth = "which is a projecting growth of tissue located in";
    assert_eq!(prompt(&window), format!("one polyp {growth} top left of the image"));
    for chip in ["Small size", "Pink colour", "Place center (of the image)"] {
        click(&mut window, chip);
    }
    assert_eq!(prompt(&window), format!("two small pink polyp {growth} top left, center of the image"));
    assert!(is_on(&window, "two polyps"));
    // A prompt of the lungs would lose all of it.
    click(&mut window, "Prompt of lungs");
    click(&mut window, LEFT_UPPER);
    window.get_by_label_contains("which would be left out: “two small pink polyp");
}

#[test]
fn sides_can_be_those_of_the_patient_only_where_the_file_says_them() {
    let window = prompts(vec![Files::new().image()]);
    assert!(window.get_by_label("Sides of the patient").accesskit_node().is_disabled());
    window.get_by_label("The file does not say which side of the patient is at the left of the image.");

    let folder = tempfile::tempdir().expect("a folder");
    let mut window = prompts(vec![volume(folder.path(), "ct.nii", false, 2.0)]);
    // In this volume, the patient's right is at the left of the image.
    click(&mut window, LEFT_UPPER);
    click(&mut window, "Sides of the patient");
    let patients = "Upper zone of the patient's right lung";
    assert!(is_on(&window, patients));
    window.get_by_label_contains(
        "In the patient's sides: Unilateral pulmonary infection, one infected area, upper right lung.",
    );
    click(&mut window, "Lower zone of the patient's left lung");
    let sent = "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung.";
    assert_eq!(prompt(&window), sent, "the sentence stays in the sides of the image");
    click(&mut window, "Sides of the image");
    assert!(is_on(&window, RIGHT_LOWER));
}

#[test]
fn words_are_completed_by_keys_and_enter_is_not_taken_unasked() {
    let mut window = prompts(vec![Files::new().image()]);
    let press = |window: &mut Window, key| {
        window.key_press(key);
        window.run();
    };
    type_prompt(&mut window, "Bi");
    window.get_by_label("Bilateral");
    press(&mut window, Key::Tab);
    assert_eq!(prompt(&window), "Bilateral");
    assert!(window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").is_focused(), "typing goes on");
    type_prompt(&mut window, " l");
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowUp] {
        press(&mut window, key);
    }
    press(&mut window, Key::Enter);
    assert_eq!(prompt(&window), "Bilateral lower", "left, lower, lung");
    type_prompt(&mut window, " l");
    window.get_by_role_and_label(Role::Button, "lung");
    press(&mut window, Key::Escape);
    assert!(window.query_by_role_and_label(Role::Button, "lung").is_none());
    assert!(window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").is_focused());
    type_prompt(&mut window, "e");
    window.get_by_role_and_label(Role::Button, "left");
    press(&mut window, Key::Enter);
    assert_eq!(prompt(&window), "Bilateral lower le", "nothing was chosen");
    assert!(!window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").is_focused());
    assert!(window.query_by_role_and_label(Role::Button, "left").is_none(), "the list has gone with the focus");
}

#[test]
fn any_text_is_shown_in_step() {
    let mut window = prompts(vec![Files::new().image()]);
    // As in the program, a letter that no font has is a box.
    window.ctx.set_missing_glyph_policy(MissingGlyphPolicy::Tofu);
    let long = "pneumonia of the left lung, ".repeat(4000);
    for text in ["\u{0}\u{7}\t", "الرئة اليسرى ", "左肺 ", "\u{202e}lung\u{202c} 👨\u{200D}⚕ ", long.as_str()]
    {
        type_prompt(&mut window, text);
    }
    wait(&mut window, "what is not understood", |window| says(window, "Not understood: “الرئة اليسرى"));
    click(&mut window, LEFT_UPPER);
    assert!(says(&window, "which would be left out"));
    click(&mut window, "Replace the text");
    assert!(prompt(&window).to_lowercase().contains("upper left lung"), "{}", prompt(&window));
}
