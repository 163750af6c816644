//! Predefined settings of a training run.

use std::path::{Path, PathBuf};

use crate::engine::run::TrainConfig;
use crate::engine::small_architecture;

/// The settings of the small model in the format of the command line.
const SMALL: &str = include_str!("../../../assets/qata-small.toml");

/// A named set of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A small network that two CPU cores train in an hour.
    Small,
    /// Fine-tuning of the open model.
    FineTune,
    /// The full size, as published.
    Paper,
}

impl Preset {
    /// All presets.
    pub const ALL: [Self; 3] = [Self::Small, Self::FineTune, Self::Paper];

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "Small, from random weights",
            Self::FineTune => "Fine-tune the open model",
            Self::Paper => "The paper's recipe",
        }
    }

    /// Returns an explanation of the purpose.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::Small => {
                "1.7 million parameters, the text encoder is trained too: about an hour on two CPU cores for 1\u{2009}400 pairs."
            }
            Self::FineTune => {
                "Starts from the weights of the open model, at a third of the paper's learning rate and for at \
                 most 20 epochs; the text encoder is not trained. The new weights go into the run folder."
            }
            Self::Paper => {
                "154 million parameters, batches of 32, up to 100 epochs: needs a GPU. The paper starts from published \
                 encoders; make a bundle of them with “himix import” and name it under “Start from”."
            }
        }
    }

    /// Returns the settings; `open` is the path of the open model.
    pub fn config(self, open: Option<&Path>) -> TrainConfig {
        match self {
            Self::Small => {
                // The file is part of this repository, and a test ensures that it is valid.
                let config = TrainConfig::from_toml(SMALL).unwrap_or_default();
                let architecture = small_architecture().or(config.architecture);
                TrainConfig { architecture, ..config }
            }
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
            Self::Paper => TrainConfig::default(),
        }
    }
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
        assert_eq!(Preset::FineTune.config(Some(Path::new("open"))).start, Some("open".into()));
    }
}
