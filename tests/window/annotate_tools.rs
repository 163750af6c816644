//! The tools of the Annotate tab beyond the brush, and the operations on a label, with mouse and keyboard.

use std::path::PathBuf;

use eframe::egui::{Event, Key, Modifiers, PointerButton, Pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use super::truth::volume;
use super::{window, with_result};
use crate::fake::{FakeModel, HEIGHT, WIDTH};
use crate::harness::{Files, Window, says, wait};

/// Goes to the Annotate tab and chooses a tool of the palette.
fn annotate(window: &mut Window, tool: &str) {
    window.get_by_label("Annotate").click();
    window.run();
    choose(window, tool);
}

fn choose(window: &mut Window, tool: &str) {
    window.get_by_label(tool).click();
    window.run();
}

/// The position on the screen of a point of an image of `size` pixels, which is fitted into the picture.
fn place(window: &Window, size: [f32; 2], [x, y]: [f32; 2]) -> Pos2 {
    let rect = window.get_by_label("Picture").rect();
    let zoom = ((rect.width() - 16.0) / size[0]).min((rect.height() - 16.0) / size[1]).min(64.0);
    rect.center() + vec2(x - size[0] / 2.0, y - size[1] / 2.0) * zoom
}

fn at(window: &Window, point: [f32; 2]) -> Pos2 {
    place(window, [WIDTH as f32, HEIGHT as f32], point)
}

fn button(pos: Pos2, pressed: bool, modifiers: Modifiers) -> Event {
    Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers }
}

fn click_with(window: &mut Window, pos: Pos2, modifiers: Modifiers) {
    window.event(Event::ModifiersChanged(modifiers));
    window.event(Event::PointerMoved(pos));
    window.step();
    window.event(button(pos, true, modifiers));
    window.step();
    window.event(button(pos, false, modifiers));
    window.event(Event::ModifiersChanged(Modifiers::NONE));
    window.run();
}

fn click(window: &mut Window, point: [f32; 2]) {
    let pos = at(window, point);
    click_with(window, pos, Modifiers::NONE);
}

fn drag(window: &mut Window, points: &[[f32; 2]]) {
    let places: Vec<Pos2> = points.iter().map(|point| at(window, *point)).collect();
    drag_over(window, &places);
}

fn drag_over(window: &mut Window, places: &[Pos2]) {
    let (first, last) = (places[0], places[places.len() - 1]);
    window.event(Event::PointerMoved(first));
    window.step();
    window.event(button(first, true, Modifiers::NONE));
    window.step();
    for pos in &places[1..] {
        window.event(Event::PointerMoved(*pos));
        window.step();
    }
    window.event(button(last, false, Modifiers::NONE));
    window.run();
}

fn undo(window: &mut Window) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.run();
}

/// The pixels of the active label in the slice, as the panel of labels says them; 0 if it says nothing.
pub fn area(window: &Window) -> usize {
    let row = window.query_all_by_label_contains(" px").map(|node| {
        let text = node.accesskit_node().label().or(node.value()).unwrap_or_default();
        (node.rect(), text)
    });
    // The row of the panel of labels stands beside its name, at the same height.
    let names = window.query_all_by_label("Area").map(|node| node.rect().center().y).collect::<Vec<_>>();
    let found = row.filter(|(rect, _)| names.iter().any(|y| (rect.center().y - y).abs() < 4.0));
    let mut numbers = found.filter_map(|(_, text)| {
        let digits: String = text.split(" px").next()?.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    numbers.next_back().unwrap_or(0)
}

/// An image with a bright rectangle: columns 16 to 47 and rows 12 to 35.
fn rectangle(files: &Files) -> PathBuf {
    let path = files.folder.path().join("rectangle.png");
    let grey = image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
        image::Luma([if (16..48).contains(&x) && (12..36).contains(&y) { 200 } else { 40 }])
    });
    grey.save(&path).expect("an image is written");
    path
}

fn of_rectangle(tool: &str) -> (Files, Window) {
    let files = Files::new();
    let mut window = window(&FakeModel::default(), false, vec![rectangle(&files)]);
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    annotate(&mut window, tool);
    (files, window)
}

#[test]
fn the_palette_has_every_tool_and_each_has_its_key() {
    let (_files, mut window) = of_rectangle("Hand");
    for (tool, key, modifiers) in [
        ("Brush", Key::B, Modifiers::NONE),
        ("Eraser", Key::E, Modifiers::NONE),
        ("Smart brush", Key::B, Modifiers::SHIFT),
        ("Lasso", Key::L, Modifiers::NONE),
        ("Polygon", Key::Y, Modifiers::NONE),
        ("Live wire", Key::L, Modifiers::SHIFT),
        ("Flood", Key::R, Modifiers::NONE),
        ("Growing region", Key::O, Modifiers::NONE),
        ("Region of the prediction", Key::T, Modifiers::NONE),
    ] {
        window.key_press_modifiers(modifiers, key);
        window.run();
        let is_chosen = window.get_by_label(tool).accesskit_node().toggled();
        assert_eq!(is_chosen, Some(eframe::egui::accesskit::Toggled::True), "{tool}");
    }
}

#[test]
fn a_flood_fills_what_is_alike_and_can_be_undone() {
    let (_files, mut window) = of_rectangle("Flood");
    click(&mut window, [30.0, 20.0]);
    assert_eq!(area(&window), 32 * 24);
    assert!(says(&window, "Flood"), "the step has its name");
    let pos = at(&window, [30.0, 20.0]);
    click_with(&mut window, pos, Modifiers::COMMAND);
    assert_eq!(area(&window), 0, "Ctrl takes it away");
    undo(&mut window);
    assert_eq!(area(&window), 32 * 24);
    undo(&mut window);
    assert_eq!(area(&window), 0);
    click(&mut window, [5.0, 5.0]);
    assert_eq!(area(&window), WIDTH * HEIGHT - 32 * 24);
}

#[test]
fn a_polygon_is_closed_by_enter_by_a_double_click_or_at_its_first_point() {
    let (_files, mut window) = of_rectangle("Polygon");
    let corners = [[10.0, 10.0], [30.0, 10.0], [30.0, 40.0], [10.0, 40.0]];
    corners.iter().for_each(|corner| click(&mut window, *corner));
    assert_eq!(area(&window), 0, "nothing is painted before it is closed");
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(area(&window), 600);
    undo(&mut window);
    // A point too many is taken back, and the first one closes.
    corners[..3].iter().for_each(|corner| click(&mut window, *corner));
    click(&mut window, [60.0, 46.0]);
    window.key_press(Key::Backspace);
    window.run();
    click(&mut window, corners[3]);
    click(&mut window, corners[0]);
    assert_eq!(area(&window), 600);
    undo(&mut window);
    corners.iter().for_each(|corner| click(&mut window, *corner));
    // A frame of the tests takes a quarter of a second.
    window.ctx.options_mut(|options| options.input_options.max_double_click_delay = 10.0);
    click(&mut window, corners[3]);
    assert_eq!(area(&window), 600, "the second click at the same place closes it");
    undo(&mut window);
    corners.iter().for_each(|corner| click(&mut window, *corner));
    window.key_press(Key::Escape);
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(area(&window), 0, "Esc forgets it");
}

#[test]
fn a_lasso_encloses_what_the_pointer_went_around() {
    let (_files, mut window) = of_rectangle("Lasso");
    drag(&mut window, &[[20.0, 10.0], [40.0, 10.0], [40.0, 30.0], [20.0, 30.0], [20.0, 11.0]]);
    assert_eq!(area(&window), 400);
    undo(&mut window);
    assert_eq!(area(&window), 0);
}

#[test]
fn a_live_wire_follows_the_edge() {
    let (_files, mut window) = of_rectangle("Live wire");
    for point in [[16.5, 12.5], [47.0, 12.5], [47.0, 35.0], [16.5, 35.0]] {
        click(&mut window, point);
    }
    window.key_press(Key::Enter);
    window.run();
    let found = area(&window) as f32;
    assert!((found / 768.0 - 1.0).abs() < 0.12, "{found} pixels");
    assert!(says(&window, "Live wire"));
}

#[test]
fn a_region_grows_as_far_as_the_pointer_and_stops_at_edges() {
    let (_files, mut window) = of_rectangle("Growing region");
    drag(&mut window, &[[32.0, 24.0], [36.0, 24.0], [40.0, 24.0]]);
    let small = area(&window);
    assert!((150..=230).contains(&small), "about a circle of 8 pixels: {small}");
    undo(&mut window);
    // Farther, and back again before the button is released.
    drag(&mut window, &[[32.0, 24.0], [62.0, 24.0], [40.0, 24.0]]);
    assert_eq!(area(&window), small, "the threshold alone counts");
    undo(&mut window);
    drag(&mut window, &[[32.0, 24.0], [62.0, 24.0]]);
    let all = area(&window);
    assert!((22 * 30..=768).contains(&all), "the edge of the rectangle holds it: {all}");
}

#[test]
fn the_smart_brush_keeps_to_one_side_of_an_edge() {
    let (_files, mut window) = of_rectangle("Smart brush");
    drag(&mut window, &[[18.0, 24.0], [18.5, 24.0]]);
    let smart = area(&window);
    undo(&mut window);
    choose(&mut window, "Brush");
    drag(&mut window, &[[18.0, 24.0], [18.5, 24.0]]);
    let plain = area(&window);
    assert!(smart > 50 && smart < plain, "{smart} of {plain}");
}

#[test]
fn a_region_of_the_prediction_is_added_and_taken_away_by_a_click() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    annotate(&mut window, "Region of the prediction");
    click(&mut window, [50.0, 20.0]);
    assert_eq!(area(&window), 0);
    assert!(says(&window, "below the threshold of the tool"));
    click(&mut window, [10.0, 20.0]);
    assert_eq!(area(&window), WIDTH * HEIGHT / 2);
    window.get_by_label("predicted");
    // The keys of the brush size change the threshold; the network gives 0.9.
    (0..9).for_each(|_| window.key_press(Key::CloseBracket));
    window.run();
    undo(&mut window);
    click(&mut window, [10.0, 20.0]);
    assert_eq!(area(&window), 0, "0.9 is below 0.95");
    (0..9).for_each(|_| window.key_press(Key::OpenBracket));
    window.run();
    click(&mut window, [10.0, 20.0]);
    let pos = at(&window, [12.0, 30.0]);
    click_with(&mut window, pos, Modifiers::COMMAND);
    assert_eq!(area(&window), 0);
}

/// Chooses an entry of the menu of operations.
fn operate(window: &mut Window, name: &str) {
    // The menu is above the switch that looks at the annotation.
    window.get_all_by_label("Annotation").next().expect("the menu").click();
    window.run();
    window.get_by_label_contains("Operations on the label").click();
    window.run();
    window.get_all_by_label(name).last().expect("an entry").click();
    window.run();
}

#[track_caller]
fn wait_for_area(window: &mut Window, pixels: usize) {
    wait(window, &format!("{pixels} pixels"), |window| area(window) == pixels);
}

#[test]
fn operations_change_the_label_and_are_undone_by_name() {
    let (_files, mut window) = of_rectangle("Polygon");
    for corner in [[10.0, 10.0], [40.0, 10.0], [40.0, 40.0], [10.0, 40.0]] {
        click(&mut window, corner);
    }
    window.key_press(Key::Enter);
    // A hole of 10 × 10 pixels, and a speck of 4 × 4.
    for corner in [[20.0, 20.0], [30.0, 20.0], [30.0, 30.0], [20.0, 30.0]] {
        click(&mut window, corner);
    }
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    for corner in [[50.0, 10.0], [54.0, 10.0], [54.0, 14.0], [50.0, 14.0]] {
        click(&mut window, corner);
    }
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(area(&window), 900 - 100 + 16);
    operate(&mut window, "Drop small parts");
    wait_for_area(&mut window, 800);
    operate(&mut window, "Fill holes");
    wait_for_area(&mut window, 900);
    operate(&mut window, "Shrink the label");
    wait_for_area(&mut window, 26 * 26);
    window.get_by_label("View").click();
    window.run();
    assert!(says(&window, "Undo shrinking"));
    window.key_press(Key::Escape);
    window.run();
    for before in [900, 800, 816] {
        undo(&mut window);
        assert_eq!(area(&window), before);
    }
    operate(&mut window, "Keep the largest parts");
    wait_for_area(&mut window, 800);
    operate(&mut window, "Keep the largest parts");
    wait(&mut window, "the note", |window| says(window, "Nothing was changed"));
}

fn spoken(window: &Window) -> String {
    window.get_by_label("Picture").value().unwrap_or_default()
}

/// Goes to another slice, which is named before it is there.
fn go(window: &mut Window, key: Key, slice: &str) {
    window.key_press(key);
    wait(window, slice, |window| spoken(window).starts_with(slice));
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(60));
        window.run();
    }
}

#[test]
fn in_a_stack_masks_are_copied_interpolated_and_painted_as_a_sphere() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = window(&FakeModel::default(), false, vec![volume(folder.path(), "ct.nii", false, 2.0)]);
    wait(&mut window, "the picture", |window| window.query_by_label("Picture").is_some());
    go(&mut window, Key::Home, "Slice 1 of 5");
    annotate(&mut window, "Polygon");
    for corner in [[2.0, 1.0], [6.0, 1.0], [6.0, 4.0], [2.0, 4.0]] {
        let pos = place(&window, [8.0, 6.0], corner);
        click_with(&mut window, pos, Modifiers::NONE);
    }
    window.key_press(Key::Enter);
    window.run();
    assert_eq!(area(&window), 12);
    operate(&mut window, "Copy the label to the next slice");
    wait(&mut window, "the next slice", |window| spoken(window).starts_with("Slice 2 of 5"));
    wait_for_area(&mut window, 12);
    go(&mut window, Key::End, "Slice 5 of 5");
    choose(&mut window, "Flood");
    let pos = place(&window, [8.0, 6.0], [4.5, 2.5]);
    click_with(&mut window, pos, Modifiers::NONE);
    assert!(area(&window) > 0);
    go(&mut window, Key::PageDown, "Slice 4 of 5");
    assert_eq!(area(&window), 0);
    operate(&mut window, "Interpolate between slices");
    wait(&mut window, "the slice between", |window| area(window) > 0);
    window.get_by_label("computed from other regions");
    undo(&mut window);
    assert_eq!(area(&window), 0);
    // A ball of 4 mm reaches one slice of 2 mm up and down.
    choose(&mut window, "Brush");
    window.get_by_label("Sphere").click();
    window.run();
    let pos = place(&window, [8.0, 6.0], [4.5, 2.5]);
    drag_over(&mut window, &[pos, pos]);
    let middle = area(&window);
    go(&mut window, Key::PageDown, "Slice 3 of 5");
    let beside = area(&window);
    assert!(beside > 0 && beside < middle, "{beside} of {middle}");
}
