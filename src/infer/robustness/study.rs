//! What a study is about, so that its record is not continued with another model, data set or seed.

use std::fs;

use serde::{Deserialize, Serialize};

use super::{Form, RobustnessSettings};
use crate::data::{DataError, Dataset};
use crate::infer::content::{model_content, shortened};
use crate::infer::{ModelInfo, ModelSource};

/// The version of the record's format.
const VERSION: u32 = 1;

/// What a study is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    version: u32,
    /// The name or the path of the model.
    pub model: String,
    /// A hash of the model's files; for a model without files, of its name and the version of this program.
    model_content: String,
    /// The folder of the data set.
    pub data: String,
    /// A hash of the names, prompts and sizes of the pairs, and of how they are read.
    data_content: String,
    /// The split.
    pub split: String,
    /// The names of the forms.
    pub forms: Vec<String>,
    /// The style of the reports.
    pub style: String,
    /// The seed.
    pub seed: u64,
    /// The threshold.
    pub threshold: f32,
}

impl Study {
    /// Describes a study. The files of the model are read.
    ///
    /// # Errors
    /// A file of the model cannot be read.
    pub fn of(
        source: &ModelSource,
        info: &ModelInfo,
        dataset: &Dataset,
        settings: &RobustnessSettings,
    ) -> Result<Self, DataError> {
        Ok(Self {
            version: VERSION,
            model: source.path().to_string_lossy().into_owned(),
            model_content: model_content(source, info)?,
            data: dataset.root.to_string_lossy().into_owned(),
            data_content: data_content(dataset),
            split: dataset.split.clone(),
            forms: settings.forms.iter().map(|form| Form::name(*form).to_owned()).collect(),
            style: settings.style.name().to_owned(),
            seed: settings.seed,
            threshold: settings.threshold,
        })
    }

    /// Returns what differs from another study, in words. Where model and data set lie does not matter, only what they
    /// hold.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        [
            (self.version != other.version, "the format of the record"),
            (self.model_content != other.model_content, "the model"),
            (self.data_content != other.data_content, "the data set"),
            (self.split != other.split, "the split"),
            (self.forms != other.forms, "the forms"),
            (self.style != other.style, "the style of the reports"),
            (self.seed != other.seed, "the seed"),
            (self.threshold != other.threshold, "the threshold"),
        ]
        .into_iter()
        .filter_map(|(is_other, what)| is_other.then_some(what))
        .collect()
    }
}

fn data_content(dataset: &Dataset) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    add(&format!("{:?}", dataset.reading));
    for sample in &dataset.samples {
        add(&sample.name);
        sample.prompts().for_each(&mut add);
        for path in std::iter::once(&sample.image).chain(&sample.masks) {
            let size = fs::metadata(path).map_or(0, |data| data.len());
            add(&size.to_string());
        }
    }
    shortened(&hasher)
}
