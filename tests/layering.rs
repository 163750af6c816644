//! Checks that the modules of the code import downwards only, as the table in ARCHITECTURE.md says.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of this crate that each module may use. `src/cli` refers to them by `himix::`, the library by `crate::`.
const ALLOWED: &[(&str, &[&str])] = &[
    ("device", &[]),
    ("memory", &[]),
    ("atomic_file", &[]),
    ("logging", &[]),
    ("metrics", &[]),
    ("text", &[]),
    ("input", &[]),
    ("data", &["atomic_file", "input", "text"]),
    ("model", &["atomic_file", "input", "text"]),
    ("render", &["data"]),
    ("annotate", &["data", "metrics"]),
    ("infer", &["model", "input", "text", "data", "metrics", "device", "logging"]),
    ("train", &["model", "input", "text", "data", "metrics", "device"]),
    ("analysis", &["infer", "data", "metrics"]),
    ("engine", &["annotate", "analysis", "infer", "train", "text", "data", "metrics", "device"]),
    (
        "app",
        &["engine", "annotate", "analysis", "render", "infer", "text", "data", "metrics", "device", "logging"],
    ),
    (
        "cli",
        &[
            "app", "annotate", "analysis", "infer", "train", "model", "text", "data", "metrics", "device",
            "memory", "logging",
        ],
    ),
];

/// The crates that each module may not use.
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

/// Returns the first path segment after every `prefix` in `code`; `prefix{a::b, c}` gives `a` and `c`.
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
fn modules_import_downwards_only() {
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

/// Networks that `code` names by the path of their folder.
fn networks_in<'a>(code: &'a str, networks: &[String]) -> Vec<&'a str> {
    let names = uses(code, "networks::");
    names.into_iter().filter(|name| networks.iter().any(|network| network == name)).collect()
}

/// How often `word` stands in `code`, not counting longer words that it is a part of.
fn words(code: &str, word: &str) -> usize {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|found| *found == word).count()
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
        assert_eq!(words(&registry, name), 2, "{name} in {REGISTRY}");
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

/// The modules in backticks in the last column of the row of `module`.
fn modules_of_row<'a>(architecture: &'a str, module: &str) -> Vec<&'a str> {
    let is_row = |line: &&str| {
        let name = line.strip_prefix("| `src/").and_then(|rest| rest.split('`').next());
        name.is_some_and(|name| name.trim_end_matches(".rs") == module)
    };
    let row =
        architecture.lines().find(is_row).unwrap_or_else(|| panic!("{module} has no row in ARCHITECTURE.md"));
    let column = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
    column.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_table_says_what_is_allowed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let architecture = fs::read_to_string(path).expect("ARCHITECTURE.md");
    for (module, allowed) in ALLOWED {
        let mut told = modules_of_row(&architecture, module);
        let mut allowed = allowed.to_vec();
        told.sort_unstable();
        allowed.sort_unstable();
        assert_eq!(told, allowed, "{module}: ARCHITECTURE.md (left) and ALLOWED (right) differ");
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
    assert_eq!(words("pub mod himix; pub mod himix_small; &[himix::ENTRY, himix_small::ENTRY]", "himix"), 2);
}

/// Modules whose files are free of import circles.
const WITHOUT_CIRCLES: &[&str] =
    &["metrics", "text", "data", "render", "analysis", "logging", "annotate", "engine", "app"];

/// Every path that begins with `crate::` or `super::` in code, with lists taken apart: `crate::{a::B, c}` gives `crate a B` and `crate c`.
fn paths(code: &str) -> Vec<Vec<&str>> {
    fn take<'a>(text: &'a str, before: &[&'a str], found: &mut Vec<Vec<&'a str>>) -> &'a str {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let mut path = before.to_vec();
        path.extend(Some(&text[..end]).filter(|name| !name.is_empty()));
        let rest = &text[end..];
        match rest.strip_prefix("::") {
            Some(list) if list.starts_with('{') => {
                let mut rest = list[1..].trim_start();
                while !rest.is_empty() && !rest.starts_with('}') {
                    rest = take(rest, &path, found);
                    // Another name for it is passed over.
                    rest = rest.trim_start_matches(|c: char| !matches!(c, ',' | '}'));
                    rest = rest.trim_start_matches(',').trim_start();
                }
                rest.strip_prefix('}').unwrap_or(rest)
            }
            Some(more) => take(more, &path, found),
            None => {
                found.push(path);
                rest
            }
        }
    }
    let mut found = Vec::new();
    let mut rest = code;
    while let Some(at) = ["crate::", "super::"].iter().filter_map(|start| rest.find(start)).min() {
        rest = take(&rest[at..], &[], &mut found);
    }
    found
}

/// The file of a module path, the longest part of it that is one.
fn file_of(root: &Path, path: &[String]) -> Option<PathBuf> {
    (1..=path.len()).rev().find_map(|length| {
        let place = path[..length].iter().fold(root.to_owned(), |place, part| place.join(part));
        [place.with_extension("rs"), place.join("mod.rs")].into_iter().find(|file| file.is_file())
    })
}

/// The files that a file takes something from, but for the `mod.rs` files of the folders that it lies in: what they declare for all of a
/// folder is no circle.
fn taken_from(root: &Path, file: &Path) -> Vec<PathBuf> {
    let code = code_of(file);
    let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut own: Vec<String> = file
        .strip_prefix(root)
        .expect("a source file")
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if own.last().is_some_and(|name| name == "mod") {
        own.pop();
    }
    let mut found = Vec::new();
    let inner = |word: &str| code.contains(&format!("mod {word};"));
    for path in paths(code) {
        let mut place = own.clone();
        let mut parts = path.as_slice();
        while let [first, others @ ..] = parts {
            match *first {
                "crate" => place.clear(),
                "super" => drop(place.pop()),
                _ => break,
            }
            parts = others;
        }
        place.extend(parts.iter().map(|part| (*part).to_owned()));
        found.extend(file_of(root, &place));
    }
    // What a `mod.rs` takes from its own files, by name alone.
    if file.ends_with("mod.rs") {
        for (at, _) in code.match_indices("::") {
            let start = code[..at].rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
            if inner(&code[start..at]) {
                let mut place = own.clone();
                place.push(code[start..at].to_owned());
                found.extend(file_of(root, &place));
            }
        }
    }
    found.retain(|other| {
        let is_above = other.ends_with("mod.rs") && other.parent().is_some_and(|folder| file.starts_with(folder));
        other != file && !is_above
    });
    found.sort();
    found.dedup();
    found
}

/// Files that can be reached from each other.
fn circles(files: &[PathBuf], taken: &[Vec<usize>]) -> Vec<Vec<PathBuf>> {
    let reached: Vec<HashSet<usize>> = (0..files.len())
        .map(|start| {
            let (mut seen, mut open) = (HashSet::new(), vec![start]);
            while let Some(at) = open.pop() {
                open.extend(taken[at].iter().copied().filter(|other| seen.insert(*other)));
            }
            seen
        })
        .collect();
    let mut found: Vec<Vec<PathBuf>> = (0..files.len())
        .filter(|file| reached[*file].contains(file))
        .map(|file| {
            let both = |other: &usize| reached[file].contains(other) && reached[*other].contains(&file);
            (0..files.len()).filter(both).map(|other| files[other].clone()).collect()
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

#[test]
fn no_files_of_a_module_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    let number = |file: PathBuf| files.binary_search(&file).expect("a source file");
    let taken: Vec<Vec<usize>> =
        files.iter().map(|file| taken_from(&root, file).into_iter().map(number).collect()).collect();
    assert!(taken.iter().flatten().count() > 500, "imports are found");
    let is_free = |file: &PathBuf| WITHOUT_CIRCLES.iter().any(|module| file.starts_with(root.join(module)));
    let mut text = String::new();
    for circle in circles(&files, &taken).into_iter().filter(|circle| circle.iter().any(is_free)) {
        for file in &circle {
            let others = taken[number(file.clone())].iter().map(|other| &files[*other]);
            for other in others.filter(|other| circle.contains(other)) {
                text += &format!("{} takes from {}\n", file.display(), other.display());
            }
        }
        text += "\n";
    }
    assert!(text.is_empty(), "files import each other in a circle:\n{text}");
}

#[test]
fn a_path_is_taken_apart_however_it_is_written() {
    let code = "use crate::{data::{Image, mask::{Grid as G, read}}, text}; let a = super::super::b::C::new();";
    let expected: [&[&str]; 5] = [
        &["crate", "data", "Image"],
        &["crate", "data", "mask", "Grid"],
        &["crate", "data", "mask", "read"],
        &["crate", "text"],
        &["super", "super", "b", "C", "new"],
    ];
    assert_eq!(paths(code), expected);
}

#[test]
fn a_circle_is_found() {
    let files: Vec<PathBuf> = ["a", "b", "c", "d"].map(PathBuf::from).into();
    assert!(circles(&files, &[vec![1], vec![2], vec![], vec![0]]).is_empty());
    assert_eq!(circles(&files, &[vec![1], vec![2], vec![0], vec![0]]), [files[..3].to_vec()]);
}

/// A test that cannot run says so in one way, which can be made a failure.
#[test]
fn tests_are_skipped_by_one_function() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Vec::new();
    sources(&root, &mut files);
    for file in
        files.iter().filter(|file| !file.starts_with(root.join("common")) && !file.ends_with("layering.rs"))
    {
        let is_printed = |line: &str| line.contains("println!(\"skipped");
        assert!(!code_of(file).lines().any(is_printed), "{}: use common::skip", file.display());
    }
}

/// An event of the log has a fixed text, and no field that could name a person.
#[test]
fn events_of_the_log_hold_nothing_private() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut count = 0;
    for file in files {
        let code = code_of(&file);
        for (at, _) in code.match_indices("tracing::") {
            let rest = &code[at + "tracing::".len()..];
            let Some((level, call)) = rest.split_once("!(") else { continue };
            if !["error", "warn", "info", "debug", "trace"].contains(&level) {
                continue;
            }
            let event = call.split(");").next().unwrap_or_default();
            let private = ["path", "prompt", "file_name", "display()", "{", "message", "notice", "%", "?"];
            for word in private {
                assert!(!event.contains(word), "{}: {word} in the event {event}", file.display());
            }
            count += 1;
        }
    }
    assert!(count > 5, "only {count} events were found");
}
