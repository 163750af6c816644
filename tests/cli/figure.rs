//! `himix figure`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{folder, put};
use crate::model::{bundle, put_picture};
use crate::program::{Ran, himix, run};

/// Runs `himix figure` on the CPU; each file among the arguments is given by its path.
fn figure(kind: &str, arguments: &[(&str, &dyn AsRef<std::ffi::OsStr>)]) -> Ran {
    let mut all: Vec<OsString> =
        ["figure", kind, "--device", "cpu", "--width", "700"].map(OsString::from).to_vec();
    for (name, value) in arguments {
        all.extend([OsString::from(name), value.as_ref().to_owned()]);
    }
    run(all)
}

/// Returns the rows of a table, each by the names of its columns.
fn table(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).expect("a table");
    let names = reader.headers().expect("names").clone();
    let rows = reader.records().map(|row| row.expect("a row"));
    rows.map(|row| names.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect()).collect()
}

/// Makes phantoms, three of them in the split that is drawn.
fn phantoms(folder: &tempfile::TempDir) -> PathBuf {
    let data = folder.path().join("phantoms");
    himix!["phantoms", "--out", &data, "--count", "30", "--side", "96"].done();
    data
}

#[test]
fn what_a_data_set_says_itself_is_not_taken_from_the_command_line_without_effect() {
    let folder = folder();
    for option in ["--labels", "--mask-rule", "--several", "--mask-grid", "--slice"] {
        let value = match option {
            "--mask-rule" => "half",
            "--several" => "united",
            "--mask-grid" => "index",
            _ => "1",
        };
        let split: [(&str, &dyn AsRef<std::ffi::OsStr>); 4] =
            [("--data", &folder.path()), ("--split", &"test"), ("--out", &"a.png"), (option, &value)];
        figure("stages", &split).failed(2, &["cannot be used with", option]);
    }
}

#[test]
fn every_figure_of_the_bundled_model_on_phantoms() {
    let folder = folder();
    let data = phantoms(&folder);
    for kind in ["stages", "refinement", "spectrum", "weights"] {
        let at = |ending: &str| folder.path().join(format!("{kind}.{ending}"));
        let outs: [(&str, &dyn AsRef<std::ffi::OsStr>); 5] = [
            ("--data", &data),
            ("--split", &"test"),
            ("--limit", &"2"),
            ("--out", &at("png")),
            ("--out", &at("svg")),
        ];
        let ran = figure(kind, &outs).done();
        for ending in ["png", "svg", "csv"] {
            assert!(ran.out.contains(&format!("{kind}.{ending} written")), "{}", ran.out);
        }
        let picture = image::open(at("png")).expect("a picture").into_rgb8();
        assert_eq!(picture.width(), 700);
        let colours: std::collections::HashSet<_> = picture.pixels().map(|pixel| pixel.0).collect();
        assert!(colours.len() > 50, "{kind} is not an empty page: {} colours", colours.len());
        let page = fs::read_to_string(at("svg")).expect("a page");
        assert!(page.starts_with("<svg ") && page.trim_end().ends_with("</svg>") && page.contains("himix-demo"));
        let rows = table(&at("csv"));
        assert!(rows.iter().all(|row| row["model"] == "himix-demo"));
        let images: std::collections::BTreeSet<_> = rows.iter().filter_map(|row| row.get("image")).collect();
        let expected = ["ct_00029.png", "xray_00028.png"];
        match kind {
            "weights" => assert_eq!((images.len(), rows.len()), (0, 12), "twelve layers"),
            _ => {
                assert!(expected.iter().all(|name| images.iter().any(|image| image == name)), "{kind}: {images:?}")
            }
        }
    }
    assert_eq!(fs::read_dir(folder.path()).expect("the folder").count(), 13, "twelve files and the phantoms");
}

#[test]
fn scores_are_those_of_predict() {
    let folder = folder();
    let data = phantoms(&folder);
    let image = data.join("test/Images/ct_00029.png");
    let truth = data.join("test/GTs/mask_ct_00029.png");
    let prompt = "Unilateral pulmonary infection, one infected area, middle right lung.";
    let out = folder.path().join("figure.csv");
    let of = |kind: &str| {
        let arguments: [(&str, &dyn AsRef<std::ffi::OsStr>); 4] =
            [("--image", &image), ("--mask", &truth), ("--prompt", &prompt), ("--out", &out)];
        figure(kind, &arguments).done();
        table(&out)
    };
    let object =
        himix!["predict", "--image", &image, "--mask", &truth, "--prompt", prompt, "--device", "cpu", "--json"]
            .json();
    let dice = object["scores"]["dice"].as_f64().expect("a score");
    assert!(dice > 0.5, "the bundled model knows phantoms: {dice}");
    let stages = of("stages");
    let scored =
        |row: &&BTreeMap<String, String>| row["panel"] == "Final mask" && row["quantity"] == "dice_per_image";
    let found: Vec<f64> =
        stages.iter().filter(scored).map(|row| row["value"].parse().expect("a number")).collect();
    // Reading JSON may round the last digit.
    assert!(found.len() == 1 && (found[0] - dice).abs() < 1e-12, "{found:?} and {dice}");
    let cells = |panel: &str| stages.iter().filter(|row| row["panel"] == panel && !row["row"].is_empty()).count();
    assert_eq!(
        [cells("Stage 7 (Layer 3)"), cells("Stage 14 (Layer 2)"), cells("Stage 28 (Layer 1)")],
        [196, 784, 3136]
    );
    let refinement = of("refinement");
    let last = refinement.last().expect("rows");
    let drawn: f64 = last["dice_per_image"].parse().expect("a number");
    assert!(last["mask"] == "Final mask" && (drawn - dice).abs() < 1e-12, "{last:?}");
    assert_eq!(last["false_negative_px"], object["scores"]["false_negative"].to_string());
    assert_eq!(refinement.len(), 4);
}

#[test]
fn every_kind_of_map_and_a_second_model() {
    let folder = folder();
    let (first, second) = (put_picture(&folder, "a.png", 40, 30), put_picture(&folder, "b.png", 30, 60));
    let out = folder.path().join("out.svg");
    for map in ["activation", "attribution", "mask", "change"] {
        let ran = figure("stages", &[("--map", &map), ("--image", &first), ("--out", &out)]).done();
        assert!(ran.err.contains("prompt is empty"), "{}", ran.err);
        let page = fs::read_to_string(&out).expect("a page");
        assert_eq!(page.contains("Stage 7 (Layer 3)"), map != "change", "{map}");
    }
    let arguments: [(&str, &dyn AsRef<std::ffi::OsStr>); 6] = [
        ("--against", &bundle()),
        ("--image", &first),
        ("--image", &second),
        ("--prompt", &"left lung"),
        ("--prompt", &"right lung"),
        ("--out", &out),
    ];
    for kind in ["stages", "spectrum", "weights"] {
        figure(kind, &arguments).done();
        let rows = table(&folder.path().join("out.csv"));
        let models: Vec<&str> = rows.iter().map(|row| row["model"].as_str()).collect();
        assert!(models.contains(&"himix-demo") && models.contains(&"small"), "{kind}");
        let asked = |image: &str| rows.iter().find(|row| row.get("image").is_some_and(|name| name == image));
        if let (Some(a), Some(b)) = (asked("a.png"), asked("b.png")) {
            assert_eq!((a["prompt"].as_str(), b["prompt"].as_str()), ("left lung", "right lung"), "{kind}");
        }
    }
    figure("spectrum", &[("--out", &out)]).done();
    let rows = table(&folder.path().join("out.csv"));
    assert!(rows.iter().all(|row| !row["quantity"].starts_with("power")), "no image, no features");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    let folder = folder();
    let image = put_picture(&folder, "a.png", 40, 30);
    let small = put_picture(&folder, "truth.png", 30, 40);
    let out = folder.path().join("out.png");
    let stages = |more: &[(&str, &dyn AsRef<std::ffi::OsStr>)]| {
        let mut all: Vec<(&str, &dyn AsRef<std::ffi::OsStr>)> = vec![("--image", &image), ("--prompt", &"lung")];
        all.extend_from_slice(more);
        figure("stages", &all)
    };
    let gone = folder.path().join("gone.png");
    figure("stages", &[("--image", &gone), ("--out", &out)]).refused(&["gone.png", "no such file"]);
    figure("stages", &[("--out", &out)]).refused(&["--image", "--data"]);
    figure("flowers", &[("--out", &out)]).refused(&["flowers"]);
    figure("weights", &[]).refused(&["--out"]);
    stages(&[("--out", &folder.path().join("out.pdf"))]).refused(&["out.pdf", ".png, .svg or .csv"]);
    stages(&[("--out", &folder.path().join("nowhere/out.png"))]).refused(&["nowhere", "does not exist"]);
    stages(&[("--out", &image)]).refused(&["a.png", "choose another --out"]);
    stages(&[("--mask", &small), ("--out", &out)]).refused(&["truth.png", "30x40", "40x30"]);
    stages(&[("--image", &image), ("--mask", &small), ("--out", &out)])
        .refused(&["--mask", "1 times for 2 images"]);
    let three: [(&str, &dyn AsRef<std::ffi::OsStr>); 3] =
        [("--prompt", &"a"), ("--prompt", &"b"), ("--out", &out)];
    stages(&three).refused(&["--prompt", "3 times for 1 images"]);
    stages(&[("--opacity", &"2"), ("--out", &out)]).refused(&["--opacity", "0 to 1"]);
    stages(&[("--slice", &"2"), ("--out", &out)]).refused(&["a.png", "no slice 2"]);
    stages(&[("--data", &folder.path()), ("--split", &"test"), ("--out", &out)]).refused(&["--data", "--image"]);
    let none = folder.path().join("none");
    figure("stages", &[("--data", &none), ("--split", &"test"), ("--out", &out)]).refused(&["none"]);
    let missing = folder.path().join("bundle");
    stages(&[("--model", &missing), ("--out", &out)]).refused(&["bundle", "no such model"]);
    // The small model has no stage read-outs.
    let fit = ["no stage read-outs", "himix train --readout"];
    stages(&[("--model", &bundle()), ("--map", &"mask"), ("--out", &out)]).refused(&fit);
    figure("refinement", &[("--model", &bundle()), ("--image", &image), ("--out", &out)]).refused(&fit);
    figure("refinement", &[("--against", &bundle()), ("--image", &image), ("--out", &out)]).refused(&fit);
    assert!(!out.exists() && !folder.path().join("out.csv").exists(), "nothing was written");
    // A folder has the name of the file: the input is valid, but the work cannot be done.
    fs::create_dir(&out).expect("a folder");
    stages(&[("--out", &out)]).failed(1, &["out.png"]);
}

#[test]
fn a_page_too_large_is_refused() {
    let folder = folder();
    let tall = put(&folder, "tall.png", &crate::files::grey_png(64, 64, 9, 7));
    let out = folder.path().join("out.png");
    let mut all: Vec<OsString> =
        ["figure", "stages", "--device", "cpu", "--width", "12000", "--out"].map(OsString::from).to_vec();
    all.push(out.clone().into());
    for _ in 0..9 {
        all.extend(["--image".into(), tall.clone().into()]);
    }
    run(all).refused(&["12000x", "narrower"]);
    assert!(!out.exists());
}
