//! Opening, keeping and closing the annotation of a case.

use std::time::{Duration, Instant};

use eframe::egui::Context;

use super::case::{Case, Happened};
use super::merge::merged;
use super::{KeepCommand, Keeping};
use crate::annotate::Annotation;
use crate::annotate::journal::{Refusal, Replayed};
use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::notes::{About, Kind};
use crate::app::text::file_name;
use crate::data::KnownFile;
use crate::engine::jobs::CaseOpened;

/// How often it is looked whether the last changes are written when the window is closed.
const STEP: Duration = Duration::from_millis(2);

impl HimixApp {
    /// Begins to keep the annotation of the image that was just opened.
    pub(in crate::app) fn enter_annotation(&mut self) {
        let Some(open) = &self.state.document.image else { return };
        let shape = self.state.document.annotation.shape();
        self.state.keeping.open = Some(Case::new(open.ticket, open.name.clone(), open.source.clone(), shape));
        self.proceed_with_annotations();
    }

    /// Closes the annotation of the image that is about to be closed. What is not written yet is written afterwards.
    pub(in crate::app) fn leave_annotation(&mut self) {
        self.state.keeping.forget_questions();
        let Some(mut case) = self.state.keeping.open.take() else { return };
        if case.close(self.state.document.annotation.clone()) {
            self.state.keeping.left.push(case);
            self.proceed_with_annotations();
        }
    }

    /// Closes the annotation because the window is closed, and waits until what was not written is, but no longer than
    /// `patience`.
    pub(in crate::app) fn finish_annotations(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        self.leave_annotation();
        self.state.keeping.left.iter_mut().for_each(Case::try_again);
        // One append may be on its way; what came after it follows.
        while !self.state.keeping.left.is_empty() && Instant::now() < deadline {
            self.proceed_with_annotations();
            std::thread::sleep(STEP);
        }
        if !self.state.keeping.left.is_empty() {
            tracing::error!("the last changes of an annotation could not be written");
        }
    }

    /// Keeps the annotations: takes the answers of the threads, and sends what was changed.
    pub(in crate::app) fn keep_annotations(&mut self, ctx: &Context) {
        self.proceed_with_annotations();
        self.take_saved_annotation();
        self.take_read_annotation();
        if !self.commands.is_empty() {
            // They are carried out in the next frame.
            ctx.request_repaint();
        }
        if let Some(rest) = self.state.keeping.until_next_try() {
            ctx.request_repaint_after(rest);
        }
    }

    fn proceed_with_annotations(&mut self) {
        let Keeping { open, left, .. } = &mut self.state.keeping;
        let closed = left.iter_mut().flat_map(|case| {
            let name = case.name.clone();
            case.take_answers().into_iter().map(move |happened| (name.clone(), happened))
        });
        let closed: Vec<(String, Happened)> = closed.collect();
        left.retain(|case| !case.is_done());
        let events: Vec<Happened> = open.iter_mut().flat_map(Case::take_answers).collect();
        closed.into_iter().for_each(|(name, happened)| self.tell_of_closed(&name, happened));
        events.into_iter().for_each(|happened| self.take_happened(happened));

        // The closed cases come first: the storage thread gives up their locks before it opens another one.
        let Keeping { folder, open, left, .. } = &mut self.state.keeping;
        let live = &self.state.document.annotation;
        left.iter_mut().chain(open).for_each(|case| case.ask(&self.engine, folder.as_deref(), live));

        // What was accepted with the case counts only where nothing was kept of it.
        let is_opening = self.state.keeping.is_opening();
        if std::mem::replace(&mut self.state.keeping.was_opening, is_opening) && !is_opening {
            self.open_accepted();
            let image = self.state.document.image.as_ref().map(|open| open.ticket);
            let file = self.state.keeping.to_open.take_if(|(of, _)| Some(*of) == image);
            self.commands.extend(file.map(|(_, path)| Command::Keep(KeepCommand::Open(path))));
        }
    }

    fn tell_of_closed(&mut self, name: &str, happened: Happened) {
        let (kind, text) = match happened {
            Happened::Failed(reason) => {
                let text = format!(
                    "The last changes of the annotation of {name} could not be written: {reason}. HiMix keeps them in memory and tries \
                     again; do not close the window before."
                );
                (Kind::Error, text)
            }
            Happened::Recovered => {
                (Kind::Info, format!("The last changes of the annotation of {name} are written now."))
            }
            Happened::KeptAside(path) => (Kind::Warning, aside(&file_name(&path))),
            Happened::Identified | Happened::HeldHere | Happened::Opened(_) | Happened::Followed(_) => return,
        };
        self.state.notes.add(kind, text);
    }

    fn take_happened(&mut self, happened: Happened) {
        match happened {
            Happened::Identified | Happened::HeldHere => self.take_over_unwritten(),
            Happened::Opened(opened) => self.take_opened_annotation(*opened),
            Happened::Followed(opened) => self.follow_annotation(*opened),
            Happened::KeptAside(path) => self.state.notes.note(About::Image, aside(&file_name(&path))),
            Happened::Failed(reason) => {
                let text = format!(
                    "The annotation could not be written: {reason}. HiMix keeps your changes in memory and tries again every few seconds."
                );
                self.state.notes.add_of_case(Kind::Error, text);
            }
            Happened::Recovered => {
                self.state.notes.add_of_case(Kind::Info, "All changes of the annotation are written now.");
            }
        }
    }

    /// If the case was open before and its last changes could not be written, goes on with them.
    fn take_over_unwritten(&mut self) {
        let Keeping { open, left, .. } = &mut self.state.keeping;
        let Some(case) = open.as_mut() else { return };
        let Some(image) = case.identity.as_ref() else { return };
        let Some(place) = left.iter().position(|left| left.has_unwritten_of(image)) else { return };
        let (again, last) = left.remove(place).opened_again(case.image);
        *case = again;
        let drawn = self.show_annotation(last);
        self.merge_drawn(&drawn);
    }

    fn take_opened_annotation(&mut self, opened: CaseOpened) {
        let CaseOpened { journal, content, aside: kept_aside, former } = opened;
        if let Some(path) = kept_aside {
            self.state.notes.note(About::Image, aside(&path.display().to_string()));
        }
        if let Some(path) = former.filter(|_| content.is_none()) {
            let text = format!(
                "Another image was in this place when it was annotated. Its annotation is kept and not shown; “Open saved annotation…” opens it if \
                 the size is the same: {}",
                path.display()
            );
            self.state.notes.note(About::Image, text);
        }
        let Some(content) = content else { return };
        if journal.is_ok() && content.steps_since_closed > 0 {
            let text = "The annotation of this image was restored, because HiMix ended without closing it.";
            self.state.notes.add_of_case(Kind::Warning, text);
        }
        let drawn = self.show_kept(content);
        if !matches!(journal, Err(Refusal::InUse(_) | Refusal::Newer(_))) {
            self.merge_drawn(&drawn);
        }
    }

    /// Shows what another window made of the annotation.
    fn follow_annotation(&mut self, opened: CaseOpened) {
        if opened.journal.is_ok() {
            let text = "The other window has closed this image. Its annotation can be changed here now.";
            self.state.notes.add_of_case(Kind::Info, text);
        }
        if let Some(content) = opened.content {
            self.show_kept(content);
        }
    }

    /// Shows the content of a journal, and returns what was shown before.
    fn show_kept(&mut self, content: Replayed) -> Annotation {
        let Replayed { annotation, file, .. } = content;
        if let Some(case) = &mut self.state.keeping.open {
            case.file = file.map(|file| KnownFile::with_content(file.path, Some(file.content)));
            case.forget_records();
            case.entered = annotation.revision();
        }
        let drawn = self.show_annotation(annotation);
        self.follow_kept();
        drawn
    }

    /// Shows another annotation of the image, and returns the former one.
    fn show_annotation(&mut self, annotation: Annotation) -> Annotation {
        self.finish_stroke();
        self.forget_annotation_steps();
        let drawn = std::mem::replace(&mut self.state.document.annotation, annotation);
        self.state.annotating.take_annotation(&self.state.document.annotation);
        drawn
    }

    /// Adds what was drawn before the annotation of the image was there.
    fn merge_drawn(&mut self, drawn: &Annotation) {
        let (_, edits) = merged(&self.state.document.annotation, drawn);
        self.annotate("first strokes", Ok(edits));
    }
}

fn aside(path: &str) -> String {
    format!(
        "The record of the annotation was damaged or changed by another program. It was kept as it was: {path}"
    )
}

impl Keeping {
    /// Returns whether a revision of the annotation of the open case was made in this window.
    pub(super) fn is_changed_since_opened(&self, revision: u64) -> bool {
        self.open.as_ref().is_some_and(|case| case.entered != revision)
    }

    /// Returns whether changes would be lost if the program ended now.
    pub(super) fn has_unwritten(&self) -> bool {
        self.open.iter().chain(&self.left).any(|case| case.failing().is_some())
    }
}
