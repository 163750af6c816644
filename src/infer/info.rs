//! Information about an open model.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::data::Area;
use crate::model::overrides::Overrides;
use crate::model::weights::presence::PresenceCalibration;
use crate::text::UnknownWords;

/// Information about an open model, for display.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// The name of the bundle.
    pub name: String,
    /// Whether the decoder was trained. If not, its masks have no meaning.
    pub is_trained: bool,
    /// The origin of the weights.
    pub provenance: String,
    /// The maximum number of tokens of a prompt, including special tokens; 0 if the network reads no text.
    pub token_limit: usize,
    /// Whether the network is prompted by a box ([`crate::data::Area`]), whose text then takes the place of a prompt.
    #[serde(default)]
    pub takes_box: bool,
    /// The words that the tokenizer knows as a whole, one on each line, for completion; empty if the network reads no
    /// text.
    #[serde(default)]
    pub vocabulary: String,
    /// What the network reads in place of words outside its vocabulary.
    #[serde(default)]
    pub unknown_words: UnknownWords,
    /// The temperature by which the logits are divided before they become probabilities; `None` if they are taken as
    /// they are.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// The side length of the grid of each decoder stage that can be inspected, coarse to fine; empty if the
    /// network has none.
    pub stages: Vec<usize>,
    /// The number of values in the network's parameters.
    pub parameters: usize,
    /// The multiplications and additions of one pass, estimated from the sizes of the network; 0 if this is not known.
    #[serde(default)]
    pub operations: f64,
    /// The name of the device that computes.
    pub device: String,
    /// Whether the device computes products in half precision.
    pub is_half: bool,
    /// Messages for the user about opening the model.
    pub notices: Vec<String>,
    /// The values that can be overridden, as the model has them; without stages if the network has none.
    pub overrides: Overrides,
    /// The origin of the stages' linear probes; `None` if there are none.
    pub linear_probes: Option<String>,
    /// The calibration of presence; `None` if there is none.
    #[serde(default)]
    pub presence: Option<PresenceCalibration>,
    /// The names of the kinds of training pictures that are summarised beside the weights; empty if there is no summary.
    #[serde(default)]
    pub domain: Vec<String>,
    /// The σ of each stage, coarse to fine, after each epoch of the training, if this is stored beside the model.
    pub history: Vec<(usize, Vec<f32>)>,
    /// The sorted codes of the subjects in the training data (`data::subject_code`); empty if they are unknown.
    pub subjects: Vec<String>,
}

impl ModelInfo {
    /// Whether the network reads a prompt.
    pub fn reads_text(&self) -> bool {
        self.token_limit > 0
    }

    /// Whether the mask depends on a prompt, a text or a box.
    pub fn is_prompted(&self) -> bool {
        self.reads_text() || self.takes_box
    }

    /// A prompt for an image of this size where only the image matters: the box around all of it for a network that
    /// takes one, otherwise no text.
    pub fn whole_image(&self, width: usize, height: usize) -> String {
        if self.takes_box { Area::whole(width, height).to_string() } else { String::new() }
    }
}

/// Reads the σ of each epoch from the `metrics.csv` of the training run that wrote a bundle, which is in the
/// bundle's folder or its parent folder. The result is empty if there is no such file; rows that cannot be read
/// are ignored.
pub(super) fn sigma_history(model: &Path) -> Vec<(usize, Vec<f32>)> {
    if !model.exists() {
        return Vec::new();
    }
    let folders = [Some(model), model.parent()];
    let file = folders.into_iter().flatten().map(|folder| folder.join("metrics.csv")).find(|path| path.is_file());
    let Some(mut reader) = file.and_then(|path| csv::Reader::from_path(path).ok()) else { return Vec::new() };
    let Ok(header) = reader.headers().cloned() else { return Vec::new() };
    let epoch = header.iter().position(|name| name == "epoch");
    let sigmas: Vec<usize> = (0..header.len()).filter(|index| header[*index].starts_with("sigma")).collect();
    let row = |row: csv::StringRecord| -> Option<(usize, Vec<f32>)> {
        let values = sigmas.iter().map(|index| row.get(*index)?.parse().ok());
        Some((row.get(epoch?)?.parse().ok()?, values.collect::<Option<_>>()?))
    };
    reader.records().flatten().filter_map(row).collect()
}

pub(super) fn sorted(codes: &[String]) -> Vec<String> {
    let mut codes = codes.to_vec();
    codes.sort_unstable();
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sigmas_of_a_run_are_beside_its_bundle_or_one_folder_above() {
        let run = tempfile::tempdir().expect("a folder");
        let bundle = run.path().join("best");
        std::fs::create_dir(&bundle).expect("a folder");
        assert_eq!(sigma_history(&bundle), []);
        // The second row is damaged.
        let table = "epoch,dice,sigma_1,sigma_2\n1,0.5,6.25,4.5\n2,0.6,?,4.25\n3,0.7,5.75,4.0\n";
        std::fs::write(run.path().join("metrics.csv"), table).expect("written");
        let expected = [(1, vec![6.25, 4.5]), (3, vec![5.75, 4.0])];
        assert_eq!(sigma_history(&bundle), expected);
        assert_eq!(sigma_history(run.path()), expected);
        assert_eq!(sigma_history(&run.path().join("none")), [], "there is no such bundle");
    }
}
