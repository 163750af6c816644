//! Pictures and files of a comparison of several networks.

use std::path::PathBuf;
use std::sync::Arc;

use crate::analysis::comparison::{chosen_figure, write_figure};
use crate::analysis::figure::Picture;
use crate::data::{DataError, OverlayColours};
use crate::engine::job::{Failure, Job, Task, Worker};
use crate::engine::networks::NetworksCompared;

/// Draws cases for the screen: image, ground truth and the mask of every network.
#[derive(Debug)]
pub struct PaintNetworks {
    /// The comparison.
    pub compared: Arc<NetworksCompared>,
    /// The numbers of the cases.
    pub cases: Vec<usize>,
    /// The colours of the masks.
    pub colours: OverlayColours,
    /// The largest side of a picture in pixels.
    pub side: usize,
}

/// The pictures of a case.
#[derive(Clone, Debug)]
pub struct PaintedCase {
    /// The number of the case.
    pub case: usize,
    /// The image.
    pub image: Picture,
    /// The ground truth; `None` if there is none.
    pub truth: Option<Picture>,
    /// The image under the mask of every network.
    pub masks: Vec<Picture>,
}

impl Job for PaintNetworks {
    type Answer = Vec<PaintedCase>;
    const WORKER: Worker = Worker::Compute;

    fn run(self, task: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let comparison = &self.compared.comparison;
        let small = |picture: Picture| picture.at_most(self.side, self.side);
        let mut painted = Vec::with_capacity(self.cases.len());
        for (done, case) in self.cases.iter().enumerate() {
            if !task.progress(done, self.cases.len()) {
                return Err(Failure::Cancelled);
            }
            let Some(compared) = comparison.cases.get(*case) else { continue };
            let read = compared.read()?;
            let picture = Picture::of(&read.image);
            let truth = read.truth.as_ref().map(|truth| truth.values.as_slice());
            let mask = |mask: Vec<u8>| small(picture.under_mask(&mask, truth, &self.colours));
            let masks =
                comparison.networks.iter().map(|network| mask(network.scores[*case].mask.values())).collect();
            let truth = read.truth.as_ref().map(|truth| small(Picture::of_mask(truth)));
            painted.push(PaintedCase { case: *case, image: small(picture), truth, masks });
        }
        Ok(painted)
    }
}

/// Writes the tables of a comparison and the figure of some cases into a folder, which is created if necessary.
#[derive(Debug)]
pub struct SaveNetworks {
    /// The comparison.
    pub compared: Arc<NetworksCompared>,
    /// The numbers of the cases of the figure.
    pub cases: Vec<usize>,
    /// The colours of the masks.
    pub colours: OverlayColours,
    /// The folder.
    pub folder: PathBuf,
}

impl Job for SaveNetworks {
    type Answer = Vec<PathBuf>;
    const WORKER: Worker = Worker::Compute;
    const OUTLIVES_WINDOW: bool = true;

    fn file(&self) -> Option<PathBuf> {
        Some(self.folder.clone())
    }

    fn run(self, _: &mut Task<'_>) -> Result<Self::Answer, Failure> {
        let Self { compared, cases, colours, folder } = self;
        std::fs::create_dir_all(&folder).map_err(|error| DataError::writing(&folder, error))?;
        let mut files = compared.report.write(&compared.comparison, &folder)?;
        let about = [format!("Threshold {}.", compared.threshold)];
        let figure = chosen_figure(&compared.comparison, &cases, &colours, &about);
        let figure = figure.map_err(|error| error.to_string())?;
        files.extend(write_figure(&figure, &folder)?);
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::analysis::comparison::NetworksReport;
    use crate::data::write;
    use crate::engine::job::Opened;
    use crate::infer::InferError;
    use crate::infer::comparison::{ComparedCase, ComparisonSettings, Entrant, EntrantSource, compare};
    use crate::metrics::Bootstrap;

    /// Two networks of other programs on two phantoms, one of which finds everything and one nothing.
    fn compared(root: &std::path::Path) -> Arc<NetworksCompared> {
        let cases = ComparedCase::phantoms(&[crate::data::phantom::Kind::Ct], 1, 2, 64);
        let entrant = |name: &str, value: u8| {
            let folder = root.join(name);
            std::fs::create_dir(&folder).expect("a folder");
            for case in &cases {
                write::png8(&folder.join(&case.name), 64, 64, &[value; 64 * 64]).expect("written");
            }
            Entrant { name: name.into(), source: EntrantSource::Predictions(folder) }
        };
        let entrants = [entrant("all", 255), entrant("none", 0)];
        let settings = ComparisonSettings { threshold: 0.5, data: ["", ""], is_part: true, out: None };
        let opened = |_: &crate::infer::ModelSource| Err(InferError::from("there is no model"));
        let found = compare(&entrants, &cases, settings, opened, |_| ControlFlow::Continue(()));
        let comparison = found.expect("compared").expect("to the end");
        let bootstrap = Bootstrap { resamples: 50, ..Bootstrap::default() };
        let report = NetworksReport::of(&comparison, bootstrap, 0.5, None);
        Arc::new(NetworksCompared { comparison, report, threshold: 0.5 })
    }

    fn done<J: Job>(job: J) -> J::Answer {
        let mut opened: Opened = None;
        let mut task = Task { ticket: 1, progress: &|_, _| (), is_cancelled: &|| false, opened: &mut opened };
        job.run(&mut task).unwrap_or_else(|failure| panic!("{:?}", failure.message()))
    }

    #[test]
    fn cases_are_drawn_and_everything_is_written() {
        let root = tempfile::tempdir().expect("a folder");
        let compared = compared(root.path());
        let colours = OverlayColours::PAPER;
        let job = PaintNetworks { compared: compared.clone(), cases: vec![1, 7], colours, side: 32 };
        let painted = done(job);
        assert_eq!((painted.len(), painted[0].case, painted[0].masks.len()), (1, 1, 2), "there is no case 7");
        assert_eq!((painted[0].image.width, painted[0].masks[1].height), (32, 32));
        assert_ne!(painted[0].masks[0], painted[0].masks[1]);
        let folder = root.path().join("new/out");
        let files = done(SaveNetworks { compared, cases: vec![0, 1], colours, folder: folder.clone() });
        assert_eq!(files.len(), 9);
        for name in ["table.md", "scores.csv", "figure.svg", "figure.png"] {
            assert!(folder.join(name).is_file(), "{name}");
        }
        let table = std::fs::read_to_string(folder.join("table.md")).expect("text");
        assert!(table.contains("none less all"), "{table}");
    }
}
