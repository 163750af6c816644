//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use himix::data::mask::Several;
use himix::data::{LabelChoice, MaskRule, Orientation, PairReading};
use himix::device::DeviceChoice;
use himix::infer::{BUNDLED_NAME, ModelSource};

/// What the window is opened with.
#[derive(Debug, Args)]
pub struct WindowArguments {
    /// Images to open in the window
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Model for the window: a bundle's folder or a weights file
    #[arg(long, value_name = "M")]
    pub model: Option<PathBuf>,
    /// Configuration of a bare weights file
    #[arg(long, value_name = "C", requires = "model")]
    pub config: Option<PathBuf>,
    /// Vocabulary, where it does not lie beside the configuration
    #[arg(long, value_name = "V", requires = "model")]
    pub vocab: Option<PathBuf>,
    /// Another model to compare with in the window
    #[arg(long, value_name = "M2")]
    pub against: Option<PathBuf>,
}

/// The model of a command.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// A model bundle's folder, a .safetensors file, a PyTorch checkpoint, "bundled" for the model that comes with the program, or
    /// "rule" for weights made by rule
    #[arg(long, value_name = "M", default_value = BUNDLED_NAME)]
    pub model: PathBuf,
    /// Configuration of a bare weights file; otherwise config.json beside the weights
    #[arg(long, value_name = "C")]
    pub config: Option<PathBuf>,
}

impl ModelArguments {
    /// Where the model lies, with a vocabulary if the command takes one.
    pub fn source(&self, vocab: Option<&PathBuf>) -> ModelSource {
        ModelSource::with(self.model.clone(), self.config.clone(), vocab.cloned())
    }
}

/// What computes.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// auto, cpu, gpu or gpu:N; auto takes a hardware GPU where there is one [default: auto]
    #[arg(long, value_name = "D")]
    pub device: Option<DeviceChoice>,
}

impl DeviceArguments {
    /// What was asked for, or `auto`.
    pub fn choice(&self) -> DeviceChoice {
        self.device.unwrap_or_default()
    }
}

/// A probability from which on a pixel is foreground.
pub fn threshold(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("the threshold must be a number from 0 to 1".into()),
    }
}

/// How the pairs of a data set are read, where it shall be otherwise than the data set says.
#[derive(Debug, Args)]
pub struct PairArguments {
    /// What is foreground in a mask file: found from its values, above half of the range, or exactly 255 as the authors read it [default: as
    /// the data set says in its himix-data.toml, else found]
    #[arg(long, value_name = "RULE")]
    mask_rule: Option<MaskRuleName>,
    /// Leave pictures as they are stored, whatever orientation their EXIF data give
    #[arg(long)]
    as_stored: bool,
    /// Labels of the masks that are foreground, for instance 1,3, or all [default: as the data set says, else all but background]
    #[arg(long, value_name = "N,N", allow_hyphen_values = true)]
    labels: Option<LabelChoice>,
    /// What several masks of one image are [default: as the data set says, else united]
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
    /// What it stands for.
    pub fn several(self) -> Several {
        match self {
            Self::United => Several::United,
            Self::AsLabels => Several::AsLabels,
        }
    }
}

impl PairArguments {
    /// What the data set says, under what was asked for.
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

/// What is foreground in a mask file.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MaskRuleName {
    Found,
    Half,
    #[value(name = "exactly-255")]
    Exactly255,
}

impl MaskRuleName {
    /// The rule.
    pub fn rule(self) -> MaskRule {
        match self {
            Self::Found => MaskRule::Found,
            Self::Half => MaskRule::Half,
            Self::Exactly255 => MaskRule::Exactly255,
        }
    }
}
