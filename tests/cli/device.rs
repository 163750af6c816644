//! `himix device`.

use std::ffi::OsString;
use std::fs;

use crate::files::folder;
use crate::program::{Ran, himix, run_with};

fn run_in(cache: &str, arguments: &[&str]) -> Ran {
    let arguments = std::iter::once(&"device").chain(arguments).map(OsString::from).collect();
    run_with(&[("XDG_CACHE_HOME", cache)], arguments)
}

#[test]
fn the_devices_are_listed_with_what_is_stored_for_them() {
    let folder = folder();
    let cache = folder.path().to_str().expect("text");
    let object = run_in(cache, &["--json"]).json();
    assert!(object["cpu"].as_str().expect("a name").starts_with("CPU"));
    let adapters = object["adapters"].as_array().expect("a list");
    for (number, adapter) in adapters.iter().enumerate() {
        assert_eq!(adapter["device"], format!("gpu:{number}"));
        assert_eq!((&adapter["tuning_results"], adapter["tuning_file"].is_null()), (&0.into(), true));
    }
    let text = run_in(cache, &[]).done().out;
    assert!(text.contains("  cpu    CPU") && text.contains("auto chooses"), "{text}");
    assert_eq!(text.matches("nothing tuned yet").count(), adapters.len(), "{text}");
}

#[test]
fn a_device_is_measured() {
    let object = himix!["device", "--measure", "--device", "cpu", "--json"].json();
    let measured = &object["measured"];
    assert_eq!(measured["model"], "himix-demo");
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or_else(|| panic!("{object:#}"));
    let (side, ms) = (number(&measured["product"]["side"]), number(&measured["product"]["ms"]));
    let gflops = 2.0 * side.powi(3) / (ms * 1e6);
    assert!((number(&measured["product"]["gflops"]) / gflops - 1.0).abs() < 1e-6, "{object:#}");
    for pass in ["first", "known_prompt", "prompt", "image", "image_and_prompt"] {
        assert!(number(&measured["passes"][pass]["ms"]) > 0.0);
        assert_eq!(measured["passes"][pass]["launches"], 0, "the CPU launches no kernels");
    }
    let text = himix!["device", "--measure", "--device", "cpu"].done().out;
    assert!(text.contains("another image and prompt") && text.contains("GFLOP/s"), "{text}");
}

#[test]
fn a_precision_that_the_device_has_not_is_refused_with_what_to_do() {
    himix!["device", "--measure", "--device", "cpu", "--precision", "f16"]
        .failed(2, &["the CPU has no half precision", "leave out --precision f16", "--device"]);
    himix!["verify", "--reference", "missing.safetensors", "--device", "cpu", "--precision", "half"]
        .failed(2, &["'half' is no precision; say auto, f32 or f16"]);
    // What no GPU has to do with it is no error.
    himix!["device", "--measure", "--device", "cpu", "--precision", "f32", "--json"].done();
}

#[test]
fn what_is_stored_is_deleted() {
    let folder = folder();
    let cache = folder.path().to_str().expect("text");
    assert_eq!(run_in(cache, &["--clear", "--json"]).json()["deleted"], 0);
    let stores = folder.path().join("himix/gpu");
    fs::create_dir_all(&stores).expect("a folder");
    for name in ["card.db", "card.db-wal", "card.damaged", "other.db"] {
        fs::write(stores.join(name), "results").expect("written");
    }
    let text = run_in(cache, &["--clear"]).done().out;
    assert_eq!(text, "2 stores of tuning results deleted\n");
    assert_eq!(fs::read_dir(&stores).expect("the folder").count(), 0);
    run_in(cache, &["--clear", "--warm"]).failed(2, &["--clear"]);
}

#[test]
fn the_cpu_cannot_be_prepared() {
    himix!["device", "--warm", "--device", "cpu"].failed(2, &["no GPU to prepare", "himix device"]);
}

#[cfg(not(feature = "remote"))]
#[test]
fn a_program_without_devices_of_other_computers_says_how_to_build_one() {
    himix!["serve"].refused(&["--features remote"]);
    himix!["device", "--measure", "--device", "remote:gpu5"].refused(&["remote:gpu5", "--features remote"]);
}
