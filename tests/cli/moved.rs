//! `himix train --resume` after the data were moved, changed or lost.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::folder;
use crate::model::config;
use crate::program::{Ran, run};
use crate::train::data_set;

/// A home folder with a data set, an architecture, and a run of two epochs that was stopped after the first.
struct Stopped {
    folder: tempfile::TempDir,
}

impl Stopped {
    fn new() -> Self {
        let folder = folder();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join("lungs")).expect("a folder");
        data_set(&home.join("lungs"));
        fs::write(home.join("architecture.json"), config().to_string()).expect("a configuration");
        let stopped = Self { folder };
        stopped.begin("run", 1).done();
        edit(&home.join("run/config.toml"), "epochs = 1\n", "epochs = 2\n");
        // The run of one epoch is finished; the record of that is reverted.
        let progress = home.join("run/last/progress.json");
        let mut state: Value = serde_json::from_slice(&fs::read(&progress).expect("progress")).expect("an object");
        state["ended"] = Value::Null;
        fs::write(&progress, state.to_string()).expect("written");
        stopped
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn begin(&self, out: &str, epochs: usize) -> Ran {
        let home = self.path("home");
        let mut arguments: Vec<OsString> = vec!["train".into(), "--device".into(), "cpu".into()];
        arguments.extend(["--data".into(), home.join("lungs").into(), "--out".into(), home.join(out).into()]);
        let architecture = format!("architecture={}", home.join("architecture.json").display());
        for setting in [architecture, format!("epochs={epochs}"), "batch_size=4".into(), "lr=1e-3".into()] {
            arguments.extend(["--set".into(), setting.into()]);
        }
        run(arguments)
    }

    fn resume(&self, folder: &str, data: &[PathBuf]) -> Ran {
        let mut arguments: Vec<OsString> = vec!["train".into(), "--device".into(), "cpu".into()];
        arguments.extend(["--resume".into(), self.path(folder).into()]);
        for path in data {
            arguments.extend(["--data".into(), path.into()]);
        }
        run(arguments)
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("a text");
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).expect("written");
}

fn weights(run: &Path) -> Vec<u8> {
    fs::read(run.join("last/model.safetensors")).expect("weights")
}

#[test]
fn a_run_goes_on_where_its_data_went() {
    let bench = Stopped::new();
    bench.begin("unbroken", 2).done();
    let unbroken = weights(&bench.path("home/unbroken"));
    fs::rename(bench.path("home/lungs"), bench.path("lungs-moved")).expect("moved");
    let old = bench.path("home/lungs").display().to_string();
    bench.resume("home/run", &[]).refused(&["is not there any more", &old, "--data DIR", "home/run"]);
    let twice = [bench.path("lungs-moved"), bench.path("lungs-moved")];
    bench.resume("home/run", &twice).refused(&["1 data set (", "not 2"]);
    // With the rows of the table in another order the pairs are the same, and they are shuffled as before.
    let table = bench.path("lungs-moved/prompt/train.csv");
    let text = fs::read_to_string(&table).expect("a table");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].reverse();
    fs::write(&table, lines.join("\n")).expect("written");
    let ran = bench.resume("home/run", &[bench.path("lungs-moved")]).done();
    assert!(!ran.err.contains("note"), "{}", ran.err);
    assert!(weights(&bench.path("home/run")) == unbroken, "the same weights as the unbroken run");
    let record: Value =
        serde_json::from_slice(&fs::read(bench.path("home/run/data.json")).expect("a record")).expect("JSON");
    assert_eq!(record["data"][0]["absolute"], bench.path("lungs-moved").display().to_string());
    assert_eq!(record["data"][0]["relative"], "../../lungs-moved");
    assert_eq!(record["data"][0]["train"][3]["name"], "3.png", "in the order of the beginning");
    assert_eq!(record["data"][0]["validation"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_run_that_moved_with_its_data_finds_them() {
    let bench = Stopped::new();
    fs::rename(bench.path("home"), bench.path("archive")).expect("moved");
    // The record of an older version does not say how masks were read.
    let path = bench.path("archive/run/data.json");
    let mut record: Value = serde_json::from_slice(&fs::read(&path).expect("a record")).expect("JSON");
    let reading = record["data"][0].as_object_mut().expect("a data set").remove("reading").expect("a reading");
    fs::write(&path, record.to_string()).expect("written");
    let ran = bench.resume("archive/run", &[]).done();
    assert!(ran.err.contains("no record of how its masks were read"), "{}", ran.err);
    let record: Value = serde_json::from_slice(&fs::read(&path).expect("a record")).expect("JSON");
    assert_eq!(record["data"][0]["reading"], reading, "from now on it does");
    assert!(ran.out.contains("8 cases to train on, 4 to validate on"), "{}", ran.out);
}

#[test]
fn other_data_are_refused_and_named() {
    let bench = Stopped::new();
    let lungs = bench.path("home/lungs");
    let kept = weights(&bench.path("home/run"));
    let exchanged = |path: &str, other: &str, parts: &[&str]| {
        let whole = fs::read(lungs.join(path)).expect("a file");
        fs::copy(lungs.join(other), lungs.join(path)).expect("copied");
        let refused = ["home/run", "not those that the run was begun with", "lungs, "];
        bench.resume("home/run", &[]).refused(&[&refused[..], parts].concat());
        fs::write(lungs.join(path), whole).expect("restored");
    };
    exchanged("train/Images/2.png", "train/Images/4.png", &["8 train pairs: 1 with another image (2.png)"]);
    exchanged("val/GTs/mask_1.png", "val/GTs/mask_3.png", &["4 validation pairs: 1 with another mask (1.png)"]);
    edit(&lungs.join("prompt/train.csv"), "5.png,\"one", "5.png,\"two");
    bench.resume("home/run", &[]).refused(&["1 with another prompt (5.png)"]);
    edit(&lungs.join("prompt/train.csv"), "5.png,\"two", "5.png,\"one");
    for name in ["1.png", "3.png", "6.png", "7.png"] {
        fs::rename(lungs.join("train/Images").join(name), lungs.join("train/Images").join(format!("{name}.lost")))
            .expect("renamed");
    }
    bench.resume("home/run", &[]).refused(&["4 missing (1.png, 3.png, 6.png, …)"]);
    for name in ["1.png", "3.png", "6.png", "7.png"] {
        fs::rename(lungs.join("train/Images").join(format!("{name}.lost")), lungs.join("train/Images").join(name))
            .expect("renamed");
    }
    // The files are the same, but other masks would be read from them.
    fs::write(lungs.join("himix-data.toml"), "labels = [255]\n").expect("written");
    let now = "lungs is read otherwise (before: the usual way; now: foreground is label 255)";
    bench.resume("home/run", &[]).refused(&["home/run", now]);
    fs::remove_file(lungs.join("himix-data.toml")).expect("removed");
    edit(&bench.path("home/run/config.toml"), "mask_rule = \"found\"", "mask_rule = \"half\"");
    bench.resume("home/run", &[]).refused(&["now: foreground is above half of the range"]);
    edit(&bench.path("home/run/config.toml"), "mask_rule = \"half\"", "mask_rule = \"found\"");
    // Another data set under --data.
    let other = bench.path("other");
    fs::create_dir_all(&other).expect("a folder");
    data_set(&other);
    fs::copy(other.join("train/Images/1.png"), other.join("train/Images/0.png")).expect("copied");
    bench.resume("home/run", &[other]).refused(&["1 with another image (0.png)"]);
    assert!(weights(&bench.path("home/run")) == kept, "nothing was trained");

    // A folder of an older version has no record of its pairs.
    fs::remove_file(bench.path("home/run/data.json")).expect("removed");
    let ran = bench.resume("home/run", &[]).done();
    assert!(ran.err.contains("could not be compared"), "{}", ran.err);
    assert!(bench.path("home/run/data.json").exists(), "from now on it does");
}
