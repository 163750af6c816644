//! `himix train`: mixtures of data sets, augmentation, averaged weights, losses, sweeps and the search for a learning
//! rate.

use std::fs;
use std::path::Path;

use himix::train::{Control, Event, RunControl, RunFolder, TrainConfig, find_lr, resume, run};

use crate::program::himix;
use crate::train::{Bench, column, data_set};

/// Settings of a short run on two data sets, with everything that is off by default.
fn everything(bench: &Bench, out: &str) -> TrainConfig {
    let other = bench.path("other");
    if !other.exists() {
        data_set(&other);
    }
    TrainConfig {
        data: vec![bench.path(""), other],
        weight: vec![2.0, 1.0],
        hard_examples: 0.5,
        out: bench.path(out),
        architecture: Some(bench.path("architecture.json")),
        phantoms: 2,
        epochs: 3,
        min_epochs: 3,
        batch_size: 4,
        lr: 1e-3,
        warmup_epochs: 1.5,
        clip_norm: 1.0,
        ema_decay: 0.9,
        stage_losses: vec![0.2, 0.0, 0.5],
        flip: 0.5,
        scale: 0.5,
        elastic: 0.5,
        brightness: 0.5,
        contrast: 0.5,
        clahe: 0.5,
        blur: 0.5,
        noise: 0.5,
        jpeg: 0.5,
        cutout: 0.5,
        reword: 0.5,
        reorder: 0.5,
        drop_parts: 0.5,
        report: 0.5,
        empty_sentence: 0.2,
        denied: 0.2,
        irrelevant: 0.2,
        ..TrainConfig::default()
    }
}

/// Trains until the step, counted from 1, of an epoch, counted from 1, or to the end.
fn train_until(config: &TrainConfig, stop: Option<(usize, usize)>) {
    let control = Control::default();
    let mut report = |event| match event {
        Event::Step { epoch, step, .. } if Some((epoch, step)) == stop => control.ask(RunControl::Stop),
        _ => {}
    };
    run(config, &himix::device::cpu(), &control, &mut report).expect("a run");
}

#[test]
fn a_run_with_everything_is_resumed_to_the_same_bits() {
    let bench = Bench::new();
    train_until(&everything(&bench, "unbroken"), None);
    let average = |out: &str| fs::read(bench.path(out).join("ema/model.safetensors")).expect("averaged weights");
    let (reached, averaged) = (bench.reached("unbroken"), average("unbroken"));
    let table = fs::read_to_string(bench.path("unbroken/metrics.csv")).expect("a table");
    assert_eq!(column(&table, "ema_validation_loss").len(), 3);
    assert_ne!(column(&table, "ema_validation_loss"), column(&table, "validation_loss"));
    // The warm-up ends in the middle of the second epoch.
    let rates: Vec<f64> = column(&table, "lr").iter().map(|rate| rate.parse().expect("a number")).collect();
    assert!((rates[0] - 1e-3 / 1.5).abs() < 1e-6 && rates[1] > 0.9e-3, "{rates:?}");
    for (number, stop) in [(1, 1), (2, 2), (3, 1)].into_iter().enumerate() {
        let out = format!("broken{number}");
        train_until(&everything(&bench, &out), Some(stop));
        let folder = bench.path(&out);
        assert!(RunFolder::new(&folder).interrupted().is_some(), "{out}");
        resume(&folder, &[], &himix::device::cpu(), &Control::default(), &mut |_| ()).expect("it goes on");
        assert!(bench.reached(&out) == reached, "{out}: other metrics or weights");
        assert!(average(&out) == averaged, "{out}: other averaged weights");
    }
}

#[test]
fn the_best_weights_are_the_better_of_both_kinds() {
    let bench = Bench::new();
    bench.train("run", &["--set", "epochs=4", "--set", "ema_decay=0.5"]).done();
    let table = fs::read_to_string(bench.path("run/metrics.csv")).expect("a table");
    let losses = |name: &str| -> Vec<f64> {
        column(&table, name).iter().map(|value| value.parse().expect("a number")).collect()
    };
    let (own, averaged) = (losses("validation_loss"), losses("ema_validation_loss"));
    let mut best = f64::INFINITY;
    assert_eq!((own.len(), averaged.len()), (4, 4));
    for (epoch, (own, averaged)) in own.into_iter().zip(averaged).enumerate() {
        let cost = own.min(averaged);
        assert_eq!(column(&table, "best")[epoch], if cost < best { "1" } else { "0" }, "{table}");
        let is_average = cost < best && averaged < own;
        assert_eq!(column(&table, "best_is_ema")[epoch], if is_average { "1" } else { "0" }, "{table}");
        best = best.min(cost);
    }
    for bundle in ["best", "ema"] {
        himix![
            "predict",
            "--model",
            bench.path("run").join(bundle),
            "--image",
            bench.path("val/Images/0.png"),
            "--prompt",
            "left lung",
            "--device",
            "cpu",
            "--json"
        ]
        .json();
    }
}

/// A data set of colour images of another size whose sentences are all empty, and whose lesion is half of the image.
fn halves(root: &Path) {
    for (split, count) in [("train", 4_u32), ("val", 2)] {
        for part in ["prompt".to_owned(), format!("{split}/Images"), format!("{split}/GTs")] {
            fs::create_dir_all(root.join(part)).expect("a folder");
        }
        let mut table = "Image,Description\n".to_owned();
        for index in 0..count {
            let image = image::RgbImage::from_fn(90, 40, |x, y| {
                image::Rgb([if x < 45 { 220 } else { 30 }, (x + y) as u8, (3 * y + index) as u8])
            });
            let mask = image::GrayImage::from_fn(90, 40, |x, _| image::Luma([u8::from(x < 45) * 255]));
            image.save(root.join(format!("{split}/Images/{index}.png"))).expect("a picture");
            mask.save(root.join(format!("{split}/GTs/mask_{index}.png"))).expect("a mask");
            table += &format!("{index}.png,\n");
        }
        fs::write(root.join(format!("prompt/{split}.csv")), table).expect("a table");
    }
}

#[test]
fn data_sets_of_different_size_channels_and_kind_are_mixed() {
    let bench = Bench::new();
    let other = bench.path("halves");
    halves(&other);
    let more = [
        "--data",
        &other.display().to_string(),
        "--set",
        "epochs=1",
        "--set",
        "weight=[1, 2]",
        "--set",
        "phantoms=3",
    ];
    let ran = bench.train("run", &more).done();
    assert!(ran.out.contains("15 cases to train on, 7 to validate on"), "{}", ran.out);
    assert!(ran.err.contains("halves, split train: none of its 4 images has a sentence"), "{}", ran.err);
    let table = fs::read_to_string(bench.path("run/metrics.csv")).expect("a table");
    assert!(column(&table, "train_loss")[0].parse::<f64>().is_ok_and(f64::is_finite), "{table}");
}

#[test]
fn weights_that_do_not_do() {
    let bench = Bench::new();
    let train = |more: &[&str]| bench.train("out", more);
    train(&["--set", "weight=0"]).refused(&["weight sums to 0"]);
    train(&["--set", "weight=[-1]"]).refused(&["weight contains -1"]);
    train(&["--set", "weight=[1, 1]"]).refused(&["weight has 2 numbers and there are 1 data sets"]);
    train(&["--set", "stage_losses=[1]"])
        .failed(2, &["stage_losses has 1 numbers and the network has 3 decoder stages"]);
    train(&["--set", "loss=hinge"]).refused(&["loss=hinge"]);
    assert!(!bench.path("out").exists());
}

#[test]
fn a_grid_tries_every_loss_on_a_truth_of_half_the_image_and_goes_on() {
    let bench = Bench::new();
    let other = bench.path("halves");
    halves(&other);
    let (out, data) = (bench.path("sweep"), other.display().to_string());
    let sweep = |axes: &[&str]| {
        let mut arguments: Vec<std::ffi::OsString> =
            ["train", "--device", "cpu", "--data"].map(Into::into).to_vec();
        arguments.extend([data.clone().into(), "--out".into(), out.clone().into()]);
        arguments.extend(["--config".into(), bench.path("run.toml").into()]);
        arguments.extend(["--set", "epochs=1", "--set", "empty_truth=area"].map(Into::into));
        axes.iter().for_each(|axis| arguments.extend(["--grid".into(), (*axis).into()]));
        crate::program::run(arguments)
    };
    let all = "loss=binary,literal,dice,double_sigmoid,focal,tversky";
    let said = sweep(&[all]).done().out;
    assert!(
        said.contains("run 6 of 6: loss=tversky") && said.contains("The highest Dice score per image is"),
        "{said}"
    );
    let table = fs::read_to_string(out.join("grid.csv")).expect("a table");
    assert_eq!(column(&table, "loss"), ["binary", "literal", "dice", "double_sigmoid", "focal", "tversky"]);
    assert_eq!(column(&table, "state"), ["finished"; 6], "{table}");
    assert!(column(&table, "validation_loss").iter().all(|loss| loss.parse::<f64>().is_ok_and(f64::is_finite)));
    for name in column(&table, "folder") {
        assert!(out.join(name).join("best/model.safetensors").exists());
    }
    // What is finished is not done again, and values may be added.
    let before = fs::read(out.join("loss=dice/best/model.safetensors")).expect("weights");
    let said = sweep(&["loss=dice,focal"]).done().out;
    assert_eq!(said.matches("is finished already").count(), 2, "{said}");
    assert_eq!(fs::read(out.join("loss=dice/best/model.safetensors")).expect("weights"), before);
    // A run that was ended before its first checkpoint begins anew.
    fs::remove_dir_all(out.join("loss=focal/last")).expect("removed");
    sweep(&["loss=focal"]).done();
    assert!(out.join("loss=focal/last/model.safetensors").exists());
    // A folder of another run is not touched.
    let config = out.join("loss=dice/config.toml");
    let text = fs::read_to_string(&config).expect("settings").replace("batch_size = 4", "batch_size = 5");
    fs::write(&config, text).expect("written");
    sweep(&["loss=focal,dice"]).failed(2, &["loss=dice", "has another batch_size than was asked for"]);
}

#[test]
fn a_grid_that_was_killed_goes_on() {
    let bench = Bench::new();
    let settings = ["--grid", "lr=1e-3,1e-4", "--set", "epochs=3", "--set", "checkpoint_minutes=1e-9"];
    bench.train("unbroken", &settings).done();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_himix"))
        .args(bench.arguments("broken", &settings))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    while !bench.path("broken/lr=1e-3/last").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().expect("SIGKILL");
    child.wait().expect("ended");
    bench.train("broken", &settings).done();
    for cell in ["lr=1e-3", "lr=1e-4"] {
        let [unbroken, broken] = ["unbroken", "broken"].map(|out| bench.reached(&format!("{out}/{cell}")));
        assert!(unbroken == broken, "{cell}");
    }
}

#[test]
fn a_grid_that_does_not_do_is_refused_before_anything_runs() {
    let bench = Bench::new();
    let train = |more: &[&str]| bench.train("out", more);
    train(&["--grid", "batchsize=4,8"]).refused(&["there is no setting 'batchsize'; did you mean 'batch_size'?"]);
    train(&["--grid", "lr=1e-3,-1"]).refused(&["lr=-1", "lr is not positive"]);
    train(&["--grid", "lr"]).refused(&["KEY=A,B,C"]);
    train(&["--grid", "weight=[0],[1]"]).refused(&["weight sums to 0"]);
    himix!["train", "--resume", bench.path("out"), "--grid", "lr=1,2"].refused(&["--grid"]);
    assert!(!bench.path("out").exists());
}

#[test]
fn a_run_that_fails_does_not_end_the_grid() {
    let bench = Bench::new();
    let ran = bench.train("sweep", &["--grid", "lr=1e30,1e-3", "--set", "epochs=2"]);
    let ran = ran.failed(1, &["1 of 2 runs of the grid failed", "grid.csv"]);
    assert!(ran.err.contains("lr=1e30: the loss became NaN"), "{}", ran.err);
    let table = fs::read_to_string(bench.path("sweep/grid.csv")).expect("a table");
    assert_eq!(column(&table, "state"), ["failed", "finished"], "{table}");
}

#[test]
fn a_run_of_a_grid_that_cannot_be_read_is_not_begun_anew() {
    let bench = Bench::new();
    let settings = ["--grid", "lr=1e-3,1e-4", "--set", "epochs=1"];
    bench.train("sweep", &settings).done();
    let progress = bench.path("sweep/lr=1e-3/last/progress.json");
    fs::write(&progress, "{ half").expect("written");
    let ran = bench.train("sweep", &settings).failed(1, &["1 of 2 runs of the grid failed"]);
    assert!(ran.err.contains("no whole checkpoint"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&progress).expect("read"), "{ half");
    let table = fs::read_to_string(bench.path("sweep/grid.csv")).expect("a table");
    assert_eq!(column(&table, "state"), ["failed", "finished"], "{table}");
}

#[test]
fn a_learning_rate_is_searched_for() {
    let bench = Bench::new();
    let said = bench.train("out", &["--find-lr"]).done().out;
    assert!(said.contains("the test ended because") && said.contains("uggestion:"), "{said}");
    let table = fs::read_to_string(bench.path("out/find-lr.csv")).expect("a table");
    let rates: Vec<f64> = column(&table, "lr").iter().map(|rate| rate.parse().expect("a number")).collect();
    assert!(rates.len() > 20 && rates.len() <= 100, "{}", rates.len());
    assert!(rates.windows(2).all(|pair| pair[1] > pair[0]) && (rates[0] - 1e-7).abs() < 1e-12, "{rates:?}");
    assert!(column(&table, "loss").iter().all(|loss| loss.parse::<f64>().is_ok_and(f64::is_finite)));
    // The folder can be used for a run.
    assert_eq!(fs::read_dir(bench.path("out")).expect("listed").count(), 1);
    bench.train("out", &["--set", "epochs=1"]).done();
}

#[test]
fn a_search_for_a_learning_rate_can_be_cancelled() {
    let bench = Bench::new();
    let config = TrainConfig {
        data: vec![bench.path("")],
        out: bench.path("out"),
        architecture: Some(bench.path("architecture.json")),
        batch_size: 4,
        ..TrainConfig::default()
    };
    let control = Control::default();
    let mut steps = 0;
    let mut report = |_: &himix::train::RateStep, _: usize| {
        steps += 1;
        if steps == 3 {
            control.ask(RunControl::Stop);
        }
    };
    let test = find_lr(&config, &himix::device::cpu(), &control, &mut report).expect("a test");
    assert_eq!((test.steps.len(), test.suggestion), (3, None));
    assert!(test.reason.contains("stopped"));
    let table = fs::read_to_string(bench.path("out/find-lr.csv")).expect("a table");
    assert_eq!(column(&table, "step"), ["1", "2", "3"]);
}

#[test]
fn a_run_ends_early_by_the_dice_score_per_image() {
    let bench = Bench::new();
    let settings = [
        "--set",
        "epochs=60",
        "--set",
        "min_epochs=1",
        "--set",
        "patience=1",
        "--set",
        "criterion=dice_per_image",
        "--set",
        "lr=1e-9",
        "--set",
        "min_lr=0",
    ];
    let said = bench.train("run", &settings).done().out;
    assert!(said.contains("the Dice score per image of the validation has not risen for 1 epochs"), "{said}");
    let table = fs::read_to_string(bench.path("run/metrics.csv")).expect("a table");
    let mut best = f64::NEG_INFINITY;
    for (score, is_best) in column(&table, "dice_per_image").iter().zip(column(&table, "best")) {
        let score: f64 = score.parse().expect("a number");
        assert_eq!(is_best, if score > best { "1" } else { "0" }, "{table}");
        best = best.max(score);
    }
}

#[test]
fn every_recipe_is_a_whole_configuration() {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let mut count = 0;
    for folder in [assets.clone(), assets.join("recipes")] {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|end| end == "toml") {
                let text = fs::read_to_string(&path).expect("read");
                let config =
                    TrainConfig::from_toml(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let complete = TrainConfig { data: vec!["data".into()], ..config };
                assert_eq!(complete.validate(), Ok(()), "{}", path.display());
                count += 1;
            }
        }
    }
    assert!(count >= 5, "{count}");
}
