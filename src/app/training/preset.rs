//! Predefined settings of a training run.

use std::path::{Path, PathBuf};

use crate::engine::run::TrainConfig;
use crate::engine::small_architecture;

/// The settings of the small model in the format of the command line.
const SMALL: &str = include_str!("../../../assets/qata-small.toml");
/// The recipe for a few cases of one's own.
const OWN_CASES: &str = include_str!("../../../assets/recipes/own-cases.toml");
/// The paper's recipe.
const PAPER: &str = include_str!("../../../assets/recipes/published-encoders.toml");

/// The recipes of the networks that HiMix is compared with.
const GUIDE_DECODER: &str = include_str!("../../../assets/recipes/guidedecoder.toml");
const MMI_UNET: &str = include_str!("../../../assets/recipes/mmiunet.toml");

/// A named set of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A small network that two CPU cores train in an hour.
    Small,
    /// Fine-tuning of the bundled model on a few cases of one's own.
    OwnCases,
    /// Fine-tuning of the open model.
    FineTune,
    /// The full size, as published, from the published encoders.
    Paper,
    /// GuideDecoder, as its authors' code trains it.
    GuideDecoder,
    /// MMI-UNet, as its authors' code trains it.
    MmiUnet,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 6] =
        [Self::Small, Self::OwnCases, Self::FineTune, Self::Paper, Self::GuideDecoder, Self::MmiUnet];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "Small, from random weights",
            Self::OwnCases => "Fine-tune on 50 own cases",
            Self::FineTune => "Fine-tune the open model",
            Self::Paper => "The paper's recipe",
            Self::GuideDecoder => "GuideDecoder's recipe",
            Self::MmiUnet => "MMI-UNet's recipe",
        }
    }

    /// Returns an explanation of the purpose.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Small => {
                "1.7 million parameters, the text encoder is trained too: about an hour on two CPU cores for 1\u{2009}400 pairs."
            }
            Self::OwnCases => {
                "Starts from the bundled model and takes a few minutes on a CPU. Needs a folder with images, masks and \
                 sentences: about 50 cases in the split train and 10 to 20 of other patients in the split val."
            }
            Self::FineTune => {
                "Starts from the weights of the open model, at a third of the paper's learning rate and for at \
                 most 20 epochs; the text encoder is not trained. The new weights go into the run folder."
            }
            Self::Paper => {
                "154 million parameters, batches of 32, up to 100 epochs. Needs a GPU, and the folders of \
                 CXR-BERT and ConvNeXt-T as Hugging Face distributes them: make a bundle of them with “himix import --text … \
                 --vision …” and name it under “Initial weights”."
            }
            Self::GuideDecoder => {
                "153.6 million parameters, from random weights unless “Initial weights” names a bundle of the network. Needs a \
                 GPU. The architecture guidedecoder-small can be trained without one."
            }
            Self::MmiUnet => {
                "165.8 million parameters, from random weights unless “Initial weights” names a bundle of the network. Needs a \
                 GPU. The architecture mmiunet-small can be trained without one."
            }
        }
    }

    /// Returns the settings; `open` is the path of the open model.
    pub fn config(self, open: Option<&Path>) -> TrainConfig {
        match self {
            Self::Small => {
                let config = read(SMALL);
                let architecture = small_architecture().or(config.architecture);
                TrainConfig { architecture, ..config }
            }
            Self::OwnCases => read(OWN_CASES),
            Self::FineTune => TrainConfig {
                start: open.map(PathBuf::from),
                epochs: 20,
                min_epochs: 5,
                patience: 5,
                cosine_epochs: 20,
                batch_size: 16,
                lr: 1e-4,
                ..TrainConfig::default()
            },
            Self::Paper => read(PAPER),
            Self::GuideDecoder => read(GUIDE_DECODER),
            Self::MmiUnet => read(MMI_UNET),
        }
    }
}

/// Reads a file of this repository; a test ensures that it is valid.
fn read(text: &str) -> TrainConfig {
    TrainConfig::from_toml(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_whole_configuration() {
        for preset in Preset::ALL {
            let config = preset.config(Some(Path::new("open")));
            let complete = TrainConfig { data: vec!["data".into()], ..config };
            assert_eq!(complete.validate(), Ok(()), "{}", preset.name());
        }
        let small = TrainConfig::from_toml(SMALL).expect("the file is understood");
        assert_eq!((small.epochs, small.batch_size), (7, 16));
        for text in [OWN_CASES, PAPER, GUIDE_DECODER, MMI_UNET] {
            TrainConfig::from_toml(text).expect("the file is understood");
        }
        assert_eq!(Preset::OwnCases.config(None).start, Some("bundled".into()));
        // The paper's recipe is the default settings, with the loss that the authors' code really trains with.
        assert_eq!(TrainConfig::default().set("loss", "dice"), Ok(Preset::Paper.config(None)));
        // The two text networks share it.
        for (preset, name) in [(Preset::GuideDecoder, "guidedecoder"), (Preset::MmiUnet, "mmiunet")] {
            let config = preset.config(None);
            assert_eq!(config.architecture.as_deref(), Some(Path::new(name)));
            assert_eq!(TrainConfig { architecture: None, ..config }, Preset::Paper.config(None));
        }
        assert_eq!(Preset::FineTune.config(Some(Path::new("open"))).start, Some("open".into()));
    }
}
