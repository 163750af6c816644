//! The settings of a run. Every key has a default; together they are the paper's recipe.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Which cross entropy stands beside the Dice loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossEntropy {
    /// Over foreground and background.
    #[default]
    Binary,
    /// As the paper writes it for one class: over the foreground alone.
    Literal,
}

/// Settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Folder of the dataset in the authors' layout.
    pub data: PathBuf,
    /// Split to train on.
    pub train_split: String,
    /// Split that chooses the best weights.
    pub validation_split: String,
    /// Folder that receives the bundle.
    pub out: PathBuf,
    /// Architecture: a bundle's or bare `config.json`. None takes the published full size.
    pub architecture: Option<PathBuf>,
    /// Bundle to start from, for instance one that `himix import` made. None starts from random weights.
    pub start: Option<PathBuf>,
    /// Vocabulary for a start from random weights. None makes one of the training sentences.
    pub vocab: Option<PathBuf>,
    /// Whether the text encoder is trained. None trains it unless there are weights to start from.
    pub train_text: Option<bool>,
    /// Most epochs.
    pub epochs: usize,
    /// Epochs before the run may stop early.
    pub min_epochs: usize,
    /// Epochs without a better validation loss after which the run stops.
    pub patience: usize,
    /// Images of one step.
    pub batch_size: usize,
    /// Learning rate of the first epoch.
    pub learning_rate: f64,
    /// Learning rate at the end of the cosine.
    pub min_learning_rate: f64,
    /// Length of the cosine in epochs.
    pub cosine_epochs: usize,
    /// AdamW's weight decay.
    pub weight_decay: f64,
    /// Cross entropy of the loss.
    pub cross_entropy: CrossEntropy,
    /// Probability with which an image is zoomed by a factor in 0.95…1.2.
    pub zoom_probability: f64,
    /// Seed of weights, order and augmentation.
    pub seed: u64,
    /// Trains on the first so many pairs only; 0 takes all.
    pub limit: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            train_split: "train".into(),
            validation_split: "val".into(),
            out: PathBuf::new(),
            architecture: None,
            start: None,
            vocab: None,
            train_text: None,
            epochs: 100,
            min_epochs: 20,
            patience: 20,
            batch_size: 32,
            learning_rate: 3e-4,
            min_learning_rate: 1e-6,
            cosine_epochs: 200,
            weight_decay: 0.01,
            cross_entropy: CrossEntropy::default(),
            zoom_probability: 0.1,
            seed: 0,
            limit: 0,
        }
    }
}

impl TrainConfig {
    /// What is wrong with the numbers, if anything.
    pub fn validate(&self) -> Result<(), String> {
        let positive =
            [("epochs", self.epochs), ("batch_size", self.batch_size), ("cosine_epochs", self.cosine_epochs)];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} is 0; it must be at least 1"));
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return Err("learning_rate is not positive; 3e-4 is the paper's".into());
        }
        if !(0.0..=self.learning_rate).contains(&self.min_learning_rate) {
            return Err("min_learning_rate is out of range; it must lie between 0 and learning_rate".into());
        }
        if !(0.0..1.0).contains(&self.weight_decay) || !(0.0..=1.0).contains(&self.zoom_probability) {
            return Err("weight_decay or zoom_probability is out of range; both must lie between 0 and 1".into());
        }
        Ok(())
    }
}
