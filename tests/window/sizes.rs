//! Small windows and large text: nothing is cut off, nothing overprints, sizes stay those that were set.

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Pos2, Rect, vec2};
use egui_kittest::kittest::Queryable;

use super::fake::FakeModel;
use super::harness::{Files, Window, says, wait};
use super::truth::volume;
use super::{type_prompt, window, with_result};

/// Sizes in points of a window of 1024 × 640 pixels at 100, 150 and 200 %, and of one of 1280 × 800 at the same.
const SIZES: [[f32; 2]; 6] =
    [[1024.0, 640.0], [683.0, 427.0], [512.0, 320.0], [1280.0, 800.0], [853.0, 533.0], [640.0, 400.0]];

fn rect(window: &Window, label: &str) -> Rect {
    window.get_by_label(label).rect()
}

#[test]
fn the_prompt_has_room_at_every_size() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    type_prompt(&mut window, "upper left lung and more words than eight");
    wait(&mut window, "what was not read", |window| says(window, "2 not read"));
    for size in SIZES {
        window.set_size(size.into());
        window.run();
        window.run();
        // The picture and the prompt share a column.
        let column = rect(&window, "Picture");
        for label in ["Prompt", "History", "Presets", "Favourite"] {
            for node in window.get_all_by_label(label).filter(|node| node.rect().top() > column.bottom()) {
                let at = node.rect();
                assert!(
                    column.left() <= at.left() && at.right() <= column.right() && at.bottom() <= size[1],
                    "{label} at {at:?} in {column:?}, {size:?}"
                );
            }
        }
        let one = |text: &str| window.get_by_label_contains(text).rect();
        let [sides, reading] = [one("means the left of the image"), one("tokens, 2 not read")];
        assert!(!sides.intersects(reading), "{sides:?} and {reading:?} at {size:?}");
        assert!(reading.left() >= column.left() && reading.right() <= column.right(), "{reading:?} at {size:?}");
        // Both lines are whole without scrolling; windows lower than this scroll the panel.
        if size[1] >= 427.0 {
            assert!(
                sides.bottom().max(reading.bottom()) <= size[1] - 2.0,
                "{sides:?} and {reading:?} at {size:?}"
            );
        }
    }
}

#[test]
fn measurements_are_read_without_scrolling_sideways() {
    let folder = tempfile::tempdir().expect("a folder");
    let image = volume(folder.path(), "ct.nii", false, 2.0);
    let mut window = with_result(&FakeModel::default(), vec![image]);
    window.get_by_label("Annotate").click();
    window.run();
    window.key_press_modifiers(Modifiers::SHIFT, Key::Enter);
    window.run();
    window.get_by_label("Measurements").click();
    wait(&mut window, "the numbers", |window| says(window, "Mean ± SD"));
    for size in [[1280.0, 800.0], [1024.0, 640.0]] {
        window.set_size(size.into());
        window.run();
        window.run();
        let heads = ["Volume (mm³)", "Diameters (mm)", "Mean ± SD"];
        let heads = heads.map(|head| window.get_by_label_contains(head).rect());
        for (place, head) in heads.iter().enumerate() {
            assert!(head.right() <= size[0], "{head:?} in {size:?}");
            assert!(heads[..place].iter().all(|before| !before.intersects(*head)), "{heads:?}");
        }
    }
}

#[test]
fn a_menu_scrolls_where_the_window_is_too_low() {
    let mut window = window(&FakeModel::default(), true, Vec::new());
    window.run();
    for size in [[683.0, 427.0], [512.0, 320.0]] {
        window.set_size(size.into());
        window.run();
        window.get_by_label("View").click();
        window.run();
        window.get_by_label("Light theme").scroll_to_me();
        for _ in 0..12 {
            window.run_steps(8);
        }
        let screen = Rect::from_min_size(Pos2::ZERO, size.into());
        let last = rect(&window, "Light theme");
        assert!(screen.contains_rect(last), "{last:?} in {size:?}");
        window.get_by_label("Light theme").click();
        window.run();
        window.key_press(Key::Escape);
        window.run();
    }
}

#[test]
fn a_larger_prompt_panel_shows_more_rows_of_the_prompt() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    let field = |window: &Window| window.get_by_role(Role::MultilineTextInput).rect().height();
    let before = field(&window);
    let picture = rect(&window, "Picture");
    // A splitter of four points is beneath the picture.
    let splitter = eframe::egui::pos2(picture.center().x, picture.bottom() + 2.0);
    window.hover_at(splitter);
    window.run();
    window.drag_at(splitter);
    // The layout is edited in every frame of a drag, so the window does not come to rest before its end.
    window.run_steps(2);
    for step in 1..=10 {
        window.hover_at(splitter - vec2(0.0, 15.0 * step as f32));
        window.run_steps(2);
    }
    window.drop_at(splitter - vec2(0.0, 150.0));
    window.run();
    let after = field(&window);
    assert!(rect(&window, "Picture").bottom() < picture.bottom() - 100.0, "the panel is larger");
    assert!(after > before + 40.0, "{before} to {after}");
}

#[test]
fn the_worklist_of_an_open_folder_stays_when_the_layout_is_reset() {
    let files = Files::new();
    let folder = files.folder.path().join("cases");
    std::fs::create_dir(&folder).expect("a folder");
    for name in ["a.png", "b.png"] {
        std::fs::copy(files.image(), folder.join(name)).expect("a picture");
    }
    let mut window = with_result(&FakeModel::default(), vec![folder]);
    let has_list = |window: &Window| window.query_by_label("Search the worklist").is_some();
    wait(&mut window, "the worklist", has_list);
    window.get_by_label("View").click();
    window.run();
    window.get_by_label("Reset the layout").click();
    window.run();
    assert!(has_list(&window));
}
