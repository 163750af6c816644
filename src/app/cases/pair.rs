//! Saving the open case as a pair for training.

use std::path::PathBuf;

use super::PairCommand;
use super::pair_form::PairOf;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::record::Source;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::app::text::file_name;
use crate::app::training::TrainCommand;
use crate::engine::MaskOf;
use crate::engine::jobs::{DescribeMask, SavePair};

impl State {
    /// Returns the image and the slice that are shown; `None` without an image.
    pub fn pair_of(&self) -> Option<PairOf> {
        let open = self.document.image.as_ref()?;
        Some((open.ticket, open.slice))
    }

    /// Returns the sentence of the pair: what was written for it, otherwise the prompt.
    pub fn pair_sentence(&self) -> &str {
        let own = self.cases.pair.sentence.as_ref().filter(|(of, _)| Some(*of) == self.pair_of());
        own.map_or(self.document.prompt.as_str(), |(_, sentence)| sentence.as_str())
    }

    /// Returns what the mask of the pair is: that of the active label if there is one, otherwise that of the prediction. The
    /// error says what to do.
    pub fn pair_source(&self) -> Result<String, &'static str> {
        self.document.image.as_ref().ok_or("Open an image first.")?;
        if let Some(label) = self.annotating.active.and_then(|id| self.document.annotation.label(id)) {
            return Ok(format!("annotation, label “{}”", label.name));
        }
        self.predicted_now()?;
        Ok(format!("prediction, threshold {:.2}", self.settings.threshold))
    }

    /// Returns the mask of the pair, of which [`Self::pair_source`] says what it is.
    fn pair_mask(&self) -> Option<MaskOf> {
        self.pair_source().ok()?;
        let predicted = || {
            let shown = self.predicted_now().ok()?;
            Some(MaskOf::Prediction(shown.prediction.clone(), self.settings.threshold))
        };
        self.annotated_mask().map(MaskOf::Mask).or_else(predicted)
    }

    /// Returns the name of the pair: that of the image, with the number of the slice.
    fn pair_name(&self) -> Option<String> {
        let open = self.document.image.as_ref()?;
        let name = match &open.source {
            Source::Files(path, files) if files.len() < 2 => {
                let name = file_name(path);
                let ends = [".nii.gz", ".nii"];
                let stem = ends.into_iter().find_map(|end| name.strip_suffix(end)).map(str::to_owned);
                let stem = stem.or_else(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
                stem.unwrap_or(name)
            }
            _ => open.name.clone(),
        };
        let piece = open.source.piece().to_lowercase();
        Some(if open.volume.slices > 1 { format!("{name}_{piece}{}", open.slice + 1) } else { name })
    }

    /// Returns why no pair can be saved now, as a sentence; `None` if it can.
    pub fn cannot_save_pair(&self) -> Option<&'static str> {
        if let Err(reason) = self.pair_source() {
            return Some(reason);
        }
        if self.pair_sentence().trim().is_empty() {
            return Some("Write the sentence, or have the mask described.");
        }
        if self.settings.pairs_folder.is_none() {
            return Some("Choose the folder of the data set. An empty one becomes a data set.");
        }
        self.cases.pair.saving.pending().map(|_| "The pair is being saved.")
    }
}

impl HimixApp {
    /// Carries out a command about pairs.
    pub(in crate::app) fn apply_pair(&mut self, command: PairCommand) {
        match command {
            PairCommand::Sentence(sentence) => {
                let of = self.state.pair_of();
                self.state.cases.pair.sentence = of.map(|of| (of, sentence));
            }
            PairCommand::Describe => self.describe_pair(),
            PairCommand::Folder(folder) => {
                let folder = folder.trim();
                self.state.settings.pairs_folder = (!folder.is_empty()).then(|| PathBuf::from(folder));
            }
            PairCommand::Split(split) => self.state.settings.pairs_split = split,
            PairCommand::Save => self.save_pair(),
            PairCommand::Train => {
                let Some(folder) = self.state.settings.pairs_folder.clone() else { return };
                self.apply_training(TrainCommand::AddData(folder));
                self.show_tab(Tab::Train);
            }
        }
    }

    fn describe_pair(&mut self) {
        if let Err(reason) = self.state.pair_source() {
            return self.state.notes.add_of_case(Kind::Info, reason);
        }
        let Some(mask) = self.state.pair_mask() else { return };
        let (Some(of), Some(image)) = (self.state.pair_of(), self.state.judged_image()) else { return };
        let job = DescribeMask { image, mask };
        let sent = self.engine.ask(&mut self.state.cases.pair.describing, of, job);
        self.say_if_busy(sent);
    }

    fn save_pair(&mut self) {
        if let Some(reason) = self.state.cannot_save_pair() {
            return self.state.notes.add_of_case(Kind::Info, reason);
        }
        let state = &self.state;
        let (Some(mask), Some(of), Some(name)) = (state.pair_mask(), state.pair_of(), state.pair_name()) else {
            return;
        };
        let (Some(open), Some(folder)) = (&state.document.image, state.settings.pairs_folder.clone()) else {
            return;
        };
        let job = SavePair {
            folder,
            split: state.settings.pairs_split.clone(),
            name,
            image: open.image.clone(),
            seen: open.asked,
            mask,
            prompt: state.pair_sentence().trim().to_owned(),
        };
        let sent = self.engine.ask(&mut self.state.cases.pair.saving, of, job);
        self.say_if_busy(sent);
    }

    /// Takes the sentence or the saved pair.
    pub(super) fn take_pair(&mut self) {
        let pair = &mut self.state.cases.pair;
        if let Some(outcome) = pair.describing.take() {
            match (outcome, pair.describing.asked().copied()) {
                (Ok((_, sentence)), Some(of)) => pair.sentence = Some((of, sentence)),
                (Ok(_), None) => {}
                (Err(failure), _) => return self.say_failure_of_case(failure),
            }
        }
        if let Some(outcome) = pair.saving.take() {
            match (outcome, pair.saving.asked().copied()) {
                (Ok(saved), Some(of)) => {
                    let done = if saved.is_replaced { "Replaced" } else { "Saved" };
                    let text = format!("{done} {} in split {}.", file_name(&saved.image), saved.split);
                    pair.saved = Some((of, saved));
                    self.state.training.has_new_pairs = true;
                    self.state.notes.add(Kind::Info, text);
                }
                (Ok(_), None) => {}
                (Err(failure), _) => self.say_failure(failure),
            }
        }
    }
}
