//! Carries out the commands about cases.

use super::{CaseState, CasesCommand, Naming, Recording, Waiting, user_name};
use crate::app::HimixApp;
use crate::app::annotating::{AnnotateCommand, Looked};
use crate::app::keeping::Access;
use crate::app::notes::Kind;
use crate::app::state::State;
use crate::engine::MaskOf;
use crate::engine::jobs::{AcceptedMask, OpenAccepted, ReadCases, RecordCase};

impl State {
    /// Returns the index of the case of the list that is open, with the image displayed; the error says what to do.
    pub fn open_case(&self) -> Result<usize, &'static str> {
        let list = self.worklist.as_ref().ok_or("Open a folder first: its cases have states.")?;
        let current = list.current.filter(|_| list.opening.is_none());
        current.ok_or("Open a case of the worklist first.")
    }
}

impl HimixApp {
    /// Carries out a command.
    pub(in crate::app) fn apply_cases(&mut self, command: CasesCommand) {
        match command {
            CasesCommand::Accept | CasesCommand::Reject | CasesCommand::TakeBack => self.set_case(command),
            CasesCommand::Filter(state) => {
                if let Some(list) = &mut self.state.worklist {
                    list.states.filter = state;
                    list.refresh();
                }
            }
            CasesCommand::AskName => self.ask_name(None),
            CasesCommand::TypeName(name) => {
                if let Some(naming) = &mut self.state.cases.naming {
                    naming.name = name;
                }
            }
            CasesCommand::UseName => self.use_name(),
            CasesCommand::LeaveName => self.state.cases.naming = None,
            CasesCommand::Pair(command) => self.apply_pair(command),
            CasesCommand::Readers(command) => self.apply_readers(command),
            CasesCommand::SaveAgreement(path) => self.save_agreement(path),
        }
    }

    /// Sets the state of the open case and goes on to the next one, or asks for the reader's name before.
    fn set_case(&mut self, command: CasesCommand) {
        let place = match self.state.open_case() {
            Ok(place) => place,
            Err(reason) => return self.state.notes.add_of_case(Kind::Info, reason),
        };
        if self.state.settings.reader.is_none() {
            return self.ask_name(Some(Waiting::Command(command)));
        }
        match command {
            CasesCommand::Accept => {
                let mask = self.state.mask_to_accept();
                self.record_case(place, CaseState::Done, mask, true);
            }
            CasesCommand::Reject => self.record_case(place, CaseState::Rejected, None, true),
            _ => self.record_case(place, CaseState::ToDo, None, false),
        }
    }

    /// Requests the states of the cases of the list.
    pub(in crate::app) fn request_cases(&mut self) {
        let cases = &mut self.state.cases;
        let Some(list) = &self.state.worklist else { return };
        let (folder, settings) = (list.folder.clone(), cases.settings_folder.clone());
        let images = list.items.iter().map(|item| item.path.clone()).collect();
        let sent = self.engine.ask(&mut cases.reading, list.ticket, ReadCases { folder, settings, images });
        self.say_if_busy(sent);
    }

    /// Returns whether the states of the list are known, without which none can be recorded.
    fn knows_states(&self) -> bool {
        let list = self.state.worklist.as_ref().map(|list| list.ticket);
        list.is_some() && self.state.cases.store.as_ref().map(|(ticket, _)| *ticket) == list
    }

    /// Records the state of a case, and opens the next one once it was recorded if it `goes_on`.
    fn record_case(&mut self, place: usize, state: CaseState, mask: Option<AcceptedMask>, goes_on: bool) {
        if !self.knows_states() {
            let text = "The states of the cases are still being read. Try again in a moment.";
            return self.state.notes.add(Kind::Info, text);
        }
        let (Some(list), Some(reader)) = (&mut self.state.worklist, &self.state.settings.reader) else { return };
        let (Some((_, store)), Some(id)) = (&self.state.cases.store, list.states.id(place)) else { return };
        let job = RecordCase { store: store.clone(), reader: reader.clone(), id: id.to_owned(), state, mask };
        let document = &self.state.document;
        let accepted = job.mask.as_ref().and(document.image.as_ref());
        let accepted = accepted.map(|open| (open.ticket, document.annotation.revision()));
        let what = Recording { list: list.ticket, accepted, goes_on: goes_on.then_some(place) };
        let sent = self.engine.ask_beside(&mut self.state.cases.recording, what, job);
        if sent.is_ok() {
            // If it fails, the states are read again.
            list.states.set(place, state);
            list.refresh();
        }
        self.say_if_busy(sent);
    }

    /// Opens the next case of the list that is neither done nor rejected, after this one or else from the beginning.
    pub(super) fn open_next_case(&mut self, place: usize) {
        let Some(list) = &self.state.worklist else { return };
        match list.next_open(place) {
            Some(next) => self.open_item(next),
            None => self.state.notes.add(Kind::Info, "No other case of the list is left to do."),
        }
    }

    /// Asks for the reader's name in the list, for something that waits for it.
    fn ask_name(&mut self, waiting: Option<Waiting>) {
        let name = self.state.settings.reader.clone().unwrap_or_else(user_name);
        let naming = self.state.cases.naming.get_or_insert_with(|| Naming { name, waiting: Vec::new() });
        naming.waiting.extend(waiting);
        let tab = self.state.tab;
        if let Some(layout) = self.state.layouts.get_mut(tab) {
            layout.open(crate::app::pane::Pane::WORKLIST, true);
        }
    }

    /// Uses the name that was typed.
    fn use_name(&mut self) {
        let Some(naming) = self.state.cases.naming.take_if(|naming| !naming.name.trim().is_empty()) else {
            return;
        };
        self.state.settings.reader = Some(naming.name.trim().to_owned());
        // The states of the list become those of this reader.
        self.state.worklist.iter_mut().for_each(|list| list.states.forget());
        self.request_cases();
        for waiting in naming.waiting {
            match waiting {
                Waiting::Command(command) => self.apply_cases(command),
                Waiting::Edited(list, place) => {
                    if self.state.worklist.as_ref().is_some_and(|known| known.ticket == list) {
                        self.record_case(place, CaseState::Draft, None, false);
                    }
                }
            }
        }
    }

    /// Reads the mask that the reader accepted for the open case, so that it can be corrected, if nothing is drawn on it.
    pub(in crate::app) fn open_accepted(&mut self) {
        if self.state.keeping.is_opening() {
            return;
        }
        let (Ok(place), Some(open)) = (self.state.open_case(), &self.state.document.image) else { return };
        let known = self.state.worklist.as_ref().and_then(|list| list.states.entry(place));
        let Some(path) = known.and_then(|entry| entry.mask.clone()) else { return };
        let annotation = self.state.document.annotation.clone();
        if !annotation.is_blank() || self.state.keeping.read_only().is_some() {
            return;
        }
        let (image, volume) = (open.ticket, open.volume.clone());
        let reading = self.state.reading_of(&open.path).truth(self.state.settings.limit()).mask;
        let what = (image, annotation.revision());
        let job = OpenAccepted { path, volume, annotation, reading };
        let sent = self.engine.ask(&mut self.state.cases.accepted, what, job);
        self.say_if_busy(sent);
    }

    /// Goes on from the annotation that was kept of the open image: it was opened, and not edited.
    pub(in crate::app) fn follow_kept(&mut self) {
        let document = &self.state.document;
        let Some(open) = &document.image else { return };
        self.state.cases.followed = Some((open.ticket, document.annotation.revision()));
    }

    /// Shows the accepted mask of the open case as its annotation, unless something was drawn meanwhile.
    pub(super) fn take_accepted(&mut self) {
        let Some(outcome) = self.state.cases.accepted.take() else { return };
        let asked = self.state.cases.accepted.asked().copied();
        let edits = match outcome {
            Ok(edits) => edits,
            Err(failure) => return self.say_failure_of_case(failure),
        };
        let document = &self.state.document;
        let now = document.image.as_ref().map(|open| (open.ticket, document.annotation.revision()));
        if asked.is_none() || asked != now || edits.is_empty() {
            return;
        }
        if let Err(text) = self.apply_edits(&edits) {
            return self.state.notes.add_of_case(Kind::Error, text);
        }
        let annotation = &mut self.state.document.annotation;
        let revision = annotation.revision();
        annotation.saved(revision);
        self.state.cases.followed = asked.map(|(image, _)| (image, revision));
        self.apply_annotating(AnnotateCommand::Look(Looked::Annotation));
    }

    /// Makes a case a draft when its annotation is edited, and brings an accepted mask back with its case. It is called once
    /// a frame.
    pub(in crate::app) fn follow_edits(&mut self) {
        let document = &self.state.document;
        let Some(open) = &document.image else { return };
        let now = (open.ticket, document.annotation.revision());
        let before = self.state.cases.followed.replace(now);
        let is_another = before.is_none_or(|before| before.0 != now.0);
        if is_another {
            self.state.cases.wants_accepted = true;
        }
        // What was drawn before comes first.
        let is_settled = self.state.keeping.access().is_none_or(|access| *access != Access::Opening);
        if self.state.cases.wants_accepted && is_settled && self.knows_states() {
            self.state.cases.wants_accepted = false;
            self.open_accepted();
        }
        let is_changed = self.state.has_unsaved_annotation();
        if is_another || before == Some(now) || !is_changed {
            return;
        }
        let (Ok(place), Some(list)) = (self.state.open_case(), &self.state.worklist) else { return };
        if matches!(list.states.state(place), CaseState::Draft | CaseState::Rejected) {
            return;
        }
        let ticket = list.ticket;
        if self.state.settings.reader.is_some() {
            // Otherwise the next edit does it.
            if self.knows_states() {
                self.record_case(place, CaseState::Draft, None, false);
            }
        } else {
            let waiting = Waiting::Edited(ticket, place);
            let is_known = |naming: &Naming| naming.waiting.contains(&waiting);
            if !self.state.cases.naming.as_ref().is_some_and(is_known) {
                self.ask_name(Some(waiting));
            }
        }
    }
}

impl State {
    /// Returns the mask that is accepted with the open case: the annotation, or without one that of the displayed
    /// prediction. `None` without either, and for the prediction of a stack, which is of one slice only.
    fn mask_to_accept(&self) -> Option<AcceptedMask> {
        let open = self.document.image.as_ref()?;
        let annotation = &self.document.annotation;
        if annotation.labels().next().is_some() {
            return Some(AcceptedMask::Annotation(Box::new(annotation.clone()), open.volume.clone()));
        }
        // What is compared with another reader is a mask of somebody else.
        let shown = self.predicted_now().ok().filter(|_| open.volume.slices == 1)?;
        let mask = MaskOf::Prediction(shown.prediction.clone(), self.settings.threshold);
        Some(AcceptedMask::Image(mask.mask()))
    }
}
