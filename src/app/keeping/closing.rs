//! Closing the window with changes that were not saved.

use eframe::egui::{Context, ViewportCommand};

use super::{ClosingUnsaved, KeepCommand};
use crate::app::HimixApp;
use crate::app::command::Command;

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

impl HimixApp {
    /// Keeps the window open until the user was asked what to do with unsaved changes.
    pub(in crate::app) fn guard_unsaved(&mut self, ctx: &Context) {
        let is_unsaved = self.state.has_unsaved_annotation();
        let keeping = &mut self.state.keeping;
        if keeping.closing == ClosingUnsaved::AfterSaving && !is_unsaved && keeping.is_written() {
            keeping.closing = ClosingUnsaved::Now;
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
