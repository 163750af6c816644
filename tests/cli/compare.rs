//! `himix compare`, and the predictions of `himix evaluate`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::evaluate::data_set;
use crate::files::folder;
use crate::model::{bundle, read_tensors, write_tensors};
use crate::program::{Ran, himix};

/// The small model with the signs of its last layer changed: its probabilities are one less those of the other.
fn opposite() -> &'static Path {
    static BUNDLE: OnceLock<PathBuf> = OnceLock::new();
    BUNDLE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("opposite-bundle");
        fs::create_dir_all(&folder).expect("a folder");
        for name in ["config.json", "vocab.txt"] {
            fs::copy(bundle().join(name), folder.join(name)).expect("copied");
        }
        let mut tensors = read_tensors(&bundle().join("model.safetensors"));
        let mut changed = 0;
        for (_, (_, _, bytes)) in tensors.iter_mut().filter(|(name, _)| name.starts_with("out.conv")) {
            // The sign is the highest bit of the last of four bytes.
            bytes.iter_mut().skip(3).step_by(4).for_each(|byte| *byte ^= 0x80);
            changed += 1;
        }
        assert!(changed > 0, "the last layer has another name");
        write_tensors(&folder.join("model.safetensors"), &tensors);
        folder
    })
}

/// Makes the option of a network with a name.
fn named(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(format!("{name}="));
    text.push(path);
    text
}

/// Compares on the data set in `root`.
fn compare(root: &Path, out: &Path, more: Vec<OsString>) -> Ran {
    let mut arguments: Vec<OsString> = ["compare", "--device", "cpu", "--data"].map(Into::into).to_vec();
    arguments.extend([root.into(), "--split".into(), "test".into(), "--out".into(), out.into()]);
    arguments.extend(more);
    crate::program::run(arguments)
}

fn of<'a>(object: &'a Value, name: &str) -> &'a Value {
    let networks = object["networks"].as_array().expect("networks");
    networks.iter().find(|network| network["network"] == name).expect(name)
}

fn rows(path: &Path) -> Vec<csv::StringRecord> {
    let mut table = csv::Reader::from_path(path).expect("a table");
    table.records().map(|row| row.expect("a row")).collect()
}

/// Copies the masks of the data set, which are 0 and 255, as the predictions of a network that is always right.
fn right(root: &Path) -> PathBuf {
    let folder = root.join("right");
    fs::create_dir(&folder).expect("a folder");
    for index in 0..3 {
        let mask = root.join(format!("test/GTs/mask_{index}.png"));
        fs::copy(mask, folder.join(format!("{index}.png"))).expect("copied");
    }
    folder
}

#[test]
fn networks_are_compared_from_start_to_figure_and_again_from_what_was_kept() {
    let folder = folder();
    let root = folder.path();
    data_set(root);
    let (right, out) = (right(root), root.join("new/compared"));
    let all = || -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["--model".into(), named("A", bundle())];
        all.extend(["--model".into(), named("B", opposite()), "--predictions".into(), named("C", &right)]);
        all.extend(["--json", "--figure", "2.png,0", "--published", "qata"].map(Into::into));
        all
    };
    let object = compare(root, &out, all()).json();
    assert_eq!((&object["count"], &object["figure"]), (&3.into(), &serde_json::json!(["2.png", "0.png"])));
    for name in ["table.md", "table.csv", "table.tex", "pairs.csv", "figure.svg", "figure.png", "figure.csv"] {
        assert!(out.join(name).is_file(), "{name}");
    }

    // A network that is always right, and scores that follow from the rows.
    let c = of(&object, "C");
    assert_eq!((&c["pooled"]["dice"], &c["per_image"]["iou"]["mean"]), (&1.0.into(), &1.0.into()));
    assert!(
        c["parameters"].is_null() && c["notes"][0].as_str().is_some_and(|note| note.contains("no description"))
    );
    let scores = rows(&out.join("scores.csv"));
    assert_eq!(scores.len(), 9);
    let sum = |network: &str, column: usize| -> f64 {
        let rows = scores.iter().filter(|row| &row[0] == network);
        rows.map(|row| row[column].parse::<f64>().expect("a count")).sum()
    };
    for network in ["A", "B", "C"] {
        let [tp, fp, fn_] = [6, 7, 8].map(|column| sum(network, column));
        let (dice, iou) = (2.0 * tp / (2.0 * tp + fp + fn_), tp / (tp + fp + fn_));
        let pooled = &of(&object, network)["pooled"];
        for (found, expected) in [(&pooled["dice"], dice), (&pooled["iou"], iou)] {
            assert!((found.as_f64().expect("a score") - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }
    // What one finds, the other leaves.
    assert_eq!((sum("A", 6), sum("A", 7)), (sum("B", 8), sum("B", 9)));
    let a = of(&object, "A");
    assert!(a["parameters"].as_u64().is_some_and(|count| count > 1000));
    assert!(a["gflop"].as_f64().is_some_and(|gflop| gflop > 0.0));
    assert!(a["milliseconds"].as_f64().is_some_and(|time| time > 0.0));
    let pairs = object["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 3);
    assert_eq!((&pairs[1]["reference"], &pairs[1]["network"]), (&"A".into(), &"C".into()));
    assert_eq!((&pairs[1]["images_better"], &pairs[1]["images_worse"]), (&3.into(), &0.into()));
    let differences = rows(&out.join("differences.csv"));
    let of_pair = differences.iter().filter(|row| &row[0] == "A" && &row[1] == "C");
    let values: Vec<f64> = of_pair.map(|row| row[5].parse().expect("a number")).collect();
    assert!(values.len() == 3 && values.is_sorted(), "{values:?}");
    // The evaluation of one model finds the same.
    let evaluated =
        himix!["evaluate", "--device", "cpu", "--model", bundle(), "--data", root, "--split", "test", "--json"]
            .json();
    for (convention, score) in [("pooled", "dice"), ("pooled", "iou")] {
        let [one, other] = [&evaluated, a].map(|object| object[convention][score].as_f64().expect("a score"));
        assert!((one - other).abs() < 1e-12, "{one} {other}");
    }
    let mean = |object: &Value| object["per_image"]["dice"]["mean"].as_f64().expect("a score");
    assert!((mean(&evaluated) - mean(a)).abs() < 1e-12);
    // No name of these networks is in the table of published scores.
    let table = fs::read_to_string(out.join("table.md")).expect("text");
    assert!(table.contains("Dice per image") && !table.contains("Dice published"), "{table}");

    // Once more: nothing is predicted, and a file that is gone is made again to the same bytes.
    let kept = out.join("predictions/A");
    let manifest: Value =
        serde_json::from_slice(&fs::read(kept.join("predictions.json")).expect("read")).expect("JSON");
    assert_eq!((&manifest["bits"], &manifest["split"]), (&16.into(), &"test".into()));
    assert_eq!(manifest["cases"][1]["prompt"], "two areas, right lung");
    let before = fs::read(kept.join("1.png")).expect("read");
    fs::remove_file(kept.join("1.png")).expect("removed");
    let again = compare(root, &out, all()).done();
    assert!(again.err.contains("5 masks were already made"), "{}", again.err);
    assert_eq!(fs::read(kept.join("1.png")).expect("read"), before);
    let again: Value = serde_json::from_str(&again.out).expect("JSON");
    assert_eq!(again["pairs"], object["pairs"]);
    // Another model of the same name is not mixed with it.
    let mut other: Vec<OsString> = vec!["--model".into(), named("A", opposite())];
    other.push("--json".into());
    compare(root, &out, other).failed(2, &["predictions/A", "of another model"]);
}

#[test]
fn predictions_of_an_evaluation_take_part_without_their_model() {
    let folder = folder();
    let root = folder.path();
    data_set(root);
    let kept = root.join("kept/A");
    let evaluated = himix![
        "evaluate",
        "--device",
        "cpu",
        "--model",
        bundle(),
        "--data",
        root,
        "--split",
        "test",
        "--threshold",
        "0.4",
        "--predictions",
        &kept,
        "--json"
    ]
    .json();
    let arguments = |threshold: &str| -> Vec<OsString> {
        vec!["--predictions".into(), kept.clone().into(), "--threshold".into(), threshold.into(), "--json".into()]
    };
    let object = compare(root, &root.join("out"), arguments("0.4")).json();
    let a = of(&object, "A");
    // To the last bit: rounding to 16 bits moves no pixel across the threshold of the evaluation.
    assert_eq!(a["pooled"]["dice"], evaluated["pooled"]["dice"]);
    assert!(a["parameters"].as_u64().is_some() && a["milliseconds"].is_null());
    assert!(!root.join("out/predictions").exists(), "no model, nothing to keep");
    let object = compare(root, &root.join("out"), arguments("0.6")).json();
    let notes = of(&object, "A")["notes"].to_string();
    assert!(notes.contains("Its own threshold is 0.4; it is compared at 0.6"), "{notes}");
    himix![
        "evaluate",
        "--device",
        "cpu",
        "--model",
        bundle(),
        "--data",
        root,
        "--split",
        "test",
        "--shuffle-prompts",
        "1",
        "--predictions",
        &kept
    ]
    .failed(2, &["shuffled prompts"]);
}

#[test]
fn phantoms_need_no_data_set() {
    let folder = folder();
    let out = folder.path().join("out");
    let mut arguments: Vec<OsString> =
        ["compare", "--device", "cpu", "--phantoms", "3", "--seed", "4"].map(Into::into).to_vec();
    arguments.extend(["--kind", "ct", "--side", "64", "--out"].map(Into::into));
    arguments.extend([out.clone().into(), "--model".into(), named("A", bundle())]);
    let text = crate::program::run(arguments.clone()).done().out;
    assert!(text.contains("phantoms, seed 4, side 64: 3 images at threshold 0.5"), "{text}");
    assert!(text.contains("| Network | Images | Dice pooled |") && !text.contains(" less A"), "{text}");
    let figure = fs::read_to_string(out.join("figure.svg")).expect("text");
    assert!(figure.contains("ct_00001.png") && figure.contains("Synthetic images of seed 4"));
    // Another seed has other images of the same names, so that what was kept is not taken for theirs.
    arguments.push("--seed=5".into());
    let seed = arguments.iter().position(|argument| argument == "--seed").expect("the seed");
    arguments.drain(seed..seed + 2);
    crate::program::run(arguments).failed(2, &["predictions/A", "another split"]);
}

#[test]
fn what_cannot_be_compared_is_refused_before_a_model_is_opened() {
    let folder = folder();
    let root = folder.path();
    data_set(root);
    let (right, out) = (right(root), root.join("out"));
    let with = |path: &Path| vec!["--predictions".into(), named("C", path)];
    compare(root, &out, Vec::new()).failed(2, &["nothing to compare"]);
    compare(root, &out, vec!["--model".into(), named("A", &root.join("gone"))]).failed(2, &["gone"]);
    let twice = [with(&right), with(&right)].concat();
    compare(root, &out, twice).failed(2, &["two networks have the name C"]);
    let figure = [with(&right), vec!["--figure".into(), "7.png".into()]].concat();
    compare(root, &out, figure).failed(2, &["there is no case 7.png", "0.png"]);
    let set = [with(&right), vec!["--published".into(), "coco".into()]].concat();
    compare(root, &out, set).refused(&["coco", "qata, mosmed or kvasir"]);

    fs::rename(right.join("2.png"), right.join("3.png")).expect("renamed");
    compare(root, &out, with(&right)).failed(
        2,
        &["1 of the 3 images has no prediction (2.png)", "1 prediction is of no image of the data set (3.png)"],
    );
    fs::copy(right.join("0.png"), right.join("2.png")).expect("copied");
    fs::remove_file(right.join("3.png")).expect("removed");
    compare(root, &out, with(&right)).failed(2, &["2.png", "60x48", "80x48"]);
    image::RgbImage::new(80, 48).save(right.join("2.png")).expect("written");
    compare(root, &out, with(&right)).failed(2, &["2.png", "colours", "grey PNG of 8 or 16 bits"]);
    compare(root, &out, with(&root.join("test"))).failed(2, &["no predictions in it"]);
    himix!["compare", "--model", bundle(), "--out", &out].refused(&["--data"]);
}
