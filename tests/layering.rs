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
    ("infer", &["model", "text", "data", "metrics", "device"]),
    ("train", &["model", "text", "data", "metrics", "device"]),
    ("analysis", &["infer", "data", "metrics"]),
    ("engine", &["analysis", "infer", "train", "text", "data", "metrics", "device"]),
    ("app", &["engine", "analysis", "render", "infer", "data", "metrics", "device"]),
    ("cli", &["app", "analysis", "infer", "train", "model", "text", "data", "metrics", "device", "memory"]),
];

/// Module → crates that belong elsewhere.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("model", &["egui", "eframe", "wgpu", "image", "tokenizers", "crossbeam_channel"]),
    ("text", &["burn", "egui", "eframe", "wgpu", "image"]),
    ("data", &["burn", "egui", "eframe", "wgpu", "tokenizers"]),
    ("metrics", &["burn", "egui", "eframe", "wgpu", "image", "tokenizers"]),
    ("analysis", &["burn", "egui", "eframe", "wgpu", "tokenizers"]),
    ("render", &["burn", "tokenizers", "rfd"]),
    ("engine", &["burn", "egui", "eframe", "wgpu"]),
    ("app", &["burn", "tokenizers", "safetensors"]),
    ("cli", &["egui", "eframe", "wgpu"]),
];

/// The folder with a folder for each network, and the one file beside them that names them.
const NETWORKS: &str = "model/networks";
const REGISTRY: &str = "model/networks/mod.rs";

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

/// Folders whose files import each other in no circle. What a `mod.rs` gathers counts as its own.
const WITHOUT_CIRCLES: &[&str] = &["engine"];

/// The file in `folder` that `name` is, or the folder's `mod.rs`.
fn module(folder: &Path, name: &str) -> PathBuf {
    let file = folder.join(format!("{name}.rs"));
    let nested = folder.join(name).join("mod.rs");
    let own = folder.join("mod.rs");
    [file, nested].into_iter().find(|path| path.is_file()).unwrap_or(own)
}

/// Files that `path` imports within the top folder `root`.
fn imports(root: &Path, path: &Path) -> Vec<PathBuf> {
    let code = code_of(path);
    // Tests may look at everything.
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let name = root.file_name().expect("a name").to_string_lossy();
    let mut own = path.parent().expect("a folder").to_owned();
    if path.ends_with("mod.rs") {
        own.pop();
    }
    let of_root = uses(code, &format!("crate::{name}::")).into_iter().map(|used| module(root, used));
    let of_folder = uses(code, "super::").into_iter().filter(|used| *used != "super");
    of_root.chain(of_folder.map(|used| module(&own, used))).filter(|used| used != path).collect()
}

#[test]
fn files_import_each_other_in_no_circle() {
    for folder in WITHOUT_CIRCLES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        let mut files = Vec::new();
        sources(&root, &mut files);
        // A folder is what its mod.rs gathers: who imports that imports all that it gathers.
        let reached = |from: &Path| {
            let (mut seen, mut next) = (Vec::<PathBuf>::new(), imports(&root, from));
            while let Some(path) = next.pop() {
                if !seen.contains(&path) {
                    let gathered = path.parent().filter(|_| path.ends_with("mod.rs"));
                    let gathered =
                        gathered.map(|folder| files.iter().filter(move |file| file.starts_with(folder)));
                    next.extend(gathered.into_iter().flatten().cloned());
                    next.extend(imports(&root, &path));
                    seen.push(path);
                }
            }
            seen
        };
        for file in files.iter().filter(|file| !file.ends_with("mod.rs")) {
            assert!(!reached(file).contains(file), "{} imports itself by way of others", file.display());
        }
    }
}

/// Networks that `code` names by the path of their folder.
fn networks_in<'a>(code: &'a str, networks: &[String]) -> Vec<&'a str> {
    let names = uses(code, "networks::");
    names.into_iter().filter(|name| networks.iter().any(|network| network == name)).collect()
}

#[test]
fn nothing_outside_its_folder_names_a_network() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = fs::read_dir(root.join(NETWORKS)).expect("the networks").flatten();
    let folders = folders.filter(|entry| entry.path().is_dir());
    let networks: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(networks.iter().any(|name| name == "himix"), "{networks:?}");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in files.iter().filter(|file| **file != root.join(REGISTRY)) {
        let own = networks.iter().find(|name| file.starts_with(root.join(NETWORKS).join(name)));
        for named in networks_in(&code_of(file), &networks) {
            assert!(own.is_some_and(|own| own == named), "{} names the network {named}", file.display());
        }
    }
    // And the registry has a module and a line for each of them.
    let registry = code_of(&root.join(REGISTRY));
    for name in &networks {
        assert_eq!(registry.matches(name.as_str()).count(), 2, "{name} in {REGISTRY}");
    }
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
    let networks = ["himix".to_owned()];
    assert_eq!(networks_in("use crate::model::networks::himix::HiMix;", &networks), ["himix"]);
    assert_eq!(networks_in("use crate::model::{networks::{himix, other}, Trace};", &networks), ["himix"]);
    assert!(networks_in("use crate::model::networks::ALL;", &networks).is_empty());
}
