//! `himix robustness`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::folder;
use crate::model::{bundle, picture};
use crate::program::{Ran, himix};

const ROWS: [(&str, &str); 4] = [
    ("sub-S1_a.png", "Unilateral pulmonary infection, one infected area, lower left lung."),
    ("sub-S1_b.png", "Bilateral pulmonary infection, two infected areas, upper left lung and lower right lung."),
    ("c.png", "left lung"),
    ("c.png", "banana"),
];

/// Writes three images and masks in the authors' layout; the last image has two prompts.
fn data_set(root: &Path) {
    for part in ["prompt", "test/Images", "test/GTs"] {
        fs::create_dir_all(root.join(part)).expect("a folder");
    }
    let mut table = "Image,Description\n".to_owned();
    for (name, prompt) in ROWS {
        picture(60, 48).save(root.join("test/Images").join(name)).expect("a picture");
        let mask = image::GrayImage::from_fn(60, 48, |x, y| image::Luma([if x + 2 * y > 60 { 255 } else { 0 }]));
        mask.save(root.join("test/GTs").join(name)).expect("a mask");
        table += &format!("{name},\"{prompt}\"\n");
    }
    fs::write(root.join("prompt/test.csv"), table).expect("a table");
}

fn robustness(root: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> =
        ["robustness", "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.extend([bundle().into(), "--data".into(), root.into(), "--split".into(), "test".into()]);
    arguments.extend(["--out".into(), out.into()]);
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

fn form<'a>(object: &'a Value, name: &str) -> &'a Value {
    object["forms"].as_array().expect("forms").iter().find(|form| form["form"] == name).expect(name)
}

#[test]
fn a_study_from_start_to_tables_and_again_from_a_cut_record() {
    let folder = folder();
    data_set(folder.path());
    let out = folder.path().join("new/study");
    let forms = ["--forms", "augmented,empty,count-changed,description", "--seed", "5", "--json"];
    let ran = robustness(folder.path(), &out, &forms).done();
    assert!(ran.err.contains("1 image with several prompts (c.png: 2)"), "{}", ran.err);
    let object: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!((&object["count"], &object["seed"]), (&3.into(), &5.into()));
    let names: Vec<&str> =
        object["forms"].as_array().expect("forms").iter().filter_map(|form| form["form"].as_str()).collect();
    assert_eq!(names, ["structured", "augmented", "empty", "count-changed", "description"]);
    let changed = form(&object, "count-changed");
    assert_eq!((&changed["images"], &changed["masks"]), (&2.into(), &2.into()));
    assert_eq!(changed["not_made"], serde_json::json!(["c.png"]));
    assert_eq!(form(&object, "structured")["masks"], 4);
    assert_eq!(form(&object, "structured")["difference"], Value::Null);
    assert_eq!(form(&object, "empty")["difference"]["pooled_dice"]["subjects"], 2);
    // The pooled score follows from the rows.
    let mut rows = csv::Reader::from_path(out.join("scores.csv")).expect("the table");
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 4 * 5);
    let empty = rows.iter().filter(|row| &row[3] == "empty");
    let sum =
        empty.fold([0.0; 3], |sum, row| [0, 1, 2].map(|i| sum[i] + row[8 + i].parse::<f64>().expect("a count")));
    let dice = 2.0 * sum[0] / (2.0 * sum[0] + sum[1] + sum[2]);
    let found = form(&object, "empty")["pooled"]["dice"].as_f64().expect("a score");
    assert!((found - dice).abs() < 1e-12, "{found} is not {dice}");
    for name in ["table.md", "table.csv", "table.tex", "worst.csv", "figure.svg", "figure.png", "study.json"] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let table = fs::read_to_string(out.join("table.md")).expect("text");
    assert!(table.contains("Pratt's rule") && table.contains("looks at the answer"), "{table}");

    // The record is cut in the middle of a row; the rest is computed again to the same bytes and the same result.
    let record = out.join("scores.csv");
    let whole = fs::read(&record).expect("the record");
    fs::write(&record, &whole[..whole.len() - 100]).expect("written");
    let again = robustness(folder.path(), &out, &forms).done();
    assert!(again.err.contains("2 of 3 images were already scored"), "{}", again.err);
    assert_eq!((fs::read(&record).expect("the record"), again.out), (whole.clone(), ran.out));
    robustness(folder.path(), &out, &["--forms", "empty"]).failed(2, &["scores.csv", "differing in the forms"]);
    robustness(folder.path(), &out, &[&forms[..2], &["--seed", "6"]].concat())
        .failed(2, &["differing in the seed"]);
    assert_eq!(fs::read(&record).expect("the record"), whole, "a refusal changes nothing");
    let text = robustness(folder.path(), &out, &forms[..4]).done().out;
    assert!(text.contains("3 images at threshold 0.5, seed 5") && text.contains("count-changed"), "{text}");
}

#[test]
fn what_cannot_be_studied_is_refused() {
    let folder = folder();
    data_set(folder.path());
    let out = folder.path().join("study");
    robustness(folder.path(), &out, &["--forms", "empty,sideways"]).refused(&["sideways", "side-swapped"]);
    robustness(folder.path(), &out, &["--threshold", "2"]).refused(&["0 to 1"]);
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    robustness(folder.path(), &file.join("study"), &[]).failed(1, &["file", "choose another"]);
    robustness(&folder.path().join("nowhere"), &out, &[]).failed(2, &["nowhere"]);
    // Rows without a prompt are no obstacle: only what needs no words is made.
    fs::write(folder.path().join("prompt/test.csv"), "Image,Description\nc.png,\nsub-S1_a.png, \n")
        .expect("written");
    let object = robustness(folder.path(), &out, &["--forms", "augmented,shuffled,irrelevant", "--json"]).json();
    assert_eq!((&object["count"], &form(&object, "augmented")["masks"]), (&2.into(), &0.into()));
    assert_eq!(form(&object, "shuffled")["not_made"], serde_json::json!(["c.png", "sub-S1_a.png"]));
    assert_eq!(form(&object, "irrelevant")["masks"], 2);
}

#[test]
fn help_names_every_form() {
    let help = himix!["robustness", "--help"].done().out;
    for form in himix::infer::robustness::Form::ALL {
        assert!(help.contains(&format!("\n{} ", form.name())), "{} is not in the help", form.name());
    }
}
