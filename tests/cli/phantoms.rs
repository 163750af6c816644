//! `himix phantoms`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::files::folder;
use crate::program::himix;

/// Returns all files below a folder by their relative paths.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs::read(path).expect("a file"));
            }
        }
    }
    found
}

#[test]
fn a_data_set_of_phantoms() {
    let folder = folder();
    let [first, again, other] = ["first", "again", "other"].map(|name| folder.path().join(name));
    let said = himix!["phantoms", "--out", &first, "--count", "30", "--side", "64"].done().out;
    assert!(said.contains("30 images (24 train, 3 val, 3 test)"), "{said}");

    // The program's own check finds no problems in it, and as many pairs as it reported.
    let object = himix!["data", &first, "--json"].json();
    let splits = object["splits"].as_array().expect("a list");
    let pairs: Vec<_> = splits.iter().map(|split| (split["name"].as_str(), split["pairs"].as_u64())).collect();
    assert_eq!(pairs, [(Some("train"), Some(24)), (Some("val"), Some(3)), (Some("test"), Some(3))]);
    for split in splits {
        assert_eq!(split["findings"], serde_json::json!([]), "{split}");
        assert_eq!(split["sizes"], serde_json::json!([[64, 64], [64, 64]]));
    }

    // The same seed gives the same bytes every time, another seed gives others.
    himix!["phantoms", "--out", &again, "--count", "30", "--side", "64"].done();
    assert!(files(&first) == files(&again));
    himix!["phantoms", "--out", &other, "--count", "30", "--side", "64", "--seed", "1"].done();
    let (first, other) = (files(&first), files(&other));
    assert!(first.keys().eq(other.keys()));
    assert!(first.iter().filter(|(name, _)| name.contains("Images")).all(|(name, bytes)| other[name] != *bytes));
}

#[test]
fn few_phantoms_fill_every_split_that_is_written() {
    for (count, said, splits) in [
        ("24", "24 images (18 train, 3 val, 3 test)", 3),
        ("2", "2 images (1 train, 1 val)", 2),
        ("1", "1 image (1 train)", 1),
    ] {
        let folder = folder();
        let out = folder.path().join("few");
        let text = himix!["phantoms", "--out", &out, "--count", count, "--side", "64"].done().out;
        assert!(text.contains(said), "{text}");
        let object = himix!["data", &out, "--json"].json();
        let found = object["splits"].as_array().expect("a list");
        assert_eq!(found.len(), splits);
        assert!(found.iter().all(|split| split["pairs"].as_u64() > Some(0)), "{found:?}");
        assert_eq!(
            fs::read_dir(&out).expect("a folder").count(),
            splits + 1,
            "a folder for each split, and that of the tables"
        );
    }
}

#[test]
fn kinds_are_chosen() {
    let folder = folder();
    let out = folder.path().join("polyps");
    himix!["phantoms", "--out", &out, "--count", "10", "--side", "64", "--kind", "endoscopy"].done();
    let names: Vec<String> = files(&out).into_keys().filter(|name| name.contains("Images")).collect();
    assert_eq!(names.len(), 10);
    assert!(names.iter().all(|name| name.contains("endoscopy_")), "{names:?}");
}

#[test]
fn nothing_is_written_over() {
    let folder = folder();
    let mine = folder.path().join("mine.txt");
    fs::write(&mine, "mine").expect("written");
    himix!["phantoms", "--out", folder.path()].failed(2, &["not empty"]);
    assert_eq!(files(folder.path()).len(), 1);
    let out = folder.path().join("new");
    for (option, value) in [("--kind", "mri"), ("--side", "4"), ("--count", "0")] {
        let ran = himix!["phantoms", "--out", &out, option, value];
        assert_eq!(ran.status, 2, "{}", ran.err);
        assert!(ran.err.contains(value), "{}", ran.err);
        assert!(!out.exists());
    }
    himix!["phantoms", "--out", mine.join("below")].failed(1, &["mine.txt"]);
}

#[test]
fn the_phantoms_that_the_manual_names_exist() {
    let manual = include_str!("../../docs/manual.md");
    let folder = folder();
    let out = folder.path().join("phantoms");
    assert!(manual.contains("himix phantoms --out phantoms --count 12"), "the manual's command");
    himix!["phantoms", "--out", &out, "--count", "12"].done();
    let named: Vec<&str> = manual.split_whitespace().filter(|word| word.starts_with("phantoms/")).collect();
    assert!(named.len() >= 2, "{named:?}");
    for name in named {
        assert!(folder.path().join(name).is_file(), "{name}");
    }
}
