//! The settings of a run, in one structure for file, command line and window. Every key has a default; together
//! the defaults are the paper's recipe.

mod check;
mod choices;
mod keys;

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::data::MaskRule;
use crate::model::Ablation;

pub use choices::{Criterion, EmptyTruth, LossKind, OptimiserKind, Schedule};
pub use keys::KEYS;

/// The former name of the setting `loss`, which files of older versions have.
const FORMER_LOSS: &str = "cross_entropy";

/// The settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The folders of the data sets. A single folder may be written without brackets.
    #[serde(deserialize_with = "one_or_many")]
    pub data: Vec<PathBuf>,
    /// The share of an epoch for each data set, in the order of `data`: an epoch has as many pairs as without weights,
    /// and their numbers are proportional to the weights. Empty: every pair once.
    #[serde(deserialize_with = "number_or_numbers")]
    pub weight: Vec<f64>,
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
    /// The share of an epoch's pairs that are drawn with a probability proportional to their last loss.
    pub hard_examples: f64,
    /// The run folder.
    pub out: PathBuf,
    /// The architecture: the `config.json` of a bundle or on its own, or a name of `architecture_names`. `None` selects
    /// that of `start`, or the published sizes of HiMix.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<PathBuf>,
    /// The side length in pixels of the square that the network sees, in place of that of the architecture. `None` takes
    /// the architecture as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_size: Option<usize>,
    /// The variant of the architecture, for an ablation study. `None` and a resumed run take the architecture as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ablation: Option<Ablation>,
    /// The bundle to start from, for example one created by `himix import`. `None` starts from random weights. With
    /// `architecture` or `vocab`, what fits of it is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// The vocabulary. `None` selects that of `start`, or builds one from the training prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocab: Option<PathBuf>,
    /// Whether the text encoder is trained. `None` trains it unless the run starts from a bundle
    /// whose architecture and vocabulary it keeps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_text: Option<bool>,
    /// The compute device: auto, cpu, gpu, gpu:N or remote:HOST.
    pub device: String,
    /// The maximum number of epochs.
    pub epochs: usize,
    /// The number of epochs before the run may stop early.
    pub min_epochs: usize,
    /// The number of epochs without a better validation, by `criterion`, after which the run stops.
    pub patience: usize,
    /// The result of the validation that chooses the best weights and ends a run early.
    pub criterion: Criterion,
    /// The number of images in one pass through the network.
    pub batch_size: usize,
    /// The number of passes whose gradients are accumulated for one step.
    pub accumulate: usize,
    /// The number of parts into which the CPU divides a batch to compute them at the same time. 0 chooses it by the
    /// number of threads, and the run folder records what was chosen. A GPU does not divide batches.
    pub shards: usize,
    /// The rule by which a step moves the weights.
    pub optimiser: OptimiserKind,
    /// The momentum of gradient descent. AdamW does not read it.
    pub momentum: f64,
    /// The learning rate of the first epoch.
    pub lr: f64,
    /// How the learning rate falls.
    pub schedule: Schedule,
    /// The learning rate at the end of the schedule.
    pub min_lr: f64,
    /// The length of the cosine schedule in epochs.
    pub cosine_epochs: usize,
    /// Whether the cosine schedule begins anew after its length (Loshchilov and Hutter, SGDR, 2017).
    pub restarts: bool,
    /// The number of epochs over which the learning rate rises linearly from 0 to that of the schedule; 0 for none.
    pub warmup_epochs: f64,
    /// The weight decay: decoupled in AdamW, added to the gradient in gradient descent.
    pub weight_decay: f64,
    /// The largest Euclidean norm of the gradient of all parameters of a step. A larger gradient is scaled down to
    /// it; 0 scales none.
    pub clip_norm: f64,
    /// The decay of the exponential moving average of the weights; 0 keeps none.
    pub ema_decay: f64,
    /// The loss.
    pub loss: LossKind,
    /// The Dice or Tversky term of an image with an empty ground truth.
    pub empty_truth: EmptyTruth,
    /// The exponent γ of the focal loss.
    pub focal_gamma: f64,
    /// The weight α of false positives in the Tversky loss; false negatives have 1 − α.
    pub tversky_alpha: f64,
    /// The weight of the auxiliary loss of each decoder stage, coarse to fine; empty for none.
    #[serde(deserialize_with = "number_or_numbers")]
    pub stage_losses: Vec<f64>,
    /// The probability that an image is zoomed by a factor between 0.95 and 1.2.
    pub zoom: f64,
    /// The probability that an image is mirrored, with "left" and "right" exchanged in its prompt.
    pub flip: f64,
    /// The probability that the intensities of an image are changed by a gamma between 0.7 and 1.4.
    pub gamma: f64,
    /// The probability that an image is rotated by up to 10°.
    pub rotate: f64,
    /// The probability of a scale between 0.7 and 1.4 in place of the zoom.
    pub scale: f64,
    /// The probability of an elastic deformation.
    pub elastic: f64,
    /// The probability of a shift of the brightness.
    pub brightness: f64,
    /// The probability of another contrast.
    pub contrast: f64,
    /// The probability of contrast-limited adaptive histogram equalisation.
    pub clahe: f64,
    /// The probability of a Gaussian blur.
    pub blur: f64,
    /// The probability of Gaussian noise.
    pub noise: f64,
    /// The probability of JPEG compression.
    pub jpeg: f64,
    /// The probability of grey rectangles.
    pub cutout: f64,
    /// The probability of any of an image's prompts in place of the first.
    pub reword: f64,
    /// The probability that the places of a prompt change their order.
    pub reorder: f64,
    /// The probability that parts of a prompt are left out.
    pub drop_parts: f64,
    /// The probability that a prompt is written out as a report.
    pub report: f64,
    /// The probability of an empty prompt.
    pub empty_sentence: f64,
    /// The probability of a prompt that denies the finding, with the empty mask.
    pub denied: f64,
    /// The probability of a text about something else, with the empty mask.
    pub irrelevant: f64,
    /// The probability that a prompt with places on both sides, and its mask, are cut to one side.
    pub single_side: f64,
    /// The probability that a prompt about lungs names a single place, and the mask is what lies there.
    pub single_place: f64,
    /// The probability that a prompt about lungs names a single place where nothing is, with the empty mask.
    pub absent_place: f64,
    /// The seed of weights, order, dropout and augmentation.
    pub seed: u64,
    /// The minutes between checkpoints within an epoch. There is always one at the end of an epoch.
    pub checkpoint_minutes: f64,
    /// The number of validation cases whose mask is shown after every epoch.
    pub preview: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: Vec::new(),
            weight: Vec::new(),
            train_split: "train".into(),
            validation_split: "val".into(),
            mask_rule: MaskRule::default(),
            phantoms: 0,
            limit: 0,
            hard_examples: 0.0,
            out: PathBuf::new(),
            architecture: None,
            image_size: None,
            ablation: None,
            start: None,
            vocab: None,
            train_text: None,
            device: "auto".into(),
            epochs: 100,
            min_epochs: 20,
            patience: 20,
            criterion: Criterion::default(),
            batch_size: 32,
            accumulate: 1,
            shards: 0,
            optimiser: OptimiserKind::default(),
            momentum: 0.9,
            lr: 3e-4,
            schedule: Schedule::default(),
            min_lr: 1e-6,
            cosine_epochs: 200,
            restarts: false,
            warmup_epochs: 0.0,
            weight_decay: 0.01,
            clip_norm: 0.0,
            ema_decay: 0.0,
            loss: LossKind::default(),
            empty_truth: EmptyTruth::default(),
            focal_gamma: 2.0,
            tversky_alpha: 0.3,
            stage_losses: Vec::new(),
            zoom: 0.1,
            flip: 0.0,
            gamma: 0.0,
            rotate: 0.0,
            scale: 0.0,
            elastic: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            clahe: 0.0,
            blur: 0.0,
            noise: 0.0,
            jpeg: 0.0,
            cutout: 0.0,
            reword: 0.0,
            reorder: 0.0,
            drop_parts: 0.0,
            report: 0.0,
            empty_sentence: 0.0,
            denied: 0.0,
            irrelevant: 0.0,
            single_side: 0.0,
            single_place: 0.0,
            absent_place: 0.0,
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

fn number_or_numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Numbers {
        One(f64),
        Many(Vec<f64>),
    }
    Ok(match Numbers::deserialize(deserializer)? {
        Numbers::One(number) => vec![number],
        Numbers::Many(numbers) => numbers,
    })
}

/// Says that there is no such setting, with the most similar one if there is one.
///
/// # Errors
/// `key` is unknown.
pub fn known(key: &str) -> Result<(), String> {
    if key == FORMER_LOSS || KEYS.iter().any(|(known, _)| *known == key) {
        return Ok(());
    }
    let nearest = KEYS.iter().map(|(known, _)| (strsim::jaro_winkler(key, known), known));
    let hint = match nearest.max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((likeness, known)) if likeness > 0.7 => format!("; did you mean '{known}'?"),
        _ => String::new(),
    };
    Err(format!("there is no setting '{key}'{hint}"))
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
    pub fn from_table(mut table: toml::Table) -> Result<Self, String> {
        table.keys().try_for_each(|key| known(key))?;
        if let Some(value) = table.remove(FORMER_LOSS)
            && table.insert("loss".into(), value).is_some()
        {
            return Err(format!("{FORMER_LOSS} is the former name of loss; give one of them"));
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

    /// Whether a text encoder is not trained.
    pub(super) fn freezes_text(&self) -> bool {
        !self.train_text.unwrap_or(self.start.is_none())
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
        table.insert(if key == FORMER_LOSS { "loss" } else { key }.to_owned(), value);
        Self::from_table(table)
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
            image_size: Some(128),
            ablation: Some(Ablation::NoGrouping),
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
        assert_eq!(config.set("image_size", "128").map(|c| c.image_size), Ok(Some(128)));
        assert!(config.set("image_size", "large").is_err());
        assert_eq!(config.set("data", "my/folder").map(|c| c.data), Ok(vec!["my/folder".into()]));
        assert_eq!(config.set("start", "/a b").map(|c| c.start), Ok(Some("/a b".into())));
        assert_eq!(config.set("loss", "double_sigmoid").map(|c| c.loss), Ok(LossKind::DoubleSigmoid));
        assert_eq!(config.set("weight", "[2, 0.5]").map(|c| c.weight), Ok(vec![2.0, 0.5]));
        assert_eq!(config.set("weight", "3").map(|c| c.weight), Ok(vec![3.0]));
        assert!(config.set("epochs", "many").is_err());
        assert!(config.set("epochs", "-1").is_err());
    }

    #[test]
    fn settings_of_older_versions_keep_their_meaning() {
        let read = TrainConfig::from_toml("cross_entropy = \"literal\"\nlr = 1e-3\n").expect("the former name");
        assert_eq!(read, TrainConfig { loss: LossKind::Literal, lr: 1e-3, ..TrainConfig::default() });
        assert_eq!(read.set("cross_entropy", "binary").map(|c| c.loss), Ok(LossKind::Binary));
        let error = TrainConfig::from_toml("cross_entropy = \"literal\"\nloss = \"dice\"").expect_err("both");
        assert!(error.contains("former name"), "{error}");
    }

    #[test]
    fn values_out_of_range_are_named_with_their_key() {
        let two = TrainConfig { data: vec!["a".into(), "b".into()], ..TrainConfig::default() };
        assert_eq!(two.validate(), Ok(()));
        assert_eq!(TrainConfig { weight: vec![0.0, 1.0], ..two.clone() }.validate(), Ok(()));
        let refused = [
            (TrainConfig { weight: vec![0.0, 0.0], ..two.clone() }, "weight sums to 0"),
            (TrainConfig { weight: vec![2.0, -1.0], ..two.clone() }, "weight contains -1"),
            (TrainConfig { weight: vec![f64::NAN, 1.0], ..two.clone() }, "weight contains NaN"),
            (TrainConfig { image_size: Some(0), ..two.clone() }, "image_size is 0"),
            (TrainConfig { weight: vec![1.0], ..two.clone() }, "weight has 1 numbers and there are 2 data sets"),
            (TrainConfig { ema_decay: 1.0, ..two.clone() }, "ema_decay"),
            (TrainConfig { clip_norm: -1.0, ..two.clone() }, "clip_norm"),
            (TrainConfig { warmup_epochs: f64::INFINITY, ..two.clone() }, "warmup_epochs"),
            (TrainConfig { tversky_alpha: 1.0, ..two.clone() }, "tversky_alpha"),
            (TrainConfig { focal_gamma: -0.5, ..two.clone() }, "focal_gamma"),
            (TrainConfig { stage_losses: vec![-0.1], ..two.clone() }, "stage_losses contains -0.1"),
            (TrainConfig { hard_examples: 1.5, ..two.clone() }, "hard_examples"),
            (TrainConfig { elastic: -0.1, ..two.clone() }, "elastic"),
            (TrainConfig { empty_sentence: 2.0, ..two }, "empty_sentence"),
        ];
        for (config, expected) in refused {
            let error = config.validate().expect_err(expected);
            assert!(error.starts_with(expected), "{error} for {expected}");
        }
    }
}
