//! What is said of a model that is open.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::overrides::Overrides;

/// What is loaded, for people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Name of the bundle.
    pub name: String,
    /// False where the decoder was never trained, so that its masks mean nothing.
    pub is_trained: bool,
    /// Where the weights come from.
    pub provenance: String,
    /// Tokens of a prompt that it reads, special ones included; 0 where the network reads no text.
    pub token_limit: usize,
    /// Side of the grid of each decoder stage that can be looked at, coarse to fine; empty where the network has none.
    pub stages: Vec<usize>,
    /// Numbers that make up the network.
    pub parameters: usize,
    /// Device that computes.
    pub device: String,
    /// What the user should know of the opening.
    pub notices: Vec<String>,
    /// The values that can be overridden, as they are; of no stages where the network has none.
    pub overrides: Overrides,
    /// Where the stages' read-outs come from; `None` where there are none.
    pub linear_probes: Option<String>,
    /// σ of each stage, coarse to fine, after each epoch of the training, where that is kept beside the model.
    pub history: Vec<(usize, Vec<f32>)>,
    /// Codes of the subjects in the training data (`data::subject_code`), sorted; empty where nothing is known.
    pub subjects: Vec<String>,
}

impl ModelInfo {
    /// Whether the network reads a prompt.
    pub fn reads_text(&self) -> bool {
        self.token_limit > 0
    }
}

/// From the `metrics.csv` of the training run that a bundle belongs to, which lies in it or above it; empty where there is none, and
/// of rows that cannot be read.
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
