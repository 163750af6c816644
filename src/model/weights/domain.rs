//! The domain of a model: what the features of its training pictures are like, so that a picture of another kind can be
//! told. It is not part of the network and is stored beside its weights in `domain.json`, which versions without this
//! feature do not look for.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::beside::Beside;
use super::bundle::{Located, write_file};
use super::{WeightsError, bundled};

/// The name of the file in a bundle.
pub const DOMAIN_FILE: &str = "domain.json";
/// The file.
pub(super) const BESIDE: Beside = Beside {
    name: DOMAIN_FILE,
    bundled: Some(bundled::DOMAIN),
    what: "summary of training pictures",
    mend: "summarise the training pictures again with `himix domain fit`, or remove the file",
};

/// The features of the training pictures of a model, summarised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSummary {
    /// A description, for display, of the pictures.
    pub description: String,
    /// The mean of every feature over all training pictures.
    pub centre: Vec<f32>,
    /// The standard deviation of every feature; 1 for one that does not vary.
    pub scale: Vec<f32>,
    /// Orthonormal vectors that span the subspace in which the standardised features vary most.
    pub basis: Vec<Vec<f32>>,
    /// The kinds of pictures.
    pub kinds: Vec<DomainKind>,
}

/// The pictures of one kind, in coordinates along the vectors of the basis and one more: the logarithm of the mean square
/// of what is outside of their span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainKind {
    /// The name.
    pub name: String,
    /// The number of training pictures.
    pub pictures: usize,
    /// The number of pictures that were held out, which set the threshold.
    pub held_out: usize,
    /// The mean of the coordinates.
    pub mean: Vec<f32>,
    /// Their regularised covariance.
    pub covariance: Vec<Vec<f32>>,
    /// The Mahalanobis distance beyond which a picture is unlike this kind.
    pub threshold: f32,
    /// The distances below which 0, 1, …, 100 % of the held-out pictures are.
    pub quantiles: Vec<f32>,
}

impl DomainSummary {
    fn check(&self) -> Result<(), String> {
        let features = self.centre.len();
        let size = self.basis.len() + 1;
        let are_features = |values: &Vec<f32>| values.len() == features;
        let is_sound = |kind: &DomainKind| {
            let is_square = kind.covariance.len() == size && kind.covariance.iter().all(|line| line.len() == size);
            let is_sorted = kind.quantiles.len() == 101 && kind.quantiles.is_sorted();
            let is_finite =
                kind.mean.iter().chain(kind.covariance.iter().flatten()).all(|value| value.is_finite());
            kind.mean.len() == size && is_square && is_sorted && is_finite && kind.threshold > 0.0
        };
        if !are_features(&self.scale) || !self.basis.iter().all(are_features) || !self.kinds.iter().all(is_sound) {
            return Err("its numbers do not belong together".into());
        }
        let numbers = self.centre.iter().chain(&self.scale).chain(self.basis.iter().flatten());
        if self.kinds.is_empty() || self.scale.iter().any(|scale| *scale <= 0.0) {
            return Err("it has no kind of pictures, or a scale that is not positive".into());
        }
        if numbers.clone().all(|number| number.is_finite()) {
            Ok(())
        } else {
            Err("a number is not finite".into())
        }
    }
}

impl Located {
    /// The path where the summary of the model's training pictures is or would be stored; `None` for a model that is not
    /// a file.
    pub fn domain_path(&self) -> Option<PathBuf> {
        BESIDE.path(self)
    }

    /// Reads the summary of the model's training pictures; `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read or is no summary.
    pub fn domain(&self) -> Result<Option<DomainSummary>, WeightsError> {
        BESIDE.read(self, DomainSummary::check)
    }
}

/// Writes a summary to `path`. The file is written completely before it gets its name.
///
/// # Errors
/// The file cannot be written.
pub fn write(path: &Path, summary: &DomainSummary) -> Result<(), WeightsError> {
    let text = serde_json::to_string(summary).map_err(|error| WeightsError::file(path, error.to_string()))?;
    write_file(path, format!("{text}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_of_the_bundled_model_is_sound() {
        let located = crate::model::weights::bundle::locate(&crate::model::weights::ModelSource::bundled());
        let found = located.expect("the bundled model").domain().expect("sound");
        assert!(found.is_some_and(|found| found.kinds.len() > 3));
    }

    #[test]
    fn what_is_written_is_read_again_and_what_is_damaged_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(DOMAIN_FILE);
        let summary = DomainSummary {
            description: "forty pictures".into(),
            centre: vec![0.5, 0.25],
            scale: vec![1.0, 2.0],
            basis: vec![vec![0.6, 0.8]],
            kinds: vec![DomainKind {
                name: "X-rays".into(),
                pictures: 40,
                held_out: 20,
                mean: vec![0.0, -1.0],
                covariance: vec![vec![1.0, 0.1], vec![0.1, 0.5]],
                threshold: 3.0,
                quantiles: (0..101).map(|percent| percent as f32 / 25.0).collect(),
            }],
        };
        let parse = |path: &Path, text: &str| BESIDE.parse(path, text, DomainSummary::check);
        write(&path, &summary).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(parse(&path, &text).expect("read"), summary);
        let damaged = [
            String::new(),
            "{}".into(),
            text.replace("[0.5,0.25]", "[0.5]"),
            text.replace("\"threshold\":3.0", "\"threshold\":-3.0"),
            text.replace("[1.0,2.0]", "[1.0,0.0]"),
            text.replace("[0.1,0.5]", "[0.1]"),
            text.replace("\"pictures\"", "\"picturse\""),
            text[..text.len() / 2].to_owned(),
        ];
        for damaged in damaged {
            let error = parse(&path, &damaged).expect_err(&damaged).to_string();
            assert!(error.contains(DOMAIN_FILE) && error.contains("himix domain fit"), "{error}");
        }
    }
}
