//! A state with a small picture, for tests.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::panels;
use super::picture::layer;
use super::record::Source;
use super::settings::Settings;
use super::state::{OpenImage, Shown, State};
use crate::data::Volume;
use crate::data::volume::{DisplayWindow, StoredPixels, Window};
use crate::device::DeviceChoice;
use crate::engine::{Counts, DisplayPixels, ThresholdCounts};
use crate::infer::{Plane, Prediction};
use crate::render::{Picture, ProbabilityLayer};

/// Returns a state with a picture of 3 × 1 pixels, which has the ticket 1 and no mask.
pub fn opened() -> State {
    let picture = Picture::new(eframe::wgpu::TextureFormat::Rgba8Unorm);
    let mut state = State::new(Settings::default(), DeviceChoice::Cpu, panels::infos(), picture);
    let volume = Volume::plain(3, 1, 1, StoredPixels::U8(vec![0, 1, 2]));
    let image = Arc::new(volume.slice(0));
    let path = PathBuf::from("folder/chest.png");
    state.document.open(OpenImage {
        ticket: 1,
        source: Source::Files(path.clone(), Vec::new()),
        path,
        name: "chest.png".into(),
        case: None,
        layer: layer(1, &image, DisplayPixels::of(&image, 64)),
        volume: Arc::new(volume),
        slice: 0,
        coming: None,
        image,
        full: Window::EIGHT_BIT,
        seen: DisplayWindow { window: Window::EIGHT_BIT, is_inverted: false },
        asked: None,
    });
    state
}

/// Shows a prediction of the prompt "left lung", whose mask is the first pixel.
pub fn predict(state: &mut State) {
    let map = Plane { width: 3, height: 1, values: vec![0.9, 0.1, 0.1] };
    let layer = ProbabilityLayer { key: 2, size: [3, 1], values: Arc::new(map.values.clone()) };
    let counts = Counts { truth: None, table: Arc::new(ThresholdCounts::new(&map.values, None)) };
    let prediction = Arc::new(Prediction::of_map("left lung", map));
    let ticket = state.jobs.prediction.newest();
    state.shown = Some(Shown { ticket, prediction, since: Instant::now(), counts, layer, misread: None });
}
