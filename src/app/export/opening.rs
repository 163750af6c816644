//! Opening files as annotation.

use std::path::{Path, PathBuf};

use super::{DropAnswer, Exporting, OpensLabels};
use crate::annotate::journal::EXTENSION;
use crate::app::HimixApp;
use crate::app::command::{Command, TruthAnswer};
use crate::app::keeping::KeepCommand;
use crate::app::notes::Kind;
use crate::app::tab::Tab;
use crate::data::mask::Agreed;
use crate::engine::jobs::{LabelsOpened, OpenLabels};

impl HimixApp {
    /// Reads the labels of a file for the annotation of the open image. `slice` is that of a single mask without a
    /// position, from 0.
    pub(super) fn open_labels(&mut self, path: PathBuf, slice: Option<usize>, agreed: Agreed) {
        if is_saved_annotation(&path) {
            return self.apply_keeping(KeepCommand::Open(path));
        }
        let state = &mut self.state;
        let Some(open) = &state.document.image else {
            let text = format!("An annotation needs an image. Open the image first, then: {}", path.display());
            return state.notes.add(Kind::Error, text);
        };
        state.export.question = None;
        let reading = state.reading_of(&open.path).truth(state.settings.limit()).mask;
        let job = OpenLabels {
            path: path.clone(),
            image: open.ticket,
            volume: open.volume.clone(),
            annotation: state.document.annotation.clone(),
            reading,
            slice,
            agreed,
        };
        let what = OpensLabels { path, slice, agreed };
        let sent = self.engine.ask(&mut self.state.export.opening, what, job);
        self.say_if_busy(sent);
    }

    /// Lays labels on the image as answered, or leaves them out.
    pub(super) fn answer_labels(&mut self, answer: Option<TruthAnswer>) {
        let Some(question) = self.state.export.question.take() else { return };
        let Some(open) = self.state.document.image.as_ref().filter(|open| open.ticket == question.image) else {
            return;
        };
        let (here, Some(path)) = (open.slice, question.paths.into_iter().next()) else { return };
        match answer {
            Some(TruthAnswer::Resample) => self.open_labels(path, None, Agreed::Resample),
            Some(TruthAnswer::ByNumber) => self.open_labels(path, None, Agreed::ByNumber),
            Some(TruthAnswer::OnThisSlice) => self.open_labels(path, Some(here), Agreed::Refuse),
            None => {}
        }
    }

    /// Opens a dropped file as what the user says it is.
    pub(super) fn answer_drop(&mut self, answer: Option<DropAnswer>) {
        let Some(path) = self.state.export.dropped.take() else { return };
        match answer {
            Some(DropAnswer::Annotation) => self.open_labels(path, None, Agreed::Refuse),
            Some(DropAnswer::Truth) => self.commands.push(Command::OpenTruth(vec![path])),
            Some(DropAnswer::Image) => self.commands.push(Command::OpenImage(path)),
            None => {}
        }
    }

    /// Takes the labels of a file that was read.
    pub(super) fn take_labels(&mut self) {
        let Exporting { opening, question, .. } = &mut self.state.export;
        let Some(outcome) = opening.take() else { return };
        let what = opening.asked().cloned();
        match outcome {
            Ok(LabelsOpened::Asked(asked)) => *question = Some(asked),
            Ok(LabelsOpened::Read { image, revision, edits, notes }) => {
                let open = self.state.document.image.as_ref();
                if open.is_none_or(|open| open.ticket != image) {
                    return;
                }
                if self.state.document.annotation.revision() != revision {
                    // Something was drawn while the file was read.
                    if let Some(OpensLabels { path, slice, agreed }) = what {
                        self.open_labels(path, slice, agreed);
                    }
                    return;
                }
                if self.state.tab != Tab::Annotate {
                    self.show_tab(Tab::Annotate);
                }
                self.annotate("opening of labels", Ok(edits));
                notes.into_iter().for_each(|note| self.state.notes.add_of_case(Kind::Info, note));
            }
            Err(failure) => self.say_failure_of_case(failure),
        }
    }
}

/// Returns whether a file is an annotation that HiMix has saved itself, with everything that belongs to it.
fn is_saved_annotation(path: &Path) -> bool {
    path.extension().is_some_and(|end| end.eq_ignore_ascii_case(EXTENSION))
}
