//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use himix::data::mask::Several;
use himix::data::{LabelChoice, MaskRule, Orientation, PairReading};
use himix::device::DeviceChoice;
use himix::infer::{BUNDLED_NAME, ModelSource};

/// Arguments of the window.
#[derive(Debug, Args)]
pub struct WindowArguments {
    /// Images to open in the window
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Model for the window: the folder of a bundle, or a weights file
    #[arg(long, value_name = "M")]
    pub model: Option<PathBuf>,
    /// Configuration of a bare weights file; by default config.json beside the weights
    #[arg(long, value_name = "C", requires = "model")]
    pub config: Option<PathBuf>,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V", requires = "model")]
    pub vocab: Option<PathBuf>,
    /// Second model, for comparison
    #[arg(long, value_name = "M2")]
    pub against: Option<PathBuf>,
}

/// The model of a command.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// Model: the folder of a bundle, a .safetensors file, a PyTorch checkpoint, "bundled" for the model that comes
    /// with the program, or "rule" for deterministic test weights
    #[arg(long, value_name = "M", default_value = BUNDLED_NAME)]
    pub model: PathBuf,
    /// Configuration of a bare weights file; by default config.json beside the weights
    #[arg(long, value_name = "C")]
    pub config: Option<PathBuf>,
}

impl ModelArguments {
    /// Returns the location of the model, with a vocabulary if the command takes one.
    pub fn source(&self, vocab: Option<&PathBuf>) -> ModelSource {
        ModelSource::with(self.model.clone(), self.config.clone(), vocab.cloned())
    }
}

/// The compute device.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// Compute device: auto, cpu, gpu or gpu:N; auto uses a hardware GPU if there is one [default: auto]
    #[arg(long, value_name = "D")]
    pub device: Option<DeviceChoice>,
}

impl DeviceArguments {
    /// Returns the requested device, or `auto`.
    pub fn choice(&self) -> DeviceChoice {
        self.device.unwrap_or_default()
    }
}

/// Parses a threshold for probabilities.
pub fn threshold(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("the threshold must be a number from 0 to 1".into()),
    }
}

/// How the pairs of a data set are read, if not as the data set says.
#[derive(Debug, Args)]
pub struct PairArguments {
    /// Foreground of a mask file: derived from its values, above half of the range, or exactly 255 as in the authors'
    /// code [default: as in the data set's himix-data.toml, else found]
    #[arg(long, value_name = "RULE")]
    mask_rule: Option<MaskRuleName>,
    /// Leave images as they are stored and ignore their EXIF orientation
    #[arg(long)]
    as_stored: bool,
    /// Labels of the masks that are foreground, for instance 1,3, or all [default: as in the data set's
    /// himix-data.toml, else all except background]
    #[arg(long, value_name = "N,N", allow_hyphen_values = true)]
    labels: Option<LabelChoice>,
    /// Meaning of several masks of one image [default: as in the data set's himix-data.toml, else united]
    #[arg(long, value_name = "WHAT")]
    several: Option<SeveralName>,
}

/// [`Several`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SeveralName {
    /// Parts of one mask
    United,
    /// Classes: the first file in the order of names is label 1
    AsLabels,
}

impl SeveralName {
    /// Returns the library's type.
    pub fn several(self) -> Several {
        match self {
            Self::United => Several::United,
            Self::AsLabels => Several::AsLabels,
        }
    }
}

impl PairArguments {
    /// Returns how a data set is read, with the options applied.
    pub fn over(&self, reading: PairReading) -> PairReading {
        let reading = reading.under(self.mask_rule.map(MaskRuleName::rule));
        let orientation = if self.as_stored { Orientation::AsStored } else { reading.orientation };
        let labels = match &self.labels {
            None => reading.labels,
            Some(LabelChoice::Foreground) => Default::default(),
            Some(LabelChoice::Only(labels)) => labels.clone(),
        };
        let several = self.several.map_or(reading.several, SeveralName::several);
        PairReading { orientation, labels, several, ..reading }
    }
}

/// [`MaskRule`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MaskRuleName {
    Found,
    Half,
    #[value(name = "exactly-255")]
    Exactly255,
}

impl MaskRuleName {
    /// Returns the library's type.
    pub fn rule(self) -> MaskRule {
        match self {
            Self::Found => MaskRule::Found,
            Self::Half => MaskRule::Half,
            Self::Exactly255 => MaskRule::Exactly255,
        }
    }
}
