//! Takes the states of cases that were read or recorded.

use super::Recording;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::data::cases::is_same_reader;
use crate::engine::Failure;
use crate::engine::jobs::{CaseRecorded, CasesRead};

impl HimixApp {
    /// Takes what has arrived.
    pub(in crate::app) fn take_cases(&mut self) {
        self.take_pair();
        self.take_readers();
        self.take_accepted();
        if let Some(outcome) = self.state.cases.reading.take() {
            let ticket = self.state.cases.reading.asked().copied();
            match (outcome, ticket) {
                (Ok(read), Some(ticket)) => self.take_states(ticket, read),
                (Ok(_), None) | (Err(Failure::Cancelled), _) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        for (Recording { list: ticket, accepted, goes_on }, outcome) in self.state.cases.recording.take() {
            match outcome {
                Ok(CaseRecorded { cases, note }) => {
                    let open = self.state.document.image.as_ref().map(|open| open.ticket);
                    if let Some((_, revision)) = accepted.filter(|(image, _)| Some(*image) == open) {
                        self.state.document.annotation.saved(revision);
                    }
                    note.into_iter().for_each(|note| self.state.notes.add(Kind::Warning, note));
                    let reader = self.state.settings.reader.as_deref().unwrap_or_default();
                    let list = self.state.worklist.as_mut().filter(|list| list.ticket == ticket);
                    if let Some(list) = list.filter(|_| is_same_reader(reader, &cases.reader)) {
                        list.states.take_own(&cases);
                        list.refresh();
                        let is_there = |place: &usize| list.current == Some(*place) && list.opening.is_none();
                        if let Some(place) = goes_on.filter(is_there) {
                            self.open_next_case(place);
                        }
                    }
                }
                Err(failure) => {
                    self.say_failure(failure);
                    self.state.worklist.iter_mut().for_each(|list| list.states.forget());
                    self.request_cases();
                }
            }
        }
    }

    fn take_states(&mut self, ticket: u64, read: CasesRead) {
        let CasesRead { store, ids, readers, notes } = read;
        let Some(list) = self.state.worklist.as_mut().filter(|list| list.ticket == ticket) else { return };
        self.state.cases.store = Some((ticket, store));
        list.states.take(ids, readers, self.state.settings.reader.as_deref());
        list.refresh();
        self.open_accepted();
        notes.into_iter().for_each(|note| self.state.notes.add(Kind::Warning, note));
    }
}
