//! Opening a session: its view at once, its image, ground truth and models as they are read.

use std::path::{Path, PathBuf};

use super::{OpenSession, SessionView};
use crate::app::HimixApp;
use crate::app::notes::{About, Kind};
use crate::app::record::PromptOf;
use crate::app::text::file_name;
use crate::data::samples::SAMPLES;
use crate::engine::Ticket;
use crate::engine::session::{Located, Part, SessionImage};

impl HimixApp {
    /// Shows a session in place of what is open. `path` is its file, unless it was restored after a crash.
    pub(super) fn show_session(&mut self, path: Option<PathBuf>, located: Located<SessionView>) {
        let Located { mut session, lost, file, changed } = located;
        self.state.sessions.file = file.filter(|_| path.is_some());
        session.view = session.view.within_bounds();
        let view = session.view.clone();
        // The image that is open is not the one that prompt and pins are about.
        self.state.jobs.image.cancel();
        self.close_image();
        let state = &mut self.state;
        state.left = None;
        if let Some(list) = &mut state.worklist {
            (list.current, list.opening) = (None, None);
        }
        state.settings.threshold = view.threshold;
        state.settings.opacity = view.opacity;
        state.settings.fill = view.fill;
        state.settings.contour = view.contour;
        state.settings.heat = view.heat;
        state.show_overlay = view.show_overlay;
        state.show_truth = view.show_truth;
        self.take_prompt(&view.prompt);
        self.set_pins(view.pins);
        let variants = &mut self.state.variants;
        if let Some(pin) = view.current_pin.and_then(|place| variants.pins.get(place)) {
            variants.current = Some(pin.id);
        }
        self.show_tab(view.tab);
        if session.second_model.is_none() && self.state.comparison.is_some() {
            self.end_comparison();
        }
        let parts: Vec<Part> =
            Part::ALL.into_iter().filter(|part| lost.iter().all(|lost| lost.part != *part)).collect();
        if let Some(image) = lost.iter().find(|lost| lost.part == Part::Image) {
            self.state.failed = Some(format!("{} is not where the session says.", image.path.display()));
        }
        let about_image = changed.iter().find(|(part, _)| *part == Part::Image).map(|_| CHANGED_IMAGE.to_owned());
        self.state.sessions.open =
            Some(OpenSession { path, session, lost, image: None, has_image: false, truth: None, about_image });
        self.say_changed(&changed);
        parts.into_iter().for_each(|part| self.open_part(part));
    }

    /// Opens parts of the session whose files were found.
    pub(super) fn show_found(&mut self, parts: &[Part], located: Located<SessionView>) {
        let Some(open) = &mut self.state.sessions.open else { return };
        let Located { session, lost, changed, .. } = located;
        parts.iter().for_each(|part| open.session.take_part(*part, &session));
        let found: Vec<Part> =
            parts.iter().copied().filter(|part| lost.iter().all(|lost| lost.part != *part)).collect();
        open.lost.retain(|old| !parts.contains(&old.part));
        open.lost.extend(lost);
        if changed.iter().any(|(part, _)| *part == Part::Image) {
            open.about_image = Some(CHANGED_IMAGE.to_owned());
        }
        self.say_changed(&changed);
        found.into_iter().for_each(|part| self.open_part(part));
    }

    /// Warns of files whose content is not the one that the session was saved with.
    fn say_changed(&mut self, changed: &[(Part, PathBuf)]) {
        for part in Part::ALL {
            let files: Vec<&PathBuf> =
                changed.iter().filter(|(of, _)| *of == part).map(|(_, path)| path).collect();
            let Some(first) = files.first() else { continue };
            let what = match files.len() {
                1 => format!("{} is not as it was", first.display()),
                count => format!("{count} files are not as they were, the first of them {}", first.display()),
            };
            let text = format!(
                "The {} of the session has changed: {what} when the session was saved. Masks and scores can differ.",
                part.name()
            );
            self.state.notes.add(Kind::Warning, text);
        }
    }

    fn open_part(&mut self, part: Part) {
        let Some(open) = &self.state.sessions.open else { return };
        match part {
            Part::Image => {
                if let Some(image) = open.session.image.clone() {
                    self.open_session_image(&image);
                }
            }
            // The ground truth is placed on its image, which comes first.
            Part::Truth => {
                let image = self.state.document.image.as_ref().map(|image| image.ticket);
                if image.is_some() && open.image == image {
                    self.open_session_truth();
                }
            }
            Part::Model => {
                let Some(source) = open.session.model.as_ref().map(|model| model.source()) else { return };
                let jobs = &self.state.jobs;
                let coming = jobs.model.pending().map(|awaited| &awaited.what);
                if coming.or(self.state.model.as_ref().map(|model| &model.source)) != Some(&source) {
                    self.open_model(source);
                }
            }
            Part::SecondModel => {
                let Some(source) = open.session.second_model.as_ref().map(|model| model.source()) else { return };
                let comparison = self.state.comparison.as_ref().filter(|other| other.error.is_none());
                if comparison.is_none_or(|other| other.source != source) {
                    self.compare_with(source);
                }
            }
        }
    }

    fn open_session_image(&mut self, image: &SessionImage) {
        let paths: Vec<PathBuf> = image.files.iter().map(|file| file.path.clone()).collect();
        let before = self.state.jobs.image.newest();
        match (paths.first().cloned(), &image.sample) {
            (Some(path), _) => {
                let files = if paths.len() > 1 { paths } else { Vec::new() };
                let _ = self.open_files(path, files);
            }
            (None, Some(title)) => match SAMPLES.iter().find(|sample| sample.title == title) {
                Some(sample) => self.open_sample(*sample),
                None => {
                    let text = format!("This version of HiMix has no sample case “{title}”. Open an image.");
                    self.state.notes.add(Kind::Error, text);
                }
            },
            (None, None) => {}
        }
        let ticket = Some(self.state.jobs.image.newest()).filter(|ticket| *ticket != before);
        let prompt = self.state.document.prompt.clone();
        if let Some(open) = &mut self.state.sessions.open {
            (open.image, open.has_image) = (ticket, false);
            // What was typed while the image was looked for stays.
            open.session.view.prompt = prompt;
        }
    }

    /// Shows the image of the session as it was shown, if this ticket is that of its image. Returns whether it is.
    pub(in crate::app) fn restore_image(&mut self, ticket: Ticket) -> bool {
        if !self.state.sessions.awaits(ticket) {
            // The user went on to another image, which has no use for what belongs to that of the session.
            if let Some(open) = &mut self.state.sessions.open {
                open.lost.retain(|lost| !matches!(lost.part, Part::Image | Part::Truth));
            }
            return false;
        }
        let Some(open) = &mut self.state.sessions.open else { return false };
        open.has_image = true;
        let (view, image, truth) = (open.session.view.clone(), open.session.image.clone(), &open.session.truth);
        let is_truth_own = truth.as_ref().is_some_and(|truth| truth.files.is_empty());
        let about = open.about_image.clone();
        let image = image.unwrap_or_default();
        about.into_iter().for_each(|text| self.state.notes.note(About::Image, text));
        if !is_truth_own {
            // That of a sample case, which was closed or replaced.
            self.state.document.truth = None;
        }
        self.state.show_truth = view.show_truth;
        if image.sample.is_some() {
            // A sample case has brought its own.
            self.take_prompt(&view.prompt);
        }
        self.state.view.restore(view.zoom);
        // A box that does not lie in the image is that of another file.
        let size = self.state.document.image.as_ref().map(|open| (open.image.width, open.image.height));
        self.state.document.area =
            view.area.zip(size).and_then(|(area, (width, height))| area.clipped(width, height).ok());
        if let Some(window) = image.window.filter(|window| window.window.is_sound()) {
            if let Some(open) = &mut self.state.document.image {
                open.seen.is_inverted = window.is_inverted;
            }
            self.set_window(window.window);
        }
        if let Some(open) = &mut self.state.document.image {
            open.asked = image.network_window.filter(|window| window.window.is_sound());
        }
        self.show_slice(image.slice);
        self.open_session_truth();
        true
    }

    fn open_session_truth(&mut self) {
        let Some(open) = &self.state.sessions.open else { return };
        let is_lost = open.lost.iter().any(|lost| lost.part == Part::Truth);
        let Some(truth) = open.session.truth.clone().filter(|truth| !truth.files.is_empty() && !is_lost) else {
            return;
        };
        let paths = truth.files.iter().map(|file| file.path.clone()).collect();
        self.read_truth(paths, |reading| {
            reading.choice = truth.labels;
            reading.agreed = truth.agreed;
            reading.slice = truth.slice;
        });
        let ticket = self.state.jobs.truth.newest();
        if let Some(open) = &mut self.state.sessions.open {
            open.truth = Some(ticket);
        }
    }

    /// Makes a prompt the user's own.
    fn take_prompt(&mut self, prompt: &str) {
        let state = &mut self.state;
        prompt.clone_into(&mut state.document.prompt);
        state.prompt_of = PromptOf::User;
        state.brought = None;
        state.typing = None;
    }

    /// Takes dropped files for those that the session lacks, by their names. Returns the others.
    pub(in crate::app) fn take_found(&mut self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        let mut others = Vec::new();
        for path in paths {
            let lost = self.state.sessions.lost().iter();
            let is_it = |lost: &Path| file_name(lost) == file_name(&path);
            match lost.clone().find(|lost| is_it(&lost.path)).map(|lost| lost.part) {
                Some(part) => self.find_files(part, path),
                None => others.push(path),
            }
        }
        others
    }
}

/// The note on an image whose content is not the one that the session was saved with.
const CHANGED_IMAGE: &str = "The image has changed since the session was saved. Masks and scores can differ.";
