//! The states of the cases of a list.

use std::collections::HashMap;

use super::CaseState;
use crate::data::cases::{CaseEntry, ReaderCases, is_same_reader};

/// The states of the cases of a list, by the index of the case.
#[derive(Clone, Debug, Default)]
pub struct CaseStates {
    /// The identifiers of the cases; empty until the states were read.
    ids: Vec<String>,
    /// What the reader did.
    own: HashMap<usize, CaseEntry>,
    /// What other readers did, with their names.
    others: HashMap<usize, Vec<(String, CaseState)>>,
    /// The names of all readers who did something here.
    readers: Vec<String>,
    /// The state to which the list is reduced.
    pub filter: Option<CaseState>,
}

impl CaseStates {
    /// Returns the state of a case for the reader.
    pub fn state(&self, place: usize) -> CaseState {
        self.own.get(&place).map_or(CaseState::ToDo, |entry| entry.state)
    }

    /// Returns what the reader did with a case; `None` if nothing.
    pub fn entry(&self, place: usize) -> Option<&CaseEntry> {
        self.own.get(&place)
    }

    /// Returns the names of other readers who worked on a case, with its state for them.
    pub fn others(&self, place: usize) -> &[(String, CaseState)] {
        self.others.get(&place).map_or(&[], Vec::as_slice)
    }

    /// Returns the names of all readers who worked on the cases.
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// Returns the identifier of a case; `None` until the states were read.
    pub fn id(&self, place: usize) -> Option<&str> {
        self.ids.get(place).map(String::as_str)
    }

    /// Returns the index of the case with this identifier.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.ids.iter().position(|known| known == id)
    }

    /// Returns the numbers of the cases in each state, in the order of [`CaseState::ALL`], of `count` cases.
    pub fn counts(&self, count: usize) -> [usize; 4] {
        let mut counts =
            CaseState::ALL.map(|state| self.own.values().filter(|entry| entry.state == state).count());
        counts[0] = count.saturating_sub(counts[1..].iter().sum());
        counts
    }

    /// Sets the state of a case that is being recorded.
    pub fn set(&mut self, place: usize, state: CaseState) {
        let entry = self.own.entry(place);
        let entry = entry.or_insert_with(|| CaseEntry { state, at: String::new(), mask: None });
        entry.state = state;
    }

    /// Forgets what the reader did, because it is somebody else now.
    pub fn forget(&mut self) {
        self.own.clear();
        self.others.clear();
    }

    /// Takes what all readers did; `reader` is the one at this window.
    pub fn take(&mut self, ids: Vec<String>, readers: Vec<ReaderCases>, reader: Option<&str>) {
        self.ids = ids;
        self.others.clear();
        self.readers = readers.iter().map(|known| known.reader.clone()).collect();
        for known in readers {
            if reader.is_some_and(|reader| is_same_reader(reader, &known.reader)) {
                self.take_own(&known);
                continue;
            }
            for (place, id) in self.ids.iter().enumerate() {
                if let Some(entry) = known.cases.get(id).filter(|entry| entry.state != CaseState::ToDo) {
                    self.others.entry(place).or_default().push((known.reader.clone(), entry.state));
                }
            }
        }
    }

    /// Takes what the reader did. An entry that is known to be newer stays.
    pub fn take_own(&mut self, cases: &ReaderCases) {
        if !self.readers.iter().any(|known| is_same_reader(known, &cases.reader)) {
            self.readers.push(cases.reader.clone());
        }
        for (place, id) in self.ids.iter().enumerate() {
            if let Some(entry) = cases.cases.get(id)
                && self.own.get(&place).is_none_or(|known| known.at <= entry.at)
            {
                self.own.insert(place, entry.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(reader: &str, entries: &[(&str, CaseState, &str)]) -> ReaderCases {
        let entry = |(id, state, at): &(&str, CaseState, &str)| {
            ((*id).to_owned(), CaseEntry { state: *state, at: (*at).to_owned(), mask: None })
        };
        ReaderCases { reader: reader.into(), cases: entries.iter().map(entry).collect() }
    }

    #[test]
    fn states_are_those_of_the_reader() {
        let mut states = CaseStates::default();
        let ids = || ["a", "b", "c"].map(String::from).to_vec();
        let readers = || {
            vec![
                cases("Anna", &[("a", CaseState::Done, "2"), ("gone", CaseState::Done, "2")]),
                cases("Bob", &[("a", CaseState::Rejected, "1"), ("b", CaseState::ToDo, "1")]),
            ]
        };
        states.take(ids(), readers(), None);
        assert_eq!((states.counts(3), states.others(0).len(), states.readers().len()), ([3, 0, 0, 0], 2, 2));
        states.take(ids(), readers(), Some("anna"));
        assert_eq!((states.state(0), states.counts(3)), (CaseState::Done, [2, 0, 1, 0]));
        assert_eq!(states.others(0), [("Bob".to_owned(), CaseState::Rejected)]);
        assert!(states.others(1).is_empty(), "to do is no work");
        // What was recorded meanwhile is newer than what was read.
        states.take_own(&cases("Anna", &[("a", CaseState::Draft, "3")]));
        states.take(ids(), readers(), Some("Anna"));
        assert_eq!(states.state(0), CaseState::Draft);
        states.set(1, CaseState::Rejected);
        assert_eq!((states.counts(3), states.place("c"), states.id(5)), ([1, 1, 0, 1], Some(2), None));
        states.forget();
        assert_eq!(states.counts(3), [3, 0, 0, 0]);
    }
}
