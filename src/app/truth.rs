//! The ground truth: opening it, placing it on the image, and choosing its foreground labels.

use std::path::PathBuf;
use std::sync::Arc;

use super::HimixApp;
use super::command::TruthAnswer;
use super::notes::Kind;
use super::record::Source;
use super::state::OpenTruth;
use crate::data::mask::{Agreed, Pairing};
use crate::data::{LabelChoice, Truth, TruthReading};
use crate::engine::jobs::OpenTruth as ReadTruth;

impl HimixApp {
    /// Opens the ground truth in these files; does nothing if there are none.
    pub(super) fn open_truth(&mut self, paths: Vec<PathBuf>) {
        if !paths.is_empty() {
            self.read_truth(paths, |_| {});
        }
    }

    /// Reads a ground truth and places it on the image that is displayed or being opened; `agree` modifies the
    /// default reading.
    pub(super) fn read_truth(&mut self, paths: Vec<PathBuf>, agree: impl FnOnce(&mut TruthReading)) {
        // A pending image is read before the mask, and the mask is meant for it.
        let coming = self.state.jobs.image.pending().map(|awaited| awaited.ticket);
        let Some(image) = coming.or(self.state.document.image.as_ref().map(|image| image.ticket)) else {
            let path = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
            let text =
                format!("A ground truth needs an image to compare with. Open the image first, then: {path}");
            return self.state.notes.add(Kind::Error, text);
        };
        let name = match self.state.jobs.image.pending().map(|awaited| &awaited.what) {
            Some(Source::Files(path, _)) => path.clone(),
            Some(Source::Sample(_)) => PathBuf::new(),
            None => self.state.document.image.as_ref().map(|image| image.path.clone()).unwrap_or_default(),
        };
        let mut reading = self.state.reading_of(&name).truth(self.state.settings.limit());
        agree(&mut reading);
        self.state.truth_question = None;
        let job = ReadTruth { paths, image, reading: Box::new(reading) };
        let sent = self.engine.ask(&mut self.state.jobs.truth, image, job);
        self.say_if_busy(sent);
    }

    /// Reads a ground truth again, with the choices made for it.
    pub(super) fn reopen_truth(&mut self, truth: &Truth) {
        self.read_truth(truth.files.clone(), |reading| {
            reading.choice = truth.choice.clone();
            match truth.laid.pairing {
                Pairing::Resampled => reading.agreed = Agreed::Resample,
                Pairing::ByNumber => reading.agreed = Agreed::ByNumber,
                Pairing::OnSlice { slice } => reading.slice = Some(slice - 1),
                Pairing::BySize | Pairing::ByPosition | Pairing::Reordered { .. } => {}
            }
        });
    }

    /// Places the ground truth on its image as answered, or leaves it out.
    pub(super) fn answer_truth(&mut self, answer: Option<TruthAnswer>) {
        let Some(question) = self.state.truth_question.take() else { return };
        let Some(open) = self.state.document.image.as_ref().filter(|open| open.ticket == question.image) else {
            return;
        };
        let slice = open.slice;
        let Some(answer) = answer else { return };
        self.read_truth(question.paths, |reading| match answer {
            TruthAnswer::Resample => reading.agreed = Agreed::Resample,
            TruthAnswer::ByNumber => reading.agreed = Agreed::ByNumber,
            TruthAnswer::OnThisSlice => reading.slice = Some(slice),
        });
    }

    /// Chooses which labels of the ground truth count as foreground.
    pub(super) fn choose_labels(&mut self, choice: LabelChoice) {
        let ticket = self.ticket();
        let (Some(open), Some(truth)) = (&self.state.document.image, &self.state.document.truth) else { return };
        let chosen = OpenTruth::new(ticket, Arc::new(truth.truth.with(choice)), open.slice);
        // Choosing labels must not change whether the comparison is shown.
        let is_compared = self.state.show_truth;
        self.show_truth(chosen);
        self.state.show_truth = is_compared;
    }
}
