//! The text for reports of faults.

use eframe::egui::OutputCommand;
use egui_kittest::kittest::Queryable;

use super::{type_prompt, with_result};
use crate::fake::FakeModel;
use crate::harness::{Files, Window, wait};

/// What a click on this entry puts on the clipboard.
fn copied(window: &mut Window, entry: &str) -> String {
    window.get_by_label(entry).click();
    for _ in 0..8 {
        window.step();
        let commands = &window.output().platform_output.commands;
        if let Some(OutputCommand::CopyText(text)) =
            commands.iter().find(|command| matches!(command, OutputCommand::CopyText(_)))
        {
            return text.clone();
        }
    }
    panic!("nothing is copied");
}

#[test]
fn diagnostics_say_what_runs_where_and_nothing_of_the_case() {
    let files = Files::new();
    let mut window = with_result(&FakeModel::default(), vec![files.image(), files.truth()]);
    type_prompt(&mut window, "a nodule of Jane Doe");
    wait(&mut window, "the mask", |window| window.query_by_label("…").is_none());
    window.get_by_label("Help").click();
    window.run();
    let text = copied(&mut window, "Copy diagnostics");
    for part in [
        concat!("HiMix ", env!("CARGO_PKG_VERSION")),
        "System: ",
        "Model: ",
        "Image: ",
        "  threshold: 0.5",
        "Log:",
    ] {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    let image = files.image();
    let (folder, name) = (image.parent().expect("a folder"), image.file_name().expect("a name"));
    for private in [&*folder.to_string_lossy(), &*name.to_string_lossy(), "Doe", "nodule"] {
        assert!(!text.contains(private), "{private} is in it: {text}");
    }
    // It says that it was done.
    wait(&mut window, "a word on it", |window| window.query_by_label_contains("Diagnostics copied").is_some());
}
