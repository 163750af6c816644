//! The commands about sessions, and the answers of their jobs.

use std::path::PathBuf;

use super::{LeftBehind, SessionCommand};
use crate::app::HimixApp;
use crate::app::command::Command;
use crate::app::dialogs::DialogKind;
use crate::app::state::State;
use crate::app::text::{file_name, file_stem};
use crate::engine::jobs::{FindFiles, ReadSession, Remove, SaveSession};
use crate::engine::session::{EXTENSION, Part};

impl State {
    /// Returns the suggested name for a session or a table of variants, or the name of a file that is looked for.
    pub fn suggested_session_name(&self, kind: DialogKind) -> Option<String> {
        let image = || self.document.image.as_ref().map(|open| file_stem(&[&open.name], "")).unwrap_or_default();
        match kind {
            DialogKind::SaveSession => {
                let known = self.sessions.open.as_ref().and_then(|open| open.path.as_deref());
                let new = || match image().trim_end_matches('_') {
                    "" => format!("session.{EXTENSION}"),
                    image => format!("{image}.{EXTENSION}"),
                };
                Some(known.map_or_else(new, file_name))
            }
            DialogKind::SaveVariants => Some(format!("{}variants.csv", image())),
            DialogKind::FindFile(part) | DialogKind::FindFolder(part) => {
                let lost = self.sessions.lost().iter().find(|lost| lost.part == part);
                lost.map(|lost| file_name(&lost.path))
            }
            _ => None,
        }
    }
}

impl HimixApp {
    /// Carries out a command about sessions.
    pub(in crate::app) fn apply_session(&mut self, command: SessionCommand) {
        match command {
            SessionCommand::Open(path) => self.open_session(path),
            SessionCommand::Save(path) if self.state.sessions.saving.pending().is_some() => {
                self.state.sessions.next = Some(path);
            }
            SessionCommand::Save(path) => {
                let known = self.state.sessions.file.clone().filter(|file| file.path() == path);
                let job = SaveSession { path: path.clone(), known, session: self.state.session() };
                let sent = self.engine.ask(&mut self.state.sessions.saving, path, job);
                self.say_if_busy(sent);
            }
            SessionCommand::Show(path, located) => {
                let left = &mut self.state.sessions.left;
                if let Some(left) = left.iter_mut().find(|left| left.file.path == path) {
                    left.is_restored = true;
                    self.show_session(None, *located);
                } else {
                    self.state.settings.remember(&path);
                    self.show_session(Some(path), *located);
                }
            }
            SessionCommand::Found(part, path) => self.find_files(part, path),
            SessionCommand::Cancel => {
                self.state.sessions.opening.cancel();
                self.state.sessions.finding.cancel();
            }
            SessionCommand::LeaveOut(part) => {
                if let Some(open) = &mut self.state.sessions.open {
                    open.lost.retain(|lost| lost.part != part);
                    open.session.leave_out(part);
                }
                if part == Part::Image && self.state.document.image.is_none() {
                    self.state.failed = None;
                }
            }
            SessionCommand::Restore => {
                if let Some(left) = self.state.sessions.left.iter().find(|left| !left.is_restored) {
                    self.open_session(left.file.path.clone());
                }
            }
            SessionCommand::Discard => {
                if let Some(place) = self.state.sessions.left.iter().position(|left| !left.is_restored) {
                    self.discard(place);
                }
            }
            SessionCommand::SaveVariants(path) => {
                let Some(job) = self.state.variants_table(path.clone()) else { return };
                let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
                self.say_if_busy(sent);
            }
        }
    }

    fn open_session(&mut self, path: PathBuf) {
        let job = ReadSession::new(path.clone());
        let sent = self.engine.ask(&mut self.state.sessions.opening, path, job);
        self.say_if_busy(sent);
    }

    /// Deletes the sessions that were left behind and have been restored.
    pub(in crate::app) fn discard_restored(&mut self) {
        while let Some(place) = self.state.sessions.left.iter().position(|left| left.is_restored) {
            self.discard(place);
        }
    }

    fn discard(&mut self, place: usize) {
        let file = self.state.sessions.left.remove(place).file;
        let job = Remove { path: file.path.clone() };
        let sent = self.engine.ask_beside(&mut self.state.sessions.removing, file, job);
        self.say_if_busy(sent);
    }

    /// Looks for what the session lacks, after one file of a part was found.
    pub(super) fn find_files(&mut self, part: Part, to: PathBuf) {
        let sessions = &mut self.state.sessions;
        let Some(open) = &sessions.open else { return };
        let Some(lost) = open.lost.iter().find(|lost| lost.part == part) else { return };
        let parts: Vec<Part> = open.lost.iter().map(|lost| lost.part).collect();
        let (session, from) = (open.session.clone(), lost.path.clone());
        let job = FindFiles { session, parts: parts.clone(), from, to };
        let sent = self.engine.ask(&mut sessions.finding, parts, job);
        self.say_if_busy(sent);
    }

    /// Takes the answers.
    pub(in crate::app) fn take_sessions(&mut self) {
        let sessions = &mut self.state.sessions;
        if let (Some(outcome), Some(path)) = (sessions.opening.take(), sessions.opening.asked().cloned()) {
            match outcome {
                // As a command, so that the pins and the view before can be had back.
                Ok(located) => {
                    self.commands.push(Command::Session(SessionCommand::Show(path, Box::new(located))));
                }
                Err(failure) => self.say_failure(failure),
            }
        }
        let sessions = &mut self.state.sessions;
        if let (Some(outcome), Some(parts)) = (sessions.finding.take(), sessions.finding.asked().cloned()) {
            match outcome {
                Ok(located) => self.show_found(&parts, located),
                Err(failure) => self.say_failure(failure),
            }
        }
        if let Some(outcome) = self.state.sessions.saving.take() {
            match outcome {
                Ok(file) => {
                    self.say_saved(file.path());
                    self.state.sessions.file = Some(file);
                }
                Err(failure) => {
                    // Who saves it once more wants to replace it.
                    self.state.sessions.file = None;
                    self.say_failure(failure);
                }
            }
            let next = self.state.sessions.next.take();
            self.commands.extend(next.map(|path| Command::Session(SessionCommand::Save(path))));
        }
        for (_, outcome) in self.state.sessions.removing.take() {
            if let Err(failure) = outcome {
                self.say_failure(failure);
            }
        }
        if let Some(left) = self.recovery_file.take() {
            let left = left.into_iter().map(|(file, about)| LeftBehind { file, about, is_restored: false });
            self.state.sessions.left.extend(left);
        }
    }
}
