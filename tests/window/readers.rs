//! The work on the cases of a list: states, reader's name, accepted masks, agreement of readers, pairs for training.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, PointerButton, Vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use himix::app::Start;
use himix::data::cases::{CaseChange, CaseState, CaseStore, FOLDER};
use himix::data::dataset::pair;
use himix::data::{Dataset, mask};
use himix::device::DeviceChoice;
use himix::infer::ModelSource;

use crate::fake::{FakeModel, HEIGHT, WIDTH};
use crate::harness::{Window, open, says, wait};

/// A folder of three images.
struct Cases {
    folder: tempfile::TempDir,
    settings: tempfile::TempDir,
}

impl Cases {
    fn new() -> Self {
        let cases = Self {
            folder: tempfile::tempdir().expect("a folder"),
            settings: tempfile::tempdir().expect("a folder"),
        };
        for (name, grey) in [("a", 60), ("b", 90), ("c", 120)] {
            let image = image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, y| {
                image::Luma([grey + (x * y % 40) as u8])
            });
            image.save(cases.path(&format!("{name}.png"))).expect("an image is written");
        }
        cases
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens the folder with these settings.
    fn window(&self, settings: &str) -> Window {
        self.window_with(&FakeModel::default(), settings)
    }

    fn window_with(&self, model: &FakeModel, settings: &str) -> Window {
        let path = self.settings.path().join("settings.json");
        std::fs::write(&path, settings).expect("settings are written");
        let start = Start {
            files: vec![self.folder.path().to_owned()],
            model: Some(ModelSource::new("demo")),
            device: Some(DeviceChoice::Cpu),
            settings: Some(path),
            ..Start::default()
        };
        let mut window = open(model.opener(), himix::engine::trainer(), start);
        wait(&mut window, "the first case", |window| says(window, "a.png · ") && says(window, "Mask"));
        window
    }

    fn store(&self) -> CaseStore {
        CaseStore::of(self.folder.path(), Some(self.settings.path()))
    }

    /// The state of a case in the file of a reader.
    fn state(&self, reader: &str, id: &str) -> Option<CaseState> {
        let (readers, _) = self.store().read();
        let known = readers.into_iter().find(|known| known.reader == reader)?;
        known.cases.get(id).map(|entry| entry.state)
    }

    /// Accepts the mask of a case for a reader: the columns from `from` on.
    fn accept(&self, reader: &str, id: &str, from: u32) {
        let place = self.store().place(reader).expect("a place");
        let name = place.mask_name(id, false).expect("a name");
        half(from).save(place.folder.join(&name)).expect("a mask is written");
        let change = CaseChange { id: id.into(), state: CaseState::Done, mask: Some(name) };
        place.record(&[change]).expect("recorded");
    }
}

fn half(from: u32) -> image::GrayImage {
    image::GrayImage::from_fn(WIDTH as u32, HEIGHT as u32, |x, _| image::Luma([if x >= from { 255 } else { 0 }]))
}

const ANNA: &str = r#"{"reader": "Anna"}"#;

#[track_caller]
fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run();
}

fn value(window: &Window, label: &str) -> String {
    window.get_by_label(label).value().unwrap_or_default()
}

fn enter(window: &mut Window, label: &str, role: Role, text: &str) {
    window.get_by_role_and_label(role, label).focus();
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.run();
    window.get_by_role_and_label(role, label).type_text(text);
    window.run();
}

/// Draws with the tool that is chosen over the middle of the picture.
fn draw(window: &mut Window) {
    draw_beside(window, Vec2::ZERO);
}

/// Draws at so many points from the middle of the picture.
fn draw_beside(window: &mut Window, by: Vec2) {
    let centre = window.get_by_label("Picture").rect().center() + by;
    let modifiers = Modifiers::NONE;
    let button = |pos, pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers };
    window.event(Event::PointerMoved(centre));
    window.step();
    window.event(button(centre, true));
    window.step();
    for step in 1..6 {
        window.event(Event::PointerMoved(centre + Vec2::splat(6.0 * step as f32)));
        window.step();
    }
    window.event(button(centre + Vec2::splat(30.0), false));
    window.run();
}

#[test]
fn a_case_is_accepted_under_a_name_that_is_asked_for_once() {
    let cases = Cases::new();
    let mut window = cases.window("{}");
    assert!(says(&window, "To do 3") && says(&window, "This case:"));
    click(&mut window, "Accept and next");
    // The name is asked for in the list; nothing is written before it is known.
    assert!(!cases.path(FOLDER).exists());
    assert!(says(&window, "a.png · "), "the case stays open until then");
    enter(&mut window, "Reader's name", Role::TextInput, "Anna");
    click(&mut window, "Use this name");
    wait(&mut window, "the next case", |window| says(window, "b.png · "));
    wait(&mut window, "the state", |window| says(window, "Done 1"));
    assert!(value(&window, "a.png").starts_with("done"), "{}", value(&window, "a.png"));
    assert_eq!(cases.state("Anna", "a.png"), Some(CaseState::Done));
    // The mask is that of the prediction: the left half.
    let path = cases.path(FOLDER).join("anna/masks/a.png");
    let accepted = mask::load(&path, &himix::data::MaskRule::Found).expect("a mask");
    assert_eq!(accepted.foreground(), WIDTH / 2 * HEIGHT);
    assert_eq!((accepted.values[0], accepted.values[WIDTH - 1]), (1, 0));
    wait(&mut window, "the mask", |window| says(window, " px, "));
    click(&mut window, "Reject");
    wait(&mut window, "the last case", |window| says(window, "c.png · "));
    assert!(window.query_by_label("Reader's name").is_none(), "it is asked for once");
    wait(&mut window, "the file", |_| cases.state("Anna", "b.png") == Some(CaseState::Rejected));
    assert!(!cases.path(FOLDER).join("anna/masks/b.png").exists());
}

#[test]
fn the_list_is_filtered_by_state_and_leads_back_to_any_case() {
    let cases = Cases::new();
    cases.accept("Anna", "b.png", 40);
    cases.accept("Bob", "a.png", 40);
    let mut window = cases.window(ANNA);
    wait(&mut window, "the states", |window| says(window, "Done 1"));
    assert!(says(&window, "To do 2") && says(&window, "Draft 0") && says(&window, "Rejected 0"));
    assert!(says(&window, "Bob: done"), "what others did with the open case");
    click(&mut window, "Done 1");
    assert!(
        window.query_by_label("c.png").is_none() && window.query_by_label("a.png").is_some(),
        "the open one stays"
    );
    click(&mut window, "b.png");
    wait(&mut window, "the case", |window| says(window, "b.png · "));
    assert!(window.query_by_label("a.png").is_none());
    click(&mut window, "Back to do");
    wait(&mut window, "the state", |window| says(window, "Done 0"));
    click(&mut window, "Done 0");
    assert!(window.query_by_label("c.png").is_some());
    wait(&mut window, "the file", |_| cases.state("Anna", "b.png") == Some(CaseState::ToDo));
    assert_eq!(cases.state("Bob", "a.png"), Some(CaseState::Done), "the other reader's states stay");
    enter(&mut window, "Search the worklist", Role::TextInput, "done");
    window.run();
    assert!(says(&window, "No case matches the search."));
}

#[test]
fn the_first_edit_makes_a_draft_and_an_accepted_mask_is_opened_again() {
    let cases = Cases::new();
    let mut window = cases.window(ANNA);
    click(&mut window, "Annotate");
    draw(&mut window);
    wait(&mut window, "the draft", |window| says(window, "Draft 1"));
    wait(&mut window, "the file", |_| cases.state("Anna", "a.png") == Some(CaseState::Draft));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    wait(&mut window, "the next case", |window| says(window, "b.png · "));
    wait(&mut window, "the file", |_| cases.state("Anna", "a.png") == Some(CaseState::Done));
    let path = cases.path(FOLDER).join("anna/masks/a.png");
    let drawn = mask::load(&path, &himix::data::MaskRule::Found).expect("a mask");
    assert!(drawn.foreground() > 20 && drawn.foreground() < WIDTH * HEIGHT / 2, "{}", drawn.foreground());
    // The mask comes back with its case, and looking at it is no edit.
    click(&mut window, "a.png");
    wait(&mut window, "the case", |window| says(window, "a.png · ") && says(window, "Paint Lesion"));
    assert_eq!(cases.state("Anna", "a.png"), Some(CaseState::Done));
    draw_beside(&mut window, Vec2::new(-120.0, 60.0));
    wait(&mut window, "the draft", |_| cases.state("Anna", "a.png") == Some(CaseState::Draft));
    // A key of the case is text in the field of the prompt.
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").focus();
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::Backspace);
    window.run();
    assert!(says(&window, "a.png · ") && says(&window, "Rejected 0"));
}

#[test]
fn two_readers_are_compared_in_a_table_and_in_the_picture() {
    let cases = Cases::new();
    for (id, anna, bob) in [("a.png", 32, 32), ("b.png", 32, 48), ("c.png", 16, 48)] {
        cases.accept("Anna", id, anna);
        cases.accept("Bob", id, bob);
    }
    let model = FakeModel::default();
    let mut window = cases.window_with(&model, r#"{"reader": "Carl"}"#);
    click(&mut window, "View");
    click(&mut window, "Panels");
    click(&mut window, "Readers");
    window.run();
    click(&mut window, "Compare readers");
    wait(&mut window, "the agreement", |window| says(window, "Dice, per image"));
    window.get_by_label("3 cases");
    // 1, 2/3 and 1/2 of each case; pooled 2 · 64 / (112 + 64 columns).
    window.get_by_label("0.722 ± 0.208");
    window.get_by_label("0.727");
    let top = |window: &Window, label: &str| window.get_by_role_and_label(Role::Link, label).rect().top();
    assert!(top(&window, "c.png") < top(&window, "b.png") && top(&window, "b.png") < top(&window, "a.png"));
    // The names give way to the scores, which lie within the panel and the window.
    let right = window.get_by_role_and_label(Role::Button, "HD95").rect().right();
    assert!(right <= 1272.0, "the last column ends at {right}");
    // They may lie below the edge of the panel.
    window.get_by_role_and_label(Role::Button, "Dice").click_accesskit();
    window.run();
    assert!(top(&window, "a.png") < top(&window, "b.png"), "the best first");
    window.get_by_role_and_label(Role::Link, "b.png").click_accesskit();
    wait(&mut window, "the differences", |window| says(window, "Bob against Anna"));
    wait(&mut window, "the scores", |window| says(window, "0.667"));
    for label in ["Both", "Only Anna", "Only Bob"] {
        window.get_by_label(label);
    }
    window.get_by_label_contains("The picture shows the mask of Bob against that of Anna.");
    // What others drew is not accepted as one's own.
    let calls = model.all_prompts().len();
    click(&mut window, "Show the network's mask again");
    wait(&mut window, "the network", |_| model.all_prompts().len() > calls);
    assert!(!says(&window, "Bob against Anna"));
}

#[test]
fn the_open_case_becomes_a_pair_that_a_training_run_reads() {
    let cases = Cases::new();
    let folder = tempfile::tempdir().expect("a folder");
    let mut window = cases.window(&format!(r#"{{"reader": "Anna", "pairs_folder": {:?}}}"#, folder.path()));
    click(&mut window, "Annotate");
    click(&mut window, "Training pair");
    assert!(window.get_by_label("Save as training pair").accesskit_node().is_disabled(), "without a sentence");
    click(&mut window, "Describe the mask");
    wait(&mut window, "a sentence", |window| !value(window, "Sentence of the pair").is_empty());
    enter(&mut window, "Sentence of the pair", Role::MultilineTextInput, "one area, left lung");
    click(&mut window, "Save as training pair");
    wait(&mut window, "the pair", |window| says(window, "1 pair in split train"));
    let train = Dataset::open(folder.path(), "train").expect("a data set");
    assert_eq!(
        (train.samples[0].name.as_str(), train.samples[0].prompt.as_str()),
        ("a.png", "one area, left lung")
    );
    let read = pair::read(&train.samples[0], &train.reading).expect("a pair");
    assert_eq!(read.mask.foreground(), WIDTH / 2 * HEIGHT);
    let own = himix::data::image::load(&cases.path("a.png")).expect("an image");
    assert_eq!(read.image, own, "the image as the network receives it");
    // Drawn on, its mask is replaced.
    draw(&mut window);
    click(&mut window, "Save as training pair");
    wait(&mut window, "the pair", |window| says(window, "Mask replaced"));
    let again = pair::read(&train.samples[0], &train.reading).expect("a pair");
    assert!(again.mask.foreground() < read.mask.foreground());
    // A workbook is refused in words.
    std::fs::remove_dir_all(folder.path().join("prompt")).expect("removed");
    std::fs::write(folder.path().join("train/train.xlsx"), "").expect("written");
    click(&mut window, "Save as training pair");
    wait(&mut window, "the refusal", |window| says(window, "rows cannot be added safely"));
}

/// Steps until `is_so`, for up to two minutes.
#[track_caller]
fn wait_long(window: &mut Window, what: &str, is_so: impl Fn(&Window) -> bool) {
    let start = Instant::now();
    while !is_so(window) {
        assert!(start.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
        window.step();
    }
    window.run();
}

/// An architecture small enough for a few steps.
const TINY: &str = r#"{
    "text": { "vocab_size": 128, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 2,
              "intermediate_size": 32, "max_position_embeddings": 32 },
    "vision": { "hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1] },
    "decoder": { "num_heads": 4 }
}"#;

#[test]
fn what_was_drawn_trains_a_model_that_is_used() {
    let cases = Cases::new();
    let folder = tempfile::tempdir().expect("a folder");
    let settings = cases.settings.path().join("settings.json");
    let text = format!(r#"{{"reader": "Anna", "pairs_folder": {:?}}}"#, folder.path().join("pairs"));
    std::fs::write(&settings, text).expect("written");
    let start = Start {
        files: vec![cases.folder.path().to_owned()],
        device: Some(DeviceChoice::Cpu),
        settings: Some(settings),
        ..Start::default()
    };
    let mut window = open(himix::infer::local_models(), himix::engine::trainer(), start);
    wait(&mut window, "the first case", |window| says(window, "a.png · "));
    click(&mut window, "Annotate");
    click(&mut window, "Training pair");
    // Annotate and save: the first pair goes to training, the second to validation.
    for (name, saved) in [("a.png", "1 pair in split train"), ("b.png", "1 pair in split val")] {
        wait(&mut window, "the case", |window| says(window, &format!("{name} · ")));
        draw(&mut window);
        enter(&mut window, "Sentence of the pair", Role::MultilineTextInput, "one area, right lung");
        click(&mut window, "Save as training pair");
        wait(&mut window, "the pair", |window| says(window, saved));
        if name == "a.png" {
            // A run needs both; the next pair mends this.
            click(&mut window, "Train with it");
            wait(&mut window, "the reason", |window| says(window, "there is no split 'val'"));
            click(&mut window, "Annotate");
        }
        click(&mut window, "Accept and next");
    }
    wait(&mut window, "the third case", |window| says(window, "c.png · "));
    // Train.
    let architecture = folder.path().join("architecture.json");
    std::fs::write(&architecture, TINY).expect("written");
    let config = format!("architecture = {architecture:?}\nepochs = 2\nmin_epochs = 1\nbatch_size = 1\n");
    std::fs::write(folder.path().join("run.toml"), config).expect("written");
    click(&mut window, "Train with it");
    wait(&mut window, "the tab", |window| says(window, "Start training"));
    crate::harness::drop_file(&mut window, &folder.path().join("run.toml"));
    let run = folder.path().join("run");
    enter(&mut window, "Run folder", Role::TextInput, &run.display().to_string());
    wait_long(&mut window, "the pairs", |window| says(window, "1 pair to train on, 1 to validate on"));
    click(&mut window, "Start training");
    wait_long(&mut window, "the end", |window| says(window, "Training has finished"));
    // Use.
    click(&mut window, "Use this model");
    click(&mut window, "Read");
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").focus();
    window.run();
    window.get_by_role_and_label(Role::MultilineTextInput, "Prompt").type_text("one area, right lung ");
    wait_long(&mut window, "the mask", |window| says(window, "Mask") && says(window, " px, "));
    assert!(run.join("best/model.safetensors").exists());
}
