//! Closing the window with changes that were not saved.

use eframe::egui::{Context, ViewportCommand};

use super::KeptCommand;
use crate::app::HimixApp;
use crate::app::command::Command;

/// Whether the window is about to be closed with unsaved changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClosingUnsaved {
    /// It is not about to be closed.
    #[default]
    No,
    /// The user is asked.
    Asks,
    /// The window closes once the annotation is saved.
    AfterSaving,
    /// The window closes; the user was asked.
    Now,
}

impl crate::app::state::State {
    /// Returns whether the annotation has changes that are in no file, or that could not even be written to the journal.
    pub fn has_unsaved_annotation(&self) -> bool {
        let annotation = &self.document.annotation;
        let is_changed = annotation.is_dirty() && self.kept.is_changed_since_opened(annotation.revision());
        (is_changed && self.kept.read_only().is_none()) || self.kept.has_unwritten()
    }

    /// Returns whether closing the window would lose changes, because they could not be written.
    pub fn would_lose_changes(&self) -> bool {
        let is_unkept = matches!(self.kept.access(), Some(super::Access::Unkept));
        self.kept.has_unwritten() || (is_unkept && self.document.annotation.is_dirty())
    }
}

impl HimixApp {
    /// Keeps the window open until the user was asked what to do with unsaved changes.
    pub(in crate::app) fn guard_unsaved(&mut self, ctx: &Context) {
        let is_unsaved = self.state.has_unsaved_annotation();
        let kept = &mut self.state.kept;
        if kept.closing == ClosingUnsaved::AfterSaving && !is_unsaved && kept.is_written() {
            kept.closing = ClosingUnsaved::Now;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
        let is_asked = ctx.input(|input| input.viewport().close_requested());
        if is_asked && is_unsaved && kept.closing != ClosingUnsaved::Now {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            if kept.closing == ClosingUnsaved::No {
                kept.closing = ClosingUnsaved::Asks;
            }
        }
    }

    pub(super) fn answer_closing(&mut self, command: KeptCommand) {
        match command {
            KeptCommand::SaveAndClose => {
                self.state.kept.closing = ClosingUnsaved::AfterSaving;
                self.commands.push(Command::Kept(KeptCommand::Save));
            }
            KeptCommand::CloseAnyway => {
                self.state.kept.closing = ClosingUnsaved::Now;
                self.commands.push(Command::Quit);
            }
            _ => self.state.kept.closing = ClosingUnsaved::No,
        }
    }
}
