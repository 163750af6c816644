//! Judging the mask that is shown.

use crate::app::HimixApp;
use crate::app::state::State;
use crate::data::describe::{Judgement, Kind};
use crate::data::volume::Modality;
use crate::engine::jobs::{JudgeMask, JudgedImage};
use crate::engine::{Failure, threshold_step};

impl State {
    /// Returns the judgement of the mask that is shown, at its threshold. While a new one is on its way, the earlier
    /// one of the same prediction is returned.
    pub fn judgement(&self) -> Option<&Judgement> {
        let shown = self.shown.as_ref()?;
        let ((of, _), judgement) = self.judging.judgement.as_ref()?;
        (*of == shown.ticket).then_some(judgement)
    }

    /// Returns the image that is shown, for rules about its masks; `None` if none is open.
    pub fn judged_image(&mut self) -> Option<JudgedImage> {
        let open = self.document.image.as_ref()?;
        let (key, asked) = (open.layer.key, open.asked);
        let known = self.judging.image.as_ref().filter(|(of, seen, _)| (*of, *seen) == (key, asked));
        if let Some((_, _, known)) = known {
            return Some(known.clone());
        }
        let kind = match open.volume.modality {
            Modality::Ct => Some(Kind::Ct),
            Modality::Radiograph => Some(Kind::Xray),
            _ => None,
        };
        let image = JudgedImage::new(open.image.clone(), asked, kind);
        self.judging.image = Some((key, asked, image.clone()));
        Some(image)
    }
}

impl HimixApp {
    /// Requests the judgement of the mask that is shown, one at a time.
    pub(in crate::app) fn judge(&mut self) {
        let state = &mut self.state;
        // The rules are about a text and what it says of the mask.
        if state.reads_no_text() {
            return;
        }
        let threshold = state.settings.threshold;
        let Some(shown) = &state.shown else { return };
        let (of, prediction) = ((shown.ticket, threshold_step(threshold)), shown.prediction.clone());
        let judging = &state.judging;
        if judging.request.pending().is_some() || judging.request.asked() == Some(&of) {
            return;
        }
        let Some(image) = state.judged_image() else { return };
        let fits = image.image.width == prediction.probability.width;
        if !fits || image.image.height != prediction.probability.height {
            return;
        }
        let job = JudgeMask { image, prediction, threshold };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.judging.request, of, job);
    }

    /// Takes the judgement when it has arrived.
    pub(in crate::app) fn take_judgement(&mut self) {
        let judging = &mut self.state.judging;
        let Some(outcome) = judging.request.take() else { return };
        match (outcome, judging.request.asked().copied()) {
            (Ok(judgement), Some(of)) => judging.judgement = Some((of, judgement)),
            (Ok(_), None) | (Err(Failure::Cancelled), _) => {}
            (Err(failure), _) => self.say_failure_of_case(failure),
        }
    }
}
