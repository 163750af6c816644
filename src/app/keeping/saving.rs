//! Saving an annotation in a file of its own, and opening such a file.

use std::path::PathBuf;

use super::{KeepCommand, Keeping, Saving};
use crate::annotate::journal::{EXTENSION, snapshot};
use crate::annotate::{Annotation, Edit};
use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::notes::{About, Kind};
use crate::app::state::State;
use crate::app::text::file_stem;
use crate::data::KnownFile;
use crate::engine::jobs::{AnnotationRead, AnnotationSaved, ReadAnnotation, SaveAnnotation};

impl State {
    /// Returns the suggested file name of the annotation: that of its file, or of its image.
    pub fn suggested_annotation_name(&self) -> Option<String> {
        let known = self.keeping.file().and_then(|path| path.file_name());
        if let Some(name) = known {
            return Some(name.to_string_lossy().into_owned());
        }
        let open = self.document.image.as_ref()?;
        Some(format!("{}.{EXTENSION}", file_stem(&[&open.name], "").trim_end_matches('_')))
    }

    /// Returns whether there is an annotation to save.
    pub fn can_save_annotation(&self) -> Result<(), &'static str> {
        if self.document.annotation.labels().next().is_none() && self.keeping.file().is_none() {
            return Err("Nothing is annotated yet.");
        }
        Ok(())
    }
}

impl Keeping {
    pub(super) fn forget_questions(&mut self) {
        self.changed_by_others = None;
        self.next = None;
        self.reading.cancel();
    }
}

impl HimixApp {
    /// Carries out a command about annotations and their files.
    pub(in crate::app) fn apply_keeping(&mut self, command: KeepCommand) {
        match command {
            KeepCommand::Save | KeepCommand::SaveAs(_) | KeepCommand::Replace
                if self.state.keeping.saving.pending().is_some() =>
            {
                self.state.keeping.next = Some(command);
            }
            KeepCommand::Save => match self.state.keeping.open.as_ref().and_then(|case| case.file.clone()) {
                Some(file) => self.save_annotation(file, false),
                None => self.commands.push(Command::OpenDialog(DialogKind::SaveAnnotation)),
            },
            KeepCommand::SaveAs(path) => {
                let known = self.state.keeping.open.as_ref().and_then(|case| case.file.clone());
                match known.filter(|file| file.path() == path) {
                    // The dialog has asked whether to replace the file, and not whether others have changed it.
                    Some(file) => self.save_annotation(file, false),
                    None => self.save_annotation(KnownFile::with_content(path, None), true),
                }
            }
            KeepCommand::Replace => {
                self.state.keeping.changed_by_others = None;
                if let Some(file) = self.state.keeping.open.as_ref().and_then(|case| case.file.clone()) {
                    self.save_annotation(file, true);
                }
            }
            KeepCommand::KeepTheirs => self.state.keeping.changed_by_others = None,
            KeepCommand::Open(path) => self.read_annotation(path),
            KeepCommand::TryAgain => {
                let Keeping { open, left, .. } = &mut self.state.keeping;
                open.iter_mut().chain(left).for_each(super::Case::try_again);
            }
            KeepCommand::SaveAndClose | KeepCommand::CloseAnyway | KeepCommand::StayOpen => {
                self.answer_closing(command);
            }
        }
    }

    fn save_annotation(&mut self, file: KnownFile, replaces: bool) {
        self.finish_stroke();
        let Some(case) = &self.state.keeping.open else { return };
        let Some(image) = case.identity.clone() else {
            let text = "The image is still being read. Save the annotation in a moment.";
            return self.state.notes.add_of_case(Kind::Warning, text);
        };
        let annotation = self.state.document.annotation.clone();
        let saving = Saving { image: case.image, revision: annotation.revision(), path: file.path().to_owned() };
        let job = SaveAnnotation { file, replaces, image, annotation };
        let sent = self.engine.ask(&mut self.state.keeping.saving, saving, job);
        self.say_if_busy(sent);
    }

    pub(super) fn take_saved_annotation(&mut self) {
        let Some(outcome) = self.state.keeping.saving.take() else { return };
        self.commands.extend(self.state.keeping.next.take().map(Command::Keep));
        let Some(Saving { image, revision, path }) = self.state.keeping.saving.asked() else { return };
        let (image, revision, path) = (*image, *revision, path.clone());
        let file = match outcome {
            Ok(AnnotationSaved::Written(file)) => file,
            Ok(AnnotationSaved::ChangedByOthers) => {
                self.state.keeping.changed_by_others = Some(path);
                return;
            }
            Err(failure) => return self.say_failure_of_case(failure),
        };
        self.say_saved(&path);
        let is_open = |case: &&mut super::Case| case.image == image;
        if let Some(case) = self.state.keeping.open.as_mut().filter(is_open) {
            let annotation = &mut self.state.document.annotation;
            annotation.saved(revision);
            case.file = Some(file);
            case.record_saved(annotation.revision() == revision);
        }
    }

    fn read_annotation(&mut self, path: PathBuf) {
        let jobs = &self.state.jobs;
        if jobs.image.pending().is_some() {
            self.state.keeping.to_open = Some((jobs.image.newest(), path));
            return;
        }
        let image = &self.state.document.image;
        if let Some(open) = image.as_ref().filter(|_| self.state.keeping.is_opening()) {
            self.state.keeping.to_open = Some((open.ticket, path));
            return;
        }
        let Some(open) = image else {
            let text = format!("Open the image before its annotation. File: {}", path.display());
            return self.state.notes.add(Kind::Warning, text);
        };
        let shape = self.state.document.annotation.shape();
        let limit = self.state.settings.limit();
        let job = ReadAnnotation { path: path.clone(), shape, limit };
        let sent = self.engine.ask(&mut self.state.keeping.reading, (open.ticket, path), job);
        self.say_if_busy(sent);
    }

    pub(super) fn take_read_annotation(&mut self) {
        let Some(outcome) = self.state.keeping.reading.take() else { return };
        let asked = self.state.keeping.reading.asked().map(|(image, _)| *image);
        let is_open = self.state.document.image.as_ref().is_some_and(|open| Some(open.ticket) == asked);
        match outcome {
            Ok(read) if is_open => self.show_read_annotation(read),
            Ok(_) => {}
            Err(failure) => self.say_failure_of_case(failure),
        }
    }

    fn show_read_annotation(&mut self, read: AnnotationRead) {
        let AnnotationRead { header, annotation, file, is_damaged } = read;
        let identity = self.state.keeping.open.as_ref().and_then(|case| case.identity.as_ref());
        if identity.is_some_and(|image| image.header(None).content != header.content) {
            let text = format!("The annotation was made on another image of the same size: {}.", header.image);
            self.state.notes.note(About::Image, text);
        }
        if is_damaged {
            let text = "The file of the annotation is damaged. What comes before the damage is shown.";
            self.state.notes.note(About::Image, text);
        }
        self.annotate("opening of an annotation", Ok(replacing(&self.state.document.annotation, &annotation)));
        // The labels may be those that were there already, so that nothing was changed.
        let now = &mut self.state.document.annotation;
        if let (Some(case), Some(file), false) = (self.state.keeping.open.as_mut(), file, is_damaged) {
            now.saved(now.revision());
            case.file = Some(KnownFile::with_content(file.path, Some(file.content)));
            case.record_saved(true);
        }
    }
}

/// The edits that put one annotation in the place of another.
fn replacing(old: &Annotation, new: &Annotation) -> Vec<Edit> {
    let mut edits = Vec::new();
    for (id, label) in old.labels() {
        edits.extend(old.slices(id).filter_map(|slice| old.cleared(id, slice)));
        edits.push(Edit::Label { id, before: Some(label.clone()), after: None });
    }
    edits.extend(snapshot(new).flatten());
    edits
}
