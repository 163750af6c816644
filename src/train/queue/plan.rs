//! What a study compares.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::variant::{Variant, absolute, check_network};
use super::{QueuedRun, RunState};
use crate::model::{Ablation, Registry};
use crate::train::config::TrainConfig;
use crate::train::error::TrainError;
use crate::train::grid::{self, Cell};
use crate::train::start::architecture;

/// What a study compares: each variant, or each network, with each seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The variants. The first runs of the queue are all variants with the first seed.
    pub variants: Vec<Variant>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The split on which each finished run is scored.
    pub split: String,
    /// The settings of all runs, apart from variant or network, seed and run folder.
    #[serde(with = "as_toml")]
    pub settings: TrainConfig,
}

/// Settings as the text of a settings file, because numbers of JSON are not always read to the last digit.
mod as_toml {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de, ser};

    use super::TrainConfig;

    pub fn serialize<S: Serializer>(config: &TrainConfig, serializer: S) -> Result<S::Ok, S::Error> {
        toml::to_string(config).map_err(ser::Error::custom)?.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TrainConfig, D::Error> {
        TrainConfig::from_toml(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// What varies in a run, as a grid has it.
fn axes(variant: &Variant, seed: u64) -> Vec<(String, String)> {
    vec![(variant.key().to_owned(), variant.name()), ("seed".to_owned(), seed.to_string())]
}

/// The name of a run, as a grid names it.
pub(super) fn name(variant: &Variant, seed: u64) -> String {
    grid::name(&axes(variant, seed))
}

impl Plan {
    /// A plan whose settings leave open what varies; locations are made absolute, so that the queue can be resumed from
    /// any folder. A study of networks does not read the architecture of the settings.
    pub fn new(variants: Vec<Variant>, seeds: Vec<u64>, split: String, settings: TrainConfig) -> Self {
        let folder = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let file = |path: PathBuf| absolute(&path);
        let has_networks = variants.iter().any(Variant::is_network);
        let settings = TrainConfig {
            data: settings.data.iter().map(folder).collect(),
            start: settings.start.map(file),
            architecture: settings.architecture.filter(|_| !has_networks).map(file),
            vocab: settings.vocab.map(file),
            ablation: None,
            seed: TrainConfig::default().seed,
            out: PathBuf::new(),
            ..settings
        };
        Self { variants: variants.into_iter().map(Variant::absolute).collect(), seeds, split, settings }
    }

    /// The name of the variant that the others are compared with: the whole HiMix, or the first network.
    pub fn reference(&self) -> String {
        match self.variants.first() {
            Some(first) if first.is_network() => first.name(),
            _ => Ablation::Full.name().to_owned(),
        }
    }

    /// Checks that there is something to compare.
    ///
    /// # Errors
    /// A list is empty or names something twice, there is no data set to score on, or a setting is invalid.
    pub fn validate(&self) -> Result<(), String> {
        let Self { variants, seeds, settings, .. } = self;
        if variants.is_empty() || seeds.is_empty() {
            return Err("a study needs at least one variant and one seed; name them".into());
        }
        let folders: Vec<String> = variants.iter().map(|variant| name(variant, 0)).collect();
        if let Some(twice) = (0..folders.len()).find(|at| folders[..*at].contains(&folders[*at])) {
            let name = variants[twice].name();
            return Err(format!("{name} is named twice; name it once, and files by different names"));
        }
        if let Some(twice) = seeds.iter().enumerate().find(|(at, seed)| seeds[..*at].contains(seed)) {
            return Err(format!("the seed {} is named twice; name it once", twice.1));
        }
        if settings.data.is_empty() {
            return Err(
                "a study needs a data set, on a split of which the runs are scored; name it with data".into()
            );
        }
        settings.validate()
    }

    /// Checks that every variant is a network that can be trained and scored, before hours are spent on the others.
    ///
    /// # Errors
    /// A network has no such variant, there is no such architecture, or a study cannot score it.
    pub fn check_networks(&self) -> Result<(), TrainError> {
        let registry = Registry::default();
        for variant in &self.variants {
            let found = architecture(&registry, &variant.applied(&self.settings))?;
            if variant.is_network() {
                check_network(found.network.as_ref(), &variant.name())?;
            }
        }
        Ok(())
    }

    /// The runs in their first order: seed by seed, so that a study that ends early has all variants of some seeds.
    pub(super) fn runs(&self) -> Vec<QueuedRun> {
        let of = |seed: u64| {
            let run = move |variant: &Variant| QueuedRun {
                variant: variant.clone(),
                seed,
                state: RunState::Waiting,
                error: None,
            };
            self.variants.iter().map(run)
        };
        self.seeds.iter().flat_map(|seed| of(*seed)).collect()
    }

    /// The runs with all their settings, in folders of `out`.
    pub(super) fn cells(&self, out: &Path) -> Result<Vec<Cell>, String> {
        let cell = |variant: &Variant, seed: u64| {
            let name = name(variant, seed);
            let config = TrainConfig { seed, out: out.join(&name), ..variant.applied(&self.settings) };
            config.validate().map_err(|error| format!("{name}: {error}"))?;
            Ok(Cell { name, settings: axes(variant, seed), config })
        };
        let all = self.variants.iter().flat_map(|variant| self.seeds.iter().map(move |seed| (variant, *seed)));
        all.map(|(variant, seed)| cell(variant, seed)).collect()
    }

    /// What `other` has that this plan has not, in words such as “other seeds”; `None` if both are the same. On which
    /// device is computed makes no difference.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.variants != other.variants {
            let is_of_networks = self.variants.iter().any(Variant::is_network);
            return Some(if is_of_networks { "other networks" } else { "other variants" }.into());
        }
        if self.seeds != other.seeds {
            return Some("other seeds".into());
        }
        if self.split != other.split {
            return Some(format!("another split to score ({})", self.split));
        }
        let [own, others] = [self, other].map(|plan| toml::Table::try_from(&plan.settings).unwrap_or_default());
        let differs = |key: &&String| *key != "device" && own.get(*key) != others.get(*key);
        own.keys().chain(others.keys()).find(differs).map(|key| format!("another {key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let settings = TrainConfig { data: vec!["/data".into()], ..TrainConfig::default() };
        Plan::new(variants(&[Ablation::Full, Ablation::WithoutG1]), vec![3, 1], "test".into(), settings)
    }

    fn variants(list: &[Ablation]) -> Vec<Variant> {
        list.iter().copied().map(Variant::Ablation).collect()
    }

    fn networks(list: &str) -> Plan {
        Plan::new(Variant::networks(list), vec![3, 1], "test".into(), plan().settings)
    }

    #[test]
    fn runs_and_cells_have_the_same_names() {
        let plan = plan();
        let names: Vec<String> = plan.runs().iter().map(QueuedRun::name).collect();
        assert_eq!(names[..2], ["ablation=full,seed=3", "ablation=without-g1,seed=3"]);
        let cells = plan.cells(Path::new("out")).expect("cells");
        assert_eq!(cells.len(), 4);
        for cell in cells {
            assert!(names.contains(&cell.name), "{}", cell.name);
            assert_eq!(cell.config.out, Path::new("out").join(&cell.name));
            let variant = Variant::Ablation(cell.config.ablation.expect("a variant"));
            assert_eq!(name(&variant, cell.config.seed), cell.name);
        }
    }

    #[test]
    fn a_study_of_networks_trains_each_with_the_same_settings() {
        let settings = TrainConfig { architecture: Some("unet".into()), epochs: 7, ..plan().settings };
        let plan = Plan::new(Variant::networks("himix-small,unet-small"), vec![3], "test".into(), settings);
        assert_eq!((plan.reference().as_str(), plan.validate()), ("himix-small", Ok(())));
        let cells = plan.cells(Path::new("out")).expect("cells");
        let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
        assert_eq!(names, ["architecture=himix-small,seed=3", "architecture=unet-small,seed=3"]);
        assert_eq!(names, plan.runs().iter().map(QueuedRun::name).collect::<Vec<_>>());
        let TrainConfig { architecture, ablation, epochs, seed, .. } = &cells[1].config;
        assert_eq!((architecture, *ablation, *epochs, *seed), (&Some("unet-small".into()), None, 7, 3));
        assert_eq!(super::tests::plan().reference(), "full");
    }

    #[test]
    fn networks_that_cannot_be_compared_are_refused_before_anything_is_trained() {
        let small = "himix-small,guidedecoder-small,mmiunet-small,lvit-small,unet-small,transunet-small";
        assert!(networks(small).check_networks().is_ok());
        let error = |plan: Plan| plan.check_networks().expect_err("refused").to_string();
        assert!(error(networks("himix-small,unett")).contains("himix-small, "));
        let boxed = error(networks("himix-small,medsam-small"));
        assert!(boxed.contains("medsam-small: ") && boxed.contains("--box-from-truth"), "{boxed}");
        assert!(error(networks("lvit")).contains("choose lvit-small"));
        // The variants are those of HiMix.
        assert!(plan().check_networks().is_ok());
        let settings = TrainConfig { architecture: Some("unet-small".into()), ..plan().settings };
        let other = error(Plan { settings, ..plan() });
        assert!(other.contains("unet has no variant full") && other.contains("--networks"), "{other}");
    }

    #[test]
    fn files_are_found_from_any_folder_and_names_stay_names() {
        // Tests run in the folder of the package.
        let settings = TrainConfig {
            data: vec!["qata".into()],
            start: Some("assets".into()),
            architecture: Some("himix-small".into()),
            ..TrainConfig::default()
        };
        let plan = Plan::new(variants(&[Ablation::Full]), vec![1], "test".into(), settings);
        let TrainConfig { data, start, architecture, .. } = plan.settings;
        assert!(data[0].is_absolute() && start.is_some_and(|start| start.is_absolute()));
        assert_eq!(architecture, Some("himix-small".into()));
        let files = Variant::networks("himix-small,assets/small.json");
        let plan = Plan::new(files, vec![1], "test".into(), TrainConfig::default());
        let small = std::path::absolute("assets/small.json").expect("a path");
        let expected = ["himix-small".into(), small].map(|architecture| Variant::Network { architecture });
        assert_eq!(plan.variants, expected);
    }

    #[test]
    fn a_plan_is_kept_to_the_last_digit() {
        let mut plan = plan();
        (plan.settings.lr, plan.settings.min_lr) = (0.1 + 0.2, 1.0 / 3.0 * 1e-7);
        plan.settings.ablation = None;
        let text = serde_json::to_string_pretty(&plan).expect("JSON");
        assert_eq!(serde_json::from_str::<Plan>(&text).ok().as_ref(), Some(&plan));
        assert!(text.contains("\"without-g1\""), "{text}");
    }

    #[test]
    fn what_differs_between_plans_is_named() {
        let own = plan();
        assert_eq!(own.difference(&plan()), None);
        let settings = |change: fn(&mut TrainConfig)| {
            let mut other = plan();
            change(&mut other.settings);
            own.difference(&other)
        };
        assert_eq!(settings(|config| config.device = "cpu".into()), None);
        assert_eq!(settings(|config| config.epochs = 3), Some("another epochs".into()));
        assert_eq!(settings(|config| config.vocab = Some("v".into())), Some("another vocab".into()));
        assert_eq!(own.difference(&Plan { seeds: vec![1], ..plan() }), Some("other seeds".into()));
        assert_eq!(
            own.difference(&Plan { variants: variants(&[Ablation::Full]), ..plan() }),
            Some("other variants".into())
        );
        assert_eq!(networks("unet,himix").difference(&networks("himix")), Some("other networks".into()));
        assert_eq!(
            own.difference(&Plan { split: "val".into(), ..plan() }).as_deref(),
            Some("another split to score (test)")
        );
    }

    #[test]
    fn a_plan_that_compares_nothing_is_refused() {
        assert_eq!(plan().validate(), Ok(()));
        let error = |plan: Plan| plan.validate().expect_err("refused");
        assert!(error(Plan { seeds: vec![], ..plan() }).contains("at least one"));
        assert!(error(Plan { seeds: vec![2, 2], ..plan() }).contains("seed 2 is named twice"));
        let twice = variants(&[Ablation::Full, Ablation::Full]);
        assert!(error(Plan { variants: twice, ..plan() }).contains("full is named twice"));
        let settings = TrainConfig { phantoms: 4, ..TrainConfig::default() };
        assert!(error(Plan { settings, ..plan() }).contains("data set"));
    }
}
