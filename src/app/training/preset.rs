//! Predefined settings of a training run.

use std::path::{Path, PathBuf};

use crate::engine::run::TrainConfig;
use crate::engine::small_architecture;

/// The settings of the small model in the format of the command line.
const SMALL: &str = include_str!("../../../assets/qata-small.toml");

/// A recipe of `assets/recipes`.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The name shown in the user interface.
    name: &'static str,
    /// An explanation of the purpose.
    explanation: &'static str,
    /// The settings in the format of the command line.
    text: &'static str,
}

/// The recipes, each of which has an entry here.
static RECIPES: [Recipe; 8] = [
    Recipe {
        name: "Fine-tune on 50 own cases",
        explanation: "Starts from the bundled model and takes a few minutes on a CPU. Needs a folder with images, masks and \
             sentences: about 50 cases in the split train and 10 to 20 of other patients in the split val.",
        text: include_str!("../../../assets/recipes/own-cases.toml"),
    },
    Recipe {
        name: "The paper's recipe",
        explanation: "154 million parameters, batches of 32, up to 100 epochs. Needs a GPU, and the folders of \
             CXR-BERT and ConvNeXt-T as Hugging Face distributes them: make a bundle of them with “himix import --text … \
             --vision …” and name it under “Initial weights”.",
        text: include_str!("../../../assets/recipes/published-encoders.toml"),
    },
    Recipe {
        name: "GuideDecoder's recipe",
        explanation: "153.6 million parameters, from random weights unless “Initial weights” names a bundle of the network. \
             Needs a GPU. The architecture guidedecoder-small can be trained without one.",
        text: include_str!("../../../assets/recipes/guidedecoder.toml"),
    },
    Recipe {
        name: "MMI-UNet's recipe",
        explanation: "165.8 million parameters, from random weights unless “Initial weights” names a bundle of the network. \
             Needs a GPU. The architecture mmiunet-small can be trained without one.",
        text: include_str!("../../../assets/recipes/mmiunet.toml"),
    },
    Recipe {
        name: "LViT's recipe",
        explanation: "29.9 million parameters that touch the mask. Needs a GPU, and under “Initial weights” a bundle that \
             “himix import --text … --config …” makes of the folder of BERT-base. The architecture lvit-small has a text \
             encoder of its own and can be trained without either.",
        text: include_str!("../../../assets/recipes/lvit.toml"),
    },
    Recipe {
        name: "MedSAM's recipe",
        explanation: "93.7 million parameters at 1024 pixels, prompted by the box of each mask, so that it is told the place of \
             the answer. Needs a large GPU, and under “Initial weights” a bundle of the authors' weights; without one it \
             begins with random weights. The architecture medsam-small can be trained without a GPU.",
        text: include_str!("../../../assets/recipes/medsam.toml"),
    },
    Recipe {
        name: "TransUNet's recipe",
        explanation: "105.3 million parameters without text. Needs a GPU, and under “Initial weights” a bundle that “himix \
             import --backbone … --config …” makes of R50+ViT-B_16.npz; without one it begins with random weights. The \
             architecture transunet-small can be trained without a GPU.",
        text: include_str!("../../../assets/recipes/transunet.toml"),
    },
    Recipe {
        name: "U-Net's recipe",
        explanation: "14.8 million parameters without text, from random weights, with the recipe of LViT's authors: up to \
             2\u{2009}000 epochs. Needs a GPU. The architecture unet-small can be trained without one.",
        text: include_str!("../../../assets/recipes/unet.toml"),
    },
];

/// A named set of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// A small network that two CPU cores train in an hour.
    Small,
    /// Fine-tuning of the open model.
    FineTune,
    /// A recipe.
    Recipe(&'static Recipe),
}

impl Preset {
    /// All presets, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Small, Self::FineTune].into_iter().chain(RECIPES.iter().map(Self::Recipe))
    }

    /// Returns the name shown in the user interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "Small, from random weights",
            Self::FineTune => "Fine-tune the open model",
            Self::Recipe(recipe) => recipe.name,
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
            Self::Recipe(recipe) => recipe.explanation,
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
            Self::Recipe(recipe) => read(recipe.text),
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
        for preset in Preset::all() {
            let config = preset.config(Some(Path::new("open")));
            let complete = TrainConfig { data: vec!["data".into()], ..config };
            assert_eq!(complete.validate(), Ok(()), "{}", preset.name());
        }
        let small = TrainConfig::from_toml(SMALL).expect("the file is understood");
        assert_eq!((small.epochs, small.batch_size), (7, 16));
        for Recipe { name, text, .. } in &RECIPES {
            TrainConfig::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let [own_cases, paper, guide_decoder, mmi_unet, ..] = &RECIPES;
        assert_eq!(Preset::Recipe(own_cases).config(None).start, Some("bundled".into()));
        // The paper's recipe is the default settings, with the loss that the authors' code really trains with.
        let paper = Preset::Recipe(paper).config(None);
        assert_eq!(TrainConfig::default().set("loss", "dice").as_ref(), Ok(&paper));
        // The two text networks share it.
        for (recipe, name) in [(guide_decoder, "guidedecoder"), (mmi_unet, "mmiunet")] {
            let config = Preset::Recipe(recipe).config(None);
            assert_eq!(config.architecture.as_deref(), Some(Path::new(name)));
            assert_eq!(TrainConfig { architecture: None, ..config }, paper);
        }
        // LViT's authors train both networks of their repository in the same way.
        let of = |name: &str| RECIPES.iter().find(|recipe| recipe.name == name).map(|recipe| read(recipe.text));
        let (lvit, unet) = (of("LViT's recipe").expect("LViT"), of("U-Net's recipe").expect("U-Net"));
        assert_eq!(TrainConfig { architecture: Some("unet".into()), ..lvit }, unet);
        assert_eq!(Preset::FineTune.config(Some(Path::new("open"))).start, Some("open".into()));
    }

    #[test]
    fn every_recipe_is_offered() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/recipes");
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let text = std::fs::read_to_string(entry.path()).expect("read");
            assert!(RECIPES.iter().any(|recipe| recipe.text == text), "{} has no entry", entry.path().display());
        }
    }
}
