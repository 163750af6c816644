//! Arguments that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use himix::data::mask::Several;
use himix::data::{LabelChoice, MaskRule, Orientation, PairReading};
use himix::device::{self, DeviceChoice, Precision, precision};
use himix::infer::{BUNDLED_NAME, ModelSource};

use super::Failure;

/// Arguments of the window.
#[derive(Debug, Args)]
pub struct WindowArguments {
    /// Images, volumes, DICOM series, folders or a session (.himix) to open in the window
    #[arg(value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// Prompt to start with; the cases of a folder keep their own
    #[arg(long, value_name = "TEXT")]
    pub prompt: Option<String>,
    /// Model for the window: the folder of a bundle, or a weights file
    #[arg(long, value_name = "M")]
    pub model: Option<PathBuf>,
    /// Configuration of a bare weights file [default: config.json beside the weights]
    #[arg(long, value_name = "C", requires = "model")]
    pub config: Option<PathBuf>,
    /// Vocabulary (vocab.txt or tokenizer.json), if it is not beside the configuration
    #[arg(long, value_name = "V", requires = "model")]
    pub vocab: Option<PathBuf>,
    /// Second model for comparison: the folder of a bundle, or a weights file with its configuration beside it
    #[arg(long, value_name = "M2")]
    pub against: Option<PathBuf>,
}

/// Arguments that select the model of a command.
#[derive(Debug, Args)]
pub struct ModelArguments {
    /// Model: the folder of a bundle, a .safetensors file, a PyTorch checkpoint, "bundled" for the model that comes
    /// with the program, or "rule" for deterministic weights for tests
    #[arg(long, value_name = "M", default_value = BUNDLED_NAME)]
    pub model: PathBuf,
    /// Configuration of a bare weights file [default: config.json beside the weights]
    #[arg(long, value_name = "C")]
    pub config: Option<PathBuf>,
}

impl ModelArguments {
    /// Returns the location of the model, with a vocabulary if the command takes one.
    pub fn source(&self, vocab: Option<&PathBuf>) -> ModelSource {
        ModelSource::with(self.model.clone(), self.config.clone(), vocab.cloned())
    }
}

/// The number of passes for which the CPU is quicker than a GPU: it takes about a tenth of a second for each, and a
/// GPU some seconds to start even where its kernels are known.
const FEW: usize = 20;

/// The arguments that select the compute device and its precision.
#[derive(Debug, Args)]
pub struct DeviceArguments {
    /// Compute device: auto, cpu, gpu, gpu:N or remote:HOST (himix serve); auto uses a hardware GPU if there is one, but the CPU where few masks
    /// are made and a GPU would take longer to start [default: auto; for the window its saved setting]
    #[arg(long, value_name = "D")]
    pub device: Option<DeviceChoice>,
    /// Precision of the products of predictions on a GPU: auto, f32 or f16. f16 halves the memory of the weights; auto is
    /// f32, and f16 where a model does not fit into the memory of the card [default: auto; for the window its saved setting]
    #[arg(long, value_name = "P")]
    pub precision: Option<Precision>,
}

impl DeviceArguments {
    /// Returns the requested device, or `auto`. Models are opened in the requested precision from now on.
    ///
    /// # Errors
    /// Half precision was asked for, and the device does not offer it.
    pub fn choice(&self) -> Result<DeviceChoice, Failure> {
        let choice = self.device.unwrap_or_default();
        if let Some(precision) = self.precision {
            precision::choose(precision);
        }
        if self.precision == Some(Precision::F16) {
            must_offer_half(choice)?;
        }
        Ok(choice)
    }

    /// Returns the device for `passes` passes through the network: `auto` is the CPU where it is quicker, unless half
    /// precision was asked for, which only a GPU has.
    ///
    /// # Errors
    /// See [`Self::choice`].
    pub fn choice_for(&self, passes: usize) -> Result<DeviceChoice, Failure> {
        match self.choice()? {
            DeviceChoice::Auto if passes <= FEW && self.precision != Some(Precision::F16) => Ok(DeviceChoice::Cpu),
            choice => Ok(choice),
        }
    }
}

/// Opens the device, which is quick for one that is open, and refuses it if it has no half precision.
fn must_offer_half(choice: DeviceChoice) -> Result<(), Failure> {
    let open = device::open(choice);
    if open.offers_half() {
        return Ok(());
    }
    let reason = open.notice.map(|notice| format!("{notice} ")).unwrap_or_default();
    Err(Failure::input(match open.is_gpu {
        true => format!("{reason}{} offers no half precision; leave out --precision f16", open.name),
        false => format!(
            "{reason}the CPU has no half precision; leave out --precision f16, or choose a GPU that offers it with --device (himix device lists them)"
        ),
    }))
}

/// Parses the margin of a box in pixels.
pub fn margin(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("the margin must be a number of pixels from 0, for example 10".into()),
    }
}

/// Parses a threshold for probabilities, a number from 0 to 1.
pub fn threshold(text: &str) -> Result<f32, String> {
    match text.trim().parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("the threshold must be a number from 0 to 1".into()),
    }
}

/// Arguments for reading the pairs of a data set, which take precedence over the settings of the data set.
#[derive(Debug, Args)]
pub struct PairArguments {
    /// Rule for the foreground of a mask file [default: as in the data set's himix-data.toml, else found]
    #[arg(long, value_name = "RULE")]
    mask_rule: Option<MaskRuleName>,
    /// Read images as they are stored, without applying their EXIF orientation
    #[arg(long)]
    as_stored: bool,
    /// Labels of the masks that are foreground, for instance 1,3; "all" means all except background [default: as
    /// in the data set's himix-data.toml, else all]
    #[arg(long, value_name = "N,N", allow_hyphen_values = true)]
    labels: Option<LabelChoice>,
    /// Meaning of several masks of one image, in the order of their names [default: as in the data set's
    /// himix-data.toml, else united]
    #[arg(long, value_name = "WHAT")]
    several: Option<SeveralName>,
}

/// [`Several`] on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SeveralName {
    /// The masks are parts of one mask
    United,
    /// The masks are classes: the first file is label 1, the second is label 2
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
    /// Foreground is derived from the values of the file
    Found,
    /// Foreground is above half of the range, for masks that were compressed as JPEG
    Half,
    /// Foreground is exactly 255, as in the authors' code
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_masks_are_made_on_the_cpu_unless_a_gpu_is_asked_for() {
        let choice = |device, passes| DeviceArguments { device, precision: None }.choice_for(passes).ok();
        assert_eq!(choice(None, 1), Some(DeviceChoice::Cpu));
        assert_eq!(choice(Some(DeviceChoice::Auto), FEW), Some(DeviceChoice::Cpu));
        assert_eq!(choice(None, FEW + 1), Some(DeviceChoice::Auto));
        assert_eq!(choice(Some(DeviceChoice::Gpu(None)), 1), Some(DeviceChoice::Gpu(None)));
    }
}
