//! Files of version 0.1 open as they did (`tests/fixtures/v0_1`).

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::files::folder;
use crate::model::put_picture;
use crate::program::himix;

/// The broken-off run in `to`, with its tensors unpacked.
fn run_folder(to: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v0_1/run");
    let run = to.join("run");
    for part in ["", "last"] {
        fs::create_dir_all(run.join(part)).expect("a folder");
        for entry in fs::read_dir(from.join(part)).expect("the fixture").flatten() {
            let path = entry.path();
            let target = run.join(part).join(path.file_name().expect("a name"));
            if path.extension().is_some_and(|end| end == "gz") {
                let mut bytes = Vec::new();
                let packed = fs::File::open(&path).expect("a file");
                flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("unpacked");
                fs::write(target.with_extension(""), bytes).expect("written");
            } else if path.is_file() {
                fs::copy(&path, target).expect("copied");
            }
        }
    }
    run
}

#[test]
fn a_run_of_version_0_1_goes_on_where_it_broke_off() {
    let folder = folder();
    let run = run_folder(folder.path());
    let before = fs::read_to_string(run.join("metrics.csv")).expect("a table");
    let said = himix!["train", "--resume", &run, "--device", "cpu"].done().out;
    assert!(said.contains("1 epochs done") || said.contains("1 epoch done"), "{said}");
    let after = fs::read_to_string(run.join("metrics.csv")).expect("a table");
    assert!(after.starts_with(&before), "the header and the first epoch stay: {after}");
    // What version 0.1 reached from there; other processors round otherwise.
    let column = |row: &str, number: usize| -> f64 {
        row.split(',').nth(number).and_then(|cell| cell.parse().ok()).unwrap_or_else(|| panic!("{row}"))
    };
    let rows: Vec<&str> = after.lines().skip(2).collect();
    assert_eq!(rows.len(), 2, "{after}");
    for (row, loss) in rows.iter().zip([0.673_26, 0.636_70]) {
        assert!((column(row, 2) - loss).abs() < 2e-3, "{row}: the validation loss was {loss}");
    }
    assert!(run.join("best/model.safetensors").exists());
}

#[test]
fn a_bundle_of_version_0_1_predicts() {
    let folder = folder();
    let bundle = run_folder(folder.path()).join("last");
    let image = put_picture(&folder, "chest.png", 96, 64);
    let object = himix![
        "predict",
        "--model",
        &bundle,
        "--image",
        &image,
        "--prompt",
        "left lung",
        "--device",
        "cpu",
        "--json",
    ]
    .json();
    assert!(object.to_string().contains("left lung"), "{object}");
    let config = fs::read_to_string(bundle.join("config.json")).expect("a configuration");
    let name = serde_json::from_str::<serde_json::Value>(&config).expect("JSON")["provenance"]["name"].clone();
    assert!(name.as_str().is_some_and(|name| !name.is_empty()), "{config}");
}
