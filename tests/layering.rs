//! Who may use whom: the modules of the code import downwards only.

use std::fs;
use std::path::{Path, PathBuf};

/// Module → modules of this crate that it may use. `src/cli` says `himix::`, the library `crate::`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("device", &[]),
    ("memory", &[]),
    ("metrics", &[]),
    ("text", &[]),
    ("data", &[]),
    ("model", &[]),
    ("render", &["data"]),
    ("annotate", &["data", "metrics"]),
    ("infer", &["model", "text", "data", "metrics", "device"]),
    ("train", &["model", "text", "data", "metrics", "device"]),
    ("analysis", &["infer", "data", "metrics"]),
    ("engine", &["annotate", "analysis", "infer", "train", "text", "data", "metrics", "device"]),
    ("app", &["engine", "annotate", "analysis", "render", "infer", "data", "metrics", "device"]),
    (
        "cli",
        &["app", "annotate", "analysis", "infer", "train", "model", "text", "data", "metrics", "device", "memory"],
    ),
];

/// Module → crates that belong elsewhere.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("model", &["egui", "eframe", "wgpu", "image", "tokenizers", "crossbeam_channel"]),
    ("text", &["burn", "egui", "eframe", "wgpu", "image"]),
    ("data", &["burn", "egui", "eframe", "wgpu", "tokenizers"]),
    ("metrics", &["burn", "egui", "eframe", "wgpu", "image", "tokenizers"]),
    ("analysis", &["burn", "egui", "eframe", "wgpu", "tokenizers"]),
    ("render", &["burn", "tokenizers", "rfd"]),
    ("annotate", &["burn", "egui", "eframe", "wgpu", "image", "tokenizers"]),
    ("engine", &["burn", "egui", "eframe", "wgpu"]),
    ("app", &["burn", "tokenizers", "safetensors"]),
    ("cli", &["egui", "eframe", "wgpu"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// First path segment after every `prefix::` in code; `prefix::{a::b, c}` gives a and c.
fn uses<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find(prefix) {
        rest = &rest[at + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (index, letter) in list.char_indices() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(list[start..index].trim());
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(list[start..index].trim());
                        start = index + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(rest);
        }
    }
    let name = |text: &'a str| {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        &text[..end]
    };
    found.into_iter().map(name).filter(|name| !name.is_empty()).collect()
}

fn code_of(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn rooms_import_downwards_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for (module, allowed) in ALLOWED {
        let mut files = Vec::new();
        let folder = root.join(module);
        if folder.is_dir() {
            sources(&folder, &mut files);
        } else {
            files.push(root.join(format!("{module}.rs")));
        }
        for file in files {
            let code = code_of(&file);
            let prefix = if *module == "cli" { "himix::" } else { "crate::" };
            for used in uses(&code, prefix) {
                let is_module = ALLOWED.iter().any(|(name, _)| name == &used);
                assert!(
                    !is_module || used == *module || allowed.contains(&used),
                    "{}: {module} may not use {used}",
                    file.display()
                );
            }
            let forbidden = FORBIDDEN.iter().find(|(name, _)| name == module).map_or(&[][..], |(_, list)| list);
            for library in forbidden {
                let is_used = code.lines().any(|line| {
                    let line = line.trim_start();
                    line.starts_with(&format!("use {library}::")) || line.contains(&format!(" {library}::"))
                });
                assert!(!is_used, "{}: {module} may not use the crate {library}", file.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "only {checked} files were found");
}

#[test]
fn every_module_has_its_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let architecture = fs::read_to_string(root.join("../ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    for entry in fs::read_dir(root).expect("src").flatten() {
        let name = entry.path().file_stem().expect("a name").to_string_lossy().into_owned();
        if !["lib", "main"].contains(&name.as_str()) {
            assert!(ALLOWED.iter().any(|(module, _)| *module == name), "{name} has no row in ALLOWED");
            assert!(architecture.contains(&format!("`src/{name}")), "{name} has no row in ARCHITECTURE.md");
        }
    }
}

#[test]
fn a_use_is_found_however_it_is_written() {
    assert_eq!(uses("use crate::data::Image;", "crate::"), ["data"]);
    assert_eq!(uses("use crate::{data::{Image, Mask}, text};", "crate::"), ["data", "text"]);
}
