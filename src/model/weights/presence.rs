//! The calibration of presence: how likely it is that what a prompt names is in the image at all, from the
//! probability map. It is not part of the network and is stored beside its weights in `presence.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::bundle::{Located, write_file};
use super::{WeightsError, bundled};

/// The name of the file in a bundle.
pub const PRESENCE_FILE: &str = "presence.json";
/// The file.
pub(super) const BESIDE: Beside = Beside {
    name: PRESENCE_FILE,
    bundled: Some(bundled::PRESENCE),
    what: "calibration of presence",
    mend: "calibrate again with `himix presence calibrate`, or remove the file",
};

/// The calibration of a model: `presence = sigmoid(bias + Σ weight · feature)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceCalibration {
    /// A description, for display, of the images on which it was fitted.
    pub description: String,
    /// The weights of the features.
    pub weights: PresenceWeights,
    /// The bias.
    pub bias: f64,
    /// The images on which it was fitted, by group, with the separation that was reached on each.
    pub groups: Vec<PresenceGroup>,
}

/// The weights of the features, by their names.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceWeights {
    /// That of the log-odds of the maximum.
    pub maximum: f64,
    /// That of the log-odds of the mean of the highest 1 %.
    pub top_percent: f64,
    /// That of the share of pixels with at least 0.5.
    pub area: f64,
    /// That of the log-odds of the mean of the values of at least 0.5.
    pub inside: f64,
}

/// Images of one origin, with and without lesion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresenceGroup {
    /// The origin of the images.
    pub name: String,
    /// The number of images with a lesion.
    pub with_lesion: usize,
    /// The number of images without one.
    pub without_lesion: usize,
    /// The area under the ROC curve on these images, by cross-validation; `None` if one of the numbers is 0.
    pub auroc: Option<f64>,
}

impl PresenceCalibration {
    fn check(&self) -> Result<(), String> {
        let PresenceWeights { maximum, top_percent, area, inside } = self.weights;
        if [maximum, top_percent, area, inside, self.bias].iter().all(|value| value.is_finite()) {
            return Ok(());
        }
        Err("a weight is no finite number".into())
    }
}

impl Located {
    /// The path where the model's calibration of presence is or would be stored; `None` for a model that is not a
    /// file.
    pub fn presence_path(&self) -> Option<PathBuf> {
        BESIDE.path(self)
    }

    /// Reads the model's calibration of presence; `None` if it was never calibrated.
    ///
    /// # Errors
    /// The file cannot be read or is no calibration.
    pub fn presence(&self) -> Result<Option<PresenceCalibration>, WeightsError> {
        BESIDE.read(self, PresenceCalibration::check)
    }
}

/// Writes a calibration to `path`. The file is written completely before it gets its name.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, calibration: &PresenceCalibration) -> Result<(), WeightsError> {
    let text =
        serde_json::to_string_pretty(calibration).map_err(|error| WeightsError::file(path, error.to_string()))?;
    write_file(path, format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Registry;
    use crate::model::weights::ModelSource;
    use crate::model::weights::source::TensorSource;

    #[test]
    fn what_is_written_is_read_again_and_what_is_damaged_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(PRESENCE_FILE);
        let calibration = PresenceCalibration {
            description: "four images".into(),
            weights: PresenceWeights { maximum: 0.5, top_percent: 1.25, area: -2.0, inside: 0.0 },
            bias: 0.125,
            groups: vec![PresenceGroup {
                name: "phantoms".into(),
                with_lesion: 2,
                without_lesion: 2,
                auroc: Some(1.0),
            }],
        };
        let parse = |path: &Path, text: &str| BESIDE.parse(path, text, PresenceCalibration::check);
        write(&path, &calibration).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(parse(&path, &text).expect("read"), calibration);
        let damaged = ["", "{}", "[]", "nonsense", &text.replace("\"area\"", "\"arae\""), &text[..text.len() / 2]];
        for damaged in damaged {
            let error = parse(&path, damaged).expect_err(damaged).to_string();
            assert!(error.contains(PRESENCE_FILE) && error.contains("calibrate again"), "{error}");
        }
        let error = parse(&path, &text.replace("-2.0", "1e999")).expect_err("infinite").to_string();
        assert!(error.contains("presence.json"), "{error}");
    }

    #[test]
    fn the_bundled_model_is_calibrated_and_another_is_not() {
        let registry = Registry::default();
        let located = |source: ModelSource| Located {
            config: registry.published().expect("sizes"),
            weights: Box::new(Nothing),
            vocabulary: None,
            source,
        };
        let bundled = located(ModelSource::bundled()).presence().expect("valid");
        assert!(bundled.is_some_and(|found| !found.groups.is_empty()));
        let folder = tempfile::tempdir().expect("a folder");
        let other = located(ModelSource::new(folder.path()));
        assert_eq!(other.presence().expect("no file"), None);
        assert_eq!(other.presence_path(), Some(folder.path().join(PRESENCE_FILE)));
    }

    /// Weights that nobody reads.
    struct Nothing;

    impl TensorSource for Nothing {
        fn path(&self) -> &Path {
            Path::new("")
        }
        fn shapes(&self) -> std::collections::BTreeMap<String, Vec<usize>> {
            Default::default()
        }
        fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
            Err(WeightsError::file(Path::new(""), format!("there is no {name}")))
        }
    }
}
