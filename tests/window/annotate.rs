//! Drawing and correcting masks in the Annotate tab.

use eframe::egui::accesskit::{Role, Toggled};
use eframe::egui::{Event, Key, MissingGlyphPolicy, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use super::annotate_tools::area;
use super::truth::volume;
use super::{type_prompt, with_result};
use crate::fake::{FakeModel, HEIGHT, WIDTH};
use crate::harness::{Files, Window, says, wait};

/// The Annotate tab with a picture and its mask.
fn annotate(files: &Files) -> Window {
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    window.key_press(Key::F5);
    window.run();
    window
}

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

fn undo(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
}

/// The point of the window at this share of the picture's width and height.
fn at(window: &Window, x: f32, y: f32) -> Pos2 {
    let rect = window.get_by_label("Picture").rect();
    // The picture fits into its panel.
    let zoom = (rect.width() / WIDTH as f32).min(rect.height() / HEIGHT as f32);
    rect.center() + vec2((x - 0.5) * WIDTH as f32, (y - 0.5) * HEIGHT as f32) * zoom
}

fn button(window: &mut Window, pos: Pos2, pressed: bool, modifiers: Modifiers) {
    window.event(Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers });
}

/// Draws from one point to another and holds the button.
fn draw(window: &mut Window, from: (f32, f32), to: (f32, f32), modifiers: Modifiers) {
    let (from, to) = (at(window, from.0, from.1), at(window, to.0, to.1));
    window.event(Event::ModifiersChanged(modifiers));
    window.event(Event::PointerMoved(from));
    button(window, from, true, modifiers);
    window.step();
    for share in [0.25, 0.5, 0.75, 1.0] {
        window.event(Event::PointerMoved(from + (to - from) * share));
        window.step();
    }
}

fn stroke(window: &mut Window, from: (f32, f32), to: (f32, f32), modifiers: Modifiers) {
    draw(window, from, to, modifiers);
    let end = at(window, to.0, to.1);
    button(window, end, false, modifiers);
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run();
}

/// Whether the panel of steps names this step.
fn has_step(window: &mut Window, name: &str) -> bool {
    window.get_by_label("Steps").click();
    window.run();
    let has = window.query_all_by_label(name).next().is_some();
    window.get_by_label("Labels").click();
    window.run();
    has
}

#[test]
fn a_stroke_is_drawn_at_once_and_is_one_step() {
    let files = Files::new();
    let mut window = annotate(&files);
    assert!(says(&window, "There is no label yet."));
    stroke(&mut window, (0.3, 0.5), (0.7, 0.5), Modifiers::NONE);
    window.get_by_label("Paint Lesion");
    assert!(says(&window, "drawn by hand"));
    // The radius is 8 pixels, the path 0.4 of 64 columns: a rectangle and two half circles.
    let expected = 0.4 * 64.0 * 16.0 + std::f64::consts::PI * 64.0;
    let drawn = area(&window) as f64;
    assert!((drawn - expected).abs() < 30.0, "{drawn} of {expected}");
    assert!(has_step(&mut window, "Brush stroke"));
    assert!(window.get_by_label("Picture").value().is_some_and(|text| text.contains("annotation")));
    undo(&mut window);
    assert!(says(&window, "There is no label yet."), "the label came with the stroke");
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.run();
    assert_eq!(area(&window) as f64, drawn);
}

#[test]
fn ctrl_and_the_eraser_take_away() {
    let files = Files::new();
    let mut window = annotate(&files);
    stroke(&mut window, (0.5, 0.5), (0.5, 0.5), Modifiers::NONE);
    let drawn = area(&window);
    stroke(&mut window, (0.62, 0.5), (0.62, 0.5), Modifiers::COMMAND);
    let left = area(&window);
    assert!(left > 0 && left < drawn, "{left} of {drawn}");
    press(&mut window, Key::E);
    stroke(&mut window, (0.4, 0.5), (0.6, 0.5), Modifiers::NONE);
    assert!(says(&window, "nothing in this slice"));
    undo(&mut window);
    assert_eq!(area(&window), left);
    assert!(has_step(&mut window, "Eraser stroke"));
}

#[test]
fn escape_takes_back_the_stroke_that_goes_on() {
    let files = Files::new();
    let mut window = annotate(&files);
    draw(&mut window, (0.3, 0.3), (0.6, 0.6), Modifiers::NONE);
    assert!(says(&window, "drawn by hand"), "it is drawn while it goes on");
    window.key_press(Key::Escape);
    window.step();
    window.step();
    let end = at(&window, 0.6, 0.6);
    button(&mut window, end, false, Modifiers::NONE);
    window.run();
    assert!(!says(&window, "drawn by hand"));
    assert!(has_step(&mut window, "Nothing was done yet."));
}

#[test]
fn the_prediction_is_used_and_never_changes_what_was_drawn() {
    let files = Files::new();
    let mut window = annotate(&files);
    window.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    window.run();
    // The left half of the picture is lesion to the fake network.
    let half = WIDTH * HEIGHT / 2;
    assert_eq!(area(&window), half);
    window.get_by_label("predicted");
    stroke(&mut window, (0.75, 0.5), (0.75, 0.5), Modifiers::NONE);
    window.get_by_label("predicted, then corrected");
    let corrected = area(&window);
    assert!(corrected > half);
    type_prompt(&mut window, "right lung");
    wait(&mut window, "the new mask", |window| says(window, "right"));
    press(&mut window, Key::Escape);
    assert_eq!(area(&window), corrected, "another prompt changes the prediction alone");
    assert!(has_step(&mut window, "Use of the prediction"));
}

#[test]
fn prediction_and_annotation_are_scored_and_compared() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    window.key_press(Key::F5);
    window.run();
    window.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    wait(&mut window, "the scores", |window| says(window, "Annotation against the ground truth"));
    // Left half against upper half: Dice 0.5.
    assert!(says(&window, "0.500"));
    press(&mut window, Key::X);
    wait(&mut window, "the difference", |window| says(window, "Prediction against the annotation"));
    assert!(says(&window, "1.000") && says(&window, "In both"));
    press(&mut window, Key::X);
    assert!(!says(&window, "Prediction against the annotation"));
    let prediction = window.get_by_role_and_label(Role::Button, "Prediction");
    assert_eq!(prediction.accesskit_node().toggled(), Some(Toggled::True));
}

#[test]
fn a_locked_label_says_why_it_does_not_change() {
    let files = Files::new();
    let mut window = annotate(&files);
    stroke(&mut window, (0.5, 0.5), (0.5, 0.5), Modifiers::NONE);
    let drawn = area(&window);
    window.get_by_label("Lock Lesion").click();
    window.run();
    stroke(&mut window, (0.3, 0.5), (0.7, 0.5), Modifiers::NONE);
    assert!(says(&window, "The label “Lesion” is locked. Unlock it to change it."));
    assert_eq!(area(&window), drawn);
    window.get_by_label("Add label").click();
    window.run();
    stroke(&mut window, (0.3, 0.5), (0.7, 0.5), Modifiers::NONE);
    window.get_by_label("Paint Lesion").click();
    window.run();
    assert_eq!(area(&window), drawn, "another label does not take the pixels of a locked one");
}

#[test]
fn keys_of_tools_take_the_place_of_those_of_reading() {
    let files = Files::new();
    let mut window = annotate(&files);
    let threshold = |window: &Window| {
        let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
        slider.accesskit_node().numeric_value()
    };
    let radius = |window: &Window| {
        let field = window.get_by_role_and_label(Role::SpinButton, "Radius");
        field.accesskit_node().numeric_value().unwrap_or_default()
    };
    let before = (threshold(&window), radius(&window));
    press(&mut window, Key::CloseBracket);
    assert_eq!(threshold(&window), before.0);
    assert!(radius(&window) > before.1);
    press(&mut window, Key::Q);
    let hand = window.get_by_role_and_label(Role::RadioButton, "Hand");
    assert_eq!(hand.accesskit_node().toggled(), Some(Toggled::True));
    press(&mut window, Key::F1);
    press(&mut window, Key::CloseBracket);
    assert_ne!(threshold(&window), before.0, "in Read the key is that of the threshold");
}

#[test]
fn a_step_goes_back_to_the_slice_and_the_tab_in_which_it_was_done() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = with_result(&FakeModel::default(), vec![volume(folder.path(), "ct.nii", false, 2.0)]);
    press(&mut window, Key::F5);
    stroke(&mut window, (0.5, 0.5), (0.5, 0.5), Modifiers::NONE);
    press(&mut window, Key::End);
    wait(&mut window, "the last slice", |window| says(window, "nothing in this slice"));
    press(&mut window, Key::F3);
    press(&mut window, Key::F4);
    undo(&mut window);
    wait(&mut window, "the slice of the stroke", |window| {
        window.query_by_label("Picture").and_then(|node| node.value()).is_some_and(|text| text.contains("Slice 3"))
    });
    assert!(says(&window, "There is no label yet."));
}

/// Shows the panel of steps.
fn show_steps(window: &mut Window) {
    window.get_by_label("Steps").click();
    window.run();
}

fn count(window: &Window, label: &str) -> usize {
    window.query_all_by_label(label).count()
}

#[test]
fn going_back_over_a_change_of_the_view_keeps_what_can_be_redone() {
    let files = Files::new();
    let mut window = annotate(&files);
    stroke(&mut window, (0.3, 0.5), (0.3, 0.5), Modifiers::NONE);
    let first = area(&window);
    press(&mut window, Key::C);
    stroke(&mut window, (0.7, 0.5), (0.7, 0.5), Modifiers::NONE);
    let both = area(&window);
    assert!(first > 0 && both > first);
    show_steps(&mut window);
    assert_eq!((count(&window, "Brush stroke"), count(&window, "Overlay colours")), (2, 1));
    window.get_all_by_label("Brush stroke").next().expect("the oldest step").click();
    window.run();
    assert_eq!((count(&window, "Brush stroke"), count(&window, "Overlay colours")), (2, 1), "nothing is lost");
    window.get_all_by_label("Brush stroke").last().expect("the newest step").click();
    window.run();
    window.get_by_label("Labels").click();
    window.run();
    assert_eq!(area(&window), both);
}

#[test]
fn the_eraser_says_that_there_is_no_label() {
    let files = Files::new();
    let mut window = annotate(&files);
    press(&mut window, Key::E);
    stroke(&mut window, (0.4, 0.5), (0.6, 0.5), Modifiers::NONE);
    assert!(says(&window, "There is no label yet to take pixels from."));
    assert!(window.query_by_label("Paint Lesion").is_none());
    press(&mut window, Key::B);
    stroke(&mut window, (0.4, 0.5), (0.6, 0.5), Modifiers::COMMAND);
    assert!(window.query_by_label("Paint Lesion").is_none(), "nor do the others make one with Ctrl");
    assert!(has_step(&mut window, "Nothing was done yet."));
}

#[test]
fn a_look_below_the_overlay_does_not_end_a_stroke() {
    let files = Files::new();
    let mut window = annotate(&files);
    draw(&mut window, (0.3, 0.5), (0.5, 0.5), Modifiers::NONE);
    window.key_down(Key::Space);
    window.step();
    window.step();
    window.key_up(Key::Space);
    window.step();
    for x in [0.6, 0.7] {
        let pos = at(&window, x, 0.5);
        window.event(Event::PointerMoved(pos));
        window.step();
    }
    let end = at(&window, 0.7, 0.5);
    button(&mut window, end, false, Modifiers::NONE);
    window.run();
    show_steps(&mut window);
    assert_eq!(count(&window, "Brush stroke"), 1);
}

#[test]
fn a_colour_that_is_dragged_is_one_step() {
    let files = Files::new();
    let mut window = annotate(&files);
    // The library's picker has a sign on its button to copy that the window's fonts lack.
    window.ctx.set_missing_glyph_policy(MissingGlyphPolicy::Tofu);
    window.get_by_label("Add label").click();
    window.run();
    let well = window.get_by_label("Colour of Lesion").rect();
    window.get_by_label("Colour of Lesion").click();
    window.run();
    // Within the square of the picker, which is below the well on whichever side there is room.
    let start = Pos2::new(well.center().x, well.bottom() + 140.0);
    window.event(Event::PointerMoved(start));
    window.step();
    button(&mut window, start, true, Modifiers::NONE);
    window.step();
    for by in [10.0, 20.0, 30.0, 40.0] {
        window.event(Event::PointerMoved(start + vec2(0.0, by)));
        window.step();
    }
    // The last change comes together with the release.
    let end = start + vec2(0.0, 50.0);
    window.event(Event::PointerMoved(end));
    button(&mut window, end, false, Modifiers::NONE);
    window.run();
    press(&mut window, Key::Escape);
    show_steps(&mut window);
    assert_eq!((count(&window, "New label"), count(&window, "Change of a label")), (1, 1));
}

#[test]
fn a_name_and_the_lock_that_ends_its_edit_are_two_steps() {
    let files = Files::new();
    let mut window = annotate(&files);
    window.get_by_label("Add label").click();
    window.run();
    window.get_by_label("Name of Lesion").focus();
    window.run();
    window.get_by_label("Name of Lesion").type_text(" two");
    window.run();
    window.get_by_label("Lock Lesion").click();
    window.run();
    assert_eq!(window.get_by_label("Lock Lesion two").accesskit_node().toggled(), Some(Toggled::True));
    undo(&mut window);
    assert_eq!(window.get_by_label("Lock Lesion two").accesskit_node().toggled(), Some(Toggled::False));
    undo(&mut window);
    assert!(window.query_by_label("Lock Lesion").is_some());
}
