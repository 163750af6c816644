//! The log of what the program did.

use std::fs;
use std::path::Path;

use crate::files::folder;
use crate::model::{bundle, put_picture};

/// Runs a prediction with its settings in `home`, and gives the log.
fn log_of(home: &Path, image: &Path, level: Option<&str>) -> String {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_himix"));
    command.args(["predict", "--device", "cpu", "--prompt", "the nodule of Jane Doe", "--model"]);
    command.arg(bundle()).arg("--image").arg(image).env("XDG_CONFIG_HOME", home).env_remove("HIMIX_LOG");
    if let Some(level) = level {
        command.env("HIMIX_LOG", level);
    }
    command.output().expect("the program starts");
    fs::read_to_string(home.join("himix/log/himix.log")).unwrap_or_default()
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_tells_what_was_done_and_nothing_of_the_case() {
    let folder = folder();
    let image = put_picture(&folder, "doe_jane.png", 96, 64);
    let home = folder.path().join("home");
    assert_eq!(log_of(&home, &image, None), "", "a command keeps none unless it is asked to");
    assert_eq!(log_of(&home, &image, Some("off")), "");
    let text = log_of(&home, &image, Some("info"));
    for part in
        ["INFO", "started", concat!("version=\"", env!("CARGO_PKG_VERSION")), "model opened", "device=\"CPU"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
    // A failure is told by its kind.
    let text = log_of(&home, &folder.path().join("doe_john.png"), Some("warn"));
    let count = text.lines().count();
    assert!(!log_of(&home, &image, Some("error")).is_empty());
    assert_eq!(log_of(&home, &image, Some("error")).lines().count(), count, "nothing of that level happened");
    for private in ["doe", "Doe", "nodule", "home", "small-bundle"] {
        assert!(!text.contains(private), "{private} is in it: {text}");
    }
}
