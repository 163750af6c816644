//! The agreement of two readers: their scores by case, and their differences in the picture.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::readers_table::Difference;
use super::{Column, ReadersCommand};
use crate::analysis::agreement::{Agreement, CaseAgreement};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::{Shown, State};
use crate::data::TruthReading;
use crate::engine::jobs::{CompareReaders, MaskAsPrediction, OpenTruth, SaveAgreement, TruthOpened};
use crate::engine::{Counts, Ticket};
use crate::infer::Prediction;
use crate::render::ProbabilityLayer;

impl State {
    /// Returns the names of the readers to compare; the error says why there are none.
    pub fn compared_readers(&self) -> Result<[String; 2], &'static str> {
        let list = self.worklist.as_ref().ok_or("Open a folder in which two readers have accepted masks.")?;
        let known = list.states.readers();
        let by_default = |place: usize| known.get(place).cloned();
        let chosen = |place: usize| {
            self.cases.readers.chosen[place]
                .clone()
                .filter(|name| known.contains(name))
                .or_else(|| by_default(place))
        };
        match (chosen(0), chosen(1)) {
            (Some(first), Some(second)) if first != second => Ok([first, second]),
            (Some(_), Some(_)) => Err("Choose two different readers."),
            _ => Err("Two readers have to accept masks of this folder first."),
        }
    }

    /// Returns the agreement of readers that was found for this list.
    pub fn agreement(&self) -> Option<&Arc<Agreement>> {
        let ticket = self.worklist.as_ref()?.ticket;
        self.cases.readers.found.as_ref().filter(|(of, _)| *of == ticket).map(|(_, found)| found)
    }

    /// Returns the places of the rows of the table in the order in which they are shown. Values that are not defined come
    /// last.
    pub fn agreement_order(&self, agreement: &Agreement) -> Vec<usize> {
        let (column, is_reversed) = self.cases.readers.sorted;
        let value = |case: &CaseAgreement| match column {
            Column::Case => None,
            Column::Dice => Some(case.counts.dice()),
            Column::Kappa => case.counts.kappa(),
            // The greatest distance is the worst agreement.
            Column::Hd95 => case.hd95.map(|distance| -distance),
        };
        let mut order: Vec<usize> = (0..agreement.cases.len()).collect();
        order.sort_by(|a, b| match [a, b].map(|place| value(&agreement.cases[*place])) {
            [Some(a), Some(b)] if is_reversed => b.total_cmp(&a),
            [Some(a), Some(b)] => a.total_cmp(&b),
            [a, b] => b.is_some().cmp(&a.is_some()),
        });
        if column == Column::Case && is_reversed {
            order.reverse();
        }
        order
    }

    /// Returns the names of the readers whose masks the picture compares; the first is the reference.
    pub fn shown_readers(&self) -> Option<&[String; 2]> {
        let open = self.document.image.as_ref()?;
        self.cases
            .readers
            .difference
            .as_ref()
            .filter(|shown| shown.image == open.ticket)
            .map(|shown| &shown.readers)
    }
}

impl HimixApp {
    /// Carries out a command about readers.
    pub(super) fn apply_readers(&mut self, command: ReadersCommand) {
        let readers = &mut self.state.cases.readers;
        match command {
            ReadersCommand::Choose(place, name) => {
                if let Some(chosen) = readers.chosen.get_mut(place) {
                    *chosen = Some(name);
                }
            }
            ReadersCommand::Compare => self.compare_readers(),
            ReadersCommand::Cancel => readers.comparing.cancel(),
            ReadersCommand::Sort(column) => {
                let is_again = readers.sorted.0 == column;
                readers.sorted = (column, is_again && !readers.sorted.1);
            }
            ReadersCommand::Show(place) => self.show_difference(place),
            ReadersCommand::EndDifference => self.end_difference(),
        }
    }

    fn compare_readers(&mut self) {
        let readers = match self.state.compared_readers() {
            Ok(readers) => readers,
            Err(reason) => return self.state.notes.add(Kind::Info, reason),
        };
        let Some((ticket, store)) = self.state.cases.store.clone() else { return };
        let job = CompareReaders { store, readers, limit: self.state.settings.limit() };
        let sent = self.engine.ask(&mut self.state.cases.readers.comparing, ticket, job);
        self.say_if_busy(sent);
    }

    /// Opens a case of the table. The first reader's mask becomes the ground truth.
    fn show_difference(&mut self, place: usize) {
        let Some((agreement, list)) = self.state.agreement().cloned().zip(self.state.worklist.as_ref()) else {
            return;
        };
        let Some(case) = agreement.cases.get(place) else { return };
        let Some(place) = list.states.place(&case.case) else {
            let text = format!("{} is not in the list. Open the folder again.", case.case);
            return self.state.notes.add(Kind::Info, text);
        };
        let is_open = list.current == Some(place) && list.opening.is_none();
        let open = self.state.document.image.as_ref().map(|open| open.ticket).filter(|_| is_open);
        let image = match open {
            Some(ticket) => Some(ticket),
            None => {
                self.open_item(place);
                self.state.worklist.as_ref().and_then(|list| list.opening)
            }
        };
        let Some(image) = image else { return };
        let [first, second] = case.masks.clone();
        let difference = Difference { readers: agreement.readers.clone(), image, second: None };
        self.state.cases.readers.difference = Some(difference);
        self.open_truth(vec![first]);
        let job = OpenTruth { paths: vec![second], image, reading: Box::new(TruthReading::default()) };
        let sent = self.engine.ask(&mut self.state.cases.readers.opening, image, job);
        self.say_if_busy(sent);
    }

    /// Shows masks of the network again. The ground truth stays.
    pub(in crate::app) fn end_difference(&mut self) {
        if self.state.cases.readers.difference.take().is_some() {
            self.state.shown = None;
            self.request_prediction();
        }
    }

    /// Requests the second reader's mask of the slice that is shown in place of a prediction. Returns whether the picture
    /// shows readers. `ticket` is the number of the request.
    pub(in crate::app) fn request_difference(&mut self, ticket: Ticket) -> bool {
        let state = &mut self.state;
        let Some(open) = &state.document.image else { return false };
        let Some(shown) = state.cases.readers.difference.as_ref().filter(|shown| shown.image == open.ticket)
        else {
            return false;
        };
        match shown.second.as_ref().and_then(|second| second.mask(open.slice)) {
            Some(mask) => {
                let job = MaskAsPrediction { mask, truth: state.truth_mask() };
                let sent = self.engine.ask(&mut state.cases.readers.preparing, ticket, job);
                self.say_if_busy(sent);
            }
            None => state.shown = None,
        }
        true
    }

    /// Takes what has arrived about readers.
    pub(super) fn take_readers(&mut self) {
        let readers = &mut self.state.cases.readers;
        if let Some(outcome) = readers.comparing.take() {
            match (outcome, readers.comparing.asked().copied()) {
                (Ok(found), Some(list)) => {
                    for note in &found.notes {
                        self.state.notes.add(Kind::Warning, note.clone());
                    }
                    for (case, reason) in &found.failed {
                        let text = format!("{case} is left out of the comparison: {reason}");
                        self.state.notes.add(Kind::Warning, text);
                    }
                    self.state.cases.readers.found = Some((list, Arc::new(found)));
                }
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
        self.take_second_mask();
        let preparing = &mut self.state.cases.readers.preparing;
        if let Some(outcome) = preparing.take() {
            match (outcome, preparing.asked().copied()) {
                (Ok((prediction, counts)), Some(ticket)) => self.show_second_mask(ticket, prediction, counts),
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure_of_case(failure),
            }
        }
    }

    fn take_second_mask(&mut self) {
        // It waits for its image, as a ground truth does.
        if self.state.jobs.image.pending().is_some() {
            return;
        }
        let opening = &mut self.state.cases.readers.opening;
        let Some(outcome) = opening.take() else { return };
        let image = opening.asked().copied();
        match outcome {
            Ok(TruthOpened::Laid(truth)) => {
                let shown =
                    self.state.cases.readers.difference.as_mut().filter(|shown| Some(shown.image) == image);
                if let Some(shown) = shown {
                    shown.second = Some(Arc::new(*truth));
                    self.request_prediction();
                }
            }
            Ok(TruthOpened::Asked(question)) => self.state.notes.add_of_case(Kind::Error, question.message),
            Err(failure) => self.say_failure_of_case(failure),
        }
    }

    fn show_second_mask(&mut self, ticket: Ticket, prediction: Arc<Prediction>, counts: Counts) {
        if self.state.shown_readers().is_none() || ticket != self.state.jobs.prediction.newest() {
            return;
        }
        let grid = &prediction.probability_model;
        let layer = ProbabilityLayer {
            key: ticket,
            size: [grid.width, grid.height],
            values: Arc::new(grid.values.clone()),
        };
        let is_counted = self.state.truth_mask().is_none_or(|(truth, _)| counts.truth == Some(truth));
        self.state.shown = Some(Shown { ticket, since: Instant::now(), prediction, counts, layer, misread: None });
        if !is_counted {
            self.score_shown();
        }
    }

    /// Writes the agreement as a table.
    pub(super) fn save_agreement(&mut self, path: PathBuf) {
        let Some(agreement) = self.state.agreement().cloned() else { return };
        let job = SaveAgreement { path: path.clone(), agreement };
        let sent = self.engine.ask_beside(&mut self.state.jobs.saving, path, job);
        self.say_if_busy(sent);
    }
}

#[cfg(test)]
mod tests {
    use super::super::readers_table::Difference;
    use crate::app::fixture::{opened, predict};

    #[test]
    fn the_mask_of_a_reader_is_no_prediction() {
        let mut state = opened();
        assert_eq!(state.predicted_now().err(), Some("There is no mask yet. Type a prompt first."));
        predict(&mut state);
        assert!(state.predicted().is_some() && state.predicted_now().is_ok());
        assert!(state.can_export() && state.measured_of().is_some());
        let readers = ["Anna".to_owned(), "Bob".to_owned()];
        state.cases.readers.difference = Some(Difference { readers, image: 1, second: None });
        assert!(state.shown.is_some() && state.predicted().is_none());
        assert!(state.predicted_now().err().is_some_and(|reason| reason.contains("two readers")));
        assert!(!state.can_export() && state.measured_of().is_none());
        assert!(state.pair_source().is_err());
    }
}
