//! The ground truth: opened, laid on the image as the user says, and which of its labels count.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::HimixApp;
use super::notes::Kind;
use super::state::{Awaited, OpenTruth};
use crate::data::mask::Agreed;
use crate::data::{LabelChoice, TruthReading};
use crate::engine::FileCommand;

/// What the user says of a truth that does not fit as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TruthAnswer {
    /// Resample it by position.
    Resample,
    /// Lay it on the image by voxel numbers.
    ByNumber,
    /// Lay it on the slice that is shown.
    OnThisSlice,
}

impl HimixApp {
    pub(super) fn open_truth(&mut self, paths: Vec<PathBuf>) {
        self.read_truth(paths, TruthReading::default());
    }

    /// Reads a truth and lays it on the image that is seen, or on its way.
    fn read_truth(&mut self, paths: Vec<PathBuf>, mut reading: TruthReading) {
        let ticket = self.ticket();
        // An image on its way is read before the mask, and the mask is meant for it.
        let coming = self.state.awaited_image.as_ref().map(|awaited| awaited.ticket);
        let image = coming.or(self.state.image.as_ref().map(|image| image.ticket));
        if image.is_none() {
            let path = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
            let text =
                format!("A ground truth needs an image to compare with. Open the image first, then: {path}");
            return self.state.notes.add(Kind::Error, text);
        }
        reading.mask.limit = self.state.settings.limit();
        reading.mask.orientation = self.state.settings.orientation();
        self.state.truth_question = None;
        if self.file(FileCommand::OpenTruth { ticket, paths, image, reading: Box::new(reading) }) {
            self.state.awaited_truth = Some(Awaited { ticket, what: image, since: Instant::now() });
        }
    }

    /// Lays the truth that was asked about on its image, or leaves it out.
    pub(super) fn answer_truth(&mut self, answer: Option<TruthAnswer>) {
        let Some(question) = self.state.truth_question.take() else { return };
        let Some(open) = self.state.image.as_ref().filter(|open| Some(open.ticket) == question.image) else {
            return;
        };
        let slice = open.slice;
        let reading = match answer {
            None => return,
            Some(TruthAnswer::Resample) => TruthReading { agreed: Agreed::Resample, ..TruthReading::default() },
            Some(TruthAnswer::ByNumber) => TruthReading { agreed: Agreed::ByNumber, ..TruthReading::default() },
            Some(TruthAnswer::OnThisSlice) => TruthReading { slice: Some(slice), ..TruthReading::default() },
        };
        self.read_truth(question.paths, reading);
    }

    /// Takes other labels of the truth as foreground.
    pub(super) fn choose_labels(&mut self, choice: LabelChoice) {
        let ticket = self.ticket();
        let (Some(open), Some(truth)) = (&self.state.image, &self.state.truth) else { return };
        let chosen = OpenTruth::new(ticket, Arc::new(truth.truth.with(choice)), open.slice);
        // Whether it is compared with is another question.
        let is_compared = self.state.show_truth;
        self.show_truth(chosen);
        self.state.show_truth = is_compared;
    }
}
