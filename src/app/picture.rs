//! Slices, windows and what the network sees: the part of the state that is the picture.

use std::time::{Duration, Instant};

use super::HimixApp;
use super::page::Page;
use super::settings::Settings;
use crate::annotate::Provenance;
use crate::data::Image;
use crate::data::volume::{DisplayWindow, Modality, Window};
use crate::engine::jobs::{MeasureDistance, NetworkView};
use crate::engine::{DisplayPixels, SliceRequest};
use crate::render::ImageLayer;

/// Time that a slice is shown while the stack is played.
pub const PLAY_STEP: Duration = Duration::from_millis(80);
/// Time after which a slice that was stepped to is at rest.
const AT_REST: Duration = Duration::from_millis(60);
/// Least width of a window in relation to the range of what is shown.
const LEAST_WIDTH: f32 = 1e-4;

impl HimixApp {
    /// Shows the slice with this number, or the nearest there is, as soon as it is prepared. Until then the one that is shown stays.
    pub(super) fn show_slice(&mut self, slice: usize) {
        let Some(open) = &mut self.state.document.image else { return };
        let slice = slice.min(open.volume.slices - 1);
        if slice == open.asked_slice() {
            return;
        }
        open.coming = (slice != open.slice).then_some(slice);
        self.prepare_slices();
        self.take_slice();
    }

    /// Has the slice that was asked for prepared, and those that are likely to be asked for next; nothing for a lone picture.
    pub(super) fn prepare_slices(&self) {
        let document = &self.state.document;
        let Some(open) = document.image.as_ref().filter(|open| open.volume.slices > 1) else { return };
        self.engine.prepare_slice(SliceRequest {
            image: open.ticket,
            volume: open.volume.clone(),
            truth: document.truth.as_ref().map(|truth| truth.truth.clone()),
            slice: open.asked_slice(),
            texture_limit: self.texture_limit,
        });
    }

    /// Shows the slice that was asked for, if it is prepared.
    pub(super) fn take_slice(&mut self) {
        let document = &self.state.document;
        let Some((open, slice)) = document.image.as_ref().and_then(|open| Some((open, open.coming?))) else {
            return;
        };
        let truth = document.truth.as_ref().map(|truth| &truth.truth);
        let Some(prepared) = self.engine.prepared_slice(open.ticket, slice, truth) else { return };
        let key = self.ticket();
        let Some(open) = &mut self.state.document.image else { return };
        open.layer = layer(key, &prepared.image, prepared.display);
        open.full = prepared.full;
        open.image = prepared.image;
        open.slice = slice;
        open.coming = None;
        if let Some(truth) = &mut self.state.document.truth {
            truth.mask = prepared.mask;
            truth.ticket = key;
        }
        self.state.shown = None;
        if !self.show_remembered() {
            self.request_when_settled();
        }
    }

    /// What a prediction of the slice that is shown would be made of.
    pub(super) fn provenance(&self) -> Option<Provenance> {
        let (open, model) = (self.state.document.image.as_ref()?, self.state.model.as_ref()?);
        let model = model.source.path().display().to_string();
        Some(Provenance { model, prompt: self.state.document.prompt.clone(), window: open.asked })
    }

    /// Shows the prediction that is remembered of this slice, if it was made of the same. Whether nothing more is to be asked for.
    fn show_remembered(&mut self) -> bool {
        let Some(of) = self.provenance() else { return false };
        let document = &mut self.state.document;
        let slice = document.image.as_ref().map_or(0, |open| open.slice);
        let Some(mut shown) = document.predictions.get(slice, &of).cloned() else { return false };
        // It answers the question that would have been asked.
        shown.ticket = self.forget_prediction();
        shown.since = Instant::now();
        self.state.shown = Some(shown);
        self.score_shown();
        self.state.comparison.is_none()
    }

    /// Asks for the mask of a slice when it has come to rest: what is computed while others follow takes the time of their frames. While
    /// the stack is played it never rests, and is asked for at once.
    fn request_when_settled(&mut self) {
        if self.state.playing.is_some() {
            return self.request_prediction();
        }
        self.forget_prediction();
        self.state.due = Some(Instant::now() + AT_REST);
    }

    /// Asks for what was put off, when its time has come.
    pub(super) fn request_when_due(&mut self) {
        if self.state.due.is_some_and(|due| due <= Instant::now()) {
            self.request_prediction();
        }
    }

    /// Moves on by slices.
    pub(super) fn step_slice(&mut self, by: i64) {
        if let Some(open) = &self.state.document.image {
            let last = open.volume.slices as i64 - 1;
            self.show_slice((open.asked_slice() as i64 + by).clamp(0, last) as usize);
        }
    }

    /// Plays the stack, one slice after the other, and from the last to the first.
    pub(super) fn play(&mut self) {
        let Some(since) = self.state.playing else { return };
        let Some(open) = self.state.document.image.as_ref().filter(|open| open.volume.slices > 1) else {
            self.state.playing = None;
            return;
        };
        if since.elapsed() >= PLAY_STEP {
            self.state.playing = Some(Instant::now());
            let next = (open.asked_slice() + 1) % open.volume.slices;
            self.show_slice(next);
        }
    }

    /// Has the distance of mask and truth measured where it is not known and nothing else is being measured.
    pub(super) fn measure(&mut self) {
        let state = &self.state;
        let (Some(of), None) = (state.distance_wanted(), state.jobs.distance.pending()) else { return };
        if state.jobs.distance.asked() == Some(&of) {
            return;
        }
        let (Some(shown), Some((_, truth))) = (&state.shown, state.truth_mask()) else { return };
        let prediction = shown.prediction.clone();
        let threshold = state.settings.threshold;
        let size = state.lengths().size;
        // If the thread is busy, the next frame asks again.
        let job = MeasureDistance { prediction, truth, threshold, size };
        let _ = self.engine.ask(&mut self.state.jobs.distance, of, job);
    }

    /// Has a picture made of what the network gets, while that page is open.
    pub(super) fn view_as_network(&mut self) {
        let state = &self.state;
        let (Some(Page::Network), Some(open)) = (state.page, &state.document.image) else { return };
        let bits = |value: f32| u64::from(value.to_bits());
        let seen = open.asked.map_or(0, |seen| {
            bits(seen.window.centre).rotate_left(17) ^ bits(seen.window.width) ^ u64::from(seen.is_inverted) << 63
        });
        let key = open.layer.key.rotate_left(32) ^ seen;
        if state.jobs.network_view.asked() == Some(&key) {
            return;
        }
        let side = state.shown.as_ref().map_or(224, |shown| shown.prediction.probability_model.width);
        let job = NetworkView { image: open.image.clone(), seen: open.asked, side };
        // If the thread is busy, the next frame asks again.
        let _ = self.engine.ask(&mut self.state.jobs.network_view, key, job);
    }

    /// Sees the picture in another window; the network is not asked.
    pub(super) fn set_window(&mut self, window: Window) {
        let Some(open) = &mut self.state.document.image else { return };
        if !(window.centre.is_finite() && window.width.is_finite()) {
            return;
        }
        let least = LEAST_WIDTH * open.full.width;
        open.seen.window = Window { width: window.width.max(least), ..window };
        // A window is remembered for the next of its kind only in values that mean the same there.
        if open.volume.unit == "HU" {
            self.state.settings.windows.insert(open.volume.modality, open.seen.window);
        }
    }

    /// The window of a number key: 0 is the full range, then presets for CT, then the file's own.
    pub(super) fn preset_window(&mut self, number: usize) {
        let Some(open) = &self.state.document.image else { return };
        let windows = open.windows(&self.state.settings);
        if let Some((_, window)) = windows.get(number) {
            self.set_window(*window);
        }
    }

    /// Has the network look at the picture as it is seen now.
    pub(super) fn use_window(&mut self) {
        let Some(open) = &mut self.state.document.image else { return };
        let wanted = open.volume.for_network(open.full, open.seen);
        if wanted != open.asked {
            open.asked = wanted;
            self.request_prediction();
        }
    }
}

/// For the screen.
pub fn layer(key: u64, image: &Image, display: DisplayPixels) -> ImageLayer {
    ImageLayer {
        key,
        size: [image.width, image.height],
        texture_size: [display.width, display.height],
        reduction: display.reduction,
        texels: display.texels,
    }
}

impl super::state::OpenImage {
    /// The windows on offer with their names; the place is the number key.
    pub fn windows(&self, settings: &Settings) -> Vec<(String, Window)> {
        let presets = settings.presets.get(&self.volume.modality).filter(|_| self.has_presets());
        let named = presets.into_iter().flatten().chain(&self.volume.windows);
        let full = ("Full range".to_owned(), self.full);
        std::iter::once(full).chain(named.map(|own| (own.name.clone(), own.window))).collect()
    }

    /// Whether a window of another picture of its kind means the same in this one: values of CT do if they are in Hounsfield units.
    pub fn has_presets(&self) -> bool {
        self.volume.modality != Modality::Ct || self.volume.unit == "HU"
    }

    /// Whether the network saw the picture in another window than the one on the screen.
    pub fn is_seen_otherwise(&self) -> bool {
        self.volume.for_network(self.full, self.seen) != self.asked
    }

    /// Whether black and white are exchanged against what the file says. A file may say itself that its low values are white.
    pub fn is_inverted(&self) -> bool {
        self.seen.is_inverted != self.volume.is_inverted
    }

    /// The window of the shader: for colours its range from 0 to 255.
    pub fn seen(&self) -> DisplayWindow {
        // Colour of more than 8 bit is stretched to 8 for the screen.
        let is_colour_of_more =
            self.image.channels > 1 && !matches!(self.image.pixels, crate::data::Pixels::U8(_));
        if is_colour_of_more { DisplayWindow { window: Window::EIGHT_BIT, ..self.seen } } else { self.seen }
    }

    /// How a picture of it is painted into memory; `None` where that takes the pixels as they are.
    pub fn painted(&self) -> Option<DisplayWindow> {
        let is_colour_of_more =
            self.image.channels > 1 && !matches!(self.image.pixels, crate::data::Pixels::U8(_));
        let as_it_is = DisplayWindow { window: Window::EIGHT_BIT, is_inverted: false };
        let is_as_it_is = self.layer.texels.rgba().is_some() && self.seen == as_it_is;
        (!is_colour_of_more && !is_as_it_is).then_some(self.seen)
    }
}
