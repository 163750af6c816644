//! The real window under Xvfb, driven by mouse and keyboard: open a folder, type, change the threshold, compare, go
//! to the next case, undo. The settings that the program stores show whether it worked.

// Tests may write their files directly.
#![allow(clippy::disallowed_methods)]
#![cfg(target_os = "linux")]

mod common;
mod desktop;

use std::path::Path;
use std::time::Duration;

use desktop::Desktop;
use serde_json::Value;

/// Writes two cases in the authors' layout.
fn cases(root: &Path) {
    for part in ["train/Images", "train/GTs", "prompt"] {
        std::fs::create_dir_all(root.join(part)).expect("a folder");
    }
    for name in ["a", "b"] {
        let grey = image::GrayImage::from_fn(96, 96, |x, y| image::Luma([((x * 2) ^ y) as u8]));
        grey.save(root.join(format!("train/Images/{name}.png"))).expect("written");
        let mask = image::GrayImage::from_fn(96, 96, |x, _| image::Luma([if x < 40 { 255 } else { 0 }]));
        mask.save(root.join(format!("train/GTs/mask_{name}.png"))).expect("written");
    }
    let table = "Image,Description\na.png,left lung\nb.png,right lung\n";
    std::fs::write(root.join("prompt/train.csv"), table).expect("written");
}

fn prompts(settings: &Value) -> Vec<String> {
    let list = settings["prompts"].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|prompt| prompt.as_str().map(str::to_owned)).collect()
}

#[test]
fn a_case_is_read_from_opening_to_undo() {
    let Some(desktop) = Desktop::new() else { return };
    let root = desktop.folder.path().join("cases");
    cases(&root);
    let _program = desktop.program(env!("CARGO_BIN_EXE_himix"), &[&root], &[]);

    // The folder's first case opens with its own prompt. The history has what the user types, so that it says nothing yet.
    desktop.wait("the model", |settings| settings["models"].as_array().is_some_and(|models| !models.is_empty()));
    assert!(desktop.focus());

    // The threshold is changed by key, and the colours of the comparison.
    for _ in 0..10 {
        desktop.key("bracketright");
    }
    desktop.key("c");
    // It begins at that of the model for this kind of image.
    desktop.wait("the threshold", |settings| {
        let begun = settings["model_threshold"].as_f64().unwrap_or(0.5);
        (settings["threshold"].as_f64().unwrap_or_default() - begun - 0.1).abs() < 1e-4
            && settings["colours"]["scheme"] == "safe"
    });

    // The field receives all letters, including C and N, and the prediction of the complete prompt is stored.
    desktop.key("slash");
    // A slow machine takes a frame or two until the field has the keyboard focus.
    std::thread::sleep(Duration::from_millis(2000));
    assert!(desktop.tool(&["type", "--delay", "100", " can"]));
    desktop.wait("the typed prompt", |settings| prompts(settings).contains(&"left lung can".to_owned()));
    // Undo restores what was there before, and typing goes on from it.
    desktop.key("ctrl+z");
    assert!(desktop.tool(&["type", "--delay", "100", " nod"]));
    let is_undone = |prompt: &String| prompt.ends_with(" nod") && !prompt.contains("can");
    desktop.wait("the undone prompt", |settings| prompts(settings).iter().any(is_undone));
    // The first closes the list of words that begin like this.
    desktop.key("Escape");
    desktop.key("Escape");

    // The next case has its own prompt; the wheel over the picture does not take the keyboard focus.
    desktop.key("n");
    std::thread::sleep(Duration::from_millis(2000));
    desktop.key("slash");
    std::thread::sleep(Duration::from_millis(2000));
    assert!(desktop.tool(&["type", "--delay", "100", " far"]));
    desktop.wait("the next case", |settings| prompts(settings).contains(&"right lung far".to_owned()));
    assert!(!prompts(&desktop.settings()).contains(&"right lung".to_owned()));
    desktop.key("Escape");
    desktop.key("Escape");
    assert!(desktop.tool(&["mousemove", "600", "300", "click", "--repeat", "3", "4"]));
    desktop.key("h");
    desktop.wait("the heat map", |settings| settings["heat"] == true);

    // A panel is dragged by its tab from the stack at the lower right to the left edge of the picture, and stays there.
    let tab = ["mousemove", "1096", "639", "mousedown", "1"];
    let way = [[1000, 560], [700, 420], [300, 330], [205, 320], [202, 320]];
    assert!(desktop.tool(&tab));
    for place in way {
        std::thread::sleep(Duration::from_millis(150));
        assert!(desktop.tool(&["mousemove", &place[0].to_string(), &place[1].to_string()]));
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(desktop.tool(&["mouseup", "1"]));
    desktop.wait("the panel in its new place", |settings| {
        let row = settings["layouts"]["read"]["row"].as_array().cloned().unwrap_or_default();
        row.len() == 4 && row.iter().any(|part| part["node"]["stack"]["panes"][0]["pane"] == "model")
    });
}
