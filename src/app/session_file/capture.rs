//! What is open, as a session and as a table.

use std::path::PathBuf;

use super::SessionView;
use crate::app::record::Source;
use crate::app::state::{OpenTruth, State};
use crate::app::variants::Pin;
use crate::data::mask::{Agreed, Pairing};
use crate::data::volume;
use crate::engine::jobs::{SaveVariants, VariantRow};
use crate::engine::session::{NamedFile, Part, Session, SessionImage, SessionModel, SessionTruth};

/// The name of the row of the prompt in the main view.
const CURRENT: &str = "current prompt";

impl State {
    /// Returns whether there is something to save as a session; the error says what is missing.
    pub fn can_save_session(&self) -> Result<(), &'static str> {
        if self.jobs.image.pending().is_some() {
            Err("The image is still being opened.")
        } else if self.is_blank() {
            Err("Open an image or type a prompt first.")
        } else {
            Ok(())
        }
    }

    /// Returns whether nothing is open that would be missed.
    pub fn is_blank(&self) -> bool {
        let is_lost = self.sessions.lost().iter().any(|lost| lost.part == Part::Image);
        let has_prompt = !self.document.prompt.trim().is_empty() || !self.variants.pins.is_empty();
        self.document.image.is_none() && !has_prompt && !is_lost
    }

    /// Returns what is open, with absolute paths and without fingerprints. What the session that was opened lacks is
    /// still part of it.
    pub fn session(&self) -> Session<SessionView> {
        let settings = &self.settings;
        let current = self.variants.current().map(|pin| pin.id);
        let mut session = Session::new(SessionView {
            prompt: self.document.prompt.clone(),
            area: self.document.area,
            pins: self.variants.specs(),
            current_pin: self.variants.pins.iter().position(|pin| Some(pin.id) == current),
            threshold: settings.threshold,
            opacity: settings.opacity,
            fill: settings.fill,
            contour: settings.contour,
            heat: settings.heat,
            show_overlay: self.show_overlay,
            show_truth: self.show_truth,
            zoom: self.view.stored(),
            tab: self.tab,
        });
        session.image = self.document.image.as_ref().map(|open| {
            let (files, sample) = match &open.source {
                Source::Files(_, files) if files.len() > 1 => (named(files), None),
                Source::Files(path, _) => (named(std::slice::from_ref(path)), None),
                Source::Sample(sample) => (Vec::new(), Some(sample.title.to_owned())),
            };
            let (window, network_window) = (Some(open.seen), open.asked);
            SessionImage { files, sample, slice: open.asked_slice(), window, network_window }
        });
        session.truth = self.document.truth.as_ref().map(stored_truth);
        session.model = self.model.as_ref().map(|model| SessionModel::of(&model.source));
        session.second_model = self.comparison.as_ref().map(|other| SessionModel::of(&other.source));
        if let Some(open) = &self.sessions.open {
            open.lost.iter().for_each(|lost| session.take_part(lost.part, &open.session));
        }
        session
    }

    /// Returns whether the variants can be written as a table; the error says what is missing.
    pub fn can_save_variants(&self) -> Result<(), &'static str> {
        if self.document.image.is_none() {
            return Err("Open an image first.");
        }
        if self.variants.pins.is_empty() {
            return Err("Pin a prompt first.");
        }
        // A model that is not open, or that has refused, makes no mask to wait for.
        let has_failed = |pin: &Pin| self.variants.errors[usize::from(pin.spec.is_compared)].is_some();
        let is_awaited = |pin: &Pin| self.wanted_mask(pin).is_some() && !self.is_current(pin) && !has_failed(pin);
        if self.variants.pins.iter().any(is_awaited) {
            return Err("Some masks are not there yet. The Prompts tab computes them.");
        }
        Ok(())
    }

    /// Returns the job that writes the variants and the current prompt to a table; `None` without an image.
    pub fn variants_table(&mut self, path: PathBuf) -> Option<SaveVariants> {
        let judged = self.judged_image()?;
        let open = self.document.image.as_ref()?;
        let (image, slice) = (open.name.clone(), open.slice + 1);
        let own = self.model.as_ref().map(|model| model.info.name.clone()).unwrap_or_default();
        let others = self.other().map(|info| info.name.clone()).unwrap_or_default();
        let of_pin = |(place, pin): (usize, &Pin)| {
            let name =
                if pin.spec.name.is_empty() { format!("Variant {}", place + 1) } else { pin.spec.name.clone() };
            let mask = pin.mask.as_ref().filter(|_| self.is_current(pin));
            VariantRow {
                name,
                prompt: pin.spec.prompt.clone(),
                model: if pin.spec.is_compared { others.clone() } else { own.clone() },
                threshold: pin.spec.threshold,
                mask: mask.map(|mask| (mask.prediction.clone(), mask.counts.clone())),
            }
        };
        let mut rows: Vec<VariantRow> = self.variants.pins.iter().enumerate().map(of_pin).collect();
        let shown = self.predicted_now().ok();
        rows.push(VariantRow {
            name: CURRENT.to_owned(),
            prompt: self.document.prompt.clone(),
            model: own.clone(),
            threshold: self.settings.threshold,
            mask: shown.map(|shown| (shown.prediction.clone(), shown.counts.clone())),
        });
        let truth = self.truth_mask().map(|(ticket, _)| ticket);
        Some(SaveVariants { path, image, slice, judged, truth, rows })
    }
}

fn named(paths: &[PathBuf]) -> Vec<NamedFile> {
    paths.iter().map(NamedFile::new).collect()
}

/// Returns the ground truth with the choices made for it.
fn stored_truth(open: &OpenTruth) -> SessionTruth {
    let truth = &open.truth;
    let is_of_sample = truth.laid.labels.source == volume::Source::Made;
    let (agreed, slice) = match truth.laid.pairing {
        Pairing::Resampled => (Agreed::Resample, None),
        Pairing::ByNumber => (Agreed::ByNumber, None),
        Pairing::OnSlice { slice } => (Agreed::Refuse, Some(slice - 1)),
        Pairing::BySize | Pairing::ByPosition | Pairing::Reordered { .. } => (Agreed::Refuse, None),
    };
    let files = if is_of_sample { Vec::new() } else { named(&truth.files) };
    SessionTruth { files, labels: truth.choice.clone(), agreed, slice }
}
