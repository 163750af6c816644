//! One network over all cases.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::case::{CaseImage, ComparedCase};
use super::scored::CaseScore;
use super::{ComparedNetwork, ComparisonSettings, Entrant, NetworkCost, PREDICTIONS};
use crate::data::predictions::{About, Found, PredictedCase, Predictions, PredictionsWriter};
use crate::data::{Area, DataError, Dataset, NoArea};
use crate::infer::content::model_content;
use crate::infer::error::InferError;
use crate::infer::info::ModelInfo;
use crate::infer::measure::measure_prediction;
use crate::infer::prediction::Plane;
use crate::infer::segmenter::Segmenter;
use crate::infer::side_by_side::in_order;
use crate::model::weights::ModelSource;

/// The scores of a network by case, `None` for a case that cannot be read, and how many of them an earlier run had made;
/// nothing if the comparison was stopped.
pub(super) type Passed = Option<((ComparedNetwork, Vec<Option<CaseScore>>), usize)>;

/// A network that is to segment all cases.
pub(super) struct Pass<'a, Progress> {
    pub entrant: &'a Entrant,
    pub cases: &'a [ComparedCase],
    pub settings: ComparisonSettings<'a>,
    /// The cases that could not be read or are left out, by number, with the reasons.
    pub unreadable: &'a mut BTreeMap<usize, String>,
    /// Receives the number of cases that are done.
    pub progress: Progress,
}

/// What a thread made of a case.
enum Made {
    /// The probabilities of a new prediction, with the case.
    New(CaseImage, Plane),
    /// The score of a prediction that an earlier run had kept.
    Known(CaseScore),
    /// The reason why the case cannot be read.
    Unreadable(String),
}

impl<Progress: FnMut(usize) -> ControlFlow<()>> Pass<'_, Progress> {
    /// Has a model predict the cases. Several are predicted side by side if the model allows it.
    pub(super) fn of_model(
        &mut self,
        model: &mut dyn Segmenter,
        source: &ModelSource,
    ) -> Result<Passed, InferError> {
        let (info, threshold) = (model.info(), self.settings.threshold);
        let asked: Vec<Cow<'_, str>> = self.cases.iter().map(|case| case.asked(info.takes_box)).collect();
        if let Some(text) = asked.iter().find(|text| info.takes_box && text.parse::<Area>().is_err()) {
            return Err(NoArea::NotABox(text.to_string()).into());
        }
        let prompts: BTreeSet<&str> = asked.iter().map(AsRef::as_ref).collect();
        let milliseconds = measure_prediction(model, &prompts.into_iter().collect::<Vec<_>>())?;
        let (parameters, gflop) = sizes(&info);
        // A model may have moved to another device.
        let device = Some(model.info().device);
        let cost = NetworkCost { parameters, gflop, milliseconds: Some(milliseconds), device };
        let mut notes = Vec::new();
        if !info.is_trained {
            notes.push("It is untrained; its masks mean nothing.".to_owned());
        }
        if !info.reads_text() {
            notes.push("It reads no text.".to_owned());
        }
        let mut writer = self.writer(source, model, &cost, &asked)?;
        let known: Vec<Option<Found>> = match &writer {
            None => vec![None; self.cases.len()],
            Some(writer) => self.known(writer)?,
        };
        let before = known.iter().flatten().count();
        let (cases, unreadable) = (self.cases, &*self.unreadable);
        let job = |model: &mut dyn Segmenter, _: &mut (), number: usize| -> Result<Made, InferError> {
            if let Some(reason) = unreadable.get(&number) {
                return Ok(Made::Unreadable(reason.clone()));
            }
            let case = match cases[number].read() {
                Ok(case) => case,
                Err(error) => return Ok(Made::Unreadable(error.to_string())),
            };
            match &known[number] {
                Some(found) => Ok(Made::Known(score_of(&cases[number], &case, found, threshold)?)),
                None => {
                    let prediction = model.predict(&case.image, &asked[number])?;
                    Ok(Made::New(case, prediction.probability))
                }
            }
        };
        let progress = &mut self.progress;
        let mut failed = BTreeMap::new();
        let scores = in_order(model, cases.len(), 1, job, |next| {
            let mut scores = Vec::with_capacity(cases.len());
            for (number, case) in cases.iter().enumerate() {
                if progress(number).is_break() {
                    return Ok(None);
                }
                scores.push(match next()? {
                    Made::Known(score) => Some(score),
                    Made::New(read, plane) => {
                        if let Some(writer) = &mut writer {
                            let size = [plane.width, plane.height];
                            writer.add([&case.name, &asked[number], &read.fingerprint], size, &plane.values)?;
                        }
                        Some(CaseScore::of(&read, &plane.values, threshold))
                    }
                    Made::Unreadable(reason) => {
                        failed.insert(number, reason);
                        None
                    }
                });
            }
            Ok::<_, InferError>(Some(scores))
        });
        // What was made is kept also where the comparison ends here.
        if let Some(writer) = &mut writer {
            writer.finish()?;
        }
        self.unreadable.extend(failed);
        let Some(scores) = scores? else { return Ok(None) };
        notes.extend(model.take_notices());
        if (self.progress)(self.cases.len()).is_break() {
            return Ok(None);
        }
        Ok(Some(((self.network(cost, notes), scores), before)))
    }

    /// Scores a folder of predictions, in which only cases that are left out have none.
    pub(super) fn of_predictions(
        &mut self,
        folder: &Predictions,
        found: &[Option<Found>],
    ) -> Result<Passed, InferError> {
        let mut scores = Vec::with_capacity(self.cases.len());
        for (number, (case, found)) in self.cases.iter().zip(found).enumerate() {
            if (self.progress)(number).is_break() {
                return Ok(None);
            }
            let read = match self.unreadable.get(&number) {
                Some(_) => None,
                None => match case.read() {
                    Ok(read) => Some(read),
                    Err(error) => {
                        self.unreadable.insert(number, error.to_string());
                        None
                    }
                },
            };
            scores.push(match (&read, found) {
                (Some(read), Some(found)) => Some(score_of(case, read, found, self.settings.threshold)?),
                _ => None,
            });
        }
        if (self.progress)(self.cases.len()).is_break() {
            return Ok(None);
        }
        let about = folder.manifest.as_ref().map(|manifest| manifest.about.clone());
        let mut notes = notes_of(about.as_ref(), self.settings.threshold);
        let said = |found: &Found| found.case.as_ref().and_then(|case| case.prompt.clone());
        let is_other = |(case, found): &(&ComparedCase, &Option<Found>)| {
            found.as_ref().and_then(said).is_some_and(|prompt| prompt != case.prompt)
        };
        let others = self.cases.iter().zip(found).filter(is_other).count();
        if others > 0 {
            let all = found.iter().flatten().count();
            notes.push(format!("{others} of its {all} predictions were made with another prompt."));
        }
        match found.iter().filter(|found| found.is_none()).count() {
            0 => {}
            1 => notes.push("It leaves 1 image out, which is left out for all networks.".to_owned()),
            count => notes.push(format!("It leaves {count} images out, which are left out for all networks.")),
        }
        let about = about.unwrap_or_default();
        let cost = NetworkCost {
            parameters: about.parameters,
            gflop: about.gflop,
            milliseconds: about.milliseconds,
            device: about.device,
        };
        Ok(Some(((self.network(cost, notes), scores), 0)))
    }

    fn network(&self, cost: NetworkCost, notes: Vec<String>) -> ComparedNetwork {
        ComparedNetwork { name: self.entrant.name.clone(), cost, notes, scores: Vec::new() }
    }

    /// Opens the folder of the model's predictions, if they are kept.
    fn writer(
        &self,
        source: &ModelSource,
        model: &dyn Segmenter,
        cost: &NetworkCost,
        asked: &[Cow<'_, str>],
    ) -> Result<Option<PredictionsWriter>, InferError> {
        let Some(out) = self.settings.out else { return Ok(None) };
        let [data, split] = self.settings.data.map(String::from);
        let known = about_model(source, &model.info())?;
        let about = About {
            model: self.entrant.name.clone(),
            data,
            split,
            threshold: Some(self.settings.threshold),
            milliseconds: cost.milliseconds,
            device: cost.device.clone(),
            ..known
        };
        let names = self.cases.iter().map(|case| case.name.as_str());
        let cases: Vec<(&str, &str)> = names.zip(asked.iter().map(AsRef::as_ref)).collect();
        let folder = out.join(PREDICTIONS).join(&self.entrant.name);
        Ok(Some(PredictionsWriter::open(&folder, about, &cases)?))
    }

    /// Returns the predictions that an earlier run has kept.
    fn known(&self, writer: &PredictionsWriter) -> Result<Vec<Option<Found>>, DataError> {
        let is_known = |case: &&ComparedCase| writer.has(&case.name);
        let names: Vec<&str> = self.cases.iter().filter(is_known).map(|case| case.name.as_str()).collect();
        if names.is_empty() {
            return Ok(vec![None; self.cases.len()]);
        }
        let mut found = Predictions::open(writer.folder())?.matched(&names, false)?.into_iter();
        Ok(self.cases.iter().map(|case| if writer.has(&case.name) { found.next() } else { None }).collect())
    }
}

/// Returns the numbers of parameters and of thousand million operations of a model, where they are known.
fn sizes(info: &ModelInfo) -> (Option<u64>, Option<f64>) {
    let parameters = (info.parameters > 0).then_some(info.parameters as u64);
    (parameters, (info.operations > 0.0).then_some(info.operations / 1e9))
}

/// Describes a model for its predictions. Its files are read.
fn about_model(source: &ModelSource, info: &ModelInfo) -> Result<About, DataError> {
    let (parameters, gflop) = sizes(info);
    Ok(About {
        model: info.name.clone(),
        description: info.provenance.clone(),
        model_content: Some(model_content(source, info)?),
        parameters,
        gflop,
        device: Some(info.device.clone()),
        ..About::default()
    })
}

/// Describes the predictions of a model for a split of a data set at this threshold, as they are kept by an evaluation, in which no
/// time is measured. The files of the model are read.
///
/// # Errors
/// A file of the model cannot be read.
pub fn kept_about(
    source: &ModelSource,
    model: &dyn Segmenter,
    dataset: &Dataset,
    threshold: f32,
) -> Result<About, DataError> {
    let root = &dataset.root;
    let data = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
    let (split, threshold) = (dataset.split.clone(), Some(threshold));
    // A device without a measured time says nothing.
    Ok(About { data, split, threshold, device: None, ..about_model(source, &model.info())? })
}

/// Reads and scores a prediction that is a file.
fn score_of(case: &ComparedCase, read: &CaseImage, found: &Found, threshold: f32) -> Result<CaseScore, DataError> {
    let said = found.case.as_ref().and_then(|PredictedCase { image_blake3, .. }| image_blake3.as_ref());
    if said.is_some_and(|said| !said.eq_ignore_ascii_case(&read.fingerprint)) {
        let reason = format!(
            "it is of another image than {} is now, as their fingerprints show; predict the image once more",
            case.name
        );
        return Err(DataError::Predictions { path: found.path().to_owned(), reason });
    }
    Ok(CaseScore::of(read, &found.read([read.image.width, read.image.height])?, threshold))
}

/// Returns what must be said of a folder of predictions.
fn notes_of(about: Option<&About>, threshold: f32) -> Vec<String> {
    let Some(about) = about else {
        return vec![
            "It has no description: which model made the predictions, from which prompts and at what cost is not known."
                .to_owned(),
        ];
    };
    let mut notes = Vec::new();
    if !about.description.trim().is_empty() {
        notes.push(format!("Its description says: \"{}\"", about.description.trim()));
    }
    let unknown: Vec<&str> = [
        (about.parameters.is_none(), "parameters"),
        (about.gflop.is_none(), "operations"),
        (about.milliseconds.is_none(), "time"),
    ]
    .into_iter()
    .filter_map(|(is_unknown, what)| is_unknown.then_some(what))
    .collect();
    if !unknown.is_empty() {
        notes.push(format!("Its description does not tell its {}.", unknown.join(", ")));
    }
    if let Some(own) = about.threshold.filter(|own| *own != threshold) {
        notes.push(format!("Its own threshold is {own}; it is compared at {threshold}."));
    }
    notes
}
