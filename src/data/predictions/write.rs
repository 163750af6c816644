//! Writes predictions into a folder, image by image, so that a run that was ended goes on where it was.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::manifest::{About, FORMAT, LeftOut, MANIFEST, Manifest, PredictedCase, VERSION};
use super::png_name;
use crate::data::dataset::fold;
use crate::data::{DataError, write};

/// The number of images after which the description is written again. Those after the last writing are predicted once
/// more if the program is killed.
const TOGETHER: usize = 32;
/// The largest value of a pixel, which stands for the probability 1.
const MOST: f32 = 65_535.0;

/// A folder of predictions that grows.
#[derive(Debug)]
pub struct PredictionsWriter {
    folder: PathBuf,
    manifest: Manifest,
    done: HashSet<String>,
    /// The number of images that the description on the disk lacks.
    new: usize,
}

impl PredictionsWriter {
    /// Opens a folder, which is created if necessary, for the predictions of `about`. `cases` are the names and prompts of all
    /// images. Images that an earlier run of the same model with the same prompts left there are done, see
    /// [`Self::has`]; others are dropped from the description.
    ///
    /// # Errors
    /// Two images have names that differ at most in case, the folder has predictions of another model, data set, split
    /// or threshold, it has files that are no predictions, or something cannot be read or written.
    pub fn open(folder: &Path, about: About, cases: &[(&str, &str)]) -> Result<Self, DataError> {
        let refuse = |reason: String| DataError::Predictions { path: folder.to_owned(), reason };
        let mut names = HashSet::new();
        if let Some((name, _)) = cases.iter().find(|(name, _)| !names.insert(fold(name))) {
            return Err(refuse(format!("the data set has two cases of the name {name}; rename one of them")));
        }
        fs::create_dir_all(folder)
            .map_err(|error| DataError::writing(folder, format_args!("the folder cannot be created: {error}")))?;
        let found = match Manifest::open(folder)? {
            Some(found) => found.cases_of(folder, &about, cases)?,
            None => {
                let entries = fs::read_dir(folder).map_err(|error| DataError::reading(folder, &error))?;
                if entries.count() > 0 {
                    return Err(refuse(format!("the folder has files but no {MANIFEST}; choose an empty folder")));
                }
                Vec::new()
            }
        };
        let done = found.iter().map(|case| case.image.clone()).collect();
        let (format, version) = (FORMAT.to_owned(), VERSION);
        let manifest = Manifest { format, version, about, bits: 16, cases: found, left_out: Vec::new() };
        let writer = Self { folder: folder.to_owned(), manifest, done, new: 0 };
        writer.describe()?;
        Ok(writer)
    }

    /// Returns whether the predictions of an image are there already.
    pub fn has(&self, image: &str) -> bool {
        self.done.contains(image)
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the probabilities of an image, `width * height` values, with the fingerprint of its file.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn add(
        &mut self,
        [image, prompt, fingerprint]: [&str; 3],
        [width, height]: [usize; 2],
        probability: &[f32],
    ) -> Result<(), DataError> {
        let threshold = self.manifest.about.threshold;
        let values: Vec<u16> = probability.iter().map(|value| stored(*value, threshold)).collect();
        let file = png_name(image);
        write::png16(&self.folder.join(&file), width, height, &values)?;
        if self.done.insert(image.to_owned()) {
            let (image, prompt) = (image.to_owned(), Some(prompt.to_owned()));
            let image_blake3 = Some(fingerprint.to_owned());
            self.manifest.cases.push(PredictedCase { image, file, prompt, image_blake3, width, height });
            self.new += 1;
        }
        if self.new >= TOGETHER { self.finish() } else { Ok(()) }
    }

    /// Notes that the model does not predict an image, and why. A prediction of an earlier run is not one any more.
    pub fn leave_out(&mut self, image: &str, reason: &str) {
        self.done.remove(image);
        self.manifest.cases.retain(|case| case.image != image);
        self.manifest.left_out.push(LeftOut { image: image.to_owned(), reason: reason.to_owned() });
    }

    /// Writes the description of all images that were added or left out.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&mut self) -> Result<(), DataError> {
        self.describe()?;
        self.new = 0;
        Ok(())
    }

    fn describe(&self) -> Result<(), DataError> {
        let path = self.folder.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&self.manifest).map_err(|error| DataError::writing(&path, error))?;
        write::bytes(&path, &text)
    }
}

impl Manifest {
    /// Returns the images of an earlier run that are still wanted, and whose files are there.
    fn cases_of(
        self,
        folder: &Path,
        about: &About,
        cases: &[(&str, &str)],
    ) -> Result<Vec<PredictedCase>, DataError> {
        let known = &self.about;
        let differ = [
            (known.model_content != about.model_content, "model"),
            (known.data != about.data, "data set"),
            (known.split != about.split, "split"),
            (known.threshold != about.threshold, "threshold"),
        ];
        let differ: Vec<&str> =
            differ.into_iter().filter_map(|(is_other, what)| is_other.then_some(what)).collect();
        if !differ.is_empty() {
            let reason = format!(
                "the folder has predictions of another {}; choose another folder, or delete this one to begin anew",
                differ.join(" and another ")
            );
            return Err(DataError::Predictions { path: folder.to_owned(), reason });
        }
        let prompts: HashMap<&str, &str> = cases.iter().copied().collect();
        let is_wanted = |case: &PredictedCase| {
            prompts.get(case.image.as_str()).is_some_and(|prompt| case.prompt.as_deref() == Some(prompt))
                && self.bits == 16
                && folder.join(&case.file).is_file()
        };
        Ok(self.cases.into_iter().filter(is_wanted).collect())
    }
}

/// Returns the pixel value of a probability: the nearest one that lies on the same side of the threshold, so that rounding
/// never moves a pixel into the mask or out of it. What is not a number is 0.
fn stored(probability: f32, threshold: Option<f32>) -> u16 {
    let value = (probability * MOST).round() as u16;
    let Some(threshold) = threshold else { return value };
    let is_foreground = |value: u16| f32::from(value) / MOST >= threshold;
    match (probability >= threshold, is_foreground(value)) {
        (true, false) => value.saturating_add(1),
        (false, true) if !probability.is_nan() => value.saturating_sub(1),
        _ => value,
    }
}
