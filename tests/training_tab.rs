//! The Train tab by accessibility label, with a run that needs no network.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]

#[path = "training_tab/bench.rs"]
mod bench;
mod fake;
#[path = "fake/trainer.rs"]
mod fake_trainer;
mod harness;
#[path = "training_tab/study.rs"]
mod study;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::Bench;
use eframe::egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use fake::FakeModel;
use fake_trainer::FakeTrainer;
use harness::{Files, drop_file, says};
use himix::engine::run::{Event, RunControl, StartScores};
use himix::engine::{Engine, TrainingJob, TrainingUpdate};

/// A run that lasts as long as a test.
fn endless() -> FakeTrainer {
    FakeTrainer { epochs: 100_000, ..FakeTrainer::default() }
}

#[test]
fn empty_it_says_what_to_do_and_does_not_start() {
    let bench = Bench::new(FakeTrainer::default());
    assert!(says(&bench.window, "Add a folder with images, masks and prompts"));
    assert!(says(&bench.window, "There is nothing to train on"));
    assert!(!bench.is_enabled("Start training"));
    // Panels of a run that there is not are no empty boxes.
    for label in ["Validation cases", "Cases", "Curves", "Run log"] {
        assert!(!bench.has(label), "{label}");
    }
}

#[test]
fn settings_are_looked_through_while_they_are_typed() {
    let mut bench = Bench::filled(FakeTrainer::default());
    assert!(says(&bench.window, "About 3 min an epoch, 1.0 GiB of memory, 1.7 million parameters"));
    assert!(says(&bench.window, "1 note on the data"));
    assert!(bench.is_enabled("Start training"));
    bench.enter("Epochs", "many");
    assert!(says(&bench.window, "epochs: “many” is no whole number"));
    assert!(!bench.is_enabled("Start training"));
    bench.enter("Epochs", "9");
    bench.until("the pairs", |window| says(window, "1\u{2009}400 pairs"));
    drop_file(&mut bench.window, Path::new("data/empty"));
    bench.until("the refusal", |window| says(window, "there are no images in this folder"));
    assert!(!bench.is_enabled("Start training"));
    let remove = bench.window.get_all_by_label("Remove").last().expect("a data set");
    remove.click();
    bench.until("the pairs", |window| says(window, "1\u{2009}400 pairs"));
    bench.finish();
    let Some(TrainingJob::New(config)) = bench.trainer.works().pop() else { panic!("a new run was begun") };
    assert_eq!((config.epochs, config.data), (9, vec![PathBuf::from("data/qata")]));
    assert_eq!(config.batch_size, 16, "as the preset says");
}

#[test]
fn presets_and_settings_files_fill_the_form() {
    let mut bench = Bench::filled(FakeTrainer::default());
    bench.click("Fine-tune the open model");
    let value = |bench: &Bench, label: &str| {
        bench.window.get_by_role_and_label(Role::TextInput, label).value().unwrap_or_default()
    };
    assert_eq!((value(&bench, "Initial weights"), value(&bench, "Epochs")), ("demo".into(), "20".into()));
    bench.click("Fine-tune on 50 own cases");
    assert_eq!((value(&bench, "Initial weights"), value(&bench, "Epochs")), ("bundled".into(), "30".into()));
    assert!(says(&bench.window, "Needs a folder with images, masks and sentences"), "what it needs is said");
    bench.click("The paper's recipe");
    assert_eq!((value(&bench, "Initial weights"), value(&bench, "Batch size")), (String::new(), "32".into()));
    let path = bench.files.folder.path().join("mine.toml");
    std::fs::write(&path, "epochs = 11\nlr = 2e-4\n").expect("written");
    drop_file(&mut bench.window, &path);
    bench.until("the settings", |window| {
        let field = window.get_by_role_and_label(Role::TextInput, "Epochs");
        field.value().is_some_and(|text| text == "11")
    });
    assert_eq!(value(&bench, "Learning rate"), "0.0002");
    assert!(value(&bench, "Run folder").ends_with("run"), "what the file does not name stays");
    std::fs::write(&path, "epoch = 11\n").expect("written");
    drop_file(&mut bench.window, &path);
    bench.until("the mistake", |window| says(window, "there is no setting 'epoch'; did you mean 'epochs'?"));
}

#[test]
fn a_run_shows_its_curves_cases_and_log() {
    let mut bench = Bench::filled(FakeTrainer::default());
    bench.finish();
    for label in ["Loss", "Dice", "IoU", "Learning rate", "Filter width σ", "Text layers, stage 7", "Run log"] {
        assert!(bench.has(label), "{label}");
    }
    for label in ["Training 0.625", "Validation 0.700", "Layer 9 0.900", "Stage 7 6.180", "Stage 28 –"] {
        assert!(bench.has(label), "{label}");
    }
    assert_eq!(bench.window.get_all_by_label("Pooled 0.750").count(), 1);
    assert!(says(&bench.window, "Per image 0.600"));
    assert!(says(&bench.window, "epoch 3: loss 0.6250"));
    assert!(says(&bench.window, "note: one image was left out"));
    assert!(says(&bench.window, "Best: epoch 3, Dice 0.750 pooled, 0.600 per image, threshold 0.50"));
    assert!(bench.has("left.png") && bench.has("Dice 0.857") && bench.has("Dice 0.800"));
    let slider = bench.window.get_by_role_and_label(Role::Slider, "Epoch shown");
    slider.set_value_accesskit(1.0);
    bench.window.run();
    assert!(bench.has("Dice 0.400") && bench.has("Dice 0.667") && bench.has("Earlier epoch"));
    bench.window.get_by_role_and_label(Role::Slider, "Smoothing").set_value_accesskit(0.5);
    bench.window.run();
    assert!(bench.has("Training 0.625"), "the values stay those that were measured");
}

#[test]
fn the_weights_that_a_run_starts_from_are_the_point_before_its_first_epoch() {
    let start = StartScores { validation_loss: 0.9, pooled_dice: 0.5, per_image_dice: 0.375 };
    let mut bench = Bench::filled(FakeTrainer { start: Some(start), ..FakeTrainer::default() });
    bench.finish();
    assert!(says(
        &bench.window,
        "before the training: validation loss 0.9000, Dice 0.500 pooled, 0.375 per image"
    ));
    assert!(says(&bench.window, "Before the training: Dice 0.500 pooled, 0.375 per image"));
    assert!(says(&bench.window, "Best: epoch 3"), "an epoch is the best");
    let slider = bench.window.get_by_role_and_label(Role::Slider, "Epoch shown");
    slider.set_value_accesskit(0.0);
    bench.window.run();
    assert!(bench.has("Before the training") && !bench.has("Earlier epoch"));
}

#[test]
fn a_run_pauses_goes_on_and_stops_within_a_step() {
    let mut bench = Bench::filled(endless());
    bench.click("Start training");
    bench.until("an epoch", |window| says(window, "epoch 1: loss"));
    bench.click("Pause");
    bench.until("the pause", |window| window.query_by_label("Paused").is_some());
    let step = |bench: &Bench| {
        let bar = bench.window.query_all_by_label_contains(": step ").next().expect("the epoch's progress");
        bar.accesskit_node().label()
    };
    let before = step(&bench);
    std::thread::sleep(Duration::from_millis(40));
    bench.window.run();
    assert_eq!(step(&bench), before, "nothing moves");
    bench.click("Continue");
    bench.until("the run", |window| window.query_by_label("Training").is_some());
    bench.click("Stop and keep the best");
    bench.until("the end", |window| says(window, "Training was stopped"));
    assert!(bench.is_enabled("Use this model"));
    bench.click("Resume");
    bench.until("the resumed run", |window| says(window, "Stop and keep the best") && says(window, ": step "));
    assert_eq!(bench.trainer.works().last(), Some(&TrainingJob::Resume(bench.run_folder())));
}

#[test]
fn a_run_goes_on_beside_the_viewer_and_its_chip_leads_back() {
    let mut bench = Bench::filled(endless());
    bench.click("Start training");
    bench.until("the run", |window| window.query_by_label("Training").is_some());
    bench.click("Read");
    bench.window.get_by_role(Role::MultilineTextInput).focus();
    bench.window.step();
    bench.window.get_by_role(Role::MultilineTextInput).type_text("lower left lung");
    bench.until("the prompt's words", |window| window.query_by_label("lung").is_some());
    assert_eq!(bench.model.last_prompt(), "lower left lung");
    bench.until("progress in the bar", |window| says(window, "left") && says(window, "Training 0 %"));
    let chip = bench.window.get_all_by_label_contains("Training 0 %").next().expect("the chip");
    chip.click();
    bench.until("the tab", |window| says(window, "Stop and keep the best"));
}

#[test]
fn an_error_says_what_to_do_and_the_run_can_be_resumed() {
    let fails = Some("the disk is full; make room, then resume the run");
    let mut bench = Bench::filled(FakeTrainer { fails, ..FakeTrainer::default() });
    bench.click("Start training");
    bench.until("the end", |window| window.query_by_label("Training failed").is_some());
    assert!(bench.has("the disk is full; make room, then resume the run"));
    assert!(
        bench.is_enabled("Resume") && bench.is_enabled("Use this model") && bench.is_enabled("Start training")
    );
    let mut bench = Bench::filled(FakeTrainer { panics: true, ..FakeTrainer::default() });
    bench.click("Start training");
    bench.until("the end", |window| window.query_by_label("Training failed").is_some());
    assert!(says(&bench.window, "The training broke off (the fake panics)"));
    assert!(!bench.has("Resume"), "there was no checkpoint");
}

#[test]
fn the_new_model_is_used_and_compared() {
    let mut bench = Bench::filled(FakeTrainer::default());
    bench.finish();
    bench.click("Compare weights");
    bench.until("both masks", |window| {
        let dice = window.query_all_by_label_contains("Dice 0.500, IoU 0.333 per image").count();
        dice == 2 && window.query_by_label("Mask of the second model").is_some()
    });
    assert!(
        bench.has("Open model: fake") && bench.has("Second model: fake") && bench.has("Mask of the open model")
    );
    let best = PathBuf::from("run/best");
    assert_eq!(bench.opened.lock().expect("a list").clone(), [PathBuf::from("demo"), best.clone()]);
    let calls = |bench: &Bench| bench.model.all_prompts().iter().filter(|prompt| *prompt == "left").count();
    bench.enter("Prompt", "left");
    let start = Instant::now();
    while calls(&bench) < 2 {
        assert!(start.elapsed() < Duration::from_secs(10), "both models get the prompt");
        bench.window.step();
    }
    bench.click("End comparison");
    bench.window.run();
    assert!(!bench.has("Second model: fake"));
    bench.click("Use this model");
    let start = Instant::now();
    while bench.opened.lock().expect("a list").len() < 3 {
        assert!(start.elapsed() < Duration::from_secs(10), "the model is opened");
        bench.window.step();
    }
    assert_eq!(bench.opened.lock().expect("a list").last(), Some(&best));
}

#[test]
fn closing_asks_while_a_run_goes_on() {
    let mut bench = Bench::filled(endless());
    assert!(!bench.close(), "without a run the window closes");
    bench.click("Start training");
    bench.until("the run", |window| window.query_by_label("Training").is_some());
    assert!(bench.close(), "with one it stays");
    bench.window.run();
    bench.click("Keep training");
    assert!(!bench.has("Keep training"));
    assert!(bench.close());
    bench.window.run();
    bench.window.get_by_label("Stop and close").click();
    assert!(bench.closes());
    assert!(!bench.close(), "nothing holds it now");
}

#[test]
fn a_run_that_broke_off_is_offered_at_the_next_start() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut bench = Bench::with(endless(), files, false, Some(settings.clone()));
    bench.fill();
    bench.click("Start training");
    bench.until("the run", |window| window.query_by_label("Training").is_some());
    let folder = bench.run_folder();
    bench.until("the note of it", |_| {
        std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("\"training\": \"/"))
    });
    // The settings as a crash would leave them.
    let left = std::fs::read(&settings).expect("settings");
    let Bench { window, files, .. } = bench;
    drop(window);
    std::fs::write(&settings, left).expect("written");

    let trainer = FakeTrainer { interrupted: Some(2), ..FakeTrainer::default() };
    let mut bench = Bench::with(trainer, files, false, Some(settings.clone()));
    bench.until("the offer", |window| says(window, "A training run was interrupted after 2 epochs."));
    assert!(bench.has("Interrupted training"), "the bar says so in every tab");
    bench.click("Resume");
    bench.until("the end", |window| says(window, "Training has finished"));
    assert_eq!(bench.trainer.works(), [TrainingJob::Resume(folder)]);
    assert!(says(&bench.window, "Run: 3 of 3 epochs"));
    let phantoms = bench.window.get_by_role_and_label(Role::TextInput, "Phantoms").value();
    assert_eq!(phantoms.as_deref(), Some("77"), "the form shows the run's settings");
    bench.until("that it is forgotten", |_| {
        std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("\"training\": null"))
    });
}

#[test]
fn a_run_that_was_stopped_is_offered_and_its_settings_are_remembered() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let mut bench = Bench::with(endless(), files, false, Some(settings.clone()));
    bench.click("The paper's recipe");
    bench.enter("Epochs", "7");
    bench.fill();
    bench.click("Start training");
    bench.until("an epoch", |window| says(window, "epoch 1: loss"));
    bench.click("Stop and keep the best");
    bench.until("the end", |window| says(window, "Training was stopped"));
    bench.until("the settings", |_| {
        let text = std::fs::read_to_string(&settings).unwrap_or_default();
        text.contains("epochs = 7") && text.contains("\"training\": \"/")
    });
    let Bench { window, files, .. } = bench;
    drop(window);
    let trainer = FakeTrainer { interrupted: Some(1), ..FakeTrainer::default() };
    let mut bench = Bench::with(trainer, files, false, Some(settings));
    bench.until("the offer", |window| says(window, "A training run was interrupted after 1 epoch."));
    let value = |label: &str| bench.window.get_by_role_and_label(Role::TextInput, label).value();
    assert_eq!((value("Epochs").as_deref(), value("Batch size").as_deref()), (Some("7"), Some("32")));
}

#[test]
fn nothing_is_cut_off_in_the_smallest_window() {
    let mut bench = Bench::filled(endless());
    bench.click("Start training");
    bench.until("an epoch", |window| says(window, "epoch 1: loss"));
    bench.window.set_size(himix::app::MINIMUM_SIZE.into());
    bench.window.step();
    bench.window.step();
    let screen = eframe::egui::Rect::from_min_size(Default::default(), himix::app::MINIMUM_SIZE.into());
    for label in
        ["Start training", "Pause", "Stop and keep the best", "Use this model", "Compare weights", "Add folder…"]
    {
        for node in bench.window.get_all_by_label(label) {
            assert!(screen.contains_rect(node.rect()), "{label} at {:?}", node.rect());
        }
    }
}

#[test]
fn a_run_waits_for_no_window() {
    let trainer = FakeTrainer { epochs: 50, steps: 500, step_takes: Duration::ZERO, ..FakeTrainer::default() };
    let mut engine =
        Engine::start(FakeModel::default().opener(), Arc::new(trainer), Arc::new(|| ())).expect("threads start");
    assert!(engine.train(TrainingJob::New(Box::default())).expect("a thread"));
    assert!(!engine.train(TrainingJob::New(Box::default())).expect("no thread"), "one at a time");
    let start = Instant::now();
    // The events are not read.
    while engine.is_training() {
        assert!(start.elapsed() < Duration::from_secs(20), "the run comes to its end");
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut news = Vec::new();
    while news.last() != Some(&TrainingUpdate::Ended(Ok(()))) {
        news.extend(engine.training_updates());
    }
    let epochs = news.iter().filter(|news| matches!(news, TrainingUpdate::Event(Event::Epoch(_)))).count();
    assert_eq!(epochs, 50, "no epoch is lost");
    assert!(engine.train(TrainingJob::New(Box::default())).expect("a thread"), "another may follow");
    engine.ask_training(RunControl::Stop);
}
