//! `himix train`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::folder;
use crate::model::{bundle, config, picture, read_tensors};
use crate::program::{Ran, himix, run};

/// Writes images of bright squares in the left or right half, each with a prompt that says where.
pub fn data_set(root: &Path) {
    for (split, count) in [("train", 8u32), ("val", 4)] {
        for part in ["prompt".to_owned(), format!("{split}/Images"), format!("{split}/GTs")] {
            fs::create_dir_all(root.join(part)).expect("a folder");
        }
        let mut table = "Image,Description\n".to_owned();
        for index in 0..count {
            let left = 8 + 30 * (index % 2);
            let inside = |x: u32, y: u32| (left..left + 18).contains(&x) && (10 + index..30 + index).contains(&y);
            let grey = picture(64, 48);
            let image = image::GrayImage::from_fn(64, 48, |x, y| {
                image::Luma([if inside(x, y) { 255 } else { grey.get_pixel(x, y).0[0] / 3 }])
            });
            let mask = image::GrayImage::from_fn(64, 48, |x, y| image::Luma([u8::from(inside(x, y)) * 255]));
            image.save(root.join(format!("{split}/Images/{index}.png"))).expect("a picture");
            mask.save(root.join(format!("{split}/GTs/mask_{index}.png"))).expect("a mask");
            table +=
                &format!("{index}.png,\"one area, {} lung.\"\n", if index % 2 == 0 { "left" } else { "right" });
        }
        fs::write(root.join(format!("prompt/{split}.csv")), table).expect("a table");
    }
}

/// Returns the number after `name` on each line of an epoch.
fn numbers(out: &str, name: &str) -> Vec<f64> {
    let lines = out.lines().filter(|line| line.starts_with("epoch"));
    lines
        .map(|line| {
            let rest = line.split(&format!("  {name} ")).nth(1).expect("the number's name");
            rest.split_whitespace().next().expect("a number").parse().expect("a number")
        })
        .collect()
}

/// Returns the cells of a column.
pub fn column(table: &str, name: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    let place = reader.headers().expect("a header").iter().position(|column| column == name);
    let place = place.unwrap_or_else(|| panic!("no column {name}: {table}"));
    reader.records().map(|row| row.expect("a row")[place].to_owned()).collect()
}

/// A folder with a data set, and settings for a run of a second or two.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let folder = folder();
        data_set(folder.path());
        fs::write(folder.path().join("architecture.json"), config().to_string()).expect("a configuration");
        let architecture = folder.path().join("architecture.json");
        let text = format!("architecture = {architecture:?}\nepochs = 9\nbatch_size = 4\nlr = 1e-3\n");
        fs::write(folder.path().join("run.toml"), text).expect("settings");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the arguments of a run into `out`.
    pub fn arguments(&self, out: &str, more: &[&str]) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["train", "--device", "cpu", "--data"].map(Into::into).to_vec();
        arguments.extend([self.folder.path().into(), "--out".into(), self.path(out).into()]);
        arguments.extend(["--config".into(), self.path("run.toml").into()]);
        arguments.extend(more.iter().map(Into::into));
        arguments
    }

    pub fn train(&self, out: &str, more: &[&str]) -> Ran {
        run(self.arguments(out, more))
    }

    /// Returns the result of a run: the table without the columns of time, and the bytes of the best and the last
    /// weights.
    pub fn reached(&self, out: &str) -> (Vec<String>, [Vec<u8>; 2]) {
        let table = fs::read_to_string(self.path(out).join("metrics.csv")).expect("a table");
        let timeless = |line: &str| {
            let cells = line.split(',').enumerate().filter(|(column, _)| ![10, 11].contains(column));
            cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
        };
        assert!(table.starts_with("epoch,train_loss,validation_loss,"), "{table}");
        assert!(table.lines().next().is_some_and(|header| header.contains("skipped,seconds,waiting,best")));
        let weights = ["best", "last"]
            .map(|name| fs::read(self.path(out).join(name).join("model.safetensors")).expect("weights"));
        (table.lines().map(timeless).collect(), weights)
    }
}

#[test]
fn a_run_without_anything_to_learn_from_is_refused() {
    let folder = folder();
    himix!["train", "--out", folder.path().join("run")]
        .refused(&["There is nothing to train on; name a data set"]);
}

#[test]
fn a_run_learns_and_leaves_a_bundle() {
    let bench = Bench::new();
    let said = bench.train("run", &["--set", "epochs=3"]).done().out;
    assert!(said.contains("8 cases to train on, 4 to validate on"), "{said}");
    assert!(said.contains("pooled") && said.contains("per image"), "{said}");
    let losses = numbers(&said, "loss");
    assert_eq!(losses.len(), 3, "--set goes before the file: {said}");
    assert!(losses[2] < losses[0], "{losses:?}");
    for name in ["config.toml", "metrics.csv", "log.txt", "best/config.json", "last/optimiser.safetensors"] {
        assert!(bench.path("run").join(name).exists(), "{name}");
    }

    // The bundle predicts, uses images in their natural orientation, and records what it was trained on.
    let image = bench.path("val/Images/0.png");
    let best = bench.path("run").join("best");
    let object = himix![
        "predict",
        "--model",
        &best,
        "--image",
        &image,
        "--prompt",
        "left lung",
        "--device",
        "cpu",
        "--json"
    ];
    assert_eq!(object.json()["tokens"]["read"], serde_json::json!(["left", "lung"]));
    let kept: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(best.join("config.json")).expect("read")).expect("JSON");
    assert_eq!(kept["axes"], "yx");
    assert_eq!(kept["provenance"]["trained"], true);

    // The same seed gives the same run, to the last bit.
    bench.train("again", &["--set", "epochs=3"]).done();
    assert_eq!(bench.reached("again"), bench.reached("run"));

    // A run may start from a bundle; a frozen text encoder keeps its weights.
    let start = format!("start={}", best.display());
    let more = bench.train("on", &["--set", &start, "--set", "epochs=1", "--set", "flip=0.5"]).done().out;
    assert!(numbers(&more, "loss")[0] < losses[0], "{more}");
    let words = |run: &str| {
        let tensors = read_tensors(&bench.path(run).join("best/model.safetensors"));
        tensors["text_encoder.model.bert.embeddings.word_embeddings.weight"].2.clone()
    };
    assert_eq!(words("on"), words("run"));

    // Before its first step the weights that it starts from are scored: they are those of the best epoch.
    let table = fs::read_to_string(bench.path("run/metrics.csv")).expect("a table");
    let rows = table.lines().skip(1).map(|row| row.split(',').collect::<Vec<_>>());
    let best_row = rows.filter(|row| row[12] == "1").last().expect("a best epoch");
    let [loss, pooled, per_image] = [2, 3, 5].map(|column| best_row[column].parse::<f64>().expect("a number"));
    let scores = format!("validation loss {loss:.4}  Dice {pooled:.3} pooled, {per_image:.3} per image");
    let starts = |out: &str| out.lines().find(|line| line.starts_with("start")).expect("the start").to_owned();
    assert!(starts(&more).ends_with(&scores), "{more} {scores}");
    assert!(!said.contains("\nstart"), "random weights are not scored: {said}");
    // A run that spoils the weights says that nothing was gained.
    let spoilt = ["--set", &start, "--set", "epochs=1", "--set", "lr=0.3", "--set", "warmup_epochs=0"];
    let ran = bench.train("spoilt", &spoilt).done();
    let note = "no epoch had a better validation loss than the weights that the run started from";
    assert!(ran.err.contains(note) && ran.err.contains("keep using these"), "{}", ran.err);
    assert!(fs::read_to_string(bench.path("spoilt/log.txt")).expect("a log").contains(note));
    let progress = fs::read_to_string(bench.path("spoilt/last/progress.json")).expect("the progress");
    let progress: serde_json::Value = serde_json::from_str(&progress).expect("JSON");
    assert!((progress["start"]["validation_loss"].as_f64().expect("a loss") - loss).abs() < 1e-6, "{progress}");
}

#[test]
fn a_run_starts_from_a_bundle_with_a_longer_prompt_and_other_words() {
    let bench = Bench::new();
    bench.train("run", &["--set", "epochs=1"]).done();
    let best = bench.path("run/best");
    let old = fs::read_to_string(best.join("vocab.txt")).expect("a vocabulary");
    // The same words in another order, and two new ones before them.
    let mut entries: Vec<&str> = old.lines().collect();
    let special = 5;
    entries[special..].reverse();
    entries.splice(special..special, ["polyp", "endoscopy"]);
    let vocab = bench.path("other.txt");
    fs::write(&vocab, entries.join("\n") + "\n").expect("a vocabulary");
    let mut sizes: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(best.join("config.json")).expect("read")).expect("JSON");
    let tokens = sizes["token_limit"].as_u64().unwrap_or(24);
    let longer = tokens + 6;
    sizes["token_limit"] = longer.into();
    sizes["decoder"]["input_text_length"] = longer.into();
    let most = sizes["text"]["max_position_embeddings"].as_u64().expect("positions");
    sizes["text"]["max_position_embeddings"] = most.max(longer).into();
    sizes["text"]["vocab_size"] = entries.len().into();
    let architecture = bench.path("longer.json");
    fs::write(&architecture, sizes.to_string()).expect("a configuration");
    let set = [
        format!("start={}", best.display()),
        format!("architecture={}", architecture.display()),
        format!("vocab={}", vocab.display()),
    ];
    let mut more = vec!["--set", "epochs=1", "--set", "lr=1e-12", "--set", "min_lr=0", "--set", "weight_decay=0"];
    set.iter().for_each(|setting| more.extend(["--set", setting]));
    let ran = bench.train("on", &more).done();
    let said = format!("{}{}", ran.out, ran.err);
    let carried = format!("the embeddings of {} of {} vocabulary entries", entries.len() - 2, entries.len());
    assert!(said.contains(&carried) && said.contains("the old part of"), "{said}");

    let tensors = |bundle: &Path| read_tensors(&bundle.join("model.safetensors"));
    let (before, after) = (tensors(&best), tensors(&bench.path("on/best")));
    let numbers = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().expect("four"))).collect()
    };
    let key = "text_encoder.model.bert.embeddings.word_embeddings.weight";
    let (old_rows, new_rows) = (numbers(&before[key].2), numbers(&after[key].2));
    let hidden = after[key].1[1];
    for (row, entry) in entries.iter().enumerate() {
        let Some(old_row) = old.lines().position(|old| old == *entry) else { continue };
        let pair = old_rows[old_row * hidden..][..hidden].iter().zip(&new_rows[row * hidden..][..hidden]);
        assert!(pair.into_iter().all(|(old, new)| (old - new).abs() < 1e-6), "{entry}");
    }
    let kept = fs::read_to_string(bench.path("on/best/config.json")).expect("read");
    assert!(kept.contains(" from best, epoch 1"), "the description names the start: {kept}");
    assert_eq!(fs::read_to_string(bench.path("on/best/vocab.txt")).expect("read"), entries.join("\n") + "\n");

    // Another vocabulary alone gets an architecture with room for it.
    let toml = fs::read_to_string(bench.path("run.toml")).expect("settings");
    fs::write(bench.path("run.toml"), toml.lines().skip(1).collect::<Vec<_>>().join("\n")).expect("settings");
    let alone = [format!("start={}", best.display()), format!("vocab={}", vocab.display())];
    bench.train("alone", &["--set", "epochs=1", "--set", &alone[0], "--set", &alone[1]]).done();
    let sizes: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(bench.path("alone/best/config.json")).expect("a bundle"))
            .expect("JSON");
    assert_eq!(sizes["text"]["vocab_size"], entries.len());
}

#[test]
fn passes_that_make_one_step_are_one_large_batch() {
    let bench = Bench::new();
    let start = format!("start={}", bundle().display());
    // A single step gives the loss of the original network; batch statistics and dropout make a small difference.
    let loss = |out: &str, more: &[&str]| {
        let mut all = vec!["--set", &start, "--set", "epochs=1", "--set", "zoom=0"];
        all.extend(more);
        numbers(&bench.train(out, &all).done().out, "loss")[0]
    };
    let whole = loss("whole", &["--set", "batch_size=8"]);
    let parts = loss("parts", &["--set", "batch_size=4", "--set", "accumulate=2"]);
    assert!((whole - parts).abs() < 0.02, "{whole} {parts}");
    let steps = |out: &str| {
        let moments = read_tensors(&bench.path(out).join("last/optimiser.safetensors"));
        let (_, (_, _, bytes)) =
            moments.into_iter().find(|(name, _)| name.starts_with("time.")).expect("a number of steps");
        f32::from_le_bytes(bytes.try_into().expect("one number"))
    };
    assert_eq!((steps("whole"), steps("parts")), (1.0, 1.0));
}

#[test]
fn a_run_killed_at_any_moment_ends_as_the_unbroken_one() {
    let bench = Bench::new();
    // There is a checkpoint after every step, so that runs are also interrupted in the middle of an epoch.
    let settings = ["--set", "epochs=3", "--set", "flip=0.5", "--set", "checkpoint_minutes=1e-9"];
    let begin = std::time::Instant::now();
    bench.train("unbroken", &settings).done();
    let whole = begin.elapsed();
    let unbroken = bench.reached("unbroken");
    let mut random = fastrand::Rng::with_seed(7);
    let mut resumed = 0;
    for attempt in 0..10 {
        let out = format!("broken{attempt}");
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_himix"))
            .args(bench.arguments(&out, &settings))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(whole.mul_f64(random.f64()));
        child.kill().expect("SIGKILL");
        child.wait().expect("ended");
        let folder = bench.path(&out);
        let again = himix!["train", "--resume", &folder, "--device", "cpu"];
        if again.status == 0 {
            resumed += 1;
        } else if again.err.contains("this run is finished") {
            // The run ended before it was killed.
        } else {
            assert!(again.err.contains("start anew") || again.err.contains("no run to resume"), "{}", again.err);
            let _ = fs::remove_dir_all(&folder);
            bench.train(&out, &settings).done();
        }
        assert_eq!(bench.reached(&out), unbroken, "attempt {attempt}");
    }
    assert!(resumed >= 3, "only {resumed} of ten runs were resumed");
}

#[test]
fn what_cannot_be_read_is_left_out_and_named() {
    let bench = Bench::new();
    image::GrayImage::new(20, 20).save(bench.path("train/GTs/mask_3.png")).expect("a mask");
    let whole = fs::read(bench.path("train/Images/5.png")).expect("read");
    fs::write(bench.path("train/Images/5.png"), &whole[..whole.len() / 2]).expect("written");
    let ran = bench.train("run", &["--set", "epochs=1"]).done();
    assert!(ran.err.contains("3.png: 64x48, mask 20x20") && ran.err.contains("5.png"), "{}", ran.err);
    let table = fs::read_to_string(bench.path("run/metrics.csv")).expect("a table");
    let row: Vec<&str> = table.lines().nth(1).expect("a row").split(',').collect();
    assert_eq!((row[8], row[9]), ("6", "0"), "two of eight were left out before the run: {table}");
}

#[test]
fn an_image_that_is_lost_during_an_epoch_is_skipped_and_counted() {
    use himix::train::{Control, Event, TrainConfig, run};
    let bench = Bench::new();
    let config = TrainConfig {
        data: vec![bench.path("")],
        out: bench.path("lost"),
        architecture: Some(bench.path("architecture.json")),
        epochs: 1,
        min_epochs: 1,
        batch_size: 2,
        ..TrainConfig::default()
    };
    let device = himix::device::open(himix::device::DeviceChoice::Cpu);
    let mut said = Vec::new();
    let lost = bench.path("train/Images/6.png");
    run(&config, &device, &Control::default(), &mut |event| match event {
        // The data have been checked by now; the first batch has not been made yet.
        Event::Started { .. } => fs::remove_file(&lost).expect("removed"),
        Event::Warning(text) => said.push(text),
        _ => {}
    })
    .expect("the run goes on");
    assert!(said.iter().any(|text| text.contains("6.png")), "{said:?}");
    let table = fs::read_to_string(bench.path("lost/metrics.csv")).expect("a table");
    let row: Vec<&str> = table.lines().nth(1).expect("a row").split(',').collect();
    assert_eq!(row[9], "1", "{table}");
}

#[test]
fn a_run_on_a_card_is_prepared_and_reaches_the_losses_of_the_cpu() {
    use himix::device::{OpenDevice, cpu};
    use himix::train::{Control, Event, TrainConfig, run};
    let bench = Bench::new();
    // Dropout draws other numbers in a batch that is not divided.
    let mut still = config();
    still["decoder"]["dropout"] = 0.0.into();
    fs::write(bench.path("still.json"), still.to_string()).expect("a configuration");
    let first = TrainConfig {
        data: vec![bench.path("")],
        out: bench.path("first"),
        architecture: Some(bench.path("still.json")),
        epochs: 1,
        min_epochs: 1,
        batch_size: 4,
        ..TrainConfig::default()
    };
    run(&first, &cpu(), &Control::default(), &mut |_| ()).expect("a start");
    let trained = |out: &str, batch_size: usize, device: OpenDevice| {
        let start = Some(bench.path("first/best"));
        let config = TrainConfig { start, out: bench.path(out), batch_size, ..first.clone() };
        let (mut told, mut steps) = (Vec::new(), 0);
        let best = run(&config, &device, &Control::default(), &mut |event| match event {
            Event::Preparing(text) => told.push(text),
            Event::Step { .. } => steps += 1,
            _ => {}
        });
        (best.expect("a run").expect("an epoch"), told, steps)
    };
    // The CPU stands for a card: what differs is how the run goes about it.
    let card = || OpenDevice { name: "card".into(), is_gpu: true, ..cpu() };
    let (expected, told, _) = trained("on-cpu", 4, cpu());
    assert!(told.iter().all(|text| !text.contains("GPU")), "{told:?}");
    let (found, told, steps) = trained("on-card", 4, card());
    let percents: Vec<&String> = told.iter().filter(|text| text.contains("making the GPU ready")).collect();
    assert!(percents.len() > 2 && percents[0].ends_with("ready, 0 %"), "{told:?}");
    assert_eq!(steps, 2);
    for (found, expected) in [
        (found.train_loss, expected.train_loss),
        (found.validation_loss, expected.validation_loss),
        (found.pooled_dice, expected.pooled_dice),
    ] {
        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
    }
    let log = fs::read_to_string(bench.path("on-card/log.txt")).expect("a log");
    assert!(log.contains("memory of card without its driver") && log.contains("GiB estimated"), "{log}");
    // The last pass of three images has two of its own and one of the first.
    let (epoch, _, steps) = trained("filled", 3, card());
    assert_eq!((epoch.images, epoch.skipped, steps), (8, 0, 3));
    assert!(epoch.train_loss.is_finite() && epoch.validation_loss.is_finite());
}

#[test]
fn data_that_cannot_be_trained_on() {
    let bench = Bench::new();
    let train = |more: &[&str]| bench.train("out", more);
    for index in 0..8 {
        image::GrayImage::new(64, 48).save(bench.path(&format!("train/GTs/mask_{index}.png"))).expect("a mask");
    }
    train(&[]).failed(2, &["none of the 8 masks of split train has foreground"]);
    fs::remove_dir_all(bench.path("train/GTs")).expect("removed");
    train(&[]).failed(2, &["split train has images but no masks"]);
    fs::remove_dir_all(bench.path("train")).expect("removed");
    fs::remove_dir_all(bench.path("val")).expect("removed");
    fs::remove_dir_all(bench.path("prompt")).expect("removed");
    train(&[]).failed(2, &["no images were found"]);
}

#[test]
fn normal_cases_beside_others() {
    let bench = Bench::new();
    let normal = bench.path("normal");
    data_set(&normal);
    for (split, count) in [("train", 8), ("val", 4)] {
        for index in 0..count {
            image::GrayImage::new(64, 48)
                .save(normal.join(format!("{split}/GTs/mask_{index}.png")))
                .expect("a mask");
        }
    }
    let run_on = |data: &[PathBuf], out: &str, more: &[&str]| {
        let mut arguments: Vec<OsString> =
            ["train", "--device", "cpu", "--set", "epochs=1"].map(Into::into).to_vec();
        arguments.extend([
            "--config".into(),
            bench.path("run.toml").into(),
            "--out".into(),
            bench.path(out).into(),
        ]);
        for path in data {
            arguments.extend(["--data".into(), path.into()]);
        }
        arguments.extend(more.iter().map(Into::into));
        run(arguments)
    };
    let both = run_on(&[normal.clone(), bench.path("")], "both", &[]).done();
    // The images without a lesion are counted and reported apart.
    let table = fs::read_to_string(bench.path("both/metrics.csv")).expect("a table");
    assert_eq!(column(&table, "empty_truths"), ["4"]);
    let number = |name: &str| column(&table, name)[0].parse::<f64>().unwrap_or_else(|_| panic!("{name}: {table}"));
    assert!((0.0..=1.0).contains(&number("false_positive_area")));
    // Of eight images, half have a lesion; the others count 0 or 1.
    let others = 2.0 * number("dice_per_image") - number("dice_lesions");
    assert!((others * 4.0 - (others * 4.0).round()).abs() < 1e-6, "{table}");
    assert!(both.out.contains("16 cases to train on, 8 to validate on"), "{}", both.out);
    for (split, count) in [("train", 8), ("val", 4)] {
        let words = format!("normal, split {split}: not one of its {count} masks has foreground");
        assert!(both.err.contains(&words) && both.err.contains("normal cases"), "{}", both.err);
    }
    let phantoms = ["--set", "phantoms=4"];
    let with_phantoms = run_on(std::slice::from_ref(&normal), "phantoms", &phantoms).done();
    assert!(with_phantoms.err.contains("normal cases"), "{}", with_phantoms.err);
    let refusal = "none of the 8 masks of split train has foreground";
    run_on(std::slice::from_ref(&normal), "alone", &[]).failed(2, &[refusal]);
    run_on(&[normal.clone(), normal.clone()], "twice", &[]).failed(2, &[refusal]);
    assert!(!bench.path("alone").exists() && !bench.path("twice").exists());
}

/// A limit on the size of files simulates a full disk: the write fails in the same place.
#[cfg(unix)]
#[test]
fn a_disk_without_room_ends_the_run_and_keeps_the_last_good_checkpoint() {
    let bench = Bench::new();
    bench.train("out", &["--set", "epochs=1"]).done();
    let kept = fs::read(bench.path("out/last/model.safetensors")).expect("a checkpoint");
    let config = fs::read_to_string(bench.path("out/config.toml")).expect("settings");
    fs::write(bench.path("out/config.toml"), config.replace("epochs = 1\n", "epochs = 3\n")).expect("written");
    // The run of one epoch is finished; the record of that is reverted, so that it continues.
    let progress = bench.path("out/last/progress.json");
    let mut state: serde_json::Value =
        serde_json::from_slice(&fs::read(&progress).expect("progress")).expect("an object");
    state["ended"] = serde_json::Value::Null;
    fs::write(&progress, state.to_string()).expect("written");
    let out = std::process::Command::new("bash")
        .args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "bash", env!("CARGO_BIN_EXE_himix")])
        .args(["train", "--resume", &bench.path("out").to_string_lossy(), "--device", "cpu"])
        .output()
        .expect("the program starts");
    let err = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(1), "{err}");
    assert!(err.contains("cannot be written") && err.contains("make room"), "{err}");
    assert_eq!(fs::read(bench.path("out/last/model.safetensors")).expect("a checkpoint"), kept);
    himix!["train", "--resume", bench.path("out"), "--device", "cpu"].done();
}

#[test]
fn weights_that_the_last_step_of_an_epoch_spoils_do_not_replace_the_last_good_ones() {
    let bench = Bench::new();
    // An epoch is one step, so that the spoilt weights show first in the validation.
    bench.train("out", &["--set", "epochs=1", "--set", "batch_size=8"]).done();
    let weights =
        || ["best", "last"].map(|name| fs::read(bench.path("out").join(name).join("model.safetensors")).ok());
    let kept = weights();
    let good = fs::read_to_string(bench.path("out/config.toml")).expect("settings");
    let good = good.replace("epochs = 1\n", "epochs = 3\n");
    let bad = good.replace("\nlr = 0.001\n", "\nlr = 1e30\n");
    assert_ne!(good, bad);
    fs::write(bench.path("out/config.toml"), bad).expect("written");
    let progress = bench.path("out/last/progress.json");
    let mut state: serde_json::Value =
        serde_json::from_slice(&fs::read(&progress).expect("progress")).expect("an object");
    state["ended"] = serde_json::Value::Null;
    fs::write(&progress, state.to_string()).expect("written");
    let resume = || himix!["train", "--resume", bench.path("out"), "--device", "cpu"];
    resume().failed(1, &["the loss became NaN in epoch 2", "smaller lr"]);
    assert!(weights() == kept);
    fs::write(bench.path("out/config.toml"), good).expect("written");
    resume().done();
}

#[test]
fn a_folder_that_goes_away_ends_the_run_with_a_message() {
    let bench = Bench::new();
    let settings = ["--set", "epochs=200", "--set", "checkpoint_minutes=1e-9"];
    let child = std::process::Command::new(env!("CARGO_BIN_EXE_himix"))
        .args(bench.arguments("run", &settings))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    let last = bench.path("run/last");
    while !last.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    fs::rename(bench.path("run"), bench.path("elsewhere")).expect("moved");
    let output = child.wait_with_output().expect("ended");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be written") && said.contains("choose another run folder"), "{said}");
    assert!(!said.contains("panick"), "{said}");
    // The run can continue with the new location.
    let moved = bench.path("elsewhere");
    let text =
        fs::read_to_string(moved.join("config.toml")).expect("settings").replace("epochs = 200", "epochs = 1");
    fs::write(moved.join("config.toml"), text).expect("written");
    let ran = himix!["train", "--resume", &moved, "--device", "cpu"].done();
    assert!(ran.out.contains("The run ended"), "{}", ran.out);
}

#[test]
fn settings_and_data_that_do_not_do() {
    let bench = Bench::new();
    let train = |more: &[&str]| bench.train("out", more);
    train(&["--set", "epoch=3"]).failed(2, &["'epoch'", "'epochs'"]);
    train(&["--set", "epochs"]).failed(2, &["KEY=VALUE"]);
    train(&["--set", "batch_size=0"]).failed(2, &["batch_size"]);
    train(&["--set", "lr=fast"]).failed(2, &["lr=fast"]);
    train(&["--set", "batch_size=10000000"]).failed(2, &["batch_size = ", "accumulate = ", "GiB"]);
    train(&["--set", "train_split=nowhere"]).failed(2, &["no split 'nowhere'", "train"]);
    himix!["train", "--config", "no-such.toml", "--out", bench.path("out")].failed(2, &["no-such.toml"]);
    himix!["train", "--out", bench.path("out")].failed(2, &["data"]);
    himix!["train", "--resume", bench.path("nowhere")].failed(2, &["no run to resume"]);
    fs::write(bench.path("odd.toml"), "learning_rat = 3\n").expect("written");
    himix!["train", "--config", bench.path("odd.toml"), "--out", bench.path("out")]
        .failed(2, &["odd.toml", "learning_rat"]);
    train(&["--set", "epochs=1"]).done();
    train(&["--set", "epochs=1"]).failed(2, &["there is a run in this folder already"]);
    himix!["train", "--resume", bench.path("out"), "--device", "cpu"].failed(2, &["this run is finished"]);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run() {
    let bench = Bench::new();
    let ran = bench.train("run", &["--set", "epochs=4", "--set", "lr=1e30"]);
    ran.failed(1, &["NaN", "epoch", "step", "lr"]);
}
