//! Carrying out the commands about the box.

use super::BoxCommand;
use crate::app::HimixApp;
use crate::app::notes::Kind;
use crate::app::state::State;
use crate::app::tab::Tab;
use crate::data::Area;
use crate::infer::ModelInfo;

impl State {
    /// Returns whether the open model is prompted by a box.
    pub fn takes_box(&self) -> bool {
        self.model.as_ref().is_some_and(|model| model.info.takes_box)
    }

    /// Returns whether the left button of the mouse draws the box in the picture of this layout.
    pub fn draws_box(&self) -> bool {
        self.takes_box() && self.tab == Tab::Read && self.presentation.is_none() && self.document.image.is_some()
    }

    /// Returns what a model is asked, a text or a box; `None` if nothing is drawn because there is none.
    pub fn prompt_for(&self, info: &ModelInfo) -> Option<String> {
        if info.takes_box {
            return self.document.area.map(|area| area.to_string());
        }
        let text = self.sent_text();
        let is_without = info.reads_text() && !self.settings.draws_without_prompt && text.trim().is_empty();
        (!is_without).then(|| text.to_owned())
    }
}

impl HimixApp {
    pub(in crate::app) fn apply_box(&mut self, command: BoxCommand) {
        let Some([width, height]) =
            self.state.document.image.as_ref().map(|open| [open.image.width, open.image.height])
        else {
            return;
        };
        let wanted = match command {
            BoxCommand::Set(area) => area.clipped(width, height).map(Some),
            BoxCommand::Whole => Ok(Some(Area::whole(width, height))),
            BoxCommand::Clear => Ok(None),
        };
        match wanted {
            Ok(area) => self.set_box(area),
            Err(reason) => self.state.notes.add_of_case(Kind::Error, sentence(&reason.to_string())),
        }
    }

    /// Sets the box and asks for its mask.
    pub(in crate::app) fn set_box(&mut self, area: Option<Area>) {
        if self.state.document.area != area {
            self.state.document.area = area;
            self.end_difference();
            self.request_prediction();
        }
    }
}

/// The words of an error as a sentence.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
