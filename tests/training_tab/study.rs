//! A study in the Train tab.

use std::time::Duration;

use egui_kittest::kittest::{NodeT, Queryable};
use himix::engine::TrainingJob;
use serde_json::Value;

use crate::bench::Bench;
use crate::fake_trainer::FakeTrainer;
use crate::harness::{Files, says};

/// Clicks a button that may lie outside the visible part of a list.
fn press(bench: &mut Bench, label: &str) {
    bench.window.get_by_label(label).click_accesskit();
    bench.window.step();
    bench.window.step();
}

/// Fills in the form of a study and begins it.
fn begin(bench: &mut Bench, variants: &str, seeds: &str) {
    press(bench, "Ablation study");
    bench.until("the form", |window| window.query_by_label("Start study").is_some());
    bench.enter("Variants", variants);
    bench.enter("Seeds", seeds);
    press(bench, "Start study");
}

fn queue(bench: &Bench) -> Vec<(String, String)> {
    let Ok(text) = std::fs::read(bench.run_folder().join("queue.json")) else { return Vec::new() };
    let queue: Value = serde_json::from_slice(&text).expect("JSON");
    let text = |run: &Value, key: &str| run[key].as_str().unwrap_or_default().to_owned();
    let runs = queue["runs"].as_array().expect("runs");
    runs.iter().map(|run| (text(run, "variant"), text(run, "state"))).collect()
}

fn order(bench: &Bench) -> Vec<String> {
    queue(bench).into_iter().map(|(variant, _)| variant).collect()
}

#[test]
fn a_study_is_begun_and_watched_until_its_report() {
    let mut bench = Bench::filled(FakeTrainer::default());
    press(&mut bench, "Ablation study");
    bench.until("the form", |window| window.query_by_label("Start study").is_some());
    assert!(says(&bench.window, "13 runs"), "tables 1 and 2 are the usual study");
    bench.enter("Variants", "full, wide");
    assert!(says(&bench.window, "there is no variant 'wide'"));
    assert!(!bench.is_enabled("Start study"));
    bench.enter("Variants", "full, last-layer");
    bench.enter("Seeds", "1, 2");
    assert!(says(&bench.window, "4 runs"));
    press(&mut bench, "Start study");
    bench.until("the end", |window| says(window, "4 of 4 runs are finished") && says(window, "The report lies"));
    let trained: Vec<(String, u64)> = bench
        .trainer
        .works()
        .into_iter()
        .map(|job| match job {
            TrainingJob::New(config) => {
                (config.ablation.map_or("", |variant| variant.name()).to_owned(), config.seed)
            }
            TrainingJob::Resume(folder) => panic!("{} was not begun before", folder.display()),
        })
        .collect();
    let expected = [("full", 1), ("last-layer", 1), ("full", 2), ("last-layer", 2)];
    assert_eq!(trained, expected.map(|(variant, seed)| (variant.to_owned(), seed)));
    assert!(bench.has("Last layer only, seed 2") && says(&bench.window, "Dice 0.600"));
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).expect("a report");
    assert!(
        report.contains("Last layer only") && report.contains("Holm's correction over 1 variant."),
        "{report}"
    );
    assert!(bench.has("Run log"), "the curves and the log are those of the last run");
}

#[test]
fn networks_are_compared_in_place_of_variants() {
    let mut bench = Bench::filled(FakeTrainer::default());
    press(&mut bench, "Ablation study");
    bench.until("the form", |window| window.query_by_label("Start study").is_some());
    bench.enter("Networks", "himix-small, unet-small");
    assert!(says(&bench.window, "2 runs"), "the variants are not read");
    press(&mut bench, "Start study");
    bench.until("the end", |window| says(window, "2 of 2 runs are finished") && says(window, "The report lies"));
    assert!(bench.has("unet-small, seed 1"));
    let trained: Vec<Option<std::path::PathBuf>> = bench
        .trainer
        .works()
        .into_iter()
        .map(|job| match job {
            TrainingJob::New(config) => config.architecture.filter(|_| config.ablation.is_none()),
            TrainingJob::Resume(folder) => panic!("{} was not begun before", folder.display()),
        })
        .collect();
    assert_eq!(trained, ["himix-small", "unet-small"].map(|name| Some(name.into())));
    let report = std::fs::read_to_string(bench.run_folder().join("report.md")).expect("a report");
    assert!(report.contains("the variant less himix-small,"), "{report}");
}

#[test]
fn a_network_that_cannot_be_compared_is_refused_before_the_queue_is_made() {
    let mut bench = Bench::filled(FakeTrainer::default());
    press(&mut bench, "Ablation study");
    bench.until("the form", |window| window.query_by_label("Start study").is_some());
    bench.enter("Networks", "himix, medsam");
    press(&mut bench, "Start study");
    bench.until("the reason", |window| says(window, "medsam: the network takes a box"));
    assert!(!bench.run_folder().join("queue.json").exists());
}

#[test]
fn a_study_is_reordered_paused_and_stopped() {
    let mut bench = Bench::filled(FakeTrainer { epochs: 100_000, ..FakeTrainer::default() });
    begin(&mut bench, "full, last-layer, no-filter", "1");
    bench.until("the first run", |window| says(window, "epoch 1: loss"));
    press(&mut bench, "Move up: Without the spectrum filter (ASRM), seed 1");
    let start = std::time::Instant::now();
    while order(&bench) != ["full", "no-filter", "last-layer"] {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", queue(&bench));
        bench.window.step();
    }
    // The rows follow the file.
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(10));
        bench.window.step();
    }
    press(&mut bench, "Remove from the study: Last layer only, seed 1");
    bench.until("that it is out", |window| window.query_by_label("Put back: Last layer only, seed 1").is_some());
    assert!(says(&bench.window, "0 of 2 runs are finished"));
    press(&mut bench, "Pause study");
    bench.until("the pause", |window| {
        window.query_by_label("Go on with study").is_some() && window.query_by_label("Paused").is_some()
    });
    press(&mut bench, "Put back: Last layer only, seed 1");
    bench.until("that it is back", |window| says(window, "0 of 3 runs are finished"));
    press(&mut bench, "Go on with study");
    bench.until("the run", |window| window.query_by_label("Pause study").is_some());
    // The run that is being trained can be taken out; the next one begins.
    press(&mut bench, "Stop and remove from the study: Full model: sequential, order (3, 2, 1), seed 1");
    bench.until("the next run", |window| {
        window
            .query_by_label("Stop and remove from the study: Without the spectrum filter (ASRM), seed 1")
            .is_some()
    });
    press(&mut bench, "Stop study");
    bench.until("the end", |window| window.query_by_label("Continue study").is_some());
    let found = queue(&bench);
    let expected = [("full", "removed"), ("no-filter", "waiting"), ("last-layer", "waiting")];
    assert_eq!(found, expected.map(|(variant, state)| (variant.to_owned(), state.to_owned())));
    let up = bench.window.get_by_label("Move up: Last layer only, seed 1");
    assert!(up.accesskit_node().is_disabled(), "nobody works on the queue");
}

#[test]
fn a_study_is_offered_at_the_next_start() {
    let files = Files::new();
    let settings = files.folder.path().join("settings.json");
    let trainer = FakeTrainer { epochs: 100_000, ..FakeTrainer::default() };
    let mut bench = Bench::with(trainer, files, false, Some(settings.clone()));
    bench.fill();
    begin(&mut bench, "full, last-layer", "1");
    bench.until("the first run", |window| says(window, "epoch 1: loss"));
    bench.until("the note of it", |_| {
        std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("\"study\": \"/"))
    });
    assert!(bench.close(), "the window asks first");
    bench.window.run();
    bench.window.get_by_label("Stop and close").click();
    assert!(bench.closes());
    let Bench { window, files, .. } = bench;
    drop(window);

    let mut bench = Bench::with(FakeTrainer::default(), files, false, Some(settings.clone()));
    bench.until("the offer", |window| says(window, "A study was interrupted: 0 of 2 runs are finished."));
    press(&mut bench, "Continue study");
    bench.until("the end", |window| says(window, "2 of 2 runs are finished"));
    bench.until("that it is forgotten", |_| {
        std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("\"study\": null"))
    });
}

#[test]
fn what_stops_a_study_is_said() {
    let mut bench = Bench::filled(FakeTrainer::default());
    std::fs::create_dir_all(bench.run_folder()).expect("a folder");
    std::fs::write(bench.run_folder().join("queue.json"), "{").expect("written");
    begin(&mut bench, "full", "1");
    bench.until("the reason", |window| says(window, "queue.json: the queue is damaged"));
    assert!(bench.is_enabled("Start training"));
}
