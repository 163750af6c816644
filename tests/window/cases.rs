//! Cases: the data set around them, what is noted about them, their names and marks in the worklist.

use std::path::{Path, PathBuf};

use eframe::egui::Key;
use eframe::egui::accesskit::{Role, Toggled};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::with_result;
use crate::fake::FakeModel;
use crate::formats::{element, grey_dicom};
use crate::harness::{Files, Window, drop_file, open, says, wait};

/// A data set with prompts in tables beside the folders of its splits; four test cases.
fn set(folder: &Path) {
    for part in ["test/Images", "test/GTs", "train/Images", "train/GTs", "prompt"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let grey = image::GrayImage::from_pixel(32, 24, image::Luma([80]));
    let mask = image::GrayImage::from_fn(32, 24, |x, _| image::Luma([if x < 16 { 255 } else { 0 }]));
    let mut table = String::from("Image,Description\n");
    for name in ["img10", "img2", LONG[0], LONG[1]] {
        grey.save(folder.join(format!("test/Images/{name}.png"))).expect("written");
        mask.save(folder.join(format!("test/GTs/mask_{name}.png"))).expect("written");
        table += &format!("{name}.png,prompt of {name}\n");
    }
    std::fs::write(folder.join("prompt/test.csv"), table).expect("written");
    grey.save(folder.join("train/Images/t.png")).expect("written");
    mask.save(folder.join("train/GTs/mask_t.png")).expect("written");
    std::fs::write(folder.join("prompt/train.csv"), "Image,Description\nt.png,left lung\n").expect("written");
}

const LONG: [&str; 2] =
    ["patient-with-a-long-name_series-0004_slice-0017", "patient-with-a-long-name_series-0004_slice-0018"];

fn press(window: &mut Window, key: Key) {
    window.key_press(key);
    window.run();
}

fn value(window: &Window, label: &str) -> String {
    window.get_by_label(label).value().unwrap_or_default()
}

#[test]
fn a_part_of_a_data_set_keeps_its_prompts_and_its_split() {
    let folder = tempfile::tempdir().expect("a folder");
    set(folder.path());
    let model = FakeModel::default();
    // A lone file first.
    let mut window = with_result(&model, vec![folder.path().join("test/Images/img10.png")]);
    wait(&mut window, "its scores", |window| says(window, "Dice"));
    assert_eq!(model.last_prompt(), "prompt of img10");
    window.get_by_label("Split");
    window.get_by_label("test");
    assert!(!says(&window, "train"));
    // The folder of its split, and that of the images.
    for part in ["test", "test/Images"] {
        drop_file(&mut window, &folder.path().join(part));
        wait(&mut window, "the first case", |_| model.last_prompt() == "prompt of img2");
        assert!(value(&window, "img2.png").contains("test, mask, prompt"), "{}", value(&window, "img2.png"));
        assert!(window.query_by_label("t.png").is_none(), "no case of another split");
        drop_file(&mut window, &folder.path().join("train/Images/t.png"));
        wait(&mut window, "a file of another split", |_| model.last_prompt() == "left lung");
        window.get_by_label("train");
    }
    // A file of no data set has neither.
    let files = Files::new();
    drop_file(&mut window, &files.image());
    wait(&mut window, "the file of elsewhere", |_| model.last_prompt().is_empty());
    assert!(window.query_by_label("Split").is_none());
}

#[test]
fn names_count_and_a_case_is_marked_by_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    set(folder.path());
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![folder.path().to_owned()]);
    wait(&mut window, "the first case", |_| model.last_prompt() == "left lung");
    press(&mut window, Key::N);
    wait(&mut window, "the next case", |_| model.last_prompt() == "prompt of img2");
    let top = |window: &Window, label: &str| window.get_by_label(label).rect().top();
    assert!(top(&window, "img2.png") < top(&window, "img10.png"), "2 before 10");
    press(&mut window, Key::M);
    assert!(value(&window, "img2.png").starts_with("marked, "), "{}", value(&window, "img2.png"));
    assert!(!value(&window, "img10.png").contains("marked"));
    // What the user did comes first.
    window.get_by_role(Role::MultilineTextInput).focus();
    window.run();
    window.get_by_role(Role::MultilineTextInput).type_text(" now");
    wait(&mut window, "the edit", |_| model.last_prompt().contains("now"));
    press(&mut window, Key::Escape);
    assert!(value(&window, "img2.png").starts_with("marked, edited, test"), "{}", value(&window, "img2.png"));
    let search = |window: &mut Window, text: &str| {
        window.get_by_role_and_label(Role::TextInput, "Search the worklist").focus();
        window.run();
        window.get_by_role_and_label(Role::TextInput, "Search the worklist").type_text(text);
        window.run();
        window.run();
    };
    search(&mut window, "marked");
    assert!(window.query_by_label("img2.png").is_some() && window.query_by_label("img10.png").is_none());
    press(&mut window, Key::Escape);
    press(&mut window, Key::M);
    assert!(says(&window, "No case matches the search."), "the mark is taken away");
}

#[test]
fn a_key_without_a_list_marks_nothing() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    press(&mut window, Key::M);
    assert!(window.query_by_label("Picture").is_some());
}

/// An MR slice at this height; one that is cut has a header and too few pixels.
fn slice(folder: &Path, name: &str, height: &str, is_cut: bool) -> PathBuf {
    let pixels: Vec<u16> = (0..16 * 12).map(|value| value * 5).collect();
    let more = [
        element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.4"),
        element(8, 0x18, b"UI", format!("2.25.{height}").as_bytes()),
        element(8, 0x60, b"CS", b"MR"),
        element(0x20, 0xd, b"UI", b"2.25.775"),
        element(0x20, 0xe, b"UI", b"2.25.777"),
        element(0x20, 0x32, b"DS", format!("-10\\-20\\{height}").as_bytes()),
        element(0x20, 0x37, b"DS", b"1\\0\\0\\0\\1\\0"),
        element(0x28, 0x30, b"DS", b"0.75\\0.5"),
    ];
    let mut bytes = grey_dicom([16, 12], &pixels, &more);
    if is_cut {
        bytes.truncate(bytes.len() - 40);
    }
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("a slice is written");
    path
}

#[test]
fn a_series_is_called_by_what_it_is_and_its_notes_leave_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let cut = slice(folder.path(), "a_cut.dcm", "10", true);
    slice(folder.path(), "b.dcm", "20", false);
    slice(folder.path(), "c.dcm", "30", false);
    let files = Files::new();
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![folder.path().to_owned()]);
    // A list of one series is not opened; its name and its number of slices agree with what is seen.
    let spoken = value(&window, "Picture");
    assert!(spoken.starts_with("Slice 2 of 2"), "{spoken}");
    assert!(says(&window, "MR, 2 slices · 16 × 12 px"));
    assert!(!says(&window, "a_cut.dcm · "), "it is not named after the file that was left out");
    // The note is in the bar, no toast is shown, and the path of the file stands there once.
    let note = window.get_by_label_contains("1 of 3 files was left out");
    let text = note.value().unwrap_or_default();
    assert_eq!(text.matches(&cut.display().to_string()).count(), 1, "{text}");
    assert!(!text.contains("File:") && window.query_by_label("Dismiss").is_none());
    let bar = note.rect();
    assert!(bar.bottom() < window.get_by_label("Picture").rect().top(), "not on the picture");
    let count = |window: &Window| window.query_all_by_label_contains("left out of this series").count();
    window.get_by_label_contains("left out of this series").click();
    window.run();
    assert_eq!(count(&window), 2, "the list that a click opens has the whole of it");
    press(&mut window, Key::Escape);
    drop_file(&mut window, &files.image());
    wait(&mut window, "another case", |window| says(window, "chest.png · "));
    assert_eq!(count(&window), 0, "gone with its case");
    window.get_by_label("Messages").click();
    window.run();
    assert_eq!(count(&window), 0, "nor is it a message of the session");
}

#[test]
fn the_list_of_series_says_how_many_slices_are_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    slice(folder.path(), "a.dcm", "10", true);
    slice(folder.path(), "b.dcm", "20", false);
    slice(folder.path(), "c.dcm", "30", false);
    let files = Files::new();
    std::fs::copy(files.image(), folder.path().join("z.png")).expect("copied");
    let mut window = with_result(&FakeModel::default(), vec![folder.path().to_owned()]);
    window.get_by_label("MR, 3 slices").click();
    wait(&mut window, "the series", |window| value(window, "Picture").starts_with("Slice 2 of 2"));
    let row = window.get_by_label("MR, 2 slices");
    assert_eq!(row.accesskit_node().toggled(), Some(Toggled::True));
}

#[test]
fn toasts_stand_beside_the_picture_and_leave_with_their_case() {
    let files = Files::new();
    let folder = tempfile::tempdir().expect("a folder");
    set(folder.path());
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    drop_file(&mut window, &files.small_truth());
    wait(&mut window, "the refusal", |window| says(window, "Dismiss"));
    let picture = window.get_by_label("Picture").rect();
    let text = window.get_by_label_contains("mask_small.png");
    assert!(!picture.intersects(text.rect()) && !picture.intersects(window.get_by_label("Dismiss").rect()));
    let said = text.value().unwrap_or_default();
    let path = files.small_truth().display().to_string();
    assert_eq!(said.matches(&path).count(), 1, "the path stands there once: {said}");
    drop_file(&mut window, &folder.path().join("train/Images/t.png"));
    wait(&mut window, "another case", |window| says(window, "t.png · 32 × 24"));
    assert!(window.query_by_label("Dismiss").is_none(), "it was about the case before");
    window.get_by_label_contains("Messages (").click();
    window.run();
    assert!(says(&window, "mask_small.png"), "the messages keep it");
}

#[test]
fn without_room_beside_the_picture_the_bar_has_the_message() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    // The picture and the prompt alone.
    let closed = |panes: &[&str]| {
        let leaves: Vec<_> =
            panes.iter().map(|pane| format!(r#"{{"pane": "{pane}", "is_closed": true}}"#)).collect();
        format!(r#"{{"stack": {{"panes": [{}], "front": 0}}}}"#, leaves.join(", "))
    };
    let open_pane = |pane: &str| format!(r#"{{"stack": {{"panes": [{{"pane": "{pane}"}}], "front": 0}}}}"#);
    let others = closed(&["worklist", "result", "information", "window", "model", "past", "messages"]);
    let column = format!(
        r#"{{"column": [{{"size": 600, "node": {}}}, {{"size": 152, "node": {}}}]}}"#,
        open_pane("picture"),
        open_pane("prompt")
    );
    let row = format!(r#"{{"row": [{{"size": 800, "node": {column}}}, {{"size": 272, "node": {others}}}]}}"#);
    std::fs::write(&settings, format!(r#"{{"layouts": {{"read": {row}}}}}"#)).expect("written");
    let start = Start {
        files: vec![files.image(), files.small_truth()],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        settings: Some(settings),
        ..Start::default()
    };
    let mut window = open(FakeModel::default().opener(), himix::engine::trainer(), start);
    wait(&mut window, "the refusal", |window| says(window, "mask_small.png"));
    window.run();
    let picture = window.get_by_label("Picture").rect();
    assert!(picture.width() > 1250.0, "nothing stands beside it: {picture:?}");
    assert!(window.get_by_label_contains("mask_small.png").rect().bottom() < picture.top());
    window.get_by_label("Dismiss").click();
    window.run();
    assert!(!says(&window, "mask_small.png"));
    assert!(window.get_by_label("Picture").rect().top() < picture.top(), "the bar is gone");
}

#[test]
fn an_overlay_is_saved_in_a_size_of_choice() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image()]);
    window.get_by_label("File").click();
    window.run();
    window.get_by_label_contains("Save overlay").click();
    window.run();
    for size in ["at image resolution (1×)…", "at twice the resolution (2×)…", "as on screen…"] {
        window.get_by_label(&format!("Save overlay {size}"));
    }
}

#[test]
fn a_case_with_several_prompts_offers_them() {
    let folder = tempfile::tempdir().expect("a folder");
    set(folder.path());
    let table =
        "Image,Description\nimg2.png,prompt of img2\nimg10.png,first\nimg10.png,left lung\nimg10.png,right lung\n";
    std::fs::write(folder.path().join("prompt/test.csv"), table).expect("written");
    let model = FakeModel::default();
    let mut window = with_result(&model, vec![folder.path().join("test")]);
    wait(&mut window, "the first case", |_| model.last_prompt() == "prompt of img2");
    assert!(window.query_by_label("Prompt of the case").is_none(), "it has one prompt");
    assert!(value(&window, "img10.png").contains("several prompts"), "{}", value(&window, "img10.png"));
    window.get_by_label("img10.png").click();
    wait(&mut window, "the other case", |_| model.last_prompt() == "first");
    window.get_by_label("Prompt of the case").click();
    window.run();
    window.get_by_label("right lung").click();
    wait(&mut window, "its third prompt", |_| model.last_prompt() == "right lung");
    assert!(!value(&window, "img10.png").contains("edited"), "it is a prompt of the table");
    // The choice is kept while other cases are looked at.
    window.get_by_label("img2.png").click();
    wait(&mut window, "the first case again", |_| model.last_prompt() == "prompt of img2");
    window.get_by_label("img10.png").click();
    wait(&mut window, "the choice", |_| model.last_prompt() == "right lung");
}
