//! Opening images: what is requested, and what happens to the prompt and the worklist on success, failure or
//! cancellation.

use std::path::{Path, PathBuf};

use super::HimixApp;
use super::record::{PendingImage, PromptOf, Source};
use super::state::State;
use crate::data::samples::SampleCase;
use crate::data::{PairReading, volume};
use crate::engine::Ticket;
use crate::engine::jobs::{OpenImage, OpenSample};

impl State {
    /// Remembers the state that belongs to the displayed image, unless another image is already being opened,
    /// which was never displayed.
    fn leave(&mut self) {
        if self.left.is_none() {
            let current = self.worklist.as_ref().and_then(|list| Some((list.ticket, list.current?)));
            self.left = Some(PendingImage { prompt: self.document.prompt.clone(), of: self.prompt_of, current });
        }
    }

    /// Returns how to read the image at this path and its masks: as its data set specifies if it is a known case.
    pub(super) fn reading_of(&self, path: &Path) -> PairReading {
        let listed = self.worklist.as_ref().map(|list| list.items.iter()).into_iter().flatten();
        let lone = self.document.image.as_ref().and_then(|open| open.case.as_deref());
        let case = listed.chain(lone).find(|item| item.path == path);
        self.settings.reading(case.map(|case| &case.reading))
    }

    /// Shows the prompt that a case brings along.
    pub(super) fn bring(&mut self, prompt: String, of: PromptOf) {
        self.brought = Some(prompt.clone());
        self.document.prompt = prompt;
        self.prompt_of = of;
        self.typing = None;
    }

    /// Makes the prompt the user's own again, so that the prompt of a case is not used for another image.
    pub(super) fn leave_prompt(&mut self) {
        if self.prompt_of != PromptOf::User {
            self.document.prompt.clear();
            self.prompt_of = PromptOf::User;
        }
    }
}

impl HimixApp {
    /// Opens an image by its path; if it is a case of the open worklist, it is opened as that case.
    pub(super) fn open_image(&mut self, path: PathBuf) {
        let list = self.state.worklist.as_ref();
        let place =
            list.and_then(|list| list.items.iter().position(|item| item.path == path && item.files.is_empty()));
        if let Some(place) = place {
            self.state.settings.remember(&path);
            return self.open_item(place);
        }
        if self.open_files(path, Vec::new()).is_some() {
            self.state.leave_prompt();
        }
    }

    /// Returns whether the current prompt is meant for the image that is being opened: it was typed in the
    /// meantime or belongs to a past prediction.
    pub(super) fn is_typed_ahead(&self) -> bool {
        let state = &self.state;
        let left = state.left.as_ref().map(|left| left.prompt.as_str());
        let is_typed = state.prompt_of == PromptOf::User
            && !state.document.prompt.is_empty()
            && left != Some(state.document.prompt.as_str());
        let is_of_session = state.jobs.image.asked().is_some() && state.sessions.awaits(state.jobs.image.newest());
        state.recalled.is_some() || is_of_session || is_typed
    }

    /// Requests an image. Returns its ticket, or `None` if the request could not be sent.
    pub(super) fn open_files(&mut self, path: PathBuf, files: Vec<PathBuf>) -> Option<Ticket> {
        let texture_limit = self.texture_limit;
        let limit = self.state.settings.limit();
        let orientation = self.state.reading_of(&path).orientation;
        let what = Source::Files(path.clone(), files.clone());
        // A case of the open worklist is already known.
        let list = self.state.worklist.as_ref();
        let looks_up =
            files.is_empty() && !list.is_some_and(|list| list.items.iter().any(|item| item.path == path));
        let job = OpenImage { path, files, texture_limit, limit, orientation, looks_up };
        let sent = self.engine.ask(&mut self.state.jobs.image, what, job);
        let ticket = self.say_if_busy(sent)?;
        self.await_image(ticket);
        Some(ticket)
    }

    /// Requests a sample case.
    pub(super) fn open_sample(&mut self, sample: SampleCase) {
        let job = OpenSample { sample, texture_limit: self.texture_limit };
        let sent = self.engine.ask(&mut self.state.jobs.image, Source::Sample(sample), job);
        if let Some(ticket) = self.say_if_busy(sent) {
            self.await_image(ticket);
        }
    }

    /// Sets whether the EXIF orientation of images is applied. An open image that has such an orientation is
    /// reopened with its ground truth, so that both always have the same orientation on the screen.
    pub(super) fn set_upright(&mut self, upright: bool) {
        self.state.settings.upright = upright;
        if let Some(list) = &mut self.state.worklist {
            list.forget_thumbnails();
        }
        let Some(open) = &self.state.document.image else { return };
        let asks = matches!(&open.volume.source, volume::Source::Picture(picture) if picture.turn().is_some());
        let Source::Files(path, files) = open.source.clone() else { return };
        let truth = self.state.document.truth.as_ref().map(|truth| truth.truth.clone());
        if asks && self.open_files(path, files).is_some() {
            truth.into_iter().for_each(|truth| self.reopen_truth(&truth));
        }
    }

    fn await_image(&mut self, ticket: Ticket) {
        self.state.leave();
        self.state.jobs.truth.forget(ticket);
        if let Some(list) = &mut self.state.worklist {
            list.opening = None;
        }
    }

    /// Handles an image that could not be opened or was cancelled. Returns whether the reason is shown in its
    /// place. This is done for cases of the worklist, so that the previous case is not mistaken for the requested
    /// one.
    pub(super) fn image_failed(&mut self, ticket: Ticket, why: Option<&str>) -> bool {
        let state = &mut self.state;
        state.jobs.truth.forget(ticket);
        let left = state.left.take();
        let list = state.worklist.as_mut();
        let is_case = list.is_some_and(|list| list.opening.take_if(|opening| *opening == ticket).is_some());
        if let (true, Some(why)) = (is_case, why) {
            self.close_image();
            self.state.failed = Some(why.to_owned());
            return true;
        }
        // The displayed image stays with its position in the worklist and its prompt; text typed in the meantime
        // is kept.
        if let Some(PendingImage { prompt, of, current }) = left {
            if let Some(list) = state.worklist.as_mut() {
                list.current = current.filter(|(of, _)| *of == list.ticket).map(|(_, place)| place);
            }
            if is_case || state.document.prompt.is_empty() {
                state.document.prompt = prompt;
                state.prompt_of = of;
            }
        }
        false
    }
}
