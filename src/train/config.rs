//! The settings of a run, in one structure for file, command line and window. Every key has a default; together
//! the defaults are the paper's recipe.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::data::MaskRule;

/// The cross-entropy that is combined with the Dice loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrossEntropy {
    /// Over foreground and background.
    #[default]
    Binary,
    /// Over the foreground only, as the paper's formula for one class says.
    Literal,
}

/// The settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The folders of the data sets. A single folder may be written without brackets.
    #[serde(deserialize_with = "one_or_many")]
    pub data: Vec<PathBuf>,
    /// The split to train on.
    pub train_split: String,
    /// The split that selects the best weights.
    pub validation_split: String,
    /// The rule that defines the foreground of a mask file.
    pub mask_rule: MaskRule,
    /// The number of synthetic images added to every epoch; they differ between epochs. A tenth of this number,
    /// always the same images, is added to the validation.
    pub phantoms: usize,
    /// The number of pairs of each data set to train on, starting with the first; 0 uses all.
    pub limit: usize,
    /// The run folder.
    pub out: PathBuf,
    /// The architecture: the `config.json` of a bundle or on its own. `None` selects the published sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<PathBuf>,
    /// The bundle to start from, for example one created by `himix import`. `None` starts from random weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// The vocabulary for a start from random weights. `None` builds one from the training prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab: Option<PathBuf>,
    /// Whether the text encoder is trained. `None` trains it only if the run starts from random weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_text: Option<bool>,
    /// The compute device: auto, cpu, gpu or gpu:N.
    pub device: String,
    /// The maximum number of epochs.
    pub epochs: usize,
    /// The number of epochs before the run may stop early.
    pub min_epochs: usize,
    /// The number of epochs without a lower validation loss after which the run stops.
    pub patience: usize,
    /// The number of images in one pass through the network.
    pub batch_size: usize,
    /// The number of passes whose gradients are accumulated for one step.
    pub accumulate: usize,
    /// The number of parts into which the CPU divides a batch to compute them at the same time. 0 chooses it by the
    /// number of threads, and the run folder records what was chosen. A GPU does not divide batches.
    pub shards: usize,
    /// The learning rate of the first epoch.
    pub lr: f64,
    /// The learning rate at the end of the cosine schedule.
    pub min_lr: f64,
    /// The length of the cosine schedule in epochs.
    pub cosine_epochs: usize,
    /// The weight decay of AdamW.
    pub weight_decay: f64,
    /// The cross-entropy of the loss: binary, or literal (over the foreground only).
    pub cross_entropy: CrossEntropy,
    /// The probability that an image is zoomed by a factor between 0.95 and 1.2.
    pub zoom: f64,
    /// The probability that an image is mirrored, with "left" and "right" exchanged in its prompt.
    pub flip: f64,
    /// The probability that the intensities of an image are changed by a gamma between 0.7 and 1.4.
    pub gamma: f64,
    /// The probability that an image is rotated by up to 10°.
    pub rotate: f64,
    /// The seed of weights, order, dropout and augmentation.
    pub seed: u64,
    /// The minutes between checkpoints within an epoch. There is always one at the end of an epoch.
    pub checkpoint_minutes: f64,
    /// The number of validation cases whose mask is shown after every epoch.
    pub preview: usize,
}

/// The description of each key, in the order of the fields. The help of the command line and the window show it.
pub const KEYS: &[(&str, &str)] = &[
    ("data", "folders of the data sets"),
    ("train_split", "split to train on"),
    ("validation_split", "split that chooses the best weights"),
    (
        "mask_rule",
        "foreground of a mask file: found (from its values), half (above half of the range) or exactly_255 (as the authors read it)",
    ),
    ("phantoms", "synthetic pictures added to every epoch, other ones each time"),
    ("limit", "first so many pairs of each data set; 0 takes all"),
    ("out", "run folder"),
    ("architecture", "config.json of the architecture; none: the published full size"),
    ("start", "bundle to start from; none: random weights"),
    ("vocab", "vocabulary for a start from random weights; none: made of the training prompts"),
    ("train_text", "whether the text encoder is trained; none: only from random weights"),
    ("device", "auto, cpu, gpu or gpu:N"),
    ("epochs", "most epochs"),
    ("min_epochs", "epochs before the run may stop early"),
    ("patience", "epochs without a better validation loss after which it stops"),
    ("batch_size", "images of one pass through the network"),
    ("accumulate", "passes whose gradients make one step"),
    ("shards", "parts of a batch that the CPU computes at the same time; 0: by the number of its threads"),
    ("lr", "learning rate of the first epoch"),
    ("min_lr", "learning rate at the end of the cosine"),
    ("cosine_epochs", "length of the cosine in epochs"),
    ("weight_decay", "AdamW's weight decay"),
    ("cross_entropy", "binary, or literal (over the foreground alone, as the paper writes it)"),
    ("zoom", "probability of a zoom by 0.95 to 1.2"),
    ("flip", "probability of a mirror image, left and right exchanged in the prompt"),
    ("gamma", "probability of a bent brightness curve, gamma 0.7 to 1.4"),
    ("rotate", "probability of a turn by up to 10°"),
    ("seed", "seed of weights, order, dropout and augmentation"),
    ("checkpoint_minutes", "minutes between two checkpoints within an epoch"),
    ("preview", "validation cases whose mask is shown epoch by epoch"),
];

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: Vec::new(),
            train_split: "train".into(),
            validation_split: "val".into(),
            mask_rule: MaskRule::default(),
            phantoms: 0,
            limit: 0,
            out: PathBuf::new(),
            architecture: None,
            start: None,
            vocab: None,
            train_text: None,
            device: "auto".into(),
            epochs: 100,
            min_epochs: 20,
            patience: 20,
            batch_size: 32,
            accumulate: 1,
            shards: 0,
            lr: 3e-4,
            min_lr: 1e-6,
            cosine_epochs: 200,
            weight_decay: 0.01,
            cross_entropy: CrossEntropy::default(),
            zoom: 0.1,
            flip: 0.0,
            gamma: 0.0,
            rotate: 0.0,
            seed: 0,
            checkpoint_minutes: 10.0,
            preview: 6,
        }
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Paths {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(deserializer)? {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths,
    })
}

impl TrainConfig {
    /// Parses the text of a TOML file.
    ///
    /// # Errors
    /// The text is not TOML, or a key or value is invalid. The message is one line; for an unknown key it suggests
    /// the most similar known key.
    pub fn from_toml(text: &str) -> Result<Self, String> {
        let table =
            text.parse().map_err(|error: toml::de::Error| format!("this is no TOML ({})", one_line(&error)))?;
        Self::from_table(table)
    }

    /// Reads the settings from a table of keys.
    ///
    /// # Errors
    /// A key is unknown or a value is invalid.
    pub fn from_table(table: toml::Table) -> Result<Self, String> {
        if let Some(key) = table.keys().find(|key| KEYS.iter().all(|(known, _)| known != key)) {
            let nearest = KEYS.iter().map(|(known, _)| (strsim::jaro_winkler(key, known), known));
            let nearest = nearest.max_by(|a, b| a.0.total_cmp(&b.0));
            let hint = match nearest {
                Some((likeness, known)) if likeness > 0.7 => format!("; did you mean '{known}'?"),
                _ => String::new(),
            };
            return Err(format!("there is no setting '{key}'{hint}"));
        }
        table.try_into().map_err(|error: toml::de::Error| one_line(&error))
    }

    /// Formats the settings as TOML, with the description of each key above it.
    pub fn to_toml(&self) -> String {
        let text = toml::to_string(self).unwrap_or_default();
        let mut out = String::new();
        for line in text.lines() {
            let key = line.split('=').next().unwrap_or_default().trim();
            if let Some((_, meaning)) = KEYS.iter().find(|(known, _)| *known == key) {
                out += &format!("# {meaning}\n");
            }
            out += &format!("{line}\n");
        }
        out
    }

    /// Returns the settings with one value changed; `value` is TOML or a bare word.
    ///
    /// # Errors
    /// The key is unknown or the value is invalid.
    pub fn set(&self, key: &str, value: &str) -> Result<Self, String> {
        let mut table = toml::Table::try_from(self).map_err(|error| error.to_string())?;
        // A value that is not valid TOML by itself, such as a path, is taken as text.
        let parsed = format!("value = {value}").parse::<toml::Table>().ok();
        let parsed_value = parsed.and_then(|mut parsed| parsed.remove("value"));
        let value = parsed_value.unwrap_or_else(|| toml::Value::String(value.to_owned()));
        table.insert(key.to_owned(), value);
        Self::from_table(table)
    }

    /// Checks the values.
    ///
    /// # Errors
    /// A value is out of range, there is nothing to train on, or a path is not Unicode.
    pub fn validate(&self) -> Result<(), String> {
        let positive = [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("accumulate", self.accumulate),
            ("cosine_epochs", self.cosine_epochs),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(format!("{name} is 0; it must be at least 1"));
        }
        if self.data.is_empty() && self.phantoms == 0 {
            return Err(
                "There is nothing to train on; name a data set (data), or set phantoms to a number above 0."
                    .into(),
            );
        }
        let mut folders = self.data.iter().chain([&self.out]).chain(&self.start);
        if let Some(path) = folders.find(|path| path.to_str().is_none()) {
            return Err(format!(
                "{}: the settings of a run are kept as text, and this name is not Unicode; rename the folder, or make a link to it",
                path.display()
            ));
        }
        if !(self.lr > 0.0 && self.lr.is_finite()) {
            return Err("lr is not positive; 3e-4 is the paper's".into());
        }
        if !(0.0..=self.lr).contains(&self.min_lr) {
            return Err("min_lr is out of range; it must lie between 0 and lr".into());
        }
        if !(0.0..1.0).contains(&self.weight_decay) {
            return Err("weight_decay is out of range; it must lie between 0 and 1".into());
        }
        let chances = [("zoom", self.zoom), ("flip", self.flip), ("gamma", self.gamma), ("rotate", self.rotate)];
        if let Some((name, _)) = chances.iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            return Err(format!("{name} is out of range; a probability lies between 0 and 1"));
        }
        if self.checkpoint_minutes.is_nan() || self.checkpoint_minutes <= 0.0 {
            return Err("checkpoint_minutes is not positive; 10 is usual".into());
        }
        self.device.parse::<crate::device::DeviceChoice>().map(|_| ())
    }
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_meaning_and_comes_back_from_the_file() {
        let config = TrainConfig {
            data: vec!["a".into(), "b c".into()],
            out: "run".into(),
            architecture: Some("x.json".into()),
            start: Some("s".into()),
            vocab: Some("v".into()),
            train_text: Some(true),
            ..TrainConfig::default()
        };
        let table = toml::Table::try_from(&config).expect("a table");
        let keys: Vec<&str> = table.keys().map(String::as_str).collect();
        let mut named: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
        named.sort_unstable();
        let mut sorted = keys.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, named);
        assert_eq!(TrainConfig::from_toml(&config.to_toml()), Ok(config));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_neighbour() {
        let error = TrainConfig::from_toml("batchsize = 4").expect_err("unknown");
        assert_eq!(error, "there is no setting 'batchsize'; did you mean 'batch_size'?");
        let error = TrainConfig::default().set("learning", "1").expect_err("unknown");
        assert!(error.starts_with("there is no setting 'learning'"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_whose_name_could_not_be_kept_is_refused() {
        use std::os::unix::ffi::OsStringExt;
        let name = std::ffi::OsString::from_vec(b"R\xf6ntgen".to_vec());
        let config = TrainConfig { data: vec![name.into()], ..TrainConfig::default() };
        assert!(config.validate().is_err_and(|error| error.contains("not Unicode; rename")));
    }

    #[test]
    fn settings_by_name() {
        let config = TrainConfig::default();
        assert_eq!(config.set("lr", "1e-4").map(|c| c.lr), Ok(1e-4));
        assert_eq!(config.set("lr", "1").map(|c| c.lr), Ok(1.0));
        assert_eq!(config.set("data", "my/folder").map(|c| c.data), Ok(vec!["my/folder".into()]));
        assert_eq!(config.set("start", "/a b").map(|c| c.start), Ok(Some("/a b".into())));
        assert_eq!(config.set("cross_entropy", "literal").map(|c| c.cross_entropy), Ok(CrossEntropy::Literal));
        assert!(config.set("epochs", "many").is_err());
        assert!(config.set("epochs", "-1").is_err());
    }
}
