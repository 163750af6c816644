//! The comparison of several networks in the tab *Compare*.

use std::path::Path;
use std::time::Duration;

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use himix::app::Start;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use super::fake::FakeModel;
use super::harness::{Window, open, says, wait};

/// A data set of two test cases whose left half is the lesion, as the fake model says, and the predictions of a network that
/// finds the right half.
fn data_set(folder: &Path) {
    for part in ["test/Images", "test/GTs", "prompt", "right"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let grey = image::GrayImage::from_pixel(32, 24, image::Luma([80]));
    let half = |is_left: bool| {
        image::GrayImage::from_fn(32, 24, |x, _| image::Luma([if (x < 16) == is_left { 255 } else { 0 }]))
    };
    let mut table = String::from("Image,Description\n");
    for name in ["a.png", "b.png"] {
        grey.save(folder.join("test/Images").join(name)).expect("written");
        half(true).save(folder.join("test/GTs").join(name)).expect("written");
        half(false).save(folder.join("right").join(name)).expect("written");
        table += &format!("{name},\"left lung\"\n");
    }
    std::fs::write(folder.join("prompt/test.csv"), table).expect("written");
}

/// The window in the tab with the open model and the predictions chosen.
fn window(folder: &Path, model: &FakeModel) -> Window {
    let start = Start {
        files: vec![folder.join("test/Images")],
        model: Some(ModelSource::new("demo")),
        device: Some(DeviceChoice::Cpu),
        ..Start::default()
    };
    let mut window = open(model.opener(), himix::engine::trainer(), start);
    wait(&mut window, "the first case", |window| says(window, "Dice"));
    click(&mut window, "Compare");
    wait(&mut window, "the tab", |window| says(window, "Choose two networks or more"));
    window
}

fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

fn enter(window: &mut Window, label: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, label).focus();
    window.run();
    window.get_by_role_and_label(Role::TextInput, label).type_text(text);
    window.run();
}

fn add(window: &mut Window, path: &Path, button: &str) {
    enter(window, "Folder", &path.to_string_lossy());
    click(window, button);
}

#[test]
fn networks_are_compared_side_by_side_with_their_scores() {
    let folder = tempfile::tempdir().expect("a folder");
    data_set(folder.path());
    let mut window = window(folder.path(), &FakeModel::default());
    window.get_by_label("Compare networks").hover();
    wait(&mut window, "what is missing", |window| says(window, "Add two networks or more."));
    click(&mut window, "Add open models");
    add(&mut window, &folder.path().join("right"), "Add as predictions");
    add(&mut window, Path::new("no-masks"), "Add as model");
    click(&mut window, "Cases of a data set");
    enter(&mut window, "Data set", &folder.path().to_string_lossy());
    click(&mut window, "Compare networks");
    wait(&mut window, "the masks", |window| window.query_by_label("Mask by fake of a.png").is_some());
    for label in ["Image of b.png", "Ground truth of b.png", "Mask by right of b.png"] {
        assert!(window.query_by_label(label).is_some(), "{label}");
    }
    // Every score says its convention.
    for part in
        ["Dice pooled", "Dice per image", "Dice 1.000, IoU 1.000", "Dice 0.000, IoU 0.000", "right less fake"]
    {
        assert!(says(&window, part), "{part}");
    }
    // The last columns of the tables lie within the panel and the window.
    for head in ["Empty", "IoU per image", "GFLOP", "p"] {
        let right = window.get_by_label(head).rect().right();
        assert!(right <= 1272.0, "{head} ends at {right}");
    }
    assert!(says(&window, "right: It has no description"), "what is unknown is said");
    assert!(says(&window, "no-masks takes no part"), "a network that refuses is named");
    // A case is taken out of the grid and put back.
    click(&mut window, "−1.000: 1.000 and 0.000, b.png");
    wait(&mut window, "one row less", |window| window.query_by_label("Mask by fake of b.png").is_none());
    assert!(window.query_by_label("Mask by fake of a.png").is_some());
    click(&mut window, "−1.000: 1.000 and 0.000, b.png");
    wait(&mut window, "the row", |window| window.query_by_label("Mask by fake of b.png").is_some());
}

#[test]
fn the_open_image_is_a_case_and_a_comparison_can_be_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    data_set(folder.path());
    let model = FakeModel { takes: Duration::from_millis(40), ..FakeModel::default() };
    let mut window = window(folder.path(), &model);
    click(&mut window, "Add open models");
    add(&mut window, Path::new("other"), "Add as model");
    let kept = folder.path().join("kept");
    enter(&mut window, "Keep in", &kept.to_string_lossy());
    click(&mut window, "Compare networks");
    wait(&mut window, "the work", |window| window.query_by_label("Cancel").is_some());
    click(&mut window, "Cancel");
    wait(&mut window, "the end", |window| window.query_by_label("Compare networks").is_some());
    assert!(says(&window, "The comparison was stopped."), "it says how to go on");
    click(&mut window, "Compare networks");
    wait(&mut window, "the masks", |window| window.query_by_label("Mask by other of a.png").is_some());
    assert!(kept.join("predictions/other/predictions.json").is_file());
    // Two networks that agree differ in no image.
    assert!(says(&window, "0.000: 1.000 and 1.000, a.png"));
}

#[test]
fn what_is_wrong_with_predictions_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    data_set(folder.path());
    std::fs::remove_file(folder.path().join("right/b.png")).expect("removed");
    let mut window = window(folder.path(), &FakeModel::default());
    click(&mut window, "Add open models");
    add(&mut window, &folder.path().join("right"), "Add as predictions");
    click(&mut window, "Cases of a data set");
    enter(&mut window, "Data set", &folder.path().to_string_lossy());
    click(&mut window, "Compare networks");
    wait(&mut window, "the reason", |window| says(window, "1 of the 2 images has no prediction (b.png)"));
    // Only the case that there is can be compared.
    enter(&mut window, "Only", "a");
    click(&mut window, "Compare networks");
    wait(&mut window, "the masks", |window| window.query_by_label("Mask by right of a.png").is_some());
    assert!(window.query_by_label("Mask by right of b.png").is_none());
}
