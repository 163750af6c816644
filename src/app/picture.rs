//! The part of the state that concerns the displayed image: slices, display windows and the network input.

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

/// How long each slice is shown while the stack is played.
pub const PLAY_STEP: Duration = Duration::from_millis(80);
/// The delay after which a slice counts as at rest once stepping has stopped.
const AT_REST: Duration = Duration::from_millis(60);
/// The minimum width of a display window relative to the value range of the image.
const LEAST_WIDTH: f32 = 1e-4;

impl HimixApp {
    /// Shows the slice with this index, clamped to the valid range, as soon as it is prepared. Until then, the
    /// current slice stays.
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

    /// Requests the preparation of the selected slice and of those that are likely to be needed next. Does nothing
    /// for a single image.
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

    /// Shows the selected slice if it is prepared.
    pub(super) fn take_slice(&mut self) {
        let document = &self.state.document;
        let Some((open, slice)) = document.image.as_ref().and_then(|open| Some((open, open.coming?))) else {
            return;
        };
        let truth = document.truth.as_ref().map(|truth| &truth.truth);
        let Some(prepared) = self.engine.prepared_slice(open.ticket, slice, truth) else { return };
        // A stroke belongs to the slice on which it was begun.
        self.finish_stroke();
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

    /// Returns the inputs that a prediction of the current slice would be computed from.
    pub(super) fn provenance(&self) -> Option<Provenance> {
        let (open, model) = (self.state.document.image.as_ref()?, self.state.model.as_ref()?);
        let model = model.source.path().display().to_string();
        Some(Provenance { model, prompt: self.state.sent_prompt().into_owned(), window: open.asked })
    }

    /// Shows the cached prediction of this slice if its inputs are the same. Returns whether no further request is
    /// needed.
    fn show_remembered(&mut self) -> bool {
        if self.state.shown_readers().is_some() {
            return false;
        }
        let Some(of) = self.provenance() else { return false };
        let document = &mut self.state.document;
        let slice = document.image.as_ref().map_or(0, |open| open.slice);
        let Some(mut shown) = document.predictions.get(slice, &of).cloned() else { return false };
        // The cached prediction answers the request that would otherwise have been sent.
        shown.ticket = self.forget_prediction();
        shown.since = Instant::now();
        self.state.shown = Some(shown);
        self.score_shown();
        self.state.comparison.is_none()
    }

    /// Requests the mask of a slice once it is at rest, because computing while the user scrolls slows down the
    /// frames. While the stack is played, no slice is ever at rest, so the mask is requested at once.
    fn request_when_settled(&mut self) {
        if self.state.playing.is_some() {
            return self.request_prediction();
        }
        self.forget_prediction();
        self.state.due = Some(Instant::now() + AT_REST);
    }

    /// Sends a postponed request when it is due.
    pub(super) fn request_when_due(&mut self) {
        if self.state.due.is_some_and(|due| due <= Instant::now()) {
            self.request_prediction();
        }
    }

    /// Moves by `by` slices.
    pub(super) fn step_slice(&mut self, by: i64) {
        if let Some(open) = &self.state.document.image {
            let last = open.volume.slices as i64 - 1;
            self.show_slice((open.asked_slice() as i64 + by).clamp(0, last) as usize);
        }
    }

    /// Plays the stack slice by slice, restarting at the first slice after the last.
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

    /// Requests the distance between mask and ground truth if it is not known and no other distance is being
    /// measured.
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

    /// Requests an image of the network input while that page is open.
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

    /// Sets the display window; the network input does not change.
    pub(super) fn set_window(&mut self, window: Window) {
        let Some(open) = &mut self.state.document.image else { return };
        if !(window.centre.is_finite() && window.width.is_finite()) {
            return;
        }
        let least = LEAST_WIDTH * open.full.width;
        open.seen.window = Window { width: window.width.max(least), ..window };
        // A window is reused for the next image of the same modality only if its values have the same meaning
        // there.
        if open.volume.unit == "HU" {
            self.state.settings.windows.insert(open.volume.modality, open.seen.window);
        }
    }

    /// Selects the display window of a number key: 0 is the full range, followed by the presets and the windows of
    /// the file.
    pub(super) fn preset_window(&mut self, number: usize) {
        let Some(open) = &self.state.document.image else { return };
        let windows = open.windows(&self.state.settings);
        if let Some((_, window)) = windows.get(number) {
            self.set_window(*window);
        }
    }

    /// Uses the current display window for the network input.
    pub(super) fn use_window(&mut self) {
        let Some(open) = &mut self.state.document.image else { return };
        let wanted = open.volume.for_network(open.full, open.seen);
        if wanted != open.asked {
            open.asked = wanted;
            self.request_prediction();
        }
    }
}

/// Returns the layer that draws `image` on the screen.
pub fn layer(key: u64, image: &Image, display: DisplayPixels) -> ImageLayer {
    ImageLayer {
        key,
        size: [image.width, image.height],
        texture_size: [display.width, display.height],
        reduction: display.reduction,
        texels: display.texels,
        reduced: display.reduced,
    }
}

impl super::state::OpenImage {
    /// Returns the available display windows with their names; the index is the number key.
    pub fn windows(&self, settings: &Settings) -> Vec<(String, Window)> {
        let presets = settings.presets.get(&self.volume.modality).filter(|_| self.has_presets());
        let named = presets.into_iter().flatten().chain(&self.volume.windows);
        let full = ("Full range".to_owned(), self.full);
        std::iter::once(full).chain(named.map(|own| (own.name.clone(), own.window))).collect()
    }

    /// Returns whether a display window of another image of the same modality is valid here. For CT, this requires
    /// Hounsfield units.
    pub fn has_presets(&self) -> bool {
        self.volume.modality != Modality::Ct || self.volume.unit == "HU"
    }

    /// Returns whether the network input used another window than the one on the screen.
    pub fn is_seen_otherwise(&self) -> bool {
        self.volume.for_network(self.full, self.seen) != self.asked
    }

    /// Returns whether the grey scale is inverted relative to what the file specifies, which may itself be
    /// inverted.
    pub fn is_inverted(&self) -> bool {
        self.seen.is_inverted != self.volume.is_inverted
    }

    /// Returns the window for the shader; for colour images with more than 8 bits, the window spans 0 to 255.
    pub fn seen(&self) -> DisplayWindow {
        // Colours with more than 8 bits are scaled to 8 bits for the screen.
        let is_colour_of_more =
            self.image.channels > 1 && !matches!(self.image.pixels, crate::data::Pixels::U8(_));
        if is_colour_of_more { DisplayWindow { window: Window::EIGHT_BIT, ..self.seen } } else { self.seen }
    }

    /// Returns the window for rendering the image into memory; `None` if the pixels are used as they are.
    pub fn painted(&self) -> Option<DisplayWindow> {
        let is_colour_of_more =
            self.image.channels > 1 && !matches!(self.image.pixels, crate::data::Pixels::U8(_));
        let as_it_is = DisplayWindow { window: Window::EIGHT_BIT, is_inverted: false };
        let is_as_it_is = self.layer.texels.rgba().is_some() && self.seen == as_it_is;
        (!is_colour_of_more && !is_as_it_is).then_some(self.seen)
    }
}
