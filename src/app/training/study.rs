//! The state of a study: its form, and its queue.

use std::path::PathBuf;

use crate::engine::jobs::QueueChange;
use crate::engine::run::{Ablation, Plan, QueueView, RunState, TrainConfig, Variant};
use crate::engine::{Pending, Several};

/// A study of an earlier session that can be continued.
pub struct StudyOffer {
    /// The folder of its queue.
    pub folder: PathBuf,
    /// The number of finished runs, and of all.
    pub runs: [usize; 2],
}

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StudyField {
    /// The tables and variants.
    Variants,
    /// The networks in place of variants.
    Networks,
    /// The seeds.
    Seeds,
    /// The split on which runs are scored.
    Split,
}

impl StudyField {
    /// All fields with their names and explanations.
    pub const ALL: [(Self, &'static str, &'static str); 4] = [
        (
            Self::Variants,
            "Variants",
            "Numbers of tables (1: order of the groups, 2: grouping and removal), and names such as full, last-layer, no-filter",
        ),
        (
            Self::Networks,
            "Networks",
            "Architectures in place of variants, such as himix-small, guidedecoder-small, unet-small, or config.json files. All have the settings above except the architecture, and are compared with the first",
        ),
        (Self::Seeds, "Seeds", "Every variant is trained with each of these seeds"),
        (Self::Split, "Scored split", "The split on which each finished run is scored"),
    ];
}

/// The state of a study.
pub struct Study {
    /// The typed tables and variants.
    pub variants: String,
    /// The typed networks. If there are any, the variants are not read.
    pub networks: String,
    /// The typed seeds.
    pub seeds: String,
    /// The typed split.
    pub split: String,
    /// What the queue looks like; `None` without one.
    pub view: Option<QueueView>,
    /// Whether the queue is being worked on.
    pub is_active: bool,
    /// Why the last study ended, if it failed.
    pub error: Option<String>,
    /// A study of an earlier session.
    pub offer: Option<StudyOffer>,
    /// The changes of the queue that are being made.
    pub changing: Several<QueueChange, QueueView>,
    /// The look for the study of an earlier session.
    pub looking: Pending<PathBuf, Option<[usize; 2]>>,
}

impl Default for Study {
    fn default() -> Self {
        Self {
            variants: "1, 2".into(),
            networks: String::new(),
            seeds: "1".into(),
            split: "test".into(),
            view: None,
            is_active: false,
            error: None,
            offer: None,
            changing: Several::default(),
            looking: Pending::default(),
        }
    }
}

impl Study {
    /// The text of a field.
    pub fn text(&self, field: StudyField) -> &str {
        match field {
            StudyField::Variants => &self.variants,
            StudyField::Networks => &self.networks,
            StudyField::Seeds => &self.seeds,
            StudyField::Split => &self.split,
        }
    }

    /// Sets the text of a field.
    pub fn set(&mut self, field: StudyField, text: String) {
        match field {
            StudyField::Variants => self.variants = text,
            StudyField::Networks => self.networks = text,
            StudyField::Seeds => self.seeds = text,
            StudyField::Split => self.split = text,
        }
    }

    /// The plan that the form describes, with these settings of every run.
    ///
    /// # Errors
    /// A field cannot be understood, or nothing would be compared.
    pub fn plan(&self, config: &TrainConfig) -> Result<Plan, String> {
        let mut variants = Variant::networks(&self.networks);
        if variants.is_empty() {
            variants = Ablation::list(&self.variants)?.into_iter().map(Variant::Ablation).collect();
        }
        let seed =
            |text: &str| text.parse::<u64>().map_err(|_| format!("“{text}” is no seed; give whole numbers"));
        let seeds = self.seeds.split(',').map(str::trim).filter(|text| !text.is_empty());
        let seeds = seeds.map(seed).collect::<Result<Vec<_>, _>>()?;
        let plan = Plan::new(variants, seeds, self.split.trim().to_owned(), config.clone());
        plan.validate().map(|()| plan)
    }

    /// Whether the queue that is shown can be continued.
    pub fn can_continue(&self) -> bool {
        let is_left = |state: RunState| matches!(state, RunState::Waiting | RunState::Failed | RunState::Running);
        !self.is_active
            && self.view.as_ref().is_some_and(|view| view.runs.iter().any(|(run, _)| is_left(run.state)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_a_plan() {
        let config = TrainConfig { data: vec!["/d".into()], epochs: 3, ..TrainConfig::default() };
        let mut study = Study::default();
        let plan = study.plan(&config).expect("a plan");
        assert_eq!((plan.variants.len(), plan.seeds, plan.settings.epochs), (13, vec![1], 3));
        study.set(StudyField::Seeds, "1, x".into());
        assert!(study.plan(&config).is_err_and(|error| error.contains("“x” is no seed")));
        study.set(StudyField::Seeds, "4,5".into());
        study.set(StudyField::Variants, "full, wide".into());
        assert!(study.plan(&config).is_err_and(|error| error.contains("no variant 'wide'")));
        study.set(StudyField::Variants, "full".into());
        assert_eq!(study.plan(&config).map(|plan| plan.seeds), Ok(vec![4, 5]));
        assert!(study.plan(&TrainConfig { data: vec![], phantoms: 3, ..config.clone() }).is_err());
        study.set(StudyField::Networks, "himix-small, unet-small".into());
        let plan = study.plan(&config).expect("a plan");
        assert_eq!((plan.variants.len(), plan.reference().as_str()), (2, "himix-small"));
    }
}
