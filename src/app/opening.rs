//! Pictures on their way: what is asked for, and what becomes of the prompt and the list when they come, fail or are cancelled.

use std::path::{Path, PathBuf};

use super::HimixApp;
use super::record::{PendingImage, PromptOf, Source};
use super::state::State;
use crate::data::samples::SampleCase;
use crate::data::{PairReading, volume};
use crate::engine::Ticket;
use crate::engine::jobs::{OpenImage, OpenSample};

impl State {
    /// Remembers what belongs to the picture that is seen, unless one is on its way already: that was never seen.
    fn leave(&mut self) {
        if self.left.is_none() {
            let current = self.worklist.as_ref().and_then(|list| Some((list.ticket, list.current?)));
            self.left = Some(PendingImage { prompt: self.document.prompt.clone(), of: self.prompt_of, current });
        }
    }

    /// How the image of this name and its masks are read: where it is a case of the list, as its data set says.
    pub(super) fn reading_of(&self, path: &Path) -> PairReading {
        let listed = self.worklist.as_ref().map(|list| list.items.iter()).into_iter().flatten();
        let lone = self.document.image.as_ref().and_then(|open| open.case.as_deref());
        let case = listed.chain(lone).find(|item| item.path == path);
        self.settings.reading(case.map(|case| &case.reading))
    }

    /// The prompt is the user's again; that of a case is not taken for another picture's.
    pub(super) fn leave_prompt(&mut self) {
        if self.prompt_of != PromptOf::User {
            self.document.prompt.clear();
            self.prompt_of = PromptOf::User;
        }
    }
}

impl HimixApp {
    /// Opens a picture by its name; one that is a case of the open list, as that case.
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

    /// Whether the prompt that stands is meant for the picture on its way: typed while it is read, or of a past prediction.
    pub(super) fn is_typed_ahead(&self) -> bool {
        let state = &self.state;
        let left = state.left.as_ref().map(|left| left.prompt.as_str());
        let is_typed = state.prompt_of == PromptOf::User
            && !state.document.prompt.is_empty()
            && left != Some(state.document.prompt.as_str());
        state.recalled.is_some() || is_typed
    }

    /// Asks for a picture. Returns its ticket, or `None` where it could not be asked for.
    pub(super) fn open_files(&mut self, path: PathBuf, files: Vec<PathBuf>) -> Option<Ticket> {
        let texture_limit = self.texture_limit;
        let limit = self.state.settings.limit();
        let orientation = self.state.reading_of(&path).orientation;
        let what = Source::Files(path.clone(), files.clone());
        // A case of the open list is known already.
        let list = self.state.worklist.as_ref();
        let looks_up =
            files.is_empty() && !list.is_some_and(|list| list.items.iter().any(|item| item.path == path));
        let job = OpenImage { path, files, texture_limit, limit, orientation, looks_up };
        let sent = self.engine.ask(&mut self.state.jobs.image, what, job);
        let ticket = self.say_if_busy(sent)?;
        self.await_image(ticket);
        Some(ticket)
    }

    /// Asks for a sample case.
    pub(super) fn open_sample(&mut self, sample: SampleCase) {
        let job = OpenSample { sample, texture_limit: self.texture_limit };
        let sent = self.engine.ask(&mut self.state.jobs.image, Source::Sample(sample), job);
        if let Some(ticket) = self.say_if_busy(sent) {
            self.await_image(ticket);
        }
    }

    /// Turns pictures upright as they ask for, or leaves them as they are stored. One that is open and asks for it is opened anew, with its
    /// truth: what is on the screen is never half of the one and half of the other.
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

    /// A picture did not come, for a reason or because it was cancelled. Whether the reason is shown in its place: of a case of the list, so
    /// that the case before is not taken for it.
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
        // What is seen stays, and with it its place in the list and its prompt; what was typed meanwhile is not lost.
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
