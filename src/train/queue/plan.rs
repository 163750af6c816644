//! What a study compares.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{QueuedRun, RunState};
use crate::model::Ablation;
use crate::model::weights::ModelSource;
use crate::train::config::TrainConfig;
use crate::train::grid::{Cell, Grid};

/// What a study compares: each variant with each seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The variants. The first runs of the queue are all variants with the first seed.
    pub variants: Vec<Ablation>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// The split on which each finished run is scored.
    pub split: String,
    /// The settings of all runs, apart from variant, seed and run folder.
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

/// The name of a run, as a grid names it.
pub(super) fn name(variant: Ablation, seed: u64) -> String {
    format!("ablation={},seed={seed}", variant.name())
}

impl Plan {
    /// A plan whose settings leave open what varies; locations of data sets are made absolute, so that the queue can be
    /// resumed from any folder.
    pub fn new(variants: Vec<Ablation>, seeds: Vec<u64>, split: String, settings: TrainConfig) -> Self {
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        // Anything else is the name of a model or of an architecture.
        let file = |path: &PathBuf| {
            if path.exists() && !ModelSource::new(path).is_bundled() { absolute(path) } else { path.clone() }
        };
        let settings = TrainConfig {
            data: settings.data.iter().map(absolute).collect(),
            start: settings.start.as_ref().map(file),
            architecture: settings.architecture.as_ref().map(file),
            vocab: settings.vocab.as_ref().map(file),
            ablation: None,
            seed: TrainConfig::default().seed,
            out: PathBuf::new(),
            ..settings
        };
        Self { variants, seeds, split, settings }
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
        if let Some(twice) = variants.iter().enumerate().find(|(at, variant)| variants[..*at].contains(variant)) {
            return Err(format!("the variant {} is named twice; name it once", twice.1.name()));
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

    /// The runs in their first order: seed by seed, so that a study that ends early has all variants of some seeds.
    pub(super) fn runs(&self) -> Vec<QueuedRun> {
        let of = |seed: u64| {
            let run = move |variant: &Ablation| QueuedRun {
                variant: *variant,
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
        let list = |values: Vec<String>| values.join(",");
        let variants = list(self.variants.iter().map(|variant| variant.name().to_owned()).collect());
        let seeds = list(self.seeds.iter().map(u64::to_string).collect());
        let base = TrainConfig { out: out.to_owned(), ..self.settings.clone() };
        Grid::parse(&[format!("ablation={variants}"), format!("seed={seeds}")])?.cells(&base)
    }

    /// What `other` has that this plan has not, in words such as “other seeds”; `None` if both are the same. On which
    /// device is computed makes no difference.
    pub(super) fn difference(&self, other: &Self) -> Option<String> {
        if self.variants != other.variants {
            return Some("other variants".into());
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
        Plan::new(vec![Ablation::Full, Ablation::WithoutG1], vec![3, 1], "test".into(), settings)
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
            assert_eq!(name(cell.config.ablation.expect("a variant"), cell.config.seed), cell.name);
        }
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
        let plan = Plan::new(vec![Ablation::Full], vec![1], "test".into(), settings);
        let TrainConfig { data, start, architecture, .. } = plan.settings;
        assert!(data[0].is_absolute() && start.is_some_and(|start| start.is_absolute()));
        assert_eq!(architecture, Some("himix-small".into()));
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
            own.difference(&Plan { variants: vec![Ablation::Full], ..plan() }),
            Some("other variants".into())
        );
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
        let twice = vec![Ablation::Full, Ablation::Full];
        assert!(error(Plan { variants: twice, ..plan() }).contains("full is named twice"));
        let settings = TrainConfig { phantoms: 4, ..TrainConfig::default() };
        assert!(error(Plan { settings, ..plan() }).contains("data set"));
    }
}
