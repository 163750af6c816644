//! The thresholds of a model by kind of image, chosen on validation. They are no part of the network and are stored beside its
//! weights in `thresholds.json`, which versions without this feature do not look for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::bundle::{Located, write_file};
use super::{WeightsError, bundled};

/// The name of the file in a bundle.
pub const THRESHOLDS_FILE: &str = "thresholds.json";
/// The file.
pub(super) const BESIDE: Beside = Beside {
    name: THRESHOLDS_FILE,
    bundled: Some(bundled::THRESHOLDS),
    what: "file of thresholds",
    mend: "choose them again with `himix threshold`, or remove the file",
};

/// The thresholds of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindThresholds {
    /// A description, for display, of the images on which they were chosen.
    pub description: String,
    /// The thresholds by kind of image: `xray`, `ct` or `endoscopy`.
    pub kinds: BTreeMap<String, KindThreshold>,
}

/// The threshold for one kind of image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindThreshold {
    /// The probability from which a pixel is foreground, above 0 and below 1.
    pub threshold: f32,
    /// The number of images on which it was chosen.
    pub images: usize,
    /// The mean Dice score per image at this threshold.
    pub dice: f64,
    /// The same at 0.5.
    pub dice_at_half: f64,
}

fn check(thresholds: &KindThresholds) -> Result<(), String> {
    match thresholds.kinds.iter().find(|(_, kind)| !(kind.threshold > 0.0 && kind.threshold < 1.0)) {
        Some((name, kind)) => Err(format!("that of {name} is {} and must lie between 0 and 1", kind.threshold)),
        None => Ok(()),
    }
}

impl Located {
    /// The path where the model's thresholds are or would be stored; `None` for a model that is not a file.
    pub fn thresholds_path(&self) -> Option<PathBuf> {
        BESIDE.path(self)
    }

    /// Reads the model's thresholds; `None` if none were chosen.
    ///
    /// # Errors
    /// The file cannot be read or has no thresholds.
    pub fn thresholds(&self) -> Result<Option<KindThresholds>, WeightsError> {
        BESIDE.read(self, check)
    }
}

/// Writes thresholds to `path`. The file is written completely before it gets its name.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, thresholds: &KindThresholds) -> Result<(), WeightsError> {
    let text =
        serde_json::to_string_pretty(thresholds).map_err(|error| WeightsError::file(path, error.to_string()))?;
    write_file(path, format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_what_is_damaged_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(THRESHOLDS_FILE);
        let kind = KindThreshold { threshold: 0.42, images: 70, dice: 0.8, dice_at_half: 0.79 };
        let thresholds = KindThresholds {
            description: "a test".into(),
            kinds: BTreeMap::from([("xray".to_owned(), kind), ("ct".to_owned(), kind)]),
        };
        write(&path, &thresholds).expect("written");
        let parse = |path: &Path, text: &str| BESIDE.parse(path, text, check);
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(parse(&path, &text).expect("read"), thresholds);
        for (from, to) in [("0.42", "1.0"), ("0.42", "0"), ("\"images\"", "\"pictures\""), ("{", "[")] {
            let error = parse(&path, &text.replace(from, to)).expect_err("damaged").to_string();
            assert!(error.contains(THRESHOLDS_FILE) && error.contains("himix threshold"), "{error}");
        }
    }

    #[test]
    fn those_of_the_bundled_model_are_sound() {
        let located = crate::model::weights::bundle::locate(&crate::model::weights::ModelSource::bundled());
        let found = located.expect("the bundled model").thresholds().expect("sound");
        assert!(found.is_some_and(|found| found.kinds.contains_key("xray")));
    }
}
