//! The comparison of several networks, on a thread of its own that opens the models one after the other.

use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::Builder;

use super::guard::guarded;
use super::job::Failure;
use super::model_job::network_input;
use super::pending::Reply;
use super::priority::{LAB, lower};
use crate::analysis::comparison::NetworksReport;
use crate::data::volume::DisplayWindow;
use crate::data::{Area, Dataset, Image, Mask};
use crate::device::DeviceChoice;
use crate::infer::comparison::{
    CaseOrigin, ComparedCase, Comparison, ComparisonSettings, ComparisonStep, Entrant, compare,
};
use crate::infer::{InferError, OpenModel};
use crate::metrics::Bootstrap;

/// Networks and the cases on which they are compared.
#[derive(Clone, Debug)]
pub struct NetworksRequest {
    /// The networks.
    pub entrants: Vec<Entrant>,
    /// The cases.
    pub cases: NetworkCases,
    /// The probability from which a pixel is foreground.
    pub threshold: f32,
    /// The device to compute on.
    pub device: DeviceChoice,
    /// The folder in which the predictions of models are kept, so that a comparison that was stopped goes on; `None` to keep none.
    pub out: Option<PathBuf>,
}

/// The cases of a comparison.
#[derive(Clone, Debug)]
pub enum NetworkCases {
    /// Cases of a data set.
    Split {
        /// The folder of the data set.
        folder: PathBuf,
        /// The split.
        split: String,
        /// The file names of the cases; empty for all.
        only: Vec<String>,
        /// The greatest number of cases, of which the first are taken; 0 for all.
        most: usize,
    },
    /// The open image.
    Open {
        /// Its name.
        name: String,
        /// Its pixels.
        image: Arc<Image>,
        /// The display window applied to the network's input; `None` for the stored image.
        seen: Option<DisplayWindow>,
        /// The prompt.
        prompt: String,
        /// The box, for models that take one.
        area: Option<Area>,
        /// The ground truth, of the image's size.
        truth: Option<Arc<Mask>>,
    },
}

/// The outcome of a comparison.
#[derive(Clone, Debug)]
pub struct NetworksCompared {
    /// Masks and scores of every case.
    pub comparison: Comparison,
    /// Statistics and notes.
    pub report: NetworksReport,
    /// The threshold.
    pub threshold: f32,
}

/// Starts a comparison with models opened by `open`. If it is cancelled, it ends before its next image.
///
/// # Errors
/// The thread could not be started.
pub(super) fn begin(
    request: NetworksRequest,
    open: OpenModel,
    reply: Reply<Arc<NetworksCompared>>,
) -> io::Result<()> {
    Builder::new().name("himix-networks".into()).spawn(move || {
        // The prompt that is typed meanwhile is more urgent.
        lower(LAB);
        let outcome = guarded(|| run(&request, &open, &reply));
        let stopped = |reason| Err(Failure::Failed(format!("The comparison stopped ({reason}).")));
        reply.answer(outcome.unwrap_or_else(stopped));
    })?;
    Ok(())
}

fn run(
    request: &NetworksRequest,
    open: &OpenModel,
    reply: &Reply<Arc<NetworksCompared>>,
) -> Result<Arc<NetworksCompared>, Failure> {
    let words = |error: InferError| error.to_string();
    let (cases, [data, split]) = cases(&request.cases)?;
    let out = request.out.as_deref();
    if let Some(out) = out {
        std::fs::create_dir_all(out).map_err(|error| {
            format!("{}: the folder cannot be created ({error}); choose another", out.display())
        })?;
    }
    let step = |step: ComparisonStep<'_>| {
        reply.progress(step.done, step.count);
        if reply.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let threshold = request.threshold;
    // A folder of predictions may cover the whole data set where only some of its cases are looked at.
    let settings = ComparisonSettings { threshold, data: [&data, &split], is_part: true, out };
    let found = compare(&request.entrants, &cases, settings, |source| open(source, request.device), step);
    let comparison = found.map_err(words)?.ok_or(Failure::Cancelled)?;
    let report = NetworksReport::of(&comparison, Bootstrap::default(), threshold, None);
    Ok(Arc::new(NetworksCompared { comparison, report, threshold }))
}

/// Returns the cases, with the name of the data set and its split.
fn cases(wanted: &NetworkCases) -> Result<(Vec<ComparedCase>, [String; 2]), Failure> {
    match wanted {
        NetworkCases::Open { name, image, seen, prompt, area, truth } => {
            let origin = CaseOrigin::Open(network_input(image, *seen), truth.clone());
            let case = ComparedCase { name: name.clone(), prompt: prompt.clone(), area: *area, origin };
            Ok((vec![case], ["open image".to_owned(), name.clone()]))
        }
        NetworkCases::Split { folder, split, only, most } => {
            let dataset = Dataset::open(folder, split)?;
            let mut cases = ComparedCase::of_dataset(&dataset);
            if let Some(name) = only.iter().find(|name| !cases.iter().any(|case| is_it(case, name))) {
                let (folder, split) = (folder.display(), &dataset.split);
                return Err(format!("{folder}: split {split} has no case {name}; correct its name").into());
            }
            if !only.is_empty() {
                cases.retain(|case| only.iter().any(|name| is_it(case, name)));
            }
            if *most > 0 {
                cases.truncate(*most);
            }
            let root = &dataset.root;
            let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
            Ok((cases, [name, dataset.split]))
        }
    }
}

/// Returns whether a case has this name, of which the extension may be left out.
fn is_it(case: &ComparedCase, name: &str) -> bool {
    case.name == name || Path::new(&case.name).file_stem().is_some_and(|stem| stem == name)
}
