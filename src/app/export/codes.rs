//! The user's own list of segment codes.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Form, SegmentCodes};
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::State;
use crate::data::seg::Codes;
use crate::engine::jobs::ReadCodes;

impl State {
    /// Returns the reason why segments cannot be coded now, as a sentence; `None` if they can. The list of the program does
    /// not silently take the place of the user's.
    pub fn codes_refusal(&self) -> Option<&'static str> {
        let codes = &self.export.codes;
        if codes.reading.pending().is_some() {
            Some("The list of segment codes is being read.")
        } else if codes.failed.is_some() {
            Some("The list of segment codes cannot be used. Choose another one, or that of the program.")
        } else {
            None
        }
    }
}

impl HimixApp {
    /// Uses a list of the user; `None` uses that of the program.
    pub(super) fn use_codes(&mut self, path: Option<PathBuf>) {
        self.state.settings.segment_codes = path;
        if self.state.settings.segment_codes.is_some() {
            return self.read_codes();
        }
        self.state.export.codes.reading.cancel();
        self.state.export.codes.failed = None;
        self.replace_codes(Codes::built_in());
    }

    /// Reads the list of the user, if there is one. It may have been changed since it was read last.
    pub(in crate::app) fn read_codes(&mut self) {
        let Some(path) = self.state.settings.segment_codes.clone() else { return };
        let job = ReadCodes { path: path.clone() };
        let sent = self.engine.ask(&mut self.state.export.codes.reading, path, job);
        self.say_if_busy(sent);
    }

    /// Takes the list that was read.
    pub(super) fn take_codes(&mut self) {
        let SegmentCodes { reading, failed, .. } = &mut self.state.export.codes;
        let Some(outcome) = reading.take() else { return };
        if reading.asked() != self.state.settings.segment_codes.as_ref() {
            // The list of the program was chosen meanwhile.
            return;
        }
        match outcome {
            Ok(list) => {
                *failed = None;
                self.replace_codes(list);
            }
            Err(failure) => {
                let Some(text) = failure.message() else { return };
                *failed = Some(text.clone());
                self.state.notes.add(Kind::Error, text);
                self.replace_codes(Codes::built_in());
            }
        }
    }

    fn replace_codes(&mut self, list: Codes) {
        let export = &mut self.state.export;
        if *export.codes.list == list {
            return;
        }
        if let Some(form) = &mut export.form {
            recode(form, &export.codes.list, &list);
        }
        export.codes.list = Arc::new(list);
        // The name of a predicted label is that of its concept.
        export.measuring.cancel();
        export.measured = None;
    }
}

/// Finds the concepts of a form in another list: those that the user chose, and for other labels those of their names.
fn recode(form: &mut Form, before: &Codes, after: &Codes) {
    for label in &mut form.labels {
        let is_chosen = label.concept != before.place_of(&label.name);
        let chosen = label.concept.filter(|_| is_chosen).and_then(|place| before.concepts().nth(place));
        let found = chosen.and_then(|chosen| after.concepts().position(|concept| concept == chosen));
        label.concept = found.or_else(|| after.place_of(&label.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::export::Format;
    use crate::annotate::{Annotation, Label};
    use crate::app::export::{FormLabel, Of};

    #[test]
    fn a_concept_that_was_chosen_stays_and_others_follow_the_list() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("codes.csv");
        let rows = "words,category,property,property_meaning\nlesion|polyp,49755003,99HOSP:1,Own lesion\n";
        std::fs::write(&path, rows).expect("written");
        let (built_in, own) = (Codes::built_in(), Codes::with_file(&path).expect("a list"));
        let (id, _) = Annotation::new([1; 3]).add_label(Label::new("Lesion", [0; 3])).expect("a new name");
        let mass = built_in.place_of("mass");
        let label =
            |name: &str, concept| FormLabel { id, name: name.into(), colour: [0; 3], is_on: true, concept };
        let mut form = Form {
            image: 1,
            format: Format::DicomSeg,
            of: Of::Annotation,
            labels: vec![label("Polyp", built_in.place_of("Polyp")), label("Lesion", mass)],
            path: String::new(),
            exists: Vec::new(),
        };
        let meanings = |form: &Form, codes: &Codes| {
            let meaning = |place: usize| codes.concepts().nth(place).map(|found| found.property.meaning.clone());
            form.labels.iter().map(|label| label.concept.and_then(meaning)).collect::<Vec<_>>()
        };
        let names = |first: &str| vec![Some(first.to_owned()), Some("Mass".to_owned())];
        recode(&mut form, &built_in, &own);
        assert_eq!(meanings(&form, &own), names("Own lesion"));
        recode(&mut form, &own, &built_in);
        assert_eq!(meanings(&form, &built_in), names("Polyp"));
    }
}
