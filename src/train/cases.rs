//! The cases of a run: pairs of the data sets, and synthetic images (phantoms) that are generated when they are
//! needed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::config::TrainConfig;
use super::error::TrainError;
use crate::data::phantom::{Kind, phantom};
use crate::data::{
    DataError, Dataset, Image, Mask, MaskRule, PairReading, Problem, Sample, dataset::pair, subject, subject_code,
    summary,
};

/// The bytes of decoded images that are kept in memory. The remaining images of a larger data set are read again
/// in every epoch.
const KEEP_BYTES: usize = 1 << 30;
/// The number of training phantoms per validation phantom.
const VALIDATION_SHARE: usize = 10;
/// A seed that keeps validation phantoms apart from training phantoms.
const VALIDATION_SEED: u64 = 0x5eed_0000_0001;

/// An image with its mask and prompt.
pub struct Case {
    /// The image as stored.
    pub image: Image,
    /// The ground truth, of the same size as the image.
    pub mask: Mask,
    /// The prompt.
    pub prompt: String,
    /// The other prompts that the table has for the image; usually none.
    pub variants: Vec<String>,
}

/// The cases of one split.
pub struct Cases {
    samples: Vec<Sample>,
    /// The data sets of the samples, in the order of the settings.
    parts: Vec<Part>,
    phantoms: Option<Phantoms>,
    kept: Mutex<Kept>,
}

/// The pairs of one data set.
struct Part {
    /// The number of pairs.
    count: usize,
    /// How the pairs are read, which the data set may specify.
    reading: PairReading,
}

#[derive(Clone, Copy)]
struct Phantoms {
    count: usize,
    seed: u64,
    side: usize,
    /// Whether every epoch has new phantoms.
    is_fresh: bool,
}

#[derive(Default)]
struct Kept {
    cases: HashMap<usize, Arc<Case>>,
    bytes: usize,
}

impl Cases {
    /// Opens the training or validation split of all data sets. Also returns messages about problems found in the
    /// names of the files or, if `is_checked`, by opening every file. Prompts are missed only if the network `reads_text`.
    ///
    /// # Errors
    /// A data set cannot be read, or no case has a lesion.
    pub fn open(
        config: &TrainConfig,
        is_training: bool,
        side: usize,
        is_checked: bool,
        reads_text: bool,
    ) -> Result<(Self, Vec<String>), TrainError> {
        let split = if is_training { &config.train_split } else { &config.validation_split };
        let (mut samples, mut parts) = (Vec::new(), Vec::new());
        let mut notes = Vec::new();
        let mut without_lesions = Vec::new();
        for root in &config.data {
            let mut dataset = Dataset::open(root, split)?;
            if config.limit > 0 {
                dataset.samples.truncate(config.limit);
            }
            // The default rule leaves the choice to the data set.
            let rule = Some(config.mask_rule).filter(|rule| *rule != MaskRule::default());
            let reading = dataset.reading.clone().under(rule);
            if is_checked {
                without_lesions.extend(check(&mut dataset, &reading)?);
            }
            // A network without text misses no prompt.
            dataset.findings.retain(|finding| reads_text || finding.problem != Problem::EmptyPrompt);
            let lines = summary(&dataset.findings);
            notes.extend(lines.into_iter().map(|line| format!("{}, split {split}: {line}", root.display())));
            // Beside data sets with sentences, this one would teach the network to do without.
            let is_silent = reads_text && dataset.samples.iter().all(|sample| sample.prompt.trim().is_empty());
            if is_silent && config.data.len() > 1 && !dataset.samples.is_empty() {
                notes.push(format!(
                    "{}, split {split}: none of its {} images has a sentence; its masks are learned with the empty one",
                    root.display(),
                    dataset.samples.len()
                ));
            }
            parts.push(Part { count: dataset.samples.len(), reading });
            samples.append(&mut dataset.samples);
        }
        let has_lesions = config.phantoms > 0 || without_lesions.len() < parts.len();
        notes.extend(as_normal_cases(without_lesions, has_lesions)?);
        let count = if is_training { config.phantoms } else { config.phantoms.div_ceil(VALIDATION_SHARE) };
        let seed = if is_training { config.seed } else { config.seed ^ VALIDATION_SEED };
        let phantoms = (count > 0).then_some(Phantoms { count, seed, side, is_fresh: is_training });
        Ok((Self { samples, parts, phantoms, kept: Mutex::default() }, notes))
    }

    /// A collection without cases.
    pub fn none() -> Self {
        Self { samples: Vec::new(), parts: Vec::new(), phantoms: None, kept: Mutex::default() }
    }

    /// The number of pairs and phantoms together.
    pub fn len(&self) -> usize {
        self.samples.len() + self.phantoms.map_or(0, |phantoms| phantoms.count)
    }

    /// The pairs of each data set, in the order of the settings.
    pub fn parts(&self) -> Vec<&[Sample]> {
        let mut rest = self.samples.as_slice();
        let mut next = |part: &Part| {
            let (part, others) = rest.split_at(part.count);
            rest = others;
            part
        };
        self.parts.iter().map(&mut next).collect()
    }

    /// How the pairs of each data set are read, in the order of the settings.
    pub fn readings(&self) -> Vec<&PairReading> {
        self.parts.iter().map(|part| &part.reading).collect()
    }

    /// How the pair with this index is read.
    fn reading(&self, index: usize) -> &PairReading {
        let mut end = 0;
        let part = self.parts.iter().find(|part| {
            end += part.count;
            index < end
        });
        &part.unwrap_or_else(|| panic!("there is no pair {index}")).reading
    }

    /// Sorts the pairs of each data set by the given indices, so that the random order of an epoch does not depend
    /// on the current order of the pairs in their table.
    pub fn arrange(&mut self, orders: &[Vec<usize>]) {
        let parts = self.parts().into_iter().zip(orders);
        let arranged = parts.flat_map(|(part, order)| order.iter().filter_map(|place| part.get(*place).cloned()));
        self.samples = arranged.collect();
        self.kept = Mutex::default();
    }

    /// The prompts of all pairs, with all that the table has for an image if `is_reworded`, and of enough phantoms to
    /// contain all their words.
    pub fn sentences(&self, is_reworded: bool) -> Vec<String> {
        let of = |sample: &Sample| {
            let most = if is_reworded { usize::MAX } else { 1 };
            sample.prompts().take(most).map(str::to_owned).collect::<Vec<_>>()
        };
        let mut sentences: Vec<String> = self.samples.iter().flat_map(of).collect();
        if let Some(phantoms) = self.phantoms {
            let side = 64;
            sentences.extend((0..600).map(|index| made(Phantoms { side, ..phantoms }, index).prompt));
        }
        sentences
    }

    /// The sorted codes of the subjects, without duplicates.
    pub fn subject_codes(&self) -> Vec<String> {
        let mut codes: Vec<String> =
            self.samples.iter().filter_map(|sample| subject(&sample.name)).map(subject_code).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// A message with the number of subjects that are in both splits, if there are any, because the validation
    /// scores are then too optimistic.
    pub fn shared_with(&self, validation: &Self) -> Option<String> {
        let own = self.subject_codes();
        let both = validation.subject_codes().into_iter().filter(|code| own.binary_search(code).is_ok()).count();
        let plural = if both == 1 { "subject stands" } else { "subjects stand" };
        (both > 0).then(|| format!("{both} {plural} both in training and in validation; the validation flatters"))
    }

    /// The name of a pair, for the preview. Phantoms have generated names.
    pub fn name(&self, index: usize) -> String {
        match self.samples.get(index) {
            Some(sample) => sample.name.clone(),
            None => format!("phantom {}", index - self.samples.len() + 1),
        }
    }

    /// Returns the case with this index in this epoch.
    ///
    /// # Errors
    /// The pair cannot be read.
    ///
    /// # Panics
    /// Panics if there is no such case.
    pub fn get(&self, index: usize, epoch: usize) -> Result<Arc<Case>, DataError> {
        let Some(sample) = self.samples.get(index) else {
            let place = index - self.samples.len();
            return Ok(Arc::new(match self.phantoms {
                Some(phantoms) if phantoms.is_fresh => made(phantoms, epoch * phantoms.count + place),
                Some(phantoms) => made(phantoms, place),
                None => panic!("there is no case {index}"),
            }));
        };
        if let Some(case) = self.kept().cases.get(&index) {
            return Ok(case.clone());
        }
        let pair::Pair { image, mask, .. } = pair::read(sample, self.reading(index))?;
        let bytes = image.width * image.height * (image.channels * 4 + 1);
        let case =
            Arc::new(Case { image, mask, prompt: sample.prompt.clone(), variants: sample.variants.clone() });
        let mut kept = self.kept();
        if kept.bytes + bytes <= KEEP_BYTES {
            kept.bytes += bytes;
            kept.cases.insert(index, case.clone());
        }
        Ok(case)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens every file of a data set and removes pairs that cannot be used. If the data set contains no lesion, the
/// error for that is returned as a value, because its images may serve as normal cases beside other data sets.
fn check(dataset: &mut Dataset, reading: &PairReading) -> Result<Option<DataError>, DataError> {
    if dataset.check(reading)?.with_foreground > 0 {
        return Ok(None);
    }
    // A single message covers all empty masks.
    dataset.findings.retain(|finding| !matches!(finding.problem, Problem::EmptyMask | Problem::AllEmpty));
    Ok(Some(dataset.all_empty_error()))
}

/// Messages about the data sets that contain no lesion.
///
/// # Errors
/// Returns the first of `without_lesions` if no other data set contains lesions, because there is nothing to learn
/// or to measure.
fn as_normal_cases(without_lesions: Vec<DataError>, has_lesions: bool) -> Result<Vec<String>, DataError> {
    let note = |error: DataError| match error {
        DataError::EmptyMasks { path, split, count, .. } if has_lesions => Ok(format!(
            "{}, split {split}: not one of its {count} masks has foreground; its images are taken for normal cases",
            path.display()
        )),
        error => Err(error),
    };
    without_lesions.into_iter().map(note).collect()
}

/// Generates a phantom; its kind alternates with the index.
fn made(phantoms: Phantoms, index: usize) -> Case {
    let kind = Kind::ALL[index % Kind::ALL.len()];
    let made = phantom(kind, phantoms.seed, index as u64, phantoms.side);
    Case { image: made.image, mask: made.mask, prompt: made.prompt, variants: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_missed_only_by_a_network_that_reads_them() {
        let folder = tempfile::tempdir().expect("a folder");
        for (part, name) in [("Images", "a.png"), ("GTs", "mask_a.png")] {
            let place = folder.path().join("train").join(part);
            std::fs::create_dir_all(&place).expect("a folder");
            let grey = image::GrayImage::from_fn(8, 8, |x, _| image::Luma([if x < 4 { 255 } else { 0 }]));
            grey.save(place.join(name)).expect("a picture");
        }
        let config = TrainConfig { data: vec![folder.path().to_owned()], ..TrainConfig::default() };
        for reads_text in [true, false] {
            let (cases, notes) = Cases::open(&config, true, 32, true, reads_text).expect("a pair");
            assert_eq!(cases.len(), 1);
            assert_eq!(notes.iter().any(|note| note.contains("empty prompt")), reads_text, "{notes:?}");
        }
    }

    #[test]
    fn pairs_without_lesions_are_normal_cases_beside_phantoms_and_nothing_to_learn_from_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for part in ["prompt", "train/Images", "train/GTs"] {
            std::fs::create_dir_all(root.join(part)).expect("a folder");
        }
        std::fs::write(root.join("prompt/train.csv"), "Image,Description\na.png,nothing\n").expect("written");
        let grey = |value: u8| image::GrayImage::from_fn(8, 8, |x, _| image::Luma([value * x as u8]));
        grey(9).save(root.join("train/Images/a.png")).expect("a picture");
        grey(0).save(root.join("train/GTs/mask_a.png")).expect("a mask");
        let open = |phantoms: usize| {
            let config = TrainConfig { data: vec![root.to_owned()], phantoms, ..TrainConfig::default() };
            Cases::open(&config, true, 32, true, true).map(|(cases, notes)| (cases.len(), notes))
        };
        let (count, notes) = open(2).expect("phantoms have lesions");
        assert_eq!(count, 3);
        assert!(notes.iter().any(|note| note.ends_with("its images are taken for normal cases")), "{notes:?}");
        assert!(matches!(open(0), Err(TrainError::Data(DataError::EmptyMasks { .. }))));
    }
}
