//! Sessions: what was open comes back, here and on another computer, and after a crash.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eframe::App;
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Start;
use himix::data::fingerprint;
use himix::device::DeviceChoice;
use himix::infer::ModelSource;
use serde_json::{Value, json};

use super::fake::FakeModel;
use super::harness::{Files, Window, drop_file, open, says, wait};
use super::type_prompt;

/// A window with settings in the folder of the files, and a model folder that exists.
fn window(model: &FakeModel, files: &Files, named: Vec<PathBuf>) -> Window {
    let folder = files.folder.path().join("model");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("config.json"), "{}").expect("written");
    let start = Start {
        files: named,
        model: Some(ModelSource::new(folder)),
        device: Some(DeviceChoice::Cpu),
        settings: Some(files.folder.path().join("settings.json")),
        ..Start::default()
    };
    open(model.opener(), himix::engine::trainer(), start)
}

fn hash(path: &Path) -> String {
    fingerprint::of_file(path, &|_| true).expect("read")
}

/// Writes a session of the files beside them.
fn session(files: &Files, change: impl FnOnce(&mut Value)) -> PathBuf {
    let path = files.folder.path().join("case.himix");
    let mut session = json!({
        "himix_session": 1,
        "image": {"files": [{"path": "chest.png", "hash": hash(&files.image())}]},
        "truth": {"files": [{"path": "truth/mask_chest.png", "hash": hash(&files.truth())}]},
        "prompt": "upper left lung",
        "pins": [{"name": "Report", "prompt": "pinned words", "threshold": 0.25}],
        "threshold": 0.3,
        "tab": "read",
    });
    change(&mut session);
    std::fs::write(&path, session.to_string()).expect("written");
    path
}

fn prompt(window: &Window) -> String {
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").value().unwrap_or_default()
}

fn threshold(window: &Window) -> f64 {
    let slider = window.get_by_role_and_label(Role::Slider, "Threshold");
    (slider.accesskit_node().numeric_value().unwrap_or_default() * 100.0).round()
}

fn is_shown(window: &Window) -> bool {
    window.query_by_label("Picture").is_some()
}

/// Waits for a session file that is as expected, and returns its path.
#[track_caller]
fn kept(window: &mut Window, files: &Files, is_it: impl Fn(&Value) -> bool) -> PathBuf {
    let folder = files.folder.path().join("recovery");
    let start = Instant::now();
    loop {
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut sessions = entries.filter(|path| path.extension().is_some_and(|end| end == "himix"));
        let read = |path: &PathBuf| serde_json::from_slice::<Value>(&std::fs::read(path).ok()?).ok();
        if let Some(path) = sessions.find(|path| read(path).is_some_and(|session| is_it(&session))) {
            return path;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "waited in vain for the session");
        std::thread::sleep(Duration::from_millis(20));
        window.step();
    }
}

#[test]
fn after_a_crash_what_was_open_is_offered_and_not_taken() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut first = window(&model, &files, vec![files.image(), files.truth()]);
    wait(&mut first, "the scores", |window| says(window, "Dice"));
    type_prompt(&mut first, "upper left lung ");
    first.key_press(Key::Enter);
    first.run();
    first.key_press_modifiers(Modifiers::COMMAND, Key::P);
    first.run();
    first.get_by_role_and_label(Role::Slider, "Threshold").set_value_accesskit(0.35);
    first.run();
    let is_it =
        |session: &Value| session["pins"][0]["prompt"] == "upper left lung" && session["threshold"] == 0.35_f32;
    let left = kept(&mut first, &files, is_it);
    // The program ends without being closed.
    drop(first);

    let mut second = window(&model, &files, Vec::new());
    wait(&mut second, "the offer", |window| says(window, "HiMix was not closed properly"));
    assert!(says(&second, "chest.png") && !is_shown(&second), "nothing is opened by itself");
    second.get_by_role_and_label(Role::Slider, "Threshold").set_value_accesskit(0.8);
    second.run();
    second.get_by_label("Restore").click();
    wait(&mut second, "the picture", is_shown);
    wait(&mut second, "the scores", |window| says(window, "Dice"));
    assert_eq!((prompt(&second).trim(), threshold(&second)), ("upper left lung", 35.0));
    assert!(!says(&second, "HiMix was not closed properly"));
    // It is kept by this program before the file of the earlier one is deleted.
    wait(&mut second, "the end of the earlier file", |_| !left.exists());
    assert_ne!(kept(&mut second, &files, is_it), left);
    second.key_press(Key::F4);
    wait(&mut second, "the pin", |window| window.query_by_label("Picture of Variant 1").is_some());
    // Undo gives back the pins and the threshold of before.
    second.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    second.run();
    assert!(second.query_by_label("Picture of Variant 1").is_none());
    second.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    second.key_press(Key::F1);
    second.run();
    assert_eq!(threshold(&second), 80.0);

    // A window that is closed leaves nothing.
    if let Some(app) = second.state_mut() {
        app.on_exit();
    }
    drop(second);
    let mut third = window(&model, &files, Vec::new());
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(10));
        third.step();
    }
    assert!(!says(&third, "HiMix was not closed properly"));
}

#[test]
fn what_was_left_behind_can_be_discarded() {
    let (model, files) = (FakeModel::default(), Files::new());
    let mut first = window(&model, &files, vec![files.image()]);
    wait(&mut first, "the picture", is_shown);
    let left = kept(&mut first, &files, |session| session["image"]["files"][0]["path"].is_string());
    drop(first);
    let mut second = window(&model, &files, Vec::new());
    wait(&mut second, "the offer", |window| says(window, "HiMix was not closed properly"));
    second.get_by_label("Discard").click();
    wait(&mut second, "the end of the file", |_| !left.exists());
    assert!(!says(&second, "HiMix was not closed properly") && files.image().exists());
}

#[test]
fn a_session_that_is_named_or_dropped_brings_its_case() {
    let (model, files) = (FakeModel::default(), Files::new());
    let path = session(&files, |session| {
        session["image"]["window"] = json!({"window": {"centre": 90.0, "width": 60.0}, "is_inverted": false});
        session["later"] = json!("unknown");
    });
    let mut window = window(&model, &files, vec![path.clone()]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    assert_eq!((prompt(&window).as_str(), threshold(&window)), ("upper left lung", 30.0));
    assert_eq!(model.last_prompt(), "upper left lung");
    let spoken = window.get_by_label("Picture").value().unwrap_or_default();
    assert!(spoken.contains("W 60") && spoken.contains("L 90"), "{spoken}");
    assert!(!says(&window, "changed"), "all files are as they were");
    type_prompt(&mut window, " and more ");
    drop_file(&mut window, &path);
    wait(&mut window, "the prompt of the session", |window| prompt(window) == "upper left lung");
    window.key_press(Key::F4);
    wait(&mut window, "the pin", |window| window.query_by_label("Picture of 1 Report").is_some());
    wait(&mut window, "its mask", |_| model.all_prompts().iter().any(|prompt| prompt == "pinned words"));
}

#[test]
fn a_file_that_is_gone_is_asked_for_and_the_rest_is_there() {
    let (model, files) = (FakeModel::default(), Files::new());
    let path = session(&files, |_| {});
    let moved = files.folder.path().join("moved");
    std::fs::create_dir(&moved).expect("a folder");
    std::fs::rename(files.image(), moved.join("chest.png")).expect("moved");
    std::fs::rename(files.folder.path().join("truth"), moved.join("truth")).expect("moved");
    let mut window = window(&model, &files, vec![path]);
    wait(&mut window, "the question", |window| says(window, "The image of the session is not there: chest.png"));
    assert!(says(&window, "The ground truth of the session is not there: mask_chest.png"));
    window.get_by_label("Find chest.png…");
    assert_eq!((prompt(&window).as_str(), threshold(&window)), ("upper left lung", 30.0));
    assert!(!is_shown(&window));
    // The mask moved with it.
    drop_file(&mut window, &moved.join("chest.png"));
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    assert!(!says(&window, "of the session is not there"));
    assert_eq!(prompt(&window), "upper left lung");
    assert!(!says(&window, "changed"));
}

#[test]
fn a_part_can_be_left_out_and_a_pin_without_its_model_stays() {
    let (model, files) = (FakeModel::default(), Files::new());
    let path = session(&files, |session| {
        session["second_model"] = json!({"path": "models/other"});
        session["pins"][0]["is_compared"] = json!(true);
        session["tab"] = json!("prompts");
    });
    std::fs::remove_file(files.truth()).expect("removed");
    let mut window = window(&model, &files, vec![path]);
    wait(&mut window, "the pin", |window| says(window, "The second model is not open"));
    assert!(says(&window, "The second model of the session is not there: other"));
    assert!(says(&window, "Pins of this model stay without a mask until then."));
    for label in ["Leave out the ground truth", "Leave out the second model"] {
        window.get_by_label(label).click();
        window.run();
    }
    assert!(!says(&window, "of the session is not there"));
    wait(&mut window, "the picture", is_shown);
    window.get_by_role_and_label(Role::MultilineTextInput, "1 Report");
}

#[test]
fn a_file_that_has_changed_is_opened_with_a_warning() {
    let (model, files) = (FakeModel::default(), Files::new());
    let path = session(&files, |_| {});
    let grey = image::GrayImage::from_pixel(64, 48, image::Luma([101]));
    grey.save(files.image()).expect("an image is written");
    let mut window = window(&model, &files, vec![path]);
    wait(&mut window, "the scores", |window| says(window, "Dice"));
    assert!(says(&window, "The image of the session has changed"));
    assert!(says(&window, "The image has changed since the session was saved."), "the note on the case");
    assert!(!says(&window, "The ground truth of the session has changed"));
}

#[test]
fn a_damaged_or_newer_session_is_refused_with_words() {
    let (model, files) = (FakeModel::default(), Files::new());
    let path = session(&files, |session| session["himix_session"] = json!(2));
    let mut window = window(&model, &files, vec![files.image()]);
    wait(&mut window, "the picture", is_shown);
    drop_file(&mut window, &path);
    wait(&mut window, "the refusal", |window| says(window, "The session is of a newer version of HiMix"));
    assert!(says(&window, "case.himix") && is_shown(&window), "what is open stays");
    std::fs::write(&path, "{\"himix_session\": 1, \"image\": ").expect("written");
    drop_file(&mut window, &path);
    wait(&mut window, "the refusal", |window| says(window, "The session is damaged"));
    assert!(is_shown(&window));
}
