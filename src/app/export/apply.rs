//! Carries out the commands about exports.

use std::path::{Path, PathBuf};

use super::{ExportCommand, Exports, Form, Of};
use crate::analysis::export::Format;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::page::Page;
use crate::app::record::Source;
use crate::engine::jobs::{ExportLabels, LabelsExported};

impl HimixApp {
    /// Carries out a command about exports, files that are opened as annotation, or the batch.
    pub(in crate::app) fn apply_export(&mut self, command: ExportCommand) {
        match command {
            ExportCommand::Show(format) => {
                self.read_codes();
                self.state.export.form = self.state.export_form(format);
                if self.state.export.form.is_some() {
                    self.state.page = Some(Page::Export);
                }
            }
            ExportCommand::Format(format) => self.change_form(true, |form| form.format = format),
            ExportCommand::Of(of) => self.change_form(true, |form| form.of = of),
            ExportCommand::Label(place, is_on) => self.change_form(false, |form| {
                form.labels.get_mut(place).into_iter().for_each(|label| label.is_on = is_on);
            }),
            ExportCommand::Concept(place, concept) => self.change_form(false, |form| {
                form.labels.get_mut(place).into_iter().for_each(|label| label.concept = Some(concept));
            }),
            ExportCommand::Codes(path) => self.use_codes(path),
            ExportCommand::Path(path) => self.change_form(false, |form| form.path = path),
            ExportCommand::Picked(path) => {
                self.change_form(false, |form| form.path = path.display().to_string());
                // The file dialog has asked whether a file of this very name is replaced.
                self.export(vec![path]);
            }
            ExportCommand::Write => {
                let exists = self.state.export.form.as_ref().map(|form| form.exists.clone());
                self.export(exists.unwrap_or_default());
            }
            ExportCommand::OpenLabels(path) => self.open_labels(path, None, crate::data::mask::Agreed::Refuse),
            ExportCommand::AnswerLabels(answer) => self.answer_labels(answer),
            ExportCommand::AnswerDrop(answer) => self.answer_drop(answer),
            ExportCommand::Batch(command) => self.apply_batch(command),
        }
    }

    /// Changes the form. The name of the file follows format and mask as long as the user has not changed it.
    fn change_form(&mut self, renames: bool, change: impl FnOnce(&mut Form)) {
        let Some(mut form) = self.state.export.form.take() else { return };
        let is_suggested = form.path == self.state.suggested_export(&form);
        change(&mut form);
        form.exists.clear();
        if renames && is_suggested {
            form.path = self.state.suggested_export(&form);
        }
        self.state.export.form = Some(form);
    }

    /// Writes what the form asks for. `replaces` are the files that the user agreed to replace.
    fn export(&mut self, replaces: Vec<PathBuf>) {
        let state = &mut self.state;
        let Some(form) = &state.export.form else { return };
        if let Some(reason) = state.codes_refusal().filter(|_| form.format == Format::DicomSeg) {
            return state.notes.add(Kind::Warning, reason);
        }
        let Some(open) = state.document.image.as_ref().filter(|open| open.ticket == form.image) else { return };
        let Some(labels) = state.labels_of_form(form) else {
            let text = "There is nothing to export any more. Choose labels, or draw something first.";
            return state.notes.add(Kind::Warning, text);
        };
        let sources = match &open.source {
            Source::Files(path, files) if files.is_empty() => vec![path.clone()],
            Source::Files(_, files) => files.clone(),
            Source::Sample(_) => Vec::new(),
        };
        let path = form.format.completed(Path::new(form.path.trim()));
        let is_whole =
            form.of == Of::Annotation && form.format != Format::Csv && form.labels.iter().all(|label| label.is_on);
        let saves = is_whole.then(|| (open.ticket, state.document.annotation.revision()));
        let job = ExportLabels {
            path: path.clone(),
            format: form.format,
            replaces,
            volume: open.volume.clone(),
            name: open.name.clone(),
            sources,
            labels,
            creator: state.settings.reader.clone().unwrap_or_default(),
            limit: state.settings.limit(),
        };
        let what = Exports { path, form: form.clone(), saves };
        let sent = self.engine.ask_beside(&mut self.state.export.writing, what, job);
        self.say_if_busy(sent);
    }

    /// Takes the answers about exports, opened files, measurements and the batch.
    pub(in crate::app) fn take_export(&mut self) {
        self.take_codes();
        self.take_written();
        self.take_labels();
        self.take_measurements();
        self.take_batch();
    }

    fn take_written(&mut self) {
        for (Exports { path, form: asked, saves }, outcome) in self.state.export.writing.take() {
            match outcome {
                Ok(LabelsExported::Written { files, notes }) => {
                    notes.into_iter().for_each(|note| self.state.notes.add_of_case(Kind::Info, note));
                    self.say_saved(files.first().unwrap_or(&path));
                    let open = self.state.document.image.as_ref();
                    if let Some((_, revision)) =
                        saves.filter(|(of, _)| open.is_some_and(|open| open.ticket == *of))
                    {
                        self.state.document.annotation.saved(revision);
                    }
                    // The form has done its work, unless it asks for something else by now.
                    if self.state.export.form.take_if(|form| form.is_same(&asked)).is_some()
                        && self.state.page == Some(Page::Export)
                    {
                        self.state.page = None;
                    }
                }
                Ok(LabelsExported::Exists(files)) => {
                    match self.state.export.form.as_mut().filter(|form| form.is_same(&asked)) {
                        Some(form) => form.exists = files,
                        None => {
                            let name = files.first().unwrap_or(&path).display();
                            let text = format!("{name} exists already, so nothing was exported.");
                            self.state.notes.add(Kind::Warning, text);
                        }
                    }
                }
                Err(failure) => self.say_failure(failure),
            }
        }
    }
}
