//! The prompt of the main view while it is typed.

use std::borrow::Cow;
use std::time::Duration;

use super::Typing;
use crate::app::HimixApp;
use crate::app::state::State;
use crate::app::text::{BOX_ONLY, NO_PROMPT};

impl State {
    /// Returns what was sent to the network, or is sent with the next request: the part of the prompt that is typed, or
    /// the box of a model that takes one.
    pub fn sent_prompt(&self) -> Cow<'_, str> {
        match self.takes_box() {
            true => Cow::Owned(self.document.area.map(|area| area.to_string()).unwrap_or_default()),
            false => Cow::Borrowed(self.sent_text()),
        }
    }

    /// Returns the part of the prompt's text that was sent to a network that reads one.
    pub fn sent_text(&self) -> &str {
        self.typing.as_ref().map_or(&self.document.prompt, Typing::sent)
    }

    /// Returns whether a model is open that reads no text.
    pub fn reads_no_text(&self) -> bool {
        self.model.as_ref().is_some_and(|model| !model.info.reads_text())
    }

    /// Returns why what needs a prompt in words cannot be done; `None` if the open model reads one, or none is open.
    pub fn why_no_text(&self) -> Option<&'static str> {
        match (self.reads_no_text(), self.takes_box()) {
            (false, _) => None,
            (true, true) => Some(BOX_ONLY),
            (true, false) => Some(NO_PROMPT),
        }
    }

    /// Returns whether nothing is drawn because the prompt is empty, or there is no box for a model that takes one.
    pub fn is_without_prompt(&self) -> bool {
        if self.takes_box() {
            return self.document.area.is_none();
        }
        !self.reads_no_text() && !self.settings.draws_without_prompt && self.sent_prompt().trim().is_empty()
    }

    /// Returns how long it takes until the word that is being typed counts as complete; `None` if it is.
    pub(in crate::app) fn until_typed(&self) -> Option<Duration> {
        self.typing.as_ref().map(Typing::rest)
    }
}

impl HimixApp {
    /// Sets the prompt as typed so far.
    pub(in crate::app) fn type_prompt(&mut self, prompt: String) {
        let state = &mut self.state;
        if prompt == state.document.prompt {
            return;
        }
        let before = state.sent_text().to_owned();
        let old = std::mem::replace(&mut state.document.prompt, prompt);
        state.typing = Typing::after(&old, &state.document.prompt, &before);
        self.remember_edit();
        if self.state.sent_text().trim() != before.trim() {
            self.request_prediction();
        }
    }

    /// Sets the prompt to a text whose words are complete.
    pub(in crate::app) fn set_prompt(&mut self, prompt: String) {
        if prompt != self.state.document.prompt {
            self.state.document.prompt = prompt;
            self.remember_edit();
            self.state.typing = None;
            self.request_prediction();
        } else {
            self.finish_typing();
        }
    }

    /// Sends the whole prompt, because its last word is complete.
    pub(in crate::app) fn finish_typing(&mut self) {
        let Some(typing) = self.state.typing.take() else { return };
        if typing.sent.trim() != self.state.document.prompt.trim() {
            self.request_prediction();
        }
    }

    /// Sends a word that has been left as it is for some time.
    pub(in crate::app) fn finish_typing_when_due(&mut self) {
        if self.state.until_typed().is_some_and(|rest| rest.is_zero()) {
            self.finish_typing();
        }
    }
}
