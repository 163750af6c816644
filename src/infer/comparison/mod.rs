//! Several networks on the same cases: open models, and networks that are not in this program by their predictions.
//!
//! All networks are scored in the same way, at the size of the image and at one threshold. With a folder for the results the
//! predictions of every model are kept there, so that a comparison that was ended goes on where it was.
//! `analysis::comparison` makes statistics, tables and figures of the scores.

mod case;
mod entrant;
mod scored;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::error::InferError;
use super::segmenter::Segmenter;
use crate::data::predictions::{Found, Predictions};
use crate::data::{DataError, NoArea};
use crate::model::weights::{ModelSource, bundle, manifest};
use entrant::Pass;

pub use case::{CaseImage, CaseOrigin, ComparedCase};
pub use entrant::kept_about;
pub use scored::{CaseScore, PackedMask};

/// Why a network that is prompted by a box takes no part.
const NO_BOX: &str = "it is prompted by a box, which the cases do not have; give its predictions in place of the model (himix evaluate --box-from-truth \
                      MARGIN --predictions DIR makes some)";

/// The folder of the models' predictions in that of the results.
pub const PREDICTIONS: &str = "predictions";

/// A network that takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrant {
    /// The name by which it stands in tables and figures.
    pub name: String,
    /// Where its masks come from.
    pub source: EntrantSource,
}

/// Where the masks of a network come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntrantSource {
    /// A model, which is opened.
    Model(ModelSource),
    /// A folder of predictions.
    Predictions(std::path::PathBuf),
}

/// How networks are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ComparisonSettings<'a> {
    /// The lowest probability of a foreground pixel, for all networks.
    pub threshold: f32,
    /// The name of the data set and the split, for the description of predictions that are kept.
    pub data: [&'a str; 2],
    /// Whether folders of predictions may have further images than the cases.
    pub is_part: bool,
    /// The folder of the results, which exists; `None` to keep nothing.
    pub out: Option<&'a Path>,
}

/// How far a comparison is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparisonStep<'a> {
    /// The name of the network.
    pub network: &'a str,
    /// The number of masks that are scored, of all networks.
    pub done: usize,
    /// The number of masks of all networks.
    pub count: usize,
}

/// What is known of a network that was compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkCost {
    /// The number of parameters.
    pub parameters: Option<u64>,
    /// Multiplications and additions of one pass in thousand millions, each counted as one operation; estimated from the sizes
    /// of the network if it is a model of this program.
    pub gflop: Option<f64>,
    /// The duration of one prediction in milliseconds.
    pub milliseconds: Option<f64>,
    /// The device on which this duration was measured.
    pub device: Option<String>,
}

impl NetworkCost {
    /// Returns the size of a model, whose weights are not opened.
    ///
    /// # Errors
    /// There is no such model, or its configuration cannot be read.
    pub fn of_model(source: &ModelSource) -> Result<Self, InferError> {
        let network = bundle::locate(source)?.config.network;
        Ok(Self {
            parameters: Some(manifest::parameter_count(network.as_ref()) as u64),
            gflop: Some(network.cost().operations / 1e9),
            ..Self::default()
        })
    }
}

/// A network with its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedNetwork {
    /// The name by which it stands in tables and figures.
    pub name: String,
    /// Its size and speed.
    pub cost: NetworkCost,
    /// What the reader must know of it, a sentence each.
    pub notes: Vec<String>,
    /// The scores of every case, in the order of the cases.
    pub scores: Vec<CaseScore>,
}

/// The outcome of a comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The cases that all networks have masks of.
    pub cases: Vec<ComparedCase>,
    /// The networks, in the order in which they were given.
    pub networks: Vec<ComparedNetwork>,
    /// The networks that could not take part, each with the reason.
    pub left_out: Vec<(String, String)>,
    /// The reasons why cases could not be read, or were left out by predictions. They are part of no score.
    pub skipped: Vec<String>,
    /// How many masks an earlier run had made.
    pub known: usize,
}

/// Has all networks segment all cases and scores their masks. Models are opened one after the other with `open`, so that one is in
/// memory at a time. Returns `None` if `progress` broke.
///
/// A model that refuses the cases, for instance because it is prompted by a box and there is none, is left out with its reason;
/// the others are compared all the same.
///
/// # Errors
/// Two networks or two cases have one name, predictions are of other cases, no case can be read, no network is left, a file cannot
/// be written, or a model cannot be opened or fails.
pub fn compare<E: From<InferError>>(
    entrants: &[Entrant],
    cases: &[ComparedCase],
    settings: ComparisonSettings<'_>,
    mut open: impl FnMut(&ModelSource) -> Result<Box<dyn Segmenter>, E>,
    mut progress: impl FnMut(ComparisonStep<'_>) -> ControlFlow<()>,
) -> Result<Option<Comparison>, E> {
    // Whatever can be found out without a model is found out first.
    let mut unreadable = BTreeMap::new();
    let folders = checked(entrants, cases, settings.is_part, &mut unreadable)?;
    let count = entrants.len() * cases.len();
    let (mut networks, mut left_out, mut known) = (Vec::new(), Vec::new(), 0);
    for (place, (entrant, folder)) in entrants.iter().zip(folders).enumerate() {
        let step = |done: usize| {
            progress(ComparisonStep { network: &entrant.name, done: place * cases.len() + done, count })
        };
        let mut pass = Pass { entrant, cases, settings, unreadable: &mut unreadable, progress: step };
        let outcome = match (&entrant.source, folder) {
            (EntrantSource::Model(source), _) => {
                let mut model = open(source)?;
                pass.of_model(model.as_mut(), source)
            }
            (EntrantSource::Predictions(_), Some((folder, found))) => pass.of_predictions(&folder, &found),
            (EntrantSource::Predictions(_), None) => continue,
        };
        match outcome {
            Ok(Some((network, before))) => {
                known += before;
                networks.push(network);
            }
            Ok(None) => return Ok(None),
            Err(
                error @ (InferError::Data(_)
                | InferError::Weights(_)
                | InferError::Text(_)
                | InferError::NothingReadable { .. }
                | InferError::Compute { .. }),
            ) => return Err(error.into()),
            Err(InferError::Area(NoArea::NotABox(_))) => left_out.push((entrant.name.clone(), NO_BOX.to_owned())),
            // The model itself is sound, but does not take these cases.
            Err(refusal) => left_out.push((entrant.name.clone(), refusal.to_string())),
        }
    }
    if let (true, Some(reason)) = (unreadable.len() == cases.len(), unreadable.values().next()) {
        return Err(InferError::NothingReadable { count: cases.len(), reason: reason.clone() }.into());
    }
    if let (true, Some((name, reason))) = (networks.is_empty(), left_out.first()) {
        return Err(InferError::Refused(format!("no network could take part; {name}: {reason}")).into());
    }
    let mut all = Vec::with_capacity(networks.len());
    for (network, scores) in networks {
        let scores: Vec<Option<CaseScore>> = scores;
        let kept = scores.into_iter().enumerate().filter(|(case, _)| !unreadable.contains_key(case));
        all.push(ComparedNetwork { scores: kept.filter_map(|(_, score)| score).collect(), ..network });
    }
    let kept = cases.iter().enumerate().filter(|(case, _)| !unreadable.contains_key(case));
    let cases = kept.map(|(_, case)| case.clone()).collect();
    Ok(Some(Comparison { cases, networks: all, left_out, skipped: unreadable.into_values().collect(), known }))
}

/// A folder of predictions with those of each case; `None` for a case that they leave out.
type Kept = (Predictions, Vec<Option<Found>>);

/// Checks names and folders, and returns the predictions of the networks that have such a folder. Cases that a folder says to
/// leave out are added to `unreadable`, because networks are compared on the same cases.
fn checked(
    entrants: &[Entrant],
    cases: &[ComparedCase],
    is_part: bool,
    unreadable: &mut BTreeMap<usize, String>,
) -> Result<Vec<Option<Kept>>, InferError> {
    let refuse = |reason: String| Err(InferError::Refused(reason));
    if entrants.is_empty() || cases.is_empty() {
        return refuse("there is nothing to compare; give a model or a folder of predictions, and cases".into());
    }
    for (place, Entrant { name, .. }) in entrants.iter().enumerate() {
        if entrants[..place].iter().any(|other| other.name.to_lowercase() == name.to_lowercase()) {
            return refuse(format!("two networks have the name {name}; give each a name of its own"));
        }
        // The name is that of a folder too.
        let is_plain = !name.trim().is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        if !is_plain {
            return refuse(format!("\"{name}\" cannot be the name of a network; give one without / and \\"));
        }
    }
    let folder_of = |entrant: &Entrant| match &entrant.source {
        EntrantSource::Model(_) => Ok(None),
        EntrantSource::Predictions(path) => {
            let folder = Predictions::open(path)?;
            let is_there: Vec<bool> = cases.iter().map(|case| folder.left_out(&case.name).is_none()).collect();
            let there = cases.iter().zip(&is_there).filter(|(_, is_there)| **is_there);
            let names: Vec<&str> = there.map(|(case, _)| case.name.as_str()).collect();
            let mut found = folder.matched(&names, is_part)?.into_iter();
            for (number, case) in cases.iter().enumerate().filter(|(number, _)| !is_there[*number]) {
                let reason = folder.left_out(&case.name).unwrap_or_default();
                let reason = format!("{}: the predictions of {} leave it out ({reason})", case.name, entrant.name);
                unreadable.entry(number).or_insert(reason);
            }
            let found = is_there.iter().map(|is_there| if *is_there { found.next() } else { None }).collect();
            Ok(Some((folder, found)))
        }
    };
    Ok(entrants.iter().map(folder_of).collect::<Result<_, DataError>>()?)
}

#[cfg(test)]
mod tests;
