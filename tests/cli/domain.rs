//! `himix domain`, and what `himix predict` and `himix info` say of it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::folder;
use crate::model::{bundle, put_picture};
use crate::presence::copied;
use crate::program::{Ran, himix};

fn domain(task: &str, model: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<std::ffi::OsString> =
        ["domain", task, "--device", "cpu", "--model"].map(Into::into).to_vec();
    arguments.push(model.into());
    arguments.extend(more.iter().map(Into::into));
    crate::program::run(arguments)
}

#[test]
fn a_summary_is_stored_and_said_of_every_picture() {
    let folder = folder();
    let (model, image) = (copied(folder.path()), put_picture(&folder, "chest.png", 64, 64));
    let predict = || {
        himix![
            "predict",
            "--device",
            "cpu",
            "--model",
            &model,
            "--image",
            &image,
            "--prompt",
            "left lung",
            "--json"
        ]
        .json()
    };
    assert_eq!(predict()["domain"], Value::Null, "no summary yet");
    himix!["info", &image, "--model", &model].refused(&["no summary", "himix domain fit"]);
    domain("evaluate", &model, &["--phantoms", "3"]).refused(&["no summary", "himix domain fit"]);

    let fitted = domain("fit", &model, &["--phantoms", "20", "--seed", "5", "--json"]).json();
    let kinds = fitted["kinds"].as_array().expect("kinds");
    let names: Vec<&str> = kinds.iter().filter_map(|kind| kind["name"].as_str()).collect();
    assert_eq!(names, ["phantom X-rays", "phantom CT slices", "phantom endoscopy frames"]);
    assert!(
        kinds.iter().all(|kind| kind["held_out"] == 20 && kind["threshold"].as_f64().is_some_and(|t| t > 0.0))
    );
    assert!(model.join("domain.json").is_file());

    let found = predict()["domain"].clone();
    assert!(found["distance"].as_f64().is_some_and(|distance| distance > 0.0), "{found}");
    assert!(found["percentile"].as_f64().is_some_and(|percent| (0.0..=100.0).contains(&percent)), "{found}");
    assert!(found["nearest"].as_str().is_some_and(|name| names.contains(&name)), "{found}");
    let text = himix!["predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", "left lung"]
        .done()
        .out;
    assert!(text.lines().any(|line| line.starts_with("domain ") && line.contains("distance")), "{text}");
    assert_eq!(found["is_unlike"] == true, text.contains("unlike the training pictures"), "{text}");
    let info = himix!["info", &image, "--model", &model].done().out;
    assert!(info.contains("Distance to training"), "{info}");

    // The phantoms that were held out have the next seed, and none of twenty may be beyond the threshold.
    let evaluated = domain("evaluate", &model, &["--phantoms", "20", "--seed", "6", "--json"]).json();
    for set in evaluated["sets"].as_array().expect("sets") {
        assert_eq!((&set["pictures"], &set["unlike"]), (&20.into(), &0.into()), "{set}");
    }
    // The summary of another network, which has fewer features, and a damaged one.
    let path = model.join("domain.json");
    let text = fs::read_to_string(&path).expect("a summary");
    let mut summary: Value = serde_json::from_str(&text).expect("JSON");
    let shorten = |values: &mut Value| drop(values.as_array_mut().expect("a list").pop());
    ["centre", "scale"].into_iter().for_each(|key| shorten(&mut summary[key]));
    summary["basis"].as_array_mut().expect("a list").iter_mut().for_each(shorten);
    for content in [summary.to_string(), "[]".to_owned()] {
        fs::write(&path, content).expect("written");
        let ran =
            himix!["predict", "--device", "cpu", "--model", &model, "--image", &image, "--prompt", "lung"].done();
        assert!(ran.err.contains("domain.json") && ran.err.contains("himix domain fit"), "{}", ran.err);
        domain("evaluate", &model, &["--phantoms", "3"]).refused(&["domain.json", "himix domain fit"]);
        himix!["info", &image, "--model", &model].refused(&["himix domain fit"]);
    }
}

#[test]
fn what_cannot_be_summarised_is_refused() {
    let folder = folder();
    let model = copied(folder.path());
    domain("fit", &model, &["--phantoms", "5"]).refused(&["phantom X-rays", "5 training pictures", "20 at least"]);
    domain("fit", &model, &[]).refused(&["there are no pictures"]);
    domain("fit", &model, &["--phantoms", "20", "--held-out", "train"]).refused(&["held out"]);
    domain("fit", &model, &["--phantoms", "20", "--false-alarms", "2"]).refused(&["from 0 to 1"]);
    domain("fit", Path::new("bundled"), &["--phantoms", "20"]).refused(&["--out"]);
    let pictures = folder.path().join("pictures");
    fs::create_dir_all(&pictures).expect("a folder");
    fs::copy(put_picture(&folder, "chest.png", 64, 64), pictures.join("chest.png")).expect("a copy");
    domain("fit", bundle(), &["--data", &pictures.to_string_lossy()])
        .refused(&["pictures without splits", "train"]);
}
