//! `himix batch`.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::files::{folder, put};
use crate::formats::nifti;
use crate::model::{bundle, grey, put_picture};
use crate::program::{Ran, run};

fn batch(images: &Path, out: &Path, more: &[&str]) -> Ran {
    let mut arguments: Vec<OsString> = vec!["batch".into(), images.into(), "--out".into(), out.into()];
    arguments.extend(["--device", "cpu", "--json", "--model"].map(Into::into));
    arguments.push(bundle().into());
    arguments.extend(more.iter().map(Into::into));
    run(arguments)
}

fn counts(ran: &Ran) -> [u64; 3] {
    let object: Value = serde_json::from_str(&ran.out).expect("JSON");
    ["done", "skipped", "failed"].map(|key| object[key].as_u64().expect("a number"))
}

fn manifest(out: &Path) -> Value {
    serde_json::from_slice(&fs::read(out.join("manifest.json")).expect("a manifest")).expect("JSON")
}

/// The entry of an image.
fn entry(manifest: &Value, image: &str) -> Value {
    let cases = manifest["cases"].as_array().expect("cases");
    cases.iter().find(|case| case["image"] == image).expect("the image").clone()
}

#[test]
fn what_is_done_is_skipped_and_what_failed_is_tried_again() {
    let folder = folder();
    put_picture(&folder, "a.png", 40, 30);
    put_picture(&folder, "sub.png", 36, 28);
    fs::create_dir(folder.path().join("deep")).expect("a folder");
    fs::rename(folder.path().join("sub.png"), folder.path().join("deep/b.png")).expect("moved");
    let broken = put(&folder, "c.png", b"no picture");
    let mut stack = nifti(&[16, 12, 3], 4, 16, None);
    (0..576_i16).for_each(|value| stack.extend((value * 7 % 900 - 1000).to_le_bytes()));
    put(&folder, "d.nii", &stack);
    // The results lie among the images.
    let out = folder.path().join("out");
    let all = ["--prompt", "left lung", "--format", "png,csv"];
    let ran = batch(folder.path(), &out, &all).failed(1, &["1 mask failed"]);
    assert_eq!(counts(&ran), [3, 0, 1]);
    let line = ran.err.lines().find(|line| line.contains("failed: ")).expect("a line for the failure");
    assert!(line.contains("c.png") && line.contains("not an image"), "{line}");
    let first = manifest(&out);
    assert_eq!((first["version"].as_u64(), first["cases"].as_array().map(Vec::len)), (Some(1), Some(4)));
    let b = entry(&first, "deep/b.png");
    assert_eq!((&b["state"], &b["prompt"], &b["slices"]), (&"done".into(), &"left lung".into(), &1.into()));
    assert_eq!(b["files"], serde_json::json!(["deep/b.png/mask.png", "deep/b.png/mask_measurements.csv"]));
    let mask = grey(&out.join("deep/b.png/mask.png"));
    assert_eq!(
        mask.iter().filter(|value| **value == 255).count() as u64,
        b["foreground_pixels"].as_u64().unwrap_or(0)
    );
    assert_eq!(entry(&first, "c.png")["state"], "failed");
    let d = entry(&first, "d.nii");
    assert_eq!((d["slices"].as_u64(), d["files"].as_array().map(Vec::len)), (Some(3), Some(4)));
    assert!(out.join("d.nii/mask_003.png").is_file());

    // The second run does what is missing: nothing but the failure, then the mended image.
    let ran = batch(folder.path(), &out, &all).failed(1, &["1 mask failed"]);
    assert_eq!(counts(&ran), [0, 3, 1]);
    fs::copy(folder.path().join("a.png"), &broken).expect("mended");
    assert_eq!(counts(&batch(folder.path(), &out, &all).done()), [1, 3, 0]);
    fs::remove_file(out.join("a.png/mask.png")).expect("removed");
    assert_eq!(counts(&batch(folder.path(), &out, &all).done()), [1, 3, 0]);
    assert_eq!(
        counts(&batch(folder.path(), &out, &["--prompt", "left lung"]).done()),
        [0, 4, 0],
        "less is asked for"
    );
    let other = ["--prompt", "left lung", "--format", "png,csv", "--threshold", "0.4"];
    assert_eq!(counts(&batch(folder.path(), &out, &other).done()), [4, 0, 0]);
    assert_eq!(manifest(&out)["cases"].as_array().map(Vec::len), Some(4), "results are no images");
    // Another prompt replaces the files, so that those of the first are made again.
    let right = ["--prompt", "right lung", "--format", "png,csv"];
    assert_eq!(counts(&batch(folder.path(), &out, &right).done()), [4, 0, 0]);
    assert_eq!(counts(&batch(folder.path(), &out, &other).done()), [4, 0, 0]);
    assert_eq!(manifest(&out)["cases"].as_array().map(Vec::len), Some(4), "what was replaced is forgotten");
    batch(folder.path(), folder.path(), &other).refused(&["the folder of the images"]);
}

#[test]
fn prompts_come_from_a_file_or_the_data_set() {
    let folder = folder();
    put_picture(&folder, "a.png", 40, 30);
    put_picture(&folder, "b.png", 40, 30);
    let out = folder.path().join("out");
    batch(folder.path(), &out, &[]).refused(&["no prompts", "--prompt"]);
    batch(&folder.path().join("none"), &out, &["--prompt", "x"]).refused(&["none", "no folder"]);
    batch(folder.path(), &out, &["--prompt", "x", "--format", "gif"]).refused(&["png, nifti"]);
    let table = put(&folder, "prompts.csv", b"Image,Description\na.png,left lung\na.png,right lung\n");
    let table = table.to_string_lossy().into_owned();
    let ran = batch(folder.path(), &out, &["--prompts", &table]).failed(1, &["1 mask failed"]);
    assert_eq!(counts(&ran), [2, 0, 1]);
    assert!(ran.err.contains("failed: b.png: no prompt is known for it"), "{}", ran.err);
    assert!(out.join("a.png/0/mask.png").is_file() && out.join("a.png/1/mask.png").is_file());
    // What has no DICOM object is written in the other formats, and said to lack one.
    let formats = ["--prompt", "lung", "--format", "png,dicom-seg"];
    let ran = batch(folder.path(), &out, &formats).failed(1, &["2 masks could not be written in all formats"]);
    assert_eq!(counts(&ran), [0, 0, 0]);
    assert!(
        ran.err.contains("not in all formats: ")
            && ran.err.contains("a.png")
            && ran.err.contains("PNG has none of these"),
        "{}",
        ran.err
    );
    assert!(out.join("b.png/mask.png").is_file());
    // A file of another program is not overwritten.
    let taken = folder.path().join("taken");
    fs::create_dir(&taken).expect("a folder");
    fs::write(taken.join("manifest.json"), "{\"name\": \"app\"}").expect("written");
    batch(folder.path(), &taken, &["--prompt", "lung"]).refused(&["manifest.json", "--out"]);
    assert_eq!(fs::read_to_string(taken.join("manifest.json")).expect("a file"), "{\"name\": \"app\"}");
}
