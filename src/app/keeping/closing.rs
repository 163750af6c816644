//! Closing the window with changes that were not saved.

use eframe::egui::{Context, ViewportCommand};

use super::{ClosingUnsaved, KeepCommand};
use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;

impl crate::app::state::State {
    /// Returns whether the annotation has changes that are in no file, or that could not even be written to the journal.
    pub fn has_unsaved_annotation(&self) -> bool {
        let annotation = &self.document.annotation;
        let is_changed = annotation.is_dirty() && self.keeping.is_changed_since_opened(annotation.revision());
        (is_changed && self.keeping.read_only().is_none()) || self.keeping.has_unwritten()
    }

    /// Returns whether closing the window would lose changes, because they could not be written.
    pub fn would_lose_changes(&self) -> bool {
        let is_unkept = matches!(self.keeping.access(), Some(super::Access::Unkept));
        self.keeping.has_unwritten() || (is_unkept && self.document.annotation.is_dirty())
    }
}

impl ClosingUnsaved {
    /// Returns what becomes of it in a frame: what was to be saved first is saved and written, or is not going to be, so
    /// that the next attempt to close asks again.
    fn next(self, is_unsaved: bool, is_written: bool, is_saving: bool) -> Self {
        match self {
            Self::AfterSaving if !is_unsaved && is_written => Self::Now,
            Self::AfterSaving if is_unsaved && !is_saving => Self::No,
            other => other,
        }
    }
}

impl HimixApp {
    /// Returns whether the annotation is being saved, or the user is choosing where.
    fn is_saving(&self) -> bool {
        let keeping = &self.state.keeping;
        let is_about_saving = |command: &Command| {
            use KeepCommand::{Replace, Save, SaveAs};
            matches!(
                command,
                Command::Keep(Save | SaveAs(_) | Replace) | Command::OpenDialog(DialogKind::SaveAnnotation)
            )
        };
        keeping.saving.pending().is_some()
            || keeping.next.is_some()
            || self.dialogs.open() == Some(DialogKind::SaveAnnotation)
            || self.commands.iter().any(is_about_saving)
    }

    /// Keeps the window open until the user was asked what to do with unsaved changes.
    pub(in crate::app) fn guard_unsaved(&mut self, ctx: &Context) {
        let (is_unsaved, is_saving) = (self.state.has_unsaved_annotation(), self.is_saving());
        let keeping = &mut self.state.keeping;
        let before = keeping.closing;
        keeping.closing = before.next(is_unsaved, keeping.is_written(), is_saving);
        if before == ClosingUnsaved::AfterSaving && keeping.closing == ClosingUnsaved::Now {
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        let is_asked = ctx.input(|input| input.viewport().close_requested());
        if is_asked && is_unsaved && keeping.closing != ClosingUnsaved::Now {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            // A save that failed does not keep the window open for ever.
            if keeping.saving.pending().is_none() {
                keeping.closing = ClosingUnsaved::Asks;
            }
        }
    }

    pub(super) fn answer_closing(&mut self, command: KeepCommand) {
        match command {
            KeepCommand::SaveAndClose => {
                self.state.keeping.closing = ClosingUnsaved::AfterSaving;
                self.commands.push(Command::Keep(KeepCommand::Save));
            }
            KeepCommand::CloseAnyway => {
                self.state.keeping.closing = ClosingUnsaved::Now;
                self.commands.push(Command::Quit);
            }
            _ => self.state.keeping.closing = ClosingUnsaved::No,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ClosingUnsaved::{AfterSaving, Asks, No, Now};

    #[test]
    fn the_window_closes_after_saving_and_not_after_a_save_that_did_not_happen() {
        let next = |is_unsaved, is_written, is_saving| AfterSaving.next(is_unsaved, is_written, is_saving);
        assert_eq!(next(true, false, true), AfterSaving, "the file is being written, or its place chosen");
        assert_eq!(next(false, false, false), AfterSaving, "the journal is still to know it");
        assert_eq!(next(false, true, false), Now);
        // It failed, its dialog was cancelled or never shown, the image was not read yet, or something was drawn
        // meanwhile.
        assert_eq!((next(true, true, false), next(true, false, false)), (No, No));
        for other in [No, Asks, Now] {
            assert_eq!((other.next(true, true, false), other.next(false, true, false)), (other, other));
        }
    }
}
